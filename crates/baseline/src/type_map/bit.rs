//! `bit(n)`: a single bit is a boolean, more of them stay bits.

use catalog::{MysqlType, PostgresType};

use super::row::{Choice, Row, Subject};

const BOOLEAN: Choice = Choice::new("boolean", |_| PostgresType::Boolean.into());
const BIT: Choice = Choice::new("bit", |subject| {
    let width = width(subject);
    PostgresType::Bit { width }.into()
})
.shown("bit(n)");
const SMALLINT: Choice = Choice::new("smallint", |_| PostgresType::Smallint.into());
const BIGINT: Choice = Choice::new("bigint", |_| PostgresType::Bigint.into());
const NUMERIC: Choice = Choice::new("numeric", |_| {
    let limits = Some((20, 0));
    PostgresType::Numeric { limits }.into()
})
.shown("numeric(20,0)");

fn width(subject: &Subject<'_>) -> u32 {
    match subject.data_type {
        MysqlType::Bit { width } => u32::from(*width),
        _ => 1,
    }
}

const WIDTH: &str = "the refusal of numbers of more bits";

pub(super) static ROWS: &[Row] = &[
    Row {
        mysql: "bit(1)",
        example: "bit(1)",
        matches: |t| matches!(t, MysqlType::Bit { width: 1 }),
        unsupported: None,
        choices: &[BOOLEAN, BIT.shown("bit(1)"), SMALLINT.losing(WIDTH)],
    },
    Row {
        mysql: "bit(n), n from 2 to 63",
        example: "bit(8)",
        matches: |t| matches!(t, MysqlType::Bit { width: 2..=63 }),
        unsupported: None,
        choices: &[BIT, BIGINT.losing(WIDTH)],
    },
    Row {
        mysql: "bit(64)",
        example: "bit(64)",
        matches: |t| matches!(t, MysqlType::Bit { width: 64 }),
        unsupported: None,
        choices: &[BIT.shown("bit(64)"), NUMERIC.losing(WIDTH)],
    },
];
