//! Where two catalogues of a target differ.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{TargetCatalog, TargetTable};

/// What is not the same in two catalogues, such as `column user.email` or `key user_pkey of
/// user`, by table and name; comments and the server's version do not count.
pub fn differences(expected: &TargetCatalog, live: &TargetCatalog) -> Vec<String> {
    let names: BTreeSet<&str> = expected
        .tables
        .iter()
        .chain(&live.tables)
        .map(|table| table.name.as_str())
        .collect();
    let mut differences = Vec::new();
    for name in names {
        match (expected.table(name), live.table(name)) {
            (Some(expected), Some(live)) => compare_tables(expected, live, &mut differences),
            _ => differences.push(format!("table {name}")),
        }
    }
    differences
}

fn compare_tables(expected: &TargetTable, live: &TargetTable, differences: &mut Vec<String>) {
    let table = &expected.name;
    let columns = |table: &TargetTable| {
        let columns = table.columns.iter().cloned().enumerate();
        columns
            .map(|(at, mut column)| {
                column.comment = None;
                (column.name.clone(), (at, column))
            })
            .collect::<BTreeMap<_, _>>()
    };
    for name in changed(&columns(expected), &columns(live)) {
        differences.push(format!("column {table}.{name}"));
    }
    let keys = |table: &TargetTable| {
        let keys = table.keys.iter().cloned();
        keys.map(|mut key| {
            key.comment = None;
            (key.name.clone(), key)
        })
        .collect::<BTreeMap<_, _>>()
    };
    for name in changed(&keys(expected), &keys(live)) {
        differences.push(format!("key {name} of {table}"));
    }
    let foreign_keys = |table: &TargetTable| {
        let keys = table.foreign_keys.iter();
        keys.map(|key| (key.name.clone(), key.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    for name in changed(&foreign_keys(expected), &foreign_keys(live)) {
        differences.push(format!("foreign key {name} of {table}"));
    }
    let checks = |table: &TargetTable| {
        let checks = table.checks.iter();
        checks
            .map(|check| (check.name.clone(), check.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    for name in changed(&checks(expected), &checks(live)) {
        differences.push(format!("check {name} of {table}"));
    }
}

/// The names whose values are not the same on both sides.
fn changed<T: PartialEq>(left: &BTreeMap<String, T>, right: &BTreeMap<String, T>) -> Vec<String> {
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    names
        .into_iter()
        .filter(|name| left.get(*name) != right.get(*name))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use catalog::{
        Check, ForeignKey, Key, KeyKind, KeyPart, PostgresType, Server, ServerKind, TargetColumn,
    };

    use super::*;

    fn catalog() -> TargetCatalog {
        let text = |name: &str| TargetColumn::new(name, PostgresType::Text);
        let mut table = TargetTable::new("user");
        table.columns = vec![text("id"), text("email")];
        let parts = vec![KeyPart::column("id")];
        table.keys = vec![Key::new("user_pkey", KeyKind::Primary, parts)];
        let (columns, referenced) = (vec!["email".to_owned()], vec!["id".to_owned()]);
        table.foreign_keys = vec![ForeignKey::new("fk", columns, "user", referenced)];
        table.checks = vec![Check::new("short", "(length(email) < 90)")];
        let server = Server {
            kind: ServerKind::Postgres,
            version: "17.5".to_owned(),
        };
        let mut catalog = TargetCatalog::new(server, "public");
        catalog.tables = vec![table];
        catalog
    }

    #[test]
    fn every_kind_of_change_is_named_and_a_new_minor_version_is_none() {
        type Change = fn(&mut TargetCatalog);
        let changes: [(Change, &[&str]); 11] = [
            (|c| c.server.version = "17.6".to_owned(), &[]),
            (|c| c.tables.clear(), &["table user"]),
            (
                |c| c.tables[0].columns[1].nullable = false,
                &["column user.email"],
            ),
            (
                |c| c.tables[0].columns[1].data_type = PostgresType::Uuid,
                &["column user.email"],
            ),
            (
                |c| c.tables[0].columns[1].default = Some("''".to_owned()),
                &["column user.email"],
            ),
            (
                |c| c.tables[0].columns.swap(0, 1),
                &["column user.email", "column user.id"],
            ),
            (
                |c| c.tables[0].keys[0].kind = KeyKind::Unique,
                &["key user_pkey of user"],
            ),
            (
                |c| c.tables[0].foreign_keys[0].on_delete = "CASCADE".to_owned(),
                &["foreign key fk of user"],
            ),
            (
                |c| c.tables[0].checks[0].enforced = false,
                &["check short of user"],
            ),
            (
                |c| c.tables[0].columns[0].comment = Some("x".to_owned()),
                &[],
            ),
            (|c| c.tables[0].keys[0].comment = Some("x".to_owned()), &[]),
        ];
        for (change, expected) in changes {
            let mut live = catalog();
            change(&mut live);
            assert_eq!(differences(&catalog(), &live), expected);
        }
    }
}
