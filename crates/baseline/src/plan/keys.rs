//! Primary keys, unique keys and indexes.

use std::collections::BTreeSet;

use catalog::{
    ForeignKey, Key, KeyKind, KeyPart, KeyTerm, PostgresType, SourceTable, TargetTable, quote,
};

use super::subject::{SubjectColumn, SubjectTable};
use super::{constraints, not_translated, note};
use crate::expression::{Equality, Kind};
use crate::note::{Note, NoteKind};

/// The indexes that MySQL made by itself for foreign keys, unless they are kept.
pub(super) fn implicit(table: &SourceTable, keep: bool) -> BTreeSet<&str> {
    let made = |key: &&Key| {
        let of = |foreign_key: &&ForeignKey| {
            let columns = foreign_key.columns.iter().map(String::as_str);
            let same = key
                .plain_columns()
                .is_some_and(|parts| parts.into_iter().eq(columns));
            // A foreign key without a name of its own gives its first column's to the index.
            let unnamed = foreign_key
                .name
                .starts_with(&format!("{}_ibfk_", table.name))
                && foreign_key.columns.first() == Some(&key.name);
            same && (key.name == foreign_key.name || unnamed)
        };
        let plain = key.kind == KeyKind::Index && key.visible && key.comment.is_none();
        plain && table.foreign_keys.iter().find(of).is_some()
    };
    let found = table.keys.iter().filter(made);
    let names = found.map(|key| key.name.as_str());
    names.filter(|_| !keep).collect()
}

/// Adds the keys of a table that have a counterpart, and names the others.
pub(super) fn plan(
    table: &SubjectTable<'_>,
    implicit: &BTreeSet<&str>,
    planned: &mut TargetTable,
    notes: &mut Vec<Note>,
) {
    for key in &table.source.keys {
        let what = format!(
            "`{}` of `{}` ({})",
            key.name,
            table.source.name,
            spelled(key)
        );
        if implicit.contains(key.name.as_str()) {
            let reason = "index that the source made for a foreign key: `baseline: {index_foreign_keys: true}` keeps it";
            notes.push(not_translated(reason, what));
            continue;
        }
        match one(table, key, planned) {
            Ok(mut made) => {
                if let Some(proposal) = without_overlaps(table, key) {
                    let reason = format!("primary key, refuses equal periods alone: {proposal}");
                    notes.push(not_translated(reason, what.clone()));
                }
                made.comment = constraints::comment(key.comment.as_deref(), &what, notes);
                say_more(table, key, &made, &what, notes);
                planned.keys.push(made);
            }
            Err(reason) => {
                let kind = kind(key.kind);
                notes.push(not_translated(format!("{kind}: {reason}"), what));
            }
        }
    }
}

fn kind(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Primary => "primary key",
        KeyKind::Unique => "unique key",
        KeyKind::Fulltext => "fulltext index",
        KeyKind::Spatial => "spatial index",
        KeyKind::Index | KeyKind::Exclusion => "index",
    }
}

