//! `cargo xtask test`: all tests, on servers of their own that end with the run.
//!
//! A developer's servers of `db up` are not touched.

use std::{
    ffi::OsString,
    fmt, fs,
    io::{self, BufRead, BufReader, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    db::{self, Guard, Wanted, state::StateDir},
    failure::{Failure, UNEXPECTED},
    flags::{self, Provider},
    matrix, programs, servers,
    ticker::Ticker,
    tidy::snapshots,
    workspace,
};

/// Runs the tests as typed.
pub(crate) fn run(flags: flags::Test) -> Result<ExitCode> {
    if flags.matrix {
        return matrix::write();
    }
    let wanted = Wanted {
        mysql: Some(flags.mysql),
        postgres: Some(flags.postgres),
    };
    let mut runner = runner(&flags.args);
    add_pooler(&mut runner, &flags.args)?;
    let tests = Tests::on_servers(&wanted, runner)?;
    if tests.status.success() && flags.args.is_empty() {
        check_references(&tests)?;
    }
    Ok(code(tests.status))
}

/// All tests on the installed servers, with what the runner counted.
pub(crate) fn run_all() -> Result<Tests> {
    let mut runner = runner(&[]);
    add_pooler(&mut runner, &[])?;
    let tests = Tests::on_servers(&Wanted::installed(), runner)?;
    if tests.status.success() {
        check_references(&tests)?;
    }
    Ok(tests)
}

/// Names the pooler that the tests of poolers start, which is fetched where they are meant: by
/// name, or as all are. Leaves them out of all where it cannot be had.
fn add_pooler(runner: &mut Command, args: &[OsString]) -> Result<()> {
    let are_named = |arg: &OsString| arg.to_string_lossy().contains("pooler");
    let pgbouncer = if !args.is_empty() && !args.iter().any(are_named) {
        servers::find_pgbouncer()?
    } else if let Some((reason, _)) = servers::obstacle() {
        let found = servers::find_pgbouncer()?;
        if found.is_none() {
            eprintln!("test: without the tests of poolers: {reason}");
            runner.args(Runner::find().without("pooler::"));
        }
        found
    } else {
        Some(servers::pgbouncer()?)
    };
    if let Some(pgbouncer) = pgbouncer {
        name_pooler(runner, &pgbouncer);
    }
    Ok(())
}

/// Tells the tests of poolers where the program is.
pub(crate) fn name_pooler(runner: &mut Command, pgbouncer: &Path) {
    runner.env("CONVERGE_TEST_PGBOUNCER", pgbouncer);
}

/// What came of a run of tests.
#[derive(Debug)]
pub(crate) struct Tests {
    pub(crate) status: ExitStatus,
    /// Nothing where the runner's output went to a terminal.
    pub(crate) tally: Option<Tally>,
    /// Products and versions of MySQL and PostgreSQL.
    pub(crate) versions: [String; 2],
    /// The file that lists the snapshots that were compared with.
    references: PathBuf,
}

impl Tests {
    /// Runs a runner on servers of its own, which end with it.
    pub(crate) fn on_servers(wanted: &Wanted, mut runner: Command) -> Result<Tests> {
        // Questions come first, and no test waits for a compiler.
        let state = StateDir::own("db-test");
        db::prepare(&state, Provider::Native, wanted, false)?;
        programs::build()?;
        let (guard, set) = Guard::up(&state, wanted)?;
        let references = state.file("snapshots-referenced");
        fs::write(&references, "")
            .with_context(|| format!("cannot write {}", references.display()))?;
        runner
            .env("CONVERGE_DB_STATE", state.path())
            .env("CONVERGE_TEST_MYSQL_URL", set.record.mysql_url())
            .env("CONVERGE_TEST_POSTGRES_URL", set.record.postgres_url())
            .env("INSTA_WORKSPACE_ROOT", workspace::root())
            .env("INSTA_SNAPSHOT_REFERENCES_FILE", &references)
            .current_dir(workspace::root());
        // Tests that bring servers of their own take the same ones.
        for (name, server) in [
            ("CONVERGE_TEST_MYSQL", &wanted.mysql),
            ("CONVERGE_TEST_POSTGRES", &wanted.postgres),
        ] {
            if let Some(server) = server {
                runner.env(name, server);
            }
        }
        if std::env::var_os("INSTA_UPDATE").is_none() {
            // A test never writes what it is compared with, unless a person asks for it.
            runner.env("INSTA_UPDATE", "no");
        }
        let ran = watch(runner);
        guard.finish()?;
        let (status, tally) = ran?;
        if let Some(tally) = tally {
            eprintln!("{tally}");
        }
        Ok(Tests {
            status,
            tally,
            versions: [set.record.mysql_version, set.record.postgres_version],
            references,
        })
    }
}

/// What a runner said about its tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl Tally {
    /// Adds what a line of a runner's output says in sum.
    fn add(&mut self, line: &str) {
        // nextest: "     Summary [   1.2s] 3 tests run: 2 passed, 1 failed, 0 skipped"
        // cargo test, once a test program: "test result: ok. 2 passed; 0 failed; …"
        if !line.trim_start().starts_with("Summary [") && !line.starts_with("test result: ") {
            return;
        }
        let words: Vec<&str> = line.split([' ', ';', ',']).collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                _ => {}
            }
        }
    }
}

