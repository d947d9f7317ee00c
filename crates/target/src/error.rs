//! What can go wrong on the target's side.

mod lost;

use std::{error, fmt, io};

use catalog::NotYet;
use postgres::error::DbError;

use crate::error::lost::{is_broken, is_closed_port, is_from_a_proxy, is_goodbye};
use crate::error_text::{database_error_text, refused_definition, with_causes};
use crate::row_key::RowKey;
use crate::wire::Refused;

/// A failed exchange with the target.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    /// What was being done, such as "loading table `user`".
    doing: String,
    /// Whether what the server calls lines are records of a file.
    in_records: bool,
    /// The statement that changes a definition, and no row.
    definition: Option<Box<str>>,
    /// The key of the row that the server refused.
    row: Option<Box<str>>,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Server(postgres::Error),
    Io(io::Error),
    /// The server said nothing for so long that it was given up.
    NoAnswer {
        seconds: u64,
    },
    /// A file of ours that cannot be read.
    Local(io::Error),
    Tls(String),
    /// Rows that violate a key, found after the server had refused them.
    Violated(Violation),
    /// A file of ours that is not in its dialect, or has a field in no spelling of its type.
    File(String),
    /// A table that did not take all records of a file.
    Count(String),
    /// Another role made the ledger or can change it.
    Untrusted {
        reasons: String,
        is_other_version: bool,
    },
    /// A message of this crate's own.
    State(String),
    /// What another role has made would be run.
    OthersCode(String),
}

/// Rows that violate a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) constraint: String,
    pub(crate) rows: u64,
    /// The primary keys of the first ones.
    pub(crate) keys: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.rows == 1 {
            "row violates"
        } else {
            "rows violate"
        };
        write!(f, "{} {rows} it", self.rows)?;
        match self.keys.len() as u64 {
            // The table has no primary key.
            0 => Ok(()),
            named if named < self.rows => write!(f, ": {}; …", self.keys.join("; ")),
            _ => write!(f, ": {}", self.keys.join("; ")),
        }
    }
}

impl Error {
    pub(crate) fn new(kind: Kind, doing: impl Into<String>) -> Self {
        Self {
            kind,
            doing: doing.into(),
            in_records: false,
            definition: None,
            row: None,
        }
    }

    /// What the server calls lines of a COPY are records of the file that was sent.
    pub(crate) fn in_records(mut self) -> Self {
        self.in_records = true;
        self
    }

    /// Names the row that violates a check or is NULL where it must not be.
    pub(crate) fn of_row(mut self, key: &RowKey) -> Self {
        let detail = self.database_error().filter(|error| {
            let state = error.code().code();
            ["23514", "23502"].contains(&state)
        });
        let detail = detail.and_then(DbError::detail);
        self.row = detail.and_then(|detail| key.find(detail)).map(Into::into);
        self
    }

    /// The statement changes a definition: what a function says of it comes from an event trigger,
    /// and holds no cell.
    pub(crate) fn in_definition(mut self, sql: &str) -> Self {
        self.definition = Some(sql.into());
        self
    }

    /// Whether an event trigger, or whatever else stands behind a definition, refused it.
    pub fn is_about_a_definition(&self) -> bool {
        let is_refused = |state: &str| state.starts_with("P0");
        self.definition.is_some() && self.sqlstate().is_some_and(is_refused)
    }

    /// Whether the message names a record of a file.
    pub fn names_a_record(&self) -> bool {
        self.in_records
    }

    /// The server's SQLSTATE, where the server refused.
    pub fn sqlstate(&self) -> Option<&str> {
        self.database_error().map(|error| error.code().code())
    }

    /// Whether a row is at fault: a value that does not fit (class 22), a constraint (class 23), or a function of the
    /// target that refuses it (class P0), or rows that were dropped without a word.
    pub fn is_about_data(&self) -> bool {
        if matches!(self.kind, Kind::Violated(_) | Kind::Count(_)) {
            return true;
        }
        if self.is_about_a_definition() {
            return false;
        }
        self.sqlstate()
            .is_some_and(|state| ["22", "23", "P0"].contains(&&state[..2]))
    }

    /// The constraint that is violated.
    pub fn constraint(&self) -> Option<&str> {
        match &self.kind {
            Kind::Violated(violation) => Some(&violation.constraint),
            _ => self.database_error()?.constraint(),
        }
    }

