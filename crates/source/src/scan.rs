//! Reads a table's rows through the binary protocol, for `verify`.
//!
//! A route of its own on purpose: a mistake in the export must not hide itself here.

use std::thread;
use std::time::Duration;

use mysql::Value;
use mysql::prelude::Queryable;

use catalog::{KeyForm, KeySample, SourceTable, quote};
use dataset::KeyRange;
use digest::SourceValue;

use crate::chunk::ChunkKey;
use crate::connection::Connection;
use crate::cut::other_index;
use crate::driver;
use crate::error::{Doing, Error};
use crate::export::{InvalidText, text_expression};
use crate::reader::Reader;

/// "Prepared statement needs to be re-prepared": MySQL closed its tables between preparing and
/// executing, as any `flush tables` makes it do, and what it tries by itself did not help.
const NEEDS_REPREPARE: u16 = 1615;
/// How often that is passed over.
const REPREPARED_MAX: u32 = 40;
const REPREPARE_AFTER: Duration = Duration::from_millis(50);
/// The limit of a sample of two in a hundred rows: of more, most pages of the table would be read
/// anyway, and in no order.
const LOOKED_UP_MAX: u32 = u32::MAX / 50;

/// Which rows of a table are read.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'r> {
    /// Those of a range that [`Reader::plan_chunks`] cut, or all.
    Range(&'r KeyRange),
    /// Those that a sample chooses.
    Sample(&'r KeySample),
}

impl Reader {
    /// Hands rows of a table to `visit`, in the server's cheapest order.
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
        rows: Rows<'_>,
        mut visit: impl FnMut(&[SourceValue<'_>]) -> Result<(), E>,
    ) -> Result<u64, E> {
        let name = quote::mysql_qualified(database, &table.name);
        let expressions: Vec<String> = columns.iter().map(|c| expression(table, c)).collect();
        let expressions = expressions.join(", ");
        let from = match rows {
            Rows::Range(range) => name.clone() + &within(table, range),
            Rows::Sample(sample) => match index_for(table, sample) {
                None => format!("{name} where {}", is_chosen(table, sample)),
                Some(index) => keys_from_index(table, &name, sample, index),
            },
        };
        let sql = format!("select {expressions} from {from}");
        for _ in 0..REPREPARED_MAX {
            if let Some(rows) =
                self.scan_once(&sql, (table, &name), columns.len(), &mut visit, true)?
            {
                return Ok(rows);
            }
            thread::sleep(REPREPARE_AFTER);
        }
        let rows = self.scan_once(&sql, (table, &name), columns.len(), &mut visit, false)?;
        Ok(rows.unwrap_or_default())
    }

    /// `None` where the statement has to be prepared again and `may_repeat`: no row has come.
    fn scan_once<E: From<Error>>(
        &mut self,
        sql: &str,
        (table, name): (&SourceTable, &str),
        columns: usize,
        visit: &mut impl FnMut(&[SourceValue<'_>]) -> Result<(), E>,
        may_repeat: bool,
    ) -> Result<Option<u64>, E> {
        let doing = || format!("reading table {name}");
        let endpoint = self.connection.endpoint().clone();
        let connection_id = self.connection.conn.connection_id();
        let mut rows: u64 = 0;
        let conn = &mut self.connection.conn;
        let mut result = match driver::guarded(doing, || conn.exec_iter(sql, ())) {
            Ok(result) => result,
            Err(error) if may_repeat && error.code() == Some(NEEDS_REPREPARE) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        for row in result.by_ref() {
            let row = row.doing(doing)?;
            let values: Vec<SourceValue<'_>> = (0..columns)
                .map(|index| as_source_value(row.as_ref(index).unwrap_or(&Value::NULL)))
                .collect();
            rows += 1;
            if let Err(error) = visit(&values) {
                Connection::kill_query(&endpoint, connection_id);
                return Err(error);
            }
        }
        driver::end(result, doing)?;
        // A text that cannot be converted is a value without an equal in the target.
        self.check_warnings(table, InvalidText::Shown, doing)?;
        Ok(Some(rows))
    }

    /// Counts a table's rows on the server: a witness that does not depend on what was read.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn count_rows(&mut self, database: &str, table: &SourceTable) -> Result<u64, Error> {
        let name = quote::mysql_qualified(database, &table.name);
        let rows = self
            .connection
            .query_text(&format!("select count(*) from {name}"))?;
        let count = rows.into_iter().flatten().flatten().next();
        Ok(count
            .and_then(|count| count.parse().ok())
            .unwrap_or_default())
    }
}

fn expression(table: &SourceTable, column: &str) -> String {
    table
        .column(column)
        .map_or_else(|| quote::mysql(column), text_expression)
}

/// The rows of a range, as SQL behind the table's name; nothing for the whole table.
fn within(table: &SourceTable, range: &KeyRange) -> String {
    let key = ChunkKey::of(table).filter(|_| *range != KeyRange::whole());
    key.map_or_else(String::new, |key| key.hint() + &key.condition(range))
}

/// A small index that the chosen keys are found in, where they are so few that it takes less to
/// look each row up than to pass over all of them.
fn index_for<'t>(table: &'t SourceTable, sample: &KeySample) -> Option<&'t str> {
    let primary = table.primary_key()?;
    let key = table.primary_key_columns();
    let mut columns = sample.columns.iter();
    let is_all = columns.len() == key.len() && columns.all(|c| key.contains(&c.name.as_str()));
    other_index(table, &primary.name).filter(|_| is_all && sample.below <= LOOKED_UP_MAX)
}

/// The rows of the chosen keys, as SQL: every entry of an index has the key of its row (MySQL
/// Reference Manual, "Clustered and Secondary Indexes").
fn keys_from_index(table: &SourceTable, name: &str, sample: &KeySample, index: &str) -> String {
    // Under names of their own, so that those of the table mean its columns.
    let keys = (1..).zip(&sample.columns);
    let keys =
        keys.map(|(number, column)| (format!("converge_{number}"), quote::mysql(&column.name)));
    let keys: Vec<(String, String)> = keys.collect();
    let named: Vec<String> = keys
        .iter()
        .map(|(own, column)| format!("{column} as {own}"))
        .collect();
    let same: Vec<String> = keys
        .iter()
        .map(|(own, column)| format!("{name}.{column} = chosen.{own}"))
        .collect();
    format!(
        "(select {} from {name} force index ({}) where {}) as chosen straight_join {name} on {}",
        named.join(", "),
        quote::mysql(index),
        is_chosen(table, sample),
        same.join(" and ")
    )
}

/// Whether the sample has a row, as SQL.
fn is_chosen(table: &SourceTable, sample: &KeySample) -> String {
    let texts = sample.columns.iter().map(|column| {
        let quoted = quote::mysql(&column.name);
        match column.form {
            // The sum has no `zerofill`.
            KeyForm::Integer => format!("cast({quoted} + 0 as char)"),
            KeyForm::Text => expression(table, &column.name),
            KeyForm::Uuid => format!("lower(convert({quoted} using utf8mb4))"),
            KeyForm::Bytes | KeyForm::UuidBytes => format!("lower(hex({quoted}))"),
        }
    });
    let texts: Vec<String> = texts.collect();
    format!(
        "sha2(concat_ws('\n', {}), 256) < '{}'",
        texts.join(", "),
        sample.below_hex()
    )
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
