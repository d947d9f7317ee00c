//! Numbers into `real` and `double precision`, spelled as PostgreSQL prints them.
//!
//! A float that becomes another float must stay the same number; a decimal that becomes a
//! float must have no more digits than floats keep, since most decimals are no float at all.

use std::io::Write as _;

use catalog::Condition;

use crate::number::Number;
use crate::rejection::Problem;

/// From a number's text to a float of the target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Float {
    pub(crate) from: Origin,
    pub(crate) to: Width,
    /// Whether the nearest value will do.
    pub(crate) rounds: bool,
}

/// What the source's text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Exactly what is written.
    Decimal,
    /// The nearest number of four bytes.
    Single,
    /// The nearest number of eight bytes.
    Double,
}

/// The two floats of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Real,
    Double,
}

impl Float {
    pub(crate) fn convert(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let (number, text) = parse(value)?;
        match self.to {
            Width::Real => {
                let real = self.nearest_real(text)?;
                let exact = match self.from {
                    Origin::Single => true,
                    Origin::Double => text.parse() == Ok(f64::from(real)),
                    Origin::Decimal => keeps_digits(&number, 6, 1 << 24),
                };
                if !exact && !self.rounds {
                    return Err(lost());
                }
                write_float(&Shortest::of_real(real), out);
            }
            Width::Double => {
                let double = self.nearest_double(text)?;
                let exact = self.from != Origin::Decimal || keeps_digits(&number, 15, 1 << 53);
                if !exact && !self.rounds {
                    return Err(lost());
                }
                write_float(&Shortest::of_double(double), out);
            }
        }
        Ok(())
    }

    fn nearest_real(self, text: &str) -> Result<f32, Problem> {
        let real = match self.from {
            // Rounded twice on purpose: what the source holds is the double.
            #[expect(clippy::cast_possible_truncation, reason = "the loss is judged after")]
            Origin::Double => text.parse::<f64>().unwrap_or(f64::NAN) as f32,
            _ => text.parse::<f32>().unwrap_or(f32::NAN),
        };
        if real.is_finite() {
            Ok(real)
        } else {
            Err(beyond())
        }
    }

    fn nearest_double(self, text: &str) -> Result<f64, Problem> {
        let double = match self.from {
            Origin::Single => f64::from(text.parse::<f32>().unwrap_or(f32::NAN)),
            _ => text.parse::<f64>().unwrap_or(f64::NAN),
        };
        if double.is_finite() {
            Ok(double)
        } else {
            Err(beyond())
        }
    }
}

fn parse(value: &[u8]) -> Result<(Number<'_>, &str), Problem> {
    Number::parse(value)
        .zip(std::str::from_utf8(value).ok())
        .ok_or(Problem::malformed("is not a number"))
}

fn lost() -> Problem {
    Problem::new(
        Condition::PrecisionLost,
        "has more digits than the target's float keeps",
    )
}

fn beyond() -> Problem {
    Problem::new(
        Condition::OutOfRange,
        "is beyond the range of the target's float",
    )
}

/// Whether a float surely prints the decimal's digits: it has no more than every float of
/// that size keeps (`DBL_DIG`, `FLT_DIG`), or is one of the integers without a gap.
fn keeps_digits(number: &Number<'_>, digits: usize, integers: u64) -> bool {
    let (significant, power) = number.significant();
    if significant.len() <= digits {
        return true;
    }
    let zeros = power + 1 - significant.len() as i64;
    // More zeros would make more than any of these integers has.
    if !(0..=16).contains(&zeros) {
        return false;
    }
    let magnitude = std::str::from_utf8(&significant)
        .ok()
        .and_then(|text| text.parse::<u64>().ok())
        .and_then(|value| value.checked_mul(10_u64.pow(zeros.unsigned_abs() as u32)));
    magnitude.is_some_and(|value| value <= integers)
}

/// The fewest digits that read back as the same float.
struct Shortest {
    negative: bool,
    digits: [u8; 17],
    count: usize,
    exponent: i32,
    /// The first power of ten that PostgreSQL writes with an exponent.
    scientific_from: i32,
}

impl Shortest {
    fn of_double(value: f64) -> Self {
        // `DBL_DIG` in PostgreSQL's d2s.c.
        Self::read(format_args!("{value:e}"), 15)
    }

    fn of_real(value: f32) -> Self {
        // `FLT_DIG` in PostgreSQL's f2s.c.
        Self::read(format_args!("{value:e}"), 6)
    }

