//! Why a table cannot be compared at all.
//!
//! Values never end here: one that cannot be converted is a difference.

use std::fmt;

use catalog::Place;

/// A table that no plan can be made for.
#[derive(Debug)]
pub struct Error {
    /// Behind a pointer, so that results stay small.
    inner: Box<(Place, Kind)>,
}

#[derive(Debug)]
pub(crate) enum Kind {
    NotComparable { source: String, target: String },
    OnlyInSource,
    NothingToCompare,
    UnknownZone(String),
}

impl Error {
    pub(crate) fn new(place: Place, kind: Kind) -> Self {
        Self {
            inner: Box::new((place, kind)),
        }
    }

    /// Database, table and column.
    pub fn place(&self) -> &Place {
        &self.inner.0
    }

    /// The way out.
    pub fn hint(&self) -> &'static str {
        match self.inner.1 {
            Kind::NotComparable { .. } => {
                "change the type of the target's column, or leave the table out: exclude_tables"
            }
            Kind::OnlyInSource => {
                "add the column to the target, or leave the table out: exclude_tables"
            }
            Kind::NothingToCompare => "leave the table out: exclude_tables",
            Kind::UnknownZone(_) => {
                "use a name of the IANA time zone database, such as Europe/Amsterdam"
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, kind) = self.inner.as_ref();
        write!(f, "cannot compare {place}: ")?;
        match kind {
            Kind::NotComparable { source, target } => {
                write!(f, "no conversion from `{source}` to `{target}` is known")
            }
            Kind::OnlyInSource => f.write_str("the target has no such column"),
            Kind::NothingToCompare => f.write_str("the two tables have no column in common"),
            Kind::UnknownZone(name) => write!(f, "`datetime_zone` `{name}` is not a known zone"),
        }
    }
}

impl std::error::Error for Error {}
