//! `numeric`: digits to the base of ten thousand (PostgreSQL, `numeric_recv`).

use super::Unreadable;

/// Decimal digits of a digit on the wire.
const DIGITS: usize = 4;
const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;

/// Appends a number that is spelled plainly: `-12.50`, without an exponent.
pub(super) fn encode(text: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let (sign, number) = match text.strip_prefix(b"-") {
        Some(number) => (NEGATIVE, number),
        None => (POSITIVE, text),
    };
    let point = number.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&number[..point], &number[point + 1..]),
        None => (number, &[][..]),
    };
    let is_plain = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    let has_digits = !whole.is_empty() && (point.is_none() || !fraction.is_empty());
    if !has_digits || !is_plain(whole) || !is_plain(fraction) {
        return Err(Unreadable);
    }
    let zeros = whole.iter().take_while(|byte| **byte == b'0').count();
    let whole = &whole[zeros..];
    let scale = u16::try_from(fraction.len()).map_err(|_| Unreadable)?;
    let header = out.len();
    out.extend([0; 8]);
    let mut weight = i32::try_from(whole.len().div_ceil(DIGITS)).map_err(|_| Unreadable)? - 1;
    let mut count: u16 = 0;
    let mut push = |digit: u16, out: &mut Vec<u8>| {
        // Zeros in front are no digits, but lower the weight of the first one.
        if count == 0 && digit == 0 {
            weight -= 1;
            return Ok(());
        }
        count = count.checked_add(1).ok_or(Unreadable)?;
        out.extend(digit.to_be_bytes());
        Ok(())
    };
    let first = whole.len() % DIGITS;
    if first > 0 {
        push(digit(&whole[..first]), out)?;
    }
    for digits in whole[first..].chunks(DIGITS) {
        push(digit(digits), out)?;
    }
    for digits in fraction.chunks(DIGITS) {
        let missing = DIGITS - digits.len();
        push(digit(digits) * 10_u16.pow(missing as u32), out)?;
    }
    let weight = match count {
        0 => 0,
        _ => i16::try_from(weight).map_err(|_| Unreadable)?,
    };
    let fields = [count, weight.cast_unsigned(), sign, scale];
    for (place, field) in fields.into_iter().enumerate() {
        out[header + 2 * place..][..2].copy_from_slice(&field.to_be_bytes());
    }
    Ok(())
}

/// At most four decimal digits.
fn digit(digits: &[u8]) -> u16 {
    let digits = digits.iter();
    digits.fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> Result<Vec<u16>, Unreadable> {
        let mut out = Vec::new();
        encode(text.as_bytes(), &mut out)?;
        let words = out.chunks(2);
        Ok(words
            .map(|word| u16::from_be_bytes([word[0], word[1]]))
            .collect())
    }

    #[test]
    fn digits_are_to_the_base_of_ten_thousand() {
        for (text, words) in [
            ("0", &[0, 0, 0, 0][..]),
            ("0.00", &[0, 0, 0, 2]),
            ("1", &[1, 0, 0, 0, 1]),
            ("-12345", &[2, 1, 0x4000, 0, 1, 2345]),
            ("0001.5", &[2, 0, 0, 1, 1, 5000]),
            ("0.00001", &[1, 0xfffe, 0, 5, 1000]),
            ("10000", &[2, 1, 0, 0, 1, 0]),
            ("0.0100", &[1, 0xffff, 0, 4, 100]),
        ] {
            assert_eq!(encoded(text), Ok(words.to_vec()), "{text}");
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in ["", "-", ".", "1.", ".5", "1e5", "NaN", "+1", "1 ", "--1"] {
            assert_eq!(encoded(text), Err(Unreadable), "{text}");
        }
    }
}
