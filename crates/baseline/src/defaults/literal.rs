//! Literals: what the source's column would hold, written as a literal of the target's type.
//!
//! A value that the target's type would refuse or change is refused here.

use catalog::{MysqlType, PostgresType, quote};

use super::expression::Expression;
use super::{Pair, moment};

/// Why there is no literal.
pub(super) type Reason = String;

pub(super) fn translated(value: &Expression, pair: &Pair<'_>) -> Result<String, Reason> {
    match pair.target {
        PostgresType::Boolean => boolean(value),
        PostgresType::Smallint => integer(value, i16::MIN.into(), i16::MAX.into()),
        PostgresType::Integer => integer(value, i32::MIN.into(), i32::MAX.into()),
        PostgresType::Bigint => integer(value, i64::MIN.into(), i64::MAX.into()),
        PostgresType::Numeric { .. } | PostgresType::Real | PostgresType::Double => number(value),
        PostgresType::Bit { width } => bits(value, *width),
        PostgresType::Bytea => {
            let bytes = bytes(value, pair.source)?;
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(quote::postgres_literal(&format!("\\x{digits}")))
        }
        PostgresType::Date
        | PostgresType::Timestamp { .. }
        | PostgresType::Timestamptz { .. }
        | PostgresType::Time { .. }
        | PostgresType::Interval { .. } => {
            let text = text(value, pair.source)?;
            moment::written(&text, pair).map(|text| quote::postgres_literal(&text))
        }
        PostgresType::Uuid => uuid(value, pair.source).map(|text| quote::postgres_literal(&text)),
        PostgresType::Json | PostgresType::Jsonb => {
            let text = text(value, pair.source)?;
            check_json(&text, *pair.target == PostgresType::Jsonb)?;
            Ok(quote::postgres_literal(&text))
        }
        PostgresType::Array(_) => array(&text(value, pair.source)?, pair.source),
        PostgresType::Enum { labels, .. } => {
            let text = text(value, pair.source)?;
            match labels.contains(&text) {
                true => Ok(quote::postgres_literal(&text)),
                false => Err("it is none of the labels".to_owned()),
            }
        }
        PostgresType::Text => limited(value, pair.source, None),
        PostgresType::Varchar { length } => limited(value, pair.source, *length),
        PostgresType::Char { length } => limited(value, pair.source, Some(*length)),
        PostgresType::Other(name) if name == "citext" => limited(value, pair.source, None),
        other => Err(format!(
            "literals of {other} are not written by this version"
        )),
    }
}

fn boolean(value: &Expression) -> Result<String, Reason> {
    match number(value)?.as_str() {
        "0" => Ok("false".to_owned()),
        "1" => Ok("true".to_owned()),
        _ => Err("it is neither 0 nor 1".to_owned()),
    }
}

fn integer(value: &Expression, least: i128, greatest: i128) -> Result<String, Reason> {
    let number = number(value)?;
    match number.parse::<i128>() {
        Ok(integer) if (least..=greatest).contains(&integer) => Ok(number),
        Ok(_) => Err("it is outside the range of the type".to_owned()),
        Err(_) => Err("it is no integer".to_owned()),
    }
}

/// The value as a number, spelled as the source spells it.
fn number(value: &Expression) -> Result<String, Reason> {
    let big_endian = |bytes: &[u8]| {
        let value = bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte));
        value.to_string()
    };
    match value {
        Expression::Boolean(flag) => Ok(u8::from(*flag).to_string()),
        Expression::Number(number) => Ok(number.clone()),
        Expression::Bits(digits) => Ok(bits_value(digits).to_string()),
        Expression::Bytes(bytes) if bytes.len() <= 8 => Ok(big_endian(bytes)),
        Expression::Text(text) if is_number(text.trim()) => Ok(text.trim().to_owned()),
        _ => Err("it is no number".to_owned()),
    }
}

/// Only what stands in SQL as it is: neither `inf` nor `nan`, which Rust reads.
fn is_number(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    text.chars().all(legal) && text.parse::<f64>().is_ok()
}

fn bits_value(digits: &str) -> u64 {
    let bit = |value: u64, digit: char| value << 1 | u64::from(digit == '1');
    digits.chars().fold(0, bit)
}

