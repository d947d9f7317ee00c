//! `char`, `varchar` and the text family.
//!
//! Collations are no part of a type here: how text is compared and sorted is the index's and
//! the query's business in PostgreSQL.

use catalog::{BlobSize, MysqlType, PostgresType};

use super::row::{Choice, Made, Need, Row, Subject};

const CHAR: Choice = Choice::new("char", |subject| {
    let length = length(subject);
    PostgresType::Char { length }.into()
})
.shown("character(n)")
.losing("shorter values are read back filled with blanks");
const VARCHAR: Choice = Choice::new("varchar", |subject| {
    let length = Some(length(subject));
    PostgresType::Varchar { length }.into()
})
.shown("character varying(n)");
const TEXT: Choice = Choice::new("text", |_| PostgresType::Text.into());
const UUID: Choice = Choice::new("uuid", |_| PostgresType::Uuid.into())
    .losing("upper case; values that are no uuid");
const CITEXT: Choice = Choice::new("citext", |_| Made {
    needs: vec![Need::Extension("citext")],
    ..PostgresType::Other("citext".to_owned()).into()
})
.losing("the length; needs the extension `citext`");
const JSON: Choice =
    Choice::new("json", |_| PostgresType::Json.into()).losing("values that are no JSON");
const JSONB: Choice = Choice::new("jsonb", |_| PostgresType::Jsonb.into())
    .losing("values that are no JSON; the spelling of the others");
const EMPTY: Choice = Choice::new("text", |subject| Made {
    check: Some(format!("{} operator(pg_catalog.=) ''", subject.quoted())),
    ..PostgresType::Text.into()
})
.shown("text with a check");

const LENGTH: &str = "the length";

fn length(subject: &Subject<'_>) -> u32 {
    match subject.data_type {
        MysqlType::Char { length } | MysqlType::Varchar { length } => *length,
        _ => 0,
    }
}

/// The longest `varchar` of a server; `char` ends at 255.
const LENGTH_MAX: u32 = 65_535;

pub(super) static ROWS: &[Row] = &[
    Row {
        mysql: "char(0), varchar(0)",
        example: "varchar(0)",
        matches: |t| {
            matches!(
                t,
                MysqlType::Char { length: 0 } | MysqlType::Varchar { length: 0 }
            )
        },
        unsupported: None,
        choices: &[EMPTY],
    },
    Row {
        mysql: "char(36)",
        example: "char(36)",
        matches: |t| matches!(t, MysqlType::Char { length: 36 }),
        unsupported: None,
        choices: &[
            CHAR.shown("character(36)"),
            UUID,
            VARCHAR.shown("character varying(36)"),
            TEXT.losing(LENGTH),
            CITEXT,
        ],
    },
    Row {
        mysql: "char(n)",
        example: "char(10)",
        matches: |t| matches!(t, MysqlType::Char { length: 1..=255 }),
        unsupported: None,
        choices: &[CHAR, VARCHAR, TEXT.losing(LENGTH), CITEXT],
    },
    Row {
        mysql: "varchar(36)",
        example: "varchar(36)",
        matches: |t| matches!(t, MysqlType::Varchar { length: 36 }),
        unsupported: None,
        choices: &[
            VARCHAR.shown("character varying(36)"),
            UUID,
            TEXT.losing(LENGTH),
            CITEXT,
            JSON,
            JSONB,
        ],
    },
    Row {
        mysql: "varchar(n)",
        example: "varchar(255)",
        matches: |t| {
            matches!(
                t,
                MysqlType::Varchar {
                    length: 1..=LENGTH_MAX
                }
            )
        },
        unsupported: None,
        choices: &[VARCHAR, TEXT.losing(LENGTH), CITEXT, JSON, JSONB],
    },
    Row {
        mysql: "tinytext, text, mediumtext",
        example: "text",
        matches: |t| {
            use BlobSize::{Medium, Normal, Tiny};
            matches!(t, MysqlType::Text(Tiny | Normal | Medium))
        },
        unsupported: None,
        choices: &[TEXT, CITEXT, JSON, JSONB],
    },
    Row {
        mysql: "longtext",
        example: "longtext",
        matches: |t| *t == MysqlType::Text(BlobSize::Long),
        unsupported: None,
        choices: &[TEXT.losing("values of 1 GB and more"), CITEXT, JSON, JSONB],
    },
];
