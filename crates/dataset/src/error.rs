//! What can be wrong with a file of the dataset.

use std::fmt;
use std::path::{Path, PathBuf};

/// A file that could not be read or written, or that is not what it should be.
#[derive(Debug)]
pub struct Error {
    path: Option<PathBuf>,
    kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Io(std::io::Error),
    Json(serde_json::Error),
    /// A record that is not in the dialect; the number counts from 1 after the header.
    Malformed {
        record: u64,
        why: &'static str,
    },
    /// A record with another number of fields than the header.
    FieldCount {
        record: u64,
        expected: usize,
        found: usize,
    },
    Version(u32),
    /// Counts whose sum cannot be.
    Counts,
    /// A table that has other rows than its files.
    RowCount(String),
}

impl Error {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { path: None, kind }
    }

    /// The same error with the file that it happened in.
    #[must_use]
    pub fn at(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// Whether the file was there but its content was not as it should be.
    pub fn is_damage(&self) -> bool {
        !matches!(self.kind, Kind::Io(_))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::Io(error))
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::new(Kind::Json(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        match &self.kind {
            Kind::Io(error) => write!(f, "{error}"),
            Kind::Json(error) => write!(f, "not a manifest of this tool: {error}"),
            Kind::Malformed { record, why } => {
                write!(
                    f,
                    "record {record} is not in the CSV dialect of this tool: {why}"
                )
            }
            Kind::FieldCount {
                record,
                expected,
                found,
            } => write!(
                f,
                "record {record} has {found} fields where the header has {expected}"
            ),
            Kind::Counts => write!(f, "its numbers of rows and bytes are larger than can be"),
            Kind::RowCount(table) => {
                write!(f, "the rows of table `{table}` are not those of its files")
            }
            Kind::Version(version) => write!(
                f,
                "format version {version} was written by another version of this tool"
            ),
        }
    }
}

// The cause is part of the message, so it is not handed on a second time.
impl std::error::Error for Error {}
