//! The time of day, which may be anything.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use crate::exit::Failure;

/// Fails where the clock is so wrong that nothing can be dated by it: before 1970, libraries that
/// look at certificates end the process.
pub(crate) fn check() -> Result<(), Failure> {
    check_at(SystemTime::now())
}

fn check_at(now: SystemTime) -> Result<(), Failure> {
    match Timestamp::try_from(now) {
        // Behind the year 9999, a time has no form.
        Ok(_) if now >= UNIX_EPOCH => Ok(()),
        _ => Err(Failure::blocked(format!(
            "the clock of this machine is wrong: it says {}",
            timestamp(now).strftime("%Y-%m-%d")
        ))
        .hint("nothing was changed; set the clock")),
    }
}

/// Now, or the time next to it that has a form.
pub(crate) fn now() -> Timestamp {
    timestamp(SystemTime::now())
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(match time < UNIX_EPOCH {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Seconds in a year, about.
    const YEAR: u64 = 31_556_952;

    #[test]
    fn a_clock_before_1970_or_behind_9999_is_refused_and_ends_nothing() {
        let years = |years: u64| Duration::from_secs(years * YEAR);
        for good in [UNIX_EPOCH, UNIX_EPOCH + years(56), UNIX_EPOCH + years(8000)] {
            check_at(good).unwrap();
        }
        for (wrong, said) in [
            (UNIX_EPOCH - years(10), "1960-01-01"),
            (UNIX_EPOCH - Duration::from_nanos(1), "1969-12-31"),
            (UNIX_EPOCH - years(20_000), "-9999-01-02"),
            (UNIX_EPOCH + years(20_000), "9999-12-30"),
        ] {
            let failure = check_at(wrong).unwrap_err();
            assert_eq!(failure.code, crate::exit::BLOCKED);
            let text = failure.to_string();
            assert!(text.ends_with(&format!("it says {said}")), "{text}");
            // As a run would be dated.
            assert!(!format!("{:.3}", timestamp(wrong)).is_empty());
        }
    }
}
