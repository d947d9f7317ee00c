//! Dates and times as literals.
//!
//! The spelling is the servers' own, which fill up what is missing: `2024-01-31 00:00:00`.

use catalog::{MysqlType, PostgresType};

use super::Pair;
use super::literal::Reason;

/// The text of the literal.
pub(super) fn written(text: &str, pair: &Pair<'_>) -> Result<String, Reason> {
    let text = text.trim();
    match pair.target {
        PostgresType::Time { .. } => {
            let hours = check_time(text)?;
            match text.starts_with('-') || hours >= 24 {
                true => Err("it is no time of one day".to_owned()),
                false => Ok(text.to_owned()),
            }
        }
        PostgresType::Interval { .. } => check_time(text).map(|_| text.to_owned()),
        PostgresType::Timestamptz { .. } => {
            check_date_and_time(text)?;
            let zone = match pair.source {
                // The catalogue is read in a session whose zone is UTC.
                MysqlType::Timestamp { .. } => "+00".to_owned(),
                _ => {
                    let zone = pair.datetime_zone;
                    format!(
                        " {}",
                        zone.ok_or("the configuration has no `datetime_zone`")?
                    )
                }
            };
            Ok(format!("{text}{zone}"))
        }
        _ => check_date_and_time(text).map(|()| text.to_owned()),
    }
}

fn check_date_and_time(text: &str) -> Result<(), Reason> {
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    check_date(date)?;
    match time.map(check_time) {
        None => Ok(()),
        Some(Ok(hours)) if hours < 24 => Ok(()),
        Some(_) => Err("it is no time of a day".to_owned()),
    }
}

fn check_date(date: &str) -> Result<(), Reason> {
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return Err("it is no date".to_owned());
    };
    let legal = year.len() == 4 && month.len() == 2 && day.len() == 2;
    let (Some(year), Some(month), Some(day)) = (digits(year), digits(month), digits(day)) else {
        return Err("it is no date".to_owned());
    };
    if !legal {
        return Err("it is no date".to_owned());
    }
    if year == 0 && month == 0 && day == 0 {
        return Err("it is a zero date".to_owned());
    }
    // PostgreSQL has no year 0, and MySQL allows days that the month has not.
    match year >= 1 && (1..=days(year, month)).contains(&day) {
        true => Ok(()),
        false => Err("it is no date of the calendar".to_owned()),
    }
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// The hours of a time such as `-838:59:59.000000`.
fn check_time(text: &str) -> Result<u32, Reason> {
    let no_time = || "it is no time".to_owned();
    let positive = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = positive.split_once('.').unwrap_or((positive, "0"));
    let parts: Vec<&str> = whole.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else {
        return Err(no_time());
    };
    let (Some(hours), Some(minutes), Some(seconds), Some(_)) = (
        digits(hours),
        digits(minutes),
        digits(seconds),
        digits(fraction),
    ) else {
        return Err(no_time());
    };
    match minutes < 60 && seconds < 60 && fraction.len() <= 6 {
        true => Ok(hours),
        false => Err(no_time()),
    }
}

/// A number of nothing but digits.
fn digits(text: &str) -> Option<u32> {
    let legal = !text.is_empty() && text.len() <= 6 && text.chars().all(|c| c.is_ascii_digit());
    legal.then(|| text.parse().ok())?
}
