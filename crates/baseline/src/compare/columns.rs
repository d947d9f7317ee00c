//! Columns: there or not, type, collation, computation, default, NULL.

use catalog::{Key, KeyTerm, PostgresType, TargetColumn, TargetTable, quote};

use super::{Findings, numbers, place};
use crate::compare::{Difference, DifferenceKind};
use crate::sql::column::{add_column, separate_sequence, type_of};
use crate::sql::key::{add_check, add_foreign_key, create_key};

pub(super) fn compare(found: &mut Findings<'_>, expected: &TargetTable, live: &TargetTable) {
    let table = &expected.name;
    for column in &expected.columns {
        match live.column(&column.name) {
            Some(there) => compare_column(found, expected, column, there),
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
            found.differences.push(difference);
        }
    }
}

fn object(table: &str, column: &TargetColumn) -> String {
    format!("{}.{}", place(table), place(&column.name))
}

fn compare_column(
    found: &mut Findings<'_>,
    table: &TargetTable,
    expected: &TargetColumn,
    live: &TargetColumn,
) {
    let name = &table.name;
    let mut differ = |kind, [expected_as, found_as]: [String; 2], mend: Vec<String>| {
        let mut difference = Difference::of(kind, name, object(name, expected));
        difference.expected = Some(expected_as);
        difference.found = Some(found_as);
        difference.mend = mend;
        found.differences.push(difference);
    };
    let is_computed = expected.generated.is_some() && expected.generated == live.generated;
    if expected.generated != live.generated || (is_computed && !same_type(expected, live)) {
        let shown = [computation(expected), computation(live)];
        let kind = DifferenceKind::Generated;
        differ(kind, shown, recompute(table, expected, live));
        // Whatever else differs goes with the column that is made anew.
        return;
    }
    if !same_type(expected, live) {
        let shown = [type_name(expected), type_name(live)];
        let through_text = changes_kind(expected, live);
        let to = type_of(expected);
        let change = retype(name, live, &to, through_text, default(expected));
        differ(
            DifferenceKind::Type,
            shown,
            beside_generated(table, expected, change),
        );
    } else if expected.collation != live.collation {
        let collation = |column: &TargetColumn| {
            let collation = column.collation.clone();
            collation.unwrap_or_else(|| "the type's collation".to_owned())
        };
        let shown = [collation(expected), collation(live)];
        // Without one, the type's own comes back.
        let mend = alter(name, live, &format!("type {}", type_of(expected)));
        differ(DifferenceKind::Collation, shown, vec![mend]);
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

fn compare_defaults(
    table: &str,
    expected: &TargetColumn,
    live: &TargetColumn,
) -> Option<(DifferenceKind, [String; 2], Vec<String>)> {
    // A sequence or a type of another name is a difference of its own, where names count.
    let text = |column: &TargetColumn| {
        let text = column.default.clone()?;
        Some(match (separate_sequence(column), &column.data_type) {
            (Some(sequence), _) => text.replace(&sequence.name, "…"),
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
    let using = match through_text {
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
fn beside_generated(table: &TargetTable, changed: &TargetColumn, change: String) -> Vec<String> {
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
    statements.extend(computed.into_iter().flat_map(|column| added(table, column)));
    statements
}

/// A column cannot be made a generated one, nor get another expression in all versions: it is
/// made anew, with what belongs to it. One that is to be computed no more keeps its values.
fn recompute(table: &TargetTable, expected: &TargetColumn, live: &TargetColumn) -> Vec<String> {
    let is_stored = live
        .generated
        .as_ref()
        .is_some_and(|generated| generated.stored);
    if expected.generated.is_none() && is_stored && same_type(expected, live) {
        let mut statements = vec![alter(&table.name, live, "drop expression")];
        let default = expected.default.as_ref();
        statements.extend(
            default.map(|default| alter(&table.name, live, &format!("set default {default}"))),
        );
        if expected.nullable != live.nullable {
            let null = if expected.nullable {
                "drop not null"
            } else {
                "set not null"
            };
            statements.push(alter(&table.name, live, null));
        }
        return statements;
    }
    let mut statements = vec![drop_column(&table.name, expected)];
    statements.extend(added(table, expected));
    statements
}

/// Adds a column with the keys and checks that went with it.
fn added(table: &TargetTable, column: &TargetColumn) -> Vec<String> {
    let (name, of_table) = (&column.name, &table.name);
    let mut statements = add_column(of_table, column);
    let has = |key: &&Key| {
        let mut terms = key.parts.iter().map(|part| match &part.term {
            KeyTerm::Column { name: of, .. } => of == name,
            KeyTerm::Expression { expression } => mentions(expression, name),
        });
        let condition = key.predicate.as_ref();
        terms.any(|it_is| it_is)
            || key.include.contains(name)
            || condition.is_some_and(|text| mentions(text, name))
    };
    let keys = table.keys.iter().filter(has);
    statements.extend(keys.filter_map(|key| create_key(of_table, key)));
    let checks = table.checks.iter();
    let checks = checks.filter(|check| mentions(&check.expression, name));
    statements.extend(checks.map(|check| add_check(of_table, check)));
    let keys = table.foreign_keys.iter();
    let keys = keys.filter(|key| key.columns.contains(name));
    statements.extend(keys.map(|key| add_foreign_key(of_table, key)));
    statements
}

/// Whether an expression may speak of a column; in doubt it does.
fn mentions(expression: &str, column: &str) -> bool {
    let mut words = expression.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    expression.contains(&quote::postgres(column)) || words.any(|word| word == column)
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
