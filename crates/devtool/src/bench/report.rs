//! What a benchmark found: medians over the rounds, rates, ratios to the floors, raw numbers.
//!
//! It computes and prints; `table` lays the human form out.

use std::fs;
use std::io::{self, Write};
use std::thread;

use anyhow::{Context, Result};
use catalog::Server;
use clap::ValueEnum;
use serde::Serialize;

use super::family::FamilyReport;
use super::measure::Sample;
use super::one_table::OneTable;
use super::plan::{Floor, Peer, Step, Verb};
use super::processor::kilobytes_field;
use super::run::{Measured, Round};
use super::table;
use crate::args::Bench;

/// Counts up with every change that an older reader would misread.
const SCHEMA_VERSION: u32 = 1;

/// The form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// A table for people
    Human,
    /// One JSON document
    Json,
}

/// A benchmark's result.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) schema_version: u32,
    pub(crate) scale: u64,
    pub(crate) rounds: u32,
    /// The profile of the directory that converge lies in; only `release` means anything.
    pub(crate) build: &'static str,
    pub(crate) converge: String,
    pub(crate) machine: Machine,
    /// In the order of a round, the floors last.
    pub(crate) steps: Vec<StepReport>,
    /// The conversion by kind of table; empty where `transform` alone was not asked for.
    pub(crate) families: Vec<FamilyReport>,
    /// `null` where `import` alone was not asked for.
    pub(crate) one_table: Option<OneTable>,
    /// The other tools; empty without `--peers`.
    pub(crate) peers: Vec<PeerReport>,
}

/// What became of the same move by another tool.
#[derive(Debug, Serialize)]
pub(crate) struct PeerReport {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    /// The time of `migrate, alone` by that of this tool.
    pub(crate) ratio: f64,
    /// What `verify` finds in its target.
    pub(crate) differences: Vec<String>,
}

/// What the numbers depend on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processors: usize,
    pub(crate) memory_bytes: u64,
    /// Of the minute before the benchmark: much more than 0 means that others were at work.
    pub(crate) load_average: f64,
    pub(crate) source: String,
    pub(crate) target: String,
}

/// A step over all rounds.
#[derive(Debug, Serialize)]
pub(crate) struct StepReport {
    pub(crate) name: &'static str,
    /// `stage` or `floor`.
    pub(crate) kind: &'static str,
    /// Of one execution; the same in all.
    pub(crate) rows: u64,
    /// Of one execution, the median.
    pub(crate) bytes: u64,
    pub(crate) median: Medians,
    pub(crate) megabytes_per_second: f64,
    pub(crate) rows_per_second: f64,
    /// The floors that it is held against, by name; empty where it has none.
    pub(crate) floors: Vec<&'static str>,
    /// Its median time by the sum of the floors' medians.
    pub(crate) ratio_to_floors: Option<f64>,
    /// Every execution, in order.
    pub(crate) samples: Vec<Sample>,
}

/// Medians over all executions, each number for itself.
#[derive(Debug, Serialize)]
pub(crate) struct Medians {
    pub(crate) seconds: f64,
    pub(crate) client_processor_seconds: f64,
    pub(crate) source_processor_seconds: f64,
    pub(crate) target_processor_seconds: f64,
    pub(crate) peak_memory_bytes: Option<u64>,
}

impl Report {
    /// Sums up the rounds; there is at least one, and all have the same steps.
    pub(crate) fn new(options: &Bench, scale: u64, machine: Machine, measured: Measured) -> Self {
        let rounds = &measured.rounds;
        let mut steps: Vec<Step> = Vec::new();
        for (step, _) in &rounds[0] {
            if !steps.contains(step) {
                steps.push(*step);
            }
        }
        steps.sort_by_key(|step| matches!(step, Step::Floor(_)));
        Self {
            schema_version: SCHEMA_VERSION,
            scale,
            rounds: options.rounds,
            build: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
            converge: measured.version,
            machine,
            steps: steps
                .iter()
                .map(|step| StepReport::new(*step, rounds))
                .collect(),
            families: measured.families,
            one_table: measured.one_table,
            peers: measured.peers,
        }
    }

    /// Prints it on stdout.
    pub(crate) fn print(&self, format: OutputFormat) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match format {
            OutputFormat::Human => stdout.write_all(table::text(self).as_bytes())?,
            OutputFormat::Json => {
                serde_json::to_writer_pretty(&mut stdout, self)?;
                stdout.write_all(b"\n")?;
            }
        }
        stdout.flush()
    }
}

impl Machine {
    /// Reads what the kernel says about this machine.
    pub(crate) fn read(source: &Server, target: &Server) -> Result<Self> {
        let read =
            |path: &str| fs::read_to_string(path).with_context(|| format!("cannot read {path}"));
        let load = read("/proc/loadavg")?;
        let load = load.split(' ').next().and_then(|load| load.parse().ok());
        let name = |server: &Server| format!("{} {}", server.kind.label(), server.version);
        Ok(Self {
            processors: thread::available_parallelism()
                .context("cannot count the processors")?
                .get(),
            memory_bytes: kilobytes_field(&read("/proc/meminfo")?, "MemTotal")
                .context("/proc/meminfo is not understood")?,
            load_average: load.context("/proc/loadavg is not understood")?,
            source: name(source),
            target: name(target),
        })
    }
}

