//! Every kind of change is found with its key and columns; changes that mean the same are not.
//!
//! One table with a column of each sort; the target is changed, the source stays.

use catalog::RuleSet;
use digest::SourceValue::{self, Bytes, Double, Int, Null};
use verify::{Findings, TablePlan};

use crate::fixture::{
    Fields, bits, datetime, jsonb, numeric, run, source_table, target_table, text_array,
};

const COLUMNS: [(&str, &str, &str); 14] = [
    ("id", "int", "integer"),
    ("name", "varchar(40)", "character varying(40)"),
    ("note", "text", "text"),
    ("owner", "char(36)", "uuid"),
    ("at", "datetime(6)", "timestamp without time zone"),
    ("ratio", "double", "double precision"),
    ("price", "decimal(10,2)", "numeric(10,2)"),
    ("exact", "decimal(10,2)", "numeric"),
    ("raw", "blob", "bytea"),
    ("data", "json", "jsonb"),
    ("plain", "json", "json"),
    ("mood", "enum('sad','happy')", "enum:sad|happy"),
    ("flags", "bit(3)", "bit(3)"),
    ("tags", "set('a','b','NULL')", "text[]"),
];
const ROWS: usize = 5;

fn at(column: &str) -> usize {
    let position = COLUMNS.iter().position(|(name, _, _)| *name == column);
    position.expect("a column of the table")
}

fn plan(key: &[&str]) -> TablePlan {
    let source: Vec<(&str, &str)> = COLUMNS.iter().map(|(n, s, _)| (*n, *s)).collect();
    let target: Vec<(&str, &str)> = COLUMNS.iter().map(|(n, _, t)| (*n, *t)).collect();
    let (source, target) = (source_table(&source, key), target_table(&target, key));
    TablePlan::new("db", &source, &target, &RuleSet::default(), "UTC").expect("a plan")
}

const OWNERS: [&[u8; 36]; 2] = [
    b"0f8fad5b-d9cb-469f-a165-70867728950e",
    b"7c9e6679-7425-40de-944b-e07fc1f90ae7",
];
const OWNER_BYTES: [[u8; 16]; 2] = [
    [
        0x0f, 0x8f, 0xad, 0x5b, 0xd9, 0xcb, 0x46, 0x9f, 0xa1, 0x65, 0x70, 0x86, 0x77, 0x28, 0x95,
        0x0e,
    ],
    [
        0x7c, 0x9e, 0x66, 0x79, 0x74, 0x25, 0x40, 0xde, 0x94, 0x4b, 0xe0, 0x7f, 0xc1, 0xf9, 0x0a,
        0xe7,
    ],
];
const NAMES: [&str; ROWS] = ["ab", "abc", "caf\u{e9}", "", "x y"];
const DATA: &str = r#"{"a": [1, 2, true], "n": 1.10, "t": {"x": null, "y": "z"}}"#;

fn source_row(number: usize) -> Vec<SourceValue<'static>> {
    vec![
        Int(i64::try_from(number).expect("small")),
        Bytes(NAMES[number].as_bytes()),
        if number == 3 { Null } else { Bytes(b"c\r\nd ") },
        Bytes(OWNERS[number % 2]),
        datetime(2024, 2, 29, [12, 0, 0], 123_456),
        if number == 2 {
            Double(0.0)
        } else {
            Double(0.1)
        },
        Bytes(b"1.50"),
        Bytes(b"1.50"),
        Bytes(&[0, 255, 10]),
        Bytes(DATA.as_bytes()),
        Bytes(DATA.as_bytes()),
        Bytes(b"sad"),
        Bytes(&[5]),
        Bytes(b"a,NULL"),
    ]
}

