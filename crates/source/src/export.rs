//! Reads a table's rows through the text protocol as records of the dataset.
//!
//! Values are written as the source has them; nothing is converted for the target here.

use mysql::Value;
use mysql::prelude::Queryable;

use catalog::{MysqlType, SourceColumn, SourceTable, quote};
use dataset::{KeyRange, Record};

use crate::chunk::ChunkKey;
use crate::connection::Connection;
use crate::driver;
use crate::error::{Doing, Error, Kind};
use crate::reader::Reader;

impl Reader {
    /// Hands every row of a range of a table to `visit`, by its key where there is one.
    ///
    /// Fields are in the order of the columns that are not generated: text as UTF-8, numbers
    /// and times as the server spells them, `float` and `double` in a spelling that reads back
    /// equal whatever digits the column shows, bytes and bits as `\x` and hex, an enum's index 0 as the character U+0000.
    /// Returns the number of rows.
    ///
    /// # Errors
    /// Those of the server, a warning among them, and those of `visit`, after which the
    /// server's statement is ended.
    pub fn export_table<E: From<Error>>(
        &mut self,
        database: &str,
        table: &SourceTable,
        range: &KeyRange,
        visit: impl FnMut(&Record) -> Result<(), E>,
    ) -> Result<u64, E> {
        self.read_table(database, table, range, InvalidText::Refused, visit)
    }

    /// The same, but for bytes that are no text of their column's character set: they are a field
    /// that is no UTF-8, so that all of them can be counted.
    ///
    /// # Errors
    /// As those of [`Reader::export_table`].
    pub fn survey_table<E: From<Error>>(
        &mut self,
        database: &str,
        table: &SourceTable,
        range: &KeyRange,
        visit: impl FnMut(&Record) -> Result<(), E>,
    ) -> Result<u64, E> {
        self.read_table(database, table, range, InvalidText::Shown, visit)
    }

    fn read_table<E: From<Error>>(
        &mut self,
        database: &str,
        table: &SourceTable,
        range: &KeyRange,
        invalid: InvalidText,
        mut visit: impl FnMut(&Record) -> Result<(), E>,
    ) -> Result<u64, E> {
        let columns: Vec<&SourceColumn> = copied_columns(table);
        let forms = columns.iter().map(|column| Form::of(column, invalid));
        let forms: Vec<Form> = forms.collect();
        let sql = select(database, table, &columns, range);
        let doing = || {
            format!(
                "reading table {}",
                quote::mysql_qualified(database, &table.name)
            )
        };
        let endpoint = self.connection.endpoint().clone();
        let connection_id = self.connection.conn.connection_id();
        let mut record = Record::new();
        let mut rows: u64 = 0;
        let conn = &mut self.connection.conn;
        let mut result = driver::guarded(doing, || conn.query_iter(&sql))?;
        for row in result.by_ref() {
            let row = row.doing(doing)?;
            record.clear();
            for (index, form) in forms.iter().enumerate() {
                let value = row.as_ref(index).unwrap_or(&Value::NULL);
                if let Err(misfit) = form.push(value, &mut record) {
                    // Dropping the result would read all that is left of it.
                    Connection::kill_query(&endpoint, connection_id);
                    let kind = misfit.kind(columns[index], || key_of(table, &columns, &row));
                    return Err(Error::new(kind, doing()).into());
                }
            }
            rows += 1;
            if let Err(error) = visit(&record) {
                // Dropping the result would read all that is left of it.
                Connection::kill_query(&endpoint, connection_id);
                return Err(error);
            }
        }
        driver::end(result, doing)?;
        self.check_warnings(table, invalid, doing)?;
        Ok(rows)
    }

