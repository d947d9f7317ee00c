//! Columns: there or not, type, collation, computation, default, NULL.

use catalog::{Key, KeyTerm, PostgresType, TargetColumn, TargetTable, quote};

use super::{Findings, keys, numbers, place};
use crate::compare::{Difference, DifferenceKind};
use crate::left_out::mentions;
use crate::sql::column::{add_column, separate_sequence, type_of};
use crate::sql::key::{add_check, add_foreign_key, create_key};

pub(super) fn compare(found: &mut Findings<'_>, expected: &TargetTable, live: &TargetTable) {
    let table = &expected.name;
    for column in &expected.columns {
        match live.column(&column.name) {
            Some(there) => compare_column(found, [expected, live], column, there),
            None => {
                let kind = DifferenceKind::Column;
                let mut difference = Difference::missing(kind, table, object(table, column));
                difference.mend = add_column(table, column);
                found.differences.push(difference);
            }
        }
    }
    for column in &live.columns {
        if expected.column(&column.name).is_none() {
            let kind = DifferenceKind::Column;
            let mut difference = Difference::unexpected(kind, table, object(table, column));
            difference.mend = vec![drop_column(table, column)];
            difference.loses = Some("its values are lost");
            let in_source = found.left_out(live).has_column(&column.name);
            let difference = difference.unless_in_source(in_source);
            found.differences.push(difference);
        }
    }
}

fn object(table: &str, column: &TargetColumn) -> String {
    format!("{}.{}", place(table), place(&column.name))
}

fn compare_column(
    found: &mut Findings<'_>,
    tables: [&TargetTable; 2],
    expected: &TargetColumn,
    live: &TargetColumn,
) {
    let name = &tables[0].name;
    let loses = loses(expected, live);
    let default_in_source = found.left_out(tables[1]).has_default(&live.name);
    let mut differ = |kind, [expected_as, found_as]: [String; 2], mend: Vec<String>| {
        let mut difference = Difference::of(kind, name, object(name, expected));
        difference.expected = Some(expected_as);
        difference.found = Some(found_as);
        difference.mend = mend;
        difference.loses = loses.filter(|_| kind == DifferenceKind::Type);
        if kind == DifferenceKind::Generated && live.generated.is_none() {
            difference.loses = Some("its values are lost");
        }
        let in_source = kind == DifferenceKind::Default && default_in_source;
        found
            .differences
            .push(difference.unless_in_source(in_source));
    };
    if expected.generated != live.generated
        || (expected.generated.is_some() && !same_type(expected, live))
    {
        let shown = [computation(expected), computation(live)];
        let kind = DifferenceKind::Generated;
        if expected.generated.is_some() || !is_stored(live) {
            differ(kind, shown, recompute(tables, expected));
            // Whatever else differs goes with the column that is made anew.
            return;
        }
        // It keeps its values, and what else differs is mended after it.
        differ(kind, shown, vec![alter(name, live, "drop expression")]);
    }
    if let Some((kind, shown, mend)) = compare_types(tables, expected, live) {
        differ(kind, shown, mend);
    }
    if expected.nullable != live.nullable {
        let shown = |nullable| if nullable { "nullable" } else { "not null" }.to_owned();
        let mend = if expected.nullable {
            "drop not null"
        } else {
            "set not null"
        };
        differ(
            DifferenceKind::Nullability,
            [shown(expected.nullable), shown(live.nullable)],
            vec![alter(name, live, mend)],
        );
    }
    if numbers::are_equal(expected, live) {
        if let Some((kind, shown, mend)) = compare_defaults(name, expected, live) {
            differ(kind, shown, mend);
        }
    } else {
        let shown = [numbers::shown(expected), numbers::shown(live)];
        differ(
            DifferenceKind::Sequence,
            shown,
            numbers::mend(name, expected, live),
        );
    }
    numbers::compare_names(found, name, expected, live);
}

