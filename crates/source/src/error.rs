//! What can go wrong on the source's side.

use std::fmt;

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

    /// Whether no connection could be made or kept.
    pub fn is_lost_connection(&self) -> bool {
        match &self.kind {
            Kind::Server(error) => error.is_connectivity_error(),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "source: {}: ", self.doing)?;
        match &self.kind {
            Kind::Server(mysql::Error::MySqlError(error)) => {
                write!(f, "{} (error {})", error.message, error.code)
            }
            Kind::Server(mysql::Error::DriverError(error)) => write!(f, "{error}"),
            Kind::Server(mysql::Error::IoError(error)) => write!(f, "{error}"),
            Kind::Server(error) => write!(f, "{error}"),
            Kind::Setting { name } => {
                write!(f, "the server did not take the session setting `{name}`")
            }
            Kind::Warnings(codes) => write!(
                f,
                "the server warned while rows were read (codes {})",
                codes.join(", ")
            ),
            Kind::Unexpected { column } => {
                write!(
                    f,
                    "column `{column}` was delivered in a form that its type does not have"
                )
            }
        }
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
