//! `binary`, `varbinary` and the blob family: bytes stay bytes, sixteen of them may be a uuid.

use catalog::{BlobSize, MysqlType, PostgresType};

use super::row::{Choice, Row};

const BYTEA: Choice = Choice::new("bytea", |_| PostgresType::Bytea.into());
const UUID: Choice = Choice::new("uuid", |_| PostgresType::Uuid.into());
const LENGTH: &str = "the length";

pub(super) static ROWS: &[Row] = &[
    Row {
        mysql: "binary(16)",
        example: "binary(16)",
        matches: |t| matches!(t, MysqlType::Binary { length: 16 }),
        unsupported: None,
        choices: &[BYTEA.losing(LENGTH), UUID],
    },
    Row {
        mysql: "varbinary(16)",
        example: "varbinary(16)",
        matches: |t| matches!(t, MysqlType::Varbinary { length: 16 }),
        unsupported: None,
        choices: &[
            BYTEA.losing(LENGTH),
            UUID.losing("values of fewer than 16 bytes"),
        ],
    },
    Row {
        mysql: "binary(n)",
        example: "binary(3)",
        matches: |t| matches!(t, MysqlType::Binary { .. }),
        unsupported: None,
        choices: &[BYTEA.losing("the length, and the filling with NUL bytes up to it")],
    },
    Row {
        mysql: "varbinary(n)",
        example: "varbinary(255)",
        matches: |t| matches!(t, MysqlType::Varbinary { .. }),
        unsupported: None,
        choices: &[BYTEA.losing(LENGTH)],
    },
    Row {
        mysql: "tinyblob, blob, mediumblob",
        example: "blob",
        matches: |t| {
            use BlobSize::{Medium, Normal, Tiny};
            matches!(t, MysqlType::Blob(Tiny | Normal | Medium))
        },
        unsupported: None,
        choices: &[BYTEA],
    },
    Row {
        mysql: "longblob",
        example: "longblob",
        matches: |t| *t == MysqlType::Blob(BlobSize::Long),
        unsupported: None,
        choices: &[BYTEA.losing("values of 1 GB and more")],
    },
];
