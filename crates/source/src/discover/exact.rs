//! Defaults that `information_schema` does not tell exactly: the server is asked for the values.
//!
//! MySQL cuts bytes at the first NUL there and has moments as the clock of whoever made the table
//! showed them, MariaDB has `?` for bytes that are no text, and both for characters of four bytes.
//! `default(column)` gives the value itself, also of a table without rows where it is joined from
//! outside; there it would be NULL for a column that takes none, unless it is a constant that is
//! computed before any row is looked for, such as one that needs another character set. Only
//! literals are asked for; an expression is what it is.
//!
//! The labels of enums and sets have that `?`, too, wherever a server shows them. A column of a
//! recursive query has the type of the one that it begins with, and a number that is put there
//! becomes its label: that is how they are read.

use catalog::{MysqlType, SourceColumn, quote};

use super::columns::Places;
use super::shown::UNKNOWN;
use super::{Cells, Tables};
use crate::connection::Connection;
use crate::dialect::Dialect;
use crate::error::{Error, Kind};

/// So many are asked for in one query: a schema has a few, and no statement grows without end.
const DEFAULTS_PER_QUERY: usize = 1_000;

/// Puts the exact defaults in their places, but for those that are `computed`.
pub(super) fn read_defaults(
    connection: &mut Connection,
    database: &str,
    computed: &Places,
    tables: &mut Tables,
) -> Result<(), Error> {
    let dialect = connection.dialect;
    let mut inexact: Vec<(String, &mut SourceColumn)> = Vec::new();
    for (name, table) in tables {
        let place = quote::mysql_qualified(database, name);
        let columns = table.columns.iter_mut();
        let columns = columns.filter(|column| {
            let place = (name.clone(), column.name.clone());
            is_inexact(dialect, column) && !computed.contains(&place)
        });
        inexact.extend(columns.map(|column| (place.clone(), column)));
    }
    for part in inexact.chunks_mut(DEFAULTS_PER_QUERY) {
        let selects: Vec<String> = part
            .iter()
            .enumerate()
            .map(|(at, (place, column))| {
                let value = value_of(column);
                format!(
                    "select {at}, {value} from (select 1 as one) as one left join {place} on false"
                )
            })
            .collect();
        for row in connection.query_text(&selects.join(" union all "))? {
            let mut cells = Cells(row.into_iter());
            let (_, column) = &mut part[cells.text().parse::<usize>().expect("a number of ours")];
            column.default = match cells.next() {
                Some(value) if is_binary(&column.data_type) => Some(format!("0x{value}")),
                Some(value) => Some(quote::mysql_literal(&value)),
                None => column.default.take().map(|default| default + UNKNOWN),
            };
        }
    }
    Ok(())
}

/// Puts the exact labels in their places: those with a question mark.
pub(super) fn read_labels(
    connection: &mut Connection,
    database: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    for (name, table) in tables {
        let place = quote::mysql_qualified(database, name);
        for column in &mut table.columns {
            let column_name = column.name.clone();
            let (labels, is_set) = match &mut column.data_type {
                MysqlType::Enum { labels } => (labels, false),
                MysqlType::Set { members } => (members, true),
                _ => continue,
            };
            let numbers: Vec<String> = labels
                .iter()
                .enumerate()
                .filter(|(_, label)| label.contains('?'))
                .map(|(at, _)| format!("select {at} as place, {} as value", number(at, is_set)))
                .collect();
            if numbers.is_empty() {
                continue;
            }
            let sql = include_str!("../sql/labels.sql")
                .replace("{column}", &quote::mysql(&column_name))
                .replace("{table}", &place)
                .replace("{numbers}", &numbers.join(" union all "));
            for row in connection.query_text(&sql)? {
                let mut cells = Cells(row.into_iter());
                let at = cells.text().parse::<usize>().expect("a number of ours");
                let label = cells.next().filter(|label| shown(label) == labels[at]);
                labels[at] = label.ok_or_else(|| {
                    let column = column_name.clone();
                    Error::new(
                        Kind::Unexpected { column },
                        format!("reading labels of {place}"),
                    )
                })?;
            }
        }
    }
    Ok(())
}

/// A label as `information_schema` shows it.
fn shown(label: &str) -> String {
    let characters = label.chars();
    let shown = characters.map(|c| if c.len_utf8() == 4 { '?' } else { c });
    shown.collect()
}

/// A label's number: its place from 1, or its bit.
fn number(at: usize, is_set: bool) -> u64 {
    match is_set {
        true => 1 << at,
        false => at as u64 + 1,
    }
}

/// Whether a default is a literal that may have been something else.
fn is_inexact(dialect: Dialect, column: &SourceColumn) -> bool {
    let Some(default) = &column.default else {
        return false;
    };
    match &column.data_type {
        MysqlType::Binary { .. } | MysqlType::Varbinary { .. } => {
            is_text(default) || default.starts_with("0x")
        }
        MysqlType::Timestamp { .. } => is_text(default),
        MysqlType::Char { .. }
        | MysqlType::Varchar { .. }
        | MysqlType::Enum { .. }
        | MysqlType::Set { .. } => is_text(default) && default.contains('?'),
        MysqlType::Text(_) | MysqlType::Json | MysqlType::Blob(_) => {
            dialect.has_literals_for_texts() && is_text(default) && default.contains('?')
        }
        _ => false,
    }
}

/// Whether an expression is one text and nothing else, as all servers' are spelled here.
fn is_text(sql: &str) -> bool {
    let inside = sql
        .strip_prefix('\'')
        .and_then(|sql| sql.strip_suffix('\''));
    inside.is_some_and(|inside| {
        let without = inside
            .replace("\\\\", "")
            .replace("\\'", "")
            .replace("''", "");
        !without.contains('\'')
    })
}

fn is_binary(data_type: &MysqlType) -> bool {
    matches!(
        data_type,
        MysqlType::Binary { .. } | MysqlType::Varbinary { .. } | MysqlType::Blob(_)
    )
}

/// All values have one character set and one collation, since they come in one column. No
/// column's values are of UTF-32, so that each is converted as the constant that it is.
fn value_of(column: &SourceColumn) -> String {
    let name = quote::mysql(&column.name);
    let value = match is_binary(&column.data_type) {
        true => format!("hex(default({name}))"),
        false => format!("default({name})"),
    };
    format!("convert(concat({value}, convert('' using utf32) collate utf32_bin) using utf8mb4)")
}
