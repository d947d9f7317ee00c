//! `cargo xtask ci`: everything that must hold before a change is merged.
//!
//! Every section runs, also after one failed, so that one run tells all.

use std::{
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    db::{Guard, Wanted, account, engine::Engine, state::StateDir},
    failure, flags, images,
    matrix::{self, Pair},
    programs,
    servers::{self, Release},
    test::{self, Runner},
    tidy, workspace,
};

/// A named part of the run, which may have something to say for the summary.
type Section = (&'static str, fn() -> Result<String>);

const SECTIONS: [Section; 7] = [
    ("fmt", || cargo("fmt --all --check")),
    // Lints are the same in every profile; one profile means one set of built files.
    ("clippy", || {
        cargo("clippy --workspace --all-targets --release -- -D warnings")?;
        // Not among the targets of a plain run of the tests.
        cargo("clippy --package xtask --test docker --release -- -D warnings")
    }),
    ("tidy", tidiness),
    ("codegen", || {
        cargo("run --release -p devtool -- codegen --check")
    }),
    ("other versions", smoke),
    ("containers", containers),
    ("test", tests),
];

/// Takes many minutes: what only size shows, and every pair of versions.
const DEEP_SECTIONS: [Section; 6] = [
    ("rehearse --scale 20", rehearse),
    ("kills", kills),
    ("large rows", large_rows),
    ("random mutations", random_mutations),
    ("bench --growth", growth),
    ("test --matrix", matrix_of_versions),
];

/// How often each stage is killed in the long rounds.
const KILLS: &str = "20";

/// Tests that kill a stage at random moments.
const KILLED: &str = "killed_at_any_moment::";

/// Rows of a megabyte in the test of large rows, which has some hundreds in each run.
const LARGE_ROWS: &str = "20000";

/// The test of large rows.
const LARGE: &str = "bad_weather::large_rows_";

/// Rounds of random tables and changes that `verify` is held against, of which each run has 100.
const ROUNDS: &str = "10000";

/// The test of these.
const RANDOM: &str = "random_mutations::";

/// Pairs on which each run tries the path.
const SMOKE: [[&str; 2]; 2] = [["mysql-9.7", "postgres-18"], ["mysql-9.7", "postgres-17"]];

/// The images of the tests on an engine; they name them by their tags.
const CONTAINERS: [&str; 2] = ["mysql-9.7", "postgres-18"];

/// Begins what a section says that had nothing to run on.
const SKIPPED: &str = "skipped: ";

pub(crate) fn run(flags: &flags::Ci) -> Result<ExitCode> {
    let deep = if flags.deep { &DEEP_SECTIONS[..] } else { &[] };
    // The tests come last, so that their summary is at the end of the log.
    let (test, others) = SECTIONS.split_last().expect("there are sections");
    let sections = others.iter().chain(deep).chain([test]);
    let outcomes: Vec<Outcome> = sections.map(|section| Outcome::of(*section)).collect();
    eprintln!("\nsection               seconds");
    for outcome in &outcomes {
        let verdict = match outcome.passed {
            true if outcome.note.starts_with(SKIPPED) => "-",
            true => "ok",
            false => "FAILED",
        };
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
    let (guard, _) = Guard::up(&state, &Wanted::installed())?;
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
    let tests = test::run_all()?;
    let tally = tests.tally.map(|tally| tally.to_string());
    if !tests.status.success() {
        bail!("{}", tally.unwrap_or_else(|| "see above".to_owned()));
    }
    Ok(tally.unwrap_or_default())
}

/// The path on servers that are not the installed ones.
fn smoke() -> Result<String> {
    if let Some((reason, _)) = servers::obstacle() {
        return Ok(format!("{SKIPPED}{reason}"));
    }
    let mut counted = Vec::new();
    for [source, target] in SMOKE {
        let tally = Pair::named(source, target)?.smoke()?;
        counted.extend(tally.map(|tally| tally.to_string()));
    }
    Ok(counted.join("; "))
}

/// The tests on a Docker engine, where there is one.
fn containers() -> Result<String> {
    let engine = match Engine::find() {
        Ok(engine) => engine,
        Err(absence) => return Ok(format!("{SKIPPED}{}", absence.reason())),
    };
    if let Some(reason) = engine.is_elsewhere() {
        return Ok(format!("{SKIPPED}{reason}"));
    }
    // Or the tests would wait for a compiler.
    programs::build()?;
    for release in CONTAINERS.map(Release::named) {
        let release = release?;
        match servers::obstacle() {
            Some((reason, _)) if !engine.has_image(&images::tag(release)) => {
                return Ok(format!("{SKIPPED}no image of {}: {reason}", release.name));
            }
            Some(_) => {}
            None => images::build(engine, release, false)?,
        }
    }
    let runner = Runner::find();
    let mut command = runner.command();
    command
        .args(["--package", "xtask", "--test", "docker"])
        .current_dir(workspace::root());
    // The only way to cut a container off without a word is the kernel's own firewall.
    let is_root = account::is_root();
    if is_root {
        // They mostly wait for a server that does not answer.
        command.args(runner.threads(4));
    } else {
        command.args(runner.without("silently"));
    }
    succeed(command, "the tests on the Docker engine")?;
    Ok(match is_root {
        true => String::new(),
        false => "without the silent cuts, which need root".to_owned(),
    })
}

/// Stages that are killed again and again, and go on.
fn kills() -> Result<String> {
    long_rounds(KILLED, "CONVERGE_TEST_KILLS", KILLS)
}

/// Rows of a megabyte, as many as fill 20 GB on both sides of the export.
fn large_rows() -> Result<String> {
    long_rounds(LARGE, "CONVERGE_TEST_LARGE_ROWS", LARGE_ROWS)
}

/// Random changes of random tables, each of which has to be found.
fn random_mutations() -> Result<String> {
    long_rounds(RANDOM, "CONVERGE_TEST_ROUNDS", ROUNDS)
}

/// Live tests at a size that takes many minutes.
fn long_rounds(tests: &str, variable: &str, size: &str) -> Result<String> {
    let runner = Runner::find();
    let mut command = runner.command();
    command
        .env(variable, size)
        .env("NEXTEST_PROFILE", "deep")
        .args(["--package", "converge", "--test", "live"])
        .args(runner.only(tests));
    let tests = test::Tests::on_servers(&Wanted::installed(), command)?;
    if !tests.status.success() {
        bail!("see above");
    }
    Ok(tests
        .tally
        .map(|tally| tally.to_string())
        .unwrap_or_default())
}

/// An export of production's size (175) at the end, with memory and time that grow as they may.
fn growth() -> Result<String> {
    let state = StateDir::own("db-deep");
    let (guard, _) = Guard::up(&state, &Wanted::installed())?;
    let mut command = Command::new("/proc/self/exe");
    command
        .args([
            "bench", "export", "--scale", "44", "--rounds", "3", "--growth",
        ])
        .env("CONVERGE_DB_STATE", state.path())
        .current_dir(workspace::root());
    let measured = succeed(command, "bench export --scale 44 --growth");
    guard.finish()?;
    measured
}

/// Every pair of versions.
fn matrix_of_versions() -> Result<String> {
    matrix::run().map(|_| String::new())
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
