//! Tests of the defaults: what each becomes, and that no text leaves its quotes.

use catalog::literal_default;
use proptest::prelude::*;

use super::*;

fn target(text: &str) -> PostgresType {
    match text.strip_prefix("enum:") {
        Some(labels) => PostgresType::Enum {
            name: "e".to_owned(),
            labels: labels.split(',').map(str::to_owned).collect(),
        },
        None => PostgresType::parse(text),
    }
}

fn translated(default: &str, source: &str, postgres: &str) -> Result<String, String> {
    let source = MysqlType::parse(source);
    match translate(
        default,
        &source,
        &target(postgres),
        Some("Europe/Amsterdam"),
    ) {
        Ok(Some(default)) => Ok(default.sql),
        Ok(None) => Ok("none".to_owned()),
        Err(problem) => Err(problem.reason),
    }
}

fn check(cases: &[(&str, &str, &str, &str)]) {
    for (source, postgres, default, expected) in cases {
        let found = translated(default, source, postgres);
        assert_eq!(
            found.as_deref(),
            Ok(*expected),
            "{source} default {default}"
        );
    }
}

#[test]
fn numbers_booleans_and_bits() {
    check(&[
        ("tinyint(1)", "boolean", "0", "false"),
        ("tinyint(1)", "boolean", "'1'", "true"),
        ("tinyint(1)", "boolean", "true", "true"),
        ("bit(1)", "boolean", "b'1'", "true"),
        ("bit(1)", "bit(1)", "b'0'", "B'0'"),
        ("bit(8)", "bit(8)", "b'101'", "B'00000101'"),
        ("bit(8)", "bigint", "b'101'", "5"),
        (
            "bit(64)",
            "numeric(20,0)",
            "0xffffffffffffffff",
            "18446744073709551615",
        ),
        ("int", "integer", "-5", "-5"),
        ("int", "integer", "NULL", "none"),
        (
            "bigint unsigned",
            "numeric(20,0)",
            "18446744073709551615",
            "18446744073709551615",
        ),
        ("decimal(6,2)", "numeric(6,2)", "-1.50", "-1.50"),
        ("double", "double precision", "1e-5", "1e-5"),
        ("year", "smallint", "2024", "2024"),
    ]);
}

#[test]
fn texts_bytes_and_labels() {
    check(&[
        ("varchar(9)", "character varying(9)", "'it''s'", "'it''s'"),
        ("varchar(9)", "text", r"'a\'b\\c\n'", "E'a''b\\\\c\n'"),
        (
            "varchar(9)",
            "text",
            "'current_timestamp'",
            "'current_timestamp'",
        ),
        ("varchar(9)", "text", "'0'", "'0'"),
        ("text", "citext", "'ü'", "'ü'"),
        ("char(4)", "text", "'a  '", "'a'"),
        ("enum('x','it''s')", "enum:x,it's", "'it''s'", "'it''s'"),
        ("enum('x','y')", "text", "'y'", "'y'"),
        (
            "set('a','b','c')",
            "text[]",
            "'a,c'",
            "array['a', 'c']::text[]",
        ),
        ("set('a','b','c')", "text[]", "''", "array[]::text[]"),
        ("varbinary(9)", "bytea", "0x6162", r"E'\\x6162'"),
        ("varbinary(9)", "bytea", "'ü'", r"E'\\xc3bc'"),
        ("varbinary(9)", "bytea", "''", r"E'\\x'"),
        ("binary(3)", "bytea", "'a'", r"E'\\x610000'"),
        (
            "char(36)",
            "uuid",
            "'6CCD780C-BABA-1026-9564-5B8C656024DB'",
            "'6ccd780c-baba-1026-9564-5b8c656024db'",
        ),
        (
            "binary(16)",
            "uuid",
            "0x6ccd780cbaba102695645b8c656024db",
            "'6ccd780c-baba-1026-9564-5b8c656024db'",
        ),
    ]);
}

