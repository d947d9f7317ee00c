//! Runs the built binary as an operator would and makes what it prints comparable.

use std::env;
use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testing::Databases;

/// The program as the tests call it, by its path, which its hints repeat.
const PROGRAM: &str = env!("CARGO_BIN_EXE_converge");
/// What stands for the path in what the tests compare.
const NAME: &str = "converge ";

/// A working directory with a configuration.
pub(crate) struct Workplace {
    directory: tempfile::TempDir,
}

/// What a command printed and returned.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workplace {
    /// A directory with `config.yml` for the databases, each with lines of its own.
    pub(crate) fn new(databases: &[(&str, &Databases, &str)]) -> Self {
        let places: Vec<_> = databases
            .iter()
            .map(|(name, of, lines)| (*name, of.mysql_url(), of.postgres_url(), *lines))
            .collect();
        Self::at(&places)
    }

    /// The same for databases that are named by the addresses of source and target.
    pub(crate) fn at(databases: &[(&str, String, String, &str)]) -> Self {
        let workplace = Self {
            directory: tempfile::tempdir().expect("a temporary directory can be made"),
        };
        let mut config = String::from("version: 1\nenvironment: scratch\ndatabases:\n");
        for (name, source, target, lines) in databases {
            write!(
                config,
                "  {name}:\n    source: {source}\n    target: {target}\n"
            )
            .expect("text takes text");
            for line in lines.lines() {
                writeln!(config, "    {line}").expect("text takes text");
            }
        }
        workplace.write("config.yml", &config);
        workplace
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path().join(name);
        fs::write(&path, content).expect("the directory is ours");
        // Passwords are the owner's alone.
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the file is ours");
    }

    /// The built binary with a command line, in this directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .current_dir(self.path())
            .args(arguments)
            .args(["--config", "config.yml"]);
        command
    }

    /// Runs a command line to its end; whatever commands it proposes must work when they are
    /// pasted.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        let outcome = Outcome::of(&self.command(arguments).output().expect("the binary runs"));
        outcome.commands().for_each(|command| self.paste(command));
        outcome
    }

    /// Gives a proposed command to a shell: all of them must be understood, and those that only
    /// look must not fail for how they are written.
    fn paste(&self, command: &str) {
        assert!(command.contains("--config config.yml"), "{command}");
        let is_look = command.contains(" status ");
        let command = command.replacen(NAME.trim_end(), PROGRAM, 1);
        let asked = match is_look {
            true => command.clone(),
            false => format!("{command} --help"),
        };
        let mut shell = Command::new("sh");
        let shell = shell.current_dir(self.path()).args(["-c", &asked]);
        let outcome = Outcome::of(&shell.output().expect("the shell runs"));
        assert_eq!(outcome.code, 0, "{command}: {}", outcome.text());
    }

    /// The only run directory.
    pub(crate) fn run_directory(&self) -> PathBuf {
        let entries = fs::read_dir(self.path().join("runs")).expect("there is a run");
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("it can be listed").path())
            .collect();
        paths.sort();
        paths.pop().expect("there is a run")
    }
}

/// What a command printed, with its name in the place of its path.
fn by_name(printed: &[u8]) -> String {
    String::from_utf8_lossy(printed).replace(&format!("{PROGRAM} "), NAME)
}

/// A role of the target's server with the password `p`; to be declared behind the databases in which
/// it has privileges, since it is dropped behind them.
pub(crate) struct Role(String);

impl Role {
    /// Makes a role that has nothing yet; a test tells its roles apart by `suffix`.
    pub(crate) fn new(databases: &Databases, suffix: &str, options: &str) -> Self {
        let role = Self::unmade(databases, suffix);
        let sql = format!("create role {} {options}", role.0);
        databases.postgres().batch_execute(&sql).unwrap();
        role
    }