fn target_row(number: usize) -> Fields {
    let ratio: f64 = if number == 2 { 0.0 } else { 0.1 };
    let fields = vec![
        i32::try_from(number).expect("small").to_be_bytes().to_vec(),
        NAMES[number].as_bytes().to_vec(),
        b"c\r\nd ".to_vec(),
        OWNER_BYTES[number % 2].to_vec(),
        762_523_200_123_456_i64.to_be_bytes().to_vec(),
        ratio.to_be_bytes().to_vec(),
        numeric(&[1, 5000], 0, 0, 2),
        numeric(&[1, 5000], 0, 0, 2),
        vec![0, 255, 10],
        jsonb(DATA),
        DATA.as_bytes().to_vec(),
        b"sad".to_vec(),
        bits(3, &[0xa0]),
        text_array(&[Some("a"), Some("NULL")]),
    ];
    let mut row: Fields = fields.into_iter().map(Some).collect();
    if number == 3 {
        row[at("note")] = None;
    }
    row
}

/// What is found after the target was changed.
fn findings_of(key: &[&str], change: impl FnOnce(&mut Vec<Fields>)) -> Findings {
    let source: Vec<_> = (0..ROWS).map(source_row).collect();
    let mut target: Vec<Fields> = (0..ROWS).map(target_row).collect();
    change(&mut target);
    run(&plan(key), &source, &target).findings
}

fn set(row: usize, column: &str, field: Option<Vec<u8>>) -> impl FnOnce(&mut Vec<Fields>) {
    let column = at(column);
    move |target| {
        assert_ne!(target[row][column], field, "a mutation changes something");
        target[row][column] = field;
    }
}