/// The runner of all tests, or of those of the packages that are named, with more arguments of
/// its own.
fn runner(args: &[OsString]) -> Command {
    let mut command = Runner::find().command();
    let names_a_package = |arg: &OsString| {
        let arg = arg.to_string_lossy();
        arg.starts_with("-p") || arg.starts_with("--package")
    };
    if !args.iter().any(names_a_package) {
        // What is not run is built all the same, which takes minutes.
        command.arg("--workspace");
    }
    command.args(args);
    command
}

/// A program that runs tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    Nextest,
    Cargo,
}

impl Runner {
    /// cargo-nextest where it is installed.
    pub(crate) fn find() -> Runner {
        let probe = workspace::cargo()
            .args(["nextest", "--version"])
            .current_dir(workspace::root())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match probe {
            Ok(status) if status.success() => Runner::Nextest,
            _ => Runner::Cargo,
        }
    }

    /// Runs tests in the profile that everything is built in.
    pub(crate) fn command(self) -> Command {
        let mut command = workspace::cargo();
        match self {
            Runner::Nextest => command.args(["nextest", "run", "--cargo-profile", "release"]),
            // Without the option, the first failing test program would be the last to run.
            Runner::Cargo => command.args(["test", "--release", "--no-fail-fast"]),
        };
        command
    }

    /// Words that let so many tests run at once; they end the command line.
    pub(crate) fn threads(self, count: u32) -> Vec<String> {
        match self {
            Runner::Nextest => vec![format!("--test-threads={count}")],
            Runner::Cargo => vec!["--".to_owned(), format!("--test-threads={count}")],
        }
    }

    /// Words that leave tests out whose path holds `part`; they end the command line.
    pub(crate) fn without(self, part: &str) -> Vec<String> {
        match self {
            Runner::Nextest => vec!["-E".to_owned(), format!("not test({part})")],
            Runner::Cargo => ["--", "--skip", part].map(str::to_owned).to_vec(),
        }
    }

    /// Words that run no tests but those whose path begins with `part`.
    pub(crate) fn only(self, part: &str) -> Vec<String> {
        match self {
            Runner::Nextest => vec!["-E".to_owned(), format!("test(/^{part}/)")],
            Runner::Cargo => vec!["--".to_owned(), part.to_owned()],
        }
    }
}

