//! Dates, times and instants.

use digest::SourceValue;

use super::{days, differ, judge, micros, same, text};
use crate::fixture::{date, datetime, interval, time};

/// With the zone of a wall clock.
fn amsterdam(types: &str, value: SourceValue<'_>, field: Option<Vec<u8>>, equal: bool) {
    judge("Europe/Amsterdam", types, value, field, equal);
}

#[test]
fn dates_and_timestamps() {
    let last = datetime(9999, 12, 31, [23, 59, 59], 999_999);
    same("date => date", date(2000, 1, 1), days(0));
    same("date => date", date(1999, 12, 31), days(-1));
    same("date => date", date(9, 12, 4), days(-726_860));
    same("date => date", date(9999, 12, 31), days(2_921_939));
    same("date => date", date(2024, 2, 29), days(8_825));
    same(
        "date => timestamp",
        date(2024, 2, 29),
        micros(8_825 * 86_400_000_000),
    );
    differ("date => date", date(0, 0, 0), None);
    differ("date => date", date(2024, 2, 0), None);
    differ("date => date", date(2023, 2, 29), days(8_460));
    same(
        "datetime(6) => timestamp",
        last,
        micros(252_455_615_999_999_999),
    );
    differ(
        "datetime(6) => timestamp",
        last,
        micros(252_455_615_999_999_998),
    );
    same(
        "datetime(6) => timestamp",
        datetime(1969, 12, 31, [23, 59, 59], 999_999),
        micros(-946_684_800_000_001),
    );
    same(
        "datetime => timestamp",
        date(9, 12, 4),
        micros(-62_800_704_000_000_000),
    );
    same(
        "datetime => timestamp",
        date(1, 1, 1),
        micros(-63_082_281_600_000_000),
    );
    same(
        "datetime(6) => timestamp",
        datetime(2024, 2, 29, [12, 0, 0], 123_456),
        micros(762_523_200_123_456),
    );
    same(
        "timestamp(6) => timestamptz",
        datetime(2024, 2, 29, [12, 0, 0], 123_456),
        micros(762_523_200_123_456),
    );
    differ(
        "datetime(6) => timestamp(3)",
        datetime(2024, 2, 29, [12, 0, 0], 123_456),
        micros(762_523_200_123_000),
    );
    same(
        "datetime(6) => timestamp(3)",
        datetime(2024, 2, 29, [12, 0, 0], 123_000),
        micros(762_523_200_123_000),
    );
    differ("datetime => timestamp", date(0, 0, 0), None);
    differ("datetime => timestamp", date(0, 0, 0), micros(i64::MIN));
    differ(
        "datetime => date",
        datetime(2024, 2, 29, [1, 0, 0], 0),
        days(8_825),
    );
    same("datetime => date", date(2024, 2, 29), days(8_825));
    same(
        "datetime(3) => text",
        datetime(2024, 2, 29, [12, 0, 0], 123_000),
        text("2024-02-29 12:00:00.123"),
    );
    same("date => text", date(9, 12, 4), text("0009-12-04"));
}

#[test]
fn a_wall_clock_has_a_zone() {
    amsterdam(
        "datetime => timestamptz",
        datetime(2024, 1, 1, [12, 0, 0], 0),
        micros(757_422_000_000_000),
        true,
    );
    amsterdam(
        "datetime => timestamptz",
        datetime(2024, 7, 1, [12, 0, 0], 0),
        micros(773_143_200_000_000),
        true,
    );
    amsterdam(
        "datetime => timestamptz",
        datetime(2024, 7, 1, [13, 0, 0], 0),
        micros(773_143_200_000_000),
        false,
    );
    // Skipped and repeated by the daylight change: no one instant is meant.
    amsterdam(
        "datetime => timestamptz",
        datetime(2024, 3, 31, [2, 30, 0], 0),
        micros(765_163_800_000_000),
        false,
    );
    amsterdam(
        "datetime => timestamptz",
        datetime(2024, 10, 27, [2, 30, 0], 0),
        micros(783_304_200_000_000),
        false,
    );
    // An instant is an instant whatever the zone, and a reading stays one.
    amsterdam(
        "timestamp => timestamptz",
        datetime(2024, 7, 1, [10, 0, 0], 0),
        micros(773_143_200_000_000),
        true,
    );
    amsterdam(
        "datetime => timestamp",
        datetime(2024, 7, 1, [10, 0, 0], 0),
        micros(773_143_200_000_000),
        true,
    );
}

#[test]
fn times() {
    same(
        "time(6) => time",
        time(false, 23, [59, 59], 999_999),
        micros(86_399_999_999),
    );
    differ(
        "time => time",
        time(false, 25, [0, 0], 0),
        micros(3_600_000_000),
    );
    differ(
        "time => time",
        time(true, 1, [0, 0], 0),
        micros(82_800_000_000),
    );
    same(
        "time => interval",
        time(false, 838, [59, 59], 0),
        Some(interval(3_020_399_000_000, 0, 0)),
    );
    same(
        "time => interval",
        time(true, 838, [59, 59], 0),
        Some(interval(-3_020_399_000_000, 0, 0)),
    );
    differ(
        "time => interval",
        time(false, 24, [0, 0], 0),
        Some(interval(0, 1, 0)),
    );
    differ(
        "time(6) => interval",
        time(false, 1, [0, 0], 1),
        Some(interval(3_600_000_000, 0, 0)),
    );
    same(
        "time => text",
        time(true, 838, [59, 59], 0),
        text("-838:59:59"),
    );
}

#[test]
fn dates_agree_with_a_calendar() {
    let epoch = jiff::civil::date(2000, 1, 1);
    let mut day = jiff::civil::date(1, 1, 1);
    let step = jiff::Span::new().days(997);
    while day.year() < 9990 {
        let days = epoch
            .until(day)
            .map(|span| span.get_days())
            .expect("within range");
        let (year, month) = (u16::try_from(day.year()), u8::try_from(day.month()));
        let value = date(
            year.expect("positive"),
            month.expect("positive"),
            u8::try_from(day.day()).expect("positive"),
        );
        same("date => date", value, Some(days.to_be_bytes().to_vec()));
        day = day.checked_add(step).expect("within range");
    }
}
