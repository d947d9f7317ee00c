//! Where two catalogues of a target differ.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{TargetCatalog, TargetTable};

/// What is not the same in two catalogues, such as `column user.email` or `key user_pkey of
/// user`, by table and name; the server's version does not count.
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
        let positions = table.columns.iter().enumerate();
        positions
            .map(|(at, c)| (c.name.clone(), (at, c.clone())))
            .collect::<BTreeMap<_, _>>()
    };
    for name in changed(&columns(expected), &columns(live)) {
        differences.push(format!("column {table}.{name}"));
    }
    let keys = |table: &TargetTable| {
        table
            .keys
            .iter()
            .map(|key| (key.name.clone(), key.clone()))
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
        ForeignKey, Key, KeyKind, KeyPart, PostgresType, Server, ServerKind, TargetColumn,
    };

    use super::*;

    fn catalog() -> TargetCatalog {
        let column = |name: &str| TargetColumn {
            name: name.to_owned(),
            data_type: PostgresType::Text,
            nullable: true,
            default: None,
            generated: None,
            auto_increment: false,
            sequence: None,
            collation: None,
        };
        let table = TargetTable {
            name: "user".to_owned(),
            columns: vec![column("id"), column("email")],
            keys: vec![Key {
                name: "user_pkey".to_owned(),
                kind: KeyKind::Primary,
                parts: vec![KeyPart::Column {
                    name: "id".to_owned(),
                    prefix_length: None,
                }],
            }],
            foreign_keys: vec![ForeignKey {
                name: "fk".to_owned(),
                columns: vec!["email".to_owned()],
                referenced_table: "user".to_owned(),
                referenced_columns: vec!["id".to_owned()],
                on_delete: "NO ACTION".to_owned(),
                on_update: "NO ACTION".to_owned(),
            }],
            engine: None,
        };
        TargetCatalog {
            server: Server {
                kind: ServerKind::Postgres,
                version: "17.5".to_owned(),
            },
            schema: "public".to_owned(),
            tables: vec![table],
        }
    }

    #[test]
    fn every_kind_of_change_is_named_and_a_new_minor_version_is_none() {
        type Change = fn(&mut TargetCatalog);
        let changes: [(Change, &[&str]); 8] = [
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
        ];
        for (change, expected) in changes {
            let mut live = catalog();
            change(&mut live);
            assert_eq!(differences(&catalog(), &live), expected);
        }
    }
}
