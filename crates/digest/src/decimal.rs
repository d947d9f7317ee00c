//! Decimal numbers of any size as digits and an exponent, compared by value without loss.
//!
//! Does no arithmetic beyond cutting and rounding fractional digits.

use std::fmt::Debug;
use std::io::Write as _;
use std::str::FromStr;

/// A decimal number: sign, digits without zeros at either end, power of ten.
///
/// Zero has no digits, no sign and the exponent 0. One value can be reused for many numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// ASCII digits; the first and the last are not `0`.
    digits: Vec<u8>,
    /// The last digit counts 10^exponent.
    exponent: i64,
}

impl Decimal {
    /// Becomes the number that the text spells: `-12.50`, `+1`, `.5`, `1e-7`.
    /// False where the text is no number or its exponent has more than nine digits.
    pub fn set_text(&mut self, text: &[u8]) -> bool {
        let Some(parts) = NumberParts::split(text) else {
            return false;
        };
        let exponent = match parts.exponent {
            b"" => 0,
            text => match parse_exponent(text) {
                Some(exponent) if exponent.unsigned_abs() <= 999_999_999 => exponent,
                _ => return false,
            },
        };
        self.set_digits(
            parts.negative,
            [parts.integer, parts.fraction],
            exponent - length(parts.fraction),
        );
        true
    }

    /// Becomes the integer.
    pub fn set_integer(&mut self, value: i128) {
        let mut buffer = [0u8; 40];
        let mut rest = &mut buffer[..];
        write!(rest, "{}", value.unsigned_abs()).expect("40 digits are enough for 128 bits");
        let unused = rest.len();
        let used = buffer.len() - unused;
        self.set_digits(value < 0, [&buffer[..used], b""], 0);
    }

    /// Becomes the number of these digits, the last of which counts 10^exponent.
    pub fn set_digits(&mut self, negative: bool, digits: [&[u8]; 2], exponent: i64) {
        self.negative = negative;
        self.exponent = exponent;
        self.digits.clear();
        self.digits.extend_from_slice(digits[0]);
        self.digits.extend_from_slice(digits[1]);
        self.normalise();
    }

    fn normalise(&mut self) {
        let trailing = self.digits.iter().rev().take_while(|d| **d == b'0').count();
        self.digits.truncate(self.digits.len() - trailing);
        self.exponent += i64::try_from(trailing).expect("a length fits into 63 bits");
        let leading = self.digits.iter().take_while(|d| **d == b'0').count();
        self.digits.drain(..leading);
        if self.digits.is_empty() {
            self.negative = false;
            self.exponent = 0;
        }
    }

    /// Digits after the point that the number needs: 1.50 needs one.
    pub fn fraction_digits(&self) -> u64 {
        u64::try_from(-self.exponent).unwrap_or(0)
    }

