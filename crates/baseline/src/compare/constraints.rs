//! Foreign keys and checks, by what they demand.

use catalog::{Check, ForeignKey, TargetTable, quote};

use super::{Findings, pair, place};
use crate::compare::{Difference, DifferenceKind};
use crate::sql::key::{add_check, add_foreign_key};

pub(super) fn compare_foreign_keys(
    found: &mut Findings<'_>,
    expected: &TargetTable,
    live: &TargetTable,
) {
    let table = &expected.name;
    let kind = DifferenceKind::ForeignKey;
    let paired = pair(
        &expected.foreign_keys,
        &live.foreign_keys,
        same_key,
        ForeignKey::refers_like,
    );
    for (wanted, there) in paired.same {
        let object = key_object(table, there);
        found.compare_names(table, object, [&wanted.name, &there.name], || {
            rename(table, &there.name, &wanted.name)
        });
    }
    for (wanted, there) in paired.alike {
        let mut difference = Difference::of(kind, table, key_object(table, wanted));
        difference.expected = Some(shown(wanted));
        difference.found = Some(shown(there));
        difference.mend = match is_only_validation(wanted, there) {
            true => vec![validate(table, &there.name)],
            false => vec![drop(table, &there.name), add_foreign_key(table, wanted)],
        };
        found.differences.push(difference);
    }
    for wanted in paired.missing {
        let mut difference = Difference::missing(kind, table, key_object(table, wanted));
        difference.mend = vec![add_foreign_key(table, wanted)];
        found.differences.push(difference);
    }
    for there in paired.unexpected {
        let mut difference = Difference::unexpected(kind, table, key_object(table, there));
        difference.mend = vec![drop(table, &there.name)];
        let in_source = found.left_out(live).has_foreign_key(there);
        let difference = difference.unless_in_source(in_source);
        found.differences.push(difference);
    }
}

pub(super) fn compare_checks(found: &mut Findings<'_>, expected: &TargetTable, live: &TargetTable) {
    let table = &expected.name;
    let kind = DifferenceKind::Check;
    let object = |check: &Check| format!("check of {} ({})", place(table), check.expression);
    let alike = |a: &Check, b: &Check| a.name == b.name || a.expression == b.expression;
    let paired = pair(&expected.checks, &live.checks, same_check, alike);
    for (wanted, there) in paired.same {
        let names = [wanted.name.as_str(), &there.name];
        found.compare_names(table, object(there), names, || {
            rename(table, &there.name, &wanted.name)
        });
    }
    for (wanted, there) in paired.alike {
        let mut difference = Difference::of(kind, table, object(wanted));
        difference.expected = Some(shown_check(wanted));
        difference.found = Some(shown_check(there));
        let unvalidated = Check {
            validated: there.validated,
            ..wanted.clone()
        };
        difference.mend = match same_check(&unvalidated, there) && wanted.validated {
            true => vec![validate(table, &there.name)],
            false => vec![drop(table, &there.name), add_check(table, wanted)],
        };
        found.differences.push(difference);
    }
    for wanted in paired.missing {
        let mut difference = Difference::missing(kind, table, object(wanted));
        difference.mend = vec![add_check(table, wanted)];
        found.differences.push(difference);
    }
    for there in paired.unexpected {
        let mut difference = Difference::unexpected(kind, table, object(there));
        difference.mend = vec![drop(table, &there.name)];
        let in_source = found.left_out(live).has_check(there);
        let difference = difference.unless_in_source(in_source);
        found.differences.push(difference);
    }
}

fn same_key(expected: &ForeignKey, live: &ForeignKey) -> bool {
    expected.refers_like(live)
        && expected.validated == live.validated
        && is_only_validation(expected, live)
}

/// Whether two that are alike differ in nothing but whether the rows were looked at; `not valid`
/// can be taken back, and is never wanted where it is not there.
fn is_only_validation(expected: &ForeignKey, live: &ForeignKey) -> bool {
    (&expected.on_delete, &expected.on_update) == (&live.on_delete, &live.on_update)
        && expected.on_delete_columns == live.on_delete_columns
        && expected.match_full == live.match_full
        && expected.deferrable == live.deferrable
        && expected.enforced == live.enforced
        && expected.validated >= live.validated
}

fn same_check(expected: &Check, live: &Check) -> bool {
    (&expected.expression, expected.enforced, expected.validated)
        == (&live.expression, live.enforced, live.validated)
}

fn key_object(table: &str, key: &ForeignKey) -> String {
    let list = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| place(name)).collect();
        names.join(", ")
    };
    let mut referenced = place(&key.referenced_table);
    if let Some(schema) = &key.referenced_schema {
        referenced = format!("{}.{referenced}", place(schema));
    }
    format!(
        "foreign key of {} ({}) to {referenced} ({})",
        place(table),
        list(&key.columns),
        list(&key.referenced_columns)
    )
}

/// What it does, and when.
fn shown(key: &ForeignKey) -> String {
    let (delete, update) = (key.on_delete.to_lowercase(), key.on_update.to_lowercase());
    let columns = match key.on_delete_columns.is_empty() {
        true => String::new(),
        false => format!(" ({})", key.on_delete_columns.join(", ")),
    };
    let full = if key.match_full { "match full " } else { "" };
    let mut text = format!("{full}on delete {delete}{columns} on update {update}");
    if let Some(deferrable) = key.deferrable {
        text.push_str(match deferrable {
            catalog::Deferrable::InitiallyImmediate => " deferrable",
            catalog::Deferrable::InitiallyDeferred => " deferrable initially deferred",
        });
    }
    text + looked_at(key.enforced, key.validated)
}

fn shown_check(check: &Check) -> String {
    let looked_at = looked_at(check.enforced, check.validated);
    format!("({}){looked_at}", check.expression)
}

fn looked_at(enforced: bool, validated: bool) -> &'static str {
    match (enforced, validated) {
        (false, _) => " (not enforced)",
        (true, false) => " (not valid: the rows were never looked at)",
        (true, true) => "",
    }
}

fn drop(table: &str, name: &str) -> String {
    on_constraint(table, "drop", name)
}

fn validate(table: &str, name: &str) -> String {
    on_constraint(table, "validate", name)
}

fn on_constraint(table: &str, verb: &str, name: &str) -> String {
    let (table, name) = (quote::postgres(table), quote::postgres(name));
    format!("alter table {table} {verb} constraint {name}")
}

fn rename(table: &str, from: &str, to: &str) -> String {
    let (from, to) = (quote::postgres(from), quote::postgres(to));
    format!(
        "alter table {} rename constraint {from} to {to}",
        quote::postgres(table)
    )
}
