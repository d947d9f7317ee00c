//! Keys, foreign keys and checks, with everything that a catalogue says of them.

use catalog::{Check, Deferrable, ForeignKey, Key, KeyKind, KeyPart, KeyTerm, quote};

use super::list;

/// What a foreign key does where nothing is said.
const NO_ACTION: &str = "NO ACTION";
/// The access method where nothing is said.
const BTREE: &str = "btree";

/// Makes a key.
pub(crate) fn create_key(table: &str, key: &Key) -> String {
    let (name, table) = (quote::postgres(&key.name), quote::postgres(table));
    let parts: Vec<String> = key.parts.iter().map(part).collect();
    let parts = parts.join(", ");
    let distinct = match key.nulls_not_distinct {
        true => " nulls not distinct",
        false => "",
    };
    let include = match key.include.is_empty() {
        true => String::new(),
        false => format!(" include {}", list(&key.include)),
    };
    let method = key.method.as_deref().filter(|method| *method != BTREE);
    let using = method.map_or(String::new(), |method| {
        format!(" using {}", quote::postgres(method))
    });
    let condition = key.predicate.as_ref();
    let when = deferrable(key.deferrable);
    let constraint = match key.kind {
        KeyKind::Exclusion => {
            let condition = condition.map_or(String::new(), |text| format!(" where ({text})"));
            return format!(
                "alter table {table} add constraint {name} exclude{using} ({parts}){include}{condition}{when}"
            );
        }
        KeyKind::Primary => "primary key".to_owned(),
        _ if key.constraint => format!("unique{distinct}"),
        kind => {
            let unique = if kind == KeyKind::Unique {
                "unique "
            } else {
                ""
            };
            let condition = condition.map_or(String::new(), |text| format!(" where {text}"));
            return format!(
                "create {unique}index {name} on {table}{using} ({parts}){include}{distinct}{condition}"
            );
        }
    };
    format!("alter table {table} add constraint {name} {constraint} ({parts}){include}{when}")
}

/// A part as it stands in parentheses.
pub(crate) fn part(part: &KeyPart) -> String {
    let mut sql = match &part.term {
        KeyTerm::Column { name, .. } => quote::postgres(name),
        KeyTerm::Expression { expression } => format!("({expression})"),
    };
    let options = part.options.as_deref().unwrap_or_default();
    // The direction stands between the operator class and the place of NULLs.
    let (class, nulls) = match options.find("nulls ") {
        Some(at) => options.split_at(at),
        None => (options, ""),
    };
    let direction = if part.descending { "desc" } else { "" };
    for word in [class.trim(), direction, nulls.trim()] {
        if !word.is_empty() {
            sql.push(' ');
            sql.push_str(word);
        }
    }
    sql
}

/// Adds a foreign key to its table.
pub(crate) fn add_foreign_key(table: &str, key: &ForeignKey) -> String {
    let referenced = match &key.referenced_schema {
        Some(schema) => quote::postgres_qualified(schema, &key.referenced_table),
        None => quote::postgres(&key.referenced_table),
    };
    let mut sql = format!(
        "alter table {} add constraint {}\n    foreign key {} references {referenced} {}",
        quote::postgres(table),
        quote::postgres(&key.name),
        list(&key.columns),
        list(&key.referenced_columns)
    );
    if key.match_full {
        sql.push_str(" match full");
    }
    for (event, action) in [("delete", &key.on_delete), ("update", &key.on_update)] {
        if action != NO_ACTION {
            sql.push_str(&format!(" on {event} {}", action.to_lowercase()));
        }
        if event == "delete" && !key.on_delete_columns.is_empty() {
            sql.push_str(&format!(" {}", list(&key.on_delete_columns)));
        }
    }
    sql + deferrable(key.deferrable) + looked_at(key.enforced, key.validated)
}

/// Adds a check to its table.
pub(crate) fn add_check(table: &str, check: &Check) -> String {
    format!(
        "alter table {} add constraint {} check ({}){}",
        quote::postgres(table),
        quote::postgres(&check.name),
        check.expression,
        looked_at(check.enforced, check.validated)
    )
}

fn deferrable(deferrable: Option<Deferrable>) -> &'static str {
    match deferrable {
        None => "",
        Some(Deferrable::InitiallyImmediate) => " deferrable",
        Some(Deferrable::InitiallyDeferred) => " deferrable initially deferred",
    }
}

/// What is not enforced is never validated either.
fn looked_at(enforced: bool, validated: bool) -> &'static str {
    match (enforced, validated) {
        (false, _) => " not enforced",
        (true, false) => " not valid",
        (true, true) => "",
    }
}
