//! Functions that stand in defaults, and what says the same in PostgreSQL.
//!
//! The clock's functions, uuids, empty documents; nothing is computed.

use catalog::{MysqlType, PostgresType};

use super::expression::Expression;
use super::literal::{self, Reason};
use super::{Pair, PostgresDefault, plain};

/// The time is not taken at the same moment.
const TRANSACTION: &str =
    "is the time at which the transaction began; MySQL takes that of the statement";
/// The same where digits are left out: PostgreSQL manual, 9.9.5 "Current Date/Time".
const ROUNDED: &str = "is the time at which the transaction began, rounded; MySQL takes that of \
                       the statement and cuts it";
const RANDOM: &str = "is a random uuid (version 4); MySQL makes them of clock and machine";
const UUID: &str = "pg_catalog.gen_random_uuid()";
const GENERATOR: &str = "is another generator's";

pub(super) fn translated(
    name: &str,
    arguments: &[Expression],
    pair: &Pair<'_>,
) -> Result<PostgresDefault, Reason> {
    if let Some(document) = json_document(name, arguments) {
        return literal::translated(&Expression::Text(document), pair).map(plain);
    }
    let found = match name {
        "current_timestamp" | "now" | "localtime" | "localtimestamp" | "sysdate" => {
            now(fraction(arguments), pair)
        }
        "utc_timestamp" => utc(fraction(arguments), pair),
        "current_date" | "curdate" if arguments.is_empty() => match pair.source {
            MysqlType::Date | MysqlType::Datetime { .. } => today(pair.target),
            _ => None,
        },
        "current_time" | "curtime" => time_of_day(fraction(arguments), pair.target),
        "utc_date" if arguments.is_empty() && *pair.target == PostgresType::Date => noted(
            "((current_timestamp at time zone 'UTC')::date)".to_owned(),
            TRANSACTION,
        ),
        "unix_timestamp" if arguments.is_empty() => seconds(pair.target),
        "rand"
            if arguments.is_empty()
                && matches!(pair.target, PostgresType::Double | PostgresType::Real) =>
        {
            noted("pg_catalog.random()".to_owned(), GENERATOR)
        }
        _ => uuid(name, arguments, pair.target),
    };
    found.ok_or_else(|| format!("`{name}` has no counterpart for {}", pair.target))
}

// `Option` as the callers need it: each of them is one arm of a choice.
#[expect(clippy::unnecessary_wraps, reason = "an arm of a choice of options")]
fn noted(sql: String, note: &'static str) -> Option<PostgresDefault> {
    let note = Some(note);
    Some(PostgresDefault { sql, note })
}

/// The digits that are asked for; `None` where the arguments are something else.
fn fraction(arguments: &[Expression]) -> Option<u8> {
    match arguments {
        [] => Some(0),
        [Expression::Number(digits)] => digits.parse().ok().filter(|digits| *digits <= 6),
        _ => None,
    }
}

/// `current_timestamp(3)`; PostgreSQL's own precision is 6.
fn with_fraction(name: &str, fraction: u8) -> String {
    match fraction {
        6 => name.to_owned(),
        digits => format!("{name}({digits})"),
    }
}

fn now(fraction: Option<u8>, pair: &Pair<'_>) -> Option<PostgresDefault> {
    let fraction = fraction?;
    match (pair.source, pair.target) {
        // Without a zone such a column holds the time in UTC, whatever the session's clock.
        (MysqlType::Timestamp { .. }, PostgresType::Timestamp { .. }) => in_utc(fraction),
        (
            MysqlType::Timestamp { .. } | MysqlType::Datetime { .. },
            PostgresType::Timestamp { .. } | PostgresType::Timestamptz { .. },
        ) => noted(
            with_fraction("current_timestamp", fraction),
            clock(fraction),
        ),
        (MysqlType::Date, target) => today(target),
        (MysqlType::Time { .. }, target) => time_of_day(Some(fraction), target),
        _ => None,
    }
}

fn in_utc(fraction: u8) -> Option<PostgresDefault> {
    let now = with_fraction("current_timestamp", fraction);
    noted(format!("({now} at time zone 'UTC')"), clock(fraction))
}

fn clock(fraction: u8) -> &'static str {
    match fraction {
        6 => TRANSACTION,
        _ => ROUNDED,
    }
}

fn utc(fraction: Option<u8>, pair: &Pair<'_>) -> Option<PostgresDefault> {
    match (pair.source, pair.target) {
        (MysqlType::Datetime { .. }, PostgresType::Timestamp { .. }) => in_utc(fraction?),
        _ => None,
    }
}

