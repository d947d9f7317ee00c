//! Text into `text`, `character varying(n)` and `character(n)`: unchanged, or not at all.
//!
//! Lengths are counted in characters before the target would trim blanks without a word.

use catalog::Condition;
use memchr::memchr;

use crate::number::Number;
use crate::rejection::Problem;

/// Into a character type of the target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    /// Characters that the target holds.
    pub(crate) limit: Option<u32>,
}

impl Text {
    pub(crate) fn convert(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        self.check(value)?;
        out.extend_from_slice(value);
        Ok(())
    }

    pub(crate) fn check(self, value: &[u8]) -> Result<(), Problem> {
        let text = checked(value)?;
        match self.limit {
            Some(limit) if text.len() > limit as usize => {
                let length = text.chars().count();
                if length > limit as usize {
                    return Err(Problem::too_long(length, limit as usize, "characters"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Numbers keep the spelling of the source.
    pub(crate) fn convert_number(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        Number::parse(value).ok_or(Problem::malformed("is not a number"))?;
        self.convert(value, out)
    }

    pub(crate) fn truncate(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let text = std::str::from_utf8(value).map_err(|_| Problem::invalid_utf8())?;
        let limit = self.limit.map_or(usize::MAX, |limit| limit as usize);
        let end = text
            .char_indices()
            .nth(limit)
            .map_or(text.len(), |(at, _)| at);
        out.extend_from_slice(&value[..end]);
        Ok(())
    }
}

/// UTF-8 without NUL, which no text of PostgreSQL can hold.
pub(crate) fn checked(value: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(value).map_err(|_| Problem::invalid_utf8())?;
    if memchr(0, value).is_some() {
        return Err(Problem::new(Condition::NulByte, "holds a NUL character"));
    }
    Ok(text)
}

/// Leaves NUL characters out, or puts `replacement` in their place.
pub(crate) fn replace_nul(value: &[u8], replacement: &str, out: &mut Vec<u8>) {
    let mut parts = value.split(|byte| *byte == 0);
    out.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        out.extend_from_slice(replacement.as_bytes());
        out.extend_from_slice(part);
    }
}

/// Lower case as Unicode defines it, without regard to language.
pub(crate) fn lower(text: &str, out: &mut Vec<u8>) {
    if text.is_ascii() {
        out.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
    } else {
        out.extend_from_slice(text.to_lowercase().as_bytes());
    }
}

/// Without blanks (U+0020 alone) at both ends.
pub(crate) fn trim(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.trim_matches(' ').as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    fn convert(limit: Option<u32>, value: &[u8]) -> Result<Vec<u8>, Kind> {
        let mut out = Vec::new();
        Text { limit }
            .convert(value, &mut out)
            .map(|()| out)
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        let text = "ä🎉e\u{301}".as_bytes();
        assert_eq!(convert(Some(4), text).as_deref(), Ok(text));
        let long = Err(Kind::Condition(Condition::TooLong));
        assert_eq!(convert(Some(3), text), long);
        assert_eq!(convert(Some(3), b"abc   "), long);
        assert_eq!(convert(Some(0), b"").as_deref(), Ok(&b""[..]));
        let mut out = Vec::new();
        Text { limit: Some(2) }.truncate(text, &mut out).unwrap();
        assert_eq!(out, "ä🎉".as_bytes());
    }

    #[test]
    fn nul_and_broken_utf8_are_refused() {
        assert_eq!(
            convert(None, b"a\0b"),
            Err(Kind::Condition(Condition::NulByte))
        );
        assert_eq!(convert(None, b"a\xFF"), Err(Kind::InvalidUtf8));
        let mut out = Vec::new();
        replace_nul(b"\0a\0\0b", "?", &mut out);
        assert_eq!(out, b"?a??b");
    }

    #[test]
    fn case_and_blanks() {
        let mut out = Vec::new();
        lower("ÄB\u{3a3}", &mut out);
        assert_eq!(out, "äb\u{3c2}".as_bytes());
        out.clear();
        trim("  a\t ", &mut out);
        assert_eq!(out, b"a\t");
    }
}
