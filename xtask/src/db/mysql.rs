//! MySQL or MariaDB as a local server: which programs, which settings, how it is first set up.
//!
//! When it is started and stopped is decided in `native`.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::{
    account::{self, Account, run_as},
    native::{Server, Set},
    place,
    process::{forget_client_variables, run_logged},
    programs,
    state::{Record, StateDir, remove_if_there, write_private},
};
use crate::servers::{Family, Tree};

/// Folder, log and pid file of this server.
pub(crate) const NAME: &str = "mysql";

/// Password of root in servers that were made before each had one of its own.
pub(super) const FORMER_PASSWORD: &str = "toor";

/// The programs of a MySQL or MariaDB found on this machine.
#[derive(Debug)]
pub(crate) struct Mysql {
    server: PathBuf,
    client: PathBuf,
    /// MariaDB's program that fills a data directory.
    installer: Option<PathBuf>,
    /// Where its files lie, if not in the system's folders.
    base: Option<PathBuf>,
    flavour: Flavour,
    version: String,
    account: Option<Account>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavour {
    MariaDb,
    MySql,
}

impl Mysql {
    /// The first server on the search path, with a client.
    pub(crate) fn find() -> Option<Mysql> {
        let server = programs::search(&["mariadbd", "mysqld"])?;
        let (flavour, version) = identify(&server)?;
        let clients = match flavour {
            Flavour::MariaDb => ["mariadb", "mysql"],
            // The other one's client may lack MySQL's way to log in.
            Flavour::MySql => ["mysql", "mariadb"],
        };
        let beside = clients
            .iter()
            .map(|name| server.with_file_name(name))
            .find(|path| path.is_file());
        Some(Mysql {
            client: beside.or_else(|| programs::search(&clients))?,
            installer: programs::search(&["mariadb-install-db", "mysql_install_db"]),
            base: None,
            flavour,
            version,
            account: account::of_mysql(),
            server,
        })
    }

    /// The server of a release.
    pub(crate) fn in_tree(tree: &Tree) -> Option<Mysql> {
        let (server, client) = match tree.family() {
            Family::Mariadb => ("usr/sbin/mariadbd", "usr/bin/mariadb"),
            _ => ("usr/sbin/mysqld", "usr/bin/mysql"),
        };
        let server = tree.join(server);
        let (flavour, version) = identify(&server)?;
        Some(Mysql {
            client: tree.join(client),
            installer: Some(tree.join("usr/bin/mariadb-install-db")),
            base: Some(tree.join("usr")),
            flavour,
            version,
            account: account::of_mysql(),
            server,
        })
    }

    /// The client, logged in as root, with the password in a file that only we read.
    pub(crate) fn client(&self, state: &StateDir) -> Command {
        let mut command = Command::new(&self.client);
        forget_client_variables(&mut command);
        let mut option_file = OsString::from("--defaults-file=");
        option_file.push(state.file("mysql.cnf"));
        command.arg(option_file);
        command
    }

    fn base_option(&self) -> Option<OsString> {
        self.base.as_ref().map(|base| option("--basedir=", base))
    }

    /// Both servers refuse to run as root unless they are told to.
    fn user_option(&self) -> Option<&'static str> {
        (account::is_root() && self.account.is_none()).then_some("--user=root")
    }
}

/// Product and version of a server's program.
fn identify(server: &Path) -> Option<(Flavour, String)> {
    let sh = Shell::new().ok()?;
    // The first option, or the machine's option files could change the answer.
    let text = cmd!(sh, "{server} --no-defaults --version")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()?;
    let (flavour, product) = if text.contains("MariaDB") {
        (Flavour::MariaDb, "MariaDB")
    } else {
        (Flavour::MySql, "MySQL")
    };
    let mut words = text.split_whitespace().skip_while(|word| *word != "Ver");
    let number = words.nth(1)?;
    let number = number.split('-').next().unwrap_or(number);
    Some((flavour, format!("{product} {number}")))
}

impl Server for Mysql {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn program(&self) -> PathBuf {
        self.server.clone()
    }

    fn account(&self) -> Option<Account> {
        self.account
    }

    /// Each product upgrades its own data, but not the other's.
    fn accepts(&self, recorded: &str) -> bool {
        recorded.split(' ').next() == self.version.split(' ').next()
    }

    fn initialise(&self, set: &Set) -> Result<()> {
        let file = setup_file(set);
        let of_flavour = match self.flavour {
            Flavour::MariaDb => MARIADB_SETUP,
            Flavour::MySql => "",
        };
        let sql = SETUP.concat() + of_flavour;
        let sql = sql.replace("TOKEN", &set.record.token);
        let sql = sql.replace("ROOT_PASSWORD", &set.record.mysql_password);
        write_private(&file, &sql)?;
        if let Some(account) = self.account {
            account.own(&file)?;
        }
        self.prepare(set)?;
        let mut command = match self.flavour {
            Flavour::MariaDb => {
                let program = self.installer.as_ref();
                let mut command = Command::new(
                    program
                        .context("cannot find mariadb-install-db, which belongs to the server")?,
                );
                command.arg("--no-defaults").args(self.base_option());
                command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
                command
            }
            Flavour::MySql => {
                let mut command = Command::new(&self.server);
                command.arg("--no-defaults").args(self.base_option());
                command.arg("--initialize-insecure");
                command
            }
        };
        // Relative, because MariaDB's program is a shell script that stumbles over
        // quotes in a path.
        command
            .args(["--datadir=.", TEMPORARY_SETTING])
            .args(self.user_option())
            .current_dir(set.data(NAME));
        run_as(&mut command, self.account);
        run_logged(command, &set.state.log(NAME))
    }

