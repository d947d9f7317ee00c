//! Searches for the few bytes that mean something in CSV, sixteen at a time.
//!
//! Fields are short and quotes stand close together, so that a call of `memchr` for each of them
//! costs more than the bytes between them.

/// Bytes that are looked at together.
const WIDTH: usize = size_of::<u128>();
const ONES: u128 = u128::from_ne_bytes([0x01; WIDTH]);
const HIGH: u128 = u128::from_ne_bytes([0x80; WIDTH]);

/// Where the first byte is that cannot stand in a field without quotes, or ends it: a comma, a
/// quote, a line feed or a carriage return.
pub(crate) fn find_special(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk() {
        let word = u128::from_le_bytes(*chunk);
        let flags = flags(word, b',') | flags(word, b'"') | flags(word, b'\n') | flags(word, b'\r');
        if let Some(position) = first(flags) {
            return Some(at + position);
        }
        at += WIDTH;
    }
    let mut rest = bytes[at..].iter();
    let position = rest.position(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    position.map(|position| at + position)
}

/// Appends the bytes before the first quote, or all where there is none; returns where it is.
pub(crate) fn append_until_quote(bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<WIDTH>() {
        out.extend_from_slice(chunk);
        if let Some(position) = first(flags(u128::from_le_bytes(*chunk), b'"')) {
            out.truncate(out.len() - WIDTH + position);
            return Some(at + position);
        }
        at += WIDTH;
    }
    let rest = &bytes[at..];
    let position = rest.iter().position(|byte| *byte == b'"');
    out.extend_from_slice(&rest[..position.unwrap_or(rest.len())]);
    position.map(|position| at + position)
}

/// The high bit of each byte that is the one that is looked for; behind the first of them also of
/// others (Mycroft's test for a zero byte).
fn flags(word: u128, byte: u8) -> u128 {
    let zero_where_equal = word ^ (ONES * u128::from(byte));
    zero_where_equal.wrapping_sub(ONES) & !zero_where_equal & HIGH
}

fn first(flags: u128) -> Option<usize> {
    (flags != 0).then(|| flags.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        // Neighbours of the bytes that are looked for, and those that differ in the high bit.
        let near = proptest::sample::select(&b"a,\"\n\r\x00\x01#!-+\x0b\x0c\x8a\xa2\xac\xff"[..]);
        let rare =
            proptest::collection::vec(prop_oneof![20 => Just(b'a'), 1 => near.clone()], 0..70);
        prop_oneof![rare, proptest::collection::vec(near, 0..70)]
    }

    proptest! {
        #[test]
        fn the_first_special_byte_is_found(bytes in bytes()) {
            let expected = bytes.iter().position(|byte| b",\"\n\r".contains(byte));
            prop_assert_eq!(find_special(&bytes), expected);
        }

        #[test]
        fn what_is_before_a_quote_is_appended(bytes in bytes()) {
            let mut out = b"x".to_vec();
            let found = append_until_quote(&bytes, &mut out);
            prop_assert_eq!(found, bytes.iter().position(|byte| *byte == b'"'));
            prop_assert_eq!(&out[1..], &bytes[..found.unwrap_or(bytes.len())]);
        }
    }
}
