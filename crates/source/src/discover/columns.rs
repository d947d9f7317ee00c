//! Columns with their defaults and expressions.
//!
//! Which text columns hold JSON is known from the checks.

use std::collections::BTreeSet;

use catalog::{BlobSize, Generated, MysqlType, SourceColumn};

use super::constraints::FoundCheck;
use super::{Cells, Tables, cells, number, one_charset, rows};
use crate::connection::Connection;
use crate::dialect::{Dialect, moment};
use crate::error::Error;

/// Reads the columns of all tables.
pub(super) fn read(
    connection: &mut Connection,
    database: &str,
    checks: &[FoundCheck],
    tables: &mut Tables,
) -> Result<(), Error> {
    let dialect = connection.dialect;
    let json: BTreeSet<(&str, &str)> = checks
        .iter()
        .filter_map(|check| Some((check.table.as_str(), check.json_column.as_deref()?)))
        .collect();
    let mut found = rows(connection, include_str!("../sql/columns.sql"), database)?;
    found.sort_by_key(|row| (row[0].clone(), number(row[1].as_deref())));
    for mut row in cells(found) {
        let table = row.text();
        row.next();
        let name = row.text();
        let is_json = json.contains(&(table.as_str(), name.as_str()));
        // A view's columns have no table here.
        if let Some(table) = tables.get_mut(&table) {
            let column = column(dialect, name, is_json, &mut row);
            // MySQL says nothing before the first row, and MariaDB 1.
            if column.auto_increment && table.auto_increment.is_none() {
                table.auto_increment = Some(1);
            }
            table.columns.push(column);
        }
    }
    Ok(())
}

/// A column from the cells behind its name.
fn column(dialect: Dialect, name: String, is_json: bool, row: &mut Cells) -> SourceColumn {
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
    column
}
