//! Days since 2000-01-01 and microseconds since its midnight (PostgreSQL, `date_recv`,
//! `timestamp_recv`, `time_recv`, `interval_recv`).

use super::Unreadable;

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;
/// The days from 0000-03-01 to 2000-01-01 in the proleptic Gregorian calendar.
const EPOCH: i32 = 730_425;

/// `YYYY-MM-DD`.
pub(super) fn date(text: &[u8]) -> Result<i32, Unreadable> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return Err(Unreadable);
    };
    let year = number(&[y1, y2, y3, y4])?;
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return Err(Unreadable),
    };
    // The server knows no year 0.
    if year == 0 || day == 0 || day > last {
        return Err(Unreadable);
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        month => (year, month - 3),
    };
    let before = 365 * year + year / 4 - year / 100 + year / 400;
    Ok(before + (153 * month + 2) / 5 + day - 1 - EPOCH)
}

/// `YYYY-MM-DD HH:MM:SS.ffffff`, of which the fraction may be shorter or missing; an instant in
/// UTC may say so by `+00`.
pub(super) fn timestamp(text: &[u8]) -> Result<i64, Unreadable> {
    let text = text.strip_suffix(b"+00").unwrap_or(text);
    let (day, clock) = match text.len() {
        10 => (text, &b"00:00:00"[..]),
        _ => {
            let (day, clock) = text.split_at_checked(10).ok_or(Unreadable)?;
            (day, clock.strip_prefix(b" ").ok_or(Unreadable)?)
        }
    };
    let clock = microseconds(clock)?;
    if clock >= DAY_US {
        return Err(Unreadable);
    }
    Ok(i64::from(date(day)?) * DAY_US + clock)
}

/// `HH:MM:SS.ffffff` within a day, of which the end is one.
pub(super) fn time(text: &[u8]) -> Result<i64, Unreadable> {
    let time = microseconds(text)?;
    match time <= DAY_US {
        true => Ok(time),
        false => Err(Unreadable),
    }
}

/// `-HHH:MM:SS.ffffff`.
pub(super) fn interval(text: &[u8]) -> Result<i64, Unreadable> {
    match text.strip_prefix(b"-") {
        Some(text) => Ok(-microseconds(text)?),
        None => microseconds(text),
    }
}

fn microseconds(text: &[u8]) -> Result<i64, Unreadable> {
    let colon = text
        .iter()
        .position(|byte| *byte == b':')
        .ok_or(Unreadable)?;
    let (hours, rest) = (&text[..colon], &text[colon + 1..]);
    let [m1, m2, b':', s1, s2, fraction @ ..] = rest else {
        return Err(Unreadable);
    };
    if !(2..=5).contains(&hours.len()) {
        return Err(Unreadable);
    }
    let (hours, minutes, seconds) = (number(hours)?, number(&[*m1, *m2])?, number(&[*s1, *s2])?);
    if minutes > 59 || seconds > 59 {
        return Err(Unreadable);
    }
    let fraction = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => {
            let missing = 6 - digits.len() as u32;
            number(digits)? * 10_i32.pow(missing)
        }
        _ => return Err(Unreadable),
    };
    let seconds = i64::from(hours * 3600 + minutes * 60 + seconds);
    Ok(seconds * SECOND_US + i64::from(fraction))
}

/// A few digits and nothing else.
fn number(digits: &[u8]) -> Result<i32, Unreadable> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Ok(number * 10 + i32::from(digit - b'0')),
        _ => Err(Unreadable),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_2000() {
        for (text, days) in [
            ("2000-01-01", 0),
            ("1999-12-31", -1),
            ("2000-02-29", 59),
            ("2000-03-01", 60),
            ("2024-02-29", 8825),
            ("1970-01-01", -10_957),
            ("0001-01-01", -730_119),
            ("9999-12-31", 2_921_939),
        ] {
            assert_eq!(date(text.as_bytes()), Ok(days), "{text}");
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut before = date(b"0001-01-01").unwrap() - 1;
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    if let Ok(days) = date(text.as_bytes()) {
                        assert_eq!(days, before + 1, "{text}");
                        before = days;
                    } else {
                        assert!(day > 28, "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn microseconds_are_exact() {
        for (text, expected) in [
            ("2000-01-01 00:00:00.000001", 1),
            ("2000-01-01", 0),
            ("1999-12-31 23:59:59.5", -500_000),
            ("2000-01-01 00:00:01+00", 1_000_000),
        ] {
            assert_eq!(timestamp(text.as_bytes()), Ok(expected), "{text}");
        }
        assert_eq!(time(b"24:00:00"), Ok(DAY_US));
        assert_eq!(interval(b"-838:59:59.000001"), Ok(-3_020_399_000_001));
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "0000-01-01",
            "2024-1-1",
            "infinity",
            "",
        ] {
            assert_eq!(date(text.as_bytes()), Err(Unreadable), "{text}");
        }
        for text in [
            "2024-01-01T00:00:00",
            "2024-01-01 24:00:00",
            "2024-01-01 00:60:00",
            "2024-01-01 00:00:00.1234567",
            "2024-01-01 00:00:00.",
            "2024-01-01 00:00",
            "2024-01-01 00:00:00+01",
        ] {
            assert_eq!(timestamp(text.as_bytes()), Err(Unreadable), "{text}");
        }
        assert_eq!(time(b"24:00:00.000001"), Err(Unreadable));
        assert_eq!(time(b"-01:00:00"), Err(Unreadable));
    }
}
