//! One field: from its text to the bytes that the type's receive function takes.

use catalog::PostgresType;

use super::{Unreadable, array, numeric, temporal};

/// How the text of a column becomes binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encoder {
    Boolean,
    Smallint,
    Integer,
    Bigint,
    Numeric,
    Real,
    Double,
    /// The bytes as they are: text, labels, json.
    Text,
    /// The same behind the version of the format.
    Jsonb,
    Bytea,
    Bits,
    Date,
    Timestamp,
    Time,
    Interval,
    Uuid,
    /// One dimension of text.
    TextArray {
        /// OID of the element type.
        element: u32,
    },
}

/// The only version of jsonb's binary format.
const JSONB_VERSION: u8 = 1;

impl Encoder {
    /// `None` for types whose binary format is not written here.
    pub(crate) fn of(column: &PostgresType) -> Option<Self> {
        Some(match column {
            PostgresType::Boolean => Self::Boolean,
            PostgresType::Smallint => Self::Smallint,
            PostgresType::Integer => Self::Integer,
            PostgresType::Bigint => Self::Bigint,
            PostgresType::Numeric { .. } => Self::Numeric,
            PostgresType::Real => Self::Real,
            PostgresType::Double => Self::Double,
            PostgresType::Char { .. }
            | PostgresType::Varchar { .. }
            | PostgresType::Text
            | PostgresType::Json
            | PostgresType::Enum { .. } => Self::Text,
            PostgresType::Jsonb => Self::Jsonb,
            PostgresType::Bytea => Self::Bytea,
            PostgresType::Bit { .. } | PostgresType::Varbit { .. } => Self::Bits,
            PostgresType::Date => Self::Date,
            PostgresType::Timestamp { .. } | PostgresType::Timestamptz { .. } => Self::Timestamp,
            PostgresType::Time { .. } => Self::Time,
            PostgresType::Interval { .. } => Self::Interval,
            PostgresType::Uuid => Self::Uuid,
            PostgresType::Array(element) => Self::TextArray {
                element: array::text_oid(element)?,
            },
            // Sent and received as text (contrib/citext).
            citext if citext.is_citext() => Self::Text,
            PostgresType::Other(_) => return None,
        })
    }

