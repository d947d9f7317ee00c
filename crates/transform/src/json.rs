//! JSON into `json` and `jsonb`: unchanged where the target would take it.
//!
//! Judges by the grammar and by what PostgreSQL adds to it; never writes JSON anew.

mod grammar;

use std::io::Write as _;

use catalog::Condition;
use memchr::memchr;

use crate::rejection::Problem;
use crate::text;

/// Into a JSON type of the target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json {
    /// Whether the target is `jsonb`, which must be able to store every string and number.
    pub(crate) binary: bool,
}

impl Json {
    pub(crate) fn convert(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let Some(traits) = grammar::examine(value) else {
            text::checked(value)?;
            return Err(Problem::new(Condition::InvalidJson, "is not JSON"));
        };
        // The grammar has no place for a NUL.
        std::str::from_utf8(value).map_err(|_| Problem::invalid_utf8())?;
        if self.binary {
            traits.check_for_jsonb()?;
        }
        out.extend_from_slice(value);
        Ok(())
    }
}

impl grammar::Traits {
    fn check_for_jsonb(self) -> Result<(), Problem> {
        if self.unpaired_surrogate {
            return Err(Problem::new(
                Condition::InvalidJson,
                "holds half a surrogate pair, which is no character",
            ));
        }
        if self.nul_escape {
            return Err(Problem::new(
                Condition::JsonNul,
                "holds `\\u0000`, which jsonb cannot store",
            ));
        }
        if self.number_overflow {
            return Err(Problem::new(
                Condition::OutOfRange,
                "holds a number beyond the range of numeric",
            ));
        }
        Ok(())
    }
}

/// Leaves `\u0000` escapes of valid JSON out, or puts a character in their place.
pub(crate) fn replace_nul(value: &[u8], replacement: &str, out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix(b"\\u0000") {
            write_escaped(replacement, out);
            rest = after;
        } else {
            // The byte after the backslash may be one itself and then starts no escape.
            let escape = rest.len().min(2);
            out.extend_from_slice(&rest[..escape]);
            rest = &rest[escape..];
        }
    }
    out.extend_from_slice(rest);
}

fn write_escaped(text: &str, out: &mut Vec<u8>) {
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}"),
            '\0'..='\u{1f}' => write!(out, "\\u{:04x}", u32::from(character)),
            other => write!(out, "{other}"),
        }
        .expect("a Vec takes every write");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    fn convert(binary: bool, value: &str) -> Result<String, Kind> {
        let mut out = Vec::new();
        Json { binary }
            .convert(value.as_bytes(), &mut out)
            .map(|()| String::from_utf8(out).unwrap())
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn a_nul_is_refused_by_jsonb_alone() {
        let nul = r#"{"k":"\u0000"}"#;
        assert_eq!(convert(false, nul).as_deref(), Ok(nul));
        let refused = Err(Kind::Condition(Condition::JsonNul));
        assert_eq!(convert(true, nul), refused);
        assert_eq!(convert(true, r#""\\\u0000""#), refused);
        let escaped = r#"{"k":"\\u0000"}"#;
        assert_eq!(convert(true, escaped).as_deref(), Ok(escaped));
    }

    #[test]
    fn halves_and_giants_are_refused_by_jsonb_alone() {
        let invalid = Err(Kind::Condition(Condition::InvalidJson));
        let beyond = Err(Kind::Condition(Condition::OutOfRange));
        assert_eq!(convert(true, r#""\ud83d""#), invalid);
        assert_eq!(
            convert(true, r#""\ud83c\udf89""#).as_deref(),
            Ok(r#""\ud83c\udf89""#)
        );
        assert_eq!(convert(true, "1e131072"), beyond);
        assert_eq!(convert(true, "1e131071").as_deref(), Ok("1e131071"));
        for text in [r#""\ud83d""#, "1e131072"] {
            assert_eq!(convert(false, text).as_deref(), Ok(text));
        }
        let raw = Err(Kind::Condition(Condition::NulByte));
        assert_eq!(convert(false, "\"a\0\""), raw);
        assert_eq!(convert(false, "{a:1}"), invalid);
    }

    #[test]
    fn nul_escapes_are_replaced_and_nothing_else() {
        let replaced = |value: &str, replacement: &str| {
            let mut out = Vec::new();
            replace_nul(value.as_bytes(), replacement, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            replaced(r#"["\u0000a\u0000","\\u0000"]"#, ""),
            r#"["a","\\u0000"]"#
        );
        assert_eq!(replaced(r#""\\\u0000""#, "?"), r#""\\?""#);
        assert_eq!(replaced(r#""\u0000""#, "\""), r#""\"""#);
        assert_eq!(replaced(r#""\u0000""#, "\n"), r#""\u000a""#);
    }
}
