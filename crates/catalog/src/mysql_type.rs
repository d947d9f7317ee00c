//! MySQL and MariaDB column types, parsed from `information_schema.columns.column_type`.
//!
//! Knows what a type can hold, not what it becomes in PostgreSQL.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

/// A column type of the source, without what only one of the two server families
/// reports (display widths other than `tinyint(1)`, `zerofill`).
///
/// Serialised as its MySQL spelling, such as `bigint unsigned`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum MysqlType {
    /// `tinyint` to `bigint`. `boolean_hint` is set for `tinyint(1)`, the spelling of `bool`.
    Integer {
        /// Storage size.
        size: IntegerSize,
        /// Whether the type is `unsigned`.
        unsigned: bool,
        /// Whether the type was declared `tinyint(1)`.
        boolean_hint: bool,
    },
    /// `decimal(precision, scale)`.
    Decimal {
        /// Digits in all, 1 to 65.
        precision: u8,
        /// Digits after the point, 0 to 38.
        scale: u8,
        /// Whether the type is `unsigned`.
        unsigned: bool,
    },
    /// `float`, four bytes.
    Float,
    /// `double`, eight bytes.
    Double,
    /// `bit(width)`, 1 to 64 bits.
    Bit {
        /// Number of bits.
        width: u8,
    },
    /// `char(length)`, in characters.
    Char {
        /// Length in characters.
        length: u32,
    },
    /// `varchar(length)`, in characters.
    Varchar {
        /// Length in characters.
        length: u32,
    },
    /// `tinytext` to `longtext`.
    Text(BlobSize),
    /// `binary(length)`, in bytes.
    Binary {
        /// Length in bytes.
        length: u32,
    },
    /// `varbinary(length)`, in bytes.
    Varbinary {
        /// Length in bytes.
        length: u32,
    },
    /// `tinyblob` to `longblob`.
    Blob(BlobSize),
    /// `date`.
    Date,
    /// `datetime(fraction)`.
    Datetime {
        /// Digits of fractional seconds, 0 to 6.
        fraction: u8,
    },
    /// `timestamp(fraction)`.
    Timestamp {
        /// Digits of fractional seconds, 0 to 6.
        fraction: u8,
    },
    /// `time(fraction)`, from -838:59:59 to 838:59:59.
    Time {
        /// Digits of fractional seconds, 0 to 6.
        fraction: u8,
    },
    /// `year`.
    Year,
    /// `enum('a','b')` with its labels in order.
    Enum {
        /// Labels, the first has index 1.
        labels: Vec<String>,
    },
    /// `set('a','b')` with its members in order.
    Set {
        /// Members, the first has bit 0.
        members: Vec<String>,
    },
    /// `json`; on MariaDB a `longtext` with a `json_valid` check, which discovery recognises.
    Json,
    /// MariaDB's `uuid`.
    Uuid,
    /// Anything else, as the server spells it: spatial types, `inet6`, `vector(n)`.
    Other(String),
}

/// Storage size of an integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntegerSize {
    /// One byte.
    Tiny,
    /// Two bytes.
    Small,
    /// Three bytes.
    Medium,
    /// Four bytes.
    Int,
    /// Eight bytes.
    Big,
}

impl IntegerSize {
    fn word(self) -> &'static str {
        match self {
            Self::Tiny => "tinyint",
            Self::Small => "smallint",
            Self::Medium => "mediumint",
            Self::Int => "int",
            Self::Big => "bigint",
        }
    }
}

/// Which of the four sizes a text or blob type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlobSize {
    /// 255 bytes.
    Tiny,
    /// 65,535 bytes.
    Normal,
    /// 16 MiB.
    Medium,
    /// 4 GiB.
    Long,
}

impl BlobSize {
    fn prefix(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Normal => "",
            Self::Medium => "medium",
            Self::Long => "long",
        }
    }
}

impl MysqlType {
    /// Parses a `column_type`. Never fails: what is not known becomes [`MysqlType::Other`].
    pub fn parse(column_type: &str) -> Self {
        known(column_type).unwrap_or_else(|| Self::Other(column_type.trim().to_owned()))
    }

