//! Pairs of types: what is equal, and what looks alike and is not.
//!
//! The bytes of the target are written down by hand from PostgreSQL's formats.

mod moments;
mod numbers;
mod structures;
mod texts;

use catalog::RuleSet;
use digest::SourceValue::{self, Bytes, Double, Int, Null};
use verify::TablePlan;

use crate::fixture::{
    bits, date, jsonb, numeric, run, source_table, target_table, text_array, time,
};

/// `int => integer`: a row of that value and one of that field are equal.
fn same(types: &str, value: SourceValue<'_>, field: Option<Vec<u8>>) {
    judge("UTC", types, value, field, true);
}

/// The two rows are found to differ.
fn differ(types: &str, value: SourceValue<'_>, field: Option<Vec<u8>>) {
    judge("UTC", types, value, field, false);
}

fn judge(zone: &str, types: &str, value: SourceValue<'_>, field: Option<Vec<u8>>, equal: bool) {
    let (source, target) = types.split_once(" => ").expect("two types");
    let source_table = source_table(&[("c", source)], &[]);
    let target_table = target_table(&[("c", &full_name(target))], &[]);
    let plan = TablePlan::new(
        "db",
        &source_table,
        &target_table,
        &RuleSet::default(),
        zone,
    )
    .unwrap_or_else(|error| panic!("{types}: {error}"));
    let comparison = run(&plan, &[vec![value]], &[vec![field.clone()]]);
    let case = format!("{types}: {value:?} and {field:02x?}");
    assert_eq!(comparison.findings.is_empty(), equal, "{case}");
}

/// What `format_type()` calls the types whose names are long.
fn full_name(target: &str) -> String {
    match target {
        "time" => "time without time zone".to_owned(),
        "timestamptz" => "timestamp with time zone".to_owned(),
        other if other.starts_with("timestamp") => format!("{other} without time zone"),
        other => other.replace("varchar", "character varying"),
    }
}

fn text(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

fn days(days: i32) -> Option<Vec<u8>> {
    Some(days.to_be_bytes().to_vec())
}

fn micros(micros: i64) -> Option<Vec<u8>> {
    Some(micros.to_be_bytes().to_vec())
}

#[test]
fn null_equals_null_and_nothing_else() {
    for (types, empty) in [
        ("int => integer", vec![0; 4]),
        ("varchar(9) => text", vec![]),
        ("char(36) => uuid", vec![0; 16]),
        ("json => jsonb", jsonb("null")),
        ("datetime => timestamp", vec![0; 8]),
        ("double => double precision", vec![0; 8]),
        ("decimal(10,2) => numeric(10,2)", numeric(&[], 0, 0, 2)),
        ("bit(1) => boolean", vec![0]),
        ("set('a') => text[]", text_array(&[])),
    ] {
        same(types, Null, None);
        differ(types, Null, Some(empty));
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
fn fields_that_are_no_value_of_their_type_equal_nothing() {
    for (types, value) in [
        ("int => integer", Int(0)),
        ("double => double precision", Double(0.0)),
        ("decimal(10,2) => numeric(10,2)", Bytes(b"0.00")),
        ("datetime => timestamp", date(2000, 1, 1)),
        ("date => date", date(2000, 1, 1)),
        ("time => interval", time(false, 0, [0, 0], 0)),
        ("bit(1) => bit(1)", Bytes(&[0])),
        ("set('a') => text[]", Bytes(b"a")),
        ("json => jsonb", Bytes(b"1")),
        (
            "char(36) => uuid",
            Bytes(b"00000000-0000-0000-0000-000000000000"),
        ),
    ] {
        for field in [vec![], vec![1], vec![0; 3], vec![0xff; 17]] {
            differ(types, value, Some(field));
        }
    }
    differ("bit(1) => bit(1)", Bytes(&[1]), Some(bits(9, &[0x80])));
}