    /// Whether a lock was waited for in vain.
    pub fn is_lock_timeout(&self) -> bool {
        self.sqlstate() == Some("55P03")
    }

    /// Names those who hold what was waited for.
    pub fn held_by(mut self, owners: &[String]) -> Self {
        if !owners.is_empty() {
            self.doing = format!("{} (locks are held by {})", self.doing, owners.join("; "));
        }
        self
    }

    /// Whether a connection was being made.
    pub fn is_connecting(&self) -> bool {
        self.doing.starts_with("connecting to ")
    }

    /// Whether TLS could not be agreed on, or a certificate was refused.
    pub fn is_about_tls(&self) -> bool {
        match &self.kind {
            Kind::Tls(_) => true,
            // The client has no other way to tell it.
            Kind::Server(error) => {
                error
                    .to_string()
                    .starts_with("error performing TLS handshake")
                    && !self.is_broken()
            }
            _ => false,
        }
    }

    /// Whether the connection was given up because of how the server asks for the password.
    pub fn is_about_the_login(&self) -> bool {
        matches!(self.refused(), Some(Refused::Login(_)))
    }

    /// Why the connection was given up, somewhere in the chain of causes.
    fn refused(&self) -> Option<&Refused> {
        let mut cause: Option<&(dyn error::Error + 'static)> = match &self.kind {
            Kind::Server(error) => Some(error),
            Kind::Io(error) => Some(error),
            _ => None,
        };
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>()
                && let Some(inner) = error.get_ref()
            {
                if let Some(refused) = inner.downcast_ref() {
                    return Some(refused);
                }
                cause = Some(inner);
                continue;
            }
            cause = error.source();
        }
        None
    }

    /// What was being done, such as "loading table `user`".
    pub fn doing(&self) -> &str {
        &self.doing
    }

    /// Why it did not work, without what was being done.
    pub fn cause(&self) -> String {
        if let Some(error) = self.database_error() {
            if let Some(sql) = self
                .definition
                .as_ref()
                .filter(|_| self.is_about_a_definition())
            {
                return refused_definition(error, sql);
            }
            let text = database_error_text(error);
            let text = match self.in_records {
                true => text.replacen(", line ", ", record ", 1),
                false => text,
            };
            return match &self.row {
                Some(key) => format!("{text}: row {key}"),
                None => text,
            };
        }
        if let Some(refused) = self.refused() {
            return refused.to_string();
        }
        match &self.kind {
            Kind::Server(error) => with_causes(error),
            Kind::Io(error) => with_causes(error),
            Kind::NoAnswer { seconds } => format!("no answer within {seconds} s"),
            Kind::Local(error) => error.to_string(),
            Kind::Violated(violation) => violation.to_string(),
            Kind::Untrusted {
                reasons,
                is_other_version: true,
            } => reasons.clone(),
            Kind::Untrusted { reasons, .. } => {
                format!("it cannot be trusted: {reasons}")
            }
            Kind::Tls(text)
            | Kind::File(text)
            | Kind::Count(text)
            | Kind::State(text)
            | Kind::OthersCode(text) => text.clone(),
        }
    }

    /// Whether no connection could be made or kept: refused, cut off, silent, or ended by the
    /// server.
    pub fn is_lost_connection(&self) -> bool {
        match self.database_error() {
            Some(error) => {
                let (state, message) = (error.code().code(), error.message());
                is_goodbye(state, message) || is_from_a_proxy(state, message)
            }
            None => self.is_broken(),
        }
    }

    /// Whether a connection that was not made may be made a little later.
    pub(crate) fn not_yet(&self) -> Option<NotYet> {
        match self.database_error() {
            Some(error) => {
                let (state, message) = (error.code().code(), error.message());
                is_goodbye(state, message).then_some(NotYet::Starting)
            }
            None => {
                let Kind::Server(error) = &self.kind else {
                    return None;
                };
                is_closed_port(error).then_some(NotYet::Unreachable)
            }
        }
    }

    /// Whether the server said this, and is there: any error message of its own, and whatever
    /// the driver did not like about an answer.
    pub fn is_answer(&self) -> bool {
        match self.database_error() {
            Some(error) => !is_from_a_proxy(error.code().code(), error.message()),
            None => !self.is_broken(),
        }
    }

    /// Whether the connection itself failed, and not what was said on it.
    fn is_broken(&self) -> bool {
        match &self.kind {
            Kind::NoAnswer { .. } => true,
            Kind::Server(error) => is_broken(error),
            Kind::Io(error) => is_broken(error),
            Kind::Tls(_)
            | Kind::Violated(_)
            | Kind::File(_)
            | Kind::Count(_)
            | Kind::State(_)
            | Kind::Untrusted { .. }
            | Kind::OthersCode(_)
            | Kind::Local(_) => false,
        }
    }

    /// Whether the statement was ended by [`crate::Cancel`].
    pub fn is_cancelled(&self) -> bool {
        self.sqlstate() == Some("57014")
    }

    /// Whether the server ended the statement or the session, whatever the statement was.
    pub fn is_about_the_session(&self) -> bool {
        // Connection exception, insufficient resources, operator intervention.
        self.sqlstate()
            .is_some_and(|state| ["08", "53", "57"].contains(&&state[..2]))
    }

    /// Whether rights, locks or the state of the target stand in the way, which others can mend.
    pub fn is_obstacle(&self) -> bool {
        // Lock not available, insufficient privilege, read-only transaction, object in use.
        const OBSTACLES: [&str; 4] = ["55P03", "42501", "25006", "55006"];
        self.is_about_a_definition()
            || self
                .sqlstate()
                .is_some_and(|state| OBSTACLES.contains(&state))
    }

    /// Whether an object of that name exists already: a relation, a constraint, a schema.
    pub fn is_about_a_taken_name(&self) -> bool {
        self.sqlstate()
            .is_some_and(|state| ["42P07", "42710", "42P06"].contains(&state))
    }

    /// Whether the server has no room: for connections, locks or memory.
    pub fn is_about_room(&self) -> bool {
        // Out of memory, which the table of locks is called too; too many connections.
        self.sqlstate()
            .is_some_and(|state| ["53200", "53300"].contains(&state))
    }

    /// Whether a file that was to be loaded is damaged.
    pub fn is_about_the_file(&self) -> bool {
        matches!(self.kind, Kind::File(_))
    }

    /// Whether this crate itself refused to go on, before anything was changed.
    pub fn is_precondition(&self) -> bool {
        matches!(
            self.kind,
            Kind::State(_) | Kind::Untrusted { .. } | Kind::OthersCode(_)
        )
    }

    /// Whether the ledger cannot be trusted; `Some(true)` if it only looks like that of another
    /// version.
    pub fn is_about_trust(&self) -> Option<bool> {
        match self.kind {
            Kind::Untrusted {
                is_other_version, ..
            } => Some(is_other_version),
            _ => None,
        }
    }

    /// Whether a function, an operator or a type of another role is in the way.
    pub fn is_about_others_code(&self) -> bool {
        matches!(self.kind, Kind::OthersCode(_))
    }

    fn database_error(&self) -> Option<&DbError> {
        match &self.kind {
            Kind::Server(error) => error.as_db_error(),
            // The client hands errors of a COPY stream on inside an I/O error.
            Kind::Io(error) => error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<postgres::Error>())
                .and_then(postgres::Error::as_db_error),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "target: {}: {}", self.doing, self.cause())
    }
}

