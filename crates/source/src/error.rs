//! What can go wrong on the source's side.

use std::path::PathBuf;
use std::{fmt, io};

use catalog::NotYet;
use mysql::DriverError;

/// A failed exchange with the source.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    /// What was being done, such as "reading table `alkemio`.`user`".
    doing: String,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Server(mysql::Error),
    /// A file of ours that cannot be read.
    Local {
        path: PathBuf,
        error: io::Error,
    },
    /// The server said nothing for so long that it was given up.
    NoAnswer {
        seconds: u64,
    },
    /// The server's bytes are not those of a server.
    Protocol(&'static str),
    /// A session setting that did not become what was asked for.
    Setting {
        name: &'static str,
    },
    /// The server warned while rows were read: codes only, since texts may show values.
    Warnings(Vec<String>),
    /// A value that is not of the kind that its type promises.
    Unexpected {
        column: String,
    },
    /// A foreign key whose actions the server does not show in a known form.
    UnknownActions {
        name: String,
    },
    /// Bytes that are no text of the character set of their column.
    NoText {
        column: String,
        /// The row's key, column and value.
        key: Vec<(String, String)>,
    },
}

impl Error {
    pub(crate) fn new(kind: Kind, doing: impl Into<String>) -> Self {
        Self {
            kind,
            doing: doing.into(),
        }
    }

    /// The server's error number, where the server refused.
    pub fn code(&self) -> Option<u16> {
        match &self.kind {
            Kind::Server(mysql::Error::MySqlError(error)) => Some(error.code),
            _ => None,
        }
    }

    /// What was being done, such as "reading table `alkemio`.`user`".
    pub fn doing(&self) -> &str {
        &self.doing
    }

    /// Why it did not work, without what was being done.
    pub fn cause(&self) -> String {
        match &self.kind {
            Kind::Server(mysql::Error::MySqlError(error)) => {
                format!("{} (error {})", error.message, error.code)
            }
            Kind::Server(mysql::Error::DriverError(error)) => error.to_string(),
            Kind::Server(mysql::Error::IoError(_)) if self.is_about_the_server_key() => {
                "the server asks for the password over a connection without TLS; it was not sent"
                    .to_owned()
            }
            Kind::Server(mysql::Error::IoError(error)) => error.to_string(),
            Kind::Server(mysql::Error::CodecError(error)) => error.to_string(),
            Kind::Server(error) => error.to_string(),
            Kind::Local { path, error } => format!("{}: {error}", path.display()),
            Kind::NoAnswer { seconds } => format!("no answer within {seconds} s"),
            Kind::Protocol(what) => format!("{what}; is this a MySQL or MariaDB server?"),
            Kind::Setting { name } => {
                format!("the server did not take the session setting `{name}`")
            }
            Kind::Warnings(codes) => format!(
                "the server warned while rows were read (codes {})",
                codes.join(", ")
            ),
            Kind::Unexpected { column } => {
                format!("column `{column}` was delivered in a form that its type does not have")
            }
            Kind::UnknownActions { name } => {
                format!(
                    "the server does not show what foreign key `{name}` does on delete and on update"
                )
            }
            Kind::NoText { column, key } => {
                let key: Vec<String> = key.iter().map(|(c, v)| format!("{c} {v}")).collect();
                let row = match key.is_empty() {
                    true => "a row without a key".to_owned(),
                    false => format!("row {}", key.join(", ")),
                };
                format!(
                    "column `{column}`, {row}: its bytes are no text of the column's character set"
                )
            }
        }
    }

    /// Whether the server has no TLS.
    pub(crate) fn is_tls_not_supported(&self) -> bool {
        let Kind::Server(mysql::Error::DriverError(error)) = &self.kind else {
            return false;
        };
        matches!(error, DriverError::TlsNotSupported)
    }

    /// Whether a password would have been sent that only the server's own key protects, and there
    /// is no such key.
    pub fn is_about_the_server_key(&self) -> bool {
        // The driver's word for the name that no file has.
        let no_file = |error: &io::Error| error.kind() == io::ErrorKind::InvalidInput;
        matches!(&self.kind, Kind::Server(mysql::Error::IoError(error)) if no_file(error))
    }

    /// Whether this is about a value, which the source has to be rid of.
    pub fn is_about_a_value(&self) -> bool {
        matches!(self.kind, Kind::NoText { .. })
    }

    /// Whether no connection could be made or kept: refused, cut off, silent, or ended by the
    /// server.
    pub fn is_lost_connection(&self) -> bool {
        match &self.kind {
            Kind::NoAnswer { .. } => true,
            Kind::Server(mysql::Error::MySqlError(error)) => {
                GOODBYES.contains(&error.code) || is_from_a_proxy(error.code)
            }
            Kind::Server(error) => !self.is_about_the_server_key() && is_broken(error),
            _ => false,
        }
    }

