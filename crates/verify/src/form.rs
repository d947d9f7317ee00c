//! The canonical form that a pair of columns is compared in; it follows the target's type.
//!
//! Chosen once per column; the projections of both sides then write it.

use catalog::{MysqlType, PostgresType};
use digest::DuplicateKeys;

/// What the values of both sides become.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    Boolean,
    Integer(IntegerWidth),
    Decimal {
        limits: Option<(u16, i16)>,
        /// Whether 1.5 and 1.50 differ: only where neither the target's type nor the
        /// source's decides how many places there are.
        scale_counts: bool,
    },
    Real,
    Double,
    /// A float's text in the target: the number that it spells.
    RealText,
    DoubleText,
    Text {
        limit: Option<u32>,
        /// Whether trailing blanks are padding.
        padded: bool,
    },
    Bytes,
    Bits(BitWidth),
    Date,
    Timestamp {
        fraction: u8,
        zoned: bool,
    },
    Time {
        fraction: u8,
    },
    Interval {
        fraction: u8,
    },
    Uuid,
    Json(DuplicateKeys),
    Enum(Vec<String>),
    Array(Box<Form>),
}

/// Bytes of an integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntegerWidth {
    Two,
    Four,
    Eight,
}

impl IntegerWidth {
    /// The value, where the type holds it.
    pub(crate) fn check(self, value: i128) -> Option<i64> {
        let fits = match self {
            Self::Two => i16::try_from(value).is_ok(),
            Self::Four => i32::try_from(value).is_ok(),
            Self::Eight => true,
        };
        i64::try_from(value).ok().filter(|_| fits)
    }
}

/// How many bits a bit string has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BitWidth {
    /// `bit(n)`.
    Exactly(u32),
    /// `bit varying(n)`.
    AtMost(u32),
}

impl Form {
    /// The form for a pair; `None` where the target's binary format is not known.
    pub(crate) fn of(source: &MysqlType, target: &PostgresType) -> Option<Self> {
        let floating = matches!(source, MysqlType::Float | MysqlType::Double);
        Some(match target {
            PostgresType::Varchar { .. } | PostgresType::Text if floating => match source {
                MysqlType::Float => Self::RealText,
                _ => Self::DoubleText,
            },
            PostgresType::Numeric { limits } => Self::Decimal {
                limits: *limits,
                scale_counts: limits.is_none() && !floating,
            },
            other => return Self::of_target(source, other),
        })
    }

    fn of_target(source: &MysqlType, target: &PostgresType) -> Option<Self> {
        Some(match target {
            PostgresType::Boolean => Self::Boolean,
            PostgresType::Smallint => Self::Integer(IntegerWidth::Two),
            PostgresType::Integer => Self::Integer(IntegerWidth::Four),
            PostgresType::Bigint => Self::Integer(IntegerWidth::Eight),
            PostgresType::Real => Self::Real,
            PostgresType::Double => Self::Double,
            PostgresType::Char { length } => text(Some(*length), true),
            PostgresType::Varchar { length } => text(*length, false),
            PostgresType::Text => text(None, false),
            PostgresType::Bytea => Self::Bytes,
            PostgresType::Bit { width } => Self::Bits(BitWidth::Exactly(*width)),
            PostgresType::Varbit { width } => {
                Self::Bits(BitWidth::AtMost(width.unwrap_or(u32::MAX)))
            }
            PostgresType::Date => Self::Date,
            PostgresType::Timestamp { fraction } => timestamp(*fraction, false),
            PostgresType::Timestamptz { fraction } => timestamp(*fraction, true),
            PostgresType::Time { fraction } => Self::Time {
                fraction: *fraction,
            },
            PostgresType::Interval { fraction } => Self::Interval {
                fraction: *fraction,
            },
            PostgresType::Uuid => Self::Uuid,
            PostgresType::Json => Self::Json(DuplicateKeys::KeepAll),
            PostgresType::Jsonb => Self::Json(DuplicateKeys::LastWins),
            PostgresType::Enum { labels, .. } => Self::Enum(labels.clone()),
            PostgresType::Array(element) => Self::Array(Box::new(Self::of(source, element)?)),
            // Its binary format is that of text (contrib/citext).
            citext if citext.is_citext() => text(None, false),
            PostgresType::Numeric { .. } | PostgresType::Other(_) => return None,
        })
    }
}

fn text(limit: Option<u32>, padded: bool) -> Form {
    Form::Text { limit, padded }
}

fn timestamp(fraction: u8, zoned: bool) -> Form {
    Form::Timestamp { fraction, zoned }
}

/// The text without the blanks that pad `character(n)`.
pub(crate) fn without_padding(text: &[u8]) -> &[u8] {
    let blanks = text.iter().rev().take_while(|byte| **byte == b' ').count();
    &text[..text.len() - blanks]
}
