//! Each condition with its outcomes: the value that meets it and the value that does not.
//!
//! One column `t.c` at a time; the cases are data.

use crate::setup::{convert, rule, source_column, source_table, target_column, target_table};
use catalog::Condition::{
    Any, EmptyUuid, EnumUnknown, InvalidDate, InvalidJson, InvalidUuid, JsonNul, NotBoolean,
    NulByte, NullInNotNull, OutOfRange, PrecisionLost, TimeRange, TooLong, ZeroDate,
};
use catalog::{Condition, Rule};
use transform::{Error, TablePlan};

const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const NIL: &str = "00000000-0000-0000-0000-000000000000";
const NAME: &str = "character varying(3)";
const LOCAL: &str = "timestamp(3) without time zone";

/// `target` may end in ` not null` and, after that, ` default …`.
fn plan(source: &str, target: &str, rules: Vec<Rule>) -> Result<TablePlan, Error> {
    let (target, default) = match target.split_once(" default ") {
        Some((target, default)) => (target, Some(default.to_owned())),
        None => (target, None),
    };
    let (target, nullable) = match target.strip_suffix(" not null") {
        Some(target) => (target, false),
        None => (target, true),
    };
    let mut target = target_column("c", target);
    target.nullable = nullable;
    target.default = default;
    let source = source_table(vec![source_column("c", source)]);
    crate::setup::plan(&source, &target_table(vec![target]), rules)
}

/// What becomes of one value: its text, `None` for NULL, or the kind of the rejection.
fn outcome(plan: &mut TablePlan, value: Option<&str>) -> Result<Option<String>, &'static str> {
    match convert(plan, &[value.map(str::as_bytes)]) {
        Ok(fields) => Ok(fields[0].clone().map(|f| String::from_utf8(f).unwrap())),
        Err(rejection) => Err(rejection.kind().name()),
    }
}

/// The value is refused without the rule and becomes `expected` with it, counted once.
fn check(
    (source, target): (&str, &str),
    (condition, then): (Condition, &str),
    value: &str,
    expected: Option<&str>,
) {
    let mut without = plan(source, target, Vec::new()).unwrap();
    let refused = outcome(&mut without, Some(value));
    assert_eq!(
        refused,
        Err(condition.name()),
        "{source} to {target}: {value:?}"
    );
    let mut with = plan(source, target, vec![rule("t.c", condition, then)]).unwrap();
    let converted = outcome(&mut with, Some(value));
    let expected = Ok(expected.map(str::to_owned));
    assert_eq!(converted, expected, "{source} to {target}: {value:?}");
    let counts: Vec<u64> = with.rule_counts().map(|(_, records)| records).collect();
    assert_eq!(counts, [1], "{source} to {target}: {value:?}");
}

#[test]
fn uuids() {
    let pair = ("varchar(36)", "uuid");
    check(pair, (EmptyUuid, "null"), "", None);
    check(pair, (EmptyUuid, "nil_uuid"), "", Some(NIL));
    check(pair, (EmptyUuid, &format!("map:={UUID}")), "", Some(UUID));
    check(pair, (InvalidUuid, "null"), "guidance", None);
    check(pair, (InvalidUuid, "nil_uuid"), " ", Some(NIL));
    let upper = format!("map:guidance={}", UUID.to_uppercase());
    check(pair, (InvalidUuid, &upper), "guidance", Some(UUID));
    check(
        ("varbinary(16)", "uuid"),
        (InvalidUuid, "null"),
        "\\x00",
        None,
    );
    check(("varbinary(16)", "uuid"), (EmptyUuid, "null"), "\\x", None);
}

#[test]
fn a_map_file_must_know_the_value_and_lead_to_a_good_one() {
    let rules = || vec![rule("t.c", InvalidUuid, "map:a=b")];
    let mut plan_of_map = plan("varchar(36)", "uuid", rules()).unwrap();
    assert_eq!(outcome(&mut plan_of_map, Some("x")), Err("not_in_map"));
    assert_eq!(outcome(&mut plan_of_map, Some("a")), Err("invalid_uuid"));
    let counts: Vec<u64> = plan_of_map.rule_counts().map(|(_, n)| n).collect();
    assert_eq!(counts, [0], "what is refused is not counted");
}

