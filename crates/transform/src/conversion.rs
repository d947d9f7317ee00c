//! One conversion of one column, chosen once and carried out for each of its values.
//!
//! Dispatches to the type families; knows nothing of rules beyond which repairs exist.

use std::fmt;

use catalog::Condition;

use crate::array::Members;
use crate::bit::{self, BitTarget, Bits};
use crate::decimal::Numeric;
use crate::enumeration::{self, Labels};
use crate::float::{Float, Origin, Width};
use crate::integer::Integer;
use crate::json::{self, Json};
use crate::number::Cut;
use crate::rejection::Problem;
use crate::text::{self, Text};
use crate::time::Time;
use crate::timestamp::Timestamp;
use crate::{binary, boolean, latin1, uuid};

/// From the text of an export to the text of the target's type.
#[derive(Clone, Debug)]
pub(crate) enum Conversion {
    Boolean,
    BooleanWord,
    Integer(Integer),
    Numeric(Numeric),
    Float(Float),
    NumberText(Text),
    Text(Text),
    Latin1Bytes,
    Latin1Base64(Text),
    Uuid,
    UuidBytes,
    Bytes,
    Bits(Bits),
    BitDigits { width: Option<u32>, varying: bool },
    Enum(Labels),
    EnumText(Text),
    Members(Members),
    EmptyArray,
    Timestamp(Timestamp),
    Time(Time),
    Json(Json),
}

/// A change of a value in the source's spelling, after which it is converted again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// NUL characters make way for this text.
    ReplaceNul(String),
    /// `\u0000` escapes make way for this text.
    ReplaceJsonNul(String),
    /// What is too long or too precise is dropped or rounded.
    Shorten(Cut),
}

impl Conversion {
    /// Appends the converted value to `out`, or a part of it and an error.
    #[inline]
    pub(crate) fn convert(&self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        match self {
            Self::Boolean => boolean::from_integer(value, out),
            Self::BooleanWord => boolean::from_word(value, out),
            Self::Integer(integer) => integer.convert(value, out),
            Self::Numeric(numeric) => numeric.convert(value, out),
            Self::Float(float) => float.convert(value, out),
            Self::NumberText(text) => text.convert_number(value, out),
            Self::Text(text) => text.convert(value, out),
            Self::Latin1Bytes => latin1::to_bytes(value, out),
            Self::Latin1Base64(text) => latin1::to_base64(*text, value, out),
            Self::Uuid => uuid::from_text(value, out),
            Self::UuidBytes => uuid::from_bytes(value, out),
            Self::Bytes => binary::convert(value, out),
            Self::Bits(bits) => bits.convert(value, out),
            Self::BitDigits { width, varying } => bit::from_digits(value, *width, *varying, out),
            Self::Enum(labels) => labels.convert(value, out),
            Self::EnumText(text) => enumeration::to_text(*text, value, out),
            Self::Members(members) => members.convert(value, out),
            Self::EmptyArray => empty_array(value, out),
            Self::Timestamp(timestamp) => timestamp.convert(value, out),
            Self::Time(time) => time.convert(value, out),
            Self::Json(json) => json.convert(value, out),
        }
    }

    /// Whether some value of the source type could meet the condition here.
    pub(crate) fn meets(&self, condition: Condition) -> bool {
        use Condition::{
            EmptyUuid, EnumUnknown, InvalidDate, InvalidJson, InvalidUuid, JsonNul, NotBoolean,
            NulByte, OutOfRange, PrecisionLost, TimeRange, TooLong, ZeroDate,
        };
        match self {
            Self::Boolean | Self::BooleanWord => condition == NotBoolean,
            Self::Integer(integer) => match condition {
                PrecisionLost => integer.fractional,
                other => other == OutOfRange,
            },
            Self::Float(_) => matches!(condition, OutOfRange | PrecisionLost),
            Self::Numeric(numeric) => {
                numeric.limits.is_some() && matches!(condition, OutOfRange | PrecisionLost)
            }
            Self::NumberText(text) | Self::Latin1Base64(text) => {
                text.limit.is_some() && condition == TooLong
            }
            Self::Text(text) => match condition {
                TooLong => text.limit.is_some(),
                other => other == NulByte,
            },
            Self::Uuid | Self::UuidBytes => matches!(condition, EmptyUuid | InvalidUuid),
            Self::Bits(bits) => bits.meets(condition),
            Self::BitDigits { .. } => matches!(condition, TooLong | OutOfRange),
            Self::Enum(_) => matches!(condition, EnumUnknown | NulByte),
            Self::EnumText(_) => matches!(condition, EnumUnknown | NulByte | TooLong),
            Self::Members(_) => matches!(condition, EnumUnknown | NulByte | TooLong),
            Self::Timestamp(_) => matches!(
                condition,
                ZeroDate | InvalidDate | PrecisionLost | OutOfRange
            ),
            Self::Time(_) => matches!(condition, TimeRange | PrecisionLost),
            Self::Json(json) => match condition {
                JsonNul | OutOfRange => json.binary,
                other => matches!(other, InvalidJson | NulByte),
            },
            Self::Latin1Bytes | Self::Bytes | Self::EmptyArray => false,
        }
    }