    /// Appends the binary form of a field, without its length.
    pub(crate) fn encode(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
        match self {
            Self::Boolean => out.push(match text {
                b"t" | b"true" => 1,
                b"f" | b"false" => 0,
                _ => return Err(Unreadable),
            }),
            Self::Smallint => out.extend(number::<i16>(text)?.to_be_bytes()),
            Self::Integer => out.extend(number::<i32>(text)?.to_be_bytes()),
            Self::Bigint => out.extend(number::<i64>(text)?.to_be_bytes()),
            Self::Numeric => numeric::encode(text, out)?,
            Self::Real => out.extend(float::<f32>(text)?.to_be_bytes()),
            Self::Double => out.extend(float::<f64>(text)?.to_be_bytes()),
            Self::Text => out.extend_from_slice(text),
            Self::Jsonb => {
                out.push(JSONB_VERSION);
                out.extend_from_slice(text);
            }
            Self::Bytea => hex(text.strip_prefix(b"\\x").ok_or(Unreadable)?, out)?,
            Self::Bits => bits(text, out)?,
            Self::Date => out.extend(temporal::date(text)?.to_be_bytes()),
            Self::Timestamp => out.extend(temporal::timestamp(text)?.to_be_bytes()),
            Self::Time => out.extend(temporal::time(text)?.to_be_bytes()),
            Self::Interval => {
                out.extend(temporal::interval(text)?.to_be_bytes());
                // No days and no months: those are not what hours add up to.
                out.extend([0; 8]);
            }
            Self::Uuid => uuid(text, out)?,
            Self::TextArray { element } => array::encode(*element, text, out)?,
        }
        Ok(())
    }
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Result<T, Unreadable> {
    // Rust reads a plus sign, which no file has.
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits.first() {
        Some(b'0'..=b'9') => parse(text),
        _ => Err(Unreadable),
    }
}

/// Nor has any file a word: MySQL has no infinity. What is beyond the type is the server's to
/// refuse, and reads as one here.
fn float<T: std::str::FromStr + Into<f64> + Copy>(text: &[u8]) -> Result<T, Unreadable> {
    let float: T = number(text)?;
    match float.into().is_finite() {
        true => Ok(float),
        false => Err(Unreadable),
    }
}

fn parse<T: std::str::FromStr>(text: &[u8]) -> Result<T, Unreadable> {
    let text = std::str::from_utf8(text).map_err(|_| Unreadable)?;
    text.parse().map_err(|_| Unreadable)
}

fn hex(digits: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let (pairs, []) = digits.as_chunks::<2>() else {
        return Err(Unreadable);
    };
    let mut seen = 0;
    out.extend(pairs.iter().map(|[high, low]| {
        let (high, low) = (NIBBLES[usize::from(*high)], NIBBLES[usize::from(*low)]);
        seen |= high | low;
        high << 4 | low
    }));
    match seen {
        0..16 => Ok(()),
        _ => Err(Unreadable),
    }
}

/// The value of each hexadecimal digit; more than any of them for every other byte.
const NIBBLES: [u8; 256] = {
    let mut nibbles = [0xff; 256];
    let mut value: u8 = 0;
    while value < 16 {
        nibbles[b"0123456789abcdef"[value as usize] as usize] = value;
        nibbles[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    nibbles
};

/// The number of bits, then the bits from the highest of the first byte on.
fn bits(digits: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let count = i32::try_from(digits.len()).map_err(|_| Unreadable)?;
    out.extend(count.to_be_bytes());
    for eight in digits.chunks(8) {
        let mut byte = 0;
        for (place, digit) in eight.iter().enumerate() {
            match digit {
                b'0' => {}
                b'1' => byte |= 0x80 >> place,
                _ => return Err(Unreadable),
            }
        }
        out.push(byte);
    }
    Ok(())
}

fn uuid(text: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
    /// Where the hyphens of `8-4-4-4-12` stand.
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    if text.len() != 36 || HYPHENS.iter().any(|place| text[*place] != b'-') {
        return Err(Unreadable);
    }
    for group in [0..8, 9..13, 14..18, 19..23, 24..36] {
        hex(&text[group], out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(encoder: &Encoder, text: &str) -> Result<Vec<u8>, Unreadable> {
        let mut out = Vec::new();
        encoder.encode(text.as_bytes(), &mut out).map(|()| out)
    }

    #[test]
    fn fields_are_what_the_receive_functions_take() {
        for (encoder, text, bytes) in [
            (Encoder::Boolean, "t", &[1][..]),
            (Encoder::Smallint, "-2", &[0xff, 0xfe]),
            (Encoder::Integer, "258", &[0, 0, 1, 2]),
            (Encoder::Bigint, "-1", &[0xff; 8]),
            (Encoder::Real, "1.5", &[0x3f, 0xc0, 0, 0]),
            (Encoder::Double, "-0", &[0x80, 0, 0, 0, 0, 0, 0, 0]),
            (Encoder::Jsonb, "{}", b"\x01{}"),
            (Encoder::Bytea, "\\x00fF", &[0, 255]),
            (Encoder::Bits, "100000001", &[0, 0, 0, 9, 0x80, 0x80]),
            (Encoder::Text, "\\N", b"\\N"),
        ] {
            assert_eq!(encoded(&encoder, text), Ok(bytes.to_vec()), "{text}");
        }
        let uuid = encoded(&Encoder::Uuid, "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(uuid.unwrap()[..3], [0, 0x11, 0x22]);
    }

    #[test]
    fn other_spellings_are_refused() {
        for (encoder, text) in [
            (Encoder::Boolean, "yes"),
            (Encoder::Smallint, "32768"),
            (Encoder::Integer, " 1"),
            (Encoder::Integer, "+1"),
            (Encoder::Integer, ""),
            (Encoder::Bigint, "1.0"),
            (Encoder::Double, "Infinity"),
            (Encoder::Double, "nan"),
            (Encoder::Bytea, "00"),
            (Encoder::Bytea, "\\x0"),
            (Encoder::Bytea, "\\x0g"),
            (Encoder::Bits, "102"),
            (Encoder::Uuid, "00112233445566778899aabbccddeeff"),
            (Encoder::Uuid, "{0112233-4455-6677-8899-aabbccddeef}"),
        ] {
            assert_eq!(encoded(&encoder, text), Err(Unreadable), "{text}");
        }
    }
}
