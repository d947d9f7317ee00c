//! PostgreSQL as a local server: which programs, which settings, how it is first set up.
//!
//! When it is started and stopped is decided in `native`.

use std::{
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::{
    account::{self, Account, run_as},
    native::{Server, Set},
    process::{self, forget_client_variables, run_logged},
    programs,
    state::{Record, remove_if_there, write_private},
};
use crate::servers::Tree;

/// Folder, log and pid file of this server.
pub(crate) const NAME: &str = "postgres";

/// The variable by which `sql/postgres_databases.sql` has a password for the databases' owners.
pub(crate) const OWNER_PASSWORD: &str = "CONVERGE_OWNER_PASSWORD";

/// Where Debian and Ubuntu put the programs, a folder for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The programs of a PostgreSQL found on this machine.
#[derive(Debug)]
pub(crate) struct Postgres {
    bin: PathBuf,
    version: String,
    account: Option<Account>,
}

impl Postgres {
    /// The version that `data` was made by, where it is still installed, else the
    /// newest of Debian's folders, else the one on the search path.
    pub(crate) fn find(data: Option<&Path>) -> Option<Postgres> {
        let made_by = data.and_then(|data| fs::read_to_string(data.join("PG_VERSION")).ok());
        let made_by = made_by.map(|major| Path::new(DEBIAN).join(major.trim()).join("bin"));
        let mut folders: Vec<PathBuf> = made_by.into_iter().collect();
        folders.extend(debian_folders());
        let found = folders
            .into_iter()
            .find(|bin| bin.join("postgres").is_file());
        let bin = found.or_else(|| Some(programs::search(&["initdb"])?.parent()?.to_path_buf()))?;
        Postgres::in_folder(bin)
    }

    /// The server of a release.
    pub(crate) fn in_tree(tree: &Tree) -> Option<Postgres> {
        Postgres::in_folder(tree.postgres_bin())
    }

    fn in_folder(bin: PathBuf) -> Option<Postgres> {
        let (sh, program) = (Shell::new().ok()?, bin.join("postgres"));
        let text = cmd!(sh, "{program} --version")
            .quiet()
            .ignore_stderr()
            .read()
            .ok()?;
        let number = text.split_whitespace().nth(2)?;
        Some(Postgres {
            version: format!("PostgreSQL {number}"),
            account: account::of_postgres(),
            bin,
        })
    }

    /// psql, logged in by variables, since arguments can be read by every user.
    pub(crate) fn client(&self, record: &Record, user: &str, database: &str) -> Command {
        let mut command = Command::new(self.bin.join("psql"));
        forget_client_variables(&mut command);
        command
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", record.postgres_port.to_string())
            .env("PGUSER", user)
            .env("PGDATABASE", database)
            .env("PGPASSWORD", record.password_of(user))
            .env(OWNER_PASSWORD, &record.owner_password);
        command
    }

    /// psql for our own statements: no settings of the user's, stops at an error.
    fn script(&self, set: &Set, database: &str) -> Command {
        let mut command = self.client(&set.record, "postgres", database);
        command
            .env("PGCONNECT_TIMEOUT", "5")
            .args([
                "-X",
                "--quiet",
                "--no-password",
                "--tuples-only",
                "--no-align",
            ])
            .args(["-v", "ON_ERROR_STOP=1"]);
        command
    }
}

impl Server for Postgres {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn program(&self) -> PathBuf {
        self.bin.join("postgres")
    }

    fn account(&self) -> Option<Account> {
        self.account
    }

    /// A data directory belongs to one major version.
    fn accepts(&self, recorded: &str) -> bool {
        recorded.split('.').next() == self.version.split('.').next()
    }

    fn initialise(&self, set: &Set) -> Result<()> {
        let password_file = set.record.home.join("postgres-password");
        write_private(&password_file, &set.record.postgres_password)?;
        if let Some(account) = self.account {
            account.own(&password_file)?;
        }
        let mut command = Command::new(self.bin.join("initdb"));
        command
            .args([
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
            ])
            // Sorts by bytes and knows the case of all letters, on every machine alike.
            .arg("--locale=C.UTF-8")
            // The servers run without fsync too.
            .arg("--no-sync")
            .arg("-D")
            .arg(set.data(NAME))
            .arg("--pwfile")
            .arg(&password_file)
            .current_dir(set.data(NAME));
        forget_client_variables(&mut command);
        run_as(&mut command, self.account);
        run_logged(command, &set.state.log(NAME))?;
        remove_if_there(&password_file)
    }

    fn arguments(&self, set: &Set) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["-D".into(), set.data(NAME).into()];
        let port = format!("port={}", set.record.postgres_port);
        for setting in SETTINGS.iter().copied().chain([port.as_str()]) {
            args.extend(["-c".into(), setting.into()]);
        }
        args
    }

    /// Its lock files count as long as the process exists, which is forever where the
    /// first process of a container looks after nobody.
    fn prepare(&self, set: &Set) -> Result<()> {
        let data = set.data(NAME);
        let locks = [
            data.join("postmaster.pid"),
            data.join(format!(".s.PGSQL.{}.lock", set.record.postgres_port)),
        ];
        for lock in locks {
            let text = fs::read_to_string(&lock).unwrap_or_default();
            let pid = text
                .lines()
                .next()
                .and_then(|line| line.trim().parse().ok());
            if pid.is_some_and(process::is_zombie) {
                remove_if_there(&lock)?;
            }
        }
        Ok(())
    }

    fn set_up(&self, set: &Set) -> Result<()> {
        let sql = [
            include_str!("sql/postgres_databases.sql"),
            include_str!("sql/postgres_token.sql"),
        ]
        .concat()
        .replace("TOKEN", &set.record.token);
        let mut child = self
            .script(set, "postgres")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start psql")?;
        let mut stdin = child.stdin.take().expect("stdin is piped");
        stdin
            .write_all(sql.as_bytes())
            .context("cannot write to psql")?;
        drop(stdin);
        let output = child.wait_with_output().context("cannot wait for psql")?;
        if !output.status.success() {
            bail!(
                "cannot set PostgreSQL up: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(())
    }

    fn answers(&self, set: &Set) -> Result<Command> {
        let mut command = self.script(set, "postgres");
        command.args(["-c", "select 1"]);
        Ok(command)
    }

    fn reads_token(&self, set: &Set) -> Result<Command> {
        let mut command = self.script(set, "converge_local");
        command.args(["-c", "select token from token"]);
        Ok(command)
    }
}

/// Signals that end it, each with the time it gets before the next: SIGINT ends sessions and
/// stops in order, SIGQUIT leaves the rest to recovery.
pub(crate) const STOP_SIGNALS: [(&str, Duration); 2] = [
    ("INT", Duration::from_secs(60)),
    ("QUIT", Duration::from_secs(10)),
];

const SETTINGS: [&str; 8] = [
    "listen_addresses=127.0.0.1",
    // The data directory: a path of more than 107 bytes cannot be a socket's.
    "unix_socket_directories=.",
    // A scratch server may lose its data in a power cut; commits need not wait.
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=256MB",
    // The default of 1 GB makes a load of scale 20 wait for checkpoints.
    "max_wal_size=4GB",
    // Tests run side by side, each with several connections.
    "max_connections=200",
    "log_line_prefix=%m [%p] %u@%d %a ",
];

/// The `bin` folders of Debian's packages, newest version first.
fn debian_folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions
        .iter()
        .map(|version| Path::new(DEBIAN).join(version.to_string()).join("bin"))
        .collect()
}
