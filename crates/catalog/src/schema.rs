//! One comparable model of a schema on either side.
//!
//! Filled by the `discover` modules of the two I/O edges; knows no SQL.

use serde::{Deserialize, Serialize};

use crate::{MysqlType, PostgresType, Server};

/// The schema of a source database.
pub type SourceCatalog = Catalog<MysqlType>;
/// The schema of a target database.
pub type TargetCatalog = Catalog<PostgresType>;
/// A table of the source.
pub type SourceTable = Table<MysqlType>;
/// A table of the target.
pub type TargetTable = Table<PostgresType>;
/// A column of the source.
pub type SourceColumn = Column<MysqlType>;
/// A column of the target.
pub type TargetColumn = Column<PostgresType>;

/// Everything that is known of one schema; `T` is the side's column type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog<T> {
    /// The server that it was read from.
    pub server: Server,
    /// MySQL's database or PostgreSQL's schema.
    pub schema: String,
    /// Base tables, ordered by name (bytes).
    pub tables: Vec<Table<T>>,
}

/// A base table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table<T> {
    /// Name, unquoted.
    pub name: String,
    /// Columns by position.
    pub columns: Vec<Column<T>>,
    /// Primary key first, then the others by name.
    pub keys: Vec<Key>,
    /// Foreign keys of this table, by name.
    pub foreign_keys: Vec<ForeignKey>,
    /// MySQL's storage engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
}

impl<T> Table<T> {
    /// The column of that name; names are compared by bytes.
    pub fn column(&self, name: &str) -> Option<&Column<T>> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The primary key's columns in key order; empty where there is no primary key
    /// or where a part of it is not a plain column.
    pub fn primary_key_columns(&self) -> Vec<&str> {
        let Some(key) = self.keys.iter().find(|key| key.kind == KeyKind::Primary) else {
            return Vec::new();
        };
        key.plain_columns().unwrap_or_default()
    }
}

impl<T> Catalog<T> {
    /// The table of that name; names are compared by bytes.
    pub fn table(&self, name: &str) -> Option<&Table<T>> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column<T> {
    /// Name, unquoted.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: T,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// The default as SQL of its own server; `None` where there is none or it is NULL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The expression of a generated column, which is never copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// Whether MySQL numbers it, or PostgreSQL's default or identity takes it from a sequence.
    #[serde(default, skip_serializing_if = "is_false")]
    pub auto_increment: bool,
    /// The sequence behind it in PostgreSQL, quoted and qualified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// MySQL's collation, for character types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// A primary key, unique key or index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its name; `PRIMARY` for MySQL's primary keys.
    pub name: String,
    /// What it enforces.
    pub kind: KeyKind,
    /// Its parts in key order.
    pub parts: Vec<KeyPart>,
}

impl Key {
    /// The column names, where all parts are whole columns.
    pub fn plain_columns(&self) -> Option<Vec<&str>> {
        self.parts
            .iter()
            .map(|part| match part {
                KeyPart::Column {
                    name,
                    prefix_length: None,
                } => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// What a key enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Unique and not null.
    Primary,
    /// Unique.
    Unique,
    /// Nothing; fulltext and spatial ones, too.
    Index,
}

/// A part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyPart {
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

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Name of the constraint.
    pub name: String,
    /// Referencing columns.
    pub columns: Vec<String>,
    /// Referenced table, in the same schema.
    pub referenced_table: String,
    /// Referenced columns, in the order of `columns`.
    pub referenced_columns: Vec<String>,
    /// `NO ACTION`, `RESTRICT`, `CASCADE`, `SET NULL` or `SET DEFAULT`.
    pub on_delete: String,
    /// The same for updates.
    pub on_update: String,
}
