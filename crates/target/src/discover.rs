//! Reads a schema from `pg_catalog`, one query per kind of thing.
//!
//! Partitions are part of their parents; views and foreign tables are not read.

use std::collections::BTreeMap;

use catalog::{
    ForeignKey, Generated, Key, KeyKind, KeyPart, PostgresType, Sequence, TargetCatalog,
    TargetColumn, TargetTable,
};

use crate::connection::Connection;
use crate::error::{Doing, Error};

/// Reads a schema.
///
/// # Errors
/// Where the server refuses.
pub fn discover(connection: &mut Connection, schema: &str) -> Result<TargetCatalog, Error> {
    let mut tables = read_tables(connection, schema)?;
    read_keys(connection, schema, &mut tables)?;
    read_foreign_keys(connection, schema, &mut tables)?;
    let mut catalog = TargetCatalog::new(connection.server().clone(), schema);
    catalog.tables = tables.into_values().collect();
    Ok(catalog)
}

fn rows(connection: &mut Connection, sql: &str, schema: &str) -> Result<Vec<postgres::Row>, Error> {
    connection
        .client
        .query(sql, &[&schema])
        .doing(|| format!("reading the schema `{schema}`"))
}

fn read_tables(
    connection: &mut Connection,
    schema: &str,
) -> Result<BTreeMap<String, TargetTable>, Error> {
    let mut tables: BTreeMap<String, TargetTable> = BTreeMap::new();
    for row in rows(connection, include_str!("sql/columns.sql"), schema)? {
        let table_name: String = row.get(0);
        let type_name: String = row.get(2);
        let default: Option<String> = row.get(4);
        let generated: bool = row.get(5);
        let sequence: Option<String> = row.get(6);
        let labels: Option<Vec<String>> = row.get(7);
        let data_type = match labels {
            Some(labels) => PostgresType::Enum {
                name: type_name,
                labels,
            },
            None => PostgresType::parse(&type_name),
        };
        let mut column = TargetColumn::new(row.get::<_, String>(1), data_type);
        column.nullable = !row.get::<_, bool>(3);
        column.generated = default.clone().filter(|_| generated).map(Generated::stored);
        column.default = default.filter(|_| !generated);
        column.auto_increment = sequence.is_some();
        column.sequence = sequence.map(|name| Sequence {
            name,
            data_type: "bigint".to_owned(),
            start: 1,
            increment: 1,
            min: 1,
            max: i64::MAX,
            cycle: false,
            owned: true,
        });
        let table = tables
            .entry(table_name.clone())
            .or_insert_with(|| TargetTable::new(table_name));
        table.columns.push(column);
    }
    Ok(tables)
}

fn read_keys(
    connection: &mut Connection,
    schema: &str,
    tables: &mut BTreeMap<String, TargetTable>,
) -> Result<(), Error> {
    for row in rows(connection, include_str!("sql/keys.sql"), schema)? {
        let Some(table) = tables.get_mut(&row.get::<_, String>(0)) else {
            continue;
        };
        let name: String = row.get(1);
        let part = match row.get::<_, Option<String>>(4) {
            Some(name) => KeyPart::column(name),
            None => KeyPart::expression(row.get::<_, String>(5)),
        };
        match table.keys.last_mut() {
            Some(key) if key.name == name => key.parts.push(part),
            _ => {
                let kind = match (row.get(2), row.get(3)) {
                    (true, _) => KeyKind::Primary,
                    (_, true) => KeyKind::Unique,
                    _ => KeyKind::Index,
                };
                table.keys.push(Key::new(name, kind, vec![part]));
            }
        }
    }
    Ok(())
}

fn read_foreign_keys(
    connection: &mut Connection,
    schema: &str,
    tables: &mut BTreeMap<String, TargetTable>,
) -> Result<(), Error> {
    for row in rows(connection, include_str!("sql/foreign_keys.sql"), schema)? {
        let Some(table) = tables.get_mut(&row.get::<_, String>(0)) else {
            continue;
        };
        let (name, referenced): (String, String) = (row.get(1), row.get(3));
        let mut key = ForeignKey::new(name, row.get(2), referenced, row.get(4));
        key.on_delete = action(&row.get::<_, String>(5)).to_owned();
        key.on_update = action(&row.get::<_, String>(6)).to_owned();
        table.foreign_keys.push(key);
    }
    Ok(())
}

/// Letters of `pg_constraint.confdeltype`.
fn action(letter: &str) -> &'static str {
    match letter {
        "r" => "RESTRICT",
        "c" => "CASCADE",
        "n" => "SET NULL",
        "d" => "SET DEFAULT",
        _ => "NO ACTION",
    }
}