fn compare_types(
    tables: [&TargetTable; 2],
    expected: &TargetColumn,
    live: &TargetColumn,
) -> Option<(DifferenceKind, [String; 2], Vec<String>)> {
    let name = &tables[0].name;
    if !same_type(expected, live) {
        let shown = [type_name(expected), type_name(live)];
        let through_text = changes_kind(expected, live);
        let to = type_of(expected);
        let change = retype(name, live, &to, through_text, default(expected));
        let mend = beside_generated(tables, expected, change);
        return Some((DifferenceKind::Type, shown, mend));
    }
    if expected.collation == live.collation {
        return None;
    }
    let collation = |column: &TargetColumn| {
        let collation = column.collation.clone();
        collation.unwrap_or_else(|| "the type's collation".to_owned())
    };
    let shown = [collation(expected), collation(live)];
    // Without one, the type's own comes back.
    let mend = alter(name, live, &format!("type {}", type_of(expected)));
    Some((DifferenceKind::Collation, shown, vec![mend]))
}

fn compare_defaults(
    table: &str,
    expected: &TargetColumn,
    live: &TargetColumn,
) -> Option<(DifferenceKind, [String; 2], Vec<String>)> {
    // A sequence or a type of another name is a difference of its own, where names count.
    let text = |column: &TargetColumn| {
        let text = column.default.clone()?;
        Some(match (separate_sequence(column), &column.data_type) {
            (Some(sequence), _) => {
                let name = quote::postgres_literal(&sequence.name);
                text.replace(&format!("{name}::regclass"), "…")
            }
            (None, PostgresType::Enum { name, .. }) => text.replace(&format!("::{name}"), "::…"),
            (None, _) => text,
        })
    };
    if text(expected) == text(live) || default_of_another_type(expected, live) {
        return None;
    }
    let shown = |column: &TargetColumn| {
        let default = column.default.as_ref();
        default.map_or_else(|| "no default".to_owned(), |text| format!("default {text}"))
    };
    let mend = match &expected.default {
        Some(default) => format!("set default {default}"),
        None => "drop default".to_owned(),
    };
    let shown = [shown(expected), shown(live)];
    Some((
        DifferenceKind::Default,
        shown,
        vec![alter(table, live, &mend)],
    ))
}

/// Whether the types differ and with them no more than how one default is spelled: a literal of
/// the one and the same literal of the other.
fn default_of_another_type(expected: &TargetColumn, live: &TargetColumn) -> bool {
    let literal = |column: &TargetColumn| {
        let (literal, _) = column.default.as_ref()?.rsplit_once("::")?;
        literal.starts_with('\'').then(|| literal.to_owned())
    };
    let literals = (literal(expected), literal(live));
    !same_type(expected, live) && literals.0.is_some() && literals.0 == literals.1
}

/// The default that is set beside a type: a sequence's is set where the sequence is.
fn default(column: &TargetColumn) -> Option<&str> {
    let default = column.default.as_deref();
    default.filter(|_| column.sequence.is_none())
}

/// Enum types are compared by their labels, in `enum_types.rs`.
fn same_type(expected: &TargetColumn, live: &TargetColumn) -> bool {
    let both_enums = matches!(
        (&expected.data_type, &live.data_type),
        (PostgresType::Enum { .. }, PostgresType::Enum { .. })
    );
    expected.domain == live.domain && (both_enums || expected.data_type == live.data_type)
}

fn type_name(column: &TargetColumn) -> String {
    match &column.domain {
        Some(domain) => format!("{domain} ({})", column.data_type),
        None => column.data_type.to_string(),
    }
}

