//! Numbers in JSON: by value, of any size, never expanded.
//!
//! Accepts the grammar of RFC 8259 and nothing more.

use super::{JsonError, Reader};
use crate::decimal::{NumberParts, parse_exponent, push_number};

impl Reader<'_> {
    /// Reads a number and appends `#`, sign, digits and exponent.
    pub(super) fn number(&mut self) -> Result<(), JsonError> {
        let rest = &self.text[self.position..];
        let length = rest
            .iter()
            .take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let text = &rest[..length];
        let parts = NumberParts::split(text)
            .filter(|parts| is_json_number(text, parts))
            .ok_or_else(|| self.expected("a number"))?;
        self.position += length;
        let places = match parts.exponent {
            b"" => Some(0),
            text => parse_exponent(text),
        };
        self.facts.has_number_beyond_numeric |= is_beyond_numeric(&parts, places);
        self.out.push(b'#');
        let exponent = places.unwrap_or(0);
        push_number(
            self.out,
            parts.negative,
            parts.integer,
            parts.fraction,
            exponent,
        );
        // Beyond 10^17 the exponent stays text beside the normalised digits. Two spellings of
        // such a number may differ here, two numbers never agree.
        if places.is_none() && !self.out.ends_with(b"#0;") {
            self.out.push(b'E');
            self.out.extend_from_slice(parts.exponent);
            self.out.push(b';');
        }
        Ok(())
    }
}

/// What [`NumberParts`] allows beyond JSON: a plus, leading zeros, a point at either end.
fn is_json_number(text: &[u8], parts: &NumberParts<'_>) -> bool {
    let leading_zero = parts.integer.len() > 1 && parts.integer[0] == b'0';
    let empty_fraction = parts.fraction.is_empty() && text.contains(&b'.');
    text[0] != b'+' && !parts.integer.is_empty() && !leading_zero && !empty_fraction
}

/// Source: PostgreSQL's manual, 8.1.2 "Arbitrary Precision Numbers": 131,072 digits before the
/// point and 16,383 after it.
fn is_beyond_numeric(parts: &NumberParts<'_>, exponent: Option<i64>) -> bool {
    let length = |digits: &[u8]| i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let zero = |digits: &[u8]| digits.iter().all(|digit| *digit == b'0');
    if parts.exponent.is_empty() && parts.integer.len() + parts.fraction.len() <= 16_383 {
        return false;
    }
    let is_zero = zero(parts.integer) && zero(parts.fraction);
    let Some(exponent) = exponent else {
        return !is_zero || parts.exponent.starts_with(b"-");
    };
    let leading = parts.integer.iter().chain(parts.fraction);
    let leading = leading.take_while(|digit| **digit == b'0').count();
    let before_point =
        length(parts.integer) + exponent - i64::try_from(leading).unwrap_or(i64::MAX);
    (!is_zero && before_point > 131_072) || length(parts.fraction) - exponent > 16_383
}
