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
    SourceColumn {
        name: name.to_owned(),
        data_type: MysqlType::parse(data_type),
        nullable: true,
        default: None,
        generated: None,
        auto_increment: false,
        sequence: None,
        collation: None,
    }
}

/// A target column that takes NULL; `enum(a|b)` is an enum type with these labels.
pub(crate) fn target_column(name: &str, data_type: &str) -> TargetColumn {
    let labels = data_type
        .strip_prefix("enum(")
        .and_then(|text| text.strip_suffix(')'));
    TargetColumn {
        name: name.to_owned(),
        data_type: match labels {
            Some(labels) => PostgresType::Enum {
                name: "an_enum".to_owned(),
                labels: labels.split('|').map(str::to_owned).collect(),
            },
            None => PostgresType::parse(data_type),
        },
        nullable: true,
        default: None,
        generated: None,
        auto_increment: false,
        sequence: None,
        collation: None,
    }
}

/// A source table `t` whose primary key is its column `id`, where it has one.
pub(crate) fn source_table(columns: Vec<SourceColumn>) -> SourceTable {
    let key = columns.iter().filter(|column| column.name == "id");
    let keys = key
        .map(|column| Key {
            name: "PRIMARY".to_owned(),
            kind: KeyKind::Primary,
            parts: vec![KeyPart::Column {
                name: column.name.clone(),
                prefix_length: None,
            }],
        })
        .collect();
    SourceTable {
        name: "t".to_owned(),
        columns,
        keys,
        foreign_keys: Vec::new(),
        engine: None,
    }
}

/// A target table `t`.
pub(crate) fn target_table(columns: Vec<TargetColumn>) -> TargetTable {
    TargetTable {
        name: "t".to_owned(),
        columns,
        keys: Vec::new(),
        foreign_keys: Vec::new(),
        engine: None,
    }
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
