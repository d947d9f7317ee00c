//! Tests of the type map: the default of every family, the choices, and that it is total.

use proptest::prelude::*;

use super::*;

fn map_with(overrides: &[(&str, &str)], data_type: &str) -> Result<Mapping, Unsupported> {
    let overrides = TypeOverrides::parse(overrides.iter().copied()).unwrap();
    let data_type = MysqlType::parse(data_type);
    TypeMap::new(&overrides).map("t", "C", &data_type, ColumnContext::default())
}

fn postgres(overrides: &[(&str, &str)], data_type: &str) -> String {
    match map_with(overrides, data_type) {
        Ok(mapping) => mapping.postgres.to_string(),
        Err(unsupported) => format!("none of {}", unsupported.choices.join(", ")),
    }
}

fn check_defaults(expected: &[(&str, &str)]) {
    for (mysql, postgres_type) in expected {
        assert_eq!(postgres(&[], mysql), *postgres_type, "{mysql}");
    }
}

#[test]
fn integers_get_the_next_type_that_holds_them() {
    check_defaults(&[
        ("tinyint(1)", "boolean"),
        ("tinyint(4)", "smallint"),
        ("tinyint(1) unsigned", "smallint"),
        ("tinyint(3) unsigned", "smallint"),
        ("smallint(6)", "smallint"),
        ("smallint unsigned", "integer"),
        ("mediumint", "integer"),
        ("mediumint unsigned", "integer"),
        ("int(10) unsigned zerofill", "bigint"),
        ("int", "integer"),
        ("bigint", "bigint"),
        ("bigint(20) unsigned", "numeric(20,0)"),
    ]);
}

#[test]
fn decimals_floats_and_bits() {
    check_defaults(&[
        ("decimal(10,2)", "numeric(10,2)"),
        ("decimal(65,30) unsigned", "numeric(65,30)"),
        ("float(7,4)", "real"),
        ("double unsigned", "double precision"),
        ("bit(1)", "boolean"),
        ("bit(8)", "bit(8)"),
        ("bit(64)", "bit(64)"),
    ]);
}

#[test]
fn text_and_bytes() {
    check_defaults(&[
        ("char(36)", "character(36)"),
        ("char(0)", "text"),
        ("varchar(255)", "character varying(255)"),
        ("varchar(65535)", "character varying(65535)"),
        ("tinytext", "text"),
        ("longtext", "text"),
        ("binary(16)", "bytea"),
        ("varbinary(0)", "bytea"),
        ("mediumblob", "bytea"),
        ("longblob", "bytea"),
        ("json", "jsonb"),
    ]);
    let empty = map_with(&[], "char(0)").unwrap();
    assert_eq!(
        empty.check.as_deref(),
        Some("\"C\" operator(pg_catalog.=) ''")
    );
}

#[test]
fn dates_and_times() {
    check_defaults(&[
        ("date", "date"),
        ("datetime", "timestamp(0) without time zone"),
        ("datetime(6)", "timestamp without time zone"),
        ("timestamp(3)", "timestamp(3) with time zone"),
        ("time(6)", "time without time zone"),
        ("time", "time(0) without time zone"),
        ("year(4)", "smallint"),
    ]);
    let mapping = map_with(&[("datetime", "timestamptz")], "datetime(3)").unwrap();
    assert_eq!(mapping.needs, [Need::DatetimeZone]);
    let mapping = map_with(&[("timestamp", "timestamptz")], "timestamp(3)").unwrap();
    assert_eq!(mapping.needs, []);
}

