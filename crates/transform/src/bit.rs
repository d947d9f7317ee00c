//! Bits into `bit(n)`, `bit varying`, integers, `numeric`, `boolean` and `bytea`.
//!
//! Reads them as one unsigned number; leading zeros are kept where the target counts bits.

use catalog::Condition;

use crate::binary;
use crate::boolean;
use crate::decimal::Numeric;
use crate::integer::Integer;
use crate::rejection::Problem;

/// From `bit(width)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bits {
    /// Bits of the source column, 1 to 64.
    pub(crate) width: u8,
    pub(crate) to: BitTarget,
}

/// What the bits become.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BitTarget {
    Boolean,
    Integer(Integer),
    Numeric(Numeric),
    /// So many binary digits.
    Digits(u32),
    Bytes,
}

impl Bits {
    pub(crate) fn convert(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let number = self.number(value)?;
        match self.to {
            BitTarget::Boolean => boolean::from_number(number, out),
            BitTarget::Integer(integer) => integer.write(number, out),
            BitTarget::Numeric(numeric) => numeric.convert(number.to_string().as_bytes(), out),
            BitTarget::Digits(digits) => write_digits(number, digits, out),
            BitTarget::Bytes => binary::convert(value, out),
        }
    }

    /// Whether some value could meet the condition.
    pub(crate) fn meets(self, condition: Condition) -> bool {
        match self.to {
            BitTarget::Boolean => condition == Condition::NotBoolean,
            BitTarget::Integer(_) => condition == Condition::OutOfRange,
            BitTarget::Numeric(Numeric { limits }) => {
                let numeric = [Condition::OutOfRange, Condition::PrecisionLost];
                limits.is_some() && numeric.contains(&condition)
            }
            BitTarget::Digits(_) => condition == Condition::TooLong,
            BitTarget::Bytes => false,
        }
    }

    fn number(self, value: &[u8]) -> Result<u64, Problem> {
        let digits = std::str::from_utf8(binary::digits(value)?).unwrap_or_default();
        let number = match digits {
            "" => None,
            digits => u64::from_str_radix(digits, 16).ok(),
        };
        number
            .filter(|number| self.width >= 64 || number >> self.width == 0)
            .ok_or(Problem::malformed("is not as many bits as the column has"))
    }
}

fn write_digits(number: u64, digits: u32, out: &mut Vec<u8>) -> Result<(), Problem> {
    let needed = u64::BITS - number.leading_zeros();
    if needed > digits {
        return Err(Problem::too_long(needed as usize, digits as usize, "bits"));
    }
    let digit = |place: u32| number.checked_shr(place).unwrap_or(0) & 1 == 1;
    out.extend(
        (0..digits)
            .rev()
            .map(|place| if digit(place) { b'1' } else { b'0' }),
    );
    Ok(())
}

/// Binary digits as a rule or a default spells them, exactly as many as the target has, or
/// at most so many where it varies.
pub(crate) fn from_digits(
    value: &[u8],
    width: Option<u32>,
    varying: bool,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    if !value.iter().all(|digit| matches!(digit, b'0' | b'1')) {
        return Err(Problem::malformed("is not made of binary digits"));
    }
    let length = value.len();
    match width.map(|width| width as usize) {
        Some(width) if length > width => Err(Problem::too_long(length, width, "bits")),
        Some(width) if length < width && !varying => Err(Problem::new(
            Condition::OutOfRange,
            "has fewer bits than the target",
        )),
        _ => {
            out.extend_from_slice(value);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;
    use catalog::PostgresType;

    fn convert(width: u8, to: BitTarget, value: &str) -> Result<String, Kind> {
        let mut out = Vec::new();
        Bits { width, to }
            .convert(value.as_bytes(), &mut out)
            .map(|()| String::from_utf8(out).unwrap())
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn leading_zeros_are_kept() {
        let digits = convert(8, BitTarget::Digits(8), "\\x05");
        assert_eq!(digits.as_deref(), Ok("00000101"));
        let digits = convert(64, BitTarget::Digits(64), "\\xffffffffffffffff");
        assert_eq!(digits, Ok("1".repeat(64)));
        let digits = convert(64, BitTarget::Digits(70), "\\x8000000000000000");
        assert_eq!(digits, Ok(format!("0000001{}", "0".repeat(63))));
    }

    #[test]
    fn bits_that_do_not_fit_are_named() {
        let long = Err(Kind::Condition(Condition::TooLong));
        assert_eq!(convert(8, BitTarget::Digits(4), "\\x1f"), long);
        assert_eq!(
            convert(8, BitTarget::Digits(4), "\\x0f").as_deref(),
            Ok("1111")
        );
        let bigint = BitTarget::Integer(Integer::new(&PostgresType::Bigint, false).unwrap());
        let beyond = Err(Kind::Condition(Condition::OutOfRange));
        assert_eq!(convert(64, bigint, "\\xffffffffffffffff"), beyond);
        assert_eq!(
            convert(64, bigint, "\\x00000000000000ff").as_deref(),
            Ok("255")
        );
        let other = Err(Kind::Condition(Condition::NotBoolean));
        assert_eq!(convert(8, BitTarget::Boolean, "\\x02"), other);
        assert_eq!(convert(1, BitTarget::Boolean, "\\x01").as_deref(), Ok("t"));
        assert_eq!(
            convert(1, BitTarget::Boolean, "\\x02"),
            Err(Kind::Malformed)
        );
        assert_eq!(convert(1, BitTarget::Boolean, "\\x"), Err(Kind::Malformed));
    }
}
