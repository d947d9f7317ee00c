//! Dates, times and instants.
//!
//! Source: the MySQL manual, "Date and Time Data Types"; PostgreSQL's binary formats, which
//! count days and microseconds from 2000-01-01.

use catalog::Condition;
use digest::{Canonical, SourceValue};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::{Allowed, Obstacle, Precision};
use crate::form::Form;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// 0001-01-01 in days since 2000-01-01: the year 0 has no place in PostgreSQL.
const FIRST_DAY: i64 = -730_119;
/// 9999-12-31 in days since 2000-01-01.
const LAST_DAY: i64 = 2_921_939;

/// A temporal value into the form of the target. `zone` is that of the wall clock, where it
/// becomes an instant and is not UTC.
pub(super) fn convert(
    value: SourceValue<'_>,
    form: &Form,
    zone: Option<&TimeZone>,
    allowed: Allowed,
    out: &mut Vec<u8>,
) -> Result<(), Obstacle> {
    match (value, form) {
        (SourceValue::Date { .. }, Form::Date) => {
            let (days, time) = day_and_time(value)?;
            if time != 0 && allowed.precision != Some(Precision::Truncate) {
                return Err(Obstacle::Condition(Condition::PrecisionLost));
            }
            let days = i32::try_from(days).map_err(|_| Obstacle::Unconvertible)?;
            Canonical::Date(days).encode(out);
        }
        (SourceValue::Date { .. }, Form::Timestamp { fraction, .. }) => {
            let (days, time) = day_and_time(value)?;
            let time = shorten(time, *fraction, allowed.precision)?;
            let micros = days * MICROS_PER_DAY + time;
            in_range(micros)?;
            let micros = zone.map_or(Ok(micros), |zone| to_utc(micros, zone))?;
            Canonical::Timestamp(micros).encode(out);
        }
        (SourceValue::Time { .. }, Form::Time { fraction }) => {
            let time = time(value);
            if !(0..MICROS_PER_DAY).contains(&time) {
                return Err(Obstacle::Condition(Condition::TimeRange));
            }
            let time = shorten(time, *fraction, allowed.precision)?;
            Canonical::Time(time).encode(out);
        }
        (SourceValue::Time { .. }, Form::Interval { fraction }) => {
            let time = time(value);
            if !allowed.beyond_a_day && !(0..MICROS_PER_DAY).contains(&time) {
                return Err(Obstacle::Condition(Condition::TimeRange));
            }
            let micros = shorten(time, *fraction, allowed.precision)?;
            Canonical::Interval {
                months: 0,
                days: 0,
                micros,
            }
            .encode(out);
        }
        _ => return Err(Obstacle::Unconvertible),
    }
    Ok(())
}

/// Days since 2000-01-01 and microseconds since midnight.
fn day_and_time(value: SourceValue<'_>) -> Result<(i64, i64), Obstacle> {
    let SourceValue::Date {
        year,
        month,
        day,
        hour,
        minute,
        second,
        micros,
    } = value
    else {
        return Err(Obstacle::Unconvertible);
    };
    if (year, month, day) == (0, 0, 0) {
        return Err(Obstacle::Condition(Condition::ZeroDate));
    }
    let days = days_since_2000(i64::from(year), i64::from(month), i64::from(day))
        .ok_or(Obstacle::Condition(Condition::InvalidDate))?;
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    Ok((days, seconds * MICROS_PER_SECOND + i64::from(micros)))
}

/// `None` where there is no such day in the years 1 to 9999.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
pub(super) fn days_since_2000(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // The year begins in March, so that the leap day is its last.
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    // 719,468 days lie between 0000-03-01 and 1970-01-01, 10,957 more to 2000-01-01.
    Some(era * 146_097 + day_of_era - 719_468 - 10_957)
}

fn time(value: SourceValue<'_>) -> i64 {
    let SourceValue::Time {
        negative,
        days,
        hours,
        minutes,
        seconds,
        micros,
    } = value
    else {
        return 0;
    };
    let hours = i64::from(days) * 24 + i64::from(hours);
    let seconds = (hours * 60 + i64::from(minutes)) * 60 + i64::from(seconds);
    let micros = seconds * MICROS_PER_SECOND + i64::from(micros);
    if negative { -micros } else { micros }
}

/// Keeps so many digits of a second; halves go away from zero.
pub(super) fn shorten(
    micros: i64,
    fraction: u8,
    precision: Option<Precision>,
) -> Result<i64, Obstacle> {
    let unit = 10_i64.pow(6 - u32::from(fraction.min(6)));
    let lost = micros % unit;
    if lost == 0 {
        return Ok(micros);
    }
    let cut = micros - lost;
    match precision {
        None => Err(Obstacle::Condition(Condition::PrecisionLost)),
        Some(Precision::Round) if lost.abs() * 2 >= unit => Ok(cut + unit * lost.signum()),
        Some(_) => Ok(cut),
    }
}

fn in_range(micros: i64) -> Result<(), Obstacle> {
    let days = micros.div_euclid(MICROS_PER_DAY);
    match (FIRST_DAY..=LAST_DAY).contains(&days) {
        true => Ok(()),
        false => Err(Obstacle::Condition(Condition::OutOfRange)),
    }
}

/// A time that a daylight change skips or repeats is no instant.
fn to_utc(micros: i64, zone: &TimeZone) -> Result<i64, Obstacle> {
    let days = micros.div_euclid(MICROS_PER_DAY);
    let of_day = micros.rem_euclid(MICROS_PER_DAY);
    let reading = civil(days, of_day).ok_or(Obstacle::Unconvertible)?;
    let AmbiguousOffset::Unambiguous { offset } = zone.to_ambiguous_timestamp(reading).offset()
    else {
        return Err(Obstacle::Condition(Condition::InvalidDate));
    };
    let utc = micros - i64::from(offset.seconds()) * MICROS_PER_SECOND;
    in_range(utc).map(|()| utc)
}

fn civil(days: i64, micros_of_day: i64) -> Option<DateTime> {
    let midnight = DateTime::constant(2000, 1, 1, 0, 0, 0, 0);
    let days = jiff::SignedDuration::from_hours(days * 24);
    let time = jiff::SignedDuration::from_micros(micros_of_day);
    midnight.checked_add(days).ok()?.checked_add(time).ok()
}
