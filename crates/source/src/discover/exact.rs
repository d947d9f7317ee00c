//! Defaults that `information_schema` does not tell exactly: the server is asked for the value.
//!
//! MySQL cuts bytes at the first NUL there, MariaDB has `?` for those that are no text, and both
//! for characters of four bytes. `default(column)` gives the value itself, also of a table
//! without rows where it is joined from outside. Only literals have one; an expression is
//! what it is.

use catalog::{MysqlType, SourceColumn, quote};

use super::Tables;
use crate::connection::Connection;
use crate::error::Error;

/// Puts the exact defaults in their places: all bytes, and texts with a question mark.
pub(super) fn read_defaults(
    connection: &mut Connection,
    database: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    for (name, table) in tables {
        let place = quote::mysql_qualified(database, name);
        let mut inexact: Vec<_> = table.columns.iter_mut().filter(|c| is_inexact(c)).collect();
        if inexact.is_empty() {
            continue;
        }
        let values: Vec<String> = inexact.iter().map(|column| value_of(column)).collect();
        let values = values.join(", ");
        let sql =
            format!("select {values} from (select 1 as one) as one left join {place} on false");
        let found = connection.query_text(&sql)?.into_iter().next();
        for (column, value) in inexact.iter_mut().zip(found.unwrap_or_default()) {
            if let Some(value) = value {
                column.default = Some(match is_binary(&column.data_type) {
                    true => format!("0x{value}"),
                    false => quote::mysql_literal(&value),
                });
            }
        }
    }
    Ok(())
}

/// Whether a default is a literal that may have been something else.
fn is_inexact(column: &SourceColumn) -> bool {
    let Some(default) = &column.default else {
        return false;
    };
    if is_binary(&column.data_type) {
        return default.starts_with('\'') || default.starts_with("0x");
    }
    let text = matches!(
        column.data_type,
        MysqlType::Char { .. }
            | MysqlType::Varchar { .. }
            | MysqlType::Enum { .. }
            | MysqlType::Set { .. }
    );
    text && default.starts_with('\'') && default.contains('?')
}

fn is_binary(data_type: &MysqlType) -> bool {
    matches!(
        data_type,
        MysqlType::Binary { .. } | MysqlType::Varbinary { .. }
    )
}

fn value_of(column: &SourceColumn) -> String {
    let name = quote::mysql(&column.name);
    match is_binary(&column.data_type) {
        true => format!("hex(default({name}))"),
        false => format!("convert(default({name}) using utf8mb4)"),
    }
}
