//! The promises that hold for all tables together, checked on the generated values.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::plan::{TablePlan, plan};
use super::text::HARD_TEXTS;
use super::value::Value;
use super::{DirtKinds, Inserts};
use crate::listing::Listing;
use crate::system::{Server, System};

fn plans(system: System) -> Vec<TablePlan> {
    plan(system, 1, &DirtKinds::parse("production").unwrap()).unwrap()
}

fn column_values(plan: &TablePlan, column: &str) -> Vec<Value> {
    let column = plan.columns.iter().find(|c| c.name == column).unwrap();
    (0..plan.rows).map(|row| column.value(row)).collect()
}

/// How a case-insensitive collation sees a text, and more coarsely than any does.
fn folded(value: &Value) -> Value {
    match value.as_text() {
        Some(text) => Value::Text(text.trim_end().to_lowercase()),
        None => value.clone(),
    }
}

#[test]
fn every_foreign_key_has_references_and_each_finds_its_parent() {
    for system in System::ALL {
        let plans = plans(system);
        let find = |name: &str| plans.iter().find(|p| p.name == name).unwrap();
        for key in Listing::read(system, Server::Mysql).unwrap().foreign_keys() {
            let parents: HashSet<Value> = column_values(find(&key.ref_table), &key.ref_columns)
                .into_iter()
                .collect();
            let children = column_values(find(&key.table), &key.columns);
            let present: Vec<&Value> = children.iter().filter(|v| **v != Value::Null).collect();
            assert!(
                !present.is_empty(),
                "{}.{} is always NULL",
                key.table,
                key.columns
            );
            for value in present {
                assert!(
                    parents.contains(value),
                    "{}.{}: {value:?}",
                    key.table,
                    key.columns
                );
            }
        }
    }
}

#[test]
fn rows_of_the_two_tables_in_a_cycle_are_each_others_parents() {
    let plans = plans(System::Alkemio);
    let find = |name: &str| plans.iter().find(|p| p.name == name).unwrap();
    let (aggregators, buckets) = (find("storage_aggregator"), find("storage_bucket"));
    let to_bucket = column_values(aggregators, "directStorageId");
    let to_aggregator = column_values(buckets, "storageAggregatorId");
    let (aggregator_ids, bucket_ids) = (
        column_values(aggregators, "id"),
        column_values(buckets, "id"),
    );
    let pairs = (0..aggregators.rows as usize)
        .filter(|row| to_bucket[*row] == bucket_ids[*row])
        .filter(|row| to_aggregator[*row] == aggregator_ids[*row]);
    assert!(pairs.count() > 90);
}

#[test]
fn unique_keys_of_both_sides_hold_even_without_case() {
    for system in System::ALL {
        let plans = plans(system);
        for server in [Server::Mysql, Server::Postgres] {
            let listing = Listing::read(system, server).unwrap();
            for key in listing
                .keys
                .iter()
                .filter(|k| k.kind == "unique" || k.kind == "primary")
            {
                let plan = plans.iter().find(|p| p.name == key.table).unwrap();
                let is_binary = key.columns.contains("identifier");
                let columns: Vec<Vec<Value>> = key
                    .column_names()
                    .iter()
                    .map(|c| column_values(plan, c))
                    .collect();
                let mut seen = HashSet::new();
                for row in 0..plan.rows as usize {
                    let cells: Vec<Value> = columns.iter().map(|c| c[row].clone()).collect();
                    if cells.contains(&Value::Null) {
                        continue;
                    }
                    let cells = if is_binary {
                        cells
                    } else {
                        cells.iter().map(folded).collect()
                    };
                    assert!(seen.insert(cells.clone()), "{}: {cells:?}", key.constraint);
                }
            }
        }
    }
}

#[test]
fn nulls_are_where_both_sides_take_them_and_nowhere_else() {
    for system in System::ALL {
        let plans = plans(system);
        for server in [Server::Mysql, Server::Postgres] {
            for column in Listing::read(system, server).unwrap().columns {
                let plan = plans.iter().find(|p| p.name == column.table).unwrap();
                let nulls = column_values(plan, &column.column)
                    .into_iter()
                    .filter(|value| *value == Value::Null)
                    .count();
                if !column.is_nullable() {
                    assert_eq!(nulls, 0, "{}.{}", column.table, column.column);
                }
            }
        }
    }
}