    fn arguments(&self, set: &Set) -> Vec<OsString> {
        let port = format!("--port={}", set.record.mysql_port);
        let mut args = vec![
            "--no-defaults".into(),
            option("--datadir=", &set.data(NAME)),
            port.into(),
        ];
        args.extend(self.base_option());
        args.extend(SETTINGS.iter().map(Into::into));
        match self.flavour {
            Flavour::MariaDb => {
                args.extend(MARIADB_SETTINGS.iter().map(Into::into));
                args.push(option("--secure-file-priv=", &set.record.home.join(FILES)));
            }
            Flavour::MySql => args.extend(MYSQL_SETTINGS.iter().map(Into::into)),
        }
        args.extend(self.user_option().map(Into::into));
        if !set.record.complete {
            args.push(option("--init-file=", &setup_file(set)));
        }
        args
    }

    /// Its locks end with its process; its folders beside the data must be there.
    fn prepare(&self, set: &Set) -> Result<()> {
        let temporary = set.record.home.join(TEMPORARY);
        if !temporary.exists() {
            place::make_dir(&temporary, 0o700)?;
        }
        let files = set.record.home.join(FILES);
        if self.flavour == Flavour::MariaDb && !files.exists() {
            place::make_dir(&files, 0o500)?;
        }
        self.account
            .map_or(Ok(()), |account| account.own(&temporary))
    }

    /// The statements were run by the server itself, from its option `--init-file`.
    fn set_up(&self, set: &Set) -> Result<()> {
        remove_if_there(&setup_file(set))
    }

    fn answers(&self, set: &Set) -> Result<Command> {
        let mut command = self.client(&set.state);
        command.args(["--connect-timeout=5", "--batch", "--execute=select 1"]);
        Ok(command)
    }

    fn reads_token(&self, set: &Set) -> Result<Command> {
        let mut command = self.client(&set.state);
        command
            .args(["--connect-timeout=5", "--batch", "--skip-column-names"])
            .arg("--execute=select token from converge_local.token");
        Ok(command)
    }
}

/// Signals that end it, each with the time it gets before the next: SIGTERM is its orderly
/// end, and a buffer pool of half a gigabyte is written in seconds.
pub(crate) const STOP_SIGNALS: [(&str, Duration); 2] = [
    ("TERM", Duration::from_secs(60)),
    ("KILL", Duration::from_secs(10)),
];

/// What is run before a new server takes its first connection.
const SETUP: [&str; 3] = [
    include_str!("sql/mysql_root.sql"),
    include_str!("sql/mysql_databases.sql"),
    include_str!("sql/mysql_token.sql"),
];

const MARIADB_SETUP: &str = include_str!("sql/mariadb_accounts.sql");

/// Folder for temporary tables, beside the data. With the default, /tmp, a server that
/// starts removes those of another one that is at work.
pub(crate) const TEMPORARY: &str = "mysql-tmp";

/// The only folder in which MariaDB reads and writes files for its clients: ours, empty,
/// and read-only to all accounts but the system's root. Without the folder, whoever has the
/// password of MariaDB's root would reach every file of the server's account.
/// MySQL's `NULL`, which allows no folder, is no setting that MariaDB knows.
pub(crate) const FILES: &str = "mysql-files";

/// Relative to the data directory, because a colon would separate two folders.
const TEMPORARY_SETTING: &str = "--tmpdir=../mysql-tmp";

/// Settings that both products understand.
const SETTINGS: [&str; 13] = [
    "--bind-address=127.0.0.1",
    // Relative to the data directory: a path of more than 107 bytes cannot be a socket's.
    "--socket=mysql.sock",
    TEMPORARY_SETTING,
    // No name server is asked, and root@127.0.0.1 is the account that is used.
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    // The largest that there is: fixtures have rows of 64 MB.
    "--max-allowed-packet=1G",
    // Holds a fixture of scale 20 in memory and leaves the rest of a small machine alone.
    "--innodb-buffer-pool-size=512M",
    // A scratch server may lose its last second in a power cut; commits need not wait.
    "--innodb-flush-log-at-trx-commit=0",
    "--sync-binlog=0",
    // A binlog, so that a snapshot has coordinates; it need not outlast a day.
    "--log-bin=binlog",
    "--server-id=1",
    "--binlog-expire-logs-seconds=86400",
    // Tests run side by side, each with several connections.
    "--max-connections=500",
];

const MARIADB_SETTINGS: [&str; 2] = [
    // MySQL's default; MariaDB's is "mixed".
    "--binlog-format=ROW",
    // The default of 96 MB makes a fixture load wait for checkpoints.
    "--innodb-log-file-size=256M",
];

const MYSQL_SETTINGS: [&str; 3] = [
    // Its packages' default directory does not exist for a private server.
    "--secure-file-priv=NULL",
    // The X protocol would listen on a port of its own.
    "--mysqlx=OFF",
    // As for MariaDB's log file; older versions than 8.0.30 do not know it.
    "--loose-innodb-redo-log-capacity=512M",
];

/// The option file that logs the client in.
pub(crate) fn option_file(record: &Record) -> String {
    format!(
        "[client]\nhost=127.0.0.1\nprotocol=tcp\nport={}\nuser=root\npassword={}\n",
        record.mysql_port, record.mysql_password
    )
}

fn setup_file(set: &Set) -> PathBuf {
    set.record.home.join("mysql-setup.sql")
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}
