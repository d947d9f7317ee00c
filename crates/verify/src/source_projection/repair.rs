//! Values that a rule replaces before anything is judged: maps, latin1 bytes, case, blanks.
//!
//! Works on text; what the result is worth to the target is judged afterwards.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catalog::{MysqlType, Outcome};

use super::label::INDEX_ZERO;
use crate::form::Form;

/// Whether an `any` rule has something to do for a pair; what a pattern such as `*.*` reaches
/// beyond the texts that it is for is left alone.
pub(super) fn concerns(outcome: &Outcome, source: &MysqlType, form: &Form) -> bool {
    let characters = matches!(
        source,
        MysqlType::Char { .. }
            | MysqlType::Varchar { .. }
            | MysqlType::Text(_)
            | MysqlType::Enum { .. }
    );
    match outcome {
        Outcome::Map(_) => true,
        Outcome::Latin1ToBytes => characters && *form == Form::Bytes,
        Outcome::Latin1ToBytesBase64 => characters && matches!(form, Form::Text { .. }),
        _ => characters,
    }
}

/// Whether the rule makes another kind of value, so that no result is the value itself.
pub(super) fn is_always_a_change(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Latin1ToBytes | Outcome::Latin1ToBytesBase64
    )
}

/// The text after the rule; `None` where the rule has no answer to it.
pub(super) fn repair<'a>(text: &'a [u8], outcome: &Outcome) -> Option<Cow<'a, [u8]>> {
    let text = str::from_utf8(text).ok()?;
    Some(match outcome {
        Outcome::Map(map) => {
            // A map file cannot name the marker of an enum's index 0, which MySQL shows as ''.
            let from = if text.as_bytes() == INDEX_ZERO {
                ""
            } else {
                text
            };
            Cow::Owned(map.pairs.get(from)?.clone().into_bytes())
        }
        Outcome::Latin1ToBytes => Cow::Owned(latin1(text)?),
        Outcome::Latin1ToBytesBase64 => Cow::Owned(STANDARD.encode(latin1(text)?).into_bytes()),
        Outcome::Lower => Cow::Owned(text.to_lowercase().into_bytes()),
        Outcome::Trim => Cow::Borrowed(text.trim_matches(' ').as_bytes()),
        _ => return None,
    })
}

/// Each character below U+0100 as the byte of that number.
fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}
