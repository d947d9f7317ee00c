//! The texts of dates and of times of day, taken apart and checked.
//!
//! Knows which dates exist; what becomes of those that do not is a rule's matter.

use catalog::Condition;

use crate::number::Cut;
use crate::rejection::Problem;

/// Microseconds in a second.
pub(crate) const SECOND_US: i64 = 1_000_000;

/// A day that exists, in the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) year: i16,
    pub(crate) month: i8,
    pub(crate) day: i8,
}

impl Day {
    /// Reads `YYYY-MM-DD`.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Problem> {
        let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *text else {
            return Err(not_a_date());
        };
        let (Some(century), Some(year), Some(month), Some(day)) =
            (pair(y0, y1), pair(y2, y3), pair(m0, m1), pair(d0, d1))
        else {
            return Err(not_a_date());
        };
        let year = i16::from(century) * 100 + i16::from(year);
        if (year, month, day) == (0, 0, 0) {
            return Err(Problem::new(Condition::ZeroDate, "is not a date"));
        }
        if year == 0 || month == 0 || month > 12 || day == 0 || day > days_in(year, month) {
            return Err(Problem::new(
                Condition::InvalidDate,
                "is a date that does not exist",
            ));
        }
        Ok(Self { year, month, day })
    }
}

fn days_in(year: i16, month: i8) -> i8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn not_a_date() -> Problem {
    Problem::malformed("is not spelled as a date")
}

/// A clock's reading: hours may exceed a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock<'a> {
    pub(crate) hours: u16,
    pub(crate) minutes: u8,
    pub(crate) seconds: u8,
    /// At most six digits, without trailing zeros.
    pub(crate) fraction: &'a [u8],
}

impl<'a> Clock<'a> {
    /// Reads `HH:MM:SS` or `HHH:MM:SS`, with up to six digits after a point.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, Problem> {
        Self::read(text).ok_or(Problem::malformed("is not spelled as a time"))
    }

    fn read(text: &'a [u8]) -> Option<Self> {
        let colon = text.iter().take(4).position(|byte| *byte == b':')?;
        let hours = match text[..colon] {
            [h0, h1] => u16::from(pair(h0, h1)?.unsigned_abs()),
            [h0, h1, h2] if h0.is_ascii_digit() => {
                u16::from(h0 - b'0') * 100 + u16::from(pair(h1, h2)?.unsigned_abs())
            }
            _ => return None,
        };
        let (rest, fraction) = match &text[colon + 1..] {
            rest if rest.len() == 5 => (rest, &b""[..]),
            rest if rest.len() > 6 && rest[5] == b'.' => (&rest[..5], &rest[6..]),
            _ => return None,
        };
        let [m0, m1, b':', s0, s1] = *rest else {
            return None;
        };
        let (minutes, seconds) = (pair(m0, m1)?, pair(s0, s1)?);
        let digits = fraction.len() <= 6 && fraction.iter().all(u8::is_ascii_digit);
        (minutes < 60 && seconds < 60 && digits).then_some(Self {
            hours,
            minutes: minutes.unsigned_abs(),
            seconds: seconds.unsigned_abs(),
            fraction: without_trailing_zeros(fraction),
        })
    }

    pub(crate) fn microseconds(&self) -> i64 {
        let seconds =
            (i64::from(self.hours) * 60 + i64::from(self.minutes)) * 60 + i64::from(self.seconds);
        let fraction = (0..6).fold(0, |sum, at| {
            sum * 10 + i64::from(self.fraction.get(at).map_or(0, |digit| digit - b'0'))
        });
        seconds * SECOND_US + fraction
    }

    /// Writes the fraction where it is not zero.
    ///
    /// # Errors
    /// Where it has more digits than the target keeps.
    pub(crate) fn write_fraction(&self, keep: u8, out: &mut Vec<u8>) -> Result<(), Problem> {
        if self.fraction.len() > usize::from(keep) {
            return Err(Problem::new(
                Condition::PrecisionLost,
                "has more digits of a second than the target keeps",
            ));
        }
        if !self.fraction.is_empty() {
            out.push(b'.');
            out.extend_from_slice(self.fraction);
        }
        Ok(())
    }
}

/// So many microseconds with at most `keep` digits of a second.
pub(crate) fn shorten(microseconds: i64, keep: u8, cut: Cut) -> i64 {
    let unit = 10_i64.pow(u32::from(6 - keep.min(6)));
    let up = if cut == Cut::Round { unit / 2 } else { 0 };
    (microseconds + up) / unit * unit
}

fn without_trailing_zeros(digits: &[u8]) -> &[u8] {
    let end = digits.iter().rposition(|digit| *digit != b'0');
    &digits[..end.map_or(0, |last| last + 1)]
}

/// Two digits as a number.
fn pair(tens: u8, units: u8) -> Option<i8> {
    (tens.is_ascii_digit() && units.is_ascii_digit())
        .then(|| ((tens - b'0') * 10 + (units - b'0')).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    #[test]
    fn only_days_that_exist_are_dates() {
        for text in [
            "0001-01-01",
            "0009-12-04",
            "2024-02-29",
            "2000-02-29",
            "9999-12-31",
        ] {
            assert!(Day::parse(text.as_bytes()).is_ok(), "{text}");
        }
        let kind = |text: &str| Day::parse(text.as_bytes()).unwrap_err().kind;
        assert_eq!(kind("0000-00-00"), Kind::Condition(Condition::ZeroDate));
        for text in [
            "2024-02-00",
            "2024-00-10",
            "0000-01-01",
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-04-31",
        ] {
            assert_eq!(
                kind(text),
                Kind::Condition(Condition::InvalidDate),
                "{text}"
            );
        }
        for text in ["", "2024-1-01", "2024/01/01", "2024-01-0x", "12024-01-01"] {
            assert_eq!(kind(text), Kind::Malformed, "{text}");
        }
    }

    #[test]
    fn clocks_are_read_whole() {
        let clock = Clock::parse(b"838:59:59.120000").unwrap();
        assert_eq!((clock.hours, clock.minutes, clock.seconds), (838, 59, 59));
        assert_eq!(clock.fraction, b"12");
        assert_eq!(
            Clock::parse(b"00:00:01.5").unwrap().microseconds(),
            1_500_000
        );
        for text in [
            "",
            "1:00:00",
            "00:60:00",
            "00:00:60",
            "00:00",
            "00:00:00.",
            "00:00:00.1234567",
            "00:00:00,5",
            "0000:00:00",
            "-1:00:00",
        ] {
            assert!(Clock::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn fractions_round_half_up_and_carry() {
        assert_eq!(shorten(1_999_999, 3, Cut::Truncate), 1_999_000);
        assert_eq!(shorten(1_999_999, 3, Cut::Round), 2_000_000);
        assert_eq!(shorten(1_500_000, 0, Cut::Round), 2_000_000);
        assert_eq!(shorten(1_499_999, 0, Cut::Round), 1_000_000);
        assert_eq!(shorten(1_499_999, 6, Cut::Round), 1_499_999);
    }
}
