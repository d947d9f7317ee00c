//! Columns that the source compares without case or accents, and how many of their values are
//! equal there and differ in the target.
//!
//! Only columns of keys are looked at one by one: others are hardly searched by.

use std::collections::BTreeSet;

use catalog::{Key, KeyTerm, MysqlType, PostgresType, SourceColumn, quote};
use source::Reader;

use super::finding::{Count, Finding};
use super::kinds;
use super::source_rows::{first_keys, number};
use super::table::Subject;
use crate::config::Database;

/// Looks at the columns of a table, given by their names.
///
/// # Errors
/// Where the server refuses.
pub(crate) fn examine(
    reader: &mut Reader,
    database: &Database,
    subject: &Subject,
    column: &str,
) -> anyhow::Result<Finding> {
    let name = database.source_name();
    let place = quote::mysql_qualified(name, &subject.source.name);
    let quoted = quote::mysql(column);
    let groups = format!(
        "select {quoted} k, count(distinct cast({quoted} as binary)) n from {place} \
         where {quoted} is not null group by {quoted} having n > 1"
    );
    let mut count = Count::default();
    if !is_unique_alone(subject, column) {
        let sql = format!("select coalesce(sum(n), 0) from ({groups}) g");
        count.rows = number(reader.query_text(&sql)?);
    }
    if count.rows > 0 {
        let condition = format!("{quoted} in (select k from ({groups}) g)");
        count.keys = first_keys(reader, name, &subject.source, &condition)?;
    }
    let collation = subject.source.column(column);
    let collation = collation.and_then(|column| column.collation.as_deref());
    Ok(Finding::new(&database.name, kinds::CASE_FOLDING)
        .table(&subject.source.name)
        .column(column)
        .detail(format!("collation {}", collation.unwrap_or_default()))
        .count(count))
}

/// The columns of keys, on either side, that are compared in another way afterwards; and how
/// many others there are.
pub(crate) fn columns(subject: &Subject) -> (Vec<&str>, u64) {
    let keys = subject.source.keys.iter().chain(&subject.target.keys);
    let in_keys: BTreeSet<&str> = keys.flat_map(key_columns).collect();
    let planned = subject.plan.columns().iter();
    let folded = planned.filter(|column| {
        let compares = matches!(
            column.target_type(),
            PostgresType::Text | PostgresType::Varchar { .. } | PostgresType::Char { .. }
        );
        let source = subject.source.column(column.name());
        // What is compared without case in the target, too, does not change.
        let changes = !subject.nondeterministic.contains(column.name());
        compares && changes && source.is_some_and(is_folded)
    });
    let names: Vec<&str> = folded.map(|column| column.name()).collect();
    let (keyed, others): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| in_keys.contains(name));
    (keyed, others.len() as u64)
}

fn key_columns(key: &Key) -> impl Iterator<Item = &str> {
    key.parts.iter().filter_map(|part| match &part.term {
        KeyTerm::Column { name, .. } => Some(name.as_str()),
        KeyTerm::Expression { .. } => None,
    })
}

/// Whether two different texts of a column may be equal. Labels are no such texts: the column
/// holds them as they were declared.
fn is_folded(column: &SourceColumn) -> bool {
    let text = matches!(
        column.data_type,
        MysqlType::Char { .. } | MysqlType::Varchar { .. } | MysqlType::Text(_)
    );
    let by_bytes = |name: &str| name == "binary" || name.ends_with("_bin");
    text && column
        .collation
        .as_deref()
        .is_some_and(|name| !by_bytes(name))
}

/// Whether the source has made sure that no two values of the column are equal.
fn is_unique_alone(subject: &Subject, column: &str) -> bool {
    let unique = subject.source.keys.iter().filter(|key| key.is_unique());
    unique
        .filter_map(Key::plain_columns)
        .any(|columns| columns == [column])
}
