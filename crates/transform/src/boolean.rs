//! Integers and words into `boolean`: 0 and 1, nothing else.
//!
//! A `tinyint` is a boolean only where the target says so; the plan decides that.

use catalog::Condition;

use crate::number::{split_digits, without_leading_zeros};
use crate::rejection::Problem;

/// Integers: 0 is false, 1 is true.
pub(crate) fn from_integer(value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    match value {
        b"0" => out.push(b'f'),
        b"1" => out.push(b't'),
        other => out.push(from_long_integer(other)?),
    }
    Ok(())
}

/// Integers that are written longer than they must be, as `zerofill` does.
fn from_long_integer(value: &[u8]) -> Result<u8, Problem> {
    let (negative, rest) = match value {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (digits, rest) = split_digits(rest);
    if digits.is_empty() || !rest.is_empty() {
        return Err(Problem::malformed("is not an integer"));
    }
    match without_leading_zeros(digits) {
        b"" => Ok(b'f'),
        b"1" if !negative => Ok(b't'),
        _ => Err(not_boolean()),
    }
}

/// Bits: the number that they make.
pub(crate) fn from_number(value: u64, out: &mut Vec<u8>) -> Result<(), Problem> {
    match value {
        0 => out.push(b'f'),
        1 => out.push(b't'),
        _ => return Err(not_boolean()),
    }
    Ok(())
}

/// The words that a rule or a default may hold.
pub(crate) fn from_word(value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    match value.to_ascii_lowercase().as_slice() {
        b"0" | b"f" | b"false" => out.push(b'f'),
        b"1" | b"t" | b"true" => out.push(b't'),
        _ => return Err(not_boolean()),
    }
    Ok(())
}

fn not_boolean() -> Problem {
    Problem::new(Condition::NotBoolean, "is neither 0 nor 1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    #[test]
    fn zero_and_one_and_nothing_else() {
        for (text, letter) in [("0", b"f"), ("1", b"t"), ("001", b"t"), ("-0", b"f")] {
            let mut out = Vec::new();
            assert_eq!(from_integer(text.as_bytes(), &mut out), Ok(()), "{text}");
            assert_eq!(out, letter);
        }
        for text in ["2", "-1", "127", "10", "-128"] {
            let problem = from_integer(text.as_bytes(), &mut Vec::new()).unwrap_err();
            assert_eq!(
                problem.kind,
                Kind::Condition(Condition::NotBoolean),
                "{text}"
            );
        }
        for text in ["", "t", "true", "1.0", "-"] {
            let problem = from_integer(text.as_bytes(), &mut Vec::new()).unwrap_err();
            assert_eq!(problem.kind, Kind::Malformed, "{text}");
        }
    }
}