impl std::error::Error for Error {}

/// Says what was being done when the server refused.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Doing<T> for Result<T, postgres::Error> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|error| Error::new(Kind::Server(error), what()))
    }
}

impl<T> Doing<T> for Result<T, io::Error> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|error| Error::new(Kind::Io(error), what()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_a_connection_is_told_from_what_is_said_on_it() {
        let io = |kind: io::ErrorKind| Kind::Io(kind.into());
        let wrapped = |kind: io::ErrorKind| Kind::Io(io::Error::other(io::Error::from(kind)));
        for (kind, broken) in [
            (io(io::ErrorKind::UnexpectedEof), true),
            (io(io::ErrorKind::ConnectionReset), true),
            (wrapped(io::ErrorKind::BrokenPipe), true),
            (wrapped(io::ErrorKind::InvalidData), false),
            (io(io::ErrorKind::InvalidData), false),
            (Kind::NoAnswer { seconds: 30 }, true),
            (Kind::Local(io::ErrorKind::UnexpectedEof.into()), false),
            (Kind::Tls("no certificate".to_owned()), false),
            (Kind::State("another run".to_owned()), false),
        ] {
            let error = Error::new(kind, "asking");
            assert_eq!(error.is_lost_connection(), broken, "{error}");
            assert_eq!(error.is_answer(), !broken, "{error}");
        }
    }
}
