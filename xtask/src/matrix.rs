//! The live tests on pairs of releases, and docs/versions.md, which says what came of them.
//!
//! Which versions are supported is known to converge; one of its tests holds its table
//! against the document.

use std::{
    fmt::Write,
    fs,
    io::{self, IsTerminal},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{
    db::Wanted,
    servers::{self, Family, RELEASES, Release},
    test::{self, Runner, Tally, Tests},
    workspace,
};

/// Test programs that talk to servers.
const LIVE: [&str; 9] = [
    "--package",
    "converge",
    "--package",
    "devtool",
    "--test",
    "live",
    "--test",
    "fixtures",
    "--test=moved",
];

/// Tests that bring servers of their own, whatever the pair is.
const OWN_SERVERS: &str = "lost::";

/// The tests of the path from the source to the target and back.
const PATH: &str = "path::";

/// A source and a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    source: &'static Release,
    target: &'static Release,
}

/// What came of the tests on a pair.
#[derive(Debug)]
struct Outcome {
    pair: Pair,
    tests: Tests,
    took: Duration,
}

impl Pair {
    /// The pair of these releases.
    pub(crate) fn named(source: &str, target: &str) -> Result<Pair> {
        Ok(Pair {
            source: Release::named(source)?,
            target: Release::named(target)?,
        })
    }

    /// Every source with every target.
    fn all() -> Vec<Pair> {
        let is_target = |release: &Release| release.family == Family::Postgres;
        let (targets, sources): (Vec<_>, Vec<_>) =
            RELEASES.iter().partition(|release| is_target(release));
        sources
            .iter()
            .flat_map(|source| targets.iter().map(|target| Pair { source, target }))
            .collect()
    }

    fn name(self) -> String {
        format!("{} to {}", self.source.name, self.target.name)
    }

    fn run(self, command: Command) -> Result<Tests> {
        let wanted = Wanted {
            mysql: Some(self.source.name.to_owned()),
            postgres: Some(self.target.name.to_owned()),
        };
        Tests::on_servers(&wanted, command)
    }

    /// The path from end to end; what was counted.
    pub(crate) fn smoke(self) -> Result<Option<Tally>> {
        eprintln!("--- {}", self.name());
        let runner = Runner::find();
        let mut command = runner.command();
        command.args(["--package", "converge", "--test", "live"]);
        command.args(runner.only(PATH));
        let tests = self.run(command)?;
        if !tests.status.success() {
            bail!("the path fails from {}", self.name());
        }
        if tests.tally.is_none() && !io::stderr().is_terminal() {
            bail!("no test of the path was found");
        }
        Ok(tests.tally)
    }
}

/// Runs the matrix and writes what came of it.
pub(crate) fn write() -> Result<ExitCode> {
    let text = run()?;
    let path = workspace::root().join("docs/versions.md");
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("written: {}", path.display());
    Ok(ExitCode::SUCCESS)
}

/// Runs all live tests on all pairs; the document, where all of them pass.
pub(crate) fn run() -> Result<String> {
    let pgbouncer = servers::pgbouncer()?;
    let mut outcomes = Vec::new();
    for pair in Pair::all() {
        eprintln!("\n--- {}", pair.name());
        let start = Instant::now();
        let runner = Runner::find();
        let mut command = runner.command();
        command.args(LIVE).args(runner.without(OWN_SERVERS));
        test::name_pooler(&mut command, &pgbouncer);
        let tests = pair.run(command)?;
        outcomes.push(Outcome {
            pair,
            tests,
            took: start.elapsed(),
        });
    }
    eprintln!();
    for outcome in &outcomes {
        let verdict = if outcome.passed() { "ok" } else { "FAILED" };
        let seconds = outcome.took.as_secs_f64();
        let name = outcome.pair.name();
        eprintln!(
            "{name:<32} {seconds:>6.1} s  {verdict:<7} {}",
            outcome.count()
        );
    }
    if !outcomes.iter().all(Outcome::passed) {
        bail!("not every pair passes");
    }
    document(&outcomes)
}

impl Outcome {
    fn passed(&self) -> bool {
        self.tests.status.success()
    }

    fn count(&self) -> String {
        self.tests
            .tally
            .map_or_else(String::new, |tally| tally.to_string())
    }
}

/// docs/versions.md.
fn document(outcomes: &[Outcome]) -> Result<String> {
    let sh = Shell::new()?;
    let date = cmd!(sh, "date --utc +%Y-%m-%d").quiet().read()?;
    let mut text = include_str!("matrix/versions.md").replace("DATE", &date);
    text += &support(outcomes);
    text += "\n## The run\n\n";
    text += "| source | target | tests | seconds |\n| --- | --- | --- | --- |\n";
    for Outcome {
        pair: _,
        tests,
        took,
    } in outcomes
    {
        let [source, target] = &tests.versions;
        let count = tests
            .tally
            .map_or_else(String::new, |tally| tally.to_string());
        let seconds = took.as_secs();
        writeln!(text, "| {source} | {target} | {count} | {seconds} |")?;
    }
    Ok(text)
}

/// The table of what is proven, expected, unproven and refused.
fn support(outcomes: &[Outcome]) -> String {
    let mut text =
        "\n## Support\n\n| server | series | support |\n| --- | --- | --- |\n".to_owned();
    for (family, product, oldest) in [
        (Family::Mysql, "MySQL", "8.0"),
        (Family::Mariadb, "MariaDB", "10.6"),
        (Family::Postgres, "PostgreSQL", "14"),
    ] {
        let mut proven: Vec<&str> = outcomes
            .iter()
            .flat_map(|outcome| [outcome.pair.source, outcome.pair.target])
            .filter(|release| release.family == family)
            .map(Release::series)
            .collect();
        proven.sort_unstable();
        proven.dedup();
        for series in proven {
            text += &format!("| {product} | {series} | proven |\n");
        }
        text += &format!("| {product} | others from {oldest} on | expected |\n");
        text += &format!("| {product} | newer than all of these | unproven |\n");
        text += &format!("| {product} | before {oldest} | refused |\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_meets_every_target() {
        let names: Vec<String> = Pair::all().iter().map(|pair| pair.name()).collect();
        assert_eq!(names.len(), 9);
        assert!(names.contains(&"mysql-9.7 to postgres-18".to_owned()));
        assert!(Pair::named("mysql", "postgres-18").is_ok());
        assert!(Pair::named("oracle-23", "postgres-18").is_err());
    }
}
