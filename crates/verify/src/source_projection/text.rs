//! Text, bytes, bits and uuids.
//!
//! Text is taken byte for byte; a length is counted in characters.

use catalog::Condition;
use digest::{Canonical, NulCharacters, SourceValue};

use super::{Allowed, Obstacle};
use crate::form::{Form, without_padding};

/// Text into a character type.
pub(super) fn convert(
    value: SourceValue<'_>,
    form: &Form,
    allowed: Allowed,
    out: &mut Vec<u8>,
) -> Result<(), Obstacle> {
    let (SourceValue::Bytes(bytes), Form::Text { limit, padded }) = (value, form) else {
        return Err(Obstacle::Unconvertible);
    };
    let without_nul;
    let bytes = match (bytes.contains(&0), allowed.nul) {
        (false, _) => bytes,
        (true, None) => return Err(Obstacle::Condition(Condition::NulByte)),
        (true, Some(nul)) => {
            without_nul = replace_nul(bytes, nul);
            &without_nul
        }
    };
    let text = str::from_utf8(bytes).map_err(|_| Obstacle::Unconvertible)?;
    let measured = match *padded && allowed.padding {
        true => without_padding(text.as_bytes()).len(),
        false => text.len(),
    };
    let end = match limit.and_then(|limit| end_of(&text[..measured], limit)) {
        None => text.len(),
        Some(end) if allowed.truncation => end,
        Some(_) => return Err(Obstacle::Condition(Condition::TooLong)),
    };
    let content = &text.as_bytes()[..end];
    let content = if *padded {
        without_padding(content)
    } else {
        content
    };
    Canonical::Text(content).encode(out);
    Ok(())
}

/// The text with its NUL characters replaced.
pub(super) fn replace_nul(text: &[u8], nul: NulCharacters) -> Vec<u8> {
    let mut buffer = [0; 4];
    let replacement = match nul {
        NulCharacters::Keep => "\0",
        NulCharacters::Strip => "",
        NulCharacters::Replace(character) => character.encode_utf8(&mut buffer),
    };
    let parts: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
    parts.join(replacement.as_bytes())
}

/// Where the first `limit` characters end, if there are more.
fn end_of(text: &str, limit: u32) -> Option<usize> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // A character has at least one byte, so that most texts need not be counted.
    if text.len() <= limit {
        return None;
    }
    text.char_indices().nth(limit).map(|(position, _)| position)
}

/// The hyphenated form of a uuid, in either case, and no other.
pub(super) fn uuid(value: SourceValue<'_>, out: &mut Vec<u8>) -> Result<(), Obstacle> {
    let SourceValue::Bytes(text) = value else {
        return Err(Obstacle::Unconvertible);
    };
    if text.is_empty() {
        return Err(Obstacle::Condition(Condition::EmptyUuid));
    }
    let uuid = parse_uuid(text).ok_or(Obstacle::Condition(Condition::InvalidUuid))?;
    Canonical::Uuid(uuid).encode(out);
    Ok(())
}

pub(super) fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    let mut uuid = [0; 16];
    let mut position = 0;
    for byte in &mut uuid {
        if matches!(position, 8 | 13 | 18 | 23) {
            if text[position] != b'-' {
                return None;
            }
            position += 1;
        }
        *byte = nibble(text[position])? << 4 | nibble(text[position + 1])?;
        position += 2;
    }
    Some(uuid)
}

pub(super) fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The sixteen bytes of a uuid.
pub(super) fn uuid_bytes(value: SourceValue<'_>, out: &mut Vec<u8>) -> Result<(), Obstacle> {
    match value {
        SourceValue::Bytes(b"") => Err(Obstacle::Condition(Condition::EmptyUuid)),
        SourceValue::Bytes(bytes) => {
            let uuid = bytes
                .try_into()
                .map_err(|_| Obstacle::Condition(Condition::InvalidUuid))?;
            Canonical::Uuid(uuid).encode(out);
            Ok(())
        }
        _ => Err(Obstacle::Unconvertible),
    }
}

/// Bytes as they are.
pub(super) fn bytes(value: SourceValue<'_>, out: &mut Vec<u8>) -> Result<(), Obstacle> {
    let SourceValue::Bytes(bytes) = value else {
        return Err(Obstacle::Unconvertible);
    };
    Canonical::Bytes(bytes).encode(out);
    Ok(())
}

/// The number that the bits make; MySQL delivers them as bytes, the highest first.
pub(super) fn bit_number(value: SourceValue<'_>) -> Result<u64, Obstacle> {
    match value {
        SourceValue::Bytes(bytes) if bytes.len() <= 8 => Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))),
        SourceValue::UInt(number) => Ok(number),
        _ => Err(Obstacle::Unconvertible),
    }
}

/// The number's binary digits, as many as the target has.
pub(super) fn bits(value: SourceValue<'_>, width: u32, out: &mut Vec<u8>) -> Result<(), Obstacle> {
    let number = bit_number(value)?;
    if u64::BITS - number.leading_zeros() > width {
        return Err(Obstacle::Condition(Condition::TooLong));
    }
    // The last bit of the number is the last of `width` bits, which fill bytes from the left.
    let unused = width.div_ceil(8) * 8 - width;
    let shifted = u128::from(number) << unused;
    let length = usize::try_from(width.div_ceil(8)).map_err(|_| Obstacle::Unconvertible)?;
    let digits = shifted.to_be_bytes();
    let mut bytes = vec![0; length.saturating_sub(digits.len())];
    bytes.extend_from_slice(&digits[digits.len() - length.min(digits.len())..]);
    Canonical::Bits {
        width,
        bytes: &bytes,
    }
    .encode(out);
    Ok(())
}