    /// Digits before the point; 0 for 0.5, and -1 for 0.05.
    pub fn integer_digits(&self) -> i64 {
        length(&self.digits) + self.exponent
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Whether it is a multiple of 10^-scale, so that nothing is lost at that scale.
    pub fn fits_scale(&self, scale: i64) -> bool {
        self.is_zero() || self.exponent >= -scale
    }

    /// Cuts to a multiple of 10^-scale, towards zero.
    pub fn truncate(&mut self, scale: i64) {
        self.cut(scale);
        self.normalise();
    }

    /// Rounds to a multiple of 10^-scale, halves away from zero.
    pub fn round(&mut self, scale: i64) {
        let up = self.cut(scale).is_some_and(|digit| digit >= b'5');
        if up {
            self.exponent = -scale;
            self.increment();
        }
        self.normalise();
    }

    /// Removes the digits below 10^-scale and returns the first of them.
    fn cut(&mut self, scale: i64) -> Option<u8> {
        let surplus = usize::try_from(-scale - self.exponent).ok()?;
        if surplus == 0 {
            return None;
        }
        self.exponent = -scale;
        if surplus > self.digits.len() {
            self.digits.clear();
            return Some(b'0');
        }
        let keep = self.digits.len() - surplus;
        let first = self.digits[keep];
        self.digits.truncate(keep);
        Some(first)
    }

    fn increment(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                return;
            }
        }
        self.digits.insert(0, b'1');
    }

    /// The number as an integer, where it is one of at most 127 bits.
    pub fn to_integer(&self) -> Option<i128> {
        let zeros = usize::try_from(self.exponent).ok()?;
        if self.digits.len() + zeros > 39 {
            return None;
        }
        let mut value: i128 = 0;
        for digit in self.digits.iter().copied().chain([b'0'].repeat(zeros)) {
            value = value
                .checked_mul(10)?
                .checked_add(i128::from(digit - b'0'))?;
        }
        Some(if self.negative { -value } else { value })
    }

    /// The nearest number of eight bytes, infinite where it is beyond all of them.
    pub fn to_f64(&self) -> f64 {
        self.parsed()
    }

    /// The nearest number of four bytes, infinite where it is beyond all of them.
    pub fn to_f32(&self) -> f32 {
        self.parsed()
    }

    fn parsed<F: FromStr<Err: Debug>>(&self) -> F {
        let mut text = Vec::new();
        self.push_text(&mut text);
        let text = str::from_utf8(&text).expect("digits are ASCII");
        text.trim_end_matches(';')
            .parse()
            .expect("digits and an exponent are a number")
    }

    /// Appends the canonical text: `+15e-1;` for 1.50, `0;` for zero.
    pub fn push_text(&self, out: &mut Vec<u8>) {
        push_normalised(out, self.negative, [&self.digits, b""], self.exponent);
    }
}

/// Appends the canonical text of digits that may have zeros at both ends.
pub(crate) fn push_number(
    out: &mut Vec<u8>,
    negative: bool,
    integer: &[u8],
    fraction: &[u8],
    exponent: i64,
) {
    let mut integer = trim_leading(integer);
    let mut fraction = trim_trailing(fraction);
    let mut exponent = exponent - length(fraction);
    if fraction.is_empty() {
        let trimmed = trim_trailing(integer);
        exponent += length(integer) - length(trimmed);
        integer = trimmed;
    }
    if integer.is_empty() {
        fraction = trim_leading(fraction);
    }
    push_normalised(out, negative, [integer, fraction], exponent);
}

fn push_normalised(out: &mut Vec<u8>, negative: bool, digits: [&[u8]; 2], exponent: i64) {
    if digits[0].is_empty() && digits[1].is_empty() {
        out.extend_from_slice(b"0;");
        return;
    }
    out.push(if negative { b'-' } else { b'+' });
    out.extend_from_slice(digits[0]);
    out.extend_from_slice(digits[1]);
    out.push(b'e');
    if exponent == 0 {
        out.extend_from_slice(b"0;");
    } else {
        write!(out, "{exponent};").expect("writing to memory does not fail");
    }
}

fn trim_leading(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|d| **d == b'0').count();
    &digits[zeros..]
}

fn trim_trailing(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|d| **d == b'0').count();
    &digits[..digits.len() - zeros]
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).expect("a length fits into 63 bits")
}

/// The pieces of a number's text.
pub(crate) struct NumberParts<'a> {
    pub(crate) negative: bool,
    pub(crate) integer: &'a [u8],
    pub(crate) fraction: &'a [u8],
    /// With its sign; empty where there is none.
    pub(crate) exponent: &'a [u8],
}

impl<'a> NumberParts<'a> {
    /// Splits `-12.5e+3`; at least one digit before or after the point.
    pub(crate) fn split(text: &'a [u8]) -> Option<Self> {
        let (negative, rest) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, text),
        };
        let (integer, rest) = split_digits(rest);
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => split_digits(rest),
            _ => (&rest[..0], rest),
        };
        if integer.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest.split_first() {
            None => rest,
            Some((b'e' | b'E', exponent)) => {
                let digits = exponent.strip_prefix(b"-").unwrap_or(exponent);
                let digits = match digits.len() == exponent.len() {
                    true => exponent.strip_prefix(b"+").unwrap_or(exponent),
                    false => digits,
                };
                if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                exponent
            }
            Some(_) => return None,
        };
        Some(Self {
            negative,
            integer,
            fraction,
            exponent,
        })
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().take_while(|b| b.is_ascii_digit()).count();
    text.split_at(end)
}

