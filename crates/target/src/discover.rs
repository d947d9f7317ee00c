//! Reads a schema from `pg_catalog`, one query per kind of thing.
//!
//! Partitions are part of their parents; views and foreign tables are named, not read.

mod constraints;
mod keys;

use std::collections::BTreeMap;

use catalog::{
    Generated, Identity, ObjectKind, OtherObject, PostgresType, Sequence, TargetCatalog,
    TargetColumn, TargetTable,
};

use crate::connection::Connection;
use crate::error::{Doing, Error};

/// Tables by name.
type Tables = BTreeMap<String, TargetTable>;

/// Reads a schema.
///
/// # Errors
/// Where the server refuses.
pub fn discover(connection: &mut Connection, schema: &str) -> Result<TargetCatalog, Error> {
    let mut tables = read_tables(connection, schema)?;
    read_columns(connection, schema, &mut tables)?;
    read_sequences(connection, schema, &mut tables)?;
    keys::read(connection, schema, &mut tables)?;
    constraints::read_foreign_keys(connection, schema, &mut tables)?;
    constraints::read_checks(connection, schema, &mut tables)?;
    let mut catalog = TargetCatalog::new(connection.server().clone(), schema);
    catalog.tables = tables.into_values().collect();
    catalog.others = read_others(connection, schema)?;
    Ok(catalog)
}

fn rows(connection: &mut Connection, sql: &str, schema: &str) -> Result<Vec<postgres::Row>, Error> {
    connection
        .client
        .query(sql, &[&schema])
        .doing(|| format!("reading the schema `{schema}`"))
}

/// The table that a row's first column names.
fn table_of<'t>(tables: &'t mut Tables, row: &postgres::Row) -> Option<&'t mut TargetTable> {
    tables.get_mut(row.get::<_, &str>(0))
}

fn read_tables(connection: &mut Connection, schema: &str) -> Result<Tables, Error> {
    let rows = rows(connection, include_str!("sql/tables.sql"), schema)?;
    let tables = rows.iter().map(|row| {
        let mut table = TargetTable::new(row.get::<_, String>(0));
        table.partitioning = row.get(1);
        table.comment = row.get(2);
        (table.name.clone(), table)
    });
    Ok(tables.collect())
}

fn read_columns(
    connection: &mut Connection,
    schema: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    for row in rows(connection, include_str!("sql/columns.sql"), schema)? {
        if let Some(table) = table_of(tables, &row) {
            table.columns.push(column(&row));
        }
    }
    Ok(())
}

fn column(row: &postgres::Row) -> TargetColumn {
    let type_name: String = row.get(2);
    let expression: Option<String> = row.get(5);
    let data_type = match row.get::<_, Option<Vec<String>>>(10) {
        Some(labels) => PostgresType::Enum {
            name: type_name,
            labels,
        },
        None => PostgresType::parse(&type_name),
    };
    let mut column = TargetColumn::new(row.get::<_, String>(1), data_type);
    column.domain = row.get(3);
    column.nullable = !row.get::<_, bool>(4);
    match row.get::<_, &str>(6) {
        "" => column.default = expression,
        kept => {
            column.generated = expression.map(|expression| Generated {
                expression,
                stored: kept == "s",
            });
        }
    }
    column.identity = match row.get::<_, &str>(7) {
        "a" => Some(Identity::Always),
        "d" => Some(Identity::ByDefault),
        _ => None,
    };
    column.collation = row.get(8);
    column.comment = row.get(9);
    column
}

/// Gives each column the first of the sequences that it takes its numbers from.
fn read_sequences(
    connection: &mut Connection,
    schema: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    for row in rows(connection, include_str!("sql/column_sequences.sql"), schema)? {
        let name: &str = row.get(1);
        let columns = table_of(tables, &row).map(|table| &mut table.columns);
        let column = columns.and_then(|columns| columns.iter_mut().find(|c| c.name == name));
        let Some(column) = column.filter(|column| column.sequence.is_none()) else {
            continue;
        };
        column.auto_increment = true;
        column.sequence = Some(Sequence {
            name: row.get(2),
            data_type: row.get(3),
            start: row.get(4),
            increment: row.get(5),
            min: row.get(6),
            max: row.get(7),
            cycle: row.get(8),
            owned: row.get(9),
        });
    }
    Ok(())
}

/// Reads what is no table, in the catalogue's order.
fn read_others(connection: &mut Connection, schema: &str) -> Result<Vec<OtherObject>, Error> {
    let rows = rows(connection, include_str!("sql/others.sql"), schema)?;
    let mut others: Vec<OtherObject> = rows
        .iter()
        .map(|row| OtherObject {
            kind: kind(row.get(0)),
            table: row.get(1),
            name: row.get(2),
            definition: row.get(3),
        })
        .collect();
    others.sort();
    Ok(others)
}

fn kind(word: &str) -> ObjectKind {
    match word {
        "view" => ObjectKind::View,
        "materialized view" => ObjectKind::MaterializedView,
        "foreign table" => ObjectKind::ForeignTable,
        "trigger" => ObjectKind::Trigger,
        "procedure" => ObjectKind::Procedure,
        "function" => ObjectKind::Function,
        "sequence" => ObjectKind::Sequence,
        _ => ObjectKind::Type,
    }
}
