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
    /// A file of ours that cannot be read.
    Local(std::io::Error),
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

    /// Whether a row is at fault: a value that does not fit (class 22), a constraint (class 23), or a function of the
    /// target that refuses it (class P0).
    pub fn is_about_data(&self) -> bool {
        self.sqlstate()
            .is_some_and(|state| ["22", "23", "P0"].contains(&&state[..2]))
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
            Kind::State(_) | Kind::Local(_) => false,
        }
    }

    /// Whether the statement was ended by [`crate::Cancel`].
    pub fn is_cancelled(&self) -> bool {
        self.sqlstate() == Some("57014")
    }

    /// Whether rights, locks or the state of the target stand in the way, which others can mend.
    pub fn is_obstacle(&self) -> bool {
        // Lock not available, insufficient privilege, read-only transaction, object in use.
        const OBSTACLES: [&str; 4] = ["55P03", "42501", "25006", "55006"];
        self.sqlstate()
            .is_some_and(|state| OBSTACLES.contains(&state))
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
            Kind::Io(error) | Kind::Local(error) => write!(f, "{error}"),
            Kind::Tls(text) | Kind::State(text) => f.write_str(text),
        }
    }
}

/// Without DETAIL, which repeats cell values; those that stand in the messages of data errors
/// (class 22), always in double quotes, are left out.
fn write_database_error(f: &mut fmt::Formatter<'_>, error: &DbError) -> fmt::Result {
    let shown = match error.code().code() {
        "P0001" => "a function of the target refused a row".to_owned(),
        // Messages in another language put values into other quotes.
        code if code.starts_with("22") && !error.message().is_ascii() => {
            "the server refuses a value".to_owned()
        }
        code if code.starts_with("22") => without_quoted(error.message()),
        _ => error.message().to_owned(),
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
            .and_then(|line| line.split(": ").next())
    {
        write!(f, ", {place}")?;
    }
    f.write_str(")")
}

/// Replaces what stands in double quotes; a value may hold quotes, so all between the first
/// and the last goes.
fn without_quoted(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}\"…\"{}", &message[..first], &message[last + 1..])
        }
        _ => message.to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_out_of_messages() {
        for (message, shown) in [
            (
                "value \"99999\" is out of range for type smallint",
                "value \"…\" is out of range for type smallint",
            ),
            (
                "invalid input syntax for type uuid: \"a\"b\"",
                "invalid input syntax for type uuid: \"…\"",
            ),
            ("division by zero", "division by zero"),
        ] {
            assert_eq!(without_quoted(message), shown);
        }
    }
}