    /// Has all rows of a table sent as [`Reader::export_table`] has, and drops them as they come:
    /// the least that an export could take. `proceed` is asked before each row.
    ///
    /// # Errors
    /// Those of the server and those of `proceed`, after which all rows that are left are read.
    pub fn drain_table<E: From<Error>>(
        &mut self,
        database: &str,
        table: &SourceTable,
        mut proceed: impl FnMut() -> Result<(), E>,
    ) -> Result<u64, E> {
        let doing = || {
            format!(
                "draining table {}",
                quote::mysql_qualified(database, &table.name)
            )
        };
        let sql = select(database, table, &copied_columns(table), &KeyRange::whole());
        let mut rows = 0;
        for row in self.connection.conn.query_iter(&sql).doing(doing)? {
            row.doing(doing)?;
            rows += 1;
            proceed()?;
        }
        Ok(rows)
    }

    /// Fails where the server warned of something in the statement that ended just now, but for
    /// characters that it could not convert where those are seen in the values themselves, and for
    /// what the table's own expressions make it say: it computes them when it opens the table, and
    /// none of their values is read.
    pub(crate) fn check_warnings(
        &mut self,
        table: &SourceTable,
        invalid: InvalidText,
        doing: impl Fn() -> String,
    ) -> Result<(), Error> {
        let warnings = usize::from(self.connection.conn.warnings());
        if warnings == 0 {
            return Ok(());
        }
        let rows = self.connection.query_text("show warnings")?;
        // The server keeps the first ones alone; what it counts at its limit may be more.
        let are_all = rows.len() == warnings && warnings < usize::from(u16::MAX);
        let codes = rows
            .into_iter()
            .filter_map(|row| row.into_iter().nth(1).flatten());
        let mut codes: Vec<String> = codes.collect();
        if are_all {
            let is_shown = |code: &str| invalid == InvalidText::Shown && code == CANNOT_CONVERT;
            let is_of_table = |code: &str| has_expressions(table) && OF_EXPRESSIONS.contains(&code);
            codes.retain(|code| !is_shown(code) && !is_of_table(code));
            if codes.is_empty() {
                return Ok(());
            }
        }
        codes.sort();
        codes.dedup();
        Err(Error::new(Kind::Warnings(codes), doing()))
    }
}

/// What becomes of bytes that are no text of their column's character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidText {
    /// They end the reading, with column and key.
    Refused,
    /// They are a value that is no UTF-8.
    Shown,
}

/// "Cannot convert … character": MariaDB warns of it, MySQL does not.
const CANNOT_CONVERT: &str = "1977";

/// What a server says of the values of an expression: truncated or incorrect, out of range,
/// divided by zero. Our own statements compute nothing that could be.
pub(crate) const OF_EXPRESSIONS: [&str; 6] = ["1264", "1265", "1292", "1365", "1411", "1441"];

fn has_expressions(table: &SourceTable) -> bool {
    let computed = |column: &SourceColumn| column.generated.is_some() || column.default.is_some();
    !table.checks.is_empty() || table.columns.iter().any(computed)
}

/// The columns that hold data of their own.
pub(crate) fn copied_columns(table: &SourceTable) -> Vec<&SourceColumn> {
    table
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .collect()
}

fn select(
    database: &str,
    table: &SourceTable,
    columns: &[&SourceColumn],
    range: &KeyRange,
) -> String {
    let mut expressions: Vec<String> = columns.iter().map(|column| expression(column)).collect();
    if expressions.is_empty() {
        // The rows are there all the same.
        expressions.push("null".to_owned());
    }
    let name = quote::mysql_qualified(database, &table.name);
    let rows = match ChunkKey::of(table) {
        Some(key) => key.hint() + &key.condition(range) + &key.order(),
        None => plain_order(table),
    };
    format!("select {} from {name}{rows}", expressions.join(", "))
}

/// By a primary key that cuts no table, such as one of floats; else as the rows come.
fn plain_order(table: &SourceTable) -> String {
    let columns = table.primary_key_columns();
    let columns: Vec<String> = columns.iter().map(|c| quote::mysql(c)).collect();
    match columns.is_empty() {
        true => String::new(),
        false => format!(" order by {}", columns.join(", ")),
    }
}