fn bits(value: &Expression, width: u32) -> Result<String, Reason> {
    let number: u64 = number(value)?
        .parse()
        .map_err(|_| "it is no number of bits".to_owned())?;
    let width = usize::try_from(width).unwrap_or(usize::MAX).min(64);
    let digits = format!("{number:0width$b}");
    match digits.len() == width {
        true => Ok(format!("B'{digits}'")),
        false => Err("it has more bits than the column".to_owned()),
    }
}

/// The text that the source's column would hold.
fn text(value: &Expression, source: &MysqlType) -> Result<String, Reason> {
    let text = match value {
        Expression::Text(text) => text.clone(),
        Expression::Number(number) => number.clone(),
        Expression::Boolean(flag) => u8::from(*flag).to_string(),
        Expression::Bytes(bytes) => {
            String::from_utf8(bytes.clone()).map_err(|_| "its bytes are no UTF-8".to_owned())?
        }
        Expression::Damaged => {
            return Err("MySQL does not show its characters beyond ASCII as they are".to_owned());
        }
        _ => return Err("it is no text".to_owned()),
    };
    if text.contains('\0') {
        return Err("PostgreSQL's text holds no NUL".to_owned());
    }
    // MySQL takes the blanks at the end off when a `char` is read.
    match source {
        MysqlType::Char { .. } => Ok(text.trim_end_matches(' ').to_owned()),
        _ => Ok(text),
    }
}

fn limited(value: &Expression, source: &MysqlType, limit: Option<u32>) -> Result<String, Reason> {
    let text = text(value, source)?;
    let length = text.chars().count();
    let fits = limit.is_none_or(|limit| u32::try_from(length).is_ok_and(|length| length <= limit));
    match fits {
        true => Ok(quote::postgres_literal(&text)),
        false => Err("it is longer than the column".to_owned()),
    }
}

/// The bytes that the source's column would hold: `binary(n)` fills up with NUL bytes.
fn bytes(value: &Expression, source: &MysqlType) -> Result<Vec<u8>, Reason> {
    let mut bytes = match value {
        Expression::Text(text) | Expression::Number(text) => text.clone().into_bytes(),
        Expression::Bytes(bytes) => bytes.clone(),
        _ => return Err("it is no string of bytes".to_owned()),
    };
    if let MysqlType::Binary { length } = source {
        let length = usize::try_from(*length).unwrap_or(0);
        if bytes.len() > length {
            return Err("it is longer than the column".to_owned());
        }
        bytes.resize(length, 0);
    }
    Ok(bytes)
}

/// A uuid in lower case: from its text, or from sixteen bytes where the source holds bytes.
fn uuid(value: &Expression, source: &MysqlType) -> Result<String, Reason> {
    let digits = match source {
        MysqlType::Binary { .. } | MysqlType::Varbinary { .. } => {
            let bytes = bytes(value, source)?;
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        _ => undashed(&text(value, source)?),
    };
    let legal = digits.len() == 32 && digits.chars().all(|c| c.is_ascii_hexdigit());
    if !legal {
        return Err("it is no uuid".to_owned());
    }
    let digits = digits.to_ascii_lowercase();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    Ok(parts.join("-"))
}

/// The digits of a uuid whose hyphens stand where they belong; else nothing that is a uuid.
fn undashed(text: &str) -> String {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    match lengths == [8, 4, 4, 4, 12] {
        true => parts.concat(),
        false => String::new(),
    }
}

fn check_json(text: &str, binary: bool) -> Result<(), Reason> {
    serde_json::from_str::<serde_json::Value>(text).map_err(|_| "it is no JSON".to_owned())?;
    // An escaped backslash before it makes this too strict, never too lax.
    if binary && text.contains("\\u0000") {
        return Err("jsonb holds no \\u0000".to_owned());
    }
    Ok(())
}

/// A set's members, which no comma is part of.
fn array(text: &str, source: &MysqlType) -> Result<String, Reason> {
    let MysqlType::Set { members } = source else {
        return Err("it is no set".to_owned());
    };
    let chosen: Vec<&str> = match text {
        "" => Vec::new(),
        text => text.split(',').collect(),
    };
    if chosen
        .iter()
        .any(|member| !members.iter().any(|m| m == member))
    {
        return Err("it has others than the members of the set".to_owned());
    }
    let quoted: Vec<String> = chosen.into_iter().map(quote::postgres_literal).collect();
    Ok(format!("array[{}]::text[]", quoted.join(", ")))
}
