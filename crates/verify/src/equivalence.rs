//! The fixed table of what counts as equal although its bytes differ.
//!
//! For people: printed by `verify --equivalences` and in `docs/verification.md`. A pair that is
//! not listed compares exactly.

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Equivalence {
    /// Types of the source.
    pub source: &'static str,
    /// Types of the target.
    pub target: &'static str,
    /// What counts as equal.
    pub equal: &'static str,
}

/// The whole table.
pub fn equivalences() -> &'static [Equivalence] {
    &EQUIVALENCES
}

const EQUIVALENCES: [Equivalence; 17] = [
    line("integers, bit", "boolean", "0 is false, 1 is true"),
    line(
        "integers, year, bit",
        "smallint, integer, bigint, numeric",
        "the same number",
    ),
    line(
        "decimal",
        "smallint, integer, bigint, numeric(p,s)",
        "the same number; the target declares the scale",
    ),
    line(
        "decimal, integers",
        "numeric",
        "the same number with as many decimal places",
    ),
    line(
        "integers, year, decimal",
        "real, double precision",
        "the float whose shortest digits are the number",
    ),
    line(
        "float",
        "double precision",
        "the same number, not the same digits",
    ),
    line(
        "float, double",
        "numeric",
        "the number that the shortest digits of the float spell",
    ),
    line(
        "float, double",
        "text, character varying",
        "text that spells the same float",
    ),
    line(
        "text, enum, set, json",
        "character(n)",
        "trailing blanks are padding",
    ),
    line(
        "bit",
        "bit(n), bit varying(n)",
        "the same number, leading zeros written",
    ),
    line("text", "uuid", "letters in either case"),
    line("binary(16)", "uuid", "the sixteen bytes"),
    line(
        "datetime, date",
        "timestamp with time zone",
        "the instant of the reading in `datetime_zone`",
    ),
    line(
        "timestamp",
        "timestamp, timestamp with time zone",
        "the instant, written in UTC where the target knows no zone",
    ),
    line(
        "date, datetime, timestamp",
        "date, timestamp",
        "a date is its midnight",
    ),
    line(
        "json, text",
        "json, jsonb",
        "the same document: white space, the order of keys, escapes and the spelling of \
         numbers do not count; of equal keys the last counts in jsonb, all in json",
    ),
    line("set", "arrays", "one element for each member, in order"),
];

const fn line(source: &'static str, target: &'static str, equal: &'static str) -> Equivalence {
    Equivalence {
        source,
        target,
        equal,
    }
}
