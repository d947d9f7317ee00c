//! Rows that SQL can find: counted by the source, with the first of their keys.
//!
//! For what is decided by schemas; values are looked at in `survey.rs`.

use catalog::{SourceTable, quote};
use source::Reader;

use super::finding::{Count, RowKey, SAMPLES_MAX};

/// Counts the rows of a table that meet a condition of MySQL's.
///
/// # Errors
/// Where the server refuses.
pub(crate) fn count_where(
    reader: &mut Reader,
    database: &str,
    table: &SourceTable,
    condition: &str,
) -> Result<Count, source::Error> {
    let name = quote::mysql_qualified(database, &table.name);
    let sql = format!("select count(*) from {name} where {condition}");
    let rows = number(reader.query_text(&sql)?);
    let keys = match rows {
        0 => Vec::new(),
        _ => first_keys(reader, database, table, condition)?,
    };
    Ok(Count { rows, keys })
}

/// The keys of the first rows that meet a condition, by key.
///
/// # Errors
/// Where the server refuses.
pub(crate) fn first_keys(
    reader: &mut Reader,
    database: &str,
    table: &SourceTable,
    condition: &str,
) -> Result<Vec<RowKey>, source::Error> {
    let columns = source::key_columns(table);
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let expression = |name: &&str| {
        let quoted = quote::mysql(name);
        let binary = table.column(name).is_some_and(|c| c.data_type.is_binary());
        match binary {
            true => format!("concat('\\\\x', lower(hex({quoted})))"),
            false => quoted,
        }
    };
    let expressions: Vec<String> = columns.iter().map(expression).collect();
    let order: Vec<String> = columns.iter().map(|name| quote::mysql(name)).collect();
    let sql = format!(
        "select {} from {} where {condition} order by {} limit {SAMPLES_MAX}",
        expressions.join(", "),
        quote::mysql_qualified(database, &table.name),
        order.join(", ")
    );
    let rows = reader.query_text(&sql)?.into_iter();
    let keys = rows.map(|row| {
        let values = row.into_iter().map(Option::unwrap_or_default);
        let names = columns.iter().map(|name| (*name).to_owned());
        RowKey(names.zip(values).collect())
    });
    Ok(keys.collect())
}

/// The number that is all of an answer.
pub(crate) fn number(rows: Vec<Vec<Option<String>>>) -> u64 {
    let value = rows.into_iter().flatten().flatten().next();
    value.and_then(|text| text.parse().ok()).unwrap_or_default()
}
