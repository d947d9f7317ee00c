//! The canonical form of a value: a tag, a length where the size varies, and the content.
//!
//! Says how a value is written, not which form a column has; that is decided per pair of types.

use crate::Decimal;
use crate::table_digest::first_128_bits;

/// Grows whenever the bytes of any value change, so that digests of two versions are never
/// compared with each other.
pub const CANONICAL_VERSION: u32 = 1;

pub(crate) const TAG_NULL: u8 = 0;
pub(crate) const TAG_BOOLEAN: u8 = 1;
pub(crate) const TAG_INTEGER: u8 = 2;
pub(crate) const TAG_DECIMAL: u8 = 3;
pub(crate) const TAG_REAL: u8 = 4;
pub(crate) const TAG_DOUBLE: u8 = 5;
pub(crate) const TAG_TEXT: u8 = 6;
pub(crate) const TAG_BYTES: u8 = 7;
pub(crate) const TAG_UUID: u8 = 8;
pub(crate) const TAG_DATE: u8 = 9;
pub(crate) const TAG_TIME: u8 = 10;
pub(crate) const TAG_TIMESTAMP: u8 = 11;
pub(crate) const TAG_INTERVAL: u8 = 12;
pub(crate) const TAG_BITS: u8 = 13;
pub(crate) const TAG_JSON: u8 = 14;
pub(crate) const TAG_ARRAY: u8 = 15;
pub(crate) const TAG_UNREADABLE: u8 = 0xfe;
pub(crate) const TAG_UNCONVERTIBLE: u8 = 0xff;

/// A typed value. NULL is a value of its own; a length stands before everything whose size
/// varies, so that no two rows share their bytes.
#[derive(Clone, Copy, Debug)]
pub enum Canonical<'a> {
    /// SQL NULL.
    Null,
    /// A truth value.
    Boolean(bool),
    /// An integer of at most eight bytes.
    Integer(i64),
    /// An exact number, by value; with the number of decimal places where they count.
    Decimal {
        /// The value.
        number: &'a Decimal,
        /// Decimal places shown, where the column's type does not fix them.
        scale: Option<u16>,
    },
    /// Four bytes of floating point, by its bits: 0.0 and -0.0 differ.
    Real(f32),
    /// Eight bytes of floating point, by its bits.
    Double(f64),
    /// Text, byte for byte.
    Text(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A uuid.
    Uuid([u8; 16]),
    /// Days since 2000-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 2000-01-01 00:00:00, in UTC where the column knows a zone.
    Timestamp(i64),
    /// An interval with its parts kept apart, as PostgreSQL stores it.
    Interval {
        /// Months.
        months: i32,
        /// Days.
        days: i32,
        /// Microseconds.
        micros: i64,
    },
    /// Bits, the first in the highest bit of the first byte, unused ones zero.
    Bits {
        /// Number of bits.
        width: u32,
        /// The bits.
        bytes: &'a [u8],
    },
    /// The beginning of an array; its elements follow.
    Array {
        /// Number of elements.
        elements: u32,
    },
    /// A value of the target that its type does not explain; equal to nothing on the source.
    Unreadable(&'a [u8]),
    /// A value of the source that no conversion and no rule covers; equal to nothing on the
    /// target.
    Unconvertible(&'a [u8]),
}

impl Canonical<'_> {
    /// Appends the canonical bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Null => out.push(TAG_NULL),
            Self::Boolean(value) => out.extend([TAG_BOOLEAN, u8::from(value)]),
            Self::Integer(value) => fixed(out, TAG_INTEGER, &value.to_le_bytes()),
            Self::Decimal { number, scale } => {
                out.push(TAG_DECIMAL);
                number.push_text(out);
                // One more than the scale, so that 0 is left for "does not count".
                let scale = scale.map_or(0, |scale| u32::from(scale) + 1);
                out.extend_from_slice(&scale.to_le_bytes());
            }
            Self::Real(value) => fixed(out, TAG_REAL, &value.to_bits().to_le_bytes()),
            Self::Double(value) => fixed(out, TAG_DOUBLE, &value.to_bits().to_le_bytes()),
            Self::Text(bytes) => sized(out, TAG_TEXT, bytes),
            Self::Bytes(bytes) => sized(out, TAG_BYTES, bytes),
            Self::Uuid(bytes) => fixed(out, TAG_UUID, &bytes),
            Self::Date(days) => fixed(out, TAG_DATE, &days.to_le_bytes()),
            Self::Time(micros) => fixed(out, TAG_TIME, &micros.to_le_bytes()),
            Self::Timestamp(micros) => fixed(out, TAG_TIMESTAMP, &micros.to_le_bytes()),
            Self::Interval {
                months,
                days,
                micros,
            } => {
                fixed(out, TAG_INTERVAL, &months.to_le_bytes());
                out.extend_from_slice(&days.to_le_bytes());
                out.extend_from_slice(&micros.to_le_bytes());
            }
            Self::Bits { width, bytes } => {
                fixed(out, TAG_BITS, &width.to_le_bytes());
                out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                out.extend_from_slice(bytes);
            }
            Self::Array { elements } => fixed(out, TAG_ARRAY, &elements.to_le_bytes()),
            Self::Unreadable(bytes) => sized(out, TAG_UNREADABLE, bytes),
            Self::Unconvertible(bytes) => sized(out, TAG_UNCONVERTIBLE, bytes),
        }
    }
}