/// What a change of the type may cost: nothing where the new one holds every value of the old
/// one, and where the server refuses what does not fit.
fn loses(expected: &TargetColumn, live: &TargetColumn) -> Option<&'static str> {
    use PostgresType as P;
    let is_kept = match (&live.data_type, &expected.data_type) {
        (from, to) if from == to => true,
        (_, P::Text | P::Varchar { length: None }) => true,
        (P::Varchar { length: Some(from) }, P::Varchar { length: Some(to) }) => from <= to,
        // Refused, but for blanks at the end.
        (P::Text | P::Varchar { .. }, P::Uuid | P::Json | P::Enum { .. } | P::Boolean) => true,
        (P::Char { .. }, P::Uuid) => true,
        (P::Smallint | P::Integer | P::Bigint, P::Smallint | P::Integer | P::Bigint) => true,
        (P::Smallint | P::Integer | P::Bigint, P::Numeric { .. }) => true,
        (P::Smallint | P::Integer | P::Bigint, P::Boolean) => true,
        (P::Boolean, P::Smallint | P::Integer | P::Bigint) => true,
        (
            P::Numeric {
                limits: Some((_, from)),
            },
            P::Numeric {
                limits: Some((_, to)),
            },
        ) => from <= to,
        (P::Numeric { .. }, P::Numeric { limits: None }) => true,
        (P::Real, P::Double) | (P::Date, P::Timestamp { .. }) | (P::Jsonb, P::Json) => true,
        (P::Timestamp { fraction: from }, P::Timestamp { fraction: to })
        | (P::Timestamptz { fraction: from }, P::Timestamptz { fraction: to })
        | (P::Time { fraction: from }, P::Time { fraction: to }) => from <= to,
        (P::Uuid | P::Enum { .. }, P::Enum { .. }) => true,
        _ => false,
    };
    (!is_kept).then_some("may round, cut or change values: look at them first")
}

/// Whether the server does not convert the values by itself. Where it does, it refuses a text that
/// is too long, which an explicit conversion would cut off; decimals and fractions of a second it
/// rounds, and of a moment that becomes a date it keeps the day alone.
fn changes_kind(expected: &TargetColumn, live: &TargetColumn) -> bool {
    fn family(data_type: &PostgresType) -> u8 {
        match data_type {
            PostgresType::Smallint
            | PostgresType::Integer
            | PostgresType::Bigint
            | PostgresType::Numeric { .. }
            | PostgresType::Real
            | PostgresType::Double => 1,
            PostgresType::Date
            | PostgresType::Timestamp { .. }
            | PostgresType::Timestamptz { .. } => 2,
            PostgresType::Bit { .. } | PostgresType::Varbit { .. } => 3,
            PostgresType::Json | PostgresType::Jsonb => 4,
            PostgresType::Time { .. } | PostgresType::Interval { .. } => 5,
            _ => 0,
        }
    }
    let to = &expected.data_type;
    let is_text = matches!(
        to,
        PostgresType::Text | PostgresType::Varchar { .. } | PostgresType::Char { .. }
    );
    let same_family = family(to) != 0 && family(to) == family(&live.data_type);
    let same_kind = std::mem::discriminant(to) == std::mem::discriminant(&live.data_type);
    let is_other = matches!(to, PostgresType::Other(_) | PostgresType::Array(_));
    !is_text && !same_family && (is_other || !same_kind)
}

/// Changes a column's type and gives it a default of the new one.
pub(super) fn retype(
    table: &str,
    live: &TargetColumn,
    to: &str,
    through_text: bool,
    default: Option<&str>,
) -> String {
    let name = quote::postgres(&live.name);
    let mut actions = Vec::new();
    // The server would convert the default like a value, and cannot always.
    if live.default.is_some() && live.sequence.is_none() {
        actions.push(format!("alter column {name} drop default"));
    }
    let (bare, _) = to.split_once(" collate ").unwrap_or((to, ""));
    let from_boolean = live.data_type == PostgresType::Boolean && bare != "text";
    let using = match through_text {
        // `true` is no number, and 1 is.
        true if from_boolean => format!(" using {name}::integer::{bare}"),
        true => format!(" using {name}::text::{bare}"),
        false => String::new(),
    };
    actions.push(format!("alter column {name} type {to}{using}"));
    actions.extend(default.map(|default| format!("alter column {name} set default {default}")));
    format!(
        "alter table {} {}",
        quote::postgres(table),
        actions.join(", ")
    )
}