#[test]
fn enums_and_sets_keep_their_labels() {
    let mapping = map_with(&[], r"enum('b','it''s','')").unwrap();
    let labels = ["b", "it's", ""].map(str::to_owned).to_vec();
    assert_eq!(
        mapping.postgres,
        PostgresType::Enum {
            name: "\"t_C_enum\"".to_owned(),
            labels: labels.clone(),
        }
    );
    assert_eq!(mapping.needs, [Need::EnumType { labels }]);
    let check = |overrides: &[(&str, &str)], data_type: &str| {
        map_with(overrides, data_type).unwrap().check.unwrap()
    };
    assert_eq!(
        check(&[("t.C", "check")], r"enum('it''s','x\\y')"),
        r#""C" operator(pg_catalog.=) any (array['it''s', E'x\\y']::text[])"#
    );
    let long = format!("enum('a','{}')", "ü".repeat(32));
    assert_eq!(postgres(&[], &long), "text");
    assert!(check(&[], &long).starts_with("\"C\" operator(pg_catalog.=) any (array['a', 'üü"));
    assert_eq!(postgres(&[("enum", "enum")], &long), "none of check, text");
    assert_eq!(postgres(&[], "set('a','b,')"), "text[]");
    assert_eq!(
        check(&[], "set('a','NULL')"),
        "\"C\" operator(pg_catalog.<@) array['a', 'NULL']::text[]"
    );
    assert_eq!(postgres(&[], r"enum('a\0')"), "none of text");
    assert_eq!(postgres(&[], r"set('a\0')"), "none of text");
}

#[test]
fn what_the_server_families_have_of_their_own() {
    check_defaults(&[
        ("uuid", "uuid"),
        ("inet4", "text"),
        ("inet6", "text"),
        ("vector(3)", "none of "),
        ("point", "none of bytea, point, geometry"),
        ("POLYGON", "none of bytea, geometry"),
        ("xmltype", "none of "),
    ]);
    assert_eq!(postgres(&[("point", "point")], "point"), "point");
    let geometry = map_with(&[("multipolygon", "geometry")], "multipolygon").unwrap();
    assert_eq!(geometry.needs, [Need::Extension("postgis")]);
}

#[test]
fn choices_and_who_made_them() {
    for (key, choice, data_type, expected, origin) in [
        (
            "tinyint(1)",
            "smallint",
            "tinyint(1)",
            "smallint",
            Origin::TypeOverride,
        ),
        (
            "tinyint",
            "boolean",
            "tinyint",
            "boolean",
            Origin::TypeOverride,
        ),
        (
            "tinyint",
            "boolean",
            "tinyint(1)",
            "boolean",
            Origin::Default,
        ),
        ("char(36)", "uuid", "char(36)", "uuid", Origin::TypeOverride),
        (
            "char",
            "varchar",
            "char(36)",
            "character varying(36)",
            Origin::TypeOverride,
        ),
        (
            "binary(16)",
            "uuid",
            "binary(16)",
            "uuid",
            Origin::TypeOverride,
        ),
        ("bit(1)", "bit", "bit(1)", "bit(1)", Origin::TypeOverride),
        (
            "time",
            "interval",
            "time(3)",
            "interval(3)",
            Origin::TypeOverride,
        ),
        ("enum", "text", "enum('a')", "text", Origin::TypeOverride),
        ("t.C", "json", "json", "json", Origin::ColumnOverride),
        ("t.c", "json", "json", "jsonb", Origin::Default),
        ("year", "integer", "year", "integer", Origin::TypeOverride),
    ] {
        let mapping = map_with(&[(key, choice)], data_type).unwrap();
        assert_eq!(mapping.postgres.to_string(), expected, "{key}");
        assert_eq!(mapping.origin, origin, "{key}");
    }
    let refused = map_with(&[("t.C", "uuid")], "char(10)").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`t.C` has no type: char(n) cannot be `uuid`"
    );
    assert_eq!(refused.choices, ["char", "varchar", "text", "citext"]);
}

#[test]
fn a_numbered_column_is_a_number_and_may_need_a_sequence() {
    let numbered = ColumnContext {
        auto_increment: true,
        enum_name: None,
    };
    for (data_type, expected, needs) in [
        ("tinyint(1)", "smallint", vec![]),
        ("int unsigned", "bigint", vec![]),
        ("bigint unsigned", "numeric(20,0)", vec![Need::Sequence]),
        ("double", "double precision", vec![Need::Sequence]),
    ] {
        let data_type = MysqlType::parse(data_type);
        let mapping = TypeMap::default().map("t", "c", &data_type, numbered);
        let mapping = mapping.unwrap();
        assert_eq!(mapping.postgres.to_string(), expected);
        assert_eq!(mapping.needs, needs);
    }
}