impl PeerReport {
    /// In the order of a round.
    pub(super) fn of(
        rounds: &[Round],
        versions: &[(Peer, String)],
        differences: Vec<(Peer, Vec<String>)>,
    ) -> Vec<Self> {
        let seconds = |step| median_of(&samples(step, rounds), |sample| sample.seconds);
        let own = seconds(Step::Converge(Verb::MigrateAlone));
        let of_peer = |(peer, differences): (Peer, Vec<String>)| Self {
            name: peer.name(),
            version: versions
                .iter()
                .find(|(other, _)| *other == peer)
                .map(|(_, version)| version.clone())
                .unwrap_or_default(),
            ratio: own / seconds(Step::Peer(peer)),
            differences,
        };
        differences.into_iter().map(of_peer).collect()
    }
}

impl StepReport {
    fn new(step: Step, rounds: &[Round]) -> Self {
        let samples = samples(step, rounds);
        let median = Medians::of(&samples);
        let bytes = median_of(&samples, |sample| sample.bytes as f64);
        let rows = samples[0].rows;
        let floor =
            |floor: &Floor| median_of(&samples_of_floor(*floor, rounds), |sample| sample.seconds);
        let floors = step.floors();
        let seconds = median.seconds;
        Self {
            name: step.name(),
            kind: match step {
                Step::Converge(_) => "stage",
                Step::Floor(_) => "floor",
                Step::Peer(_) => "peer",
            },
            rows,
            bytes: bytes as u64,
            megabytes_per_second: bytes / 1e6 / seconds,
            rows_per_second: rows as f64 / seconds,
            floors: floors
                .iter()
                .map(|floor| Step::Floor(*floor).name())
                .collect(),
            ratio_to_floors: (!floors.is_empty())
                .then(|| seconds / floors.iter().map(floor).sum::<f64>()),
            median,
            samples,
        }
    }
}

fn samples(step: Step, rounds: &[Round]) -> Vec<Sample> {
    let all = rounds.iter().flatten();
    all.filter(|(other, _)| *other == step)
        .map(|(_, sample)| *sample)
        .collect()
}

fn samples_of_floor(floor: Floor, rounds: &[Round]) -> Vec<Sample> {
    samples(Step::Floor(floor), rounds)
}

impl Medians {
    fn of(samples: &[Sample]) -> Self {
        let peaks: Vec<f64> = samples
            .iter()
            .filter_map(|sample| sample.peak_memory_bytes)
            .map(|bytes| bytes as f64)
            .collect();
        Self {
            seconds: median_of(samples, |sample| sample.seconds),
            client_processor_seconds: median_of(samples, |sample| sample.client.seconds()),
            source_processor_seconds: median_of(samples, |s| s.source_processor_seconds),
            target_processor_seconds: median_of(samples, |s| s.target_processor_seconds),
            peak_memory_bytes: (!peaks.is_empty()).then(|| median(peaks) as u64),
        }
    }
}

fn median_of(samples: &[Sample], number: impl FnMut(&Sample) -> f64) -> f64 {
    median(samples.iter().map(number).collect())
}

/// The middle one, or the mean of the two in the middle. There is at least one number.
pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len().is_multiple_of(2) {
        f64::midpoint(numbers[middle - 1], numbers[middle])
    } else {
        numbers[middle]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::processor::ProcessorTime;
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        for (numbers, expected) in [
            (vec![3.0], 3.0),
            (vec![3.0, 1.0], 2.0),
            (vec![9.0, 1.0, 2.0], 2.0),
            (vec![4.0, 100.0, 1.0, 2.0], 3.0),
        ] {
            assert_eq!(median(numbers.clone()), expected, "{numbers:?}");
        }
    }

    fn sample(seconds: f64, peak: Option<u64>) -> Sample {
        Sample {
            seconds,
            rows: 1000,
            bytes: 4_000_000,
            client: ProcessorTime {
                user_seconds: seconds / 2.0,
                system_seconds: seconds / 4.0,
            },
            peak_memory_bytes: peak,
            source_processor_seconds: 0.25,
            target_processor_seconds: 0.0,
        }
    }

    /// Three rounds of an export with its floor; the second round was disturbed.
    pub(in crate::bench) fn report() -> Report {
        let round = |export: f64, drain: f64, peak: u64| {
            vec![
                (Step::Floor(Floor::Drain), sample(drain, None)),
                (Step::Converge(Verb::Export), sample(export, Some(peak))),
            ]
        };
        let rounds = [
            round(2.0, 1.0, 20 << 20),
            round(9.0, 7.0, 22 << 20),
            round(2.2, 1.1, 30 << 20),
        ];
        let options = Bench {
            stage: None,
            scale: 1,
            rounds: 3,
            growth: false,
            peers: false,
            output: OutputFormat::Human,
        };
        let machine = Machine {
            processors: 2,
            memory_bytes: 8_000_000_000,
            load_average: 0.5,
            source: "MariaDB 10.11.19".to_owned(),
            target: "PostgreSQL 17.5".to_owned(),
        };
        Report::new(
            &options,
            1,
            machine,
            Measured {
                version: "converge 0.1.0".to_owned(),
                rounds: rounds.into(),
                ..Measured::default()
            },
        )
    }

    #[test]
    fn a_disturbed_round_moves_no_median() {
        let report = report();
        let [export, drain] = &report.steps[..] else {
            panic!("{report:?}");
        };
        assert_eq!((export.name, export.kind), ("export", "stage"));
        assert_eq!((drain.name, drain.kind), ("drain", "floor"));
        assert_eq!(export.median.seconds, 2.2);
        assert_eq!(export.ratio_to_floors, Some(2.0));
        assert_eq!(export.median.peak_memory_bytes, Some(22 << 20));
        assert_eq!(drain.median.peak_memory_bytes, None);
        assert_eq!(drain.ratio_to_floors, None);
        assert!((drain.megabytes_per_second - 4.0 / 1.1).abs() < 1e-9);
        assert_eq!(export.samples.len(), 3);
    }
}
