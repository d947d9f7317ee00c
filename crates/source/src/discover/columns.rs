//! Columns with their defaults and expressions.
//!
//! Which text columns hold JSON is known from the checks.

use std::collections::BTreeSet;

use catalog::{BlobSize, Generated, MysqlType, SourceColumn};

use super::constraints::FoundCheck;
use super::shown::Shown;
use super::{Cells, Tables, cells, number, one_charset, rows};
use crate::connection::Connection;
use crate::dialect::{Dialect, moment};
use crate::error::Error;

/// Where a row of the query has these, behind the name of the database.
const DEFAULT: usize = 5;
const EXPRESSION: usize = 9;

/// Columns by table and name.
pub(super) type Places = BTreeSet<(String, String)>;

/// Reads the columns of all tables, and tells which have an expression for a default where the
/// server tells that.
pub(super) fn read(
    connection: &mut Connection,
    database: &str,
    checks: &[FoundCheck],
    tables: &mut Tables,
) -> Result<Places, Error> {
    let mut computed = Places::new();
    let dialect = connection.dialect;
    let json: BTreeSet<(&str, &str)> = checks
        .iter()
        .filter_map(|check| Some((check.table.as_str(), check.json_column.as_deref()?)))
        .collect();
    let mut found = rows(connection, &dialect.columns(), database)?;
    found.sort_by_key(|row| (row[0].clone(), number(row[1].as_deref())));
    let mut shown = Shown::new(connection, database);
    for row in &mut found {
        let (table, column) = (row[0].clone(), row[2].clone());
        for at in [DEFAULT, EXPRESSION] {
            if let (Some(table), Some(column), Some(text)) = (&table, &column, &mut row[at]) {
                shown.restore_at_column(table, column, text)?;
            }
        }
    }
    for mut row in cells(found) {
        let table = row.text();
        row.next();
        let name = row.text();
        let is_json = json.contains(&(table.as_str(), name.as_str()));
        // A view's columns have no table here.
        if let Some(table) = tables.get_mut(&table) {
            let (column, extra) = column(dialect, name, is_json, &mut row);
            let mut unknown = unknown_words(&extra);
            unknown.extend(row.something().map(|id| format!("srid {id}")));
            let parts = unknown
                .iter()
                .map(|word| format!("column `{}`: {word}", column.name));
            table.other_parts.extend(parts);
            if extra.contains("default_generated") {
                computed.insert((table.name.clone(), column.name.clone()));
            }
            // MySQL says nothing before the first row, and MariaDB 1.
            if column.auto_increment && table.auto_increment.is_none() {
                table.auto_increment = Some(1);
            }
            table.columns.push(column);
        }
    }
    Ok(computed)
}

/// What a server says of a column beside what is read of it.
fn unknown_words(extra: &str) -> Vec<String> {
    const KNOWN: [&str; 9] = [
        "auto_increment",
        "default_generated",
        "virtual generated",
        "stored generated",
        "persistent generated",
        "invisible",
        // It is of an engine beside the tables' own.
        "not secondary",
        // Tables with versions are refused as a whole.
        "without system versioning",
        "on update",
    ];
    let mut rest = extra.to_owned();
    if let Some((before, after)) = extra.split_once("on update ") {
        let after = after.split_once(' ').map_or("", |(_, after)| after);
        rest = format!("{before} {after}");
    }
    for word in KNOWN {
        rest = rest.replace(word, "");
    }
    let rest = rest.trim_matches([' ', ',']);
    if rest.is_empty() {
        Vec::new()
    } else {
        vec![rest.to_owned()]
    }
}

/// A column from the cells behind its name, and what else the server says of it.
fn column(
    dialect: Dialect,
    name: String,
    is_json: bool,
    row: &mut Cells,
) -> (SourceColumn, String) {
    let mut data_type = MysqlType::parse(&row.text());
    if is_json && data_type == MysqlType::Text(BlobSize::Long) {
        data_type = MysqlType::Json;
    }
    let nullable = row.text() == "YES";
    let default = row.next();
    let extra = row.text();
    let has_charset = !matches!(data_type, MysqlType::Json);
    let default = default.and_then(|text| dialect.default_as_sql(&text, &extra, &data_type));
    let extra = extra.to_ascii_lowercase();
    let mut column = SourceColumn::new(name, data_type);
    column.nullable = nullable;
    column.default = default;
    column.on_update = extra.split_once("on update ").map(|(_, rest)| {
        let end = rest.find(' ').unwrap_or(rest.len());
        moment(&rest[..end])
    });
    column.auto_increment = extra.contains("auto_increment");
    column.invisible = extra.split(' ').any(|word| word == "invisible");
    let charset = |name: String| has_charset.then(|| one_charset(&name));
    column.charset = row.next().and_then(charset);
    column.collation = row.next().and_then(charset);
    column.generated = row.something().map(|expression| Generated {
        expression: dialect.expression(&expression),
        stored: !extra.contains("virtual"),
    });
    column.comment = row.something();
    (column, extra)
}
