//! Foreign keys and checks.
//!
//! Unique constraints are keys: `key.rs`.

use serde::{Deserialize, Serialize};

use crate::skip::{is_false, is_true, yes};

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Name of the constraint.
    pub name: String,
    /// Referencing columns.
    pub columns: Vec<String>,
    /// Schema (MySQL: database) of the referenced table, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referenced_schema: Option<String>,
    /// Referenced table.
    pub referenced_table: String,
    /// Referenced columns, in the order of `columns`.
    pub referenced_columns: Vec<String>,
    /// `NO ACTION`, `RESTRICT`, `CASCADE`, `SET NULL` or `SET DEFAULT`; never `RESTRICT` for
    /// MySQL, where the first two are the same.
    pub on_delete: String,
    /// The same for updates.
    pub on_update: String,
    /// The columns that PostgreSQL's `set null` and `set default` change on a delete, where they
    /// are not all (15 and later).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_delete_columns: Vec<String>,
    /// Whether PostgreSQL demands all columns or none to be NULL (`match full`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub match_full: bool,
    /// When PostgreSQL checks it, where that can be put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferrable: Option<Deferrable>,
    /// False where PostgreSQL never looked at the rows that were there (`not valid`).
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub validated: bool,
    /// False where PostgreSQL (18 and later) does not look at all (`not enforced`).
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub enforced: bool,
}

impl ForeignKey {
    /// A foreign key within a schema that refuses what would break it.
    pub fn new(
        name: impl Into<String>,
        columns: Vec<String>,
        referenced_table: impl Into<String>,
        referenced_columns: Vec<String>,
    ) -> Self {
        Self {
            name: name.into(),
            columns,
            referenced_schema: None,
            referenced_table: referenced_table.into(),
            referenced_columns,
            on_delete: "NO ACTION".to_owned(),
            on_update: "NO ACTION".to_owned(),
            on_delete_columns: Vec::new(),
            match_full: false,
            deferrable: None,
            validated: true,
            enforced: true,
        }
    }

    /// Whether both say that the same columns refer to the same columns; in which order they
    /// stand means nothing.
    pub fn refers_like(&self, other: &Self) -> bool {
        let columns = |key: &Self| {
            let pairs = key.columns.iter().cloned();
            let mut pairs: Vec<_> = pairs.zip(key.referenced_columns.iter().cloned()).collect();
            pairs.sort();
            pairs
        };
        columns(self) == columns(other)
            && self.referenced_schema == other.referenced_schema
            && self.referenced_table == other.referenced_table
    }
}

/// When a constraint that can be put off is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deferrable {
    /// After each statement, unless a transaction asks for its end.
    InitiallyImmediate,
    /// At the end of the transaction.
    InitiallyDeferred,
}

/// A check constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Name of the constraint.
    pub name: String,
    /// The condition, as SQL of its own server, without `check` and the outermost parentheses.
    pub expression: String,
    /// False where the server does not look (`not enforced`: MySQL, PostgreSQL 18 and later).
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub enforced: bool,
    /// False where PostgreSQL never looked at the rows that were there (`not valid`).
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub validated: bool,
}

impl Check {
    /// A check that holds for all rows.
    pub fn new(name: impl Into<String>, expression: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            expression: expression.into(),
            enforced: true,
            validated: true,
        }
    }
}
