//! Fields of PostgreSQL's binary COPY into canonical bytes.
//!
//! Trusts no field: one that its type does not explain becomes a value that equals nothing.

mod array;
mod numeric;

use digest::{Canonical, DuplicateKeys, JsonCanonicalizer, JsonOptions, NulCharacters};

use crate::form::{Form, without_padding};
use crate::row::Scratch;

/// Reads one column of the target.
#[derive(Clone, Debug)]
pub(crate) struct TargetProjection {
    form: Form,
    /// Whether `Scratch::json_as_spelled` concerns it.
    may_be_spelled: bool,
}

impl TargetProjection {
    pub(crate) fn new(form: Form, may_be_spelled: bool) -> Self {
        Self {
            form,
            may_be_spelled,
        }
    }

    /// Appends the canonical bytes of a field; `None` is NULL.
    pub(crate) fn project(&self, field: Option<&[u8]>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        match field {
            Some(bytes) if self.may_be_spelled && scratch.json_as_spelled => {
                Canonical::Bytes(bytes).encode(out);
            }
            _ => read_or_unreadable(&self.form, field, scratch, out),
        }
    }
}

fn read_or_unreadable(form: &Form, field: Option<&[u8]>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let Some(bytes) = field else {
        return Canonical::Null.encode(out);
    };
    let start = out.len();
    if read(form, bytes, scratch, out).is_none() {
        out.truncate(start);
        Canonical::Unreadable(bytes).encode(out);
    }
}

/// Source: PostgreSQL's `*_send` functions, which define the binary format of each type.
fn read(form: &Form, bytes: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) -> Option<()> {
    match form {
        Form::Boolean => match bytes {
            [0] => Canonical::Boolean(false),
            [1] => Canonical::Boolean(true),
            _ => return None,
        },
        Form::Integer(_) => Canonical::Integer(integer(bytes)?),
        Form::Decimal { scale_counts, .. } => {
            let scale = numeric::read(bytes, &mut scratch.text, &mut scratch.decimal)?;
            Canonical::Decimal {
                number: &scratch.decimal,
                scale: scale_counts.then_some(scale),
            }
        }
        Form::Real => Canonical::Real(f32::from_be_bytes(bytes.try_into().ok()?)),
        Form::Double => Canonical::Double(f64::from_be_bytes(bytes.try_into().ok()?)),
        Form::RealText => Canonical::Real(str::from_utf8(bytes).ok()?.parse().ok()?),
        Form::DoubleText => Canonical::Double(str::from_utf8(bytes).ok()?.parse().ok()?),
        Form::Text { padded: true, .. } => Canonical::Text(without_padding(bytes)),
        Form::Text { padded: false, .. } | Form::Enum(_) => Canonical::Text(bytes),
        Form::Bytes => Canonical::Bytes(bytes),
        Form::Bits(_) => bits(bytes)?,
        Form::Date => Canonical::Date(i32::from_be_bytes(bytes.try_into().ok()?)),
        Form::Timestamp { .. } => Canonical::Timestamp(long(bytes)?),
        Form::Time { .. } => Canonical::Time(long(bytes)?),
        Form::Interval { .. } => interval(bytes)?,
        Form::Uuid => Canonical::Uuid(bytes.try_into().ok()?),
        Form::Json(duplicates) => return json(*duplicates, bytes, &mut scratch.json, out),
        Form::Array(element) => return array::read(element, bytes, scratch, out),
    }
    .encode(out);
    Some(())
}

fn integer(bytes: &[u8]) -> Option<i64> {
    Some(match *bytes {
        [a, b] => i64::from(i16::from_be_bytes([a, b])),
        [a, b, c, d] => i64::from(i32::from_be_bytes([a, b, c, d])),
        _ => return long(bytes),
    })
}

fn long(bytes: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

fn bits(bytes: &[u8]) -> Option<Canonical<'_>> {
    let (width, bytes) = bytes.split_first_chunk()?;
    let width = u32::from_be_bytes(*width);
    let matches = usize::try_from(width.div_ceil(8)).ok()? == bytes.len();
    matches.then_some(Canonical::Bits { width, bytes })
}

fn interval(bytes: &[u8]) -> Option<Canonical<'static>> {
    let (micros, rest) = bytes.split_first_chunk()?;
    let (days, months) = rest.split_first_chunk()?;
    Some(Canonical::Interval {
        months: i32::from_be_bytes(months.try_into().ok()?),
        days: i32::from_be_bytes(*days),
        micros: i64::from_be_bytes(*micros),
    })
}

fn json(
    duplicates: DuplicateKeys,
    bytes: &[u8],
    canonicalizer: &mut JsonCanonicalizer,
    out: &mut Vec<u8>,
) -> Option<()> {
    let text = match duplicates {
        DuplicateKeys::KeepAll => bytes,
        // The version of jsonb's binary format, which is text.
        DuplicateKeys::LastWins => bytes.strip_prefix(&[1])?,
    };
    let options = JsonOptions {
        duplicates,
        nul: NulCharacters::Keep,
    };
    canonicalizer.encode(text, options, out).ok().map(|_| ())
}
