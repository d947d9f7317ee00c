//! Rules: each outcome explains exactly the difference that it makes, and is counted.

use catalog::{Condition, RuleSet, TargetTable};
use digest::SourceValue::{self, Bytes, Double, Int, Null, UInt};
use verify::TablePlan;

use crate::fixture::{
    bits, date, datetime, interval, jsonb, numeric, rule, run, source_table, target_table, time,
};

/// A rule and a value that it changes.
struct Case<'a> {
    condition: Condition,
    outcome: &'a str,
    source: (&'a str, SourceValue<'a>),
    target: (&'a str, Option<Vec<u8>>),
}

fn check(
    condition: Condition,
    outcome: &str,
    source: (&str, SourceValue<'_>),
    target: (&str, Option<Vec<u8>>),
) {
    check_with(
        &Case {
            condition,
            outcome,
            source,
            target,
        },
        |_| {},
    );
}

/// With the rule both sides are equal and one row is counted; without it they differ.
fn check_with(case: &Case<'_>, adapt: impl Fn(&mut TargetTable)) {
    let source = source_table(&[("c", case.source.0)], &[]);
    let mut target = target_table(&[("c", case.target.0)], &[]);
    adapt(&mut target);
    let rows = [vec![case.source.1]];
    let fields = [vec![case.target.1.clone()]];
    let rules = rule(case.condition, case.outcome);
    let plan = TablePlan::new("db", &source, &target, &rules, "UTC").expect("a plan");
    let comparison = run(&plan, &rows, &fields);
    let name = format!(
        "{} -> {} for {:?}",
        case.condition, case.outcome, case.source
    );
    assert!(comparison.findings.is_empty(), "{name}");
    assert_eq!(comparison.rules.len(), 1, "{name}");
    assert_eq!(comparison.rules[0].rows, 1, "{name}");
    let expected = format!("*.* {} -> {}", case.condition, case.outcome);
    assert_eq!(comparison.rules[0].rule, expected);
    if let Ok(plan) = TablePlan::new("db", &source, &target, &RuleSet::default(), "UTC") {
        let comparison = run(&plan, &rows, &fields);
        assert!(
            !comparison.findings.is_empty(),
            "{name}: found without the rule"
        );
        assert_eq!(comparison.rules, []);
    }
}

fn text(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

#[test]
fn uuids_that_are_none() {
    let nil = || ("uuid", Some(vec![0; 16]));
    let empty = ("char(36)", Bytes(b""));
    let name = ("varchar(36)", Bytes(b"guidance"));
    check(Condition::EmptyUuid, "null", empty, ("uuid", None));
    check(Condition::EmptyUuid, "nil_uuid", empty, nil());
    check(Condition::InvalidUuid, "null", name, ("uuid", None));
    check(Condition::InvalidUuid, "nil_uuid", name, nil());
    let map = "map:guidance=00000000-0000-0000-0000-000000000000";
    check(Condition::InvalidUuid, map, name, nil());
    check(
        Condition::EmptyUuid,
        "null",
        ("binary(16)", Bytes(b"")),
        ("uuid", None),
    );
}

#[test]
fn dates_that_are_none() {
    let stamp = "timestamp without time zone";
    let zero = ("datetime", date(0, 0, 0));
    let partial = ("datetime", date(2024, 2, 0));
    let epoch = Some((-946_684_800_000_000_i64).to_be_bytes().to_vec());
    check(Condition::ZeroDate, "null", zero, (stamp, None));
    check(
        Condition::ZeroDate,
        "1970-01-01 00:00:00",
        zero,
        (stamp, epoch.clone()),
    );
    check(
        Condition::ZeroDate,
        "1970-01-01",
        zero,
        ("timestamp with time zone", epoch.clone()),
    );
    check(
        Condition::ZeroDate,
        "null",
        ("datetime", datetime(0, 0, 0, [1, 2, 3], 0)),
        (stamp, None),
    );
    check(Condition::InvalidDate, "null", partial, (stamp, None));
    check(
        Condition::InvalidDate,
        "1970-01-01 00:00:00",
        partial,
        (stamp, epoch),
    );
    check(
        Condition::InvalidDate,
        "null",
        ("date", date(0, 1, 1)),
        ("date", None),
    );
    check(
        Condition::ZeroDate,
        "2000-01-02",
        ("date", date(0, 0, 0)),
        ("date", Some(1_i32.to_be_bytes().to_vec())),
    );
}

#[test]
fn times_beyond_a_day_are_counted_though_an_interval_holds_them() {
    let source = source_table(&[("c", "time")], &[]);
    let target = target_table(&[("c", "interval")], &[]);
    let rules = rule(Condition::TimeRange, "interval");
    let plan = TablePlan::new("db", &source, &target, &rules, "UTC").expect("a plan");
    let rows = [
        vec![time(false, 25, [0, 0], 0)],
        vec![time(false, 1, [0, 0], 0)],
        vec![time(true, 1, [0, 0], 0)],
    ];
    let fields = [90_000, 3_600, -3_600].map(|s| vec![Some(interval(s * 1_000_000, 0, 0))]);
    let comparison = run(&plan, &rows, &fields);
    assert!(comparison.findings.is_empty());
    assert_eq!(comparison.rules[0].rows, 2);
}

#[test]
fn characters_that_the_target_cannot_hold() {
    let nul = ("text", Bytes(b"a\0b"));
    check(Condition::NulByte, "strip", nul, ("text", text("ab")));
    check(
        Condition::NulByte,
        "replace:\u{fffd}",
        nul,
        ("text", text("a\u{fffd}b")),
    );
    let json = ("json", Bytes(br#"{"k":"a\u0000b"}"#));
    check(
        Condition::JsonNul,
        "strip",
        json,
        ("jsonb", Some(jsonb(r#"{"k":"ab"}"#))),
    );
    check(
        Condition::JsonNul,
        "replace:?",
        json,
        ("jsonb", Some(jsonb(r#"{"k":"a?b"}"#))),
    );
    check(
        Condition::InvalidJson,
        "null",
        ("longtext", Bytes(b"{")),
        ("jsonb", None),
    );
    check(
        Condition::InvalidJson,
        "null",
        ("longtext", Bytes(br#""\ud800""#)),
        ("jsonb", None),
    );
    check(
        Condition::OutOfRange,
        "null",
        ("longtext", Bytes(b"1e200000")),
        ("jsonb", None),
    );
    check(
        Condition::NulByte,
        "strip",
        ("longtext", Bytes(b"{\0}")),
        ("json", text("{}")),
    );
}

#[test]
fn numbers_that_do_not_fit() {
    let two = ("tinyint", Int(2));
    check(
        Condition::NotBoolean,
        "true",
        two,
        ("boolean", Some(vec![1])),
    );
    check(Condition::NotBoolean, "null", two, ("boolean", None));
    check(
        Condition::OutOfRange,
        "null",
        ("bigint unsigned", UInt(u64::MAX)),
        ("bigint", None),
    );
    check(
        Condition::OutOfRange,
        "null",
        ("double", Double(1e300)),
        ("real", None),
    );
    check(
        Condition::OutOfRange,
        "null",
        ("decimal(10,0)", Bytes(b"100")),
        ("numeric(2,0)", None),
    );
    let half = ("decimal(10,3)", Bytes(b"-1.005"));
    let cents = |groups: &[u16]| ("numeric(10,2)", Some(numeric(groups, 0, 0x4000, 2)));
    check(Condition::PrecisionLost, "truncate", half, cents(&[1]));
    check(Condition::PrecisionLost, "round", half, cents(&[1, 100]));
    let integer = ("integer", Some(vec![0, 0, 0, 3]));
    check(
        Condition::PrecisionLost,
        "round",
        ("decimal(10,1)", Bytes(b"2.5")),
        integer,
    );
    let nearest = ("real", Some(vec![0x3d, 0xcc, 0xcc, 0xcd]));
    check(
        Condition::PrecisionLost,
        "round",
        ("double", Double(0.1)),
        nearest,
    );
}

#[test]
fn seconds_that_are_too_fine() {
    let stamp = |micros: i64| Some(micros.to_be_bytes().to_vec());
    let late = ("datetime(6)", datetime(1999, 12, 31, [23, 59, 59], 999_600));
    let target = "timestamp(3) without time zone";
    check(
        Condition::PrecisionLost,
        "truncate",
        late,
        (target, stamp(-1_000)),
    );
    check(Condition::PrecisionLost, "round", late, (target, stamp(0)));
    let day = ("datetime", datetime(2000, 1, 1, [23, 0, 0], 0));
    check(
        Condition::PrecisionLost,
        "truncate",
        day,
        ("date", Some(vec![0; 4])),
    );
    let negative = ("time(6)", time(true, 0, [0, 1], 500_000));
    let two_seconds = Some(interval(-2_000_000, 0, 0));
    check(
        Condition::PrecisionLost,
        "round",
        negative,
        ("interval(0)", two_seconds),
    );
}

#[test]
fn text_that_is_too_long() {
    let long = ("varchar(9)", Bytes("äöüx".as_bytes()));
    check(
        Condition::TooLong,
        "truncate",
        long,
        ("character varying(3)", text("äöü")),
    );
    check(
        Condition::TooLong,
        "truncate",
        ("char(9)", Bytes(b"abcd")),
        ("character(3)", text("abc")),
    );
    check(
        Condition::TooLong,
        "truncate",
        ("enum('abcd')", Bytes(b"abcd")),
        ("character varying(3)", text("abc")),
    );
}

#[test]
fn labels_that_are_unknown() {
    let zero = ("enum('a')", Bytes(b"\0"));
    check(Condition::EnumUnknown, "null", zero, ("enum:a", None));
    check(
        Condition::EnumUnknown,
        "map:=a",
        zero,
        ("enum:a", text("a")),
    );
    check(
        Condition::EnumUnknown,
        "null",
        ("enum('A')", Bytes(b"A")),
        ("enum:a", None),
    );
    check(
        Condition::EnumUnknown,
        "map:A=a",
        ("enum('A')", Bytes(b"A")),
        ("enum:a", text("a")),
    );
}

#[test]
fn values_changed_before_anything_is_judged() {
    let any = Condition::Any;
    let bytes: Vec<u8> = (0..=255).collect();
    let latin1: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let source = ("longtext", Bytes(latin1.as_bytes()));
    check(any, "latin1_to_bytes", source, ("bytea", Some(bytes)));
    check(
        any,
        "latin1_to_bytes_base64",
        ("text", Bytes("x\u{9c}ÿ".as_bytes())),
        ("text", text("eJz/")),
    );
    check(
        any,
        "lower",
        ("varchar(9)", Bytes("ÄB".as_bytes())),
        ("text", text("äb")),
    );
    check(
        any,
        "trim",
        ("varchar(9)", Bytes(b" a \t ")),
        ("text", text("a \t")),
    );
    check(
        any,
        "map:x=y",
        ("varchar(9)", Bytes(b"x")),
        ("text", text("y")),
    );
    let uuid = "map:7=00000000-0000-0000-0000-000000000000";
    check(any, uuid, ("int", Int(7)), ("uuid", Some(vec![0; 16])));
    check(
        any,
        "map:yes=true",
        ("varchar(9)", Bytes(b"yes")),
        ("boolean", Some(vec![1])),
    );
    let day = Some(1_i32.to_be_bytes().to_vec());
    check(
        any,
        "map:x=2000-01-02",
        ("varchar(9)", Bytes(b"x")),
        ("date", day),
    );
    let hour = Some(interval(3_600_000_000, 0, 0));
    check(
        any,
        "map:x=01:00:00",
        ("varchar(9)", Bytes(b"x")),
        ("interval", hour),
    );
    check(
        any,
        "map:x=101",
        ("varchar(9)", Bytes(b"x")),
        ("bit(3)", Some(bits(3, &[0xa0]))),
    );
    check(
        any,
        "map:x=\\x00ff",
        ("varchar(9)", Bytes(b"x")),
        ("bytea", Some(vec![0, 255])),
    );
    let stamp = Some(1_500_000_i64.to_be_bytes().to_vec());
    check(
        any,
        "map:2024-02-29=2000-01-01 00:00:01.5",
        ("date", date(2024, 2, 29)),
        ("timestamp without time zone", stamp),
    );
}

#[test]
fn nulls_that_the_target_refuses() {
    let case = |outcome, target: &'static str, field| Case {
        condition: Condition::NullInNotNull,
        outcome,
        source: ("varchar(9)", Null),
        target: (target, field),
    };
    let not_null = |target: &mut TargetTable| {
        target.columns[0].nullable = false;
        target.columns[0].default = Some("'it''s'::text".to_owned());
    };
    check_with(&case("default", "text", text("it's")), not_null);
    check_with(&case("value:x", "text", text("x")), not_null);
    check_with(&case("value:{}", "jsonb", Some(jsonb("{}"))), not_null);
}