    /// Whether the text protocol delivers this type's values as bytes without a character set.
    pub fn is_binary(&self) -> bool {
        match self {
            Self::Bit { .. } | Self::Binary { .. } | Self::Varbinary { .. } | Self::Blob(_) => true,
            Self::Other(name) => is_spatial(name),
            _ => false,
        }
    }
}

fn is_spatial(name: &str) -> bool {
    const SPATIAL: [&str; 9] = [
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
        "geomcollection",
    ];
    SPATIAL.contains(&name.to_ascii_lowercase().as_str())
}

fn known(column_type: &str) -> Option<MysqlType> {
    let text = column_type.trim();
    let word_end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let word = text[..word_end].to_ascii_lowercase();
    let rest = text[word_end..].trim_start();
    if word == "enum" || word == "set" {
        let labels = parse_labels(rest)?;
        return Some(match word.as_str() {
            "enum" => MysqlType::Enum { labels },
            _ => MysqlType::Set { members: labels },
        });
    }
    let (arguments, attributes) = split_arguments(rest)?;
    let unsigned = attributes
        .iter()
        .any(|a| a == "unsigned" || a == "zerofill");
    if let Some(size) = integer_size(&word) {
        let boolean_hint = size == IntegerSize::Tiny && arguments == [1] && !unsigned;
        return Some(MysqlType::Integer {
            size,
            unsigned,
            boolean_hint,
        });
    }
    let first = arguments.first().copied();
    let small = |default: u8| u8::try_from(first.unwrap_or(u32::from(default))).ok();
    let length = first.unwrap_or(1);
    Some(match word.as_str() {
        "decimal" | "numeric" => MysqlType::Decimal {
            precision: small(10)?,
            scale: u8::try_from(arguments.get(1).copied().unwrap_or(0)).ok()?,
            unsigned,
        },
        "float" => MysqlType::Float,
        "double" | "real" => MysqlType::Double,
        "bit" => MysqlType::Bit { width: small(1)? },
        "char" => MysqlType::Char { length },
        "varchar" => MysqlType::Varchar { length: first? },
        "binary" => MysqlType::Binary { length },
        "varbinary" => MysqlType::Varbinary { length: first? },
        "date" => MysqlType::Date,
        "datetime" => MysqlType::Datetime {
            fraction: small(0)?,
        },
        "timestamp" => MysqlType::Timestamp {
            fraction: small(0)?,
        },
        "time" => MysqlType::Time {
            fraction: small(0)?,
        },
        "year" => MysqlType::Year,
        "json" => MysqlType::Json,
        "uuid" => MysqlType::Uuid,
        other => return text_or_blob(other),
    })
}

fn integer_size(word: &str) -> Option<IntegerSize> {
    Some(match word {
        "tinyint" => IntegerSize::Tiny,
        "smallint" => IntegerSize::Small,
        "mediumint" => IntegerSize::Medium,
        "int" | "integer" => IntegerSize::Int,
        "bigint" => IntegerSize::Big,
        _ => return None,
    })
}

fn text_or_blob(word: &str) -> Option<MysqlType> {
    let (size, kind) = if let Some(kind) = word.strip_prefix("tiny") {
        (BlobSize::Tiny, kind)
    } else if let Some(kind) = word.strip_prefix("medium") {
        (BlobSize::Medium, kind)
    } else if let Some(kind) = word.strip_prefix("long") {
        (BlobSize::Long, kind)
    } else {
        (BlobSize::Normal, word)
    };
    match kind {
        "text" => Some(MysqlType::Text(size)),
        "blob" => Some(MysqlType::Blob(size)),
        _ => None,
    }
}

