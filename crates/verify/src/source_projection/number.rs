//! Numbers: ranges, scales and floats.
//!
//! Nothing is rounded unless a rule says so, and then halves go away from zero.

use std::io::Write as _;

use catalog::Condition;
use digest::{Canonical, Decimal, SourceValue};

use super::{Obstacle, Precision};
use crate::form::{Form, IntegerWidth};

/// A number into the form of the target; `number` is a buffer.
pub(super) fn convert(
    value: SourceValue<'_>,
    form: &Form,
    precision: Option<Precision>,
    number: &mut Decimal,
    out: &mut Vec<u8>,
) -> Result<(), Obstacle> {
    match form {
        Form::Boolean => boolean(value, number, out),
        Form::Integer(width) => integer(value, *width, precision, number, out),
        Form::Decimal {
            limits,
            scale_counts,
        } => {
            let scale = set(value, number)?;
            if let Some((digits, scale)) = limits {
                fit(number, *digits, *scale, precision)?;
            }
            let scale = scale_counts.then_some(scale);
            Canonical::Decimal { number, scale }.encode(out);
            Ok(())
        }
        Form::Real | Form::RealText => {
            let real = real(value, precision, number)?;
            Canonical::Real(real).encode(out);
            Ok(())
        }
        Form::Double | Form::DoubleText => {
            let double = double(value, precision, number)?;
            Canonical::Double(double).encode(out);
            Ok(())
        }
        _ => Err(Obstacle::Unconvertible),
    }
}

fn boolean(
    value: SourceValue<'_>,
    number: &mut Decimal,
    out: &mut Vec<u8>,
) -> Result<(), Obstacle> {
    set(value, number)?;
    let truth = match number.to_integer() {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(Obstacle::Condition(Condition::NotBoolean)),
    };
    Canonical::Boolean(truth).encode(out);
    Ok(())
}

fn integer(
    value: SourceValue<'_>,
    width: IntegerWidth,
    precision: Option<Precision>,
    number: &mut Decimal,
    out: &mut Vec<u8>,
) -> Result<(), Obstacle> {
    let integer = match value {
        SourceValue::Int(value) => Some(i128::from(value)),
        SourceValue::UInt(value) => Some(i128::from(value)),
        SourceValue::Bytes(_) => {
            set(value, number)?;
            shorten(number, 0, precision)?;
            number.to_integer()
        }
        _ => return Err(Obstacle::Unconvertible),
    };
    let integer = integer
        .and_then(|integer| width.check(integer))
        .ok_or(Obstacle::Condition(Condition::OutOfRange))?;
    Canonical::Integer(integer).encode(out);
    Ok(())
}

/// Puts the value into `number` and returns how many decimal places it shows.
fn set(value: SourceValue<'_>, number: &mut Decimal) -> Result<u16, Obstacle> {
    let is_number = match value {
        SourceValue::Int(value) => {
            number.set_integer(i128::from(value));
            true
        }
        SourceValue::UInt(value) => {
            number.set_integer(i128::from(value));
            true
        }
        // The fewest digits that read back as the same float.
        SourceValue::Float(value) => set_spelled(format_args!("{value:e}"), number),
        SourceValue::Double(value) => set_spelled(format_args!("{value:e}"), number),
        SourceValue::Bytes(text) => {
            if !number.set_text(text) {
                return Err(Obstacle::Unconvertible);
            }
            return Ok(places(text, number));
        }
        _ => false,
    };
    match is_number {
        true => Ok(0),
        false => Err(Obstacle::Unconvertible),
    }
}

fn set_spelled(spelling: std::fmt::Arguments<'_>, number: &mut Decimal) -> bool {
    let mut buffer = [0u8; 32];
    let mut free = &mut buffer[..];
    free.write_fmt(spelling)
        .expect("17 digits, a sign, a point and an exponent fit into 32 bytes");
    let unused = free.len();
    let used = buffer.len() - unused;
    number.set_text(&buffer[..used])
}

/// Decimal places that a text shows: two for 1.50.
fn places(text: &[u8], number: &Decimal) -> u16 {
    let shown = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(_) => number.fraction_digits(),
        None => {
            let point = text.iter().position(|byte| *byte == b'.');
            point.map_or(0, |point| (text.len() - point - 1) as u64)
        }
    };
    u16::try_from(shown).unwrap_or(u16::MAX)
}

/// Checks a declared precision and scale.
fn fit(
    number: &mut Decimal,
    digits: u16,
    scale: i16,
    precision: Option<Precision>,
) -> Result<(), Obstacle> {
    shorten(number, i64::from(scale), precision)?;
    let before_point = i64::from(digits) - i64::from(scale);
    if !number.is_zero() && number.integer_digits() > before_point {
        return Err(Obstacle::Condition(Condition::OutOfRange));
    }
    Ok(())
}

fn shorten(number: &mut Decimal, scale: i64, precision: Option<Precision>) -> Result<(), Obstacle> {
    if number.fits_scale(scale) {
        return Ok(());
    }
    match precision {
        None => return Err(Obstacle::Condition(Condition::PrecisionLost)),
        Some(Precision::Truncate) => number.truncate(scale),
        Some(Precision::Round) => number.round(scale),
    }
    Ok(())
}

fn real(
    value: SourceValue<'_>,
    precision: Option<Precision>,
    number: &mut Decimal,
) -> Result<f32, Obstacle> {
    let (nearest, exact) = match value {
        SourceValue::Float(value) => return Ok(value),
        SourceValue::Double(value) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whether something is lost is judged by the way back"
            )]
            let nearest = value as f32;
            (nearest, f64::from(nearest) == value)
        }
        other => {
            set(other, number)?;
            let nearest = number.to_f32();
            (nearest, is_spelled(format_args!("{nearest:e}"), number))
        }
    };
    if nearest.is_infinite() {
        return Err(Obstacle::Condition(Condition::OutOfRange));
    }
    keep(nearest, exact, precision)
}

fn double(
    value: SourceValue<'_>,
    precision: Option<Precision>,
    number: &mut Decimal,
) -> Result<f64, Obstacle> {
    let (nearest, exact) = match value {
        SourceValue::Double(value) => return Ok(value),
        SourceValue::Float(value) => return Ok(f64::from(value)),
        other => {
            set(other, number)?;
            let nearest = number.to_f64();
            (nearest, is_spelled(format_args!("{nearest:e}"), number))
        }
    };
    if nearest.is_infinite() {
        return Err(Obstacle::Condition(Condition::OutOfRange));
    }
    keep(nearest, exact, precision)
}

/// Floats know one rule: the nearest value.
fn keep<F>(nearest: F, exact: bool, precision: Option<Precision>) -> Result<F, Obstacle> {
    match exact || precision == Some(Precision::Round) {
        true => Ok(nearest),
        false => Err(Obstacle::Condition(Condition::PrecisionLost)),
    }
}

/// Whether the fewest digits of a float are those of the number.
fn is_spelled(spelling: std::fmt::Arguments<'_>, number: &Decimal) -> bool {
    let mut spelled = Decimal::default();
    set_spelled(spelling, &mut spelled) && spelled == *number
}
