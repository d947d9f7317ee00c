//! How the time of each stage grows with the rows: the exponent of a fit over several scales.
//!
//! What is linear has 1. Best times are held against each other, because everything else on the
//! machine only adds to them.

use std::io::{self, Write};

use anyhow::{Result, bail};
use serde::Serialize;

use super::report::{OutputFormat, Report, StepReport};

/// Above this, a stage does something again and again for rows that it has seen; below it, the
/// caches of the machine account for the rest.
const EXPONENT_MAX: f64 = 1.10;

/// Reports of several scales, and what they come to.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    schema_version: u32,
    reports: Vec<Report>,
    stages: Vec<StageGrowth>,
}

/// How a stage grows.
#[derive(Debug, Serialize)]
struct StageGrowth {
    name: &'static str,
    /// By scale.
    best_seconds: Vec<f64>,
    exponent: f64,
    peak_memory_bytes: Option<u64>,
}

impl Growth {
    /// Fits the times of the same stages at several scales.
    pub(crate) fn of(reports: Vec<Report>) -> Self {
        let steps = reports[0].steps.iter().filter(|s| s.kind == "stage");
        let stages = steps.map(|step| StageGrowth::of(step.name, &reports));
        Self {
            schema_version: 1,
            stages: stages.collect(),
            reports,
        }
    }

    /// Prints it on stdout.
    ///
    /// # Errors
    /// Where a stage grows faster than the rows.
    pub(crate) fn print(&self, format: OutputFormat) -> Result<()> {
        let mut stdout = io::stdout().lock();
        match format {
            OutputFormat::Human => stdout.write_all(self.text().as_bytes())?,
            OutputFormat::Json => {
                serde_json::to_writer_pretty(&mut stdout, self)?;
                stdout.write_all(b"\n")?;
            }
        }
        stdout.flush()?;
        let fast = |stage: &&StageGrowth| stage.exponent > EXPONENT_MAX;
        match self.stages.iter().find(fast) {
            None => Ok(()),
            Some(stage) => bail!(
                "the time of `{}` grows with the power {:.2} of the rows, more than {EXPONENT_MAX}",
                stage.name,
                stage.exponent
            ),
        }
    }

    fn text(&self) -> String {
        let mut text = "\nstage            exponent  best seconds by scale    peak MB\n".to_owned();
        for stage in &self.stages {
            let seconds: Vec<String> = stage
                .best_seconds
                .iter()
                .map(|s| format!("{s:.2}"))
                .collect();
            let peak = stage
                .peak_memory_bytes
                .map_or_else(String::new, |bytes| format!("{:.1}", bytes as f64 / 1e6));
            text.push_str(&format!(
                "{:<16} {:>8.2}  {:<23} {peak:>8}\n",
                stage.name,
                stage.exponent,
                seconds.join("  ")
            ));
        }
        text
    }
}

impl StageGrowth {
    fn of(name: &'static str, reports: &[Report]) -> Self {
        let steps = reports.iter().flat_map(|report| &report.steps);
        let steps: Vec<&StepReport> = steps.filter(|step| step.name == name).collect();
        let best = |step: &&StepReport| {
            let seconds = step.samples.iter().map(|sample| sample.seconds);
            seconds.fold(f64::INFINITY, f64::min)
        };
        let best_seconds: Vec<f64> = steps.iter().map(best).collect();
        let rows = steps.iter().map(|step| step.rows as f64);
        let points: Vec<(f64, f64)> = rows.zip(best_seconds.iter().copied()).collect();
        let peaks = steps
            .iter()
            .filter_map(|step| step.median.peak_memory_bytes);
        Self {
            name,
            exponent: exponent(&points),
            peak_memory_bytes: peaks.max(),
            best_seconds,
        }
    }
}

/// The slope of the line through the logarithms that has the least squares.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let logarithms: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logarithms.len() as f64;
    let mean_x = logarithms.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logarithms.iter().map(|(_, y)| y).sum::<f64>() / count;
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in logarithms {
        above += (x - mean_x) * (y - mean_y);
        below += (x - mean_x).powi(2);
    }
    above / below
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn the_exponent_is_that_of_the_power() {
        for power in [0.0, 1.0, 1.5, 2.0] {
            let points = [10.0, 20.0, 40.0].map(|x: f64| (x, 3.0 * x.powf(power)));
            assert!((exponent(&points) - power).abs() < 1e-9, "{power}");
        }
    }

    #[test]
    fn a_stage_that_takes_four_times_as_long_for_twice_the_rows_fails() {
        let slower = |factor: f64, scale: u64| {
            let mut report = report();
            for step in &mut report.steps {
                step.rows *= scale;
                for sample in &mut step.samples {
                    sample.seconds *= factor;
                }
            }
            report
        };
        let linear = Growth::of(vec![slower(1.0, 1), slower(2.0, 2), slower(4.0, 4)]);
        assert!((linear.stages[0].exponent - 1.0).abs() < 1e-9);
        assert_eq!(linear.stages.len(), 1, "floors are not judged");
        assert_eq!(linear.stages[0].best_seconds, [2.0, 4.0, 8.0]);
        assert!(linear.print(OutputFormat::Json).is_ok());
        let square = Growth::of(vec![slower(1.0, 1), slower(4.0, 2), slower(16.0, 4)]);
        let error = square.print(OutputFormat::Human).unwrap_err();
        assert!(error.to_string().contains("`export` grows"), "{error}");
    }
}