/// The columns whose values order a table's rows; empty where they come as they are.
pub fn key_columns(table: &SourceTable) -> Vec<&str> {
    match ChunkKey::of(table) {
        Some(key) => key.columns(),
        None => table.primary_key_columns(),
    }
}

fn expression(column: &SourceColumn) -> String {
    match &column.data_type {
        // As text a float has six digits, and a column with (M,D) as many as it shows, which is
        // not always what it stores: a `double(8,2)` may hold 7.9399999999999995 for 7.94. A
        // double without digits of its own has all of them. Times one, because adding zero would
        // lose the sign of a negative zero.
        MysqlType::Float | MysqlType::Double => {
            format!("{} * 1e0", quote::mysql(&column.name))
        }
        _ => text_expression(column),
    }
}

/// The column, in UTF-8 where it is kept in another character set. `utf8mb3` is UTF-8 as it
/// stands: asked for as text, MySQL would put `?` in the place of bytes that are none.
///
/// An enum's index 0 and a label `''` are both read as `''`; the number tells them apart.
pub(crate) fn text_expression(column: &SourceColumn) -> String {
    let quoted = quote::mysql(&column.name);
    let text = match column.collation.as_deref() {
        Some(collation) if collation.starts_with("utf8mb4") || collation == "binary" => {
            quoted.clone()
        }
        Some(collation) if collation.starts_with("utf8") => format!("cast({quoted} as binary)"),
        Some(_) => converted(&quoted),
        None => quoted.clone(),
    };
    match &column.data_type {
        MysqlType::Enum { .. } => {
            format!("case when {quoted} + 0 = 0 then _utf8mb4 0x00 else {text} end")
        }
        _ => text,
    }
}

/// What the server cannot convert becomes `?`, and MySQL does not even warn of it. Such a `?` is
/// one more than the column itself has; a byte that no UTF-8 has then stands for the value.
fn converted(quoted: &str) -> String {
    format!(
        "case when char_length(replace(convert({quoted} using utf8mb4), '?', '')) \
              <> char_length(replace({quoted}, '?', '')) \
         then _binary 0xFF else cast(convert({quoted} using utf8mb4) as binary) end"
    )
}

/// How the text protocol's bytes become a field.
#[derive(Clone, Copy, Debug)]
enum Form {
    AsIs,
    /// Text, which must be UTF-8.
    Text,
    /// A number, which `zerofill` may have padded.
    Number,
    Hex,
    Float,
}

impl Form {
    fn of(column: &SourceColumn, invalid: InvalidText) -> Self {
        match &column.data_type {
            MysqlType::Float => Self::Float,
            MysqlType::Integer { .. } | MysqlType::Decimal { .. } | MysqlType::Double => {
                Self::Number
            }
            binary if binary.is_binary() => Self::Hex,
            _ if column.collation.is_some() && invalid == InvalidText::Refused => Self::Text,
            _ => Self::AsIs,
        }
    }

    fn push(self, value: &Value, record: &mut Record) -> Result<(), Misfit> {
        let bytes = match value {
            Value::NULL => {
                record.push_null();
                return Ok(());
            }
            Value::Bytes(bytes) => bytes,
            _ => return Err(Misfit::Form),
        };
        match self {
            Self::Text => {
                std::str::from_utf8(bytes).map_err(|_| Misfit::NoText)?;
                record.push_bytes(bytes);
                Ok(())
            }
            Self::AsIs => {
                record.push_bytes(bytes);
                Ok(())
            }
            Self::Number => {
                record.push_bytes(without_padding(bytes));
                Ok(())
            }
            Self::Hex => record.push_with(|field| {
                append_hex(field, bytes);
                Ok(())
            }),
            Self::Float => {
                let text = std::str::from_utf8(bytes).map_err(|_| Misfit::Form)?;
                let wide: f64 = text.parse().map_err(|_| Misfit::Form)?;
                #[expect(clippy::cast_possible_truncation, reason = "it was a float before")]
                let narrow = wide as f32;
                record.push_bytes(float_text(narrow).as_bytes());
                Ok(())
            }
        }
    }
}

