//! Reads a table's rows through the binary protocol, for `verify`.
//!
//! A route of its own on purpose: a mistake in the export must not hide itself here.

use mysql::Value;
use mysql::prelude::Queryable;

use catalog::{MysqlType, SourceTable, quote};
use digest::SourceValue;

use crate::connection::Connection;
use crate::error::{Doing, Error};
use crate::export::enum_expression;
use crate::snapshot::Snapshot;

impl Snapshot {
    /// Hands every row of a table to `visit`, in the server's cheapest order.
    ///
    /// Values are those of `columns`, in that order; an enum's index 0 is the character
    /// U+0000. Returns the number of rows.
    ///
    /// # Errors
    /// Those of the server and those of `visit`, after which the server's statement is ended.
    pub fn scan_table<E: From<Error>>(
        &mut self,
        database: &str,
        table: &SourceTable,
        columns: &[&str],
        mut visit: impl FnMut(&[SourceValue<'_>]) -> Result<(), E>,
    ) -> Result<u64, E> {
        let name = quote::mysql_qualified(database, &table.name);
        let doing = || format!("reading table {name}");
        let expressions: Vec<String> = columns.iter().map(|c| expression(table, c)).collect();
        let sql = format!("select {} from {name}", expressions.join(", "));
        let endpoint = self.connection.endpoint().clone();
        let connection_id = self.connection.conn.connection_id();
        let mut rows: u64 = 0;
        let result = self.connection.conn.exec_iter(&sql, ()).doing(doing)?;
        for row in result {
            let row = row.doing(doing)?;
            let values: Vec<SourceValue<'_>> = (0..columns.len())
                .map(|index| as_source_value(row.as_ref(index).unwrap_or(&Value::NULL)))
                .collect();
            rows += 1;
            if let Err(error) = visit(&values) {
                Connection::kill_query(&endpoint, connection_id);
                return Err(error);
            }
        }
        Ok(rows)
    }
}

fn expression(table: &SourceTable, column: &str) -> String {
    let quoted = quote::mysql(column);
    match table.column(column).map(|column| &column.data_type) {
        Some(MysqlType::Enum { .. }) => enum_expression(&quoted),
        _ => quoted,
    }
}

fn as_source_value(value: &Value) -> SourceValue<'_> {
    match *value {
        Value::NULL => SourceValue::Null,
        Value::Bytes(ref bytes) => SourceValue::Bytes(bytes),
        Value::Int(number) => SourceValue::Int(number),
        Value::UInt(number) => SourceValue::UInt(number),
        Value::Float(number) => SourceValue::Float(number),
        Value::Double(number) => SourceValue::Double(number),
        Value::Date(year, month, day, hour, minute, second, micros) => SourceValue::Date {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micros,
        },
        Value::Time(negative, days, hours, minutes, seconds, micros) => SourceValue::Time {
            negative,
            days,
            hours,
            minutes,
            seconds,
            micros,
        },
    }
}