    /// Whether [`Conversion::repair`] knows what to do.
    pub(crate) fn repairs(&self, condition: Condition, edit: &Edit) -> bool {
        match (condition, edit) {
            (Condition::NulByte, Edit::ReplaceNul(_))
            | (Condition::JsonNul, Edit::ReplaceJsonNul(_)) => self.meets(condition),
            (Condition::TooLong, Edit::Shorten(Cut::Truncate)) => {
                matches!(self, Self::Text(_) | Self::EnumText(_)) && self.meets(condition)
            }
            (Condition::PrecisionLost, Edit::Shorten(cut)) => match self {
                Self::Timestamp(Timestamp::Day) => *cut == Cut::Truncate,
                Self::Integer(_) | Self::Timestamp(_) | Self::Time(_) => self.meets(condition),
                Self::Numeric(numeric) => numeric.limits.is_some(),
                _ => false,
            },
            _ => false,
        }
    }

    /// The conversion that rounds where this one refuses, for those that need no edit.
    pub(crate) fn rounding(&self) -> Option<Self> {
        match self {
            Self::Float(float) => Some(Self::Float(Float {
                rounds: true,
                ..*float
            })),
            _ => None,
        }
    }

    /// Appends the edited value, in the source's spelling.
    pub(crate) fn repair(
        &self,
        edit: &Edit,
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        match edit {
            Edit::ReplaceNul(text) => text::replace_nul(value, text, out),
            Edit::ReplaceJsonNul(text) => json::replace_nul(value, text, out),
            Edit::Shorten(cut) => return self.shorten(*cut, value, out),
        }
        Ok(())
    }

    fn shorten(&self, cut: Cut, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        match self {
            Self::Text(text) | Self::EnumText(text) => text.truncate(value, out),
            Self::Integer(_) => {
                Integer::shorten(value, cut, out);
                Ok(())
            }
            Self::Numeric(numeric) => {
                numeric.shorten(value, cut, out);
                Ok(())
            }
            Self::Timestamp(timestamp) => timestamp.shorten(value, cut, out),
            Self::Time(time) => time.shorten(value, cut, out),
            _ => {
                out.extend_from_slice(value);
                Ok(())
            }
        }
    }
}

fn empty_array(value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    if value != b"{}" {
        return Err(Problem::malformed("is not the empty array"));
    }
    out.extend_from_slice(value);
    Ok(())
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean | Self::BooleanWord => f.write_str("boolean: 0 is false, 1 is true"),
            Self::Integer(_) => f.write_str("integer: range checked"),
            Self::Numeric(Numeric { limits: None }) => f.write_str("numeric: every digit kept"),
            Self::Numeric(_) => f.write_str("numeric: precision and scale checked"),
            Self::Float(float) => write_float(*float, f),
            Self::NumberText(text) => write_text("text: the number's spelling", *text, f),
            Self::Text(text) => write_text("text: unchanged", *text, f),
            Self::Latin1Bytes => f.write_str("bytes: one for each character"),
            Self::Latin1Base64(text) => {
                write_text("text: base64 of one byte for each character", *text, f)
            }
            Self::Uuid => f.write_str("uuid: lower case"),
            Self::UuidBytes => f.write_str("uuid: sixteen bytes"),
            Self::Bytes => f.write_str("bytes: unchanged"),
            Self::Bits(Bits { to, .. }) => f.write_str(match to {
                BitTarget::Boolean => "boolean: bits 0 and 1",
                BitTarget::Integer(_) | BitTarget::Numeric(_) => "number: unsigned, range checked",
                BitTarget::Digits(_) => "bits: as a number, leading zeros written",
                BitTarget::Bytes => "bytes: unchanged",
            }),
            Self::BitDigits { .. } => f.write_str("bits: unchanged"),
            Self::Enum(_) => f.write_str("enum: labels compared by bytes"),
            Self::EnumText(text) => write_text("text: the label", *text, f),
            Self::Members(_) => f.write_str("array: one element for each member"),
            Self::EmptyArray => f.write_str("array: empty"),
            Self::Timestamp(timestamp) => write_timestamp(timestamp, f),
            Self::Time(time) if time.beyond_a_day => f.write_str("interval: every time"),
            Self::Time(_) => f.write_str("time: at most one day"),
            Self::Json(Json { binary: false }) => f.write_str("json: checked, text unchanged"),
            Self::Json(_) => f.write_str("jsonb: checked, text unchanged"),
        }
    }
}

fn write_text(what: &str, text: Text, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match text.limit {
        None => f.write_str(what),
        Some(limit) => write!(f, "{what}, at most {limit} characters"),
    }
}

fn write_float(float: Float, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(match (float.from, float.to) {
        (Origin::Decimal, _) => "float: must keep its digits",
        (Origin::Double, Width::Real) => "float: must be the same number in four bytes",
        _ => "float: the same number",
    })
}

fn write_timestamp(timestamp: &Timestamp, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match timestamp {
        Timestamp::Day => f.write_str("date: midnight alone"),
        Timestamp::Local { fraction } => write!(f, "timestamp: at most {fraction} digits"),
        Timestamp::Instant { fraction, zone } => {
            write!(
                f,
                "timestamp in UTC: read in {zone}, at most {fraction} digits"
            )
        }
    }
}
