//! Digests of rows and the sums that stand for whole tables.
//!
//! Does not know what the fields mean: two spellings of one value are two values here.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

/// The number of rows and the wrapping sum of their digests.
///
/// A sum and not an XOR: a row that occurs twice must not cancel itself out. The order of the
/// rows does not matter, so parts of a table may be read in any order and merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableDigest {
    /// Rows.
    pub count: u64,
    /// Sum of the row digests, modulo 2^128.
    pub sum: u128,
}

impl TableDigest {
    /// Adds one row.
    pub fn add(&mut self, row_digest: u128) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(row_digest);
    }

    /// Adds the rows of another part.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// The digest of a row of fields as a file holds them; NULL and the empty field differ, and so
/// do `('ab', 'c')` and `('a', 'bc')`.
pub fn digest_fields<'a>(fields: impl IntoIterator<Item = Option<&'a [u8]>>) -> u128 {
    ROW.with_borrow_mut(|row| {
        row.clear();
        let mut hasher = None;
        for field in fields {
            let Some(bytes) = field else {
                row.push(0);
                continue;
            };
            let mut head = [1; 9];
            head[1..].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            row.extend_from_slice(&head);
            if row.len() + bytes.len() > ROW_BYTES_MAX {
                let hasher = hasher.get_or_insert_with(blake3::Hasher::new);
                hasher.update(row).update(bytes);
                row.clear();
            } else {
                row.extend_from_slice(bytes);
            }
        }
        let hash = match &mut hasher {
            None => blake3::hash(row),
            Some(hasher) => hasher.update(row).finalize(),
        };
        first_128_bits(&hash)
    })
}

/// A row that is larger is hashed in parts.
const ROW_BYTES_MAX: usize = 64 * 1024;

thread_local! {
    /// A row in one piece, which is hashed in half the time that its fields take one by one.
    static ROW: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn first_128_bits(hash: &blake3::Hash) -> u128 {
    let (first, _) = hash
        .as_bytes()
        .split_first_chunk()
        .expect("a blake3 hash has 32 bytes");
    u128::from_be_bytes(*first)
}

impl fmt::Display for TableDigest {
    /// Such as `12:00000000000000000000000000000abc`: rows, a colon, 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:032x}", self.count, self.sum)
    }
}

/// A text that [`TableDigest`] does not print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseDigestError(());

impl fmt::Display for ParseDigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a digest: expected the number of rows, a colon and 32 hexadecimal digits")
    }
}

impl std::error::Error for ParseDigestError {}

impl FromStr for TableDigest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        let (count, sum) = text.split_once(':').ok_or(ParseDigestError(()))?;
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
        if sum.len() != 32 || !plain(sum) || !plain(count) {
            return Err(ParseDigestError(()));
        }
        let count = count.parse().map_err(|_| ParseDigestError(()))?;
        let sum = u128::from_str_radix(sum, 16).map_err(|_| ParseDigestError(()))?;
        Ok(Self { count, sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[Option<&str>]) -> u128 {
        digest_fields(fields.iter().map(|field| field.map(str::as_bytes)))
    }

    #[test]
    fn pieces_leave_no_trace() {
        let plainly = |fields: &[Option<&[u8]>]| {
            let mut hasher = blake3::Hasher::new();
            for field in fields {
                hasher.update(&[u8::from(field.is_some())]);
                if let Some(bytes) = field {
                    hasher.update(&(bytes.len() as u64).to_le_bytes());
                    hasher.update(bytes);
                }
            }
            first_128_bits(&hasher.finalize())
        };
        let bytes: Vec<u8> = (0..20_000_u32).map(|n| (n % 251) as u8).collect();
        for lengths in [
            &[0][..],
            &[4087, 0, 1],
            &[4086, 1],
            &[4078, 9, 1],
            &[4095, 4096, 4097],
            &[10, 20_000, 10],
            &[100; 90],
        ] {
            let mut fields: Vec<Option<&[u8]>> = lengths
                .iter()
                .map(|length| Some(&bytes[..*length]))
                .collect();
            fields.push(None);
            assert_eq!(
                digest_fields(fields.iter().copied()),
                plainly(&fields),
                "{lengths:?}"
            );
        }
    }

    #[test]
    fn boundaries_nulls_and_order_of_fields_count() {
        assert_ne!(row(&[Some("ab"), Some("c")]), row(&[Some("a"), Some("bc")]));
        assert_ne!(row(&[None]), row(&[Some("")]));
        assert_ne!(row(&[Some("a"), None]), row(&[None, Some("a")]));
        assert_ne!(row(&[]), row(&[None]));
        assert_ne!(row(&[Some("NULL")]), row(&[None]));
        assert_eq!(row(&[Some("a"), None]), row(&[Some("a"), None]));
    }

    #[test]
    fn large_rows_are_hashed_as_small_ones() {
        let field = |length: usize| vec![7; length];
        for lengths in [
            [0, 10],
            [ROW_BYTES_MAX, 1],
            [5, ROW_BYTES_MAX],
            [ROW_BYTES_MAX - 9, 0],
        ] {
            let fields = lengths.map(field);
            let mut bytes = Vec::new();
            for field in &fields {
                bytes.push(1);
                bytes.extend((field.len() as u64).to_le_bytes());
                bytes.extend_from_slice(field);
            }
            bytes.push(0);
            let fields = fields.iter().map(|field| Some(&field[..])).chain([None]);
            let expected = first_128_bits(&blake3::hash(&bytes));
            assert_eq!(digest_fields(fields), expected, "{lengths:?}");
        }
    }

    #[test]
    fn the_order_of_rows_does_not_count_but_duplicates_do() {
        let digest = |rows: &[u128]| {
            let mut digest = TableDigest::default();
            rows.iter().for_each(|row| digest.add(*row));
            digest
        };
        let (a, b) = (row(&[Some("a")]), row(&[Some("b")]));
        assert_eq!(digest(&[a, b]), digest(&[b, a]));
        assert_ne!(digest(&[a, a]), digest(&[b, b]));
        assert_ne!(digest(&[a, a, b]).sum, digest(&[b]).sum);
        let mut merged = digest(&[a]);
        merged.merge(digest(&[b, a]));
        assert_eq!(merged, digest(&[a, a, b]));
    }

    #[test]
    fn the_text_reads_back() {
        let digest = TableDigest {
            count: 3_497_287,
            sum: u128::MAX - 1,
        };
        assert_eq!(
            digest.to_string(),
            "3497287:fffffffffffffffffffffffffffffffe"
        );
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for wrong in ["", "1", "1:ff", ":", "a:00000000000000000000000000000000"] {
            assert!(wrong.parse::<TableDigest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_digest_of_a_row_is_what_the_page_says() {
        let mut bytes = vec![1];
        bytes.extend(2u64.to_le_bytes());
        bytes.extend(b"ab");
        bytes.push(0);
        let hex = blake3::hash(&bytes).to_hex();
        let digest = format!("{:032x}", row(&[Some("ab"), None]));
        assert_eq!(digest, hex[..32]);
    }
}
