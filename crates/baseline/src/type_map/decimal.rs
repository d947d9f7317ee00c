//! `decimal`, `float` and `double`: exact numbers stay exact, the others keep every bit.
//!
//! Display widths such as `float(7,4)` say how MySQL rounds what it is given, not what is stored.

use catalog::{MysqlType, PostgresType};

use super::row::{Choice, Row, Subject};

const NUMERIC: Choice = Choice::new("numeric", |subject| {
    let limits = limits(subject);
    PostgresType::Numeric { limits }.into()
})
.shown("numeric(p,s)");
const REAL: Choice = Choice::new("real", |_| PostgresType::Real.into());
const DOUBLE: Choice = Choice::new("double precision", |_| PostgresType::Double.into());

fn limits(subject: &Subject<'_>) -> Option<(u16, i16)> {
    match subject.data_type {
        MysqlType::Decimal {
            precision, scale, ..
        } => Some((u16::from(*precision), i16::from(*scale))),
        _ => None,
    }
}

/// MySQL: 1 to 65 digits; a server never reports a scale above the precision.
fn is_decimal(data_type: &MysqlType, sign: bool) -> bool {
    matches!(data_type, MysqlType::Decimal { precision: precision @ 1..=65, scale, unsigned }
        if scale <= precision && *unsigned == sign)
}

pub(super) static ROWS: &[Row] = &[
    Row {
        mysql: "decimal(p,s)",
        example: "decimal(10,2)",
        matches: |t| is_decimal(t, false),
        unsupported: None,
        choices: &[NUMERIC],
    },
    Row {
        mysql: "decimal(p,s) unsigned",
        example: "decimal(10,2) unsigned",
        matches: |t| is_decimal(t, true),
        unsupported: None,
        choices: &[NUMERIC.losing("the refusal of negative numbers")],
    },
    Row {
        mysql: "float",
        example: "float",
        matches: |t| *t == MysqlType::Float,
        unsupported: None,
        choices: &[REAL, DOUBLE],
    },
    Row {
        mysql: "double",
        example: "double",
        matches: |t| *t == MysqlType::Double,
        unsupported: None,
        choices: &[DOUBLE],
    },
];
