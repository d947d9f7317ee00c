//! Whole tables: which columns meet, which stand alone, and what is said of it.
//!
//! What becomes of single values is shown in `rules.rs`.

use crate::setup::{convert, plan, rule, source_column, source_table, target_column, target_table};
use catalog::{Condition, Generated};
use dataset::Record;
use transform::Kind;

#[test]
fn columns_match_by_name_and_come_in_the_targets_order() {
    let mut hidden = source_column("hidden", "int");
    hidden.generated = Some(Generated::stored("id + 1"));
    let source = source_table(vec![
        source_column("id", "int"),
        hidden,
        source_column("on", "tinyint(1)"),
        source_column("Name", "varchar(9)"),
    ]);
    let mut computed = target_column("hidden", "integer");
    computed.generated = Some(Generated::stored("id + 1"));
    let mut counted = target_column("extra", "bigint");
    counted.nullable = false;
    counted.auto_increment = true;
    let target = target_table(vec![
        target_column("Name", "text"),
        target_column("on", "boolean"),
        computed,
        target_column("name", "text"),
        counted,
        target_column("id", "bigint"),
    ]);
    let mut plan = plan(&source, &target, Vec::new()).unwrap();
    let names: Vec<&str> = plan.columns().iter().map(|column| column.name()).collect();
    assert_eq!(names, ["Name", "on", "id"]);
    assert_eq!(plan.left_out(), ["name", "extra"]);
    let record = convert(&mut plan, &[Some(b"7"), Some(b"1"), None]).unwrap();
    assert_eq!(record, [None, Some(b"t".to_vec()), Some(b"7".to_vec())]);
}

#[test]
fn everything_that_does_not_fit_is_named_at_once() {
    let source = source_table(vec![
        source_column("gone", "int"),
        source_column("words", "text"),
        source_column("sum", "int"),
        source_column("id", "varchar(36)"),
    ]);
    let mut sum = target_column("sum", "integer");
    sum.generated = Some(Generated::stored("1"));
    let mut needed = target_column("needed", "integer");
    needed.nullable = false;
    let mut id = target_column("id", "uuid");
    id.nullable = false;
    let target = target_table(vec![target_column("words", "bytea"), sum, needed, id]);
    let rules = vec![rule("t.id", Condition::EmptyUuid, "null")];
    let error = plan(&source, &target, rules).unwrap_err();
    let kinds: Vec<&str> = error.misfits().iter().map(|misfit| misfit.kind()).collect();
    assert_eq!(
        kinds,
        [
            "column_only_in_source",
            "generated_in_target",
            "column_only_in_target",
            "not_converted",
            "rule_cannot_work",
        ]
    );
    assert_eq!(
        error.to_string(),
        "column `db.t.gone` is only in the source; \
         column `db.t.sum` holds data in the source and is generated in the target; \
         column `db.t.needed` is only in the target, where it is not null and has no default; \
         cannot convert `db.t.words` from `text` to `bytea`: no conversion for this pair; \
         rule `t.id empty_uuid -> null` cannot work for `db.t.id` (`varchar(36)` to `uuid`): \
         the target is not null"
    );
}

#[test]
fn a_generated_column_meets_no_plain_one() {
    let generated = |name: &str| {
        let mut column = source_column(name, "int");
        column.generated = Some(Generated::stored("id * 2"));
        column
    };
    let source = source_table(vec![
        source_column("id", "int"),
        generated("nullable"),
        generated("needed"),
        generated("both"),
        generated("gone"),
    ]);
    let mut needed = target_column("needed", "integer");
    needed.nullable = false;
    let mut both = target_column("both", "integer");
    both.generated = Some(Generated::stored("id * 2"));
    let target = target_table(vec![
        target_column("id", "integer"),
        target_column("nullable", "integer"),
        needed,
        both,
    ]);
    let error = plan(&source, &target, Vec::new()).unwrap_err();
    let misfits: Vec<_> = error
        .misfits()
        .iter()
        .map(|misfit| (misfit.kind(), misfit.place().column.as_deref()))
        .collect();
    assert_eq!(
        misfits,
        [
            ("generated_in_source", Some("nullable")),
            ("generated_in_source", Some("needed")),
        ]
    );
}

