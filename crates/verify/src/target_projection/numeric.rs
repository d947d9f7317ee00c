//! `numeric` in its binary format: base-10000 digits, a weight, a sign and a display scale.
//!
//! Source: `numeric_send` in PostgreSQL's src/backend/utils/adt/numeric.c.

use std::io::Write as _;

use digest::Decimal;

/// Reads a number and returns its display scale; `None` for NaN, the infinities and what is
/// no numeric. `digits` is a buffer.
pub(super) fn read(bytes: &[u8], digits: &mut Vec<u8>, number: &mut Decimal) -> Option<u16> {
    let (head, groups) = bytes.split_first_chunk::<8>()?;
    let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (count, weight, sign, scale) = (word(0), word(2).cast_signed(), word(4), word(6));
    let negative = match sign {
        0x0000 => false,
        0x4000 => true,
        _ => return None,
    };
    if groups.len() != usize::from(count) * 2 {
        return None;
    }
    digits.clear();
    for group in groups.chunks_exact(2) {
        let group = u16::from_be_bytes([group[0], group[1]]);
        if group > 9999 {
            return None;
        }
        write!(digits, "{group:04}").expect("writing to memory does not fail");
    }
    // The first group counts 10000^weight.
    let exponent = (i64::from(weight) - i64::from(count) + 1) * 4;
    number.set_digits(negative, [digits, b""], exponent);
    Some(scale)
}
