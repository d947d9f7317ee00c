//! Why a record could not be converted, and where.
//!
//! Carries the key, the kind and the length of a value, never the value itself, with the
//! exception of zero dates, which say nothing of anybody.

use std::fmt;

use catalog::{Condition, Place};

/// A record that could not be converted.
///
/// Displays as one line; [`Rejection::hint`] is the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection(Box<Details>);

/// Behind a pointer, so that a record that is converted does not carry room for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
}

impl Rejection {
    pub(crate) fn new(details: Details) -> Self {
        Self(Box::new(details))
    }

    /// Database, table, column, key and number of the record.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What is wrong with the value.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The same in words, with the value's length.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// A rule for the config that would let the value pass, such as
    /// `{column: event.start, when: zero_date, then: "null"}`; `None` where no rule could.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot convert {}: {} (kind: {})",
            self.0.place, self.0.detail, self.0.kind
        )
    }
}

impl std::error::Error for Rejection {}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A condition that rules can name.
    Condition(Condition),
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// A value that the rule's map file lacks.
    NotInMap,
    /// A character above U+00FF where a rule wants one byte for each character.
    NotLatin1,
    /// A field that is not spelled as its source type is exported.
    Malformed,
}

impl Kind {
    /// The name in messages and findings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Condition(condition) => condition.name(),
            Self::InvalidUtf8 => "invalid_utf8",
            Self::NotInMap => "not_in_map",
            Self::NotLatin1 => "not_latin1",
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A rejection before its place is known: small, so that a leaf can return it for free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    pub(crate) reason: Reason,
}

impl Problem {
    pub(crate) fn new(condition: Condition, reason: &'static str) -> Self {
        Self {
            kind: Kind::Condition(condition),
            reason: Reason::Is(reason),
        }
    }

    pub(crate) fn malformed(reason: &'static str) -> Self {
        Self {
            kind: Kind::Malformed,
            reason: Reason::Is(reason),
        }
    }

    pub(crate) fn invalid_utf8() -> Self {
        Self {
            kind: Kind::InvalidUtf8,
            reason: Reason::Is("is not UTF-8"),
        }
    }

    pub(crate) fn too_long(length: usize, limit: usize, unit: &'static str) -> Self {
        Self {
            kind: Kind::Condition(Condition::TooLong),
            reason: Reason::Longer {
                length,
                limit,
                unit,
            },
        }
    }
}

/// The predicate of a message whose subject is the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Is(&'static str),
    Longer {
        length: usize,
        limit: usize,
        unit: &'static str,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(reason) => f.write_str(reason),
            Self::Longer {
                length,
                limit,
                unit,
            } => write!(f, "has {length} {unit} where the target holds {limit}"),
        }
    }
}