    /// A role that somebody else makes.
    pub(crate) fn unmade(databases: &Databases, suffix: &str) -> Self {
        Self(format!("{}_{suffix}", databases.name()))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// The databases' target as this role.
    pub(crate) fn url(&self, databases: &Databases) -> String {
        let url = databases.postgres_url();
        let (_, server) = url.split_once('@').unwrap();
        format!("postgres://{}:p@{server}", self.0)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let url = env::var("CONVERGE_TEST_POSTGRES_URL").unwrap();
        let endpoint = target::Endpoint::parse(&url).unwrap();
        let mut connection = target::Connection::open(&endpoint).unwrap();
        let sql = format!("drop role if exists {}", self.0);
        // Where a test has failed, its own message matters more.
        let _ = connection.batch_execute(&sql);
    }
}

impl Outcome {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: by_name(&output.stdout),
            stderr: by_name(&output.stderr),
        }
    }

    /// Commands of ours that both streams propose: in backquotes, or behind `next: `.
    fn commands(&self) -> impl Iterator<Item = &str> {
        let streams = [&self.stdout, &self.stderr];
        let quoted = streams.into_iter().flat_map(|text| text.split('`'));
        let next = self.stdout.lines().filter_map(|line| {
            let next = line.strip_prefix("next: ")?;
            Some(next.split([',', ':']).next().unwrap_or(next))
        });
        quoted.chain(next).filter(|part| part.starts_with(NAME))
    }

    /// Code and both streams together, for snapshots.
    pub(crate) fn text(&self) -> String {
        format!(
            "exit code: {}\n----- stdout -----\n{}----- stderr -----\n{}",
            self.code, self.stdout, self.stderr
        )
    }

    /// Fails the test where the command did not end with that code.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.text());
        self
    }
}

/// Settings that put snapshots below `directory` and hide what changes from run to run.
pub(crate) fn settings(directory: &Path) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(directory);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, replacement) in [
        (r"\d{8}-\d{6}-[0-9a-f]{4}", "[run]"),
        (r"test_\d+_\d+", "[database]"),
        (r"(127\.0\.0\.1|localhost):\d+", "[server]"),
        (r" +\d+\.\d s", "  [seconds]"),
        (
            r"(?m)(?P<before>(done|failed|interrupted) .*) +\d+\.\d$",
            "$before [seconds]",
        ),
        // Where lines break depends on the versions.
        (
            r"(?m)^(?P<check>\w+ +versions +ok +).*(\n {20,}.*)*$",
            "$check[support]",
        ),
        (r"(MariaDB|MySQL) \d+[.\d]*", "[source server]"),
        (r"PostgreSQL \d+[.\d]*", "[target server]"),
        (
            r"(?P<server>\[(source|target) server\]): (proven|expected to work, [^;\n]*|unproven: [^;\n]*;[^;\n]*)",
            "$server: [support]",
        ),
        // The tests share a server, and a lock waits for what another of them reads.
        (r"(?m)^snapshot +waiting for process .*\n", ""),
        (
            r"\d+\s+needed\s+on\s+the\s+(?P<side>source|target),\s+\d+\s+free\s+\([a-z_ ]+\)",
            "[connections] of the $side",
        ),
        (r"[\d,]+ of [\d,]+ in one transaction", "[locks]"),
        // Where lines break depends on the numbers, and on the versions.
        (
            r"(?m)^(?P<check>\w+ +limits +ok +).*(\n {20,}.*)*$",
            "$check[limits]",
        ),
        (
            r"(?m)^(?P<check>\w+ +security: network +ok +(source|target)): .*(\n {20,}.*)*$",
            "$check: [encryption]",
        ),
        (r"process \d+", "process [pid]"),
        (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC", "[time]"),
        // Servers in containers see their network's gateway.
        (r"from \d+\.\d+\.\d+\.\d+/32", "from [address]"),
    ] {
        settings.add_filter(pattern, replacement);
    }
    settings
}

/// Sends SIGINT.
pub(crate) fn interrupt(process: u32) {
    assert!(signal("INT", process));
}

/// Sends a signal; false where there is no such process. The shell's own `kill`: a bare machine
/// has no program of that name.
pub(crate) fn signal(name: &str, process: u32) -> bool {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", name, &process.to_string()])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    status.success()
}

/// Looks again and again until there is something to see.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