/// The exponent's value, where it has at most 17 digits after its leading zeros.
pub(crate) fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        (b'+', digits) => (false, digits),
        _ => (false, text),
    };
    let digits = trim_leading(digits);
    // 17 digits leave room for adding the length of any text.
    if digits.len() > 17 {
        return None;
    }
    let value = digits
        .iter()
        .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        let mut decimal = Decimal::default();
        assert!(decimal.set_text(text.as_bytes()), "{text}");
        let mut out = Vec::new();
        decimal.push_text(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_value_has_one_text() {
        for (text, expected) in [
            ("0", "0;"),
            ("-0.00", "0;"),
            ("0e5", "0;"),
            ("1.50", "+15e-1;"),
            ("001.5", "+15e-1;"),
            ("15e-1", "+15e-1;"),
            ("100", "+1e2;"),
            ("1E+2", "+1e2;"),
            ("-.5", "-5e-1;"),
            ("0.0001", "+1e-4;"),
            (
                "12345678901234567890123456789012345.123456789012345678901234567891",
                "+12345678901234567890123456789012345123456789012345678901234567891e-30;",
            ),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
        for wrong in [
            "",
            "-",
            ".",
            "1.2.3",
            "1e",
            "1e+",
            "0x1",
            " 1",
            "NaN",
            "1e--2",
            "1e9999999999",
        ] {
            assert!(!Decimal::default().set_text(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn cutting_and_rounding() {
        for (text, scale, truncated, rounded) in [
            ("1.005", 2, "1", "1.01"),
            ("-1.005", 2, "-1", "-1.01"),
            ("1.004", 2, "1", "1"),
            ("9.999", 2, "9.99", "10"),
            ("0.5", 0, "0", "1"),
            ("-0.5", 0, "0", "-1"),
            ("0.05", 0, "0", "0"),
            ("0.004", 1, "0", "0"),
            ("1250", -2, "1200", "1300"),
            ("50", -2, "0", "100"),
            ("49", -3, "0", "0"),
            ("1.5", 3, "1.5", "1.5"),
        ] {
            let mut decimal = Decimal::default();
            let mut out = Vec::new();
            decimal.set_text(text.as_bytes());
            decimal.truncate(scale);
            decimal.push_text(&mut out);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                canonical(truncated),
                "{text} cut"
            );
            let mut out = Vec::new();
            decimal.set_text(text.as_bytes());
            decimal.round(scale);
            decimal.push_text(&mut out);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                canonical(rounded),
                "{text} rounded"
            );
        }
    }

    #[test]
    fn sizes_and_integers() {
        let mut decimal = Decimal::default();
        decimal.set_text(b"123.4500");
        assert_eq!(decimal.fraction_digits(), 2);
        assert_eq!(decimal.integer_digits(), 3);
        assert_eq!(decimal.to_integer(), None);
        assert!(decimal.fits_scale(2) && !decimal.fits_scale(1));
        decimal.set_text(b"0.05");
        assert_eq!(decimal.integer_digits(), -1);
        decimal.set_text(b"1200");
        assert_eq!(decimal.to_integer(), Some(1200));
        decimal.set_integer(i128::from(u64::MAX));
        assert_eq!(decimal.to_integer(), Some(18_446_744_073_709_551_615));
        decimal.set_integer(i128::MIN);
        assert_eq!(decimal.to_integer(), None);
        decimal.set_text(b"-0.1");
        assert_eq!(decimal.to_f64(), -0.1);
    }

    #[test]
    fn the_quick_way_for_json_agrees() {
        for text in ["0", "-0.0", "1.10", "00", "100", "0.001", "120.0300", "7"] {
            let parts = NumberParts::split(text.as_bytes()).unwrap();
            let mut out = Vec::new();
            push_number(&mut out, parts.negative, parts.integer, parts.fraction, 0);
            assert_eq!(String::from_utf8(out).unwrap(), canonical(text), "{text}");
        }
    }
}
