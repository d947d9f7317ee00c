//! Checks, foreign keys and comments.

use catalog::{Check, ForeignKey, Key, KeyKind, KeyPart, TargetTable};

use super::not_translated;
use super::subject::{Subject, SubjectTable};
use crate::BaselineOptions;
use crate::expression::{self, Kind};
use crate::note::Note;

/// A comment, unless PostgreSQL cannot hold it.
pub(super) fn comment(text: Option<&str>, of: &str, notes: &mut Vec<Note>) -> Option<String> {
    let text = text?;
    if text.contains('\0') {
        let reason = "comment, left out: PostgreSQL's text holds no NUL";
        notes.push(not_translated(reason, of));
        return None;
    }
    Some(text.to_owned())
}

/// Adds the source's checks behind those of the types.
pub(super) fn plan_checks(
    table: &SubjectTable<'_>,
    planned: &mut TargetTable,
    notes: &mut Vec<Note>,
) {
    for check in &table.source.checks {
        let translated = match check.enforced {
            false => Err("the source does not enforce it".to_owned()),
            true => expression::translated(&check.expression, |name| table.known(name)),
        };
        let reason = match translated {
            Ok((sql, Kind::Boolean)) => {
                planned.checks.push(Check::new(&check.name, sql));
                continue;
            }
            Ok(_) => "it takes a value for a condition".to_owned(),
            Err(reason) => reason,
        };
        let what = format!(
            "`{}` of `{}`: {}",
            check.name, table.source.name, check.expression
        );
        notes.push(not_translated(format!("check: {reason}"), what));
    }
}

/// Adds the foreign keys, and the indexes that they are to have.
pub(super) fn plan_foreign_keys(
    subject: &Subject<'_>,
    table: &SubjectTable<'_>,
    options: BaselineOptions,
    planned: &mut TargetTable,
    notes: &mut Vec<Note>,
) {
    for key in &table.source.foreign_keys {
        match foreign_key(subject, table, key) {
            Ok(foreign_key) => {
                if options.index_foreign_keys && !is_indexed(planned, &foreign_key.columns) {
                    planned.keys.push(index(&foreign_key));
                }
                planned.foreign_keys.push(foreign_key);
            }
            Err(reason) => {
                let what = format!(
                    "`{}` of `{}` ({}) to `{}` ({})",
                    key.name,
                    table.source.name,
                    key.columns.join(", "),
                    key.referenced_table,
                    key.referenced_columns.join(", ")
                );
                notes.push(not_translated(format!("foreign key: {reason}"), what));
            }
        }
    }
}

fn foreign_key(
    subject: &Subject<'_>,
    table: &SubjectTable<'_>,
    key: &ForeignKey,
) -> Result<ForeignKey, &'static str> {
    if key.referenced_schema.is_some() {
        return Err("the table is in another database");
    }
    let parent = subject
        .find(&key.referenced_table)
        .ok_or("the table is left out")?;
    let named = |of: &SubjectTable<'_>, names: &[String]| -> Option<Vec<String>> {
        let columns = names.iter().map(|name| Some(of.column(name)?.name.clone()));
        columns.collect()
    };
    let gone = "a column is left out";
    let columns = named(table, &key.columns).ok_or(gone)?;
    let referenced = named(parent, &key.referenced_columns).ok_or(gone)?;
    if !is_unique(parent, &key.referenced_columns) {
        return Err("no primary or unique key has just the columns that it refers to");
    }
    let mut planned = ForeignKey::new(&key.name, columns, &parent.name, referenced);
    planned.on_delete.clone_from(&key.on_delete);
    planned.on_update.clone_from(&key.on_update);
    Ok(planned)
}

/// Whether the parent has a key of just these columns, in any order, which PostgreSQL demands.
fn is_unique(parent: &SubjectTable<'_>, columns: &[String]) -> bool {
    let mut wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
    wanted.sort_unstable();
    parent.source.keys.iter().any(|key| {
        let mut parts = key.plain_columns().unwrap_or_default();
        parts.sort_unstable();
        key.is_unique() && parts == wanted
    })
}

fn is_indexed(table: &TargetTable, columns: &[String]) -> bool {
    table.keys.iter().any(|key| {
        let parts: Vec<Option<&str>> = key.parts.iter().map(KeyPart::plain_column).collect();
        let first = parts.get(..columns.len());
        first.is_some_and(|first| first.iter().zip(columns).all(|(a, b)| *a == Some(b)))
    })
}

fn index(key: &ForeignKey) -> Key {
    let parts = key.columns.iter().map(KeyPart::column).collect();
    let mut index = Key::new(&key.name, KeyKind::Index, parts);
    index.method = Some("btree".to_owned());
    index
}