    /// Whether a connection that was not made may be made a little later.
    pub(crate) fn not_yet(&self) -> Option<NotYet> {
        use io::ErrorKind::{ConnectionRefused, ConnectionReset, UnexpectedEof};
        let is_closed = |kind| [ConnectionRefused, ConnectionReset, UnexpectedEof].contains(&kind);
        let is_closed = match &self.kind {
            // Server shutdown in progress.
            Kind::Server(mysql::Error::MySqlError(error)) if error.code == 1053 => {
                return Some(NotYet::Starting);
            }
            Kind::Server(mysql::Error::DriverError(DriverError::CouldNotConnect(Some((
                _,
                _,
                kind,
            ))))) => is_closed(*kind),
            Kind::Server(mysql::Error::IoError(error)) => is_closed(error.kind()),
            // What breaks in the middle of a greeting.
            Kind::Server(mysql::Error::CodecError(error)) => {
                let cause = std::error::Error::source(error);
                let cause = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
                cause.is_some_and(|cause| is_closed(cause.kind()))
            }
            _ => false,
        };
        is_closed.then_some(NotYet::Unreachable)
    }

    /// Whether the server said this, and is there: any error message of its own, and whatever
    /// the driver did not like about an answer.
    pub fn is_answer(&self) -> bool {
        match &self.kind {
            Kind::NoAnswer { .. } => false,
            Kind::Server(mysql::Error::MySqlError(error)) => !is_from_a_proxy(error.code),
            Kind::Server(error) => self.is_about_the_server_key() || !is_broken(error),
            _ => true,
        }
    }
}

/// With these the server ends a session: it shuts down (1053, 1077 to 1080), the network failed
/// as it saw it (1152, 1158 to 1161, 1184), somebody killed the session (MariaDB 1927, MySQL
/// 3169), it idled for too long (MySQL 4031).
const GOODBYES: [u16; 14] = [
    1053, 1077, 1078, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 3169, 4031,
];

/// Numbers that servers leave to clients (2000 to 2999), and those of `ProxySQL` (from 9000):
/// whoever sends them speaks for a server that he does not reach.
fn is_from_a_proxy(code: u16) -> bool {
    matches!(code, 2000..=2999 | 9000..=9999)
}

/// Whether the connection itself failed, and not what was said on it.
fn is_broken(error: &mysql::Error) -> bool {
    // Data that cannot be right, such as a certificate, have arrived all the same.
    let broken = |error: &io::Error| error.kind() != io::ErrorKind::InvalidData;
    match error {
        mysql::Error::IoError(error) => broken(error),
        mysql::Error::CodecError(error) => {
            let cause = std::error::Error::source(error);
            cause.and_then(|c| c.downcast_ref()).is_some_and(broken)
        }
        mysql::Error::DriverError(error) => matches!(
            error,
            DriverError::ConnectTimeout
                | DriverError::CouldNotConnect(_)
                | DriverError::Timeout
                | DriverError::PacketOutOfSync
                | DriverError::UnexpectedPacket
        ),
        _ => false,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "source: {}: {}", self.doing, self.cause())
    }
}

// The cause is part of the message, so it is not handed on a second time.
impl std::error::Error for Error {}

/// Says what was being done when the server refused.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Doing<T> for Result<T, mysql::Error> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|error| Error::new(Kind::Server(error), what()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: u16) -> mysql::Error {
        mysql::Error::MySqlError(mysql::MySqlError {
            state: "HY000".to_owned(),
            code,
            message: "no".to_owned(),
        })
    }

    fn io(kind: io::ErrorKind) -> mysql::Error {
        mysql::Error::IoError(kind.into())
    }

    #[test]
    fn an_error_message_is_an_answer_and_a_broken_connection_is_none() {
        let refused = (
            "h:1".to_owned(),
            "no".to_owned(),
            io::ErrorKind::ConnectionRefused,
        );
        let could_not = DriverError::CouldNotConnect(Some(refused));
        for (error, answer, lost) in [
            // Too many connections, access denied, unknown database: there, and no session lost.
            (said(1040), true, false),
            (said(1045), true, false),
            (said(1049), true, false),
            // Shutting down, killed: there, but the session is gone.
            (said(1053), true, true),
            (said(1927), true, true),
            // A proxy that does not reach its server.
            (said(2003), false, true),
            (said(9001), false, true),
            (io(io::ErrorKind::UnexpectedEof), false, true),
            (io(io::ErrorKind::ConnectionReset), false, true),
            (io(io::ErrorKind::WouldBlock), false, true),
            (mysql::Error::server_disconnected(), false, true),
            (mysql::Error::DriverError(could_not), false, true),
            (
                mysql::Error::DriverError(DriverError::ConnectTimeout),
                false,
                true,
            ),
            // An answer that TLS or the driver refuses.
            (io(io::ErrorKind::InvalidData), true, false),
            (
                mysql::Error::DriverError(DriverError::TlsNotSupported),
                true,
                false,
            ),
        ] {
            let error = Error::new(Kind::Server(error), "asking");
            let found = (error.is_answer(), error.is_lost_connection());
            assert_eq!(found, (answer, lost), "{error}");
        }
        let silent = Error::new(Kind::NoAnswer { seconds: 30 }, "connecting");
        assert!(silent.is_lost_connection() && !silent.is_answer());
        assert_eq!(
            silent.to_string(),
            "source: connecting: no answer within 30 s"
        );
    }
}
