//! Bytes that were kept as text, one character for each: back to bytes, or to base64.
//!
//! Happens by a rule alone; only `assess` guesses which columns hold such text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::rejection::{Kind, Problem, Reason};
use crate::text::Text;

/// Each character's number as a byte, written for `bytea`.
pub(crate) fn to_bytes(value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.reserve(2 + 2 * value.len());
    out.extend_from_slice(b"\\x");
    each_byte(value, |byte| {
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 15)]);
    })
}

/// The same bytes in base64, standard alphabet, padded.
pub(crate) fn to_base64(target: Text, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let start = out.len();
    // Groups of three bytes become four characters each, so that parts can follow each other.
    let mut part = [0; PART_BYTES];
    let mut filled = 0;
    each_byte(value, |byte| {
        part[filled] = byte;
        filled += 1;
        if filled == PART_BYTES {
            append_base64(&part, out);
            filled = 0;
        }
    })?;
    append_base64(&part[..filled], out);
    target.check(&out[start..])
}

/// Encoded at a time: a multiple of three that fits the processor's nearest cache.
const PART_BYTES: usize = 3 * 256;

fn append_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    STANDARD
        .encode_slice(bytes, &mut out[start..])
        .expect("there is room for four characters for each three bytes");
}

fn each_byte(value: &[u8], mut take: impl FnMut(u8)) -> Result<(), Problem> {
    let text = std::str::from_utf8(value).map_err(|_| Problem::invalid_utf8())?;
    for character in text.chars() {
        take(u8::try_from(character).map_err(|_| Problem {
            kind: Kind::NotLatin1,
            reason: Reason::Is("holds a character above U+00FF, which is no byte"),
        })?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let text: String = (0..=255_u8).map(char::from).collect();
        let mut out = Vec::new();
        to_bytes(text.as_bytes(), &mut out).unwrap();
        let expected: String = (0..=255_u8).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(out, format!("\\x{expected}").into_bytes());
        out.clear();
        to_base64(Text { limit: None }, text.as_bytes(), &mut out).unwrap();
        assert_eq!(
            STANDARD.decode(&out).unwrap(),
            (0..=255_u8).collect::<Vec<_>>()
        );
    }

    #[test]
    fn parts_of_base64_follow_each_other() {
        for length in [0, 1, 2, 3, 767, 768, 769, 1_536, 2_000] {
            let bytes: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
            let text: String = bytes.iter().copied().map(char::from).collect();
            let mut out = b"before".to_vec();
            to_base64(Text { limit: None }, text.as_bytes(), &mut out).unwrap();
            assert_eq!(
                out,
                format!("before{}", STANDARD.encode(&bytes)).into_bytes()
            );
        }
        let short = Text { limit: Some(3) };
        let problem = to_base64(short, b"abc", &mut Vec::new()).unwrap_err();
        assert_eq!(problem.kind, Kind::Condition(catalog::Condition::TooLong));
    }

    #[test]
    fn what_is_no_byte_is_refused() {
        let problem = to_bytes("x\u{100}".as_bytes(), &mut Vec::new()).unwrap_err();
        assert_eq!(problem.kind, Kind::NotLatin1);
        let problem = to_bytes(b"\xC3", &mut Vec::new()).unwrap_err();
        assert_eq!(problem.kind, Kind::InvalidUtf8);
    }
}
