//! Dates and timestamps into `date`, `timestamp` and `timestamp with time zone`.
//!
//! Written as PostgreSQL prints them in the zone UTC: no trailing zeros, `+00` at the end
//! of those with a zone.

use std::io::Write as _;

use catalog::Condition;
use jiff::SignedDuration;
use jiff::civil::DateTime;

use crate::number::Cut;
use crate::rejection::Problem;
use crate::temporal::{Clock, Day, SECOND_US, shorten};
use crate::zone::{self, Zone};

/// Into a calendar type of the target.
#[derive(Clone, Debug)]
pub(crate) enum Timestamp {
    /// `date`.
    Day,
    /// `timestamp` with so many digits of a second.
    Local { fraction: u8 },
    /// `timestamp with time zone`; the source's readings are of the zone.
    Instant { fraction: u8, zone: Zone },
}

/// The length of `YYYY-MM-DD`.
const DAY_LENGTH: usize = 10;

impl Timestamp {
    /// Takes `YYYY-MM-DD`, with ` HH:MM:SS` and a fraction or without.
    pub(crate) fn convert(&self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let value = self.without_offset(value);
        let (day, clock) = parse(value)?;
        match self {
            Self::Day => {
                if clock.microseconds() != 0 {
                    return Err(Problem::new(
                        Condition::PrecisionLost,
                        "has a time of day where the target is a date",
                    ));
                }
                out.extend_from_slice(&value[..DAY_LENGTH]);
                Ok(())
            }
            Self::Local { fraction } => write_reading(value, &clock, *fraction, out),
            Self::Instant { fraction, zone } => {
                match zone {
                    Zone::Utc => write_reading(value, &clock, *fraction, out)?,
                    Zone::Named(zone) => {
                        let utc = zone::to_utc(zone, reading(day, &clock))?;
                        write_date_time(utc, out);
                        clock.write_fraction(*fraction, out)?;
                    }
                }
                out.extend_from_slice(b"+00");
                Ok(())
            }
        }
    }

    /// Defaults of the target carry an offset, read in UTC.
    fn without_offset<'a>(&self, value: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Instant {
                zone: Zone::Utc, ..
            } => value.strip_suffix(b"+00").unwrap_or(value),
            _ => value,
        }
    }

    pub(crate) fn shorten(&self, value: &[u8], cut: Cut, out: &mut Vec<u8>) -> Result<(), Problem> {
        let (day, clock) = parse(value)?;
        let keep = match self {
            Self::Day => {
                out.extend_from_slice(&value[..DAY_LENGTH]);
                return Ok(());
            }
            Self::Local { fraction } | Self::Instant { fraction, .. } => *fraction,
        };
        let before = clock.microseconds();
        let shift = SignedDuration::from_micros(shorten(before, keep, cut) - before);
        let shorter = reading(day, &clock).checked_add(shift).map_err(|_| {
            Problem::new(
                Condition::OutOfRange,
                "would be rounded into the year 10000",
            )
        })?;
        write_date_time(shorter, out);
        let fraction = i64::from(shorter.subsec_nanosecond()) / 1000;
        if fraction > 0 {
            write!(out, ".{fraction:06}").expect("a Vec takes every write");
        }
        Ok(())
    }
}

fn parse(value: &[u8]) -> Result<(Day, Clock<'_>), Problem> {
    let (day, clock) = value.split_at(value.len().min(DAY_LENGTH));
    let day = Day::parse(day)?;
    let clock = match clock {
        [] => b"00:00:00",
        [b' ', clock @ ..] => clock,
        _ => return Err(Problem::malformed("is not spelled as a timestamp")),
    };
    let clock = Clock::parse(clock)?;
    if clock.hours > 23 {
        return Err(Problem::malformed("has an hour beyond 23"));
    }
    Ok((day, clock))
}

/// A reading that needs no arithmetic is copied.
fn write_reading(
    value: &[u8],
    clock: &Clock<'_>,
    fraction: u8,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    /// The length of `YYYY-MM-DD HH:MM:SS`.
    const SECONDS_LENGTH: usize = 19;
    match value.get(..SECONDS_LENGTH) {
        // Three digits of hours would shift the rest.
        Some(seconds) if seconds[13] == b':' => out.extend_from_slice(seconds),
        _ => {
            out.extend_from_slice(&value[..DAY_LENGTH]);
            let Clock {
                hours,
                minutes,
                seconds,
                ..
            } = clock;
            write!(out, " {hours:02}:{minutes:02}:{seconds:02}").expect("a Vec takes every write");
        }
    }
    clock.write_fraction(fraction, out)
}

