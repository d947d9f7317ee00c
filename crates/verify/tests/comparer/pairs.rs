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
        check(&[(source, Null, target, None, true)]);
        let zeros = match target {
            "boolean" => vec![0],
            "integer" => vec![0; 4],
            "text" => vec![],
            "jsonb" => jsonb("null"),
            "uuid" => vec![0; 16],
            _ => vec![0; 8],
        };
        check(&[(source, Null, target, Some(zeros), false)]);
    }
    check(&[
        ("text", Bytes(b""), "text", text(""), true),
        ("text", Bytes(b""), "text", None, false),
        ("text", Bytes(b"NULL"), "text", None, false),
        ("text", Bytes(b"NULL"), "text", text("NULL"), true),
        ("text", Bytes(b"\\N"), "text", text("\\N"), true),
        ("text", Bytes(b"\\N"), "text", None, false),
        ("json", Bytes(b"null"), "jsonb", None, false),
    ]);
}

#[test]
fn booleans() {
    check(&[
        ("tinyint", Int(0), "boolean", Some(vec![0]), true),
        ("tinyint(1)", Int(1), "boolean", Some(vec![1]), true),
        ("bigint unsigned", UInt(1), "boolean", Some(vec![1]), true),
        ("tinyint", Int(0), "boolean", Some(vec![1]), false),
        ("tinyint", Int(2), "boolean", Some(vec![1]), false),
        ("tinyint", Int(-1), "boolean", Some(vec![1]), false),
        ("tinyint", Int(127), "boolean", Some(vec![1]), false),
        ("bit(1)", Bytes(&[1]), "boolean", Some(vec![1]), true),
        ("bit(8)", Bytes(&[2]), "boolean", Some(vec![1]), false),
        ("tinyint", Int(1), "boolean", Some(vec![2]), false),
        ("tinyint", Int(1), "boolean", Some(vec![]), false),
    ]);
}