/// Why a value is no field.
#[derive(Clone, Copy, Debug)]
enum Misfit {
    /// It is not of the kind that its type promises.
    Form,
    /// Its bytes are no text of the column's character set.
    NoText,
}

impl Misfit {
    fn kind(self, column: &SourceColumn, key: impl FnOnce() -> Vec<(String, String)>) -> Kind {
        let name = column.name.clone();
        match self {
            Self::Form => Kind::Unexpected { column: name },
            Self::NoText => Kind::NoText {
                column: name,
                key: key(),
            },
        }
    }
}

/// The values of the row's key, for messages.
fn key_of(
    table: &SourceTable,
    columns: &[&SourceColumn],
    row: &mysql::Row,
) -> Vec<(String, String)> {
    let keys = key_columns(table).into_iter().filter_map(|name| {
        let index = columns.iter().position(|column| column.name == name)?;
        let value = match row.as_ref(index)? {
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes).escape_debug().to_string(),
            other => other.as_sql(true),
        };
        Some((name.to_owned(), value))
    });
    keys.collect()
}

/// Leading zeros are `zerofill`'s, which is a matter of display, but for the one before a point.
fn without_padding(number: &[u8]) -> &[u8] {
    let padded = |rest: &[u8]| matches!(rest, [b'0', b'0'..=b'9', ..]);
    let mut rest = number;
    while padded(rest) {
        rest = &rest[1..];
    }
    rest
}

/// The shortest spelling that reads back equal, with an exponent where it is shorter.
fn float_text(value: f32) -> String {
    let plain = value.to_string();
    let scientific = format!("{value:e}");
    if scientific.len() < plain.len() {
        scientific
    } else {
        plain
    }
}

fn append_hex(field: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    field.reserve(2 + bytes.len() * 2);
    field.extend_from_slice(b"\\x");
    for byte in bytes {
        field.push(DIGITS[usize::from(byte >> 4)]);
        field.push(DIGITS[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_short_and_exact() {
        for (value, text) in [
            (16_777_216.0_f32, "16777216"),
            (0.1, "0.1"),
            (-0.0, "-0"),
            (f32::MAX, "3.4028235e38"),
            (f32::MIN_POSITIVE, "1.1754944e-38"),
        ] {
            assert_eq!(float_text(value), text);
            assert_eq!(
                float_text(value).parse::<f32>().unwrap().to_bits(),
                value.to_bits()
            );
        }
    }

    #[test]
    fn only_utf8mb4_and_bytes_are_asked_for_as_they_are() {
        let asked = |collation: &str| {
            let mut column = SourceColumn::new("a", MysqlType::parse("varchar(9)"));
            column.collation = Some(collation.to_owned());
            text_expression(&column)
        };
        assert_eq!(asked("utf8mb4_bin"), "`a`");
        assert_eq!(asked("binary"), "`a`");
        for utf8mb3 in ["utf8_general_ci", "utf8mb3_bin"] {
            assert_eq!(asked(utf8mb3), "cast(`a` as binary)");
        }
        assert!(asked("latin1_swedish_ci").contains("convert(`a` using utf8mb4)"));
    }

    #[test]
    fn padding_is_no_part_of_a_number() {
        for (padded, number) in [
            ("000042", "42"),
            ("0", "0"),
            ("000", "0"),
            ("00.50", "0.50"),
            ("-1", "-1"),
        ] {
            assert_eq!(without_padding(padded.as_bytes()), number.as_bytes());
        }
    }

    #[test]
    fn bytes_become_hex() {
        let mut field = Vec::new();
        append_hex(&mut field, &[0, 0x7f, 0xff]);
        assert_eq!(field, b"\\x007fff");
    }
}
