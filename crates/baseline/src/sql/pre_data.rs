//! Extensions, enum types, sequences and tables.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{PostgresType, quote};

use super::column::create_table;
use crate::plan::Baseline;

pub(super) fn statements(baseline: &Baseline) -> Vec<String> {
    let extensions = baseline.extensions.iter();
    let mut statements: Vec<String> = extensions
        .map(|name| format!("create extension if not exists {}", quote::postgres(name)))
        .collect();
    for (name, labels) in enum_types(baseline) {
        statements.push(create_type(name, labels));
    }
    // Two columns may share a sequence.
    let mut made = BTreeSet::new();
    let tables = baseline.catalog.tables.iter().flat_map(create_table);
    statements.extend(tables.filter(|statement| {
        !statement.starts_with("create sequence") || made.insert(statement.clone())
    }));
    statements
}

/// The enum types of the columns, with the names as they stand in SQL.
pub(super) fn enum_types(baseline: &Baseline) -> BTreeMap<&str, &[String]> {
    let mut types = BTreeMap::new();
    let columns = baseline.catalog.tables.iter().flat_map(|t| &t.columns);
    for column in columns {
        if let PostgresType::Enum { name, labels } = &column.data_type
            && !is_of_another_schema(name)
        {
            types.insert(name.as_str(), labels.as_slice());
        }
    }
    types
}

/// Whether a name, as it stands in SQL, has a schema before it: what it names is made elsewhere.
pub(crate) fn is_of_another_schema(name: &str) -> bool {
    let mut quoted = false;
    name.chars().any(|c| {
        quoted ^= c == '"';
        c == '.' && !quoted
    })
}

/// Makes an enum type; the name is as it stands in SQL.
pub(crate) fn create_type(name: &str, labels: &[String]) -> String {
    let labels: Vec<String> = labels
        .iter()
        .map(|label| quote::postgres_literal(label))
        .collect();
    format!("create type {name} as enum ({})", labels.join(", "))
}
