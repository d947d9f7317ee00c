//! Numbers into `numeric`, with precision and scale checked before the target would round.
//!
//! Written with exactly the scale that the target declares, which is how it prints them.

use catalog::Condition;

use crate::number::{Cut, Number, all_zeros};
use crate::rejection::Problem;

/// Into `numeric` with or without limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numeric {
    /// Precision and scale of the target.
    pub(crate) limits: Option<(u16, i16)>,
}

impl Numeric {
    pub(crate) fn convert(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let number = Number::parse(value).ok_or(Problem::malformed("is not a number"))?;
        if number.exponent == 0 {
            return self.write(&number, out);
        }
        let mut plain = Vec::new();
        number.expand(&mut plain);
        let number = Number::parse(&plain).expect("expansion writes a number");
        self.write(&number, out)
    }

    fn write(self, number: &Number<'_>, out: &mut Vec<u8>) -> Result<(), Problem> {
        let Some((precision, scale)) = self.limits else {
            write_digits(number, number.fraction.len(), out);
            return Ok(());
        };
        let kept = usize::try_from(scale).unwrap_or(0);
        let lost = number.fraction.get(kept..).unwrap_or_default();
        let rounded_digits = usize::from(scale.min(0).unsigned_abs());
        let tail = number.integer.len().saturating_sub(rounded_digits);
        if !all_zeros(lost) || !all_zeros(&number.integer[tail..]) {
            return Err(Problem::new(
                Condition::PrecisionLost,
                "has more digits than the target's scale keeps",
            ));
        }
        if !self.holds(number, i64::from(precision) - i64::from(scale)) {
            return Err(Problem::new(
                Condition::OutOfRange,
                "is beyond the target's precision",
            ));
        }
        write_digits(number, kept, out);
        Ok(())
    }

    /// `places` is the number of digits before the point, or minus the number of zeros that
    /// must follow it.
    fn holds(self, number: &Number<'_>, places: i64) -> bool {
        let zeros = usize::try_from(-places)
            .unwrap_or(0)
            .min(number.fraction.len());
        number.integer.len() as i64 <= places.max(0) && all_zeros(&number.fraction[..zeros])
    }

    pub(crate) fn shorten(self, value: &[u8], cut: Cut, out: &mut Vec<u8>) {
        let scale = self.limits.map_or(0, |(_, scale)| i64::from(scale));
        let mut plain = Vec::new();
        if let Some(number) = Number::parse(value) {
            number.expand(&mut plain);
        }
        if let Some(number) = Number::parse(&plain) {
            number.shorten(scale, cut, out);
        }
    }
}

/// Writes with exactly `scale` digits after the point, cutting nothing but zeros.
fn write_digits(number: &Number<'_>, scale: usize, out: &mut Vec<u8>) {
    if number.negative && !number.is_zero() {
        out.push(b'-');
    }
    match number.integer {
        [] => out.push(b'0'),
        digits => out.extend_from_slice(digits),
    }
    if scale > 0 {
        out.push(b'.');
        let written = number.fraction.len().min(scale);
        out.extend_from_slice(&number.fraction[..written]);
        out.resize(out.len() + scale - written, b'0');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    fn convert(limits: Option<(u16, i16)>, value: &str) -> Result<String, Kind> {
        let mut out = Vec::new();
        Numeric { limits }
            .convert(value.as_bytes(), &mut out)
            .map(|()| String::from_utf8(out).unwrap())
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn the_scale_of_the_target_is_written() {
        assert_eq!(convert(Some((10, 2)), "1.5").as_deref(), Ok("1.50"));
        assert_eq!(convert(Some((10, 2)), "1.500").as_deref(), Ok("1.50"));
        assert_eq!(convert(Some((10, 2)), "-0.00").as_deref(), Ok("0.00"));
        assert_eq!(convert(Some((10, 0)), "7.0").as_deref(), Ok("7"));
        assert_eq!(convert(None, "-12.340").as_deref(), Ok("-12.340"));
        assert_eq!(convert(None, "1.5e-3").as_deref(), Ok("0.0015"));
        assert_eq!(convert(None, "1e16").as_deref(), Ok("10000000000000000"));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let lost = Err(Kind::Condition(Condition::PrecisionLost));
        let beyond = Err(Kind::Condition(Condition::OutOfRange));
        assert_eq!(convert(Some((10, 2)), "1.005"), lost);
        assert_eq!(convert(Some((3, 1)), "100.0"), beyond);
        assert_eq!(convert(Some((3, 1)), "99.9").as_deref(), Ok("99.9"));
        assert_eq!(convert(Some((3, -2)), "12300").as_deref(), Ok("12300"));
        assert_eq!(convert(Some((3, -2)), "12350"), lost);
        assert_eq!(convert(Some((3, -2)), "50"), lost);
        assert_eq!(convert(Some((3, -2)), "100000"), beyond);
        assert_eq!(convert(Some((2, 4)), "0.0012").as_deref(), Ok("0.0012"));
        assert_eq!(convert(Some((2, 4)), "0.0112"), beyond);
        assert_eq!(convert(Some((2, 4)), "1"), beyond);
        assert_eq!(convert(None, "1,5"), Err(Kind::Malformed));
    }
}
