//! What can go wrong on the target's side.

use std::fmt;

use postgres::error::DbError;

/// A failed exchange with the target.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    /// What was being done, such as "loading table `user`".
    doing: String,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Server(postgres::Error),
    Io(std::io::Error),
    Tls(String),
    /// A message of this crate's own.
    State(String),
}

impl Error {
    pub(crate) fn new(kind: Kind, doing: impl Into<String>) -> Self {
        Self {
            kind,
            doing: doing.into(),
        }
    }

    /// The server's SQLSTATE, where the server refused.
    pub fn sqlstate(&self) -> Option<&str> {
        self.database_error().map(|error| error.code().code())
    }

    /// Whether a row is at fault: a value that does not fit (class 22) or a constraint (class 23).
    pub fn is_about_data(&self) -> bool {
        self.sqlstate()
            .is_some_and(|state| state.starts_with("22") || state.starts_with("23"))
    }

    /// The constraint that the server named.
    pub fn constraint(&self) -> Option<&str> {
        self.database_error()?.constraint()
    }

    /// Whether no connection could be made or kept.
    pub fn is_lost_connection(&self) -> bool {
        match &self.kind {
            Kind::Server(error) => error.is_closed() || error.as_db_error().is_none(),
            Kind::Io(_) | Kind::Tls(_) => true,
            Kind::State(_) => false,
        }
    }

    /// Whether the statement was ended by [`crate::Cancel`].
    pub fn is_cancelled(&self) -> bool {
        self.sqlstate() == Some("57014")
    }

    /// Whether this crate itself refused to go on, before anything was changed.
    pub fn is_precondition(&self) -> bool {
        matches!(self.kind, Kind::State(_))
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
        write!(f, "target: {}: ", self.doing)?;
        if let Some(error) = self.database_error() {
            return write_database_error(f, error);
        }
        match &self.kind {
            Kind::Server(error) => write_with_causes(f, error),
            Kind::Io(error) => write!(f, "{error}"),
            Kind::Tls(text) | Kind::State(text) => f.write_str(text),
        }
    }
}

/// Without DETAIL and with the quoted parts of data errors left out: they repeat cell values.
fn write_database_error(f: &mut fmt::Formatter<'_>, error: &DbError) -> fmt::Result {
    let class = &error.code().code()[..2];
    let message = error.message();
    // Class 22 is "data exception", whose messages end in the value after a colon.
    let shown = match (class, message.split_once(": \"")) {
        ("22", Some((before, _))) => before,
        _ => message,
    };
    write!(f, "{shown} (SQLSTATE {}", error.code().code())?;
    if let Some(constraint) = error.constraint() {
        write!(f, ", constraint {constraint}")?;
    }
    if let Some(column) = error.column() {
        write!(f, ", column {column}")?;
    }
    // The context of a COPY names line and column, then, after a colon, the value.
    if let Some(place) = error.where_().filter(|text| text.starts_with("COPY "))
        && let Some(place) = place
            .lines()
            .next()
            .and_then(|line| line.split(": \"").next())
    {
        write!(f, ", {place}")?;
    }
    f.write_str(")")
}

fn write_with_causes(f: &mut fmt::Formatter<'_>, error: &postgres::Error) -> fmt::Result {
    write!(f, "{error}")?;
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        write!(f, ": {inner}")?;
        cause = inner.source();
    }
    Ok(())
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

impl<T> Doing<T> for Result<T, std::io::Error> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|error| Error::new(Kind::Io(error), what()))
    }
}
