//! PostgreSQL column types, parsed from `format_type()`.
//!
//! Knows what a type can hold, not where its values come from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A column type of the target.
///
/// Serialised as an object for enums, whose labels `format_type()` does not show,
/// otherwise as PostgreSQL's spelling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Spelling", into = "Spelling")]
pub enum PostgresType {
    /// `boolean`.
    Boolean,
    /// `smallint`, two bytes.
    Smallint,
    /// `integer`, four bytes.
    Integer,
    /// `bigint`, eight bytes.
    Bigint,
    /// `numeric`, with precision (1 to 1000) and scale where the target declares them.
    Numeric {
        /// `(precision, scale)`; `None` holds any number.
        limits: Option<(u16, i16)>,
    },
    /// `real`, four bytes.
    Real,
    /// `double precision`, eight bytes.
    Double,
    /// `character(length)`, padded with blanks.
    Char {
        /// Length in characters.
        length: u32,
    },
    /// `character varying`, with a limit in characters where the target declares one.
    Varchar {
        /// Limit in characters.
        length: Option<u32>,
    },
    /// `text`.
    Text,
    /// `bytea`.
    Bytea,
    /// `bit(width)`.
    Bit {
        /// Number of bits.
        width: u32,
    },
    /// `bit varying(width)`.
    Varbit {
        /// Limit in bits.
        width: Option<u32>,
    },
    /// `date`.
    Date,
    /// `timestamp without time zone`.
    Timestamp {
        /// Digits of fractional seconds, 0 to 6; 6 where none is declared.
        fraction: u8,
    },
    /// `timestamp with time zone`.
    Timestamptz {
        /// Digits of fractional seconds, 0 to 6; 6 where none is declared.
        fraction: u8,
    },
    /// `time without time zone`.
    Time {
        /// Digits of fractional seconds, 0 to 6; 6 where none is declared.
        fraction: u8,
    },
    /// `interval` without restricted fields.
    Interval {
        /// Digits of fractional seconds, 0 to 6; 6 where none is declared.
        fraction: u8,
    },
    /// `uuid`.
    Uuid,
    /// `json`.
    Json,
    /// `jsonb`.
    Jsonb,
    /// An enum type.
    Enum {
        /// Name as `format_type()` shows it, quoted where needed.
        name: String,
        /// Labels in sort order.
        labels: Vec<String>,
    },
    /// A one-dimensional array.
    Array(Box<PostgresType>),
    /// Anything else, as the server spells it.
    Other(String),
}

/// How a type is written in JSON.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Spelling {
    Plain(String),
    Enum {
        #[serde(rename = "enum")]
        name: String,
        labels: Vec<String>,
    },
}

impl From<Spelling> for PostgresType {
    fn from(spelling: Spelling) -> Self {
        match spelling {
            Spelling::Plain(text) => Self::parse(&text),
            Spelling::Enum { name, labels } => Self::Enum { name, labels },
        }
    }
}

impl From<PostgresType> for Spelling {
    fn from(postgres_type: PostgresType) -> Self {
        match postgres_type {
            PostgresType::Enum { name, labels } => Self::Enum { name, labels },
            other => Self::Plain(other.to_string()),
        }
    }
}

impl PostgresType {
    /// Parses what `format_type()` returns. Never fails: what is not known (enums too, since
    /// only the server knows that a name is one) becomes [`PostgresType::Other`].
    pub fn parse(text: &str) -> Self {
        known(text.trim()).unwrap_or_else(|| Self::Other(text.trim().to_owned()))
    }

    /// Whether it is text without case, of the extension `citext`, in whichever schema that is.
    pub fn is_citext(&self) -> bool {
        let Self::Other(name) = self else {
            return false;
        };
        name.rsplit('.').next() == Some("citext")
    }
}

fn known(text: &str) -> Option<PostgresType> {
    if let Some(element) = text.strip_suffix("[]") {
        return Some(PostgresType::Array(Box::new(PostgresType::parse(element))));
    }
    let (name, arguments) = split_arguments(text)?;
    let first = arguments.first().copied();
    let unsigned = |value: Option<i32>| value.and_then(|v| u32::try_from(v).ok());
    // Clamped rather than refused here: this is computed for every type, lengths included.
    let fraction = first.map_or(6, |digits| u8::try_from(digits).unwrap_or(6).min(6));
    let length = unsigned(first);
    Some(match name.as_str() {
        "boolean" => PostgresType::Boolean,
        "smallint" => PostgresType::Smallint,
        "integer" => PostgresType::Integer,
        "bigint" => PostgresType::Bigint,
        "numeric" => PostgresType::Numeric {
            limits: match first {
                None => None,
                Some(precision) => Some((
                    u16::try_from(precision).ok()?,
                    i16::try_from(arguments.get(1).copied().unwrap_or(0)).ok()?,
                )),
            },
        },
        "real" => PostgresType::Real,
        "double precision" => PostgresType::Double,
        "character" => PostgresType::Char {
            length: length.unwrap_or(1),
        },
        "character varying" => PostgresType::Varchar { length },
        "text" => PostgresType::Text,
        "bytea" => PostgresType::Bytea,
        "bit" => PostgresType::Bit {
            width: length.unwrap_or(1),
        },
        "bit varying" => PostgresType::Varbit { width: length },
        "date" => PostgresType::Date,
        "timestamp without time zone" => PostgresType::Timestamp { fraction },
        "timestamp with time zone" => PostgresType::Timestamptz { fraction },
        "time without time zone" => PostgresType::Time { fraction },
        "interval" => PostgresType::Interval { fraction },
        "uuid" => PostgresType::Uuid,
        "json" => PostgresType::Json,
        "jsonb" => PostgresType::Jsonb,
        _ => return None,
    })
}