fn text(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

/// The change is found as one different row with that key and that column, and by tables
/// without a key as one row gone and one come.
fn check_found(what: &str, row: usize, column: &str, field: &Option<Vec<u8>>) {
    let findings = findings_of(&["id"], set(row, column, field.clone()));
    let counts = (findings.missing, findings.unexpected, findings.different);
    assert_eq!(counts, (0, 0, 1), "{what}");
    assert_eq!(findings.samples.len(), 1, "{what}");
    assert_eq!(findings.samples[0].columns, [column], "{what}");
    let key = ("id".to_owned(), row.to_string());
    assert_eq!(findings.samples[0].key, [key], "{what}");
    let findings = findings_of(&[], set(row, column, field.clone()));
    let counts = (findings.missing, findings.unexpected, findings.different);
    assert_eq!(counts, (1, 1, 0), "{what} without a key");
    assert!(findings.samples.iter().all(|sample| sample.key.is_empty()));
}

#[test]
fn nothing_changed_is_nothing_found() {
    assert!(findings_of(&["id"], |_| {}).is_empty());
    assert!(findings_of(&[], |_| {}).is_empty());
    assert!(findings_of(&["id"], |target| target.reverse()).is_empty());
}

#[test]
fn changes_of_text_are_found() {
    for (what, row, column, field) in [
        ("a character", 0, "name", text("aB")),
        ("case", 0, "name", text("AB")),
        ("a character more", 0, "name", text("abc")),
        ("a trailing blank", 0, "name", text("ab ")),
        ("a trailing blank gone", 0, "note", text("c\r\nd")),
        ("a line break", 0, "note", text("c\nd ")),
        ("a line break for a blank", 0, "note", text("c d ")),
        ("a combining character", 2, "name", text("cafe\u{301}")),
        ("an accent gone", 2, "name", text("cafe")),
        ("a no-break space", 4, "name", text("x\u{a0}y")),
        ("null for the empty text", 3, "name", None),
        ("the empty text for null", 3, "note", text("")),
        ("the word for null", 3, "note", text("NULL")),
        ("null for text", 0, "note", None),
    ] {
        check_found(what, row, column, &field);
    }
}

#[test]
fn changes_of_numbers_and_times_are_found() {
    let double = |bits: u64| Some(bits.to_be_bytes().to_vec());
    let micros = |micros: i64| Some(micros.to_be_bytes().to_vec());
    let at = 762_523_200_123_456;
    for (what, row, column, field) in [
        ("one microsecond", 0, "at", micros(at + 1)),
        ("the microseconds", 0, "at", micros(at - 123_456)),
        ("one hour", 0, "at", micros(at + 3_600_000_000)),
        ("infinity", 0, "at", micros(i64::MAX)),
        (
            "the sign of zero",
            2,
            "ratio",
            double(0x8000_0000_0000_0000),
        ),
        (
            "the last digit of a double",
            0,
            "ratio",
            double(0.1_f64.to_bits() + 1),
        ),
        ("a cent", 0, "price", Some(numeric(&[1, 5100], 0, 0, 2))),
        (
            "the sign of a decimal",
            0,
            "price",
            Some(numeric(&[1, 5000], 0, 0x4000, 2)),
        ),
        (
            "a decimal's power",
            0,
            "price",
            Some(numeric(&[1, 5000], 1, 0, 2)),
        ),
        ("not a number", 0, "price", Some(numeric(&[], 0, 0xc000, 0))),
        (
            "a decimal's scale",
            0,
            "exact",
            Some(numeric(&[1, 5000], 0, 0, 1)),
        ),
        ("null for a number", 0, "price", None),
        ("a bit", 0, "flags", Some(bits(3, &[0x20]))),
        ("a bit more", 0, "flags", Some(bits(4, &[0xa0]))),
    ] {
        check_found(what, row, column, &field);
    }
}

#[test]
fn changes_of_other_values_are_found() {
    let with = |from, to| {
        let changed = DATA.replace(from, to);
        assert_ne!(changed, DATA);
        changed
    };
    for (what, from, to) in [
        ("a JSON number", "1.10", "1.11"),
        ("a JSON key", "\"n\"", "\"m\""),
        ("the case of a JSON key", "\"n\"", "\"N\""),
        ("1 for true in JSON", "true", "1"),
        ("a text for a number in JSON", "1.10", "\"1.10\""),
        ("the order of a JSON array", "1, 2", "2, 1"),
        ("a key more", "\"n\"", "\"k\": null, \"n\""),
        ("null for a text in JSON", "\"z\"", "null"),
        ("false for null in JSON", "null", "false"),
        (
            "a key in another object",
            ", \"y\": \"z\"}}",
            "}, \"y\": \"z\"}",
        ),
    ] {
        check_found(what, 1, "data", &Some(jsonb(&with(from, to))));
        check_found(what, 1, "plain", &Some(with(from, to).into_bytes()));
    }
    for (what, column, field) in [
        ("a byte of a blob", "raw", Some(vec![0, 254, 10])),
        ("a byte less", "raw", Some(vec![0, 255])),
        ("the empty blob", "raw", Some(vec![])),
        (
            "the uuid of another row",
            "owner",
            Some(OWNER_BYTES[1].to_vec()),
        ),
        ("a label", "mood", text("happy")),
        ("the case of a label", "mood", text("Sad")),
        (
            "a member for null",
            "tags",
            Some(text_array(&[Some("a"), None])),
        ),
        (
            "the order of members",
            "tags",
            Some(text_array(&[Some("NULL"), Some("a")])),
        ),
        ("a member gone", "tags", Some(text_array(&[Some("a")]))),
        (
            "members joined",
            "tags",
            Some(text_array(&[Some("a,NULL")])),
        ),
        ("a broken document", "data", Some(jsonb("{"))),
    ] {
        check_found(what, 0, column, &field);
    }
}

#[test]
fn values_in_another_place_are_found() {
    let between_rows = findings_of(&["id"], |target| {
        let (first, second) = target.split_at_mut(1);
        std::mem::swap(&mut first[0][at("name")], &mut second[0][at("name")]);
    });
    assert_eq!(between_rows.different, 2);
    assert!(between_rows.samples.iter().all(|s| s.columns == ["name"]));

    let between_columns = findings_of(&["id"], |target| {
        target[0].swap(at("name"), at("note"));
    });
    assert_eq!(between_columns.different, 1);
    assert_eq!(between_columns.samples[0].columns, ["name", "note"]);

    // ('ab', 'c\r\nd ') becomes ('abc', '\r\nd ').
    let boundary = findings_of(&["id"], |target| {
        target[0][at("name")] = text("abc");
        target[0][at("note")] = text("\r\nd ");
    });
    assert_eq!(boundary.different, 1);
    assert_eq!(boundary.samples[0].columns, ["name", "note"]);
}

#[test]
fn rows_gone_and_come_are_found() {
    let counts = |key: &[&str], change: fn(&mut Vec<Fields>)| {
        let findings = findings_of(key, change);
        (findings.missing, findings.unexpected, findings.different)
    };
    for key in [&["id"][..], &[]] {
        assert_eq!(counts(key, |rows| drop(rows.remove(1))), (1, 0, 0));
        assert_eq!(counts(key, |rows| rows.clear()), (5, 0, 0));
        assert_eq!(counts(key, |rows| rows.push(rows[1].clone())), (0, 1, 0));
        assert_eq!(
            counts(key, |rows| rows.extend([rows[1].clone(), rows[1].clone()])),
            (0, 2, 0)
        );
        assert_eq!(counts(key, |rows| rows[1] = rows[2].clone()), (1, 1, 0));
    }
    let id = |rows: &mut Vec<Fields>| rows[4][0] = Some(vec![0, 0, 0, 9]);
    let findings = findings_of(&["id"], id);
    assert_eq!((findings.missing, findings.unexpected), (1, 1));
    let keys: Vec<&str> = findings
        .samples
        .iter()
        .map(|s| s.key[0].1.as_str())
        .collect();
    assert_eq!(keys, ["4", "9"]);
    let twice_changed = findings_of(&["id"], |rows| {
        rows.push(rows[1].clone());
        rows[5][at("name")] = text("other");
    });
    assert_eq!((twice_changed.unexpected, twice_changed.different), (1, 0));
}

#[test]
fn what_means_the_same_is_not_reported() {
    let documents = [
        r#"{"t": {"x": null, "y": "z"}, "a": [1, 2, true], "n": 1.10}"#,
        r#"{"a": [1, 2, true], "n": 1.10, "t": {"y": "z", "x": null}}"#,
        r#"{"a":[1,2,true],"n":1.10,"t":{"x":null,"y":"z"}}"#,
        "{\"a\":\n\t[1, 2, true],\r\n \"n\": 1.10, \"t\": {\"x\": null, \"y\": \"z\"}} ",
        r#"{"a": [1, 2, true], "n": 1.1, "t": {"x": null, "y": "z"}}"#,
        r#"{"a": [1, 2, true], "n": 11e-1, "t": {"x": null, "y": "z"}}"#,
        r#"{"a": [1.0, 20E-1, true], "n": 1.10, "t": {"x": null, "y": "z"}}"#,
        r#"{"\u0061": [1, 2, true], "n": 1.10, "t": {"x": null, "y": "\u007a"}}"#,
    ];
    for document in documents {
        let findings = findings_of(&["id"], set(1, "plain", text(document)));
        assert!(findings.is_empty(), "{document}");
    }
    for document in &documents[1..] {
        let findings = findings_of(&["id"], set(1, "data", Some(jsonb(document))));
        assert!(findings.is_empty(), "{document}");
    }
    // Zeros that PostgreSQL strips but that say nothing.
    let padded = Some(numeric(&[0, 1, 5000, 0], 1, 0, 2));
    assert!(findings_of(&["id"], set(1, "price", padded)).is_empty());
    // The type of an array's elements may have another number in another database.
    let mut array = text_array(&[Some("a"), Some("NULL")]);
    array[11] = 99;
    assert!(findings_of(&["id"], set(1, "tags", Some(array))).is_empty());
}
