//! Rules together: their order, how they are counted, and those that do not help.

use catalog::{Condition, RuleSet};
use digest::SourceValue::{self, Bytes, Double, Null};
use verify::TablePlan;

use crate::fixture::{bits, date, one_rule, rule, run, source_table, target_table};

fn text(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

#[test]
fn rules_follow_each_other() {
    let source = source_table(&[("c", "varchar(99)")], &[]);
    let mut target = target_table(&[("c", "uuid")], &[]);
    target.columns[0].nullable = false;
    let rules = RuleSet::new(vec![
        one_rule("*.c", Condition::Any, "trim"),
        one_rule("*.*", Condition::EmptyUuid, "null"),
        one_rule(
            "thing.*",
            Condition::NullInNotNull,
            "value:00000000-0000-0000-0000-000000000000",
        ),
    ])
    .expect("no rivals");
    let plan = TablePlan::new("db", &source, &target, &rules, "UTC").expect("a plan");
    let rows = [vec![Bytes(b"  ")], vec![Null], vec![Bytes(b"")]];
    let nil = || vec![Some(vec![0; 16])];
    let comparison = run(&plan, &rows, &[nil(), nil(), nil()]);
    assert!(comparison.findings.is_empty());
    let counts: Vec<u64> = comparison.rules.iter().map(|rule| rule.rows).collect();
    assert_eq!(counts, [1, 2, 3]);
}

#[test]
fn a_rule_is_counted_once_for_a_row() {
    let columns = [("a", "varchar(9)"), ("b", "varchar(9)")];
    let source = source_table(&columns, &[]);
    let target = target_table(&[("a", "text"), ("b", "text")], &[]);
    let rules = rule(Condition::Any, "lower");
    let plan = TablePlan::new("db", &source, &target, &rules, "UTC").expect("a plan");
    let rows = [
        vec![Bytes(b"A"), Bytes(b"B")],
        vec![Bytes(b"a"), Bytes(b"b")],
    ];
    let row = || vec![text("a"), text("b")];
    let comparison = run(&plan, &rows, &[row(), row()]);
    assert!(comparison.findings.is_empty());
    assert_eq!(comparison.rules[0].rows, 1);
}

#[test]
fn a_rule_that_does_not_help_leaves_a_difference() {
    let differs = |condition,
                   outcome: &str,
                   source: (&str, SourceValue<'_>),
                   target: (&str, Option<Vec<u8>>)| {
        let source_table = source_table(&[("c", source.0)], &[]);
        let target_table = target_table(&[("c", target.0)], &[]);
        let rules = rule(condition, outcome);
        let plan =
            TablePlan::new("db", &source_table, &target_table, &rules, "UTC").expect("a plan");
        let comparison = run(&plan, &[vec![source.1]], &[vec![target.1]]);
        assert!(!comparison.findings.is_empty(), "{condition} {outcome}");
    };
    let any = Condition::Any;
    differs(any, "map:x=y", ("text", Bytes(b"z")), ("text", text("z")));
    differs(
        any,
        "latin1_to_bytes_base64",
        ("text", Bytes("Ā".as_bytes())),
        ("text", None),
    );
    differs(
        Condition::InvalidUuid,
        "map:x=y",
        ("text", Bytes(b"x")),
        ("uuid", None),
    );
    differs(
        Condition::EnumUnknown,
        "map:x=y",
        ("text", Bytes(b"x")),
        ("enum:a", None),
    );
    differs(
        Condition::PrecisionLost,
        "truncate",
        ("double", Double(0.1)),
        ("real", Some(vec![0x3d, 0xcc, 0xcc, 0xcc])),
    );
    differs(
        Condition::ZeroDate,
        "2024-02-30",
        ("date", date(0, 0, 0)),
        ("date", None),
    );
    differs(
        Condition::TooLong,
        "truncate",
        ("bit(8)", Bytes(&[0xff])),
        ("bit(4)", Some(bits(4, &[0xf0]))),
    );
}
