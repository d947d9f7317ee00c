//! One-dimensional arrays in their binary format.
//!
//! Source: `array_send` in PostgreSQL's src/backend/utils/adt/arrayfuncs.c.

use digest::Canonical;

use super::read_or_unreadable;
use crate::form::Form;
use crate::row::Scratch;

/// Appends the number of elements and the elements; `None` for more than one dimension, and
/// for arrays whose first element is not number 1, which no conversion makes.
pub(super) fn read(
    element: &Form,
    bytes: &[u8],
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Option<()> {
    let mut rest = bytes;
    let dimensions = take_word(&mut rest)?;
    let (_has_null, _element_type) = (take_word(&mut rest)?, take_word(&mut rest)?);
    let elements = match dimensions {
        0 => 0,
        1 => {
            let elements = take_word(&mut rest)?;
            if take_word(&mut rest)? != 1 {
                return None;
            }
            u32::try_from(elements).ok()?
        }
        _ => return None,
    };
    Canonical::Array { elements }.encode(out);
    for _ in 0..elements {
        let field = match take_word(&mut rest)? {
            -1 => None,
            length => {
                let (field, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                rest = after;
                Some(field)
            }
        };
        read_or_unreadable(element, field, scratch, out);
    }
    rest.is_empty().then_some(())
}

fn take_word(rest: &mut &[u8]) -> Option<i32> {
    let (word, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i32::from_be_bytes(*word))
}
