//! Rules for constraints: what becomes of rows that a key of the target would refuse.

use std::fmt;

use catalog::ColumnPattern;

/// A declared way to deal with the rows that violate a constraint of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConstraintRule {
    pub(crate) table: String,
    /// Its name in the target.
    pub(crate) constraint: String,
    pub(crate) violation: Violation,
    pub(crate) remedy: Remedy,
}

/// How a row violates a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Its foreign key finds no row.
    Orphan,
    /// Another row has its unique key.
    Duplicate,
}

/// What becomes of such a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The columns of the foreign key become NULL.
    Null,
    /// The row is kept in a file and not loaded.
    SkipToFile,
}

impl ConstraintRule {
    /// Whether both hold for the same rows.
    pub(crate) fn rivals(&self, other: &Self) -> bool {
        self.is_for(&other.table, &other.constraint) && self.violation == other.violation
    }

    /// Whether it is a rule for that constraint.
    pub(crate) fn is_for(&self, table: &str, constraint: &str) -> bool {
        self.table == table && self.constraint == constraint
    }

    /// `table.constraint`, as it stands in the configuration.
    pub(crate) fn name(&self) -> ColumnPattern {
        ColumnPattern {
            table: Some(self.table.clone()),
            column: Some(self.constraint.clone()),
        }
    }
}

impl fmt::Display for ConstraintRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (violation, remedy) = (self.violation.name(), self.remedy.name());
        write!(f, "{} {violation} -> {remedy}", self.name())
    }
}

impl Violation {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Orphan, Self::Duplicate];
        all.into_iter().find(|violation| violation.name() == text)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::Duplicate => "duplicate",
        }
    }
}

impl Remedy {
    pub(crate) fn parse(violation: Violation, text: &str) -> Option<Self> {
        match (violation, text) {
            (Violation::Orphan, "null") => Some(Self::Null),
            (_, "skip_to_file") => Some(Self::SkipToFile),
            _ => None,
        }
    }

    /// The outcomes of a violation, for messages.
    pub(crate) fn allowed(violation: Violation) -> &'static str {
        match violation {
            Violation::Orphan => "null, skip_to_file",
            Violation::Duplicate => "skip_to_file",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::SkipToFile => "skip_to_file",
        }
    }
}