fn fixed(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    out.extend_from_slice(content);
}

fn sized(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    let mut head = [tag; 9];
    head[1..].copy_from_slice(&(content.len() as u64).to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(content);
}

/// The digest of canonical bytes: the first 128 bits of their blake3 hash.
pub fn digest_encoded(encoded: &[u8]) -> u128 {
    first_128_bits(&blake3::hash(encoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[Canonical<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        values.iter().for_each(|value| value.encode(&mut out));
        out
    }

    #[test]
    fn the_bytes_are_what_the_page_says() {
        let text = row(&[Canonical::Text(b"ab")]);
        assert_eq!(text, [6, 2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b']);
        assert_eq!(row(&[Canonical::Null]), [0]);
        assert_eq!(row(&[Canonical::Boolean(true)]), [1, 1]);
        let integer = row(&[Canonical::Integer(-2)]);
        assert_eq!(integer, [2, 254, 255, 255, 255, 255, 255, 255, 255]);
        let date = row(&[Canonical::Date(1)]);
        assert_eq!(date, [9, 1, 0, 0, 0]);
        let mut number = Decimal::default();
        number.set_text(b"1.50");
        let decimal = Canonical::Decimal {
            number: &number,
            scale: Some(2),
        };
        assert_eq!(row(&[decimal]), b"\x03+15e-1;\x03\0\0\0");
        let array = row(&[Canonical::Array { elements: 1 }, Canonical::Null]);
        assert_eq!(array, [15, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn values_that_look_alike_differ() {
        let text = |bytes| Canonical::Text(bytes);
        assert_ne!(
            row(&[text(b"ab"), text(b"c")]),
            row(&[text(b"a"), text(b"bc")])
        );
        assert_ne!(row(&[text(b"")]), row(&[Canonical::Null]));
        assert_ne!(row(&[text(b"a")]), row(&[Canonical::Bytes(b"a")]));
        assert_ne!(row(&[Canonical::Real(0.0)]), row(&[Canonical::Real(-0.0)]));
        assert_ne!(
            row(&[Canonical::Double(0.0)]),
            row(&[Canonical::Double(-0.0)])
        );
        assert_ne!(
            row(&[Canonical::Bits {
                width: 7,
                bytes: &[2]
            }]),
            row(&[Canonical::Bits {
                width: 8,
                bytes: &[2]
            }])
        );
        assert_ne!(
            row(&[Canonical::Unreadable(b"a")]),
            row(&[Canonical::Unconvertible(b"a")])
        );
    }

    #[test]
    fn the_digest_is_the_beginning_of_blake3() {
        // The hash of no bytes, from the test vectors of the BLAKE3 paper.
        assert_eq!(
            digest_encoded(b""),
            0xaf13_49b9_f5f9_a1a6_a040_4dea_36dc_c949
        );
    }
}
