//! A conversion is total: whatever the bytes, there is a value or a rejection, and the same
//! bytes give the same one.
//!
//! Tried for every pair of types that has a conversion, with and without rules.

use std::cell::RefCell;

use crate::setup::{convert, plan, rule, source_column, source_table, target_column, target_table};
use catalog::{Condition, MysqlType, Outcome, Rule};
use proptest::prelude::*;
use transform::TablePlan;

const SOURCES: &[&str] = &[
    "tinyint",
    "tinyint(1)",
    "smallint",
    "int",
    "bigint",
    "bigint unsigned",
    "decimal(10,2)",
    "decimal(65,30)",
    "float",
    "double",
    "bit(1)",
    "bit(8)",
    "bit(64)",
    "char(36)",
    "varchar(9)",
    "text",
    "binary(16)",
    "varbinary(16)",
    "blob",
    "date",
    "datetime(6)",
    "timestamp(3)",
    "time(6)",
    "year",
    "enum('a','b','')",
    "set('a','NULL','')",
    "json",
    "uuid",
    "inet6",
    "point",
];

const TARGETS: &[&str] = &[
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "numeric(10,2)",
    "numeric(3,-2)",
    "numeric(2,4)",
    "real",
    "double precision",
    "character(3)",
    "character varying",
    "character varying(5)",
    "text",
    "citext",
    "bytea",
    "bit(8)",
    "bit varying",
    "bit varying(3)",
    "date",
    "timestamp without time zone",
    "timestamp(3) without time zone",
    "timestamp(0) with time zone",
    "time without time zone",
    "time(0) without time zone",
    "interval",
    "interval(0)",
    "uuid",
    "json",
    "jsonb",
    "enum(a|c|)",
    "text[]",
    "character varying(2)[]",
];

/// Outcomes to try; a plan refuses those that its pair has no use for.
const OUTCOMES: &[(Condition, &str)] = &[
    (Condition::Any, "lower"),
    (Condition::Any, "trim"),
    (Condition::Any, "latin1_to_bytes"),
    (Condition::Any, "latin1_to_bytes_base64"),
    (Condition::Any, "map:a=b,1=0"),
    (Condition::EmptyUuid, "nil_uuid"),
    (Condition::InvalidUuid, "null"),
    (Condition::ZeroDate, "1970-01-01"),
    (Condition::InvalidDate, "null"),
    (Condition::TimeRange, "interval"),
    (Condition::NulByte, "strip"),
    (Condition::JsonNul, "replace:\""),
    (Condition::NotBoolean, "true"),
    (Condition::EnumUnknown, "map:b=c"),
    (Condition::TooLong, "truncate"),
    (Condition::PrecisionLost, "truncate"),
    (Condition::PrecisionLost, "round"),
    (Condition::OutOfRange, "null"),
    (Condition::InvalidJson, "null"),
];

fn plan_of(source: &str, target: &str, rules: Vec<Rule>) -> Option<TablePlan> {
    let source = source_table(vec![source_column("c", source)]);
    plan(
        &source,
        &target_table(vec![target_column("c", target)]),
        rules,
    )
    .ok()
}

/// One plan for each pair without rules, and one for each outcome that the pair knows.
fn plans() -> Vec<(String, TablePlan)> {
    let mut plans = Vec::new();
    for source in SOURCES {
        for target in TARGETS {
            let plain = plan_of(source, target, Vec::new());
            plans.extend(plain.map(|plan| (format!("{source} to {target}"), plan)));
            for (condition, outcome) in OUTCOMES {
                let rules = vec![rule("t.c", *condition, outcome)];
                let name = format!("{source} to {target}: {condition} -> {outcome}");
                plans.extend(plan_of(source, target, rules).map(|plan| (name, plan)));
            }
        }
    }
    plans
}

/// Texts that come close to what the leaves expect, and bytes that do not.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let text = |pattern: &'static str| {
        proptest::string::string_regex(pattern)
            .expect("a valid pattern")
            .prop_map(String::into_bytes)
    };
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        text("-?[0-9]{0,25}(\\.[0-9]{0,10})?(e[+-]?[0-9]{1,4})?"),
        text("[0-9]{4}-[0-3][0-9]-[0-3][0-9]( [0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,7})?)?"),
        text("-?[0-9]{2,3}:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,7})?"),
        text("\\\\x[0-9a-fA-F]{0,34}"),
        text("[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-g]{11,13}"),
        text("[\\[\\]{}\":,0-9eE. tfn+-]{0,30}"),
        text("\"(\\\\u[dD0][89c-f0]00|\\\\u0000|\\\\\\\\|a){0,6}\""),
        text("(a|b|NULL|,|\0| |\u{1f389}){0,8}"),
    ]
}

#[test]
fn most_pairs_of_the_lists_have_a_plan() {
    let plans = plans();
    for source in SOURCES {
        let start = format!("{source} to ");
        assert!(
            plans.iter().any(|(name, _)| name.starts_with(&start)),
            "{source}"
        );
    }
    for target in TARGETS {
        let end = format!(" to {target}");
        assert!(
            plans.iter().any(|(name, _)| name.ends_with(&end)),
            "{target}"
        );
    }
    for (condition, outcome) in OUTCOMES {
        let end = format!(": {condition} -> {outcome}");
        assert!(plans.iter().any(|(name, _)| name.ends_with(&end)), "{end}");
    }
}

#[test]
fn conversions_are_total_and_repeatable() {
    let plans = RefCell::new(plans());
    proptest!(ProptestConfig::with_cases(300), |(value in field())| {
        for (name, plan) in plans.borrow_mut().iter_mut() {
            let first = convert(plan, &[Some(&value)]);
            let second = convert(plan, &[Some(&value)]);
            prop_assert_eq!(&first, &second, "{}", name);
            if let Ok(fields) = first {
                prop_assert_eq!(fields.len(), 1);
            }
        }
    });
}

#[test]
fn what_is_converted_is_canonical() {
    // Target types whose spelling the source types share: converting again changes nothing.
    for (source, target) in [
        ("bigint", "bigint"),
        ("decimal(65,30)", "numeric(10,2)"),
        ("double", "double precision"),
        ("float", "real"),
        ("varchar(9)", "character varying(5)"),
        ("blob", "bytea"),
        ("char(36)", "uuid"),
        ("datetime(6)", "timestamp(3) without time zone"),
        ("time(6)", "interval"),
        ("json", "jsonb"),
    ] {
        let plan = RefCell::new(plan_of(source, target, Vec::new()).unwrap());
        proptest!(ProptestConfig::with_cases(500), |(value in field())| {
            let plan = &mut *plan.borrow_mut();
            if let Ok(fields) = convert(plan, &[Some(&value)]) {
                let again = convert(plan, &[fields[0].as_deref()]);
                prop_assert_eq!(again.ok(), Some(fields), "{} to {}", source, target);
            }
        });
    }
}

#[test]
fn the_lists_name_known_types_and_outcomes() {
    for source in SOURCES {
        let parsed = MysqlType::parse(source);
        let other = matches!(parsed, MysqlType::Other(_));
        assert_eq!(other, matches!(*source, "inet6" | "point"), "{source}");
    }
    for (condition, outcome) in OUTCOMES {
        let map = outcome.starts_with("map:");
        assert!(
            map || Outcome::parse(*condition, outcome).is_ok(),
            "{outcome}"
        );
    }
}
