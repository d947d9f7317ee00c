//! The nouns of a move: schemas, tables, columns, types, keys, rules and places.
//!
//! Nothing here talks to a server or touches a file; everything else builds on it.

pub mod quote;

mod column;
mod column_pattern;
mod constraint;
mod default_value;
mod key;
mod key_sample;
mod load_order;
mod mysql_type;
mod place;
mod postgres_type;
mod retry;
mod rule;
mod schema;
mod server;
mod server_url;
mod skip;
mod visible;

pub use column::{Column, Generated, Identity, Sequence, SourceColumn, TargetColumn};
pub use column_pattern::ColumnPattern;
pub use constraint::{Check, Deferrable, ForeignKey};
pub use default_value::literal_default;
pub use key::{Key, KeyKind, KeyPart, KeyTerm};
pub use key_sample::{KeyForm, KeySample, SampledColumn};
pub use load_order::{LoadOrder, load_order};
pub use mysql_type::{BlobSize, IntegerSize, MysqlType};
pub use place::Place;
pub use postgres_type::PostgresType;
pub use retry::{NotYet, retried, stop_retries_when};
pub use rule::{
    ColumnRules, Condition, Outcome, Rule, RuleError, RuleException, RuleSet, ValueMap,
};
pub use schema::{
    Catalog, ObjectKind, OtherObject, SourceCatalog, SourceTable, Table, TargetCatalog, TargetTable,
};
pub use server::{Server, ServerKind, Version};
pub use server_url::{ServerUrl, UrlError};
pub use visible::{is_hidden, visible};
