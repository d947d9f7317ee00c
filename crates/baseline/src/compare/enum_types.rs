//! Enum types: those that are missing, and those whose labels are not as expected.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{ObjectKind, PostgresType, TargetCatalog, TargetColumn, quote};

use super::{Findings, Names, columns, place};
use crate::compare::{Difference, DifferenceKind};
use crate::names::shortened;
use crate::sql::column::type_of;
use crate::sql::pre_data::create_type;

/// Types by name, as it stands in SQL.
type EnumTypes<'c> = BTreeMap<&'c str, &'c [String]>;

/// The types of a catalogue's columns.
fn types(catalog: &TargetCatalog) -> EnumTypes<'_> {
    let columns = catalog.tables.iter().flat_map(|table| &table.columns);
    let types = columns.filter_map(|column| match &column.data_type {
        PostgresType::Enum { name, labels } => Some((name.as_str(), labels.as_slice())),
        _ => None,
    });
    types.collect()
}

/// Looks at the types behind the columns that both sides have, and at those that are needed.
pub(super) fn compare(found: &mut Findings<'_>) {
    let live_types = types(found.live);
    let mut seen = BTreeSet::new();
    let mut needed = EnumTypes::new();
    for table in &found.expected.tables {
        for column in &table.columns {
            let PostgresType::Enum { name, labels } = &column.data_type else {
                continue;
            };
            let there = found.live.table(&table.name);
            let there = there.and_then(|table| table.column(&column.name));
            match there.map(|column| &column.data_type) {
                Some(PostgresType::Enum {
                    name: live,
                    labels: live_labels,
                }) => {
                    let shared = labels != live_labels && is_shared(found, live, labels);
                    if !shared && !seen.insert((name, live)) {
                        continue;
                    }
                    if shared {
                        let of = [table.name.as_str(), &column.name];
                        found
                            .differences
                            .push(apart(of, name, labels, live_labels, column));
                        needed.insert(name, labels);
                        continue;
                    }
                    if labels != live_labels {
                        let difference = labels_differ(found.live, live, live_labels, labels);
                        found.differences.push(difference);
                    }
                    if found.names == Names::Compared && name != live {
                        found.differences.push(renamed(live, name));
                    }
                }
                _ => {
                    needed.insert(name, labels);
                }
            }
        }
    }
    let is_unused = |name: &str| {
        let others = found.live.others.iter();
        others.into_iter().any(|other| {
            let same = other.name == name || quote::postgres(&other.name) == name;
            other.kind == ObjectKind::Type && same
        })
    };
    let is_there = |name: &&str| live_types.contains_key(name) || is_unused(name);
    let missing: Vec<Difference> = needed
        .into_iter()
        .filter(|(name, _)| !is_there(name))
        .map(|(name, labels)| {
            let mut difference =
                Difference::missing(DifferenceKind::EnumType, "", format!("enum type {name}"));
            difference.table = None;
            difference.mend = vec![create_type(name, labels)];
            difference
        })
        .collect();
    found.differences.extend(missing);
}

/// Whether a live type serves columns that are to have other labels than these: it cannot become
/// both.
fn is_shared(found: &Findings<'_>, live: &str, labels: &[String]) -> bool {
    found.expected.tables.iter().any(|table| {
        let there = found.live.table(&table.name);
        table.columns.iter().any(|column| {
            let there = there.and_then(|table| table.column(&column.name));
            match (there.map(|there| &there.data_type), &column.data_type) {
                (
                    Some(PostgresType::Enum { name, .. }),
                    PostgresType::Enum { labels: others, .. },
                ) => name == live && others != labels,
                _ => false,
            }
        })
    })
}

/// A column that shares a type with others and is to have one of its own.
fn apart(
    [table, column]: [&str; 2],
    name: &str,
    labels: &[String],
    live: &[String],
    expected: &TargetColumn,
) -> Difference {
    let object = format!("{}.{}", place(table), place(column));
    let mut difference = Difference::of(DifferenceKind::Type, table, object);
    difference.expected = Some(format!("{name} {}", shown(labels)));
    difference.found = Some(format!("a type of {}, which others have too", shown(live)));
    let default = expected.default.as_deref();
    difference.mend = vec![columns::retype(table, expected, name, true, default)];
    difference
}

fn renamed(live: &str, expected: &str) -> Difference {
    let mut difference = Difference::of(DifferenceKind::Name, "", format!("enum type {live}"));
    difference.table = None;
    difference.expected = Some(expected.to_owned());
    difference.found = Some(live.to_owned());
    difference.mend = vec![format!("alter type {live} rename to {expected}")];
    difference
}

fn labels_differ(
    catalog: &TargetCatalog,
    name: &str,
    live: &[String],
    expected: &[String],
) -> Difference {
    let mut difference =
        Difference::of(DifferenceKind::EnumLabels, "", format!("enum type {name}"));
    difference.table = None;
    difference.expected = Some(shown(expected));
    difference.found = Some(shown(live));
    difference.mend = match added(name, live, expected) {
        Some(statements) => statements,
        None => made_anew(catalog, name, expected),
    };
    difference
}

fn shown(labels: &[String]) -> String {
    let labels: Vec<String> = labels.iter().map(|l| quote::postgres_literal(l)).collect();
    format!("({})", labels.join(", "))
}

/// Adds labels, where nothing else has to be done.
fn added(name: &str, live: &[String], expected: &[String]) -> Option<Vec<String>> {
    let mut there = live.iter().peekable();
    let mut statements = Vec::new();
    let mut before: Option<&String> = None;
    for label in expected {
        if there.next_if_eq(&label).is_none() {
            let place = match (before, live.first()) {
                (Some(before), _) => format!(" after {}", quote::postgres_literal(before)),
                (None, Some(first)) => format!(" before {}", quote::postgres_literal(first)),
                (None, None) => String::new(),
            };
            let label = quote::postgres_literal(label);
            statements.push(format!("alter type {name} add value {label}{place}"));
        }
        before = Some(label);
    }
    there.next().is_none().then_some(statements)
}

/// PostgreSQL takes no label away and moves none: another type takes the place of this one.
fn made_anew(catalog: &TargetCatalog, name: &str, expected: &[String]) -> Vec<String> {
    let old = quote::postgres(&shortened(&format!("{}_before", name.replace('"', ""))));
    let mut statements = vec![
        format!("alter type {name} rename to {old}"),
        create_type(name, expected),
    ];
    for table in &catalog.tables {
        for column in &table.columns {
            if matches!(&column.data_type, PostgresType::Enum { name: of, .. } if of == name) {
                statements.push(columns::retype(
                    &table.name,
                    column,
                    &type_of(column),
                    true,
                    column.default.as_deref(),
                ));
            }
        }
    }
    statements.push(format!("drop type {old}"));
    statements
}
