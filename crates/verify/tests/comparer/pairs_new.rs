//! Pairs of types: what is equal, and what looks alike and is not.
//!
//! The bytes of the target are written down by hand from PostgreSQL's formats.

use catalog::{MysqlType, RuleSet};
use digest::SourceValue::{self, Bytes, Double, Float, Int, Null, UInt};
use verify::TablePlan;

use crate::fixture::{
    bits, date, datetime, interval, jsonb, numeric, run, source_table, target_table, text_array,
    time,
};

/// Source type, value, target type, field, whether they are equal.
type Case<'a> = (&'a str, SourceValue<'a>, &'a str, Option<Vec<u8>>, bool);

fn check(cases: &[Case<'_>]) {
    check_in_zone("UTC", cases);
}

fn check_in_zone(zone: &str, cases: &[Case<'_>]) {
    for (source, value, target, field, equal) in cases {
        let source_table = source_table(&[("c", source)], &[]);
        let target_table = target_table(&[("c", target)], &[]);
        let rules = RuleSet::default();
        let plan = TablePlan::new("db", &source_table, &target_table, &rules, zone)
            .unwrap_or_else(|error| panic!("{source} to {target}: {error}"));
        let comparison = run(&plan, &[vec![*value]], &[vec![field.clone()]]);
        assert_eq!(
            comparison.findings.is_empty(),
            *equal,
            "{source} to {target}: {value:?} and {field:02x?}"
        );
    }
}

fn text(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

#[test]
fn null_equals_null_and_nothing_else() {
    for source in [
        "int",
        "varchar(9)",
        "char(36)",
        "json",
        "datetime",
        "double",
        "bit(1)",
    ] {
        let target = match MysqlType::parse(source) {
            MysqlType::Integer { .. } => "integer",
            MysqlType::Json => "jsonb",
            MysqlType::Datetime { .. } => "timestamp without time zone",
            MysqlType::Double => "double precision",
            MysqlType::Bit { .. } => "boolean",
            MysqlType::Char { .. } => "uuid",
            _ => "text",
        };
        same(&format!("{source} => {target}"), Null, None);
        let zeros = match target {
            "boolean" => vec![0],
            "integer" => vec![0; 4],
            "text" => vec![],
            "jsonb" => jsonb("null"),
            "uuid" => vec![0; 16],
            _ => vec![0; 8],
        };
        differ(&format!("{source} => {target}"), Null, Some(zeros));
    }
    same("text => text", Bytes(b""), text(""));
differ("text => text", Bytes(b""), None);
differ("text => text", Bytes(b"NULL"), None);
same("text => text", Bytes(b"NULL"), text("NULL"));
same("text => text", Bytes(b"\\N"), text("\\N"));
differ("text => text", Bytes(b"\\N"), None);
differ("json => jsonb", Bytes(b"null"), None);
}

#[test]
fn booleans() {
    same("tinyint => boolean", Int(0), Some(vec![0]));
same("tinyint(1) => boolean", Int(1), Some(vec![1]));
same("bigint unsigned => boolean", UInt(1), Some(vec![1]));
differ("tinyint => boolean", Int(0), Some(vec![1]));
differ("tinyint => boolean", Int(2), Some(vec![1]));
differ("tinyint => boolean", Int(-1), Some(vec![1]));
differ("tinyint => boolean", Int(127), Some(vec![1]));
same("bit(1) => boolean", Bytes(&[1]), Some(vec![1]));
differ("bit(8) => boolean", Bytes(&[2]), Some(vec![1]));
differ("tinyint => boolean", Int(1), Some(vec![2]));
differ("tinyint => boolean", Int(1), Some(vec![]));
}

#[test]
fn integers() {
    same("tinyint(1) => smallint", Int(2), Some(vec![0, 2]));
same("smallint => smallint", Int(-1), Some(vec![0xff, 0xff]));
same("int => integer", Int(-2), Some(vec![0xff, 0xff, 0xff, 0xfe]));
same("int unsigned => bigint", Int(4_294_967_295), Some(vec![0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
same("bigint => bigint", Int(i64::MIN), Some(vec![0x80, 0, 0, 0, 0, 0, 0, 0]));
differ("bigint unsigned => bigint", UInt(u64::MAX), Some(vec![0xff; 8]));
differ("int => smallint", Int(65_537), Some(vec![0, 1]));
same("year => smallint", Int(2024), Some(vec![0x07, 0xe8]));
same("bit(16) => integer", Bytes(&[1, 2]), Some(vec![0, 0, 1, 2]));
same("decimal(10,2) => integer", Bytes(b"7.00"), Some(vec![0, 0, 0, 7]));
differ("decimal(10,2) => integer", Bytes(b"7.01"), Some(vec![0, 0, 0, 7]));
same("int => text", Int(5), text("5"));
same("year => character varying(4)", Int(0), text("0000"));
}

#[test]
fn exact_numbers() {
    let positive = 0;
    let negative = 0x4000;
    same("bigint unsigned => numeric(20,0)", UInt(u64::MAX), Some(numeric(&[1844, 6744, 737, 955, 1615], 4, positive, 0)));
same("decimal(10,4) => numeric(10,4)", Bytes(b"0.0001"), Some(numeric(&[1], -1, positive, 4)));
same("decimal(10,0) => numeric(10,0)", Bytes(b"10000"), Some(numeric(&[1], 1, positive, 0)));
same("decimal(10,2) => numeric(10,2)", Bytes(b"-1.50"), Some(numeric(&[1, 5000], 0, negative, 2)));
differ("decimal(10,2) => numeric(10,2)", Bytes(b"1.50"), Some(numeric(&[1, 5000], 0, negative, 2)));
same("decimal(10,2) => numeric(10,2)", Bytes(b"0.00"), Some(numeric(&[], 0, positive, 2)));
same("decimal(65,30) => numeric(65,30)", Bytes(b"12345.000000000000000000000000000001"), Some(numeric( &[1, 2345, 0, 0, 0, 0, 0, 0, 0, 100], 1, positive, 30, )));
differ("decimal(65,30) => numeric(65,30)", Bytes(b"12345.000000000000000000000000000001"), Some(numeric( &[1, 2345, 0, 0, 0, 0, 0, 0, 0, 200], 1, positive, 30, )));
differ("decimal(10,2) => numeric(10,2)", Bytes(b"1.50"), Some(numeric(&[], 0, 0xc000, 0)));
differ("decimal(10,2) => numeric(10,2)", Bytes(b"1.50"), Some(numeric(&[1, 5000], 0, positive, 2)[..10].to_vec()));
same("int => numeric(10,2)", Int(7), Some(numeric(&[7], 0, positive, 2)));
same("float => numeric", Float(16_777_216.0), Some(numeric(&[1677, 7216], 1, positive, 0)));
same("double => numeric", Double(0.1), Some(numeric(&[1000], -1, positive, 1)));
}

#[test]
fn the_scale_counts_where_no_type_declares_it() {
    same("decimal(10,2) => numeric", Bytes(b"1.50"), Some(numeric(&[1, 5000], 0, 0, 2)));
differ("decimal(10,2) => numeric", Bytes(b"1.50"), Some(numeric(&[1, 5000], 0, 0, 1)));
same("decimal(10,2) => numeric(10,1)", Bytes(b"1.50"), Some(numeric(&[1, 5000], 0, 0, 1)));
differ("decimal(10,3) => numeric(10,2)", Bytes(b"1.005"), Some(numeric(&[1, 100], 0, 0, 2)));
differ("decimal(10,0) => numeric(2,0)", Bytes(b"100"), Some(numeric(&[100], 0, 0, 0)));
}

#[test]
fn floats() {
    let tiny = vec![0, 0, 0, 0, 0, 0, 0, 1];
    let max = 1.797_693_134_862_315_7e308_f64;
    same("float => real", Float(16_777_216.0), Some(vec![0x4b, 0x80, 0, 0]));
differ("float => real", Float(16_777_200.0), Some(vec![0x4b, 0x80, 0, 0]));
same("float => real", Float(3.402_823_5e38), Some(vec![0x7f, 0x7f, 0xff, 0xff]));
same("double => double precision", Double(5e-324), Some(tiny));
same("double => double precision", Double(max), Some(vec![0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
same("double => double precision", Double(-0.0), Some(vec![0x80, 0, 0, 0, 0, 0, 0, 0]));
differ("double => double precision", Double(-0.0), Some(vec![0; 8]));
differ("float => real", Float(0.0), Some(vec![0x80, 0, 0, 0]));
same("float => double precision", Float(0.1), Some(vec![0x3f, 0xb9, 0x99, 0x99, 0xa0, 0, 0, 0]));
differ("double => double precision", Double(0.1), Some(vec![0x3f, 0xb9, 0x99, 0x99, 0xa0, 0, 0, 0]));
same("double => real", Double(0.5), Some(vec![0x3f, 0, 0, 0]));
differ("double => real", Double(0.1), Some(vec![0x3d, 0xcc, 0xcc, 0xcd]));
differ("double => real", Double(1e300), Some(vec![0x7f, 0x80, 0, 0]));
same("decimal(10,2) => double precision", Bytes(b"0.50"), Some(vec![0x3f, 0xe0, 0, 0, 0, 0, 0, 0]));
differ("bigint => double precision", Int(9_007_199_254_740_993), Some(vec![0x43, 0x40, 0, 0, 0, 0, 0, 0]));
same("float => text", Float(16_777_216.0), text("1.6777216e+07"));
same("double => text", Double(1.5), text("1.5"));
same("double => text", Double(1.5), text("1.50000000000000001"));
differ("double => text", Double(1.5), text("1.6"));
differ("double => text", Double(1.5), text("one"));
}

#[test]
fn text_is_exact() {
    same("varchar(9) => character varying(9)", Bytes(b"ab "), text("ab "));
differ("varchar(9) => character varying(9)", Bytes(b"ab "), text("ab"));
differ("varchar(9) => character varying(9)", Bytes(b"ab"), text("Ab"));
differ("longtext => text", Bytes("e\u{301}".as_bytes()), text("\u{e9}"));
differ("text => text", Bytes(b"a\r\nb"), text("a\nb"));
same("text => text", Bytes(b"a\r\nb"), text("a\r\nb"));
same("text => text", Bytes(b"\\."), text("\\."));
differ("text => text", Bytes(b"\xff"), Some(vec![0xff]));
differ("text => text", Bytes(b"a\0b"), text("ab"));
differ("varchar(9) => character varying(3)", Bytes(b"abc   "), text("abc"));
differ("varchar(9) => character varying(3)", Bytes(b"abc   "), text("abc "));
same("varchar(9) => character varying(3)", Bytes("äöü".as_bytes()), text("äöü"));
same("text => citext", Bytes(b"a"), text("a"));
differ("text => citext", Bytes(b"a"), text("A"));
same("json => text", Bytes(b"{\"a\": 1}"), text("{\"a\": 1}"));
differ("json => text", Bytes(b"{\"a\": 1}"), text("{\"a\":1}"));
same("uuid => text", Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950e"), text("0f8fad5b-d9cb-469f-a165-70867728950e"));
}

#[test]
fn blanks_pad_characters() {
    same("char(5) => character(5)", Bytes(b"ab"), text("ab "));
same("varchar(5) => character(5)", Bytes(b"ab  "), text("ab "));
same("varchar(9) => character(3)", Bytes(b"ab       "), text("ab "));
differ("char(5) => character(5)", Bytes(b" ab"), text("ab "));
differ("char(5) => character(5)", Bytes(b"ab\t"), text("ab "));
same("char(5) => character(5)", Bytes(b""), text(" "));
differ("char(5) => character(3)", Bytes(b"abcd"), text("abc"));
}

#[test]
fn uuids() {
    let uuid = vec![
        0x0f, 0x8f, 0xad, 0x5b, 0xd9, 0xcb, 0x46, 0x9f, 0xa1, 0x65, 0x70, 0x86, 0x77, 0x28, 0x95,
        0x0e,
    ];
    let field = || Some(uuid.clone());
    same("char(36) => uuid", Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950e"), field());
same("varchar(36) => uuid", Bytes(b"0F8FAD5B-D9CB-469F-A165-70867728950E"), field());
same("uuid => uuid", Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950e"), field());
same("binary(16) => uuid", Bytes(&uuid), field());
differ("char(36) => uuid", Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950f"), field());
differ("char(36) => uuid", Bytes(b"0f8fad5bd9cb469fa16570867728950e"), field());
differ("char(36) => uuid", Bytes(b" 0f8fad5b-d9cb-469f-a165-70867728950"), field());
differ("char(36) => uuid", Bytes(b""), None);
differ("char(36) => uuid", Bytes(b""), Some(vec![0; 16]));
differ("char(36) => uuid", Bytes(b"guidance"), None);
}

#[test]
fn bytes_and_bits() {
    let all: Vec<u8> = (0..=255).collect();
    same("blob => bytea", Bytes(&all), Some(all.clone()));
differ("varbinary(300) => bytea", Bytes(&all[1..]), Some(all.clone()));
differ("binary(2) => bytea", Bytes(b"a\0"), Some(b"a".to_vec()));
same("point => bytea", Bytes(&all), Some(all.clone()));
same("bit(8) => bit(8)", Bytes(&[5]), Some(bits(8, &[5])));
differ("bit(8) => bit(8)", Bytes(&[5]), Some(bits(8, &[4])));
same("bit(1) => bit(1)", Bytes(&[1]), Some(bits(1, &[0x80])));
same("bit(12) => bit(12)", Bytes(&[0x0a, 0xbc]), Some(bits(12, &[0xab, 0xc0])));
same("bit(12) => bit varying(40)", Bytes(&[0x0a, 0xbc]), Some(bits(12, &[0xab, 0xc0])));
differ("bit(3) => bit varying(40)", Bytes(&[5]), Some(bits(5, &[0x28])));
same("bit(64) => bit(64)", Bytes(&[0xff; 8]), Some(bits(64, &[0xff; 8])));
differ("bit(8) => bit(4)", Bytes(&[0x1f]), Some(bits(4, &[0xf0])));
same("bit(64) => bit(140)", Bytes(&[0x80, 0, 0, 0, 0, 0, 0, 1]), Some(bits( 140, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0x10], )));
same("bit(8) => bytea", Bytes(&[5]), Some(vec![5]));
}

#[test]
fn dates_and_timestamps() {
    let local = "timestamp without time zone";
    let micros = |micros: i64| Some(micros.to_be_bytes().to_vec());
    let days = |days: i32| Some(days.to_be_bytes().to_vec());
    let last = datetime(9999, 12, 31, [23, 59, 59], 999_999);
    same("date => date", date(2000, 1, 1), days(0));
same("date => date", date(1999, 12, 31), days(-1));
same("date => date", date(9, 12, 4), days(-726_860));
same("date => date", date(9999, 12, 31), days(2_921_939));
same("date => date", date(2024, 2, 29), days(8_825));
same(&format!("date => {local}"), date(2024, 2, 29), micros(8_825 * 86_400_000_000));
differ("date => date", date(0, 0, 0), None);
differ("date => date", date(2024, 2, 0), None);
differ("date => date", date(2023, 2, 29), days(8_460));
same(&format!("datetime(6) => {local}"), last, micros(252_455_615_999_999_999));
differ(&format!("datetime(6) => {local}"), last, micros(252_455_615_999_999_998));
same(&format!("datetime(6) => {local}"), datetime(1969, 12, 31, [23, 59, 59], 999_999), micros(-946_684_800_000_001));
same(&format!("datetime => {local}"), date(9, 12, 4), micros(-62_800_704_000_000_000));
same(&format!("datetime => {local}"), date(1, 1, 1), micros(-63_082_281_600_000_000));
same(&format!("datetime(6) => {local}"), datetime(2024, 2, 29, [12, 0, 0], 123_456), micros(762_523_200_123_456));
same("timestamp(6) => timestamp with time zone", datetime(2024, 2, 29, [12, 0, 0], 123_456), micros(762_523_200_123_456));
differ("datetime(6) => timestamp(3) without time zone", datetime(2024, 2, 29, [12, 0, 0], 123_456), micros(762_523_200_123_000));
same("datetime(6) => timestamp(3) without time zone", datetime(2024, 2, 29, [12, 0, 0], 123_000), micros(762_523_200_123_000));
differ(&format!("datetime => {local}"), date(0, 0, 0), None);
differ(&format!("datetime => {local}"), date(0, 0, 0), micros(i64::MIN));
differ("datetime => date", datetime(2024, 2, 29, [1, 0, 0], 0), days(8_825));
same("datetime => date", date(2024, 2, 29), days(8_825));
same("datetime(3) => text", datetime(2024, 2, 29, [12, 0, 0], 123_000), text("2024-02-29 12:00:00.123"));
same("date => text", date(9, 12, 4), text("0009-12-04"));
}

#[test]
fn a_wall_clock_has_a_zone() {
    let zoned = "timestamp with time zone";
    let micros = |micros: i64| Some(micros.to_be_bytes().to_vec());
    judge("Europe/Amsterdam", &format!("datetime => {zoned}"), datetime(2024, 1, 1, [12, 0, 0], 0), micros(757_422_000_000_000), true);
judge("Europe/Amsterdam", &format!("datetime => {zoned}"), datetime(2024, 7, 1, [12, 0, 0], 0), micros(773_143_200_000_000), true);
judge("Europe/Amsterdam", &format!("datetime => {zoned}"), datetime(2024, 7, 1, [13, 0, 0], 0), micros(773_143_200_000_000), false);
// Skipped and repeated by the daylight change: no one instant is meant.
judge("Europe/Amsterdam", &format!("datetime => {zoned}"), datetime(2024, 3, 31, [2, 30, 0], 0), micros(765_163_800_000_000), false);
judge("Europe/Amsterdam", &format!("datetime => {zoned}"), datetime(2024, 10, 27, [2, 30, 0], 0), micros(783_304_200_000_000), false);
// An instant is an instant whatever the zone, and a reading stays one.
judge("Europe/Amsterdam", &format!("timestamp => {zoned}"), datetime(2024, 7, 1, [10, 0, 0], 0), micros(773_143_200_000_000), true);
judge("Europe/Amsterdam", "datetime => timestamp without time zone", datetime(2024, 7, 1, [10, 0, 0], 0), micros(773_143_200_000_000), true);
}

#[test]
fn times() {
    let clock = "time without time zone";
    let micros = |micros: i64| Some(micros.to_be_bytes().to_vec());
    same(&format!("time(6) => {clock}"), time(false, 23, [59, 59], 999_999), micros(86_399_999_999));
differ(&format!("time => {clock}"), time(false, 25, [0, 0], 0), micros(3_600_000_000));
differ(&format!("time => {clock}"), time(true, 1, [0, 0], 0), micros(82_800_000_000));
same("time => interval", time(false, 838, [59, 59], 0), Some(interval(3_020_399_000_000, 0, 0)));
same("time => interval", time(true, 838, [59, 59], 0), Some(interval(-3_020_399_000_000, 0, 0)));
differ("time => interval", time(false, 24, [0, 0], 0), Some(interval(0, 1, 0)));
differ("time(6) => interval", time(false, 1, [0, 0], 1), Some(interval(3_600_000_000, 0, 0)));
same("time => text", time(true, 838, [59, 59], 0), text("-838:59:59"));
}

#[test]
fn json_by_meaning() {
    let pair = |source: &'static str, target: &str, equal| {
        let value = Bytes(source.as_bytes());
        judge("UTC", "json => json", value, text(target), equal);
judge("UTC", "longtext => jsonb", value, Some(jsonb(target)), equal);
    };
    pair(
        r#"{"b": 1.10, "a": [1, 2]}"#,
        r#"{"a":[1,2],"b":1.1}"#,
        true,
    );
    pair("100", "1e2", true);
    pair("[true]", "[1]", false);
    pair("[1, 2]", "[2, 1]", false);
    pair(r#"{"a": 1}"#, r#"{"A": 1}"#, false);
    pair("12345678901234567890123", "12345678901234567890124", false);
    same("json => jsonb", Bytes(br#"{"a":1,"a":2}"#), Some(jsonb(r#"{"a":2}"#)));
differ("json => json", Bytes(br#"{"a":1,"a":2}"#), text(r#"{"a":2}"#));
same("json => json", Bytes(br#"{"a":1,"a":2}"#), text(r#"{"a":1,"a":2}"#));
same("json => json", Bytes(br#"{"k":"\u0000"}"#), text(r#"{"k":"\u0000"}"#));
differ("json => jsonb", Bytes(br#"{"k":"\u0000"}"#), Some(jsonb(r#"{"k":""}"#)));
differ("longtext => json", Bytes(b"{"), text("{"));
differ("json => jsonb", Bytes(b"1"), text("1"));
}

#[test]
fn labels_and_members() {
    same("enum('a','b') => enum:a|b", Bytes(b"a"), text("a"));
differ("enum('a','b') => enum:a|b", Bytes(b"a"), text("b"));
differ("enum('A','b') => enum:a|b", Bytes(b"A"), text("a"));
same("enum('','b') => enum:|b", Bytes(b""), text(""));
differ("enum('','b') => enum:|b", Bytes(b"\0"), text(""));
differ("enum('a') => text", Bytes(b"\0"), text(""));
same("enum('it''s','x\\y') => text", Bytes(b"x\\y"), text("x\\y"));
same("varchar(9) => enum:a|b", Bytes(b"a"), text("a"));
same("set('a','NULL') => text[]", Bytes(b"a,NULL"), Some(text_array(&[Some("a"), Some("NULL")])));
differ("set('a','NULL') => text[]", Bytes(b"a,NULL"), Some(text_array(&[Some("a"), None])));
differ("set('a','NULL') => text[]", Bytes(b"a,NULL"), Some(text_array(&[Some("NULL"), Some("a")])));
same("set('a','NULL') => text[]", Bytes(b""), Some(text_array(&[])));
differ("set('','a') => text[]", Bytes(b""), Some(text_array(&[])));
same("set('a','b') => enum:a|b[]", Bytes(b"b"), Some(text_array(&[Some("b")])));
same("set('a','b') => text", Bytes(b"a,b"), text("a,b"));
}

#[test]
fn fields_that_are_no_value_of_their_type_equal_nothing() {
    for (source, value, target) in [
        ("int", Int(0), "integer"),
        ("double", Double(0.0), "double precision"),
        ("decimal(10,2)", Bytes(b"0.00"), "numeric(10,2)"),
        ("datetime", date(2000, 1, 1), "timestamp without time zone"),
        ("date", date(2000, 1, 1), "date"),
        ("time", time(false, 0, [0, 0], 0), "interval"),
        ("bit(1)", Bytes(&[0]), "bit(1)"),
        ("set('a')", Bytes(b"a"), "text[]"),
        ("json", Bytes(b"1"), "jsonb"),
        (
            "char(36)",
            Bytes(b"00000000-0000-0000-0000-000000000000"),
            "uuid",
        ),
    ] {
        for field in [vec![], vec![1], vec![0; 3], vec![0xff; 17]] {
            differ(&format!("{source} => {target}"), value, Some(field));
        }
    }
}

#[test]
fn dates_agree_with_a_calendar() {
    let epoch = jiff::civil::date(2000, 1, 1);
    let mut day = jiff::civil::date(1, 1, 1);
    let step = jiff::Span::new().days(997);
    while day.year() < 9990 {
        let days = epoch
            .until(day)
            .map(|span| span.get_days())
            .expect("within range");
        let (year, month) = (u16::try_from(day.year()), u8::try_from(day.month()));
        let value = date(
            year.expect("positive"),
            month.expect("positive"),
            u8::try_from(day.day()).expect("positive"),
        );
        same("date => date", value, Some(days.to_be_bytes().to_vec()));
        day = day.checked_add(step).expect("within range");
    }
}
