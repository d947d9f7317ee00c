//! SQL and settings that a finding offers: only what fits the column.

use catalog::{ColumnPattern, IntegerSize, MysqlType, PostgresType, quote};

use super::kinds::{self, Kind};
use super::table::{Subject, WideKey};
use crate::call::next_with;
use crate::config::{Database, SchemaOwner};

/// What to do on the source about values of a kind in a column of the plan, with the
/// placeholders of [`Kind::fix`].
pub(crate) fn on_source(subject: &Subject, index: usize, kind: &'static Kind) -> String {
    let name = subject.column_name(index);
    let Some((before, after)) = kind.fix.split_once(" where ") else {
        return kind.fix.to_owned();
    };
    if !before.contains("update ") {
        return kind.fix.to_owned();
    }
    let makes_null = before.ends_with("= null");
    let column = subject.source.column(name);
    if makes_null && !column.is_some_and(|column| column.nullable) {
        return "give each of the rows a value on the source: the column takes no NULL".to_owned();
    }
    let is_key = |key: &&catalog::Key| {
        let mut parts = key.parts.iter().map(|part| &part.term);
        key.is_unique()
            && parts
                .any(|term| matches!(term, catalog::KeyTerm::Column { name: of, .. } if of == name))
    };
    if let Some(key) = subject.source.keys.iter().find(is_key)
        && !makes_null
    {
        return format!(
            "repair the rows one by one on the source: the column is part of the key `{}`",
            key.name
        );
    }
    format!("{before}{} where {after}", kept(subject, &[name], ""))
}

/// Assignments that keep the columns which an update of others would set to the present time;
/// `of` stands before each name.
pub(crate) fn kept(subject: &Subject, updated: &[&str], of: &str) -> String {
    let columns = subject.source.columns.iter();
    let columns = columns
        .filter(|column| column.on_update.is_some() && !updated.contains(&column.name.as_str()));
    let assignments = columns.map(|column| {
        let quoted = quote::mysql(&column.name);
        format!(", {of}{quoted} = {of}{quoted}")
    });
    assignments.collect()
}

/// The type of the target that holds all values of a column, where this tool makes the target's
/// schema.
pub(crate) fn lossless_type(
    database: &Database,
    subject: &Subject,
    index: usize,
    kind: &'static Kind,
) -> Option<String> {
    if database.schema_owner != SchemaOwner::Converge {
        return None;
    }
    let plan = &subject.plan.columns()[index];
    let is_uuid = kind == kinds::EMPTY_UUID || kind == kinds::INVALID_UUID;
    let choice = match (plan.source_type(), plan.target_type()) {
        (MysqlType::Time { .. }, PostgresType::Time { .. }) if kind == kinds::TIME_RANGE => {
            "interval"
        }
        (MysqlType::Integer { .. }, PostgresType::Boolean) if kind == kinds::NOT_BOOLEAN => {
            "smallint"
        }
        (MysqlType::Integer { size, .. }, _) if kind == kinds::OUT_OF_RANGE => match size {
            IntegerSize::Big => "numeric",
            IntegerSize::Int => "bigint",
            _ => "integer",
        },
        (MysqlType::Char { .. }, PostgresType::Uuid) if is_uuid => "char",
        (MysqlType::Varchar { .. }, PostgresType::Uuid) if is_uuid => "varchar",
        (MysqlType::Json, PostgresType::Jsonb) if kind == kinds::JSON_NUL => "json",
        _ => return None,
    };
    let column = ColumnPattern {
        table: Some(subject.source.name.clone()),
        column: Some(plan.name().to_owned()),
    };
    let column = transform::yaml_scalar(&column.to_string());
    Some(format!(
        "set `types: {{{column}: {choice}}}`, which keeps every value, and make the schema again: \
         `{}`, then `{}` to an empty schema",
        next_with("baseline", &["generate"]),
        next_with("baseline", &["apply"])
    ))
}

/// What could stand for an index whose entries would be too large, with the same meaning.
pub(crate) fn wide_key(database: &Database, subject: &Subject, key: &WideKey) -> String {
    // Texts that a collation takes for one have different digests.
    let mut unknown = subject.nondeterministic.iter();
    let is_folded = unknown.any(|name| key.columns.contains(&quote::postgres(name)));
    let Some(digests) = key.digests.as_ref().filter(|_| !is_folded) else {
        return kinds::INDEX_ROW_TOO_LARGE.fix.to_owned();
    };
    let table = quote::postgres_qualified(&database.target_schema, &subject.target.name);
    let digests = digests.join(", ");
    if key.is_unique {
        return quote::postgres_shown(&format!(
            "in the target, unless a foreign key refers to it, let a unique index on digests \
             stand for it, which refuses the same rows: create unique index on {table} ({digests})"
        ));
    }
    let hash = match key.columns.as_slice() {
        [column] => format!(", or: create index on {table} using hash ({column})"),
        _ => String::new(),
    };
    quote::postgres_shown(&format!(
        "in the target, make it an index that finds equal values: create index on {table} \
         ({digests}){hash}"
    ))
}
