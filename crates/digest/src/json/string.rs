//! Strings and keys in JSON: escapes resolved, the length before the bytes.
//!
//! Half a surrogate pair is kept as the three bytes that UTF-8 would have for it; no valid
//! text contains them.

use super::{JsonError, NulCharacters, Reader};

impl Reader<'_> {
    /// Reads a string and appends `"`, four bytes of length and the content.
    pub(super) fn string(&mut self) -> Result<(), JsonError> {
        self.position += 1;
        self.out.extend_from_slice(b"\"\0\0\0\0");
        let start = self.out.len();
        loop {
            let rest = &self.text[self.position..];
            self.position += append_plain(rest, self.out);
            match self.text.get(self.position) {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(self.expected("the end of the string")),
            }
        }
        self.position += 1;
        let length = u32::try_from(self.out.len() - start)
            .map_err(|_| self.expected("a string below 4 GiB"))?;
        self.out[start - 4..start].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let character = match self.text.get(self.position + 1) {
            Some(b'u') => return self.unicode_escape(),
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(character @ (b'"' | b'\\' | b'/')) => *character,
            _ => return Err(self.expected("an escape")),
        };
        self.out.push(character);
        self.position += 2;
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<(), JsonError> {
        let unit = self
            .unit(self.position)
            .ok_or_else(|| self.expected("an escape"))?;
        self.position += 6;
        let low = match unit {
            0xd800..=0xdbff => self.unit(self.position),
            _ => None,
        };
        if let Some(low @ 0xdc00..=0xdfff) = low {
            self.position += 6;
            self.push_code(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        } else {
            self.push_code(unit);
        }
        Ok(())
    }

    /// The value of `\uXXXX` at that position.
    fn unit(&self, position: usize) -> Option<u32> {
        let digits = self
            .text
            .get(position..position + 6)?
            .strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |value, digit| {
            Some(value * 16 + char::from(*digit).to_digit(16)?)
        })
    }

    fn push_code(&mut self, code: u32) {
        if code == 0 {
            self.facts.has_nul = true;
            match self.options.nul {
                NulCharacters::Keep => self.out.push(0),
                NulCharacters::Strip => {}
                NulCharacters::Replace(character) => self.push_character(character),
            }
        } else if let Some(character) = char::from_u32(code) {
            self.push_character(character);
        } else {
            self.facts.has_lone_surrogate = true;
            let low_byte = |shift: u32| 0x80 | ((code >> shift) & 0x3f);
            for byte in [0xe0 | (code >> 12), low_byte(6), low_byte(0)] {
                self.out
                    .push(u8::try_from(byte).expect("six bits and a mark fit into a byte"));
            }
        }
    }

    fn push_character(&mut self, character: char) {
        let mut buffer = [0; 4];
        self.out
            .extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
    }
}

/// Bytes that are looked at together.
const WIDTH: usize = size_of::<u128>();
const ONES: u128 = u128::from_ne_bytes([0x01; WIDTH]);
const HIGH: u128 = u128::from_ne_bytes([0x80; WIDTH]);

/// Appends the bytes before the first quote, backslash or control character, or all where there is
/// none; returns their number.
fn append_plain(text: &[u8], out: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while let Some(chunk) = text[at..].first_chunk::<WIDTH>() {
        out.extend_from_slice(chunk);
        let flags = special_flags(u128::from_le_bytes(*chunk));
        if flags != 0 {
            let plain = flags.trailing_zeros() as usize / 8;
            out.truncate(out.len() - WIDTH + plain);
            return at + plain;
        }
        at += WIDTH;
    }
    let rest = &text[at..];
    let special = rest.iter().position(|byte| is_special(*byte));
    let plain = special.unwrap_or(rest.len());
    out.extend_from_slice(&rest[..plain]);
    at + plain
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// The high bit of each special byte; behind the first of them also of others, since a
/// subtraction borrows from the byte above.
fn special_flags(word: u128) -> u128 {
    let below = |word: u128, limit: u8| word.wrapping_sub(ONES * u128::from(limit)) & !word;
    let quote = below(word ^ (ONES * u128::from(b'"')), 1);
    let backslash = below(word ^ (ONES * u128::from(b'\\')), 1);
    (quote | backslash | below(word, 0x20)) & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts() -> impl Strategy<Value = Vec<u8>> {
        // The special bytes, their neighbours, and those that differ in the high bit.
        let near =
            proptest::sample::select(&b"a\"\\!#[]\x00\x01\x1f \x7f\x80\x9f\xa0\xa2\xdc\xff"[..]);
        let rare =
            proptest::collection::vec(prop_oneof![30 => Just(b'a'), 1 => near.clone()], 0..90);
        prop_oneof![rare, proptest::collection::vec(near, 0..90)]
    }

    proptest! {
        #[test]
        fn what_is_before_a_special_byte_is_appended(text in texts()) {
            let mut out = b"x".to_vec();
            let plain = append_plain(&text, &mut out);
            let special = text.iter().position(|byte| is_special(*byte));
            prop_assert_eq!(plain, special.unwrap_or(text.len()));
            prop_assert_eq!(&out[1..], &text[..plain]);
        }
    }
}