#[test]
fn integers() {
    check(&[
        ("tinyint(1)", Int(2), "smallint", Some(vec![0, 2]), true),
        (
            "smallint",
            Int(-1),
            "smallint",
            Some(vec![0xff, 0xff]),
            true,
        ),
        (
            "int",
            Int(-2),
            "integer",
            Some(vec![0xff, 0xff, 0xff, 0xfe]),
            true,
        ),
        (
            "int unsigned",
            Int(4_294_967_295),
            "bigint",
            Some(vec![0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
            true,
        ),
        (
            "bigint",
            Int(i64::MIN),
            "bigint",
            Some(vec![0x80, 0, 0, 0, 0, 0, 0, 0]),
            true,
        ),
        (
            "bigint unsigned",
            UInt(u64::MAX),
            "bigint",
            Some(vec![0xff; 8]),
            false,
        ),
        ("int", Int(65_537), "smallint", Some(vec![0, 1]), false),
        ("year", Int(2024), "smallint", Some(vec![0x07, 0xe8]), true),
        (
            "bit(16)",
            Bytes(&[1, 2]),
            "integer",
            Some(vec![0, 0, 1, 2]),
            true,
        ),
        (
            "decimal(10,2)",
            Bytes(b"7.00"),
            "integer",
            Some(vec![0, 0, 0, 7]),
            true,
        ),
        (
            "decimal(10,2)",
            Bytes(b"7.01"),
            "integer",
            Some(vec![0, 0, 0, 7]),
            false,
        ),
        ("int", Int(5), "text", text("5"), true),
        ("year", Int(0), "character varying(4)", text("0000"), true),
    ]);
}

#[test]
fn exact_numbers() {
    let positive = 0;
    let negative = 0x4000;
    check(&[
        (
            "bigint unsigned",
            UInt(u64::MAX),
            "numeric(20,0)",
            Some(numeric(&[1844, 6744, 737, 955, 1615], 4, positive, 0)),
            true,
        ),
        (
            "decimal(10,4)",
            Bytes(b"0.0001"),
            "numeric(10,4)",
            Some(numeric(&[1], -1, positive, 4)),
            true,
        ),
        (
            "decimal(10,0)",
            Bytes(b"10000"),
            "numeric(10,0)",
            Some(numeric(&[1], 1, positive, 0)),
            true,
        ),
        (
            "decimal(10,2)",
            Bytes(b"-1.50"),
            "numeric(10,2)",
            Some(numeric(&[1, 5000], 0, negative, 2)),
            true,
        ),
        (
            "decimal(10,2)",
            Bytes(b"1.50"),
            "numeric(10,2)",
            Some(numeric(&[1, 5000], 0, negative, 2)),
            false,
        ),
        (
            "decimal(10,2)",
            Bytes(b"0.00"),
            "numeric(10,2)",
            Some(numeric(&[], 0, positive, 2)),
            true,
        ),
        (
            "decimal(65,30)",
            Bytes(b"12345.000000000000000000000000000001"),
            "numeric(65,30)",
            Some(numeric(
                &[1, 2345, 0, 0, 0, 0, 0, 0, 0, 100],
                1,
                positive,
                30,
            )),
            true,
        ),
        (
            "decimal(65,30)",
            Bytes(b"12345.000000000000000000000000000001"),
            "numeric(65,30)",
            Some(numeric(
                &[1, 2345, 0, 0, 0, 0, 0, 0, 0, 200],
                1,
                positive,
                30,
            )),
            false,
        ),
        (
            "decimal(10,2)",
            Bytes(b"1.50"),
            "numeric(10,2)",
            Some(numeric(&[], 0, 0xc000, 0)),
            false,
        ),
        (
            "decimal(10,2)",
            Bytes(b"1.50"),
            "numeric(10,2)",
            Some(numeric(&[1, 5000], 0, positive, 2)[..10].to_vec()),
            false,
        ),
        (
            "int",
            Int(7),
            "numeric(10,2)",
            Some(numeric(&[7], 0, positive, 2)),
            true,
        ),
        (
            "float",
            Float(16_777_216.0),
            "numeric",
            Some(numeric(&[1677, 7216], 1, positive, 0)),
            true,
        ),
        (
            "double",
            Double(0.1),
            "numeric",
            Some(numeric(&[1000], -1, positive, 1)),
            true,
        ),
    ]);
}

#[test]
fn the_scale_counts_where_no_type_declares_it() {
    check(&[
        (
            "decimal(10,2)",
            Bytes(b"1.50"),
            "numeric",
            Some(numeric(&[1, 5000], 0, 0, 2)),
            true,
        ),
        (
            "decimal(10,2)",
            Bytes(b"1.50"),
            "numeric",
            Some(numeric(&[1, 5000], 0, 0, 1)),
            false,
        ),
        (
            "decimal(10,2)",
            Bytes(b"1.50"),
            "numeric(10,1)",
            Some(numeric(&[1, 5000], 0, 0, 1)),
            true,
        ),
        (
            "decimal(10,3)",
            Bytes(b"1.005"),
            "numeric(10,2)",
            Some(numeric(&[1, 100], 0, 0, 2)),
            false,
        ),
        (
            "decimal(10,0)",
            Bytes(b"100"),
            "numeric(2,0)",
            Some(numeric(&[100], 0, 0, 0)),
            false,
        ),
    ]);
}

#[test]
fn floats() {
    let tiny = vec![0, 0, 0, 0, 0, 0, 0, 1];
    let max = 1.797_693_134_862_315_7e308_f64;
    check(&[
        (
            "float",
            Float(16_777_216.0),
            "real",
            Some(vec![0x4b, 0x80, 0, 0]),
            true,
        ),
        (
            "float",
            Float(16_777_200.0),
            "real",
            Some(vec![0x4b, 0x80, 0, 0]),
            false,
        ),
        (
            "float",
            Float(3.402_823_5e38),
            "real",
            Some(vec![0x7f, 0x7f, 0xff, 0xff]),
            true,
        ),
        (
            "double",
            Double(5e-324),
            "double precision",
            Some(tiny),
            true,
        ),
        (
            "double",
            Double(max),
            "double precision",
            Some(vec![0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            true,
        ),
        (
            "double",
            Double(-0.0),
            "double precision",
            Some(vec![0x80, 0, 0, 0, 0, 0, 0, 0]),
            true,
        ),
        (
            "double",
            Double(-0.0),
            "double precision",
            Some(vec![0; 8]),
            false,
        ),
        (
            "float",
            Float(0.0),
            "real",
            Some(vec![0x80, 0, 0, 0]),
            false,
        ),
        (
            "float",
            Float(0.1),
            "double precision",
            Some(vec![0x3f, 0xb9, 0x99, 0x99, 0xa0, 0, 0, 0]),
            true,
        ),
        (
            "double",
            Double(0.1),
            "double precision",
            Some(vec![0x3f, 0xb9, 0x99, 0x99, 0xa0, 0, 0, 0]),
            false,
        ),
        (
            "double",
            Double(0.5),
            "real",
            Some(vec![0x3f, 0, 0, 0]),
            true,
        ),
        (
            "double",
            Double(0.1),
            "real",
            Some(vec![0x3d, 0xcc, 0xcc, 0xcd]),
            false,
        ),
        (
            "double",
            Double(1e300),
            "real",
            Some(vec![0x7f, 0x80, 0, 0]),
            false,
        ),
        (
            "decimal(10,2)",
            Bytes(b"0.50"),
            "double precision",
            Some(vec![0x3f, 0xe0, 0, 0, 0, 0, 0, 0]),
            true,
        ),
        (
            "bigint",
            Int(9_007_199_254_740_993),
            "double precision",
            Some(vec![0x43, 0x40, 0, 0, 0, 0, 0, 0]),
            false,
        ),
        (
            "float",
            Float(16_777_216.0),
            "text",
            text("1.6777216e+07"),
            true,
        ),
        ("double", Double(1.5), "text", text("1.5"), true),
        (
            "double",
            Double(1.5),
            "text",
            text("1.50000000000000001"),
            true,
        ),
        ("double", Double(1.5), "text", text("1.6"), false),
        ("double", Double(1.5), "text", text("one"), false),
    ]);
}

#[test]
fn text_is_exact() {
    check(&[
        (
            "varchar(9)",
            Bytes(b"ab "),
            "character varying(9)",
            text("ab "),
            true,
        ),
        (
            "varchar(9)",
            Bytes(b"ab "),
            "character varying(9)",
            text("ab"),
            false,
        ),
        (
            "varchar(9)",
            Bytes(b"ab"),
            "character varying(9)",
            text("Ab"),
            false,
        ),
        (
            "longtext",
            Bytes("e\u{301}".as_bytes()),
            "text",
            text("\u{e9}"),
            false,
        ),
        ("text", Bytes(b"a\r\nb"), "text", text("a\nb"), false),
        ("text", Bytes(b"a\r\nb"), "text", text("a\r\nb"), true),
        ("text", Bytes(b"\\."), "text", text("\\."), true),
        ("text", Bytes(b"\xff"), "text", Some(vec![0xff]), false),
        ("text", Bytes(b"a\0b"), "text", text("ab"), false),
        (
            "varchar(9)",
            Bytes(b"abc   "),
            "character varying(3)",
            text("abc"),
            false,
        ),
        (
            "varchar(9)",
            Bytes(b"abc   "),
            "character varying(3)",
            text("abc   "),
            false,
        ),
        (
            "varchar(9)",
            Bytes("äöü".as_bytes()),
            "character varying(3)",
            text("äöü"),
            true,
        ),
        ("text", Bytes(b"a"), "citext", text("a"), true),
        ("text", Bytes(b"a"), "citext", text("A"), false),
        (
            "json",
            Bytes(b"{\"a\": 1}"),
            "text",
            text("{\"a\": 1}"),
            true,
        ),
        (
            "json",
            Bytes(b"{\"a\": 1}"),
            "text",
            text("{\"a\":1}"),
            false,
        ),
        (
            "uuid",
            Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950e"),
            "text",
            text("0f8fad5b-d9cb-469f-a165-70867728950e"),
            true,
        ),
    ]);
}

#[test]
fn blanks_pad_characters() {
    check(&[
        ("char(5)", Bytes(b"ab"), "character(5)", text("ab   "), true),
        (
            "varchar(5)",
            Bytes(b"ab  "),
            "character(5)",
            text("ab   "),
            true,
        ),
        (
            "varchar(9)",
            Bytes(b"ab       "),
            "character(3)",
            text("ab "),
            true,
        ),
        (
            "char(5)",
            Bytes(b" ab"),
            "character(5)",
            text("ab   "),
            false,
        ),
        (
            "char(5)",
            Bytes(b"ab\t"),
            "character(5)",
            text("ab   "),
            false,
        ),
        ("char(5)", Bytes(b""), "character(5)", text("     "), true),
        (
            "char(5)",
            Bytes(b"abcd"),
            "character(3)",
            text("abc"),
            false,
        ),
    ]);
}

#[test]
fn uuids() {
    let uuid = vec![
        0x0f, 0x8f, 0xad, 0x5b, 0xd9, 0xcb, 0x46, 0x9f, 0xa1, 0x65, 0x70, 0x86, 0x77, 0x28, 0x95,
        0x0e,
    ];
    let field = || Some(uuid.clone());
    check(&[
        (
            "char(36)",
            Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950e"),
            "uuid",
            field(),
            true,
        ),
        (
            "varchar(36)",
            Bytes(b"0F8FAD5B-D9CB-469F-A165-70867728950E"),
            "uuid",
            field(),
            true,
        ),
        (
            "uuid",
            Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950e"),
            "uuid",
            field(),
            true,
        ),
        ("binary(16)", Bytes(&uuid), "uuid", field(), true),
        (
            "char(36)",
            Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950f"),
            "uuid",
            field(),
            false,
        ),
        (
            "char(36)",
            Bytes(b"0f8fad5bd9cb469fa16570867728950e"),
            "uuid",
            field(),
            false,
        ),
        (
            "char(36)",
            Bytes(b" 0f8fad5b-d9cb-469f-a165-70867728950"),
            "uuid",
            field(),
            false,
        ),
        ("char(36)", Bytes(b""), "uuid", None, false),
        ("char(36)", Bytes(b""), "uuid", Some(vec![0; 16]), false),
        ("char(36)", Bytes(b"guidance"), "uuid", None, false),
    ]);
}

#[test]
fn bytes_and_bits() {
    let all: Vec<u8> = (0..=255).collect();
    check(&[
        ("blob", Bytes(&all), "bytea", Some(all.clone()), true),
        (
            "varbinary(300)",
            Bytes(&all[1..]),
            "bytea",
            Some(all.clone()),
            false,
        ),
        (
            "binary(2)",
            Bytes(b"a\0"),
            "bytea",
            Some(b"a".to_vec()),
            false,
        ),
        ("point", Bytes(&all), "bytea", Some(all.clone()), true),
        ("bit(8)", Bytes(&[5]), "bit(8)", Some(bits(8, &[5])), true),
        ("bit(8)", Bytes(&[5]), "bit(8)", Some(bits(8, &[4])), false),
        (
            "bit(1)",
            Bytes(&[1]),
            "bit(1)",
            Some(bits(1, &[0x80])),
            true,
        ),
        (
            "bit(12)",
            Bytes(&[0x0a, 0xbc]),
            "bit(12)",
            Some(bits(12, &[0xab, 0xc0])),
            true,
        ),
        (
            "bit(12)",
            Bytes(&[0x0a, 0xbc]),
            "bit varying(40)",
            Some(bits(12, &[0xab, 0xc0])),
            true,
        ),
        (
            "bit(3)",
            Bytes(&[5]),
            "bit varying(40)",
            Some(bits(5, &[0x28])),
            false,
        ),
        (
            "bit(64)",
            Bytes(&[0xff; 8]),
            "bit(64)",
            Some(bits(64, &[0xff; 8])),
            true,
        ),
        (
            "bit(8)",
            Bytes(&[0x1f]),
            "bit(4)",
            Some(bits(4, &[0xf0])),
            false,
        ),
        (
            "bit(64)",
            Bytes(&[0x80, 0, 0, 0, 0, 0, 0, 1]),
            "bit(140)",
            Some(bits(
                140,
                &[0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0x10],
            )),
            true,
        ),
        ("bit(8)", Bytes(&[5]), "bytea", Some(vec![5]), true),
    ]);
}

#[test]
fn dates_and_timestamps() {
    let local = "timestamp without time zone";
    let micros = |micros: i64| Some(micros.to_be_bytes().to_vec());
    let days = |days: i32| Some(days.to_be_bytes().to_vec());
    let last = datetime(9999, 12, 31, [23, 59, 59], 999_999);
    check(&[
        ("date", date(2000, 1, 1), "date", days(0), true),
        ("date", date(1999, 12, 31), "date", days(-1), true),
        ("date", date(9, 12, 4), "date", days(-726_860), true),
        ("date", date(9999, 12, 31), "date", days(2_921_939), true),
        ("date", date(2024, 2, 29), "date", days(8_825), true),
        (
            "date",
            date(2024, 2, 29),
            local,
            micros(8_825 * 86_400_000_000),
            true,
        ),
        ("date", date(0, 0, 0), "date", None, false),
        ("date", date(2024, 2, 0), "date", None, false),
        ("date", date(2023, 2, 29), "date", days(8_460), false),
        (
            "datetime(6)",
            last,
            local,
            micros(252_455_615_999_999_999),
            true,
        ),
        (
            "datetime(6)",
            last,
            local,
            micros(252_455_615_999_999_998),
            false,
        ),
        (
            "datetime(6)",
            datetime(1969, 12, 31, [23, 59, 59], 999_999),
            local,
            micros(-946_684_800_000_001),
            true,
        ),
        (
            "datetime",
            date(9, 12, 4),
            local,
            micros(-62_800_704_000_000_000),
            true,
        ),
        (
            "datetime",
            date(1, 1, 1),
            local,
            micros(-63_082_281_600_000_000),
            true,
        ),
        (
            "datetime(6)",
            datetime(2024, 2, 29, [12, 0, 0], 123_456),
            local,
            micros(762_523_200_123_456),
            true,
        ),
        (
            "timestamp(6)",
            datetime(2024, 2, 29, [12, 0, 0], 123_456),
            "timestamp with time zone",
            micros(762_523_200_123_456),
            true,
        ),
        (
            "datetime(6)",
            datetime(2024, 2, 29, [12, 0, 0], 123_456),
            "timestamp(3) without time zone",
            micros(762_523_200_123_000),
            false,
        ),
        (
            "datetime(6)",
            datetime(2024, 2, 29, [12, 0, 0], 123_000),
            "timestamp(3) without time zone",
            micros(762_523_200_123_000),
            true,
        ),
        ("datetime", date(0, 0, 0), local, None, false),
        ("datetime", date(0, 0, 0), local, micros(i64::MIN), false),
        (
            "datetime",
            datetime(2024, 2, 29, [1, 0, 0], 0),
            "date",
            days(8_825),
            false,
        ),
        ("datetime", date(2024, 2, 29), "date", days(8_825), true),
        (
            "datetime(3)",
            datetime(2024, 2, 29, [12, 0, 0], 123_000),
            "text",
            text("2024-02-29 12:00:00.123"),
            true,
        ),
        ("date", date(9, 12, 4), "text", text("0009-12-04"), true),
    ]);
}

#[test]
fn a_wall_clock_has_a_zone() {
    let zoned = "timestamp with time zone";
    let micros = |micros: i64| Some(micros.to_be_bytes().to_vec());
    check_in_zone(
        "Europe/Amsterdam",
        &[
            (
                "datetime",
                datetime(2024, 1, 1, [12, 0, 0], 0),
                zoned,
                micros(757_422_000_000_000),
                true,
            ),
            (
                "datetime",
                datetime(2024, 7, 1, [12, 0, 0], 0),
                zoned,
                micros(773_143_200_000_000),
                true,
            ),
            (
                "datetime",
                datetime(2024, 7, 1, [13, 0, 0], 0),
                zoned,
                micros(773_143_200_000_000),
                false,
            ),
            // Skipped and repeated by the daylight change: no one instant is meant.
            (
                "datetime",
                datetime(2024, 3, 31, [2, 30, 0], 0),
                zoned,
                micros(765_163_800_000_000),
                false,
            ),
            (
                "datetime",
                datetime(2024, 10, 27, [2, 30, 0], 0),
                zoned,
                micros(783_304_200_000_000),
                false,
            ),
            // An instant is an instant whatever the zone, and a reading stays one.
            (
                "timestamp",
                datetime(2024, 7, 1, [10, 0, 0], 0),
                zoned,
                micros(773_143_200_000_000),
                true,
            ),
            (
                "datetime",
                datetime(2024, 7, 1, [10, 0, 0], 0),
                "timestamp without time zone",
                micros(773_143_200_000_000),
                true,
            ),
        ],
    );
}

#[test]
fn times() {
    let clock = "time without time zone";
    let micros = |micros: i64| Some(micros.to_be_bytes().to_vec());
    check(&[
        (
            "time(6)",
            time(false, 23, [59, 59], 999_999),
            clock,
            micros(86_399_999_999),
            true,
        ),
        (
            "time",
            time(false, 25, [0, 0], 0),
            clock,
            micros(3_600_000_000),
            false,
        ),
        (
            "time",
            time(true, 1, [0, 0], 0),
            clock,
            micros(82_800_000_000),
            false,
        ),
        (
            "time",
            time(false, 838, [59, 59], 0),
            "interval",
            Some(interval(3_020_399_000_000, 0, 0)),
            true,
        ),
        (
            "time",
            time(true, 838, [59, 59], 0),
            "interval",
            Some(interval(-3_020_399_000_000, 0, 0)),
            true,
        ),
        (
            "time",
            time(false, 24, [0, 0], 0),
            "interval",
            Some(interval(0, 1, 0)),
            false,
        ),
        (
            "time(6)",
            time(false, 1, [0, 0], 1),
            "interval",
            Some(interval(3_600_000_000, 0, 0)),
            false,
        ),
        (
            "time",
            time(true, 838, [59, 59], 0),
            "text",
            text("-838:59:59"),
            true,
        ),
    ]);
}

#[test]
fn json_by_meaning() {
    let pair = |source: &'static str, target: &str, equal| {
        let value = Bytes(source.as_bytes());
        check(&[
            ("json", value, "json", text(target), equal),
            ("longtext", value, "jsonb", Some(jsonb(target)), equal),
        ]);
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
    check(&[
        (
            "json",
            Bytes(br#"{"a":1,"a":2}"#),
            "jsonb",
            Some(jsonb(r#"{"a":2}"#)),
            true,
        ),
        (
            "json",
            Bytes(br#"{"a":1,"a":2}"#),
            "json",
            text(r#"{"a":2}"#),
            false,
        ),
        (
            "json",
            Bytes(br#"{"a":1,"a":2}"#),
            "json",
            text(r#"{"a":1,"a":2}"#),
            true,
        ),
        (
            "json",
            Bytes(br#"{"k":"\u0000"}"#),
            "json",
            text(r#"{"k":"\u0000"}"#),
            true,
        ),
        (
            "json",
            Bytes(br#"{"k":"\u0000"}"#),
            "jsonb",
            Some(jsonb(r#"{"k":""}"#)),
            false,
        ),
        ("longtext", Bytes(b"{"), "json", text("{"), false),
        ("json", Bytes(b"1"), "jsonb", text("1"), false),
    ]);
}

#[test]
fn labels_and_members() {
    check(&[
        ("enum('a','b')", Bytes(b"a"), "enum:a|b", text("a"), true),
        ("enum('a','b')", Bytes(b"a"), "enum:a|b", text("b"), false),
        ("enum('A','b')", Bytes(b"A"), "enum:a|b", text("a"), false),
        ("enum('','b')", Bytes(b""), "enum:|b", text(""), true),
        ("enum('','b')", Bytes(b"\0"), "enum:|b", text(""), false),
        ("enum('a')", Bytes(b"\0"), "text", text(""), false),
        (
            "enum('it''s','x\\y')",
            Bytes(b"x\\y"),
            "text",
            text("x\\y"),
            true,
        ),
        ("varchar(9)", Bytes(b"a"), "enum:a|b", text("a"), true),
        (
            "set('a','NULL')",
            Bytes(b"a,NULL"),
            "text[]",
            Some(text_array(&[Some("a"), Some("NULL")])),
            true,
        ),
        (
            "set('a','NULL')",
            Bytes(b"a,NULL"),
            "text[]",
            Some(text_array(&[Some("a"), None])),
            false,
        ),
        (
            "set('a','NULL')",
            Bytes(b"a,NULL"),
            "text[]",
            Some(text_array(&[Some("NULL"), Some("a")])),
            false,
        ),
        (
            "set('a','NULL')",
            Bytes(b""),
            "text[]",
            Some(text_array(&[])),
            true,
        ),
        (
            "set('','a')",
            Bytes(b""),
            "text[]",
            Some(text_array(&[])),
            false,
        ),
        (
            "set('a','b')",
            Bytes(b"b"),
            "enum:a|b[]",
            Some(text_array(&[Some("b")])),
            true,
        ),
        ("set('a','b')", Bytes(b"a,b"), "text", text("a,b"), true),
    ]);
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
            check(&[(source, value, target, Some(field), false)]);
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
        check(&[(
            "date",
            value,
            "date",
            Some(days.to_be_bytes().to_vec()),
            true,
        )]);
        day = day.checked_add(step).expect("within range");
    }
}
