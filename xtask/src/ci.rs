//! `cargo xtask ci`: everything that must hold before a change is merged.
//!
//! Every section runs, also after one failed, so that one run tells all.

use std::{
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    db::{Guard, state::StateDir},
    failure, flags, test, tidy, workspace,
};

/// A named part of the run, which may have something to say for the summary.
type Section = (&'static str, fn() -> Result<String>);

const SECTIONS: [Section; 5] = [
    ("fmt", || cargo("fmt --all --check")),
    // Lints are the same in every profile; one profile means one set of built files.
    ("clippy", || {
        cargo("clippy --workspace --all-targets --release -- -D warnings")
    }),
    ("tidy", tidiness),
    ("codegen", || {
        cargo("run --release -p devtool -- codegen --check")
    }),
    ("test", tests),
];

/// Takes minutes, and looks for what only size shows.
const DEEP_SECTIONS: [Section; 1] = [("rehearse --scale 20", rehearse)];

pub(crate) fn run(flags: &flags::Ci) -> Result<ExitCode> {
    let deep = if flags.deep { &DEEP_SECTIONS[..] } else { &[] };
    // The tests come last, so that their summary is at the end of the log.
    let (test, others) = SECTIONS.split_last().expect("there are sections");
    let sections = others.iter().chain(deep).chain([test]);
    let outcomes: Vec<Outcome> = sections.map(|section| Outcome::of(*section)).collect();
    eprintln!("\nsection               seconds");
    for outcome in &outcomes {
        let verdict = if outcome.passed { "ok" } else { "FAILED" };
        let seconds = outcome.took.as_secs_f64();
        let line = format!(
            "{:<20} {seconds:>8.1}  {verdict:<7} {}",
            outcome.name, outcome.note
        );
        eprintln!("{}", line.trim_end());
    }
    let all = outcomes.iter().all(|outcome| outcome.passed);
    Ok(if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Outcome {
    name: &'static str,
    passed: bool,
    took: Duration,
    note: String,
}

impl Outcome {
    fn of((name, section): Section) -> Outcome {
        eprintln!("\n=== {name}");
        let start = Instant::now();
        let result = section();
        if let Err(error) = &result {
            failure::report(error);
        }
        let took = start.elapsed();
        eprintln!("=== {name}: {:.1} s", took.as_secs_f64());
        Outcome {
            name,
            passed: result.is_ok(),
            took,
            note: result.unwrap_or_else(|error| error.to_string()),
        }
    }
}

fn cargo(words: &str) -> Result<String> {
    let mut command = workspace::cargo();
    command
        .args(words.split(' '))
        .current_dir(workspace::root());
    succeed(command, &format!("cargo {words}"))
}

/// The main job at the size that shows what is held in memory, on servers of its own.
fn rehearse() -> Result<String> {
    let state = StateDir::own("db-deep");
    let (guard, _) = Guard::up(&state)?;
    let mut command = Command::new("/proc/self/exe");
    command
        .args(["rehearse", "--scale", "20"])
        .env("CONVERGE_DB_STATE", state.path())
        .current_dir(workspace::root());
    let rehearsed = succeed(command, "rehearse --scale 20");
    guard.finish()?;
    rehearsed
}

fn tests() -> Result<String> {
    let (code, tally) = test::run_counted(&[])?;
    let tally = tally.map(|tally| tally.to_string());
    if code != ExitCode::SUCCESS {
        bail!("{}", tally.unwrap_or_else(|| "see above".to_owned()));
    }
    Ok(tally.unwrap_or_default())
}

fn succeed(mut command: Command, name: &str) -> Result<String> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{name}`"))?;
    if !status.success() {
        bail!("`{name}` failed ({status})");
    }
    Ok(String::new())
}

fn tidiness() -> Result<String> {
    if tidy::run()? != ExitCode::SUCCESS {
        bail!("there are findings");
    }
    Ok(String::new())
}
