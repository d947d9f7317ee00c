//! Text in the target's own spelling: defaults, literals of rules, values of map files.
//!
//! Strict: what the target would have to change first is not taken.

use digest::{Canonical, JsonOptions, NulCharacters, SourceValue};

use super::moment::{days_since_2000, shorten};
use super::text::{nibble, parse_uuid};
use super::{Allowed, label, number, text};
use crate::form::{BitWidth, Form};
use crate::row::Scratch;

/// Appends the canonical bytes; `None` where the form does not take the text.
pub(super) fn encode(
    spelled: &[u8],
    form: &Form,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Option<()> {
    let value = SourceValue::Bytes(spelled);
    match form {
        Form::Boolean => Canonical::Boolean(boolean(spelled)?).encode(out),
        Form::Integer(_) | Form::Decimal { .. } => {
            number::convert(value, form, None, &mut scratch.decimal, out).ok()?;
        }
        Form::Real | Form::RealText => {
            Canonical::Real(str::from_utf8(spelled).ok()?.parse().ok()?).encode(out);
        }
        Form::Double | Form::DoubleText => {
            Canonical::Double(str::from_utf8(spelled).ok()?.parse().ok()?).encode(out);
        }
        Form::Text { .. } => text::convert(value, form, Allowed::default(), out).ok()?,
        Form::Enum(_) => label::convert(value, form, Allowed::default(), out).ok()?,
        Form::Bytes => Canonical::Bytes(&hexadecimal(spelled)?).encode(out),
        Form::Bits(width) => bits(spelled, *width, out)?,
        Form::Date => {
            let (days, micros) = timestamp(spelled)?;
            let days = i32::try_from(days).ok().filter(|_| micros == 0)?;
            Canonical::Date(days).encode(out);
        }
        Form::Timestamp { fraction, .. } => {
            let (days, micros) = timestamp(spelled)?;
            let micros = shorten(micros, *fraction, None).ok()?;
            Canonical::Timestamp(days * 86_400_000_000 + micros).encode(out);
        }
        Form::Time { fraction } => {
            let micros = shorten(clock(spelled)?, *fraction, None).ok()?;
            let within_a_day = (0..86_400_000_000).contains(&micros);
            within_a_day.then(|| Canonical::Time(micros).encode(out))?;
        }
        Form::Interval { fraction } => {
            let micros = shorten(clock(spelled)?, *fraction, None).ok()?;
            Canonical::Interval {
                months: 0,
                days: 0,
                micros,
            }
            .encode(out);
        }
        Form::Uuid => Canonical::Uuid(parse_uuid(spelled)?).encode(out),
        Form::Json(duplicates) => {
            let options = JsonOptions {
                duplicates: *duplicates,
                nul: NulCharacters::Keep,
            };
            scratch.json.encode(spelled, options, out).ok()?;
        }
        Form::Array(_) if spelled == b"{}" => Canonical::Array { elements: 0 }.encode(out),
        Form::Array(_) => return None,
    }
    Some(())
}

fn boolean(text: &[u8]) -> Option<bool> {
    match text.to_ascii_lowercase().as_slice() {
        b"1" | b"t" | b"true" => Some(true),
        b"0" | b"f" | b"false" => Some(false),
        _ => None,
    }
}

fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.strip_prefix(b"\\x")?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    });
    pairs.collect()
}

fn bits(digits: &[u8], width: BitWidth, out: &mut Vec<u8>) -> Option<()> {
    let count = u32::try_from(digits.len()).ok()?;
    let fits = match width {
        BitWidth::Exactly(width) => count == width,
        BitWidth::AtMost(most) => count <= most,
    };
    if !fits || !digits.iter().all(|digit| matches!(digit, b'0' | b'1')) {
        return None;
    }
    let bytes: Vec<u8> = digits
        .chunks(8)
        .map(|chunk| {
            let bits = chunk.iter().zip((0..8).rev());
            bits.fold(0, |byte, (digit, place)| byte | (digit - b'0') << place)
        })
        .collect();
    Canonical::Bits {
        width: count,
        bytes: &bytes,
    }
    .encode(out);
    Some(())
}

/// `2024-02-29`, with a time of day or not, with `+00` behind it or not: days since
/// 2000-01-01 and microseconds since midnight.
fn timestamp(text: &[u8]) -> Option<(i64, i64)> {
    let text = text.strip_suffix(b"+00").unwrap_or(text);
    let (date, rest) = text.split_at_checked(10)?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *date else {
        return None;
    };
    let year = digits(&[y0, y1, y2, y3])?;
    let days = days_since_2000(year, digits(&[m0, m1])?, digits(&[d0, d1])?)?;
    let micros = match rest {
        [] => 0,
        [b' ', clock_text @ ..] => clock(clock_text)?,
        _ => return None,
    };
    (0..86_400_000_000)
        .contains(&micros)
        .then_some((days, micros))
}

/// `-838:59:59.999999` in microseconds.
fn clock(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &b"000000"[..]),
    };
    let mut parts = whole.split(|byte| *byte == b':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let well_formed = parts.next().is_none()
        && matches!(hours.len(), 2 | 3)
        && minutes.len() == 2
        && seconds.len() == 2
        && matches!(fraction.len(), 1..=6);
    let (minutes, seconds) = (digits(minutes)?, digits(seconds)?);
    if !well_formed || minutes > 59 || seconds > 59 {
        return None;
    }
    let scale = 10_i64.pow(6 - u32::try_from(fraction.len()).ok()?);
    let seconds = (digits(hours)? * 60 + minutes) * 60 + seconds;
    let micros = seconds * 1_000_000 + digits(fraction)? * scale;
    Some(if negative { -micros } else { micros })
}

fn digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 9 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        text.iter()
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')),
    )
}
