//! Labels of enums and members of sets.
//!
//! Labels are compared byte for byte: another case is another label.

use catalog::Condition;
use digest::{Canonical, SourceValue};

use super::{Allowed, Obstacle, text};
use crate::form::Form;

/// How an enum's index 0 is read, so that it differs from the label `''`.
pub(super) const INDEX_ZERO: &[u8] = b"\0";

/// An enum's label, or text that must be one.
pub(super) fn convert(
    value: SourceValue<'_>,
    form: &Form,
    allowed: Allowed,
    out: &mut Vec<u8>,
) -> Result<(), Obstacle> {
    let SourceValue::Bytes(label) = value else {
        return Err(Obstacle::Unconvertible);
    };
    if label == INDEX_ZERO {
        return Err(Obstacle::Condition(Condition::EnumUnknown));
    }
    match form {
        Form::Enum(labels) => {
            if !labels.iter().any(|known| known.as_bytes() == label) {
                return Err(Obstacle::Condition(Condition::EnumUnknown));
            }
            Canonical::Text(label).encode(out);
            Ok(())
        }
        _ => text::convert(value, form, allowed, out),
    }
}

/// A set's members, which MySQL separates by commas, in the order of their declaration.
pub(super) fn members(
    value: SourceValue<'_>,
    form: &Form,
    empty_member: bool,
    out: &mut Vec<u8>,
) -> Result<(), Obstacle> {
    let (SourceValue::Bytes(text), Form::Array(element)) = (value, form) else {
        return Err(Obstacle::Unconvertible);
    };
    if text.is_empty() {
        // The empty set and the set of a member named '' read the same.
        if empty_member {
            return Err(Obstacle::Unconvertible);
        }
        Canonical::Array { elements: 0 }.encode(out);
        return Ok(());
    }
    let count = text.split(|byte| *byte == b',').count();
    let elements = u32::try_from(count).map_err(|_| Obstacle::Unconvertible)?;
    Canonical::Array { elements }.encode(out);
    for member in text.split(|byte| *byte == b',') {
        convert(SourceValue::Bytes(member), element, Allowed::default(), out)?;
    }
    Ok(())
}