#[test]
fn every_hard_text_meets_many_columns_and_empty_texts_stand_beside_nulls() {
    let mut columns_with: BTreeMap<&str, usize> = BTreeMap::new();
    let mut both = 0;
    for system in System::ALL {
        for plan in plans(system) {
            for column in &plan.columns {
                let values: HashSet<Value> = (0..plan.rows).map(|row| column.value(row)).collect();
                for hard in HARD_TEXTS {
                    let is_there = values.contains(&Value::Text((*hard).to_owned()));
                    *columns_with.entry(hard).or_default() += usize::from(is_there);
                }
                let has_empty = values.contains(&Value::Text(String::new()));
                both += usize::from(has_empty && values.contains(&Value::Null));
            }
        }
    }
    for (hard, columns) in columns_with {
        assert!(columns >= 3, "{hard:?} is in {columns} columns");
    }
    assert!(both >= 15, "{both}");
}

#[test]
fn policies_are_nine_tenths_of_the_bytes() {
    let mut bytes: HashMap<bool, usize> = HashMap::new();
    for system in System::ALL {
        for plan in plans(system) {
            let sql: usize = Inserts::new("x", &plan, 0..plan.rows)
                .map(|statement| statement.len())
                .sum();
            *bytes
                .entry(plan.name == "authorization_policy")
                .or_default() += sql;
        }
    }
    let share = bytes[&true] as f64 / (bytes[&true] + bytes[&false]) as f64;
    assert!((0.88..0.94).contains(&share), "{share} of {bytes:?}");
}

#[test]
fn a_range_of_rows_is_the_same_whether_made_at_once_or_in_parts() {
    let plan = plans(System::Alkemio)
        .into_iter()
        .find(|p| p.name == "profile")
        .unwrap();
    let rows = |range| -> String {
        Inserts::new("x", &plan, range)
            .map(|statement| statement.split_once("values\n").unwrap().1.to_owned())
            .collect::<Vec<String>>()
            .join(",\n")
    };
    let whole = rows(0..500);
    assert_eq!(whole, rows(0..500));
    assert_eq!(whole, [rows(0..123), rows(123..500)].join(",\n"));
}

#[test]
fn statements_are_bounded() {
    let plans = plans(System::Alkemio);
    let policies = plans
        .iter()
        .find(|p| p.name == "authorization_policy")
        .unwrap();
    let statements: Vec<String> = Inserts::new("x", policies, 0..2_000).collect();
    assert!(statements.iter().all(|sql| sql.len() < 600_000));
    assert!(statements.len() > 5);
}

#[test]
fn empty_uuids_are_planted_in_five_columns_and_only_when_asked_for() {
    let empty_uuids = |dirt: &str| -> Vec<(String, usize)> {
        let plans = plan(System::Alkemio, 1, &DirtKinds::parse(dirt).unwrap()).unwrap();
        let count = |plan: &TablePlan, column: &str| {
            let values = column_values(plan, column);
            values
                .iter()
                .filter(|value| value.as_text() == Some(""))
                .count()
        };
        let listing = Listing::read(System::Alkemio, Server::Postgres).unwrap();
        let uuids = listing.columns.iter().filter(|c| c.data_type == "uuid");
        uuids
            .map(|c| {
                let plan = plans.iter().find(|p| p.name == c.table).unwrap();
                (format!("{}.{}", c.table, c.column), count(plan, &c.column))
            })
            .filter(|(_, count)| *count > 0)
            .collect()
    };
    assert_eq!(empty_uuids("none"), []);
    let expected = [
        ("callout.publishedBy", 7),
        ("callout_contribution.createdBy", 10),
        ("document.createdBy", 7),
        ("space.levelZeroSpaceID", 3),
        ("whiteboard.createdBy", 3),
    ];
    assert_eq!(
        empty_uuids("production"),
        expected.map(|(name, rows)| (name.to_owned(), rows))
    );
}

#[test]
fn identifiers_that_differ_in_case_alone_share_network_and_type() {
    let plans = plans(System::Kratos);
    let find = |plan: &&TablePlan| plan.name == "identity_credential_identifiers";
    let plan = plans.iter().find(find).unwrap();
    let [networks, types, names] = ["nid", "identity_credential_type_id", "identifier"]
        .map(|column| column_values(plan, column));
    let pairs = (1..plan.rows as usize).filter(|row| {
        let before = row - 1;
        networks[*row] != Value::Null
            && networks[*row] == networks[before]
            && types[*row] == types[before]
            && names[*row] != names[before]
            && folded(&names[*row]) == folded(&names[before])
    });
    assert!(pairs.count() > 70);
}