#[test]
fn a_reviewer_reads_what_will_be_done() {
    let source = source_table(vec![
        source_column("id", "char(36)"),
        source_column("at", "datetime(6)"),
        source_column("name", "varchar(9)"),
    ]);
    let target = target_table(vec![
        target_column("id", "uuid"),
        target_column("at", "timestamp(3) with time zone"),
        target_column("name", "character varying(5)"),
    ]);
    let rules = vec![
        rule("*.*", Condition::EmptyUuid, "null"),
        rule("t.at", Condition::PrecisionLost, "round"),
        rule("t.name", Condition::Any, "trim"),
    ];
    let plan = plan(&source, &target, rules).unwrap();
    let lines: Vec<String> = plan.columns().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "uuid: lower case; empty_uuid -> null",
            "timestamp in UTC: read in Europe/Amsterdam, at most 3 digits; precision_lost -> round",
            "text: unchanged, at most 5 characters; any -> trim",
        ]
    );
}

#[test]
fn a_rejection_names_place_kind_and_way_out_but_not_the_value() {
    let source = source_table(vec![
        source_column("id", "int"),
        source_column("e mail", "varchar(99)"),
        source_column("at", "datetime"),
    ]);
    let target = target_table(vec![
        target_column("id", "integer"),
        target_column("e mail", "character varying(5)"),
        target_column("at", "timestamp without time zone"),
    ]);
    let mut plan = plan(&source, &target, Vec::new()).unwrap();
    let fields = |mail, at| [Some(&b"7"[..]), Some(mail), Some(at)];
    let long = convert(&mut plan, &fields(b"secret@x.org", b"2024-01-01 00:00:00")).unwrap_err();
    assert_eq!(
        long.to_string(),
        "cannot convert `db.t.e mail`, row id 7, record 1: the `varchar(99)` of 12 bytes \
         has 12 characters where the target holds 5 (kind: too_long)"
    );
    let hint = r#"{column: "t.e mail", when: too_long, then: truncate}"#;
    assert_eq!(long.hint(), Some(hint));
    let zero = convert(&mut plan, &fields(b"a@b.c", b"0000-00-00 00:00:00")).unwrap_err();
    assert_eq!(
        zero.to_string(),
        "cannot convert `db.t.at`, row id 7, record 1: `0000-00-00 00:00:00` is not a date \
         (kind: zero_date)"
    );
    let hint = r#"{column: t.at, when: zero_date, then: "null"}"#;
    assert_eq!(zero.hint(), Some(hint));
    let short = convert(&mut plan, &[None]).unwrap_err();
    assert_eq!(short.detail(), "the record has 1 fields, expected 3");
}

/// Source type, target type (not null), value, kind, and the outcome that the hint names.
type Hint<'a> = (&'a str, &'a str, Option<&'a str>, &'a str, Option<&'a str>);

#[rustfmt::skip]
const HINTS: &[Hint<'_>] = &[
    ("varchar(36)", "uuid", Some(""), "empty_uuid", Some("nil_uuid")),
    ("date", "date", Some("0000-00-00"), "zero_date", Some("\"1970-01-01 00:00:00\"")),
    ("enum('a')", "enum(b)", Some("a"), "enum_unknown", Some("\"map:<file.csv>\"")),
    ("tinyint", "boolean", Some("2"), "not_boolean", Some("\"true\"")),
    ("double", "real", Some("0.1"), "precision_lost", Some("round")),
    ("datetime(6)", "date", Some("2024-01-01 01:00:00"), "precision_lost", Some("truncate")),
    ("text", "text", Some("\0"), "nul_byte", Some("strip")),
    ("json", "jsonb", Some("\"\\u0000\""), "json_nul", Some("strip")),
    ("int", "integer", None, "null_in_not_null", Some("\"value:<v>\"")),
    ("int", "smallint", Some("99999"), "out_of_range", None),
    ("bit(8)", "bit(4)", Some("\\xff"), "too_long", None),
    ("time", "time without time zone", Some("25:00:00"), "time_range", None),
];

