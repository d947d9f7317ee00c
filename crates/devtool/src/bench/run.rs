//! A benchmark from the first row loaded to the last database dropped.
//!
//! It works in databases of its own, under a prefix of its own, on servers that have proven
//! to be those of `cargo xtask db up`.

use std::io;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use catalog::quote;

use super::converge::Converge;
use super::family::{self, FamilyReport};
use super::floor::Ground;
use super::growth::Growth;
use super::interrupt::Interrupt;
use super::measure::Sample;
use super::one_table::{self, OneTable};
use super::peers::{self, Peers};
use super::place::Place;
use super::plan::{Floor, Plan, Stage, Step};
use super::processor::Servers;
use super::report::{Machine, OutputFormat, PeerReport, Report};
use crate::args::Bench;
use crate::local::{LocalServers, OWN_DATABASE, Prefix};
use crate::system::System;

/// Before the names of the databases, so that the developer's own stay as they are.
const PREFIX: &str = "bench_";
/// Makes the targets as their owners do.
const TARGETS: [&str; 3] = ["targets", "--prefix", PREFIX];

/// Measures and prints the report on stdout; progress goes to stderr.
///
/// # Errors
/// `Refused` where the servers are not ours, [`Interrupted`](super::Interrupted) after a signal.
pub(crate) fn run(options: &Bench) -> Result<()> {
    let prefix = Prefix::parse(PREFIX).expect("the prefix is plain");
    let local = LocalServers::find(prefix)?;
    let interrupt = Interrupt::install()?;
    // Both have to prove that they are ours before anything is written.
    let machine = Machine::read(local.open_source()?.server(), local.open_target()?.server())?;
    let factors: &[u64] = match options.growth {
        true => &[1, 2, 4],
        false => &[1],
    };
    let mut reports = Vec::new();
    for factor in factors {
        let scale = options.scale * factor;
        let place = Place::make()?;
        let measured = measure(options, scale, &local, &place, &interrupt);
        let removed = remove_databases(&local).and(place.remove_work());
        // The signal explains what went wrong better than what it broke off.
        interrupt.check()?;
        let measured = measured?;
        removed.context("cannot remove what the benchmark made")?;
        let report = Report::new(options, scale, machine.clone(), measured);
        if options.output == OutputFormat::Human || !options.growth {
            report.print(options.output)?;
        }
        reports.push(report);
    }
    match options.growth {
        true => Growth::of(reports).print(options.output),
        false => Ok(()),
    }
}

/// What the report is made of.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) version: String,
    pub(super) rounds: Vec<Round>,
    pub(super) families: Vec<FamilyReport>,
    pub(super) one_table: Option<OneTable>,
    pub(super) peers: Vec<PeerReport>,
}

/// The steps of a round with what they took.
pub(crate) type Round = Vec<(Step, Sample)>;

fn measure(
    options: &Bench,
    scale: u64,
    local: &LocalServers,
    place: &Place,
    interrupt: &Interrupt,
) -> Result<Measured> {
    let config = place.write_config(PREFIX, !options.peers)?;
    let converge = Converge::find(config.clone())?;
    let ground = Ground {
        local,
        place,
        servers: Servers::find(&place.home_of_servers()?)?,
        interrupt,
    };
    let scale = scale.to_string();
    // Of what production has, the other tools change some and stop at some.
    let dirt = if options.peers { "none" } else { "production" };
    fixtures(&[
        "load", "--scale", &scale, "--dirt", dirt, "--prefix", PREFIX,
    ])?;
    fixtures(&TARGETS)?;
    let (plan, peers) = match options.peers {
        true => {
            let peers = Peers::find(place.state(), place.work())?;
            (Plan::with_peers(), Some(peers))
        }
        false => (Plan::of(options.stage), None),
    };
    let mut differences = Vec::new();
    for verb in plan.before {
        interrupt.check()?;
        eprintln!("bench: {} (not measured)", verb.name());
        converge.run(*verb, place, ground.servers)?;
    }
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        let mut round = Round::new();
        for step in plan.round {
            interrupt.check()?;
            let sample = match (step, &peers) {
                (Step::Peer(peer), Some(peers)) => {
                    let sample = peers.run(*peer, ground, &config)?;
                    if number == 1 {
                        let found = peers::differences(&converge.verify(place)?);
                        differences.push((*peer, found));
                    }
                    fixtures(&TARGETS)?;
                    sample
                }
                _ => perform(*step, &converge, ground)?,
            };
            let (name, seconds) = (step.name(), sample.seconds);
            eprintln!(
                "bench: round {number} of {}: {name} {seconds:.2} s",
                options.rounds
            );
            round.push((*step, sample));
        }
        rounds.push(round);
    }
    check_rows(&rounds)?;
    let families = match options.stage {
        Some(Stage::Transform) => family::measure(place)?,
        _ => Vec::new(),
    };
    let one_table = match options.stage {
        Some(Stage::Import) => {
            let (program, config) = converge.program_and_config();
            Some(one_table::measure(ground, program, config, options.rounds)?)
        }
        _ => None,
    };
    let peers = peers.map(|peers| PeerReport::of(&rounds, &peers.versions, differences));
    Ok(Measured {
        one_table,
        peers: peers.unwrap_or_default(),
        version: converge.version()?,
        rounds,
        families,
    })
}

fn perform(step: Step, converge: &Converge, ground: Ground<'_>) -> Result<Sample> {
    match step {
        Step::Converge(verb) => converge.run(verb, ground.place, ground.servers),
        Step::Floor(Floor::Drain) => ground.drain(),
        Step::Floor(Floor::Load) => ground.load(),
        Step::Peer(_) => bail!("other tools are not among these steps"),
    }
}

/// Steps that moved different numbers of rows cannot be held against each other.
fn check_rows(rounds: &[Round]) -> Result<()> {
    let steps: Vec<&(Step, Sample)> = rounds.iter().flatten().collect();
    let all_equal = steps
        .windows(2)
        .all(|pair| pair[0].1.rows == pair[1].1.rows);
    if !all_equal {
        let rows: Vec<String> = steps
            .iter()
            .map(|(step, sample)| format!("{} {}", step.name(), sample.rows))
            .collect();
        bail!(
            "the steps moved different numbers of rows: {}",
            rows.join(", ")
        );
    }
    Ok(())
}

/// Calls this program's own command, in a process of its own: it prints on stdout, which
/// belongs to the report, and its memory would stay with the benchmark.
fn fixtures(arguments: &[&str]) -> Result<()> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let status = Command::new(program)
        .arg("fixtures")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status()
        .context("cannot start this program again")?;
    if !status.success() {
        bail!("`fixtures {}` ended with {status}", arguments.join(" "));
    }
    Ok(())
}

/// Drops the databases on both sides, and what was remembered about them.
fn remove_databases(local: &LocalServers) -> Result<()> {
    let (mut source, mut target) = (local.open_source()?, local.open_target()?);
    for system in System::ALL {
        let name = local.database(system);
        let (on_source, on_target) = (quote::mysql(&name), quote::postgres(&name));
        source.execute(&format!("drop database if exists {on_source}"))?;
        target.batch_execute(&format!("drop database if exists {on_target} with (force)"))?;
    }
    let remembered = format!("{OWN_DATABASE}.fixtures");
    if source
        .query_text(&format!("select 1 from {remembered} limit 1"))
        .is_ok()
    {
        let prefix = quote::mysql_literal(local.prefix().text());
        source.execute(&format!("delete from {remembered} where prefix = {prefix}"))?;
    }
    Ok(())
}