fn today(target: &PostgresType) -> Option<PostgresDefault> {
    match target {
        PostgresType::Date | PostgresType::Timestamp { .. } | PostgresType::Timestamptz { .. } => {
            noted("current_date".to_owned(), TRANSACTION)
        }
        _ => None,
    }
}

fn time_of_day(fraction: Option<u8>, target: &PostgresType) -> Option<PostgresDefault> {
    let note = clock(fraction?);
    let time = with_fraction("localtime", fraction?);
    match target {
        PostgresType::Time { .. } => noted(time, note),
        PostgresType::Interval { .. } => noted(format!("({time}::interval)"), note),
        _ => None,
    }
}

fn seconds(target: &PostgresType) -> Option<PostgresDefault> {
    match target {
        PostgresType::Integer | PostgresType::Bigint | PostgresType::Numeric { .. } => {
            let seconds = "pg_catalog.floor(extract(epoch from current_timestamp))";
            noted(seconds.to_owned(), TRANSACTION)
        }
        _ => None,
    }
}

/// `uuid()`, alone, without its hyphens, or as sixteen bytes.
fn uuid(name: &str, arguments: &[Expression], target: &PostgresType) -> Option<PostgresDefault> {
    let digits = format!("pg_catalog.replace({UUID}::text, '-', '')");
    let sql = match shape(name, arguments)? {
        Shape::Whole | Shape::Bytes if *target == PostgresType::Uuid => UUID.to_owned(),
        Shape::Whole if holds(target, 36) => format!("({UUID}::text)"),
        Shape::Digits if holds(target, 32) => digits,
        Shape::Bytes if *target == PostgresType::Bytea => {
            format!("pg_catalog.decode({digits}, 'hex')")
        }
        _ => return None,
    };
    noted(sql, RANDOM)
}

enum Shape {
    Whole,
    Digits,
    Bytes,
}

fn shape(name: &str, arguments: &[Expression]) -> Option<Shape> {
    let inner = |argument: &Expression| match argument {
        Expression::Call { name, arguments } => shape(name, arguments),
        _ => None,
    };
    let is = |argument: &Expression, text: &str| *argument == Expression::Text(text.to_owned());
    match (name, arguments) {
        ("uuid" | "uuid_v4", []) => Some(Shape::Whole),
        ("replace", [of, from, to]) if is(from, "-") && is(to, "") => match inner(of)? {
            Shape::Whole => Some(Shape::Digits),
            _ => None,
        },
        ("uuid_to_bin", [of]) => match inner(of)? {
            Shape::Whole => Some(Shape::Bytes),
            _ => None,
        },
        ("unhex", [of]) => match inner(of)? {
            Shape::Digits => Some(Shape::Bytes),
            _ => None,
        },
        _ => None,
    }
}

fn holds(target: &PostgresType, characters: u32) -> bool {
    match target {
        PostgresType::Text => true,
        PostgresType::Varchar { length } => length.is_none_or(|length| length >= characters),
        PostgresType::Char { length } => *length >= characters,
        PostgresType::Other(name) => name == "citext",
        _ => false,
    }
}

/// The document of `json_array(…)` and `json_object(…)`, as MySQL spells it.
fn json_document(name: &str, arguments: &[Expression]) -> Option<String> {
    match name {
        "json_array" => {
            let values: Option<Vec<String>> = arguments.iter().map(json_value).collect();
            Some(format!("[{}]", values?.join(", ")))
        }
        "json_object" if arguments.len().is_multiple_of(2) => {
            let members: Option<Vec<String>> = arguments.chunks(2).map(json_member).collect();
            Some(format!("{{{}}}", members?.join(", ")))
        }
        _ => None,
    }
}

fn json_member(pair: &[Expression]) -> Option<String> {
    let [key @ Expression::Text(_), value] = pair else {
        return None;
    };
    Some(format!("{}: {}", json_value(key)?, json_value(value)?))
}

fn json_value(value: &Expression) -> Option<String> {
    match value {
        Expression::Null => Some("null".to_owned()),
        Expression::Boolean(flag) => Some(flag.to_string()),
        Expression::Number(number) => Some(number.clone()),
        Expression::Text(text) => serde_json::to_string(text).ok(),
        Expression::Call { name, arguments } => json_document(name, arguments),
        Expression::Bytes(_) | Expression::Bits(_) | Expression::Damaged => None,
    }
}
