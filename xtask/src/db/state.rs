//! The state directory of a set of local servers: what was chosen for them, their token, and the URLs for others.
//!
//! It starts and stops nothing.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf, absolute},
};

use anyhow::{Context, Result};

use super::{docker, mysql, origin::INSTALLED, place, postgres, process};
use crate::{
    failure::{Failure, USAGE},
    flags::Provider,
    workspace,
};

/// The variables of `alkemio.yml` that name a database.
pub(crate) const URL_VARIABLES: [&str; 4] = [
    "ALKEMIO_MYSQL_URL",
    "ALKEMIO_POSTGRES_URL",
    "KRATOS_MYSQL_URL",
    "KRATOS_POSTGRES_URL",
];

/// The directory of one set of servers.
#[derive(Clone, Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
}

/// What was chosen for a set of servers when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Whether both servers were once up and set up; data directories of an
    /// incomplete record hold nothing worth keeping.
    pub(crate) complete: bool,
    /// What runs them; never `auto`.
    pub(crate) provider: Provider,
    /// Where the data directories lie: the state directory itself, or a place that
    /// the servers' user can reach. Nothing lies there where the servers are containers.
    pub(crate) home: PathBuf,
    /// The name of the containers' project; empty where the servers are processes.
    pub(crate) project: String,
    /// The word `installed`, the name of a release, or that of an image.
    pub(crate) mysql_from: String,
    pub(crate) postgres_from: String,
    pub(crate) mysql_version: String,
    pub(crate) mysql_port: u16,
    pub(crate) postgres_version: String,
    pub(crate) postgres_port: u16,
    /// Password of MySQL's root: hex digits, as all of them, so that they need no escapes in a
    /// URL, in SQL, or in an option file.
    pub(crate) mysql_password: String,
    /// Password of the superuser `postgres`.
    pub(crate) postgres_password: String,
    /// Password of the owners of PostgreSQL's databases; empty in a record of before they had
    /// one, whose owners have their names for it.
    pub(crate) owner_password: String,
    /// Proof that a server is one of ours.
    pub(crate) token: String,
}

impl StateDir {
    /// The directory named by the flag, else by `CONVERGE_DB_STATE`, else
    /// `target/db` of the workspace.
    pub(crate) fn locate(flag: Option<PathBuf>) -> Result<StateDir> {
        let named = flag.or_else(|| env::var_os("CONVERGE_DB_STATE").map(PathBuf::from));
        let path = named.unwrap_or_else(|| workspace::root().join("target/db"));
        let path =
            without_links(&path).with_context(|| format!("cannot use {}", path.display()))?;
        // The record has one setting a line, and a line is text.
        match path.to_str() {
            Some(text) if !text.contains('\n') => Ok(StateDir { path }),
            _ => {
                let message = format!(
                    "state directory {} has a name that is not a line of text",
                    path.display()
                );
                Err(Failure::new(USAGE, message).into())
            }
        }
    }

