//! Primary keys, unique keys and indexes.
//!
//! Constraints that are no index are in `constraint.rs`.

use serde::{Deserialize, Serialize};

use crate::Deferrable;
use crate::skip::{is_false, is_true, yes};

/// A primary key, unique key or index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its name; `PRIMARY` for MySQL's primary keys.
    pub name: String,
    /// What it enforces or finds.
    pub kind: KeyKind,
    /// Its parts in key order.
    pub parts: Vec<KeyPart>,
    /// Whether MySQL's optimizer uses it: false for invisible (MySQL) or ignored (MariaDB) ones.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub visible: bool,
    /// PostgreSQL's access method, such as `btree`; of MySQL's only one that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// PostgreSQL's columns that are kept in the index without being part of the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// The condition of PostgreSQL's partial indexes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// Whether PostgreSQL has a constraint of that name, beside the index.
    #[serde(default, skip_serializing_if = "is_false")]
    pub constraint: bool,
    /// When PostgreSQL's constraint is checked, where that can be put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferrable: Option<Deferrable>,
    /// Whether PostgreSQL takes two NULLs for duplicates.
    #[serde(default, skip_serializing_if = "is_false")]
    pub nulls_not_distinct: bool,
    /// False where PostgreSQL has not finished to build it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub valid: bool,
    /// The period of MariaDB that may not overlap in rows whose other parts are equal
    /// (`without overlaps`); its end and its start are the last parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_overlaps: Option<String>,
    /// What somebody wrote about it; never empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Key {
    /// A key without options.
    pub fn new(name: impl Into<String>, kind: KeyKind, parts: Vec<KeyPart>) -> Self {
        Self {
            name: name.into(),
            kind,
            parts,
            visible: true,
            method: None,
            include: Vec::new(),
            predicate: None,
            constraint: false,
            deferrable: None,
            nulls_not_distinct: false,
            valid: true,
            without_overlaps: None,
            comment: None,
        }
    }

    /// The column names, where all parts are whole columns; their direction does not count.
    pub fn plain_columns(&self) -> Option<Vec<&str>> {
        self.parts.iter().map(KeyPart::plain_column).collect()
    }

    /// Whether it finds rows by these columns: they are its first ones, in any order.
    pub fn finds(&self, columns: &[String]) -> bool {
        let first = self.parts.iter().take(columns.len());
        let first: Option<Vec<&str>> = first.map(KeyPart::plain_column).collect();
        let ordered = matches!(
            self.kind,
            KeyKind::Primary | KeyKind::Unique | KeyKind::Index
        );
        ordered
            && self.valid
            && self.predicate.is_none()
            && self.parts.len() >= columns.len()
            && first.is_some_and(|first| columns.iter().all(|name| first.contains(&name.as_str())))
    }

    /// Whether no two rows of the table may have the same key.
    pub fn is_unique(&self) -> bool {
        let unique = matches!(self.kind, KeyKind::Primary | KeyKind::Unique);
        unique && self.predicate.is_none()
    }
}

/// What a key enforces or finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Unique and not null.
    Primary,
    /// Unique; among the rows of the predicate alone, where there is one.
    Unique,
    /// Nothing.
    Index,
    /// Words in texts (MySQL).
    Fulltext,
    /// Shapes (MySQL).
    Spatial,
    /// An exclusion constraint (PostgreSQL).
    Exclusion,
}

/// A part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPart {
    /// What is looked up.
    #[serde(flatten)]
    pub term: KeyTerm,
    /// Whether it is ordered from the largest to the smallest.
    #[serde(default, skip_serializing_if = "is_false")]
    pub descending: bool,
    /// What PostgreSQL has otherwise than by default, as SQL: collation, operator class, place
    /// of NULLs (`collate "C" text_pattern_ops nulls last`), and in an exclusion constraint the
    /// operator (`with &&`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
}

impl KeyPart {
    /// A whole column.
    pub fn column(name: impl Into<String>) -> Self {
        Self::from(KeyTerm::Column {
            name: name.into(),
            prefix_length: None,
        })
    }

    /// The first characters (bytes, for binary types) of a column.
    pub fn prefix(name: impl Into<String>, length: u32) -> Self {
        Self::from(KeyTerm::Column {
            name: name.into(),
            prefix_length: Some(length),
        })
    }

    /// An expression.
    pub fn expression(expression: impl Into<String>) -> Self {
        Self::from(KeyTerm::Expression {
            expression: expression.into(),
        })
    }

    /// The column's name, where it is a whole column.
    pub fn plain_column(&self) -> Option<&str> {
        match &self.term {
            KeyTerm::Column {
                name,
                prefix_length: None,
            } => Some(name),
            _ => None,
        }
    }
}

impl From<KeyTerm> for KeyPart {
    /// Ascending, without options.
    fn from(term: KeyTerm) -> Self {
        Self {
            term,
            descending: false,
            options: None,
        }
    }
}

/// What a part of a key looks up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyTerm {
    /// A column, or the first characters (bytes, for binary types) of one.
    Column {
        /// The column's name.
        name: String,
        /// MySQL's prefix length.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefix_length: Option<u32>,
    },
    /// An expression, as its server spells it.
    Expression {
        /// The text of the expression.
        expression: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_where_they_are_plain_and_read_back() {
        let plain = Key::new("k", KeyKind::Unique, vec![KeyPart::column("a")]);
        let json = serde_json::to_string(&plain).unwrap();
        assert_eq!(
            json,
            r#"{"name":"k","kind":"unique","parts":[{"name":"a"}]}"#
        );
        let mut special = plain.clone();
        special.parts = vec![KeyPart::prefix("a", 9), KeyPart::expression("lower(b)")];
        special.parts[1].descending = true;
        special.visible = false;
        let json = serde_json::to_string(&special).unwrap();
        assert_eq!(
            json,
            r#"{"name":"k","kind":"unique","parts":[{"name":"a","prefix_length":9},{"expression":"lower(b)","descending":true}],"visible":false}"#
        );
        for key in [plain, special] {
            let json = serde_json::to_string(&key).unwrap();
            assert_eq!(serde_json::from_str::<Key>(&json).unwrap(), key);
        }
    }

    #[test]
    fn a_unique_key_of_some_rows_is_not_unique_in_the_table() {
        let mut key = Key::new("k", KeyKind::Unique, vec![KeyPart::column("a")]);
        assert!(key.is_unique());
        key.predicate = Some("(a > 0)".to_owned());
        assert!(!key.is_unique());
    }
}