#[test]
fn dates() {
    check(
        ("datetime", "timestamp without time zone"),
        (ZeroDate, "null"),
        "0000-00-00 00:00:00",
        None,
    );
    let literal = (ZeroDate, "1970-01-01 00:00:00");
    check(("date", "date"), literal, "0000-00-00", Some("1970-01-01"));
    check(
        ("timestamp", "timestamp with time zone"),
        literal,
        "0000-00-00 00:00:00",
        Some("1970-01-01 00:00:00+00"),
    );
    check(("date", "date"), (InvalidDate, "null"), "2024-02-00", None);
    check(
        ("date", "date"),
        (InvalidDate, "2024-02-01"),
        "2024-02-30",
        Some("2024-02-01"),
    );
    // The zone of the plan skips the one reading and repeats the other.
    let instant = ("datetime", "timestamp with time zone");
    check(instant, (InvalidDate, "null"), "2024-03-31 02:30:00", None);
    check(instant, (InvalidDate, "null"), "2024-10-27 02:30:00", None);
    check(instant, (OutOfRange, "null"), "0001-01-01 00:00:00", None);
}

#[test]
fn times() {
    let mut time = plan("time", "time without time zone", Vec::new()).unwrap();
    assert_eq!(outcome(&mut time, Some("25:00:00")), Err("time_range"));
    assert_eq!(
        outcome(&mut time, Some("23:59:59")),
        Ok(Some("23:59:59".to_owned()))
    );
    let error = plan(
        "time",
        "time without time zone",
        vec![rule("t.c", TimeRange, "interval")],
    );
    assert!(error.is_err());
    // An interval loses nothing of a long time; the rule counts them where it is declared.
    let mut interval = plan("time", "interval", Vec::new()).unwrap();
    let long = Ok(Some("838:59:59".to_owned()));
    assert_eq!(outcome(&mut interval, Some("838:59:59")), long);
    let rules = vec![rule("t.c", TimeRange, "interval")];
    let mut interval = plan("time", "interval", rules).unwrap();
    assert_eq!(outcome(&mut interval, Some("838:59:59")), long);
    assert_eq!(
        outcome(&mut interval, Some("01:00:00")),
        Ok(Some("01:00:00".to_owned()))
    );
    assert_eq!(
        interval.rule_counts().next(),
        Some(("t.c time_range -> interval", 1))
    );
}