#[test]
fn documents_and_uuids() {
    check(&[
        ("json", "jsonb", "json_array()", "'[]'"),
        ("json", "json", "json_object()", "'{}'"),
        ("json", "jsonb", "'{\"a\": 1}'", "'{\"a\": 1}'"),
        ("json", "jsonb", "cast(_utf8mb4'[]' as json)", "'[]'"),
        (
            "longtext",
            "text",
            "json_array(1,_utf8mb4'a\"''',NULL,true)",
            r#"E'[1, "a\\"''", null, true]'"#,
        ),
        (
            "json",
            "jsonb",
            "json_object('k',json_array())",
            r#"'{"k": []}'"#,
        ),
        ("char(36)", "uuid", "uuid()", "pg_catalog.gen_random_uuid()"),
        (
            "char(36)",
            "character(36)",
            "(uuid())",
            "(pg_catalog.gen_random_uuid()::text)",
        ),
        (
            "binary(16)",
            "uuid",
            "uuid_to_bin(uuid())",
            "pg_catalog.gen_random_uuid()",
        ),
        (
            "binary(16)",
            "bytea",
            "unhex(replace(uuid(),_utf8mb4'-',_utf8mb4''))",
            "pg_catalog.decode(pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''), 'hex')",
        ),
    ]);
}

#[test]
fn dates_times_and_the_clock() {
    let (local, instant) = ("timestamp(3) without time zone", "timestamp with time zone");
    check(&[
        (
            "datetime(3)",
            local,
            "current_timestamp(3)",
            "current_timestamp(3)",
        ),
        (
            "datetime(6)",
            instant,
            "CURRENT_TIMESTAMP(6)",
            "current_timestamp",
        ),
        (
            "timestamp",
            instant,
            "current_timestamp()",
            "current_timestamp(0)",
        ),
        (
            "timestamp(3)",
            local,
            "now(3)",
            "(current_timestamp(3) at time zone 'UTC')",
        ),
        (
            "datetime(3)",
            local,
            "utc_timestamp(3)",
            "(current_timestamp(3) at time zone 'UTC')",
        ),
        ("date", "date", "curdate()", "current_date"),
        ("date", "date", "(now())", "current_date"),
        (
            "time",
            "time(0) without time zone",
            "curtime()",
            "localtime(0)",
        ),
        (
            "time",
            "interval(0)",
            "current_time()",
            "(localtime(0)::interval)",
        ),
        (
            "int",
            "integer",
            "unix_timestamp()",
            "pg_catalog.floor(extract(epoch from current_timestamp))",
        ),
        ("date", "date", "'2024-02-29'", "'2024-02-29'"),
        (
            "datetime",
            local,
            "'2024-01-31 12:00:00'",
            "'2024-01-31 12:00:00'",
        ),
        (
            "timestamp",
            instant,
            "'2024-01-31 12:00:00'",
            "'2024-01-31 12:00:00+00'",
        ),
        (
            "datetime",
            instant,
            "'2024-01-31 12:00:00'",
            "'2024-01-31 12:00:00 Europe/Amsterdam'",
        ),
        (
            "time(1)",
            "time(1) without time zone",
            "'23:59:59.9'",
            "'23:59:59.9'",
        ),
        ("time", "interval(0)", "'-838:59:59'", "'-838:59:59'"),
    ]);
}

