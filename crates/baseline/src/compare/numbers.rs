//! Identities and sequences: how a column is numbered, and how one way becomes another without
//! giving a number twice.

use catalog::{Identity, Sequence, TargetColumn, quote};

use super::columns::alter;
use super::{Findings, place};
use crate::names::shortened;
use crate::sql::column::{
    create_sequence, identity, largest_number, own_sequence, separate_sequence,
};

/// Whether both are numbered in the same way; the names of the sequences do not count.
pub(super) fn are_equal(expected: &TargetColumn, live: &TargetColumn) -> bool {
    let unnamed = |column: &TargetColumn| {
        let sequence = column.sequence.clone();
        sequence.map(|sequence| Sequence {
            name: String::new(),
            ..sequence
        })
    };
    expected.identity == live.identity && unnamed(expected) == unnamed(live)
}

pub(super) fn compare_names(
    found: &mut Findings<'_>,
    table: &str,
    expected: &TargetColumn,
    live: &TargetColumn,
) {
    let (Some(wanted), Some(there)) = (expected.sequence_name(), live.sequence_name()) else {
        return;
    };
    // Another way of numbering ends with another sequence anyway.
    if expected.identity.is_some() != live.identity.is_some() {
        return;
    }
    let object = format!("sequence of {}.{}", place(table), place(&live.name));
    found.compare_names(table, object, [wanted, there], || {
        format!("alter sequence {there} rename to {wanted}")
    });
}

/// As a person reads it.
pub(super) fn shown(column: &TargetColumn) -> String {
    let Some(sequence) = &column.sequence else {
        return "not numbered".to_owned();
    };
    let kind = match column.identity {
        Some(Identity::Always) => "identity (always)",
        Some(Identity::ByDefault) => "identity (by default)",
        None if sequence.owned => "sequence of its own",
        None => "sequence that it does not own",
    };
    let mut text = format!("{kind}, {}", sequence.data_type);
    let usual = (1, 1, 1, largest_number(&sequence.data_type));
    let has = (
        sequence.start,
        sequence.increment,
        sequence.min,
        sequence.max,
    );
    if has != usual {
        text.push_str(&format!(
            " from {} by {} within {} and {}",
            sequence.start, sequence.increment, sequence.min, sequence.max
        ));
    }
    if sequence.cycle {
        text.push_str(", cycling");
    }
    text
}

/// What numbers a column as expected and goes on behind the last number.
pub(super) fn mend(table: &str, expected: &TargetColumn, live: &TargetColumn) -> Vec<String> {
    match (expected.identity, live.identity) {
        (Some(wanted), Some(there)) => {
            let mut statements = Vec::new();
            if wanted != there {
                let kind = match wanted {
                    Identity::Always => "always",
                    Identity::ByDefault => "by default",
                };
                statements.push(alter(table, live, &format!("set generated {kind}")));
            }
            statements.extend(reshape(table, expected, live));
            statements
        }
        (Some(kind), None) => become_identity(table, expected, live, kind),
        (None, Some(_)) => leave_identity(table, expected, live),
        (None, None) if expected.sequence.is_some() && live.sequence.is_some() => {
            reshape(table, expected, live)
        }
        (None, None) => {
            let mut statements = Vec::new();
            if live.sequence.is_some() {
                statements.push(alter(table, live, "drop default"));
                statements.extend(drop_sequence(live));
            }
            statements.extend(take_numbers(table, expected));
            statements
        }
    }
}

/// From a sequence or from nothing to an identity.
fn become_identity(
    table: &str,
    expected: &TargetColumn,
    live: &TargetColumn,
    kind: Identity,
) -> Vec<String> {
    let add = alter(
        table,
        live,
        &format!("add {}", identity(table, expected, kind)),
    );
    let Some(old) = separate_sequence(live) else {
        let mut statements = Vec::new();
        if live.default.is_some() {
            statements.push(alter(table, live, "drop default"));
        }
        statements.extend([add, go_on(table, expected)]);
        return statements;
    };
    let mut statements = vec![alter(table, live, "drop default")];
    if old.owned {
        statements.push(format!("alter sequence {} owned by none", old.name));
    }
    statements.push(add);
    statements.push(format!(
        "select pg_catalog.setval({}, last_value, is_called) from {}",
        serial_sequence(table, live),
        old.name
    ));
    statements.extend(drop_sequence(live));
    statements
}

