//! The text of a number taken apart: sign, digits before and after the point, exponent.
//!
//! Computes nothing but rounding; values of any length keep all their digits.

/// A number as it is written, with an exponent only where the text has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'a> {
    pub(crate) negative: bool,
    /// Digits before the point without leading zeros.
    pub(crate) integer: &'a [u8],
    /// Digits after the point, as many as are written.
    pub(crate) fraction: &'a [u8],
    pub(crate) exponent: i32,
}

/// Beyond every exponent of a double, whose least digit has 10^-1074; keeps expansion small.
const EXPONENT_MAX: i32 = 2000;

impl<'a> Number<'a> {
    /// Reads `-12.50` or `1.5e-7`; `None` for everything else, `inf` and `nan` included.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix(b"-") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (integer, rest) = split_digits(rest);
        let (fraction, rest) = match rest.strip_prefix(b".") {
            Some(rest) => split_digits(rest),
            None => (&b""[..], rest),
        };
        if integer.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', exponent @ ..] => parse_exponent(exponent)?,
            _ => return None,
        };
        Some(Self {
            negative,
            integer: without_leading_zeros(integer),
            fraction,
            exponent,
        })
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.integer.is_empty() && all_zeros(self.fraction)
    }

    /// Writes the number without an exponent.
    pub(crate) fn expand(&self, out: &mut Vec<u8>) {
        let mut digits = [self.integer, self.fraction].concat();
        let mut point = self.integer.len() as i64 + i64::from(self.exponent);
        if point < 0 {
            let zeros = vec![b'0'; point.unsigned_abs() as usize];
            digits.splice(0..0, zeros);
            point = 0;
        }
        let point = point as usize;
        if digits.len() < point {
            digits.resize(point, b'0');
        }
        write_plain(self.negative, &digits, point, out);
    }

    /// Writes the number with at most `scale` digits after the point (before it, where
    /// `scale` is negative); `self` must have no exponent.
    pub(crate) fn shorten(&self, scale: i64, cut: Cut, out: &mut Vec<u8>) {
        let mut digits = [self.integer, self.fraction].concat();
        let mut point = self.integer.len();
        let keep = point as i64 + scale;
        if keep < digits.len() as i64 {
            let keep_digits = usize::try_from(keep).unwrap_or(0);
            let up = cut == Cut::Round && keep >= 0 && digits[keep_digits] >= b'5';
            digits.truncate(keep_digits);
            if up && increment(&mut digits) {
                point += 1;
            }
            if digits.len() < point {
                digits.resize(point, b'0');
            }
        }
        write_plain(self.negative, &digits, point, out);
    }

    /// The significant digits and the power of ten of the first one: `0.0120` is `12`, -2.
    pub(crate) fn significant(&self) -> (Vec<u8>, i64) {
        let digits = [self.integer, self.fraction].concat();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let end = digits
            .iter()
            .rposition(|digit| *digit != b'0')
            .map_or(zeros, |last| last + 1);
        let power = self.integer.len() as i64 - zeros as i64 - 1 + i64::from(self.exponent);
        (digits[zeros..end].to_vec(), power)
    }
}

/// What happens to digits that the target does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// They are dropped.
    Truncate,
    /// They round the last kept one, half away from zero.
    Round,
}

pub(crate) fn all_zeros(digits: &[u8]) -> bool {
    digits.iter().all(|digit| *digit == b'0')
}

pub(crate) fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

/// The digits at the start and what follows them.
pub(crate) fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    let value: i32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let plain = digits.first().is_some_and(u8::is_ascii_digit);
    (plain && value <= EXPONENT_MAX).then_some(sign * value)
}

/// Adds one to the last digit; true where that made one digit more.
fn increment(digits: &mut Vec<u8>) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit != b'9' {
            *digit += 1;
            return false;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
    true
}

fn write_plain(negative: bool, digits: &[u8], point: usize, out: &mut Vec<u8>) {
    let (integer, fraction) = digits.split_at(point);
    if negative && !all_zeros(digits) {
        out.push(b'-');
    }
    let integer = without_leading_zeros(integer);
    out.extend_from_slice(if integer.is_empty() { b"0" } else { integer });
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn exponents_become_digits() {
        for (text, plain) in [
            ("1e3", "1000"),
            ("1.5e-3", "0.0015"),
            ("-1.25E+1", "-12.5"),
            ("5e-7", "0.0000005"),
            ("-0", "0"),
            (".5", "0.5"),
        ] {
            let number = Number::parse(text.as_bytes()).unwrap();
            assert_eq!(written(|out| number.expand(out)), plain, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "-", ".", "1e", "1e+", "e5", "inf", "nan", "1 ", "+1", "0x1", "1e9999",
        ] {
            assert!(Number::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn digits_are_cut_or_rounded_half_away_from_zero() {
        for (text, scale, truncated, rounded) in [
            ("1.005", 2, "1.00", "1.01"),
            ("-1.005", 2, "-1.00", "-1.01"),
            ("9.995", 2, "9.99", "10.00"),
            ("0.5", 0, "0", "1"),
            ("-0.4", 0, "0", "0"),
            ("1250", -2, "1200", "1300"),
            ("50", -2, "0", "100"),
            ("50", -3, "0", "0"),
            ("1.2", 4, "1.2", "1.2"),
        ] {
            let number = Number::parse(text.as_bytes()).unwrap();
            assert_eq!(
                written(|out| number.shorten(scale, Cut::Truncate, out)),
                truncated
            );
            assert_eq!(
                written(|out| number.shorten(scale, Cut::Round, out)),
                rounded
            );
        }
    }
}