#[test]
fn nul_characters() {
    check(("text", "text"), (NulByte, "strip"), "a\0b\0", Some("ab"));
    check(
        ("text", "text"),
        (NulByte, "replace:\u{fffd}"),
        "a\0b",
        Some("a\u{fffd}b"),
    );
    check(
        ("longtext", "jsonb"),
        (NulByte, "strip"),
        "[1]\0",
        Some("[1]"),
    );
    check(
        ("json", "jsonb"),
        (JsonNul, "strip"),
        r#"{"k":"\u0000"}"#,
        Some(r#"{"k":""}"#),
    );
    check(
        ("json", "jsonb"),
        (JsonNul, "replace:\""),
        r#"["\u0000"]"#,
        Some(r#"["\""]"#),
    );
    let mut json = plan("json", "json", Vec::new()).unwrap();
    let nul = r#"{"k":"\u0000"}"#.to_owned();
    assert_eq!(outcome(&mut json, Some(&nul)), Ok(Some(nul)));
}

#[test]
fn booleans() {
    check(("tinyint", "boolean"), (NotBoolean, "true"), "2", Some("t"));
    check(("tinyint(1)", "boolean"), (NotBoolean, "null"), "-1", None);
    check(
        ("bit(8)", "boolean"),
        (NotBoolean, "true"),
        "\\x80",
        Some("t"),
    );
}

#[test]
fn enums() {
    let pair = ("enum('a','b')", "enum(a|c)");
    check(pair, (EnumUnknown, "null"), "b", None);
    check(pair, (EnumUnknown, "null"), "\0", None);
    check(pair, (EnumUnknown, "map:b=c"), "b", Some("c"));
    // Index 0 is the empty text in a map file, as MySQL shows it.
    check(pair, (EnumUnknown, "map:=a"), "\0", Some("a"));
    check(
        ("varchar(9)", "enum(a|c)"),
        (EnumUnknown, "map:A=a"),
        "A",
        Some("a"),
    );
    check(("enum('a')", "text"), (EnumUnknown, "null"), "\0", None);
}

#[test]
fn lengths_and_digits() {
    check(
        ("varchar(9)", NAME),
        (TooLong, "truncate"),
        "ab\u{1f389}d",
        Some("ab\u{1f389}"),
    );
    check(
        ("varchar(9)", NAME),
        (TooLong, "truncate"),
        "abc   ",
        Some("abc"),
    );
    check(
        ("char(9)", "character(3)"),
        (TooLong, "truncate"),
        "abcd",
        Some("abc"),
    );
    let cents = ("decimal(10,3)", "numeric(10,2)");
    check(cents, (PrecisionLost, "round"), "1.005", Some("1.01"));
    check(cents, (PrecisionLost, "truncate"), "1.009", Some("1.00"));
    check(
        ("decimal(10,3)", "integer"),
        (PrecisionLost, "round"),
        "-2.5",
        Some("-3"),
    );
    check(
        ("double", "numeric(5,2)"),
        (PrecisionLost, "round"),
        "1.255e0",
        Some("1.26"),
    );
    check(
        ("double", "real"),
        (PrecisionLost, "round"),
        "0.1",
        Some("0.1"),
    );
    check(
        ("decimal(20,0)", "double precision"),
        (PrecisionLost, "round"),
        "9007199254740993",
        Some("9.007199254740992e+15"),
    );
}

#[test]
fn digits_of_a_second() {
    let time = "2024-12-31 23:59:59.999999";
    check(
        ("datetime(6)", LOCAL),
        (PrecisionLost, "truncate"),
        time,
        Some("2024-12-31 23:59:59.999"),
    );
    check(
        ("datetime(6)", LOCAL),
        (PrecisionLost, "round"),
        time,
        Some("2025-01-01 00:00:00"),
    );
    check(
        ("datetime(6)", "date"),
        (PrecisionLost, "truncate"),
        time,
        Some("2024-12-31"),
    );
    check(
        ("time(6)", "time(0) without time zone"),
        (PrecisionLost, "round"),
        "10:59:59.500000",
        Some("11:00:00"),
    );
}

#[test]
fn ranges() {
    check(
        ("bigint unsigned", "bigint"),
        (OutOfRange, "null"),
        "18446744073709551615",
        None,
    );
    check(
        ("decimal(5,1)", "numeric(3,1)"),
        (OutOfRange, "null"),
        "1000.0",
        None,
    );
    check(("double", "real"), (OutOfRange, "null"), "1e300", None);
    check(("json", "jsonb"), (OutOfRange, "null"), "1e999999", None);
}

#[test]
fn json() {
    check(("text", "json"), (InvalidJson, "null"), "{a:1}", None);
    check(
        ("text", "jsonb"),
        (InvalidJson, "null"),
        "\"\\ud800\"",
        None,
    );
}

#[test]
fn every_value() {
    let cases = [
        ("varchar(9)", "text", "lower", "ÄB", "äb"),
        ("varchar(9)", "text", "trim", " a b ", "a b"),
        ("varchar(9)", "text", "map:a=b,b=c", "a", "b"),
        ("int", "text", "map:1=one", "1", "one"),
        ("tinyint", "boolean", "map:2=true", "2", "t"),
        (
            "text",
            "bytea",
            "latin1_to_bytes",
            "x\u{9c}\0ÿ",
            "\\x789c00ff",
        ),
        (
            "text",
            "text",
            "latin1_to_bytes_base64",
            "x\u{9c}\0ÿ",
            "eJwA/w==",
        ),
    ];
    for (source, target, then, value, expected) in cases {
        let mut plan = plan(source, target, vec![rule("t.c", Any, then)]).unwrap();
        assert_eq!(outcome(&mut plan, None), Ok(None));
        let converted = outcome(&mut plan, Some(value));
        assert_eq!(converted, Ok(Some(expected.to_owned())), "{then}");
        assert_eq!(plan.rule_counts().next().unwrap().1, 1);
    }
    // What the rule leaves as it is, is not counted; its result is judged by the others.
    let mut trimmed = plan("varchar(9)", NAME, vec![rule("t.c", Any, "trim")]).unwrap();
    assert_eq!(
        outcome(&mut trimmed, Some("abc")),
        Ok(Some("abc".to_owned()))
    );
    assert_eq!(trimmed.rule_counts().next().unwrap().1, 0);
    assert_eq!(
        outcome(&mut trimmed, Some(" abc ")),
        Ok(Some("abc".to_owned()))
    );
    assert_eq!(outcome(&mut trimmed, Some(" abcd ")), Err("too_long"));
    let mut latin1 = plan("text", "bytea", vec![rule("t.c", Any, "latin1_to_bytes")]).unwrap();
    assert_eq!(outcome(&mut latin1, Some("\u{100}")), Err("not_latin1"));
}

#[test]
fn two_rules_in_a_row() {
    let rules = vec![
        rule("t.c", Any, "trim"),
        rule("t.*", NulByte, "strip"),
        rule("*.*", TooLong, "truncate"),
    ];
    let mut plan = plan("varchar(9)", NAME, rules).unwrap();
    let converted = outcome(&mut plan, Some(" a\0bcd "));
    assert_eq!(converted, Ok(Some("abc".to_owned())));
    assert!(plan.rule_counts().all(|(_, records)| records == 1));
    assert_eq!(plan.rule_counts().count(), 3);
}

#[test]
fn nulls_where_the_target_has_none() {
    let mut strict = plan("int", "integer not null", Vec::new()).unwrap();
    assert_eq!(outcome(&mut strict, None), Err("null_in_not_null"));
    assert_eq!(outcome(&mut strict, Some("0")), Ok(Some("0".to_owned())));
    for (source, target, then, expected) in [
        ("int", "integer not null default 7", "default", "7"),
        ("tinyint", "boolean not null default false", "default", "f"),
        ("text", "text not null default ''::text", "default", ""),
        ("int", "integer not null", "value:-1", "-1"),
        ("decimal(9,2)", "numeric(9,2) not null", "value:1.5", "1.50"),
    ] {
        let rules = vec![rule("t.c", NullInNotNull, then)];
        let mut plan = plan(source, target, rules).unwrap();
        assert_eq!(
            outcome(&mut plan, None),
            Ok(Some(expected.to_owned())),
            "{target}"
        );
        assert_eq!(plan.rule_counts().next().unwrap().1, 1);
    }
    // A wildcard's NULL is refused as NULL, or becomes what the other rule says.
    let wildcard = rule("*.*", EmptyUuid, "null");
    let mut refused = plan("char(36)", "uuid not null", vec![wildcard.clone()]).unwrap();
    assert_eq!(outcome(&mut refused, Some("")), Err("null_in_not_null"));
    let value = rule("t.c", NullInNotNull, &format!("value:{UUID}"));
    let mut filled = plan("char(36)", "uuid not null", vec![wildcard, value]).unwrap();
    assert_eq!(outcome(&mut filled, Some("")), Ok(Some(UUID.to_owned())));
}

#[test]
fn rules_that_cannot_work_where_they_point() {
    for (source, target, condition, then) in [
        ("text", "text", Any, "latin1_to_bytes"),
        ("int", "integer", Any, "trim"),
        ("text", "uuid", Any, "latin1_to_bytes_base64"),
        ("char(36)", "uuid not null", EmptyUuid, "null"),
        ("int", "integer not null", NullInNotNull, "default"),
        (
            "int",
            "integer not null default now()",
            NullInNotNull,
            "default",
        ),
        ("int", "smallint not null", NullInNotNull, "value:99999"),
        (
            "datetime(6)",
            "timestamp(0) without time zone",
            ZeroDate,
            "1970-01-01 00:00:00.5",
        ),
        ("text", "text", EmptyUuid, "null"),
        ("int", "smallint", PrecisionLost, "round"),
        ("int", "text", NulByte, "strip"),
        ("bit(8)", "bit(4)", TooLong, "truncate"),
        ("double", "real", PrecisionLost, "truncate"),
    ] {
        let at = format!("{source} to {target}: {condition} -> {then}");
        let exact = plan(source, target, vec![rule("t.c", condition, then)]);
        let error = exact.map(|_| ()).unwrap_err();
        assert_eq!(error.misfits()[0].kind(), "rule_cannot_work", "{at}");
    }
    // The same through a wildcard is passed over, where that loses nothing.
    let wildcards = vec![
        rule("*.*", Any, "trim"),
        rule("*.*", ZeroDate, "null"),
        rule("*.*", NullInNotNull, "default"),
    ];
    let plan = plan("int", "integer not null", wildcards).unwrap();
    assert_eq!(plan.rule_counts().count(), 0);
}
