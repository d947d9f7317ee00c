//! The servers that `cargo xtask db up` started, and the proof that they are those.
//!
//! It never starts a server and takes no address from anywhere but the state
//! directory: what it connects to may be emptied.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::system::{System, workspace_root};

/// Names the state directory where it is not the default.
const STATE_VARIABLE: &str = "CONVERGE_DB_STATE";

/// A database on both servers that belongs to this workspace; it holds the token.
pub(crate) const OWN_DATABASE: &str = "converge_local";

/// The local servers, as their state directory describes them.
#[derive(Debug)]
pub(crate) struct LocalServers {
    token: String,
    urls: HashMap<String, String>,
    prefix: Prefix,
}

/// What the names of the databases begin with: nothing, or what sets the databases
/// of one test apart from those of another on the same servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prefix(String);

impl Prefix {
    /// Parses a prefix.
    ///
    /// # Errors
    /// Where it is not made of `a-z 0-9 _`, 30 at most, so that every name stays short
    /// enough for both servers and means the same quoted and unquoted.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if text.len() <= 30 && text.chars().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a prefix has at most 30 of the characters a-z 0-9 _".to_owned())
        }
    }

    /// As it was typed.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// Why nothing was done: the servers are not there or not ours. Exit code 3.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl LocalServers {
    /// Reads the state directory.
    ///
    /// # Errors
    /// [`Refused`] where there is none or it is incomplete.
    pub(crate) fn find(prefix: Prefix) -> Result<Self> {
        let folder = std::env::var_os(STATE_VARIABLE)
            .map_or_else(|| workspace_root().join("target/db"), PathBuf::from);
        Self::read(&folder, prefix)
    }

    fn read(folder: &Path, prefix: Prefix) -> Result<Self> {
        let read = |name: &str| {
            std::fs::read_to_string(folder.join(name)).map_err(|error| {
                let path = folder.join(name);
                refused(&format!(
                    "no local servers: cannot read {}: {error}",
                    path.display()
                ))
            })
        };
        let token = read("token")?.trim().to_owned();
        let text = read("env")?;
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let urls = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if token.is_empty() {
            return Err(refused(&format!("{} holds an empty token", folder.display())).into());
        }
        Ok(Self {
            token,
            urls,
            prefix,
        })
    }

    /// The name of the database of `system`, on both sides.
    pub(crate) fn database(&self, system: System) -> String {
        format!("{}{}", self.prefix.text(), system.name())
    }

    /// The name of the database of what neither system has a place for, on both sides.
    pub(crate) fn dirt_database(&self) -> String {
        format!("{}dirt", self.prefix.text())
    }

    /// The prefix of all databases.
    pub(crate) fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// A session on the source server, which has proven to be ours.
    pub(crate) fn open_source(&self) -> Result<source::Connection> {
        let endpoint = source::Endpoint::parse(self.url("CONVERGE_DB_MYSQL_URL")?)
            .context("cannot use the local source")?;
        let mut connection = source::Connection::open(&endpoint)
            .map_err(|error| refused(&format!("the local source does not answer: {error}")))?;
        // A server without the table refuses: it is not ours, for whatever reason.
        let rows = connection.query_text(&format!("select token from {OWN_DATABASE}.token"));
        self.prove("source", rows.ok())?;
        Ok(connection)
    }

    /// A session of the superuser on the target server, which has proven to be ours.
    pub(crate) fn open_target(&self) -> Result<target::Connection> {
        let url = self.url("CONVERGE_DB_POSTGRES_URL")?;
        let mut own = open_target_at(&with_database(url, OWN_DATABASE))?;
        self.prove(
            "target",
            own.query_text("select token from public.token").ok(),
        )?;
        open_target_at(url)
    }

    /// A session of the superuser in the target database of `system`, on the server
    /// that [`open_target`](Self::open_target) proved to be ours.
    pub(crate) fn open_target_database(&self, system: System) -> Result<target::Connection> {
        open_target_at(&with_database(
            self.url("CONVERGE_DB_POSTGRES_URL")?,
            &self.database(system),
        ))
    }

    /// The same in [`dirt_database`](Self::dirt_database).
    pub(crate) fn open_target_dirt(&self) -> Result<target::Connection> {
        let url = self.url("CONVERGE_DB_POSTGRES_URL")?;
        open_target_at(&with_database(url, &self.dirt_database()))
    }

    /// The same for the owner of the database of `system`.
    pub(crate) fn open_target_owner(&self, system: System) -> Result<target::Connection> {
        let variable = format!("{}_POSTGRES_URL", system.name().to_uppercase());
        open_target_at(&with_database(self.url(&variable)?, &self.database(system)))
    }

    fn url(&self, name: &str) -> Result<&str> {
        let url = self.urls.get(name).map(String::as_str);
        Ok(url.ok_or_else(|| refused(&format!("no local servers: the state names no {name}")))?)
    }

    fn prove(&self, side: &str, rows: Option<Vec<Vec<Option<String>>>>) -> Result<()> {
        match rows.as_deref() {
            Some([row]) if *row == [Some(self.token.clone())] => Ok(()),
            _ => Err(refused(&format!(
                "the {side} server does not hold the token of the state directory, so it is not one that `db up` started: nothing was touched"
            ))
            .into()),
        }
    }
}

fn open_target_at(url: &str) -> Result<target::Connection> {
    let endpoint = target::Endpoint::parse(url).context("cannot use the local target")?;
    let connection = target::Connection::open(&endpoint)
        .map_err(|error| refused(&format!("the local target does not answer: {error}")))?;
    Ok(connection)
}

/// The URL with another database; those of the state directory have no options.
fn with_database(url: &str, database: &str) -> String {
    let server = url.rsplit_once('/').map_or(url, |(server, _)| server);
    format!("{server}/{database}")
}

fn refused(reason: &str) -> Refused {
    Refused(format!("{reason}\nhint: run `cargo xtask db up`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers() -> LocalServers {
        LocalServers {
            token: "abc".to_owned(),
            urls: HashMap::new(),
            prefix: Prefix::default(),
        }
    }

    #[test]
    fn only_the_one_row_with_the_token_is_proof() {
        let row = |text: &str| vec![Some(text.to_owned())];
        assert!(servers().prove("source", Some(vec![row("abc")])).is_ok());
        for rows in [
            None,
            Some(vec![]),
            Some(vec![vec![None]]),
            Some(vec![row("abd")]),
            Some(vec![row("abc"), row("abc")]),
        ] {
            let error = servers().prove("source", rows).unwrap_err();
            assert!(error.downcast_ref::<Refused>().is_some());
        }
    }

    #[test]
    fn a_missing_state_directory_is_a_refusal() {
        let error = LocalServers::read(Path::new("/nonexistent"), Prefix::default()).unwrap_err();
        let refused = error.downcast_ref::<Refused>().expect("a refusal");
        assert!(
            refused
                .to_string()
                .contains("hint: run `cargo xtask db up`")
        );
    }

    #[test]
    fn a_prefix_is_plain() {
        assert_eq!(Prefix::parse("test_1_").unwrap().text(), "test_1_");
        for text in ["A", "a-b", "`", "a b", &"x".repeat(31)] {
            assert!(Prefix::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_database_of_a_url_is_replaced() {
        let url = with_database("postgres://postgres:p@127.0.0.1:1/postgres", "x");
        assert_eq!(url, "postgres://postgres:p@127.0.0.1:1/x");
    }
}
