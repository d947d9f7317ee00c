//! `json`, which is `longtext` with a check on MariaDB: discovery has made them one.

use catalog::{MysqlType, PostgresType};

use super::row::{Choice, Row};

const JSONB: Choice = Choice::new("jsonb", |_| PostgresType::Jsonb.into())
    .losing("documents with `\\u0000`; blanks, and all but the last of equal keys (MariaDB)");
const JSON: Choice = Choice::new("json", |_| PostgresType::Json.into());
const TEXT: Choice =
    Choice::new("text", |_| PostgresType::Text.into()).losing("the refusal of what is no JSON");

pub(super) static ROWS: &[Row] = &[Row {
    mysql: "json",
    example: "json",
    matches: |t| *t == MysqlType::Json,
    unsupported: None,
    choices: &[JSONB, JSON, TEXT],
}];
