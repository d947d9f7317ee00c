//! Primary keys, unique keys, indexes and exclusion constraints, by what they are.
//!
//! A unique constraint and a unique index demand the same and count as the same, unless the
//! constraint can be put off.

use catalog::{Key, KeyKind, KeyTerm, TargetTable, quote};

use super::{Findings, pair, place};
use crate::compare::{Difference, DifferenceKind};
use crate::sql::key::{create_key, part};

pub(super) fn compare(found: &mut Findings<'_>, expected: &TargetTable, live: &TargetTable) {
    let table = &expected.name;
    let paired = pair(&expected.keys, &live.keys, same, alike);
    for (wanted, there) in paired.same {
        let object = object(table, there);
        found.compare_names(table, object, [&wanted.name, &there.name], || {
            rename(table, there, &wanted.name)
        });
    }
    for (wanted, there) in paired.alike {
        let mut difference = Difference::of(kind(wanted), table, object(table, wanted));
        difference.expected = Some(shown(wanted));
        difference.found = Some(shown(there));
        difference.mend = vec![drop(table, there), create_key(table, wanted)];
        found.differences.push(difference);
    }
    for wanted in paired.missing {
        let mut difference = Difference::missing(kind(wanted), table, object(table, wanted));
        difference.mend = vec![create_key(table, wanted)];
        found.differences.push(difference);
    }
    for there in paired.unexpected {
        let mut difference = Difference::unexpected(kind(there), table, object(table, there));
        difference.mend = vec![drop(table, there)];
        let in_source = found.left_out(live).has_key(there);
        let difference = difference.unless_in_source(in_source);
        found.differences.push(difference);
    }
}

/// Whether both find and demand the same.
pub(super) fn same(expected: &Key, live: &Key) -> bool {
    let meaning = |key: &Key| Key {
        name: String::new(),
        constraint: false,
        visible: true,
        comment: None,
        ..key.clone()
    };
    meaning(expected) == meaning(live)
}

/// Whether one is the other with a change: of one name, or of one kind on the same terms.
fn alike(expected: &Key, live: &Key) -> bool {
    let terms = |key: &Key| -> Vec<KeyTerm> {
        let terms = key.parts.iter().map(|part| part.term.clone());
        terms.collect()
    };
    expected.name == live.name || (expected.kind == live.kind && terms(expected) == terms(live))
}

fn kind(key: &Key) -> DifferenceKind {
    match key.kind {
        KeyKind::Primary => DifferenceKind::PrimaryKey,
        KeyKind::Unique => DifferenceKind::UniqueKey,
        KeyKind::Exclusion => DifferenceKind::Exclusion,
        KeyKind::Index | KeyKind::Fulltext | KeyKind::Spatial => DifferenceKind::Index,
    }
}

fn object(table: &str, key: &Key) -> String {
    let kind = match key.kind {
        KeyKind::Primary => "primary key",
        KeyKind::Unique => "unique key",
        KeyKind::Exclusion => "exclusion constraint",
        KeyKind::Index | KeyKind::Fulltext | KeyKind::Spatial => "index",
    };
    format!("{kind} of {} ({})", place(table), parts(key))
}

/// The parts as a person reads them.
fn parts(key: &Key) -> String {
    let parts = key
        .parts
        .iter()
        .map(|of| match (&of.term, of.plain_column()) {
            (_, Some(name)) => part(of).replacen(&quote::postgres(name), &place(name), 1),
            _ => part(of),
        });
    parts.collect::<Vec<_>>().join(", ")
}

/// Everything of a key that can differ.
fn shown(key: &Key) -> String {
    let mut text = match (key.kind, key.constraint) {
        (KeyKind::Primary, _) => "primary key".to_owned(),
        (KeyKind::Unique, true) => "unique constraint".to_owned(),
        (KeyKind::Unique, false) => "unique index".to_owned(),
        (KeyKind::Exclusion, _) => "exclusion constraint".to_owned(),
        _ => "index".to_owned(),
    };
    if let Some(method) = key.method.as_deref().filter(|method| *method != "btree") {
        text.push_str(&format!(" using {method}"));
    }
    text.push_str(&format!(" ({})", parts(key)));
    if !key.include.is_empty() {
        text.push_str(&format!(" include ({})", key.include.join(", ")));
    }
    if key.nulls_not_distinct {
        text.push_str(" nulls not distinct");
    }
    if let Some(condition) = &key.predicate {
        text.push_str(&format!(" where {condition}"));
    }
    if let Some(deferrable) = key.deferrable {
        text.push_str(match deferrable {
            catalog::Deferrable::InitiallyImmediate => " deferrable",
            catalog::Deferrable::InitiallyDeferred => " deferrable initially deferred",
        });
    }
    if !key.valid {
        text.push_str(" (not valid: its building was broken off)");
    }
    text
}

fn drop(table: &str, key: &Key) -> String {
    let name = quote::postgres(&key.name);
    match key.constraint {
        true => format!(
            "alter table {} drop constraint {name}",
            quote::postgres(table)
        ),
        false => format!("drop index {name}"),
    }
}

fn rename(table: &str, key: &Key, to: &str) -> String {
    let (name, to) = (quote::postgres(&key.name), quote::postgres(to));
    match key.constraint {
        true => format!(
            "alter table {} rename constraint {name} to {to}",
            quote::postgres(table)
        ),
        false => format!("alter index {name} rename to {to}"),
    }
}
