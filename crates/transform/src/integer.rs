//! Whole numbers into `smallint`, `integer` and `bigint`.
//!
//! Takes integers, years and decimals; floats have no exact place here and are not taken.

use std::io::Write as _;

use catalog::{Condition, PostgresType};

use crate::number::{Cut, Number, all_zeros, split_digits, without_leading_zeros};
use crate::rejection::Problem;

/// The range of an integer type of the target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Integer {
    /// The greatest value; the least is one beyond its negative.
    max: u64,
    /// Whether the source's type has digits after the point.
    pub(crate) fractional: bool,
}

impl Integer {
    pub(crate) fn new(target: &PostgresType, fractional: bool) -> Option<Self> {
        let max = match target {
            PostgresType::Smallint => i16::MAX as u64,
            PostgresType::Integer => i32::MAX as u64,
            PostgresType::Bigint => i64::MAX as u64,
            _ => return None,
        };
        Some(Self { max, fractional })
    }

    pub(crate) fn convert(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let (negative, rest) = match value {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, value),
        };
        let (digits, rest) = split_digits(rest);
        if digits.is_empty() || !is_fraction(rest) {
            return Err(Problem::malformed("is not a decimal number"));
        }
        if !all_zeros(rest.get(1..).unwrap_or_default()) {
            return Err(Problem::new(
                Condition::PrecisionLost,
                "has digits after the point where the target is an integer",
            ));
        }
        let digits = without_leading_zeros(digits);
        let limit = self.max + u64::from(negative);
        if magnitude(digits).is_none_or(|magnitude| magnitude > limit) {
            return Err(out_of_range());
        }
        match digits {
            [] => out.push(b'0'),
            digits => {
                if negative {
                    out.push(b'-');
                }
                out.extend_from_slice(digits);
            }
        }
        Ok(())
    }

    /// Writes an unsigned number, as bits are.
    pub(crate) fn write(self, value: u64, out: &mut Vec<u8>) -> Result<(), Problem> {
        if value > self.max {
            return Err(out_of_range());
        }
        write!(out, "{value}").expect("a Vec takes every write");
        Ok(())
    }

    /// Drops or rounds away what follows the point.
    pub(crate) fn shorten(value: &[u8], cut: Cut, out: &mut Vec<u8>) {
        if let Some(number) = Number::parse(value) {
            number.shorten(0, cut, out);
        }
    }
}

fn is_fraction(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [b'.', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn magnitude(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

fn out_of_range() -> Problem {
    Problem::new(
        Condition::OutOfRange,
        "is beyond the range of the target's integer type",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    fn convert(target: &PostgresType, value: &str) -> Result<String, Kind> {
        let mut out = Vec::new();
        Integer::new(target, true)
            .unwrap()
            .convert(value.as_bytes(), &mut out)
            .map(|()| String::from_utf8(out).unwrap())
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn both_ends_of_each_range() {
        for (target, least, greatest) in [
            (PostgresType::Smallint, "-32768", "32767"),
            (PostgresType::Integer, "-2147483648", "2147483647"),
            (
                PostgresType::Bigint,
                "-9223372036854775808",
                "9223372036854775807",
            ),
        ] {
            assert_eq!(convert(&target, least).as_deref(), Ok(least));
            assert_eq!(convert(&target, greatest).as_deref(), Ok(greatest));
        }
        let beyond = Err(Kind::Condition(Condition::OutOfRange));
        assert_eq!(convert(&PostgresType::Smallint, "32768"), beyond);
        assert_eq!(convert(&PostgresType::Smallint, "-32769"), beyond);
        assert_eq!(
            convert(&PostgresType::Bigint, "18446744073709551615"),
            beyond
        );
        assert_eq!(
            convert(&PostgresType::Bigint, "99999999999999999999999"),
            beyond
        );
    }

    #[test]
    fn zeros_and_fractions() {
        assert_eq!(
            convert(&PostgresType::Integer, "00042").as_deref(),
            Ok("42")
        );
        assert_eq!(convert(&PostgresType::Integer, "-0").as_deref(), Ok("0"));
        assert_eq!(convert(&PostgresType::Integer, "7.00").as_deref(), Ok("7"));
        let lost = Err(Kind::Condition(Condition::PrecisionLost));
        assert_eq!(convert(&PostgresType::Integer, "7.01"), lost);
        for text in ["", "-", "x", "1x", "1.x", "+1", "1e3", " 1"] {
            assert_eq!(
                convert(&PostgresType::Integer, text),
                Err(Kind::Malformed),
                "{text}"
            );
        }
    }
}
