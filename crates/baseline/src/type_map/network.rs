//! MariaDB's `uuid`, `inet4` and `inet6`, and `vector` of both families.

use catalog::{MysqlType, PostgresType};

use super::row::{Choice, Row};

const UUID: Choice = Choice::new("uuid", |_| PostgresType::Uuid.into());
const TEXT: Choice = Choice::new("text", |_| PostgresType::Text.into());

/// Whether a type that the catalogue does not know better has this name.
fn named(data_type: &MysqlType, names: &[&str]) -> bool {
    let MysqlType::Other(text) = data_type else {
        return false;
    };
    let word = text.split('(').next().unwrap_or(text).trim();
    names.contains(&word.to_ascii_lowercase().as_str())
}

pub(super) static ROWS: &[Row] = &[
    Row {
        mysql: "uuid (MariaDB)",
        example: "uuid",
        matches: |t| *t == MysqlType::Uuid,
        unsupported: None,
        choices: &[
            UUID.losing("MariaDB's own order of sorting"),
            TEXT.losing("the refusal of what is no uuid"),
        ],
    },
    Row {
        mysql: "inet4, inet6 (MariaDB)",
        example: "inet6",
        matches: |t| named(t, &["inet4", "inet6"]),
        unsupported: None,
        choices: &[TEXT.losing("the refusal of what is no address, and the order of addresses")],
    },
    Row {
        mysql: "vector(n)",
        example: "vector(3)",
        matches: |t| named(t, &["vector"]),
        unsupported: Some("its values are not converted by this version"),
        choices: &[],
    },
];
