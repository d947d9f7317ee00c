//! Keys, foreign keys, checks, triggers and comments.

use catalog::{Check, ForeignKey, Key, KeyKind, KeyPart, KeyTerm, TargetTable, quote};

use super::list;
use crate::plan::{Baseline, UpdateTrigger};

/// What a foreign key does where nothing is said.
const NO_ACTION: &str = "NO ACTION";

pub(super) fn statements(baseline: &Baseline) -> Vec<String> {
    let tables = &baseline.catalog.tables;
    let mut statements = Vec::new();
    let mut keys = |wanted: fn(KeyKind) -> bool| {
        for table in tables {
            let keys = table.keys.iter().filter(|key| wanted(key.kind));
            statements.extend(keys.map(|key| create_key(table, key)));
        }
    };
    keys(|kind| kind == KeyKind::Primary);
    keys(|kind| kind == KeyKind::Unique);
    keys(|kind| !matches!(kind, KeyKind::Primary | KeyKind::Unique));
    for table in tables {
        statements.extend(table.foreign_keys.iter().map(|key| foreign_key(table, key)));
    }
    for table in tables {
        statements.extend(table.checks.iter().map(|check| create_check(table, check)));
    }
    for trigger in &baseline.triggers {
        statements.extend([function(trigger), create_trigger(trigger)]);
    }
    for table in tables {
        comments(table, &mut statements);
    }
    statements
}

fn create_key(table: &TargetTable, key: &Key) -> String {
    let (name, table) = (quote::postgres(&key.name), quote::postgres(&table.name));
    let parts: Vec<String> = key.parts.iter().map(part).collect();
    let parts = parts.join(", ");
    match (key.kind, key.constraint) {
        (KeyKind::Primary, _) => {
            format!("alter table {table} add constraint {name} primary key ({parts})")
        }
        (_, true) => format!("alter table {table} add constraint {name} unique ({parts})"),
        (KeyKind::Unique, false) => format!("create unique index {name} on {table} ({parts})"),
        _ => format!("create index {name} on {table} ({parts})"),
    }
}

fn part(part: &KeyPart) -> String {
    let mut sql = match &part.term {
        KeyTerm::Column { name, .. } => quote::postgres(name),
        KeyTerm::Expression { expression } => format!("({expression})"),
    };
    if part.descending {
        sql.push_str(" desc");
    }
    sql
}

fn foreign_key(table: &TargetTable, key: &ForeignKey) -> String {
    let mut sql = format!(
        "alter table {} add constraint {}\n    foreign key {} references {} {}",
        quote::postgres(&table.name),
        quote::postgres(&key.name),
        list(&key.columns),
        quote::postgres(&key.referenced_table),
        list(&key.referenced_columns)
    );
    for (event, action) in [("delete", &key.on_delete), ("update", &key.on_update)] {
        if action != NO_ACTION {
            sql.push_str(&format!(" on {event} {}", action.to_lowercase()));
        }
    }
    sql
}

fn create_check(table: &TargetTable, check: &Check) -> String {
    format!(
        "alter table {} add constraint {} check ({})",
        quote::postgres(&table.name),
        quote::postgres(&check.name),
        check.expression
    )
}

/// As in MySQL: a change of the row sets the columns that the change itself leaves alone. Rows are
/// compared by their bytes, since not every type has an equality.
fn function(trigger: &UpdateTrigger) -> String {
    let mut body = "\nbegin\n    if new *<> old then\n".to_owned();
    for (column, value) in &trigger.columns {
        let column = quote::postgres(column);
        body.push_str(&format!(
            "        if new.{column} is not distinct from old.{column} then\n            \
             new.{column} := {value};\n        end if;\n"
        ));
    }
    body.push_str("    end if;\n    return new;\nend\n");
    format!(
        "create function {}() returns trigger language plpgsql as {}",
        quote::postgres(&trigger.name),
        quote::postgres_literal(&body)
    )
}

fn create_trigger(trigger: &UpdateTrigger) -> String {
    let name = quote::postgres(&trigger.name);
    format!(
        "create trigger {name} before update on {}\n    for each row execute function {name}()",
        quote::postgres(&trigger.table)
    )
}

fn comments(table: &TargetTable, statements: &mut Vec<String>) {
    let name = quote::postgres(&table.name);
    let mut say = |on: String, comment: &Option<String>| {
        if let Some(comment) = comment {
            let comment = quote::postgres_literal(comment);
            statements.push(format!("comment on {on} is {comment}"));
        }
    };
    say(format!("table {name}"), &table.comment);
    for column in &table.columns {
        let column_name = quote::postgres(&column.name);
        say(format!("column {name}.{column_name}"), &column.comment);
    }
    for key in &table.keys {
        say(
            format!("index {}", quote::postgres(&key.name)),
            &key.comment,
        );
    }
}