/// The parts as MySQL spells them.
fn spelled(key: &Key) -> String {
    let parts = key.parts.iter().map(|part| {
        let term = match &part.term {
            KeyTerm::Column {
                name,
                prefix_length: None,
            } => name.clone(),
            KeyTerm::Column {
                name,
                prefix_length: Some(length),
            } => format!("{name}({length})"),
            KeyTerm::Expression { expression } => format!("({expression})"),
        };
        match part.descending {
            true => format!("{term} desc"),
            false => term,
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn one(table: &SubjectTable<'_>, key: &Key, planned: &TargetTable) -> Result<Key, String> {
    match key.kind {
        KeyKind::Fulltext => {
            return Err(
                "words are found in other ways; look at `using gin (pg_catalog.to_tsvector(…))`"
                    .to_owned(),
            );
        }
        KeyKind::Spatial => return Err("look at `using gist (…)`".to_owned()),
        KeyKind::Primary => {}
        _ => {
            if let Some(proposal) = without_overlaps(table, key) {
                return Err(proposal);
            }
        }
    }
    if let Some(method) = &key.method {
        return Err(format!("`using {method}` is not known to this version"));
    }
    let mut parts = Vec::new();
    for part in &key.parts {
        let mut made = match &part.term {
            KeyTerm::Column {
                name,
                prefix_length,
            } => {
                let column = table.column(name);
                let column = column.ok_or_else(|| format!("`{name}` is left out"))?;
                term(column, *prefix_length)?
            }
            KeyTerm::Expression { .. } => {
                return Err("expressions of the source may mean something else here".to_owned());
            }
        };
        made.descending = part.descending;
        parts.push(made);
    }
    let plain = parts.iter().all(|part| part.plain_column().is_some());
    let descending = parts.iter().any(|part| part.descending);
    let primary = key.kind == KeyKind::Primary;
    let kind = match (key.kind, plain) {
        // Expressions are for indexes alone.
        (KeyKind::Primary, false) => KeyKind::Unique,
        (kind, _) => kind,
    };
    if kind == KeyKind::Primary {
        // The index of a primary key has one direction, and is read in both.
        parts.iter_mut().for_each(|part| part.descending = false);
    }
    let name = match primary {
        true => format!("{}_pkey", planned.name),
        false => key.name.clone(),
    };
    let mut made = Key::new(name, kind, parts);
    made.method = Some("btree".to_owned());
    made.constraint = kind == KeyKind::Primary || (kind == KeyKind::Unique && plain && !descending);
    Ok(made)
}

fn term(column: &SubjectColumn<'_>, prefix: Option<u32>) -> Result<KeyPart, String> {
    let postgres = &column.mapping.postgres;
    let place = || format!("of `{}`, which is {postgres} here", column.source.name);
    if matches!(postgres, PostgresType::Json) || is_without_order(postgres) {
        return Err(format!("PostgreSQL has no such index {}", place()));
    }
    let name = quote::postgres(&column.name);
    match (prefix, Kind::of(postgres)) {
        (None, _) => Ok(KeyPart::column(&column.name)),
        (Some(length), Kind::Text) => Ok(KeyPart::expression(format!(
            "pg_catalog.left({name}, {length})"
        ))),
        (Some(length), _) if *postgres == PostgresType::Bytea => {
            let beginning = format!("pg_catalog.substr({name}, 1, {length})");
            Ok(KeyPart::expression(beginning))
        }
        (Some(length), _) => Err(format!("the first {length} characters {}", place())),
    }
}

/// The constraint that would refuse what a key on a period refuses: periods hold their start and
/// not their end on both sides.
fn without_overlaps(table: &SubjectTable<'_>, key: &Key) -> Option<String> {
    key.without_overlaps.as_ref()?;
    let columns: Option<Vec<_>> = key
        .parts
        .iter()
        .map(|part| table.column(part.plain_column()?))
        .collect();
    let columns = columns?;
    let [others @ .., end, start] = &columns[..] else {
        return None;
    };
    let range = match start.mapping.postgres {
        PostgresType::Date => "pg_catalog.daterange",
        PostgresType::Timestamp { .. } => "pg_catalog.tsrange",
        PostgresType::Timestamptz { .. } => "pg_catalog.tstzrange",
        _ => "a range type",
    };
    let name = match key.kind {
        KeyKind::Primary => format!("{}_without_overlaps", table.name),
        _ => key.name.clone(),
    };
    let equal = others
        .iter()
        .map(|c| format!("{} with =, ", quote::postgres(&c.name)));
    Some(format!(
        "rows with overlapping periods are refused by `create extension btree_gist; alter table {} \
         add constraint {} exclude using gist ({}{range}({}, {}) with &&)`",
        quote::postgres(&table.name),
        quote::postgres(&name),
        equal.collect::<String>(),
        quote::postgres(&start.name),
        quote::postgres(&end.name)
    ))
}

/// Whether values of a type cannot be sorted: shapes, and what this version does not know.
fn is_without_order(postgres: &PostgresType) -> bool {
    const ORDERED: [&str; 4] = ["citext", "inet", "cidr", "macaddr"];
    match postgres {
        PostgresType::Other(name) => !ORDERED.contains(&name.as_str()),
        _ => false,
    }
}

fn say_more(table: &SubjectTable<'_>, key: &Key, made: &Key, what: &str, notes: &mut Vec<Note>) {
    if !key.visible {
        let reason = "invisible in the source: the planner uses it here";
        notes.push(note(NoteKind::Changed, reason, what));
    }
    if made.kind == KeyKind::Primary && key.parts.iter().any(|part| part.descending) {
        let reason = "the index of a primary key goes up in all its parts here: where the order of \
                      a mixed one counts, make an index of it";
        notes.push(note(NoteKind::Changed, reason, what));
    }
    if key.kind == KeyKind::Primary && made.kind != KeyKind::Primary {
        let reason = "a primary key on beginnings of texts is a unique index here";
        notes.push(note(NoteKind::Changed, reason, what));
    }
    if !key.is_unique() {
        return;
    }
    let equality = |part: &KeyPart| {
        let KeyTerm::Column { name, .. } = &part.term else {
            return None;
        };
        let column = table.column(name)?;
        let postgres = &column.mapping.postgres;
        let text = Kind::of(postgres) == Kind::Text && column.source.collation.is_some();
        text.then(|| Equality::of(column.source, postgres))
    };
    let reason = match key.parts.iter().filter_map(equality).max() {
        None | Some(Equality::Exact) => return,
        Some(Equality::Padded) => {
            "unique keys on texts whose blanks at the end mean nothing to the source; choose for \
             each: exact (as it is here), or a unique index on pg_catalog.rtrim(column)"
        }
        Some(Equality::Cased) => {
            "unique keys on texts that the source compares as a language does; choose for each: \
             exact (as it is here), or a nondeterministic collation"
        }
        Some(Equality::Folded) => {
            "unique keys on texts that the source compares without case; choose for each: exact \
             (as it is here), the type `citext` (`types`), a nondeterministic collation, or a \
             unique index on pg_catalog.lower(column)"
        }
    };
    notes.push(note(NoteKind::Choice, reason, what));
}