    /// Takes apart what Rust prints, such as `-1.5e-7`.
    fn read(printed: std::fmt::Arguments<'_>, scientific_from: i32) -> Self {
        let mut buffer = [0_u8; 32];
        let mut free = &mut buffer[..];
        free.write_fmt(printed)
            .expect("17 digits, sign, point and exponent fit");
        let unused = free.len();
        let text = &buffer[..buffer.len() - unused];
        let (mantissa, exponent) = text
            .iter()
            .position(|byte| *byte == b'e')
            .map_or((text, &b""[..]), |at| (&text[..at], &text[at + 1..]));
        let exponent = std::str::from_utf8(exponent)
            .unwrap_or("")
            .parse()
            .unwrap_or(0);
        let mut digits = [b'0'; 17];
        let mut count = 0;
        for digit in mantissa.iter().filter(|byte| byte.is_ascii_digit()) {
            digits[count] = *digit;
            count += 1;
        }
        Self {
            negative: mantissa.first() == Some(&b'-'),
            digits,
            count,
            exponent,
            scientific_from,
        }
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..self.count]
    }
}

/// Writes as `float8out` and `float4out` do with their default `extra_float_digits`.
fn write_float(shortest: &Shortest, out: &mut Vec<u8>) {
    let digits = shortest.digits();
    let exponent = shortest.exponent;
    if shortest.negative {
        out.push(b'-');
    }
    if exponent < -4 || exponent >= shortest.scientific_from {
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        write!(out, "e{exponent:+03}").expect("a Vec takes every write");
        return;
    }
    let Ok(last_integer) = usize::try_from(exponent) else {
        out.extend_from_slice(b"0.");
        let zeros = exponent.unsigned_abs() as usize - 1;
        out.resize(out.len() + zeros, b'0');
        out.extend_from_slice(digits);
        return;
    };
    let (integer, fraction) = digits.split_at(digits.len().min(last_integer + 1));
    out.extend_from_slice(integer);
    out.resize(out.len() + last_integer + 1 - integer.len(), b'0');
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    fn convert(from: Origin, to: Width, value: &str) -> Result<String, Kind> {
        let mut out = Vec::new();
        let rounds = false;
        Float { from, to, rounds }
            .convert(value.as_bytes(), &mut out)
            .map(|()| String::from_utf8(out).unwrap())
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn doubles_are_spelled_as_the_target_prints_them() {
        for (text, printed) in [
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("5e-324", "5e-324"),
            ("-0", "-0"),
            ("0", "0"),
            ("100000000000000", "100000000000000"),
            ("1000000000000000", "1e+15"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1.5", "1.5"),
            ("-123.25", "-123.25"),
        ] {
            let converted = convert(Origin::Double, Width::Double, text);
            assert_eq!(converted.as_deref(), Ok(printed));
        }
        let converted = convert(Origin::Single, Width::Real, "16777216");
        assert_eq!(converted.as_deref(), Ok("1.6777216e+07"));
        let converted = convert(Origin::Single, Width::Real, "3.4028235e38");
        assert_eq!(converted.as_deref(), Ok("3.4028235e+38"));
    }

    #[test]
    fn what_a_float_cannot_hold_is_named() {
        let lost = Err(Kind::Condition(Condition::PrecisionLost));
        let beyond = Err(Kind::Condition(Condition::OutOfRange));
        let to_real = |text| convert(Origin::Double, Width::Real, text);
        assert_eq!(to_real("0.5").as_deref(), Ok("0.5"));
        assert_eq!(to_real("0.1"), lost);
        assert_eq!(to_real("1e-300"), lost);
        assert_eq!(to_real("1e300"), beyond);
        let decimal = |text| convert(Origin::Decimal, Width::Double, text);
        assert_eq!(decimal("0.10").as_deref(), Ok("0.1"));
        assert_eq!(decimal("0.00").as_deref(), Ok("0"));
        assert_eq!(decimal("9007199254740993"), lost);
        assert_eq!(convert(Origin::Decimal, Width::Real, "0.123456789"), lost);
        let widened = convert(Origin::Single, Width::Double, "0.1");
        assert_eq!(widened.as_deref(), Ok("0.10000000149011612"));
        for text in ["inf", "NaN", "infinity", "", "1e", "0x10"] {
            let refused = convert(Origin::Double, Width::Double, text);
            assert_eq!(refused, Err(Kind::Malformed));
        }
    }

    #[test]
    fn decimals_keep_the_digits_that_floats_keep() {
        let double = |text| convert(Origin::Decimal, Width::Double, text).is_ok();
        assert!(double("0.123456789012345"));
        assert!(!double("0.5814895629882813"));
        assert!(double("9007199254740992"));
        assert!(!double("9007199254740993"));
        assert!(double("123456789012345000000000000000"));
        assert!(!double("1234567890123456000000000000000"));
        let real = |text| convert(Origin::Decimal, Width::Real, text).is_ok();
        assert!(real("16777216"));
        assert!(!real("16777217"));
        assert!(!real("100211100.1"));
    }

    #[test]
    fn the_nearest_will_do_where_a_rule_says_so() {
        let float = Float {
            from: Origin::Double,
            to: Width::Real,
            rounds: true,
        };
        let mut out = Vec::new();
        float.convert(b"0.1", &mut out).unwrap();
        assert_eq!(out, b"0.1");
    }
}
