//! What of a source's table has no counterpart in what is planned of it.
//!
//! Looked at before names are given, so that what is there has its name of the source.

use catalog::{KeyKind, KeyTerm, TargetTable, quote};

use super::subject::SubjectTable;
use crate::left_out::{LeftOut, LeftOutKind};
use crate::shortened;

pub(super) fn of(table: &SubjectTable<'_>, planned: &TargetTable) -> Vec<LeftOut> {
    let made = |kind, name: &str, columns: Vec<String>| LeftOut {
        table: planned.name.clone(),
        kind,
        name: name.to_owned(),
        columns,
    };
    let mut all = Vec::new();
    for column in &table.source.columns {
        let name = shortened(&column.name);
        match planned.column(&name) {
            None => all.push(made(LeftOutKind::Column, &name, Vec::new())),
            Some(there) if column.effective_default().is_some() && there.default.is_none() => {
                all.push(made(LeftOutKind::Default, &name, Vec::new()));
            }
            Some(_) => {}
        }
    }
    for check in &table.source.checks {
        if !planned.checks.iter().any(|there| there.name == check.name) {
            let columns = spoken_of(table, &[&check.expression]);
            all.push(made(LeftOutKind::Check, &check.name, columns));
        }
    }
    for key in &table.source.keys {
        let is_there = planned.keys.iter().any(|there| there.name == key.name);
        let overlaps = key.without_overlaps.is_some();
        if !overlaps && (is_there || key.kind == KeyKind::Primary) {
            continue;
        }
        let plain = key.plain_columns();
        let of_its_own = overlaps || matches!(key.kind, KeyKind::Fulltext | KeyKind::Spatial);
        let unique = key.is_unique() && !overlaps;
        let (plain, columns) = match plain.filter(|_| !of_its_own) {
            Some(columns) => {
                let columns = columns.into_iter().map(shortened);
                (true, columns.collect())
            }
            None => {
                let terms = key.parts.iter().map(|part| match &part.term {
                    KeyTerm::Column { name, .. } => quote::mysql(name),
                    KeyTerm::Expression { expression } => expression.clone(),
                });
                let terms: Vec<String> = terms.collect();
                let terms: Vec<&String> = terms.iter().collect();
                (false, spoken_of(table, &terms))
            }
        };
        all.push(made(LeftOutKind::Key { unique, plain }, &key.name, columns));
    }
    for key in &table.source.foreign_keys {
        let mut there = planned.foreign_keys.iter();
        if !there.any(|there| there.name == key.name) {
            let columns = key.columns.iter().map(|name| shortened(name)).collect();
            all.push(made(LeftOutKind::ForeignKey, &key.name, columns));
        }
    }
    all
}

/// The columns that expressions of the source speak of, by their names here.
fn spoken_of(table: &SubjectTable<'_>, expressions: &[&String]) -> Vec<String> {
    let is_spoken_of = |name: &str| {
        let quoted = quote::mysql(name).to_lowercase();
        expressions
            .iter()
            .any(|expression| expression.to_lowercase().contains(&quoted))
    };
    let columns = table.source.columns.iter();
    let mut names: Vec<String> = columns
        .filter(|column| is_spoken_of(&column.name))
        .map(|column| shortened(&column.name))
        .collect();
    names.sort_unstable();
    names
}
