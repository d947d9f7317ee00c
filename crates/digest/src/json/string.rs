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
            let plain = rest
                .iter()
                .take_while(|b| **b != b'"' && **b != b'\\' && **b >= 0x20)
                .count();
            self.out.extend_from_slice(&rest[..plain]);
            self.position += plain;
            match rest.get(plain) {
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