    /// The state directory `name` in the build output, for a command that wants
    /// servers of its own.
    pub(crate) fn own(name: &str) -> StateDir {
        StateDir {
            path: workspace::root().join("target").join(name),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A file of this directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Waits until no other command changes these servers; the lock ends with the
    /// returned file.
    pub(crate) fn lock(&self, name: &str) -> Result<File> {
        let path = self.file(name);
        fs::create_dir_all(&self.path)
            .with_context(|| format!("cannot make {}", self.path.display()))?;
        let file =
            File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
        if file.try_lock().is_err() {
            eprintln!(
                "db: waiting for another command that uses {}",
                self.path.display()
            );
            file.lock()
                .with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Ok(file)
    }

    /// The record of the servers made here, if any.
    ///
    /// A record that cannot be read (a disk that ran full) counts as incomplete
    /// state, which is made anew.
    pub(crate) fn record(&self) -> Result<Option<Record>> {
        let Some(text) = read_if_there(&self.file("state"))? else {
            return Ok(None);
        };
        let Some(token) = read_if_there(&self.file("token"))? else {
            return Ok(None);
        };
        let record = Record::parse(&text, token.trim());
        Ok(record.filter(|record| !self.is_copy(record)))
    }

    /// Whether the record came here with a copied directory, and its servers belong to the
    /// original, which is still there.
    fn is_copy(&self, record: &Record) -> bool {
        let original = place::state_of_home(&record.home);
        original.is_some_and(|original| {
            original.path != self.path
                && matches!(original.record(), Ok(Some(other)) if other.home == record.home)
        })
    }

    /// Writes the record, the token, and the option file of the MySQL client.
    pub(crate) fn save(&self, record: &Record) -> Result<()> {
        write_private(&self.file("token"), &format!("{}\n", record.token))?;
        write_private(&self.file("mysql.cnf"), &mysql::option_file(record))?;
        write_private(&self.file("state"), &record.to_string())
    }

    /// Tells other programs where the servers are; written last, when both answer.
    pub(crate) fn publish(&self, record: &Record) -> Result<()> {
        let lines: String = record
            .urls()
            .map(|(name, url)| format!("{name}={url}\n"))
            .concat();
        write_private(&self.file("env"), &lines)
    }

    /// The variables that [`publish`](Self::publish) wrote, while both servers run.
    ///
    /// Looks at processes or asks the engine, so that it costs little time before every command.
    pub(crate) fn env_of_running_servers(&self) -> Option<Vec<(String, String)>> {
        let record = self.record().ok()??;
        let up = match record.provider {
            Provider::Docker => docker::run_now(&record.project),
            _ => [mysql::NAME, postgres::NAME].iter().all(|name| {
                process::running(&self.pid_file(&record, name), &record.home.join(name)).is_some()
            }),
        };
        if !up {
            return None;
        }
        self.published().ok()
    }

    /// The variables in the file `env`.
    pub(crate) fn published(&self) -> Result<Vec<(String, String)>> {
        let path = self.file("env");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Ok(pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }

    /// Beside the data, so that both are lost together.
    pub(crate) fn pid_file(&self, record: &Record, server: &str) -> PathBuf {
        record.home.join(format!("{server}.pid"))
    }

    pub(crate) fn log(&self, server: &str) -> PathBuf {
        self.file(&format!("{server}.log"))
    }
}

impl Record {
    fn parse(text: &str, token: &str) -> Option<Record> {
        let settings: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .collect();
        let get = |name: &str| settings.get(name).map(|value| (*value).to_owned());
        Some(Record {
            complete: get("complete")? == "true",
            provider: Provider::named(get("provider")?.as_ref())?,
            home: get("home")?.into(),
            project: get("project").unwrap_or_default(),
            // A record of before there was a choice.
            mysql_from: get("mysql_from").unwrap_or_else(|| INSTALLED.to_owned()),
            postgres_from: get("postgres_from").unwrap_or_else(|| INSTALLED.to_owned()),
            mysql_version: get("mysql_version")?,
            mysql_port: get("mysql_port")?.parse().ok()?,
            postgres_version: get("postgres_version")?,
            postgres_port: get("postgres_port")?.parse().ok()?,
            mysql_password: get("mysql_password")
                .unwrap_or_else(|| mysql::FORMER_PASSWORD.to_owned()),
            postgres_password: get("postgres_password")?,
            owner_password: get("owner_password").unwrap_or_default(),
            token: token.to_owned(),
        })
    }

    /// The MySQL server, as root, without a database.
    pub(crate) fn mysql_url(&self) -> String {
        format!(
            "mysql://root:{}@127.0.0.1:{}/",
            self.mysql_password, self.mysql_port
        )
    }

    /// The PostgreSQL server, as superuser.
    pub(crate) fn postgres_url(&self) -> String {
        let password = &self.postgres_password;
        format!(
            "postgres://postgres:{password}@127.0.0.1:{}/postgres",
            self.postgres_port
        )
    }

    /// The password of a role of PostgreSQL: the superuser, or an owner of databases.
    pub(crate) fn password_of<'r>(&'r self, role: &'r str) -> &'r str {
        match role {
            "postgres" => &self.postgres_password,
            owner if self.owner_password.is_empty() => owner,
            _ => &self.owner_password,
        }
    }

    /// Whether every account of the servers has a random password.
    pub(crate) fn has_own_passwords(&self) -> bool {
        self.mysql_password != mysql::FORMER_PASSWORD && !self.owner_password.is_empty()
    }

    /// The databases of these servers, by the variable that names them.
    fn urls(&self) -> [(&'static str, String); 6] {
        let mysql = self.mysql_url();
        let postgres = |owner: &str| {
            let (password, port) = (self.password_of(owner), self.postgres_port);
            format!("postgres://{owner}:{password}@127.0.0.1:{port}/{owner}")
        };
        [
            ("ALKEMIO_MYSQL_URL", format!("{mysql}alkemio")),
            ("KRATOS_MYSQL_URL", format!("{mysql}kratos")),
            ("ALKEMIO_POSTGRES_URL", postgres("alkemio")),
            ("KRATOS_POSTGRES_URL", postgres("kratos")),
            ("CONVERGE_DB_MYSQL_URL", mysql),
            ("CONVERGE_DB_POSTGRES_URL", self.postgres_url()),
        ]
    }
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "provider={}", self.provider.name())?;
        writeln!(f, "complete={}", self.complete)?;
        writeln!(f, "home={}", self.home.display())?;
        writeln!(f, "project={}", self.project)?;
        writeln!(f, "mysql_from={}", self.mysql_from)?;
        writeln!(f, "postgres_from={}", self.postgres_from)?;
        writeln!(f, "mysql_version={}", self.mysql_version)?;
        writeln!(f, "mysql_port={}", self.mysql_port)?;
        writeln!(f, "postgres_version={}", self.postgres_version)?;
        writeln!(f, "postgres_port={}", self.postgres_port)?;
        writeln!(f, "mysql_password={}", self.mysql_password)?;
        writeln!(f, "postgres_password={}", self.postgres_password)?;
        writeln!(f, "owner_password={}", self.owner_password)
    }
}

/// The path by which a directory is known whichever way leads to it; it need not be there yet.
fn without_links(path: &Path) -> io::Result<PathBuf> {
    let path = absolute(path)?;
    let known = path.ancestors().find_map(|parent| {
        let rest = path.strip_prefix(parent).ok()?;
        // By its parts: nothing joined to a path that is there would add a slash to its end,
        // and names are made of its bytes.
        let parts = parent.canonicalize().ok()?;
        Some(parts.components().chain(rest.components()).collect())
    });
    Ok(known.unwrap_or(path))
}

/// `bytes` random bytes as hex digits.
pub(crate) fn random_hex(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut random))
        .context("cannot read /dev/urandom")?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Replaces a file by one that only this user can read, in one step.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let draft = path.with_extension("new");
    // A draft that a killed command left behind may have other rights.
    remove_if_there(&draft)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&draft, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Removes a file or a directory with all it holds.
pub(crate) fn remove_if_there(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn read_if_there(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
impl Record {
    /// A record of nothing that is there.
    pub(crate) fn of_test() -> Record {
        Record {
            provider: Provider::Docker,
            complete: true,
            home: "/srv/a b/it's=here".into(),
            project: "converge-main-0".into(),
            mysql_from: "installed".into(),
            postgres_from: "postgres-18".into(),
            mysql_version: "MariaDB 10.11.19".into(),
            mysql_port: 40001,
            postgres_version: "PostgreSQL 15".into(),
            postgres_port: 40002,
            mysql_password: "ff00".into(),
            postgres_password: "00ff".into(),
            owner_password: "0f0f".into(),
            token: "abc".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_as_written() {
        assert_eq!(
            Record::parse(&Record::of_test().to_string(), "abc"),
            Some(Record::of_test())
        );
    }

    #[test]
    fn a_record_of_before_the_passwords_has_the_known_ones() {
        let text = Record::of_test().to_string();
        let lines = text.lines().filter(|line| {
            !line.starts_with("mysql_password=") && !line.starts_with("owner_password=")
        });
        let former: String = lines.map(|line| format!("{line}\n")).collect();
        let former = Record::parse(&former, "abc").unwrap();
        assert_eq!(former.mysql_url(), "mysql://root:toor@127.0.0.1:40001/");
        assert_eq!(former.password_of("kratos"), "kratos");
        assert_eq!(former.password_of("postgres"), "00ff");
        assert!(!former.has_own_passwords());
        assert!(Record::of_test().has_own_passwords());
        assert_eq!(Record::of_test().password_of("kratos"), "0f0f");
    }

    #[test]
    fn a_cut_record_is_none() {
        let text = Record::of_test().to_string();
        assert_eq!(Record::parse(&text[..text.len() / 2], "abc"), None);
    }

    #[test]
    fn a_directory_has_one_path_before_and_after_it_is_made() {
        let sh = xshell::Shell::new().unwrap();
        let dir = sh.create_temp_dir().unwrap();
        let state = dir.path().join("state");
        let before = without_links(&state).unwrap();
        fs::create_dir(&state).unwrap();
        let after = without_links(&state).unwrap();
        assert_eq!(before.as_os_str(), after.as_os_str());
    }

    #[test]
    fn random_values_differ() {
        let (one, other) = (random_hex(32).unwrap(), random_hex(32).unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
