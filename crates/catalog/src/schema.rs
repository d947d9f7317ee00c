//! One comparable model of a schema on either side.
//!
//! Filled by the `discover` modules of the two I/O edges; knows no SQL. Columns are in
//! `column.rs`, keys in `key.rs`, foreign keys and checks in `constraint.rs`.

use serde::{Deserialize, Serialize};

use crate::{Check, Column, ForeignKey, Key, KeyKind, MysqlType, PostgresType, Server};

/// The schema of a source database.
pub type SourceCatalog = Catalog<MysqlType>;
/// The schema of a target database.
pub type TargetCatalog = Catalog<PostgresType>;
/// A table of the source.
pub type SourceTable = Table<MysqlType>;
/// A table of the target.
pub type TargetTable = Table<PostgresType>;

/// Everything that is known of one schema; `T` is the side's column type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog<T> {
    /// The server that it was read from.
    pub server: Server,
    /// MySQL's database or PostgreSQL's schema.
    pub schema: String,
    /// Base tables, ordered by name (bytes).
    pub tables: Vec<Table<T>>,
    /// What else there is, which is named and not converted; by kind, table and name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherObject>,
    /// Kinds of such objects that the login could not see, if there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<ObjectKind>,
}

impl<T> Catalog<T> {
    /// A schema without tables.
    pub fn new(server: Server, schema: impl Into<String>) -> Self {
        Self {
            server,
            schema: schema.into(),
            tables: Vec::new(),
            others: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// The table of that name; names are compared by bytes.
    pub fn table(&self, name: &str) -> Option<&Table<T>> {
        self.tables.iter().find(|table| table.name == name)
    }
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
    /// Check constraints, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// MySQL's storage engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The character set that MySQL gives to new columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
    /// The collation that MySQL gives to new columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// The next number that MySQL gives. It moves with the rows: no comparison of two schemas
    /// may look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_increment: Option<u64>,
    /// How the rows are divided, as its own server spells it: `range (year(`day`))` in MySQL,
    /// `RANGE (day)` in PostgreSQL. The partitions themselves are not tables here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitioning: Option<String>,
    /// Parts of MySQL's table that nothing else here describes, in the server's own words, such as
    /// ``period for `p` (`from`, `to`)``.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_parts: Vec<String>,
    /// What somebody wrote about it; never empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl<T> Table<T> {
    /// A table without columns.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            columns: Vec::new(),
            keys: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            engine: None,
            charset: None,
            collation: None,
            auto_increment: None,
            partitioning: None,
            other_parts: Vec::new(),
            comment: None,
        }
    }

    /// The column of that name; names are compared by bytes.
    pub fn column(&self, name: &str) -> Option<&Column<T>> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The primary key.
    pub fn primary_key(&self) -> Option<&Key> {
        self.keys.iter().find(|key| key.kind == KeyKind::Primary)
    }

    /// The primary key's columns in key order; empty where there is no primary key
    /// or where a part of it is not a plain column.
    pub fn primary_key_columns(&self) -> Vec<&str> {
        let key = self.primary_key();
        key.and_then(Key::plain_columns).unwrap_or_default()
    }

    /// The foreign keys whose rows are found by no index, as MySQL has one for each of its own.
    pub fn foreign_keys_without_index(&self) -> impl Iterator<Item = &ForeignKey> {
        let found = |key: &ForeignKey| self.keys.iter().any(|index| index.finds(&key.columns));
        self.foreign_keys.iter().filter(move |key| !found(key))
    }
}

/// Something of a schema that is no table: it is named, so that nobody misses it later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OtherObject {
    /// What it is.
    pub kind: ObjectKind,
    /// The table that a trigger belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Name, unquoted; PostgreSQL's routines with the types of their arguments, since only both
    /// together name one of them.
    pub name: String,
    /// What PostgreSQL would make a trigger or a function by, as SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
}

/// Kinds of objects that are named and not converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A view.
    View,
    /// A materialized view (PostgreSQL).
    MaterializedView,
    /// A table whose rows are elsewhere (PostgreSQL).
    ForeignTable,
    /// A trigger.
    Trigger,
    /// A procedure.
    Procedure,
    /// A function.
    Function,
    /// A package of routines (MariaDB), a library (MySQL since 9.2).
    Package,
    /// An event (MySQL, MariaDB).
    Event,
    /// A sequence that no column takes its numbers from (PostgreSQL), or any (MariaDB).
    Sequence,
    /// A type that no column of the schema has (PostgreSQL).
    Type,
}

impl ObjectKind {
    /// The word for it.
    pub fn label(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::ForeignTable => "foreign table",
            Self::Trigger => "trigger",
            Self::Procedure => "procedure",
            Self::Function => "function",
            Self::Package => "package",
            Self::Event => "event",
            Self::Sequence => "sequence",
            Self::Type => "type",
        }
    }
}
