//! `tinyint` to `bigint`: the next type that holds the range, or a boolean.
//!
//! The data is not looked at: what a chosen narrower type refuses, `assess` finds.

use catalog::{IntegerSize, MysqlType, PostgresType};

use super::row::{Choice, Row};

const BOOLEAN: Choice =
    Choice::new("boolean", |_| PostgresType::Boolean.into()).losing("numbers other than 0 and 1");
const SMALLINT: Choice = Choice::new("smallint", |_| PostgresType::Smallint.into());
const INTEGER: Choice = Choice::new("integer", |_| PostgresType::Integer.into());
const BIGINT: Choice = Choice::new("bigint", |_| PostgresType::Bigint.into());
const NUMERIC: Choice = Choice::new("numeric", |_| {
    let limits = Some((20, 0));
    PostgresType::Numeric { limits }.into()
})
.shown("numeric(20,0)");

/// What every unsigned type loses: PostgreSQL has none.
const SIGN: &str = "the refusal of negative numbers";
const RANGE: &str = "numbers below -128 and above 127 are no longer refused";

fn is(data_type: &MysqlType, wanted: IntegerSize, sign: bool) -> bool {
    matches!(data_type, MysqlType::Integer { size, unsigned, boolean_hint: false }
        if *size == wanted && *unsigned == sign)
}

pub(super) static ROWS: &[Row] = &[
    Row {
        mysql: "tinyint(1)",
        example: "tinyint(1)",
        matches: |t| {
            matches!(
                t,
                MysqlType::Integer {
                    boolean_hint: true,
                    ..
                }
            )
        },
        unsupported: None,
        choices: &[BOOLEAN, SMALLINT.losing(RANGE), INTEGER.losing(RANGE)],
    },
    Row {
        mysql: "tinyint",
        example: "tinyint",
        matches: |t| is(t, IntegerSize::Tiny, false),
        unsupported: None,
        choices: &[SMALLINT.losing(RANGE), BOOLEAN, INTEGER.losing(RANGE)],
    },
    Row {
        mysql: "tinyint unsigned",
        example: "tinyint unsigned",
        matches: |t| is(t, IntegerSize::Tiny, true),
        unsupported: None,
        choices: &[SMALLINT.losing(SIGN), BOOLEAN, INTEGER.losing(SIGN)],
    },
    Row {
        mysql: "smallint",
        example: "smallint",
        matches: |t| is(t, IntegerSize::Small, false),
        unsupported: None,
        choices: &[SMALLINT, INTEGER, BIGINT],
    },
    Row {
        mysql: "smallint unsigned",
        example: "smallint unsigned",
        matches: |t| is(t, IntegerSize::Small, true),
        unsupported: None,
        choices: &[INTEGER.losing(SIGN), BIGINT.losing(SIGN)],
    },
    Row {
        mysql: "mediumint",
        example: "mediumint",
        matches: |t| is(t, IntegerSize::Medium, false),
        unsupported: None,
        choices: &[
            INTEGER.losing("the limits of three bytes"),
            BIGINT.losing("the limits of three bytes"),
        ],
    },
    Row {
        mysql: "mediumint unsigned",
        example: "mediumint unsigned",
        matches: |t| is(t, IntegerSize::Medium, true),
        unsupported: None,
        choices: &[INTEGER.losing(SIGN), BIGINT.losing(SIGN)],
    },
    Row {
        mysql: "int",
        example: "int",
        matches: |t| is(t, IntegerSize::Int, false),
        unsupported: None,
        choices: &[INTEGER, BIGINT],
    },
    Row {
        mysql: "int unsigned",
        example: "int unsigned",
        matches: |t| is(t, IntegerSize::Int, true),
        unsupported: None,
        choices: &[
            BIGINT.losing(SIGN),
            INTEGER.losing("numbers above 2147483647; the refusal of negative numbers"),
        ],
    },
    Row {
        mysql: "bigint",
        example: "bigint",
        matches: |t| is(t, IntegerSize::Big, false),
        unsupported: None,
        choices: &[BIGINT],
    },
    Row {
        mysql: "bigint unsigned",
        example: "bigint unsigned",
        matches: |t| is(t, IntegerSize::Big, true),
        unsupported: None,
        choices: &[
            NUMERIC.losing(SIGN),
            BIGINT.losing("numbers above 9223372036854775807; the refusal of negative numbers"),
        ],
    },
];
