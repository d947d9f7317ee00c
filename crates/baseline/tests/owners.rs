//! The type map beside what the owners of two real schemas chose by hand: a few lines of `types`
//! say nearly all of it, and what is left is known.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use baseline::{ColumnContext, TypeMap, TypeOverrides};
use catalog::{MysqlType, PostgresType};

/// The types of a catalogue file by (table, column).
fn types(system: &str, side: &str) -> BTreeMap<(String, String), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let file = root
        .join(system)
        .join(format!("catalog/{side}.columns.csv"));
    let mut reader = csv::Reader::from_path(file).unwrap();
    let records = reader.records().map(|record| {
        let record = record.unwrap();
        (
            (record[0].to_owned(), record[1].to_owned()),
            record[3].to_owned(),
        )
    });
    records.collect()
}

/// The columns whose type is not the owners', counted by what they are, would be and should be.
fn differing(system: &str, overrides: &[(&str, &str)]) -> Vec<String> {
    let overrides = TypeOverrides::parse(overrides.iter().copied()).unwrap();
    let map = TypeMap::new(&overrides);
    let target = types(system, "postgres");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for ((table, column), data_type) in types(system, "mysql") {
        let Some(theirs) = target.get(&(table.clone(), column.clone())) else {
            continue;
        };
        let data_type = MysqlType::parse(&data_type);
        let mapping = map.map(&table, &column, &data_type, ColumnContext::default());
        let ours = mapping.unwrap().postgres;
        let enums = matches!(ours, PostgresType::Enum { .. }) && theirs.contains("enum");
        if !enums && ours != PostgresType::parse(theirs) {
            *counts
                .entry(format!("{data_type}: {ours} for {theirs}"))
                .or_default() += 1;
        }
    }
    counts
        .iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect()
}

#[test]
fn alkemio() {
    let overrides = [
        ("char(36)", "uuid"),
        ("char", "varchar"),
        ("tinyint", "boolean"),
        ("json", "json"),
    ];
    // PostgreSQL's own precision, and a length that an ORM left out.
    let left = [
        "5 datetime: timestamp(0) without time zone for timestamp without time zone",
        "15 varchar(255): character varying(255) for character varying",
    ];
    assert_eq!(differing("alkemio", &overrides), left);
}

#[test]
fn kratos() {
    let overrides = [("char(36)", "uuid"), ("timestamp", "timestamp")];
    // The first, third and last are single columns, which `types` would name.
    let left = [
        "2 char(36): uuid for character(36)",
        "59 datetime: timestamp(0) without time zone for timestamp without time zone",
        "2 json: jsonb for json",
        "24 timestamp: timestamp(0) without time zone for timestamp without time zone",
        "2 varchar(36): character varying(36) for uuid",
    ];
    assert_eq!(differing("kratos", &overrides), left);
}
