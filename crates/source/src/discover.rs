//! Reads a schema from `information_schema`, one query per kind of thing.
//!
//! The result is the same whichever of the two server families it came from;
//! it never parses DDL.

use std::collections::{BTreeMap, BTreeSet};

use mysql::Row;
use mysql::prelude::Queryable;

use catalog::{
    BlobSize, ForeignKey, Generated, Key, KeyKind, KeyPart, KeyTerm, MysqlType, SourceCatalog,
    SourceColumn, SourceTable,
};

use crate::connection::{Connection, row_to_text};
use crate::error::{Doing, Error};

/// Reads the schema of a database.
///
/// # Errors
/// Where the server refuses.
pub fn discover(connection: &mut Connection, database: &str) -> Result<SourceCatalog, Error> {
    let mut tables = read_tables(connection, database)?;
    for (table, key) in read_keys(connection, database)? {
        if let Some(table) = tables.get_mut(&table) {
            table.keys.push(key);
        }
    }
    for (table, key) in read_foreign_keys(connection, database)? {
        if let Some(table) = tables.get_mut(&table) {
            table.foreign_keys.push(key);
        }
    }
    let mut catalog = SourceCatalog::new(connection.server().clone(), database);
    catalog.tables = tables.into_values().collect();
    Ok(catalog)
}

/// Rows of text for a query whose only parameter is the database's name and whose first column
/// is a database's name, which is taken off.
///
/// MariaDB's `information_schema` compares names without case, so the rows of a database `Shop`
/// would come with those of `shop`.
fn rows(
    connection: &mut Connection,
    sql: &str,
    database: &str,
) -> Result<Vec<Vec<Option<String>>>, Error> {
    let rows: Vec<Row> = connection
        .conn
        .exec(sql, (database,))
        .doing(|| format!("reading the schema of `{database}`"))?;
    let mut rows: Vec<Vec<Option<String>>> = rows.into_iter().map(row_to_text).collect();
    let exact = |row: &Vec<Option<String>>| row[0].as_deref() == Some(database);
    // Where the server folds names, the configuration may spell one in another way.
    if rows.iter().any(exact) {
        rows.retain(exact);
    }
    rows.iter_mut().for_each(|row| drop(row.remove(0)));
    Ok(rows)
}

fn read_tables(
    connection: &mut Connection,
    database: &str,
) -> Result<BTreeMap<String, SourceTable>, Error> {
    let dialect = connection.dialect;
    let json = json_columns(connection, database)?;
    let mut tables: BTreeMap<String, SourceTable> = BTreeMap::new();
    for row in rows(connection, include_str!("sql/tables.sql"), database)? {
        let mut row = row.into_iter();
        let name = row.next().flatten().unwrap_or_default();
        let mut table = SourceTable::new(name.clone());
        table.engine = engine(row.next().flatten(), row.next().flatten());
        tables.insert(name, table);
    }
    let mut columns = rows(connection, include_str!("sql/columns.sql"), database)?;
    columns.sort_by_key(|row| (row[0].clone(), number(row[1].as_deref())));
    for row in columns {
        let mut row = row.into_iter();
        let mut next = || row.next().flatten();
        let table_name = next().unwrap_or_default();
        next();
        let name = next().unwrap_or_default();
        let mut data_type = MysqlType::parse(&next().unwrap_or_default());
        if data_type == MysqlType::Text(BlobSize::Long)
            && json.contains(&(table_name.clone(), name.clone()))
        {
            data_type = MysqlType::Json;
        }
        let nullable = next().as_deref() == Some("YES");
        let default = next();
        let extra = next().unwrap_or_default();
        let collation = next().filter(|_| !matches!(data_type, MysqlType::Json));
        let default = default.and_then(|text| dialect.default_as_sql(&text, &extra, &data_type));
        let mut column = SourceColumn::new(name, data_type);
        column.nullable = nullable;
        column.default = default;
        column.collation = collation;
        column.auto_increment = extra.to_ascii_lowercase().contains("auto_increment");
        column.generated = next()
            .filter(|expression| !expression.is_empty())
            .map(|expression| Generated::stored(dialect.expression(&expression)));
        // A view's columns have no table here.
        if let Some(table) = tables.get_mut(&table_name) {
            table.columns.push(column);
        }
    }
    Ok(tables)
}

