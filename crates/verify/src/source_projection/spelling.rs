//! Values as MySQL itself spells them in text.
//!
//! For targets that are text, and for the rules that work on text.

use std::io::Write as _;

use catalog::MysqlType;
use digest::SourceValue;

use crate::row::Scratch;

/// The text of a value, in the buffer of `scratch`, to which the caller gives it back.
pub(super) fn spell(value: SourceValue<'_>, source: &MysqlType, scratch: &mut Scratch) -> Vec<u8> {
    let mut text = std::mem::take(&mut scratch.text);
    text.clear();
    write(value, source, &mut text).expect("writing to memory does not fail");
    text
}

fn write(value: SourceValue<'_>, source: &MysqlType, text: &mut Vec<u8>) -> std::io::Result<()> {
    match value {
        SourceValue::Null => Ok(()),
        SourceValue::Int(year) if *source == MysqlType::Year => write!(text, "{year:04}"),
        SourceValue::UInt(year) if *source == MysqlType::Year => write!(text, "{year:04}"),
        SourceValue::Int(value) => write!(text, "{value}"),
        SourceValue::UInt(value) => write!(text, "{value}"),
        SourceValue::Float(value) => write!(text, "{value}"),
        SourceValue::Double(value) => write!(text, "{value}"),
        SourceValue::Bytes(bytes) => text.write_all(bytes),
        SourceValue::Date {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micros,
        } => {
            write!(text, "{year:04}-{month:02}-{day:02}")?;
            if *source == MysqlType::Date {
                return Ok(());
            }
            write!(text, " {hour:02}:{minute:02}:{second:02}")?;
            write_fraction(micros, source, text)
        }
        SourceValue::Time {
            negative,
            days,
            hours,
            minutes,
            seconds,
            micros,
        } => {
            let sign = if negative { "-" } else { "" };
            let hours = days * 24 + u32::from(hours);
            write!(text, "{sign}{hours:02}:{minutes:02}:{seconds:02}")?;
            write_fraction(micros, source, text)
        }
    }
}

/// As many digits as the column has.
fn write_fraction(micros: u32, source: &MysqlType, text: &mut Vec<u8>) -> std::io::Result<()> {
    let digits = match source {
        MysqlType::Datetime { fraction }
        | MysqlType::Timestamp { fraction }
        | MysqlType::Time { fraction } => usize::from(*fraction).min(6),
        _ => 0,
    };
    if digits == 0 {
        return Ok(());
    }
    let all = format!("{micros:06}");
    write!(text, ".{}", &all[..digits])
}
