//! Dates and times, with the ends of what MySQL keeps.
//!
//! All are valid dates; zero and partial dates are dirt.

use super::random::Random;
use super::value::Value;

/// Days that have gone wrong elsewhere: the first and last years, the calendar
/// change, a leap day, the hour that a change to summer time leaves out.
const DATETIMES: &[&str] = &[
    "9999-12-31 23:59:59.999999",
    "0009-12-04 05:06:07.000001",
    "1000-01-01 00:00:00.000000",
    "1582-10-10 12:00:00.500000",
    "1970-01-01 00:00:00.000000",
    "2024-02-29 23:59:59.999999",
    "2024-03-31 02:30:00.000000",
    "2038-01-19 03:14:08.100000",
];

/// The same for `timestamp`, whose range is that of 32 bits.
const TIMESTAMPS: &[&str] = &[
    "1970-01-01 00:00:01",
    "2038-01-19 03:14:07",
    "2024-03-31 02:30:00",
    "2024-10-27 02:30:00",
    "2000-01-01 00:00:00",
];

/// A `datetime` with `fraction` digits behind the seconds, 0 or 6.
pub(super) fn datetime(random: &mut Random, fraction: u8) -> Value {
    let text = if random.one_in(20) {
        random.choose(DATETIMES).to_owned()
    } else {
        format!("{}.{:06}", recent(random), random.below(1_000_000))
    };
    let seconds_only = "YYYY-MM-DD hh:mm:ss".len();
    Value::Text(if fraction == 0 {
        text[..seconds_only].to_owned()
    } else {
        text
    })
}

/// A `timestamp` without a fraction, written in UTC.
pub(super) fn timestamp(random: &mut Random) -> Value {
    Value::Text(match random.one_in(20) {
        true => random.choose(TIMESTAMPS).to_owned(),
        false => recent(random),
    })
}

/// A second of the years 2018 to 2025; days above 28 are left to the lists.
fn recent(random: &mut Random) -> String {
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        2018 + random.below(8),
        1 + random.below(12),
        1 + random.below(28),
        random.below(24),
        random.below(60),
        random.below(60)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fraction_is_the_columns_and_the_ends_occur() {
        let all = |fraction| -> Vec<String> {
            let one = |row| datetime(&mut Random::new(5, row), fraction);
            (0..2_000)
                .map(|row| one(row).as_text().unwrap().to_owned())
                .collect()
        };
        assert!(all(6).iter().all(|text| text.len() == 26));
        assert!(all(0).iter().all(|text| text.len() == 19));
        assert!(all(6).contains(&"9999-12-31 23:59:59.999999".to_owned()));
        assert!(all(0).contains(&"0009-12-04 05:06:07".to_owned()));
    }
}