/// MariaDB's system-versioned tables hold rows of the past, which a plain select does not show
/// and which a setting can even make it prefer; they are told apart by their engine's name.
fn engine(engine: Option<String>, table_type: Option<String>) -> Option<String> {
    match table_type.as_deref() {
        Some("SYSTEM VERSIONED") => Some("system versioned".to_owned()),
        _ => engine,
    }
}

fn number(text: Option<&str>) -> u32 {
    text.and_then(|text| text.parse().ok()).unwrap_or(u32::MAX)
}

/// The columns that hold JSON without a type that says so.
fn json_columns(
    connection: &mut Connection,
    database: &str,
) -> Result<BTreeSet<(String, String)>, Error> {
    let Some(checks) = connection.dialect.json_checks() else {
        return Ok(BTreeSet::new());
    };
    let rows = rows(connection, checks, database)?;
    let columns = rows.into_iter().filter_map(|row| {
        let mut row = row.into_iter().flatten();
        let (table, clause) = (row.next()?, row.next()?);
        let column = clause.strip_prefix("json_valid(`")?.strip_suffix("`)")?;
        Some((table, column.replace("``", "`")))
    });
    Ok(columns.collect())
}

fn read_keys(connection: &mut Connection, database: &str) -> Result<Vec<(String, Key)>, Error> {
    let dialect = connection.dialect;
    let mut parts = rows(connection, &dialect.keys(), database)?;
    parts.sort_by_key(|row| {
        let name = row[1].clone();
        (
            row[0].clone(),
            name.as_deref() != Some("PRIMARY"),
            name,
            number(row[2].as_deref()),
        )
    });
    let mut keys: Vec<(String, Key)> = Vec::new();
    for row in parts {
        let mut row = row.into_iter();
        let mut next = || row.next().flatten();
        let table = next().unwrap_or_default();
        let name = next().unwrap_or_default();
        next();
        let unique = next().as_deref() == Some("0");
        let column = next();
        let prefix_length = next().and_then(|length| length.parse().ok());
        let part = match (column, next()) {
            (Some(name), _) => KeyPart::from(KeyTerm::Column {
                name,
                prefix_length,
            }),
            (None, expression) => {
                KeyPart::expression(dialect.expression(&expression.unwrap_or_default()))
            }
        };
        match keys.last_mut() {
            Some((last_table, key)) if *last_table == table && key.name == name => {
                key.parts.push(part);
            }
            _ => {
                let kind = key_kind(&name, unique);
                keys.push((table, Key::new(name, kind, vec![part])));
            }
        }
    }
    Ok(keys)
}

fn key_kind(name: &str, unique: bool) -> KeyKind {
    match (name, unique) {
        ("PRIMARY", _) => KeyKind::Primary,
        (_, true) => KeyKind::Unique,
        (_, false) => KeyKind::Index,
    }
}

fn read_foreign_keys(
    connection: &mut Connection,
    database: &str,
) -> Result<Vec<(String, ForeignKey)>, Error> {
    let mut keys: Vec<(String, ForeignKey)> = Vec::new();
    let mut parts = rows(connection, include_str!("sql/foreign_keys.sql"), database)?;
    parts.sort_by_key(|row| (row[0].clone(), row[1].clone(), number(row[2].as_deref())));
    for row in parts {
        let mut row = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || row.next().unwrap_or_default();
        let (table, name, _, column) = (next(), next(), next(), next());
        let (referenced_table, referenced_column) = (next(), next());
        match keys.last_mut() {
            Some((last_table, key)) if *last_table == table && key.name == name => {
                key.columns.push(column);
                key.referenced_columns.push(referenced_column);
            }
            _ => {
                let referenced = vec![referenced_column];
                let mut key = ForeignKey::new(name, vec![column], referenced_table, referenced);
                key.on_delete = next();
                key.on_update = next();
                keys.push((table, key));
            }
        }
    }
    Ok(keys)
}