fn computation(column: &TargetColumn) -> String {
    match &column.generated {
        None => "not generated".to_owned(),
        Some(generated) => {
            let kind = if generated.stored {
                "stored"
            } else {
                "virtual"
            };
            format!(
                "{} generated ({}) {kind}",
                column.data_type, generated.expression
            )
        }
    }
}

/// A type cannot be changed under a generated column: those that mention the column go before,
/// and are computed anew.
fn beside_generated(
    tables: [&TargetTable; 2],
    changed: &TargetColumn,
    change: String,
) -> Vec<String> {
    let table = tables[0];
    let columns = table.columns.iter();
    let computed: Vec<&TargetColumn> = columns
        .filter(|column| {
            let generated = column.generated.as_ref();
            generated.is_some_and(|generated| mentions(&generated.expression, &changed.name))
        })
        .collect();
    let drops = computed.iter();
    let mut statements: Vec<String> = drops
        .map(|column| drop_column(&table.name, column))
        .collect();
    statements.push(change);
    statements.extend(
        computed
            .into_iter()
            .flat_map(|column| added(tables, column)),
    );
    statements
}

fn is_stored(column: &TargetColumn) -> bool {
    column
        .generated
        .as_ref()
        .is_some_and(|generated| generated.stored)
}

/// A column cannot be made a generated one, nor get another expression in all versions: it is
/// made anew, with what belongs to it.
fn recompute(tables: [&TargetTable; 2], expected: &TargetColumn) -> Vec<String> {
    let mut statements = vec![drop_column(&tables[0].name, expected)];
    statements.extend(added(tables, expected));
    statements
}

/// Adds a column with the keys and checks that went with it: what the live table lacked before
/// is a difference of its own.
fn added([table, live]: [&TargetTable; 2], column: &TargetColumn) -> Vec<String> {
    let (name, of_table) = (&column.name, &table.name);
    let mut statements = add_column(of_table, column);
    let keys = table.keys.iter().filter(|key| is_on(key, name));
    let keys = keys.filter(|key| live.keys.iter().any(|there| keys::same(key, there)));
    statements.extend(keys.map(|key| create_key(of_table, key)));
    let checks = table.checks.iter();
    let checks = checks.filter(|check| mentions(&check.expression, name));
    let checks = checks.filter(|check| {
        let mut there = live.checks.iter();
        there.any(|there| there.expression == check.expression)
    });
    statements.extend(checks.map(|check| add_check(of_table, check)));
    let keys = table.foreign_keys.iter();
    let keys = keys.filter(|key| key.columns.contains(name));
    let keys = keys.filter(|key| live.foreign_keys.iter().any(|there| key.refers_like(there)));
    statements.extend(keys.map(|key| add_foreign_key(of_table, key)));
    statements
}

/// Whether a key goes with a column.
fn is_on(key: &Key, column: &str) -> bool {
    let mut terms = key.parts.iter().map(|part| match &part.term {
        KeyTerm::Column { name, .. } => name == column,
        KeyTerm::Expression { expression } => mentions(expression, column),
    });
    let condition = key.predicate.as_ref();
    terms.any(|it_is| it_is)
        || key.include.iter().any(|name| name == column)
        || condition.is_some_and(|text| mentions(text, column))
}

fn drop_column(table: &str, column: &TargetColumn) -> String {
    format!(
        "alter table {} drop column if exists {}",
        quote::postgres(table),
        quote::postgres(&column.name)
    )
}

/// Changes one thing of a column.
pub(super) fn alter(table: &str, column: &TargetColumn, action: &str) -> String {
    format!(
        "alter table {} alter column {} {action}",
        quote::postgres(table),
        quote::postgres(&column.name)
    )
}
