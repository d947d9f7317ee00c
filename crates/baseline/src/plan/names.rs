//! Gives keys, foreign keys and checks their names, unique in the schema.

use std::collections::BTreeSet;

use catalog::{Key, KeyKind, PostgresType, TargetTable};

use super::note;
use super::subject::unquoted;
use crate::note::{Note, NoteKind};
use crate::{NameKind, NameRequest, unique_names};

pub(super) struct Names;

/// Names that are given already: what for, of which table, and the name.
type Given = BTreeSet<(NameKind, String, String)>;

impl Names {
    /// Replaces the names that the source gave, where others have them or they are too long, and
    /// sorts by the new ones.
    ///
    /// Indexes share their names with tables, types and sequences, foreign keys and checks with
    /// the keys that are constraints; an index may well have the name of a foreign key.
    pub(super) fn give(tables: &mut [TargetTable], notes: &mut Vec<Note>) {
        let mut fixed = fixed(tables);
        fixed.extend(not_null(tables));
        let mut given = unique_names(&relations(tables, &fixed)).into_iter();
        for table in tables.iter_mut() {
            for key in &mut table.keys {
                let new = given.next().expect("every request has its name");
                match key.kind == KeyKind::Primary {
                    // The source has no name for it that anybody could miss.
                    true => key.name = new,
                    false => rename(&mut key.name, new, &table.name, "key", notes),
                }
            }
        }
        let not_null = not_null(tables);
        let mut given = unique_names(&constraints(tables, &not_null)).into_iter();
        for table in tables.iter_mut() {
            let mut next = || given.next().expect("every request has its name");
            for key in &mut table.foreign_keys {
                rename(&mut key.name, next(), &table.name, "foreign key", notes);
            }
            for check in &mut table.checks {
                rename(&mut check.name, next(), &table.name, "check", notes);
            }
            table
                .keys
                .sort_by_cached_key(|key| (key.kind != KeyKind::Primary, key.name.clone()));
            table.foreign_keys.sort_by(|a, b| a.name.cmp(&b.name));
            table.checks.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }
}

fn rename(name: &mut String, new: String, table: &str, what: &str, notes: &mut Vec<Note>) {
    if *name != new {
        let reason = "names are unique in a schema, and end at 63 bytes";
        let what = format!("{what} `{name}` of `{table}` is `{new}`");
        notes.push(note(NoteKind::Renamed, reason, what));
        *name = new;
    }
}

/// Names that are given already: types, by the first table that has them, and sequences.
fn fixed(tables: &[TargetTable]) -> Given {
    let mut fixed = BTreeSet::new();
    let mut types = BTreeSet::new();
    for table in tables {
        for column in &table.columns {
            if let PostgresType::Enum { name, .. } = &column.data_type
                && types.insert(name.clone())
            {
                fixed.insert((NameKind::Type, table.name.clone(), unquoted(name)));
            }
            if let Some(name) = column.sequence_name() {
                fixed.insert((NameKind::Sequence, table.name.clone(), unquoted(name)));
            }
        }
    }
    fixed
}

/// The names that PostgreSQL 18 gives to what no column may lack.
///
/// Source: PostgreSQL manual, "CREATE TABLE", where `not null` is a constraint since 18.
fn not_null(tables: &[TargetTable]) -> Given {
    let mut names = BTreeSet::new();
    for table in tables {
        for column in table.columns.iter().filter(|column| !column.nullable) {
            let name = format!("{}_{}_not_null", table.name, column.name);
            names.insert((NameKind::NotNull, table.name.clone(), name));
        }
    }
    names
}

fn key_kind(key: &Key) -> NameKind {
    match key.kind {
        KeyKind::Primary => NameKind::PrimaryKey,
        KeyKind::Unique => NameKind::Unique,
        _ => NameKind::Index,
    }
}

/// The requests of the keys, table by table, and then of what has its name already.
fn relations<'a>(tables: &'a [TargetTable], fixed: &'a Given) -> Vec<NameRequest<'a>> {
    let mut requests = Vec::new();
    for table in tables {
        requests.extend(table.keys.iter().map(|key| NameRequest {
            kind: key_kind(key),
            table: &table.name,
            wanted: &key.name,
        }));
    }
    requests.extend(tables.iter().map(|table| NameRequest {
        kind: NameKind::Table,
        table: &table.name,
        wanted: &table.name,
    }));
    requests.extend(given(fixed));
    requests
}

/// Requests for names that are given already.
fn given(names: &Given) -> impl Iterator<Item = NameRequest<'_>> {
    names.iter().map(|(kind, table, wanted)| NameRequest {
        kind: *kind,
        table,
        wanted,
    })
}

/// The requests of foreign keys and checks, table by table, and then of the keys that are
/// constraints and of what is `not null`, which have their names.
fn constraints<'a>(tables: &'a [TargetTable], not_null: &'a Given) -> Vec<NameRequest<'a>> {
    let mut requests = Vec::new();
    for table in tables {
        let request = |kind, wanted| NameRequest {
            kind,
            table: &table.name,
            wanted,
        };
        let foreign_keys = table.foreign_keys.iter();
        requests.extend(foreign_keys.map(|key| request(NameKind::ForeignKey, &key.name)));
        let checks = table.checks.iter();
        requests.extend(checks.map(|check| request(NameKind::Check, &check.name)));
    }
    for table in tables {
        let keys = table.keys.iter().filter(|key| key.constraint);
        requests.extend(keys.map(|key| NameRequest {
            kind: key_kind(key),
            table: &table.name,
            wanted: &key.name,
        }));
    }
    requests.extend(given(not_null));
    requests
}