/// Runs the runner. On a terminal its output is its own; elsewhere it is copied and
/// its sums are added up.
fn watch(mut command: Command) -> Result<(ExitStatus, Option<Tally>)> {
    command.stdin(Stdio::null());
    if io::stderr().is_terminal() {
        return Ok((command.status().context("cannot start cargo")?, None));
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let (sender, receiver) = mpsc::channel();
    let ticker = Ticker::start("test: running");
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    copy(stdout, io::stdout(), sender.clone(), ticker.clone());
    copy(stderr, io::stderr(), sender, ticker);
    let status = child.wait().context("cannot wait for cargo")?;
    let mut sum = Tally::default();
    // Bounded, because a process that a test left behind may hold the pipe open.
    while let Ok(tally) = receiver.recv_timeout(Duration::from_secs(5)) {
        sum.passed += tally.passed;
        sum.failed += tally.failed;
    }
    // Where nothing was built, nothing was counted.
    Ok((status, Some(sum).filter(|sum| *sum != Tally::default())))
}

fn copy(
    from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    sender: mpsc::Sender<Tally>,
    ticker: Ticker,
) {
    thread::spawn(move || {
        let mut tally = Tally::default();
        for line in BufReader::new(from).split(b'\n').map_while(io::Result::ok) {
            tally.add(&String::from_utf8_lossy(&line));
            // Tests go on when nobody reads what they print.
            let _ = to.write_all(&[&line, &b"\n"[..]].concat());
            ticker.spoke();
        }
        // The receiver gave up waiting when this fails.
        let _ = sender.send(tally);
    });
}

/// After a full run: every committed snapshot was compared with by some test, apart from
/// those of a server that was not there.
fn check_references(tests: &Tests) -> Result<()> {
    let references = &tests.references;
    let text = fs::read_to_string(references)
        .with_context(|| format!("cannot read {}", references.display()))?;
    let used: Vec<PathBuf> = text.lines().map(PathBuf::from).collect();
    let mut unreferenced = snapshots::unreferenced(workspace::root(), &used)?;
    if !tests.versions[0].starts_with("MySQL") {
        unreferenced.retain(|snapshot| !is_for_mysql_alone(&workspace::root().join(snapshot)));
    }
    if unreferenced.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = unreferenced
        .iter()
        .map(|path| format!("  {}", path.display()))
        .collect();
    let message = format!(
        "no test compares with these snapshots:\n{}",
        list.join("\n")
    );
    Err(Failure::new(UNEXPECTED, message)
        .hint("remove them, or the test was lost")
        .into())
}

/// Whether a snapshot is of a case whose source only MySQL takes: its folder names that server
/// and no other.
fn is_for_mysql_alone(snapshot: &Path) -> bool {
    let case = snapshot.parent().and_then(Path::parent);
    case.is_some_and(|case| {
        case.join("source.mysql.sql").is_file()
            && !case.join("source.sql").exists()
            && !case.join("source.mariadb.sql").exists()
    })
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(UNEXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.add(line));
        tally
    }

    #[test]
    fn sums_of_both_runners_are_read() {
        let nextest = tally(&["     Summary [   1.2s] 3 tests run: 2 passed, 1 failed, 4 skipped"]);
        assert_eq!(
            nextest,
            Tally {
                passed: 2,
                failed: 1
            }
        );
        let slow = tally(&["     Summary [  61.0s] 9 tests run: 9 passed (2 slow), 0 skipped"]);
        assert_eq!(
            slow,
            Tally {
                passed: 9,
                failed: 0
            }
        );
        let cargo = tally(&[
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            "test result: FAILED. 5 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out",
        ]);
        assert_eq!(
            cargo,
            Tally {
                passed: 7,
                failed: 3
            }
        );
    }

    #[test]
    fn a_case_of_mysql_alone_is_known_by_its_folder() {
        let of = |name: &str| workspace::root().join("fixtures").join(name);
        let alone = of("baseline/an_invisible_index_is_made_and_said/expected/pre_data.snap");
        let both = of("baseline/a_generated_column_is_stored/expected/pre_data.snap");
        assert!(is_for_mysql_alone(&alone));
        assert!(!is_for_mysql_alone(&both) && both.exists());
        assert!(!is_for_mysql_alone(&of("alkemio/expected/pre_data.snap")));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(
            tally(&["test says 3 passed", "error: 2 failed"]),
            Tally::default()
        );
    }
}
