//! Triggers, functions and what else a baseline brings with it beside tables; what the target has
//! of its own is its owner's.

use catalog::{ObjectKind, OtherObject, PostgresType, TargetCatalog};

use super::{Findings, place};
use crate::compare::{Difference, DifferenceKind};

pub(super) fn compare(found: &mut Findings<'_>) {
    for expected in &found.expected.others {
        let kind = match expected.kind {
            ObjectKind::Trigger => DifferenceKind::Trigger,
            ObjectKind::Function => DifferenceKind::Function,
            _ => DifferenceKind::Object,
        };
        let same = |other: &&OtherObject| {
            (other.kind, &other.table, &other.name)
                == (expected.kind, &expected.table, &expected.name)
        };
        let live = found.live.others.iter().find(same);
        if live.is_some_and(|live| live.definition == expected.definition)
            || is_type_of_a_column(found.live, expected)
        {
            continue;
        }
        let table = expected.table.as_deref();
        let object = match table {
            Some(table) => format!("trigger {} of {}", place(&expected.name), place(table)),
            None => format!("{} {}", expected.kind.label(), expected.name),
        };
        let mut difference = Difference::missing(kind, table.unwrap_or_default(), object);
        difference.table = table.map(str::to_owned);
        difference.mend = expected.definition.iter().cloned().collect();
        if let (Some(_), Some(table)) = (live, table) {
            let name = catalog::quote::postgres(&expected.name);
            let drop = format!("drop trigger {name} on {}", catalog::quote::postgres(table));
            difference.mend.insert(0, drop);
        }
        if live.is_some() {
            difference.side = super::DifferenceSide::Different;
            difference.expected = Some("as the baseline makes it".to_owned());
            difference.found = Some("another definition".to_owned());
        }
        found.differences.push(difference);
    }
}

/// A type that no column of the baseline has may have one in the target.
fn is_type_of_a_column(live: &TargetCatalog, expected: &OtherObject) -> bool {
    let columns = live.tables.iter().flat_map(|table| &table.columns);
    let mut names = columns.filter_map(|column| match &column.data_type {
        PostgresType::Enum { name, .. } => Some(name),
        _ => column.domain.as_ref(),
    });
    let quoted = catalog::quote::postgres(&expected.name);
    expected.kind == ObjectKind::Type && names.any(|name| *name == expected.name || *name == quoted)
}
