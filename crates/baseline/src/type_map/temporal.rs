//! `date`, `datetime`, `timestamp`, `time` and `year`.
//!
//! A `timestamp` of MySQL is an instant and a `datetime` is what a clock shows: each becomes the
//! type of PostgreSQL that says the same.

use catalog::{MysqlType, PostgresType};

use super::row::{Choice, Made, Need, Row, Subject};

const DATE: Choice = Choice::new("date", |_| PostgresType::Date.into());
const TIMESTAMP: Choice = Choice::new("timestamp", |subject| {
    let fraction = fraction(subject);
    PostgresType::Timestamp { fraction }.into()
})
.shown("timestamp(p) without time zone");
const TIMESTAMPTZ: Choice = Choice::new("timestamptz", |subject| {
    let fraction = fraction(subject);
    let needs = match subject.data_type {
        MysqlType::Datetime { .. } => vec![Need::DatetimeZone],
        _ => Vec::new(),
    };
    Made {
        needs,
        ..PostgresType::Timestamptz { fraction }.into()
    }
})
.shown("timestamp(p) with time zone");
const TIME: Choice = Choice::new("time", |subject| {
    let fraction = fraction(subject);
    PostgresType::Time { fraction }.into()
})
.shown("time(p) without time zone");
const INTERVAL: Choice = Choice::new("interval", |subject| {
    let fraction = fraction(subject);
    PostgresType::Interval { fraction }.into()
})
.shown("interval(p)");
const SMALLINT: Choice = Choice::new("smallint", |_| PostgresType::Smallint.into());
const INTEGER: Choice = Choice::new("integer", |_| PostgresType::Integer.into());

const NO_DATES: &str = "zero dates and dates with a zero month or day";
const YEARS: &str = "the refusal of years outside 1901 to 2155";

fn fraction(subject: &Subject<'_>) -> u8 {
    match subject.data_type {
        MysqlType::Datetime { fraction }
        | MysqlType::Timestamp { fraction }
        | MysqlType::Time { fraction } => *fraction,
        _ => 6,
    }
}

pub(super) static ROWS: &[Row] = &[
    Row {
        mysql: "date",
        example: "date",
        matches: |t| *t == MysqlType::Date,
        unsupported: None,
        choices: &[DATE.losing(NO_DATES)],
    },
    Row {
        mysql: "datetime(p)",
        example: "datetime(6)",
        matches: |t| matches!(t, MysqlType::Datetime { fraction: 0..=6 }),
        unsupported: None,
        choices: &[
            TIMESTAMP.losing(NO_DATES),
            TIMESTAMPTZ.losing(
                "zero dates and dates with a zero month or day; needs `datetime_zone`, \
                 times that its clock skips or shows twice",
            ),
        ],
    },
    Row {
        mysql: "timestamp(p)",
        example: "timestamp(6)",
        matches: |t| matches!(t, MysqlType::Timestamp { fraction: 0..=6 }),
        unsupported: None,
        choices: &[
            TIMESTAMPTZ.losing("zero dates"),
            TIMESTAMP.losing("zero dates; that the value is an instant: it is the time in UTC"),
        ],
    },
    Row {
        mysql: "time(p)",
        example: "time(6)",
        matches: |t| matches!(t, MysqlType::Time { fraction: 0..=6 }),
        unsupported: None,
        choices: &[
            TIME.losing("negative times and times of more than a day"),
            INTERVAL,
        ],
    },
    Row {
        mysql: "year",
        example: "year",
        matches: |t| *t == MysqlType::Year,
        unsupported: None,
        choices: &[SMALLINT.losing(YEARS), INTEGER.losing(YEARS)],
    },
];
