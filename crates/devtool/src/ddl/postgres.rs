//! Target DDL for PostgreSQL, as the two owners' migrations leave it.
//!
//! Defaults and check clauses are taken over as the server printed them.

use anyhow::{Context, Result, bail};
use catalog::MysqlType;
use catalog::quote::{postgres as quoted, postgres_literal};

use super::referential_actions;
use crate::listing::{ListedColumn, ListedKey, Listing, NO_DEFAULT};
use crate::system::Server;

/// Extension, types, sequences, tables, comments, indexes, foreign keys, in this order.
pub(super) fn statements(listing: &Listing, source: &Listing) -> Result<Vec<String>> {
    let mut statements = extensions(listing);
    for column in listing.columns.iter().filter(|c| c.extra == "enum type") {
        statements.push(create_enum(column, source)?);
    }
    let owned: Vec<(&ListedColumn, &str)> = listing
        .columns
        .iter()
        .filter_map(|c| Some((c, sequence_of(c)?)))
        .collect();
    statements.extend(
        owned
            .iter()
            .map(|(_, name)| format!("create sequence {name} as integer")),
    );
    for table in listing.table_names() {
        statements.push(create_table(listing, table)?);
    }
    for (column, name) in owned {
        statements.push(format!(
            "alter sequence {name} owned by {}",
            full_name(column)
        ));
    }
    let commented = listing.columns.iter().filter(|c| !c.comment.is_empty());
    statements.extend(commented.map(comment));
    statements.extend(listing.keys.iter().filter_map(create_index));
    statements.extend(listing.foreign_keys().map(add_foreign_key));
    Ok(statements)
}

/// `uuid_generate_v4()` comes from an extension that a new database lacks.
fn extensions(listing: &Listing) -> Vec<String> {
    if listing
        .columns
        .iter()
        .any(|c| c.default == "uuid_generate_v4()")
    {
        vec!["create extension if not exists \"uuid-ossp\"".to_owned()]
    } else {
        Vec::new()
    }
}

/// The labels are the source's: the PostgreSQL listing names the type only.
fn create_enum(column: &ListedColumn, source: &Listing) -> Result<String> {
    let twin = source
        .columns_of(&column.table)
        .find(|c| c.column == column.column)
        .with_context(|| format!("no source column for `{}.{}`", column.table, column.column))?;
    let MysqlType::Enum { labels } = MysqlType::parse(&twin.data_type) else {
        bail!(
            "source column of `{}.{}` is no enum",
            column.table,
            column.column
        );
    };
    let labels: Vec<String> = labels.iter().map(|label| postgres_literal(label)).collect();
    let name = quoted(&column.data_type);
    Ok(format!(
        "create type {name} as enum (\n  {}\n)",
        labels.join(",\n  ")
    ))
}

/// The quoted name in `sequence public."x"`.
fn sequence_of(column: &ListedColumn) -> Option<&str> {
    column.extra.strip_prefix("sequence public.")
}

fn create_table(listing: &Listing, table: &str) -> Result<String> {
    let mut lines: Vec<String> = listing.columns_of(table).map(column_line).collect();
    for key in listing.keys_of(table) {
        lines.extend(constraint_line(key)?);
    }
    Ok(format!(
        "create table {} (\n  {}\n)",
        quoted(table),
        lines.join(",\n  ")
    ))
}

fn column_line(column: &ListedColumn) -> String {
    let data_type = match column.extra.as_str() {
        "enum type" => quoted(&column.data_type),
        _ => column.data_type.clone(),
    };
    let mut line = format!("{} {data_type}", quoted(&column.column));
    if !column.is_nullable() {
        line.push_str(" not null");
    }
    if column.default != NO_DEFAULT {
        line.push_str(&format!(" default {}", column.default));
    }
    line
}

fn constraint_line(key: &ListedKey) -> Result<Option<String>> {
    let head = format!("constraint {}", quoted(&key.constraint));
    Ok(match (key.kind.as_str(), key.note.as_str()) {
        ("primary", "") => Some(format!("{head} primary key ({})", key_columns(key))),
        ("unique", "constraint") => Some(format!("{head} unique ({})", key_columns(key))),
        ("check", clause) => Some(format!("{head} {clause}")),
        ("unique", "unique index") | ("index" | "foreign", "") => None,
        (kind, note) => bail!(
            "key `{}`: cannot write {kind} with note `{note}`",
            key.constraint
        ),
    })
}

/// The listing names an index's columns as `pg_get_indexdef` prints them, quoted
/// where they have to be.
fn create_index(key: &ListedKey) -> Option<String> {
    let word = match (key.kind.as_str(), key.note.as_str()) {
        ("unique", "unique index") => "unique index",
        ("index", _) => "index",
        _ => return None,
    };
    let (name, table) = (quoted(&key.constraint), quoted(&key.table));
    let columns = key.column_names().join(", ");
    Some(format!("create {word} {name} on {table} ({columns})"))
}

fn key_columns(key: &ListedKey) -> String {
    let columns: Vec<String> = key.column_names().into_iter().map(quoted).collect();
    columns.join(", ")
}

fn comment(column: &ListedColumn) -> String {
    format!(
        "comment on column {} is {}",
        full_name(column),
        postgres_literal(&column.comment)
    )
}

fn add_foreign_key(key: &ListedKey) -> String {
    format!(
        "alter table {} add constraint {} foreign key ({}) references {} ({}){}",
        quoted(&key.table),
        quoted(&key.constraint),
        quoted(&key.columns),
        quoted(&key.ref_table),
        quoted(&key.ref_columns),
        referential_actions(key, Server::Postgres)
    )
}

fn full_name(column: &ListedColumn) -> String {
    format!("{}.{}", quoted(&column.table), quoted(&column.column))
}
