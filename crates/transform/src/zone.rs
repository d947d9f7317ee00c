//! The instant behind a wall clock's reading, in a zone that the config names.
//!
//! Uses the time zone database that is built in, so that every machine converts alike.
//! A reading that a daylight change skips has no instant, one that it repeats has two:
//! both are refused, because nothing in the data says which was meant.

use std::fmt;

use catalog::Condition;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::rejection::Problem;

/// Where the clock hung that a `datetime` was read from.
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    Utc,
    Named(TimeZone),
}

impl Zone {
    /// Looks up an IANA name; `None` where there is no such zone.
    pub(crate) fn new(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("utc") {
            return Some(Self::Utc);
        }
        TimeZone::get(name).ok().map(Self::Named)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utc => f.write_str("UTC"),
            Self::Named(zone) => f.write_str(zone.iana_name().unwrap_or("a zone without name")),
        }
    }
}

/// The same instant in UTC.
pub(crate) fn to_utc(zone: &TimeZone, reading: DateTime) -> Result<DateTime, Problem> {
    let offset: Offset = match zone.to_ambiguous_timestamp(reading).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { .. } => {
            return Err(Problem::new(
                Condition::InvalidDate,
                "is a time that the zone's daylight change skips",
            ));
        }
        AmbiguousOffset::Fold { .. } => {
            return Err(Problem::new(
                Condition::InvalidDate,
                "is a time that the zone's daylight change repeats",
            ));
        }
    };
    reading
        .checked_sub(SignedDuration::from_secs(i64::from(offset.seconds())))
        .ok()
        .filter(|utc| utc.year() >= 1)
        .ok_or(Problem::new(
            Condition::OutOfRange,
            "is outside the years 1 to 9999 in UTC",
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    fn utc(zone: &str, reading: &str) -> Result<String, Kind> {
        let Some(Zone::Named(zone)) = Zone::new(zone) else {
            panic!("no zone");
        };
        to_utc(&zone, reading.parse().unwrap())
            .map(|utc| utc.to_string())
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn summer_and_winter_have_their_offsets() {
        let amsterdam = |reading| utc("Europe/Amsterdam", reading);
        let winter = amsterdam("2024-01-01T12:00:00");
        assert_eq!(winter.as_deref(), Ok("2024-01-01T11:00:00"));
        let summer = amsterdam("2024-07-01T12:00:00");
        assert_eq!(summer.as_deref(), Ok("2024-07-01T10:00:00"));
        let refused = Err(Kind::Condition(Condition::InvalidDate));
        assert_eq!(amsterdam("2024-03-31T02:30:00"), refused);
        assert_eq!(amsterdam("2024-10-27T02:30:00"), refused);
        let beyond = Err(Kind::Condition(Condition::OutOfRange));
        assert_eq!(amsterdam("0001-01-01T00:00:00"), beyond);
        assert_eq!(utc("America/New_York", "9999-12-31T23:00:00"), beyond);
    }

    #[test]
    fn zones_have_names() {
        assert!(matches!(Zone::new("UTC"), Some(Zone::Utc)));
        assert!(Zone::new("Europe/Nowhere").is_none());
    }
}