#[test]
fn what_is_not_translated_says_why() {
    let local = "timestamp without time zone";
    for (source, postgres, default, reason) in [
        (
            "datetime",
            local,
            "'0000-00-00 00:00:00'",
            "it is a zero date",
        ),
        (
            "date",
            "date",
            "'2024-02-30'",
            "it is no date of the calendar",
        ),
        (
            "date",
            "date",
            "'0000-01-01'",
            "it is no date of the calendar",
        ),
        (
            "datetime",
            local,
            "'2024-01-01 24:00:00'",
            "it is no time of a day",
        ),
        (
            "time",
            "time without time zone",
            "'25:00:00'",
            "it is no time of one day",
        ),
        ("tinyint(1)", "boolean", "2", "it is neither 0 nor 1"),
        (
            "int unsigned",
            "integer",
            "4294967295",
            "it is outside the range of the type",
        ),
        ("char(36)", "uuid", "''", "it is no uuid"),
        ("enum('a')", "enum:b", "'a'", "it is none of the labels"),
        ("json", "jsonb", "'{'", "it is no JSON"),
        ("json", "jsonb", r#"'"\\u0000"'"#, "jsonb holds no \\u0000"),
        (
            "varchar(9)",
            "text",
            r"'\0'",
            "PostgreSQL's text holds no NUL",
        ),
        (
            "varchar(9)",
            "character varying(2)",
            "'abc'",
            "it is longer than the column",
        ),
        (
            "int",
            "integer",
            "(1 + 1)",
            "it is an expression that this version does not know",
        ),
        (
            "varchar(99)",
            "text",
            "user()",
            "`user` has no counterpart for text",
        ),
        (
            "text",
            "text",
            "_utf8mb4'Ã¼'",
            "MySQL does not show its characters beyond ASCII as they are",
        ),
        (
            "varchar(9)",
            "text",
            "'a'); drop table t --",
            "it is an expression that this version does not know",
        ),
    ] {
        assert_eq!(
            translated(default, source, postgres),
            Err(reason.to_owned()),
            "{default}"
        );
    }
    let source = MysqlType::parse("datetime");
    let instant = PostgresType::parse("timestamp with time zone");
    let problem = translate("'2024-01-31 12:00:00'", &source, &instant, None).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "the default '2024-01-31 12:00:00' is not translated: the configuration has no `datetime_zone`"
    );
}

#[test]
fn what_is_not_quite_the_same_is_noted() {
    let note = |default: &str, source: &str, postgres: &str| {
        let (source, postgres) = (MysqlType::parse(source), PostgresType::parse(postgres));
        let default = translate(default, &source, &postgres, None)
            .unwrap()
            .unwrap();
        default.note.unwrap_or("nothing")
    };
    let instant = "timestamp with time zone";
    let found = note("current_timestamp(6)", "timestamp(6)", instant);
    assert!(found.ends_with("that of the statement"), "{found}");
    let found = note("current_timestamp()", "timestamp", instant);
    assert!(found.ends_with("and cuts it"), "{found}");
    let found = note("uuid()", "char(36)", "uuid");
    assert!(found.contains("version 4"), "{found}");
    assert_eq!(note("5", "int", "integer"), "nothing");
}

proptest! {
    #[test]
    fn every_text_stays_in_its_quotes(text in "\\PC{0,20}|['\\\\\"$;a\n]{0,9}") {
        let source = MysqlType::parse("text");
        let default = catalog::quote::mysql_literal(&text);
        let found = translate(&default, &source, &PostgresType::Text, None).unwrap().unwrap();
        let plain = found.sql.strip_prefix('E').map(|sql| sql.replace("\\\\", "\\"));
        let read_back = literal_default(plain.as_deref().unwrap_or(&found.sql));
        prop_assert_eq!(read_back, Some(text));
    }

    #[test]
    fn any_text_is_translated_or_named(
        default in "\\PC{0,20}|'[-0-9:. {}\\[\\]]{0,20}'|[-0-9.e]{0,9}|0x[0-9a-f]{0,20}|b'[01]{0,9}'",
        source in "int|bit\\(8\\)|date|datetime|time|json|char\\(36\\)|binary\\(16\\)|set\\('a','b'\\)",
        postgres in "boolean|smallint|bigint|numeric\\(20,0\\)|bit\\(8\\)|date|interval|uuid|jsonb|bytea|text\\[\\]|citext|point"
    ) {
        let (source, postgres) = (MysqlType::parse(&source), PostgresType::parse(&postgres));
        let _ = translate(&default, &source, &postgres, None);
    }
}