/// Splits `timestamp(3) without time zone` into `timestamp without time zone` and `[3]`.
fn split_arguments(text: &str) -> Option<(String, Vec<i32>)> {
    let Some((before, rest)) = text.split_once('(') else {
        return Some((text.to_owned(), Vec::new()));
    };
    let (inside, after) = rest.split_once(')')?;
    let mut numbers = Vec::new();
    for number in inside.split(',') {
        numbers.push(number.trim().parse().ok()?);
    }
    Some((format!("{before}{after}"), numbers))
}

impl fmt::Display for PostgresType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Smallint => f.write_str("smallint"),
            Self::Integer => f.write_str("integer"),
            Self::Bigint => f.write_str("bigint"),
            Self::Numeric { limits: None } => f.write_str("numeric"),
            Self::Numeric {
                limits: Some((precision, scale)),
            } => write!(f, "numeric({precision},{scale})"),
            Self::Real => f.write_str("real"),
            Self::Double => f.write_str("double precision"),
            Self::Char { length } => write!(f, "character({length})"),
            Self::Varchar { length } => write_limit(f, "character varying", *length),
            Self::Text => f.write_str("text"),
            Self::Bytea => f.write_str("bytea"),
            Self::Bit { width } => write!(f, "bit({width})"),
            Self::Varbit { width } => write_limit(f, "bit varying", *width),
            Self::Date => f.write_str("date"),
            Self::Timestamp { fraction } => {
                write_fraction(f, "timestamp", *fraction, " without time zone")
            }
            Self::Timestamptz { fraction } => {
                write_fraction(f, "timestamp", *fraction, " with time zone")
            }
            Self::Time { fraction } => write_fraction(f, "time", *fraction, " without time zone"),
            Self::Interval { fraction } => write_fraction(f, "interval", *fraction, ""),
            Self::Uuid => f.write_str("uuid"),
            Self::Json => f.write_str("json"),
            Self::Jsonb => f.write_str("jsonb"),
            Self::Enum { name, .. } => f.write_str(name),
            Self::Array(element) => write!(f, "{element}[]"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

fn write_limit(f: &mut fmt::Formatter<'_>, word: &str, limit: Option<u32>) -> fmt::Result {
    match limit {
        None => f.write_str(word),
        Some(limit) => write!(f, "{word}({limit})"),
    }
}

fn write_fraction(f: &mut fmt::Formatter<'_>, word: &str, fraction: u8, zone: &str) -> fmt::Result {
    match fraction {
        6 => write!(f, "{word}{zone}"),
        digits => write!(f, "{word}({digits}){zone}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_read_back() {
        for text in [
            "boolean",
            "numeric",
            "numeric(10,2)",
            "numeric(3,-2)",
            "character varying",
            "character varying(128)",
            "character varying(8192)",
            "character(36)",
            "timestamp without time zone",
            "timestamp(3) without time zone",
            "timestamp(0) with time zone",
            "time without time zone",
            "interval",
            "bit(8)",
            "bit varying",
            "text[]",
            "jsonb",
        ] {
            let parsed = PostgresType::parse(text);
            assert!(!matches!(parsed, PostgresType::Other(_)), "{text}");
            assert_eq!(parsed.to_string(), text);
        }
        assert_eq!(
            PostgresType::parse("point"),
            PostgresType::Other("point".to_owned())
        );
    }

    #[test]
    fn an_enum_keeps_its_labels_in_json() {
        let before = PostgresType::Enum {
            name: "mood".to_owned(),
            labels: vec!["sad".to_owned(), "NULL".to_owned()],
        };
        let json = serde_json::to_string(&before).unwrap();
        assert_eq!(json, r#"{"enum":"mood","labels":["sad","NULL"]}"#);
        assert_eq!(serde_json::from_str::<PostgresType>(&json).unwrap(), before);
    }
}
