//! Times into `time` and `interval`.
//!
//! MySQL's reach from -838:59:59 to 838:59:59; PostgreSQL's `time` ends with the day.

use std::io::Write as _;

use catalog::Condition;

use crate::number::Cut;
use crate::rejection::Problem;
use crate::temporal::{Clock, SECOND_US, shorten};

/// Into `time` or `interval`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    /// Digits of a second that the target keeps.
    pub(crate) fraction: u8,
    /// Whether times outside one day are taken.
    pub(crate) beyond_a_day: bool,
}

impl Time {
    pub(crate) fn convert(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let (negative, clock) = parse(value)?;
        if !self.beyond_a_day && (negative || clock.hours > 23) {
            return Err(Problem::new(
                Condition::TimeRange,
                "is a time outside one day",
            ));
        }
        let sign = if negative { "-" } else { "" };
        let Clock {
            hours,
            minutes,
            seconds,
            ..
        } = clock;
        write!(out, "{sign}{hours:02}:{minutes:02}:{seconds:02}").expect("a Vec takes every write");
        clock.write_fraction(self.fraction, out)
    }

    pub(crate) fn shorten(self, value: &[u8], cut: Cut, out: &mut Vec<u8>) -> Result<(), Problem> {
        let (negative, clock) = parse(value)?;
        let total = shorten(clock.microseconds(), self.fraction, cut);
        let sign = if negative { "-" } else { "" };
        let (seconds, fraction) = (total / SECOND_US, total % SECOND_US);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(
            out,
            "{sign}{hours:02}:{minutes:02}:{:02}.{fraction:06}",
            seconds % 60
        )
        .expect("a Vec takes every write");
        Ok(())
    }
}

/// The sign, which zero does not have, and the reading.
fn parse(value: &[u8]) -> Result<(bool, Clock<'_>), Problem> {
    let (negative, text) = match value.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, value),
    };
    let clock = Clock::parse(text)?;
    Ok((negative && clock.microseconds() != 0, clock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    fn convert(time: Time, value: &str) -> Result<String, Kind> {
        let mut out = Vec::new();
        time.convert(value.as_bytes(), &mut out)
            .map(|()| String::from_utf8(out).unwrap())
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn a_day_has_an_end() {
        let time = Time {
            fraction: 6,
            beyond_a_day: false,
        };
        let last = convert(time, "23:59:59.999999");
        assert_eq!(last.as_deref(), Ok("23:59:59.999999"));
        assert_eq!(convert(time, "-00:00:00").as_deref(), Ok("00:00:00"));
        let outside = Err(Kind::Condition(Condition::TimeRange));
        for value in ["24:00:00", "838:59:59", "-838:59:59", "-00:00:01"] {
            assert_eq!(convert(time, value), outside, "{value}");
        }
        let interval = Time {
            fraction: 6,
            beyond_a_day: true,
        };
        for value in ["25:00:00", "838:59:59", "-838:59:59.5"] {
            assert_eq!(convert(interval, value).as_deref(), Ok(value));
        }
    }

    #[test]
    fn lost_digits_are_named_and_can_be_rounded() {
        let time = Time {
            fraction: 0,
            beyond_a_day: true,
        };
        let lost = Err(Kind::Condition(Condition::PrecisionLost));
        assert_eq!(convert(time, "-01:59:59.5"), lost);
        let mut out = Vec::new();
        time.shorten(b"-01:59:59.5", Cut::Round, &mut out).unwrap();
        let rounded = convert(time, std::str::from_utf8(&out).unwrap());
        assert_eq!(rounded.as_deref(), Ok("-02:00:00"));
    }
}