#[test]
fn a_hint_is_a_rule_that_helps() {
    for (source_type, target_type, field, kind, outcome) in HINTS {
        let source = source_table(vec![source_column("c", source_type)]);
        let mut column = target_column("c", target_type);
        column.nullable = false;
        let mut plan = plan(&source, &target_table(vec![column]), Vec::new()).unwrap();
        let rejection = convert(&mut plan, &[field.map(str::as_bytes)]).unwrap_err();
        assert_eq!(rejection.kind().name(), *kind);
        let expected = outcome.map(|then| format!("{{column: t.c, when: {kind}, then: {then}}}"));
        assert_eq!(rejection.hint(), expected.as_deref());
    }
}

#[test]
fn a_rule_counts_a_record_once() {
    let source = source_table(vec![source_column("a", "text"), source_column("b", "text")]);
    let target = target_table(vec![target_column("a", "text"), target_column("b", "text")]);
    let rules = vec![rule("*.*", Condition::NulByte, "strip")];
    let mut plan = plan(&source, &target, rules).unwrap();
    convert(&mut plan, &[Some(b"\0"), Some(b"\0")]).unwrap();
    convert(&mut plan, &[Some(b"x"), Some(b"\0")]).unwrap();
    convert(&mut plan, &[Some(b"x"), Some(b"y")]).unwrap();
    convert(&mut plan, &[Some(b"\0"), Some(b"\xff")]).unwrap_err();
    let counts: Vec<(&str, u64)> = plan.rule_counts().collect();
    assert_eq!(counts, [("*.* nul_byte -> strip", 2)]);
}

#[test]
fn a_survey_goes_on_behind_a_value_that_is_refused() {
    let source = source_table(vec![
        source_column("id", "int"),
        source_column("flag", "tinyint"),
        source_column("owner", "char(36)"),
        source_column("other", "char(36)"),
        source_column("day", "date"),
    ]);
    let target = target_table(vec![
        target_column("id", "integer"),
        target_column("flag", "boolean"),
        target_column("owner", "uuid"),
        target_column("other", "uuid"),
        target_column("day", "date"),
    ]);
    let rules = vec![rule("*.*", Condition::EmptyUuid, "null")];
    let mut plan = plan(&source, &target, rules).unwrap();
    let mut input = Record::new();
    for field in ["7", "2", "", "", "0000-00-00"] {
        input.push_bytes(field.as_bytes());
    }
    let (mut output, mut found) = (Record::new(), Vec::new());
    let surveyed = plan.survey(&input, &mut output, 1, |column, kind| {
        found.push((column, kind.name()));
    });
    surveyed.unwrap();
    assert_eq!(found, [(1, "not_boolean"), (4, "zero_date")]);
    let fields: Vec<Option<&[u8]>> = output.iter().collect();
    assert_eq!(fields, [Some(&b"7"[..]), None, None, None, None]);
    let counts: Vec<u64> = plan.rule_counts().map(|(_, records)| records).collect();
    assert_eq!(counts, [1], "a rule counts a record once");
    let day = Kind::Condition(Condition::ZeroDate);
    assert_eq!(
        plan.suggested_rule(4, day).as_deref(),
        Some("{column: t.day, when: zero_date, then: \"null\"}")
    );
    assert_eq!(plan.suggested_rule(4, Kind::InvalidUtf8), None);

    input.push_bytes(b"one too many");
    let longer = plan.survey(&input, &mut output, 2, |_, _| {});
    assert_eq!(longer.unwrap_err().kind(), Kind::Malformed);
}