#[test]
fn a_type_by_foreign_keys_is_a_choice_or_is_said_to_be_none() {
    let data_type = MysqlType::parse("char(36)");
    let map = TypeMap::default();
    let mapped = |postgres| {
        let context = ColumnContext::default();
        map.map_as(
            "t",
            "c",
            &data_type,
            context,
            &PostgresType::parse(postgres),
        )
    };
    let uuid = mapped("uuid");
    assert_eq!(
        uuid.explanation,
        "t.c: char(36) is uuid, by its foreign keys"
    );
    assert!(uuid.lost.is_some());
    assert_eq!(
        mapped("character(40)").postgres.to_string(),
        "character(40)"
    );
}

#[test]
fn every_example_belongs_to_its_own_line_and_every_choice_has_one_name() {
    for row in rows() {
        let data_type = MysqlType::parse(row.example);
        let found = row_of(&data_type).expect("it belongs somewhere");
        assert_eq!(found.mysql, row.mysql);
        for (index, choice) in row.choices.iter().enumerate() {
            let twice = row.choices[..index].iter().any(|c| c.name == choice.name);
            assert!(!twice, "{}: {}", row.mysql, choice.name);
        }
        assert!(row.unsupported.is_some() || !row.choices.is_empty());
    }
}

#[test]
fn the_page_has_every_choice_and_no_broken_line() {
    let page = document();
    for row in rows() {
        for choice in row.choices {
            let line = format!("| {} | {} |", row.mysql, choice.shown);
            assert!(page.contains(&line), "{line}");
        }
    }
    let lines = page.lines().filter(|line| line.starts_with('|'));
    for line in lines {
        assert_eq!(line.matches('|').count(), 5, "{line}");
    }
}

/// Texts that look like types, with numbers that no server reports.
const LIKE_A_TYPE: &str = "(tinyint|smallint|mediumint|int|bigint|decimal|float|double|bit|char|varchar|binary|varbinary|datetime|timestamp|time|year|enum|set|json|point|vector|inet6)(\\(('[ab\\\\0n]{0,3}'|[0-9]{1,6})(,('[ab]{0,3}'|[0-9]{1,3}))?\\))?( unsigned| zerofill)?";

/// What PostgreSQL takes as a type's arguments (manual, chapter 8).
fn is_legal(postgres: &PostgresType) -> bool {
    match postgres {
        PostgresType::Numeric {
            limits: Some((precision, scale)),
        } => {
            (1..=1000).contains(precision)
                && (0..=i32::from(*precision)).contains(&i32::from(*scale))
        }
        PostgresType::Char { length } => (1..=10_485_760).contains(length),
        PostgresType::Varchar { length } => length.is_none_or(|l| (1..=10_485_760).contains(&l)),
        PostgresType::Bit { width } => (1..=64).contains(width),
        PostgresType::Timestamp { fraction }
        | PostgresType::Timestamptz { fraction }
        | PostgresType::Time { fraction }
        | PostgresType::Interval { fraction } => *fraction <= 6,
        PostgresType::Enum { name, labels } => {
            name.trim_matches('"').len() <= 63 && labels.iter().all(|label| label.len() <= 63)
        }
        _ => true,
    }
}

proptest! {
    #[test]
    fn every_type_has_a_legal_type_or_a_reason(text in prop_oneof![LIKE_A_TYPE, "\\PC{0,40}"]) {
        let data_type = MysqlType::parse(&text);
        let context = ColumnContext::default();
        match TypeMap::default().map("t", "c", &data_type, context) {
            Ok(mapping) => prop_assert!(is_legal(&mapping.postgres), "{}", mapping.explanation),
            Err(unsupported) => prop_assert!(!unsupported.reason.is_empty()),
        }
        for postgres in TypeMap::default().possible("t", "c", &data_type, context) {
            prop_assert!(is_legal(&postgres), "{postgres}");
        }
    }

    #[test]
    fn keys_and_choices_never_panic(key in prop_oneof![LIKE_A_TYPE, "[a-z.`*(]{0,9}"], choice in "\\PC{0,9}") {
        let _ = TypeOverrides::parse([(key.as_str(), choice.as_str())]);
    }
}
