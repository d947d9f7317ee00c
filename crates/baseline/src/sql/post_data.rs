//! Keys, foreign keys, checks, triggers and comments.

use catalog::{KeyKind, TargetTable, quote};

use super::key::{add_check, add_foreign_key, create_key};
use crate::plan::{Baseline, UpdateTrigger};

pub(super) fn statements(baseline: &Baseline) -> Vec<String> {
    let tables = &baseline.catalog.tables;
    let mut statements = Vec::new();
    let mut keys = |wanted: fn(KeyKind) -> bool| {
        for table in tables {
            let keys = table.keys.iter().filter(|key| wanted(key.kind));
            statements.extend(keys.map(|key| create_key(&table.name, key)));
        }
    };
    keys(|kind| kind == KeyKind::Primary);
    keys(|kind| kind == KeyKind::Unique);
    keys(|kind| !matches!(kind, KeyKind::Primary | KeyKind::Unique));
    for table in tables {
        let keys = table.foreign_keys.iter();
        statements.extend(keys.map(|key| add_foreign_key(&table.name, key)));
    }
    for table in tables {
        let checks = table.checks.iter();
        statements.extend(checks.map(|check| add_check(&table.name, check)));
    }
    for trigger in &baseline.triggers {
        statements.extend([function(trigger), create_trigger(trigger)]);
    }
    for table in tables {
        comments(table, &mut statements);
    }
    statements
}

/// What the function calls is PostgreSQL's own, whatever the path of the session that changes a row.
///
/// As in MySQL: a change of the row sets the columns that the change itself leaves alone. Rows are
/// compared by their bytes, since not every type has an equality.
fn function(trigger: &UpdateTrigger) -> String {
    let row = |name: &str| match trigger.compared.as_slice() {
        [] => name.to_owned(),
        columns => {
            let columns = columns.iter();
            let columns: Vec<String> = columns
                .map(|column| format!("{name}.{}", quote::postgres(column)))
                .collect();
            // Without the cast, PostgreSQL would ask each type for an equality.
            format!("row({})::record", columns.join(", "))
        }
    };
    let mut body = format!("\nbegin\n    if {} *<> {} then\n", row("new"), row("old"));
    for (column, value) in &trigger.columns {
        let column = quote::postgres(column);
        body.push_str(&format!(
            "        if new.{column} is not distinct from old.{column} then\n            \
             new.{column} := {value};\n        end if;\n"
        ));
    }
    body.push_str("    end if;\n    return new;\nend\n");
    format!(
        "create function {}() returns trigger language plpgsql set search_path to '' as {}",
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