fn reading(day: Day, clock: &Clock<'_>) -> DateTime {
    let fraction_us = i32::try_from(clock.microseconds() % SECOND_US).unwrap_or(0);
    DateTime::constant(
        day.year,
        day.month,
        day.day,
        i8::try_from(clock.hours).unwrap_or(0),
        clock.minutes.cast_signed(),
        clock.seconds.cast_signed(),
        fraction_us * 1000,
    )
}

fn write_date_time(at: DateTime, out: &mut Vec<u8>) {
    write!(
        out,
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
    .expect("a Vec takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    fn convert(timestamp: &Timestamp, value: &str) -> Result<String, Kind> {
        let mut out = Vec::new();
        timestamp
            .convert(value.as_bytes(), &mut out)
            .map(|()| String::from_utf8(out).unwrap())
            .map_err(|problem| problem.kind)
    }

    fn round(timestamp: &Timestamp, value: &str) -> Result<String, Kind> {
        let mut out = Vec::new();
        timestamp
            .shorten(value.as_bytes(), Cut::Round, &mut out)
            .map_err(|problem| problem.kind)?;
        convert(timestamp, std::str::from_utf8(&out).unwrap())
    }

    const MICROSECONDS: Timestamp = Timestamp::Local { fraction: 6 };
    const MILLISECONDS: Timestamp = Timestamp::Local { fraction: 3 };

    #[test]
    fn readings_stay_and_lose_their_trailing_zeros() {
        for (value, written) in [
            ("9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999"),
            ("2024-01-02 03:04:05.120000", "2024-01-02 03:04:05.12"),
            ("2024-01-02 03:04:05.000000", "2024-01-02 03:04:05"),
            ("2024-01-02", "2024-01-02 00:00:00"),
            ("2024-01-02 003:04:05", "2024-01-02 03:04:05"),
        ] {
            assert_eq!(convert(&MICROSECONDS, value).as_deref(), Ok(written));
        }
        for value in [
            "2024-01-02T03:04:05",
            "2024-01-02 24:00:00",
            "2024-01-02 ",
            "2024",
        ] {
            assert_eq!(
                convert(&MICROSECONDS, value),
                Err(Kind::Malformed),
                "{value}"
            );
        }
        let zero = convert(&MICROSECONDS, "0000-00-00 00:00:00");
        assert_eq!(zero, Err(Kind::Condition(Condition::ZeroDate)));
    }

    #[test]
    fn lost_digits_are_named_and_can_be_rounded() {
        let lost = Err(Kind::Condition(Condition::PrecisionLost));
        assert_eq!(convert(&MILLISECONDS, "2024-01-02 03:04:05.999999"), lost);
        let kept = convert(&MILLISECONDS, "2024-01-02 03:04:05.999000");
        assert_eq!(kept.as_deref(), Ok("2024-01-02 03:04:05.999"));
        let carried = round(&MILLISECONDS, "2023-12-31 23:59:59.999999");
        assert_eq!(carried.as_deref(), Ok("2024-01-01 00:00:00"));
        let beyond = Err(Kind::Condition(Condition::OutOfRange));
        assert_eq!(round(&MILLISECONDS, "9999-12-31 23:59:59.999999"), beyond);
    }

    #[test]
    fn a_date_takes_midnight_alone() {
        let midnight = convert(&Timestamp::Day, "2024-01-02 00:00:00.000");
        assert_eq!(midnight.as_deref(), Ok("2024-01-02"));
        let lost = Err(Kind::Condition(Condition::PrecisionLost));
        assert_eq!(convert(&Timestamp::Day, "2024-01-02 00:00:00.1"), lost);
        let cut = round(&Timestamp::Day, "2024-01-02 23:00:00");
        assert_eq!(cut.as_deref(), Ok("2024-01-02"));
    }

    #[test]
    fn instants_are_in_utc() {
        let utc = Timestamp::Instant {
            fraction: 6,
            zone: Zone::Utc,
        };
        let written = convert(&utc, "2024-01-02 03:04:05.5");
        assert_eq!(written.as_deref(), Ok("2024-01-02 03:04:05.5+00"));
        assert_eq!(convert(&utc, "2024-01-02 03:04:05.5+00"), written);
        let amsterdam = Timestamp::Instant {
            fraction: 6,
            zone: Zone::new("Europe/Amsterdam").unwrap(),
        };
        let shifted = convert(&amsterdam, "2024-01-01 00:30:00.000001");
        assert_eq!(shifted.as_deref(), Ok("2023-12-31 23:30:00.000001+00"));
    }
}