/// Splits `(10,2) unsigned zerofill` into its numbers and its lower-case words.
fn split_arguments(rest: &str) -> Option<(Vec<u32>, Vec<String>)> {
    let (inside, after) = match rest.strip_prefix('(') {
        Some(open) => open.split_once(')')?,
        None => ("", rest),
    };
    let mut numbers = Vec::new();
    for number in inside.split(',').filter(|part| !part.trim().is_empty()) {
        numbers.push(number.trim().parse().ok()?);
    }
    // MariaDB adds comments such as `/* mariadb-5.3 */` to temporal columns of old tables.
    let words = after.split("/*").next().unwrap_or("");
    let attributes = words
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    Some((numbers, attributes))
}

/// Parses `('a','it''s')`. Both families double quotes, and write a backslash, a line feed,
/// a carriage return and a NUL as an escape; every other character is as it is.
fn parse_labels(rest: &str) -> Option<Vec<String>> {
    let mut characters = rest.strip_prefix('(')?.chars().peekable();
    let mut labels = Vec::new();
    loop {
        if characters.next()? != '\'' {
            return None;
        }
        let mut label = String::new();
        loop {
            match characters.next()? {
                '\'' if characters.peek() == Some(&'\'') => {
                    characters.next();
                    label.push('\'');
                }
                '\'' => break,
                '\\' => label.push(unescaped(characters.next()?)?),
                other => label.push(other),
            }
        }
        labels.push(label);
        match characters.next()? {
            ',' => {}
            ')' => return Some(labels),
            _ => return None,
        }
    }
}

/// The character that a server writes as a backslash and this one; `None` for what none writes.
fn unescaped(character: char) -> Option<char> {
    Some(match character {
        '\\' => '\\',
        'n' => '\n',
        'r' => '\r',
        '0' => '\0',
        _ => return None,
    })
}

impl fmt::Display for MysqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = |unsigned: &bool| if *unsigned { " unsigned" } else { "" };
        match self {
            Self::Integer {
                boolean_hint: true, ..
            } => f.write_str("tinyint(1)"),
            Self::Integer { size, unsigned, .. } => {
                write!(f, "{}{}", size.word(), sign(unsigned))
            }
            Self::Decimal {
                precision,
                scale,
                unsigned,
            } => write!(f, "decimal({precision},{scale}){}", sign(unsigned)),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Bit { width } => write!(f, "bit({width})"),
            Self::Char { length } => write!(f, "char({length})"),
            Self::Varchar { length } => write!(f, "varchar({length})"),
            Self::Text(size) => write!(f, "{}text", size.prefix()),
            Self::Binary { length } => write!(f, "binary({length})"),
            Self::Varbinary { length } => write!(f, "varbinary({length})"),
            Self::Blob(size) => write!(f, "{}blob", size.prefix()),
            Self::Date => f.write_str("date"),
            Self::Datetime { fraction } => write_fraction(f, "datetime", *fraction),
            Self::Timestamp { fraction } => write_fraction(f, "timestamp", *fraction),
            Self::Time { fraction } => write_fraction(f, "time", *fraction),
            Self::Year => f.write_str("year"),
            Self::Enum { labels } => write_labels(f, "enum", labels),
            Self::Set { members } => write_labels(f, "set", members),
            Self::Json => f.write_str("json"),
            Self::Uuid => f.write_str("uuid"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

fn write_fraction(f: &mut fmt::Formatter<'_>, word: &str, fraction: u8) -> fmt::Result {
    match fraction {
        0 => f.write_str(word),
        digits => write!(f, "{word}({digits})"),
    }
}

fn write_labels(f: &mut fmt::Formatter<'_>, word: &str, labels: &[String]) -> fmt::Result {
    write!(f, "{word}(")?;
    for (index, label) in labels.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(f, "{comma}'")?;
        for character in label.chars() {
            match character {
                '\'' => f.write_str("''")?,
                '\\' => f.write_str(r"\\")?,
                '\n' => f.write_str(r"\n")?,
                '\r' => f.write_str(r"\r")?,
                '\0' => f.write_str(r"\0")?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('\'')?;
    }
    f.write_str(")")
}

impl From<String> for MysqlType {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<MysqlType> for String {
    fn from(mysql_type: MysqlType) -> Self {
        mysql_type.to_string()
    }
}

#[cfg(test)]
mod tests;
