//! Tables, rules and records in few words.
//!
//! Made for one column at a time; tests of whole tables build on the same pieces.

use std::sync::Arc;

use catalog::{
    ColumnPattern, Condition, Key, KeyKind, KeyPart, MysqlType, Outcome, PostgresType, Rule,
    RuleSet, SourceColumn, SourceTable, TargetColumn, TargetTable, ValueMap,
};
use dataset::Record;
use transform::{Error, PlanInput, Rejection, TablePlan};

/// A source column that takes NULL.
pub(crate) fn source_column(name: &str, data_type: &str) -> SourceColumn {
    SourceColumn::new(name, MysqlType::parse(data_type))
}

/// A target column that takes NULL; `enum(a|b)` is an enum type with these labels.
pub(crate) fn target_column(name: &str, data_type: &str) -> TargetColumn {
    let labels = data_type
        .strip_prefix("enum(")
        .and_then(|text| text.strip_suffix(')'));
    let data_type = match labels {
        Some(labels) => PostgresType::Enum {
            name: "an_enum".to_owned(),
            labels: labels.split('|').map(str::to_owned).collect(),
        },
        None => PostgresType::parse(data_type),
    };
    TargetColumn::new(name, data_type)
}

/// A source table `t` whose primary key is its column `id`, where it has one.
pub(crate) fn source_table(columns: Vec<SourceColumn>) -> SourceTable {
    let mut table = SourceTable::new("t");
    if columns.iter().any(|column| column.name == "id") {
        let parts = vec![KeyPart::column("id")];
        table.keys = vec![Key::new("PRIMARY", KeyKind::Primary, parts)];
    }
    table.columns = columns;
    table
}

/// A target table `t`.
pub(crate) fn target_table(columns: Vec<TargetColumn>) -> TargetTable {
    let mut table = TargetTable::new("t");
    table.columns = columns;
    table
}

/// A rule as the config spells it; `map:a=b,c=d` stands for a map file.
pub(crate) fn rule(columns: &str, condition: Condition, outcome: &str) -> Rule {
    let parsed = match outcome.strip_prefix("map:") {
        Some(pairs) => Outcome::Map(Arc::new(value_map(pairs))),
        None => Outcome::parse(condition, outcome).unwrap(),
    };
    Rule {
        columns: ColumnPattern::parse(columns).unwrap(),
        condition,
        outcome: parsed,
        outcome_text: outcome.to_owned(),
    }
}

fn value_map(pairs: &str) -> ValueMap {
    let pair = |pair: &str| {
        let (from, to) = pair.split_once('=').unwrap();
        (from.to_owned(), to.to_owned())
    };
    ValueMap {
        file: "map.csv".to_owned(),
        pairs: pairs.split(',').map(pair).collect(),
    }
}

/// The plan of a table in a database `db`, whose clocks run in `Europe/Amsterdam`.
pub(crate) fn plan(
    source: &SourceTable,
    target: &TargetTable,
    rules: Vec<Rule>,
) -> Result<TablePlan, Error> {
    let rules = RuleSet::new(rules).unwrap();
    TablePlan::new(&PlanInput {
        database: "db",
        source,
        target,
        rules: &rules,
        datetime_zone: Some("Europe/Amsterdam"),
    })
}

/// Converts one record.
pub(crate) fn convert(
    plan: &mut TablePlan,
    fields: &[Option<&[u8]>],
) -> Result<Vec<Option<Vec<u8>>>, Rejection> {
    let mut input = Record::new();
    for field in fields {
        input.push(*field);
    }
    let mut output = Record::new();
    plan.convert(&input, &mut output, 1)?;
    Ok(output
        .iter()
        .map(|field| field.map(<[u8]>::to_vec))
        .collect())
}
