//! `enum` and `set`: a type of the labels, a check on them, or plain text.

use std::collections::BTreeSet;

use catalog::{MysqlType, PostgresType, quote};

use super::row::{Choice, Made, Need, Row, Subject};

const ENUM: Choice = Choice::new("enum", |subject| {
    let labels = labels(subject).to_vec();
    let name = subject.enum_name();
    Made {
        needs: vec![Need::EnumType {
            labels: labels.clone(),
        }],
        ..PostgresType::Enum { name, labels }.into()
    }
})
.shown("an enum type `<table>_<column>_enum`");
const CHECK: Choice = Choice::new("check", |subject| Made {
    check: Some(format!(
        "{} operator(pg_catalog.=) any (array[{}]::text[])",
        subject.quoted(),
        list(labels(subject))
    )),
    ..PostgresType::Text.into()
})
.shown("text with a check of the labels")
.losing("the order of the labels in comparisons and sorting");
const TEXT: Choice = Choice::new("text", |_| PostgresType::Text.into());
const ARRAY: Choice = Choice::new("text[]", |subject| Made {
    check: Some(format!(
        "{} operator(pg_catalog.<@) array[{}]::text[]",
        subject.quoted(),
        list(labels(subject))
    )),
    ..PostgresType::Array(Box::new(PostgresType::Text)).into()
})
.shown("text[] with a check of the members")
.losing("the order of the members in sorting; a member twice is no longer refused");

const LABELS: &str = "the refusal of other labels, and their order";
const MEMBERS: &str = "the refusal of other members, and their order";

/// The longest label of PostgreSQL in bytes (manual, section 8.7 "Enumerated Types").
const LABEL_BYTES_MAX: usize = 63;

fn labels<'a>(subject: &Subject<'a>) -> &'a [String] {
    match subject.data_type {
        MysqlType::Enum { labels } => labels,
        MysqlType::Set { members } => members,
        _ => &[],
    }
}

/// Each label once: a server outside strict mode takes a list that has one twice.
fn list(labels: &[String]) -> String {
    let mut quoted: Vec<String> = labels.iter().map(|l| quote::postgres_literal(l)).collect();
    let mut seen = BTreeSet::new();
    quoted.retain(|label| seen.insert(label.clone()));
    quoted.join(", ")
}

/// No text of PostgreSQL holds a NUL, so neither does a list of labels.
fn has_nul(labels: &[String]) -> bool {
    labels.iter().any(|label| label.contains('\0'))
}

fn has_duplicates(labels: &[String]) -> bool {
    let mut seen = BTreeSet::new();
    !labels.iter().all(|label| seen.insert(label))
}

fn has_empty(labels: &[String]) -> bool {
    labels.iter().any(String::is_empty)
}

pub(super) static ROWS: &[Row] = &[
    Row {
        mysql: "enum('…')",
        example: "enum('a','b')",
        matches: |t| {
            matches!(t, MysqlType::Enum { labels } if !has_nul(labels) && !has_duplicates(labels)
                && labels.iter().all(|label| label.len() <= LABEL_BYTES_MAX))
        },
        unsupported: None,
        choices: &[ENUM, CHECK, TEXT.losing(LABELS)],
    },
    Row {
        mysql: "enum('…') with a label of more than 63 bytes",
        example: "enum('a label that is longer than those that PostgreSQL takes, which end at 63 bytes')",
        matches: |t| matches!(t, MysqlType::Enum { labels } if !has_nul(labels) && !has_duplicates(labels)),
        unsupported: None,
        choices: &[CHECK, TEXT.losing(LABELS)],
    },
    Row {
        mysql: "enum('…') with a label twice",
        example: "enum('a','b','a')",
        matches: |t| matches!(t, MysqlType::Enum { labels } if !has_nul(labels)),
        unsupported: None,
        choices: &[
            CHECK.losing(
                "the numbers of equal labels; the order of the labels in comparisons and sorting",
            ),
            TEXT.losing(LABELS),
        ],
    },
    Row {
        mysql: "enum('…') with a NUL in a label",
        example: r"enum('a\0b')",
        matches: |t| matches!(t, MysqlType::Enum { .. }),
        unsupported: Some("PostgreSQL's text holds no NUL"),
        choices: &[TEXT.losing(LABELS)],
    },
    Row {
        mysql: "set('…')",
        example: "set('a','b')",
        matches: |t| matches!(t, MysqlType::Set { members } if !has_nul(members) && !has_empty(members)),
        unsupported: None,
        choices: &[
            ARRAY,
            TEXT.shown("text, members with commas").losing(MEMBERS),
        ],
    },
    Row {
        mysql: "set('…') with an empty member",
        example: "set('a','')",
        matches: |t| matches!(t, MysqlType::Set { members } if !has_nul(members)),
        unsupported: Some(
            "the source reads the empty member alone and no member as the same text, so that they \
             can only be kept as that text",
        ),
        choices: &[TEXT.shown("text, members with commas").losing(
            "the difference between the empty member alone and no member; the refusal of other \
             members, and their order",
        )],
    },
    Row {
        mysql: "set('…') with a NUL in a member",
        example: r"set('a\0b')",
        matches: |t| matches!(t, MysqlType::Set { .. }),
        unsupported: Some("PostgreSQL's text holds no NUL"),
        choices: &[TEXT.shown("text, members with commas").losing(MEMBERS)],
    },
];