/// From an identity to a sequence or to nothing; a sequence goes on where the identity was.
fn leave_identity(table: &str, expected: &TargetColumn, live: &TargetColumn) -> Vec<String> {
    let drop = alter(table, live, "drop identity");
    let (Some(new), Some(old)) = (separate_sequence(expected), live.sequence_name()) else {
        let mut statements = vec![drop];
        statements.extend(take_numbers(table, expected));
        return statements;
    };
    let beside = quote::postgres(&shortened(&format!("{}_before", old.replace('"', ""))));
    let mut statements = vec![format!("alter sequence {old} rename to {beside}")];
    statements.extend(create_sequence(expected));
    statements.push(format!(
        "select pg_catalog.setval({}, last_value, is_called) from {beside}",
        quote::postgres_literal(&new.name)
    ));
    statements.push(drop);
    if let Some(default) = &expected.default {
        statements.push(alter(table, expected, &format!("set default {default}")));
    }
    statements.extend(own_sequence(table, expected));
    statements
}

/// The default that a column is to have, and the sequence that it takes its numbers from.
fn take_numbers(table: &str, expected: &TargetColumn) -> Vec<String> {
    // It may have stayed when the default went.
    let create = create_sequence(expected);
    let create =
        create.map(|sql| sql.replacen("create sequence", "create sequence if not exists", 1));
    let mut statements: Vec<String> = create.into_iter().collect();
    if let Some(default) = &expected.default {
        statements.push(alter(table, expected, &format!("set default {default}")));
    }
    if let Some(own) = own_sequence(table, expected) {
        statements.extend([own, go_on(table, expected)]);
    }
    statements
}

/// A sequence goes with the column that owns it; one that nobody owns may have other users.
fn drop_sequence(live: &TargetColumn) -> Option<String> {
    let sequence = separate_sequence(live).filter(|sequence| sequence.owned)?;
    Some(format!("drop sequence {}", sequence.name))
}

/// Goes on behind the largest number of the rows that are there.
fn go_on(table: &str, column: &TargetColumn) -> String {
    let name = quote::postgres(&column.name);
    let start = column
        .sequence
        .as_ref()
        .map_or(1, |sequence| sequence.start);
    format!(
        "select pg_catalog.setval({}, greatest(max({name})::bigint + 1, {start}), false) from {}",
        serial_sequence(table, column),
        quote::postgres(table)
    )
}

fn serial_sequence(table: &str, column: &TargetColumn) -> String {
    format!(
        "pg_catalog.pg_get_serial_sequence({}, {})",
        quote::postgres_literal(&quote::postgres(table)),
        quote::postgres_literal(&column.name)
    )
}

/// Gives the sequence that is there the options of the expected one.
fn reshape(table: &str, expected: &TargetColumn, live: &TargetColumn) -> Vec<String> {
    let (Some(wanted), Some(there)) = (&expected.sequence, &live.sequence) else {
        return Vec::new();
    };
    let mut statements = Vec::new();
    let options = |sequence: &Sequence| Sequence {
        name: String::new(),
        owned: true,
        ..sequence.clone()
    };
    if options(wanted) != options(there) {
        let cycle = if wanted.cycle { "cycle" } else { "no cycle" };
        statements.push(format!(
            "alter sequence {} as {} increment by {} minvalue {} maxvalue {} start with {} {cycle}",
            there.name, wanted.data_type, wanted.increment, wanted.min, wanted.max, wanted.start
        ));
    }
    if wanted.owned != there.owned {
        let owner = match wanted.owned {
            true => format!("{}.{}", quote::postgres(table), quote::postgres(&live.name)),
            false => "none".to_owned(),
        };
        statements.push(format!("alter sequence {} owned by {owner}", there.name));
    }
    statements
}
