//! Bytes into `bytea`: `\x` and lower-case hexadecimal digits on both sides.
//!
//! Never guesses a character set: text becomes bytes by a rule alone.

use crate::rejection::Problem;

/// Copies the digits.
pub(crate) fn convert(value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let digits = digits(value)?;
    out.reserve(value.len());
    out.extend_from_slice(b"\\x");
    let start = out.len();
    out.extend_from_slice(digits);
    out[start..].make_ascii_lowercase();
    Ok(())
}

/// The hexadecimal digits after `\x`, an even number of them.
pub(crate) fn digits(value: &[u8]) -> Result<&[u8], Problem> {
    const REFUSAL: &str = "is not `\\x` and hexadecimal digits";
    let digits = value
        .strip_prefix(b"\\x")
        .ok_or(Problem::malformed(REFUSAL))?;
    // Counted without an early end, which lets the compiler look at many bytes at once.
    let wrong = digits.iter().fold(0_u8, |wrong, byte| {
        wrong | u8::from(!byte.is_ascii_hexdigit())
    });
    if wrong != 0 || digits.len() % 2 != 0 {
        return Err(Problem::malformed(REFUSAL));
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    #[test]
    fn all_byte_values_keep_their_digits() {
        let mut text = String::from("\\x");
        for byte in 0..=255_u8 {
            text.push_str(&format!("{byte:02x}"));
        }
        let mut out = Vec::new();
        convert(text.as_bytes(), &mut out).unwrap();
        assert_eq!(out, text.as_bytes());
        out.clear();
        convert(b"\\xAB", &mut out).unwrap();
        assert_eq!(out, b"\\xab");
    }

    #[test]
    fn other_spellings_are_malformed() {
        for text in ["", "ab", "\\x0", "\\xzz", "0xab"] {
            let problem = convert(text.as_bytes(), &mut Vec::new()).unwrap_err();
            assert_eq!(problem.kind, Kind::Malformed, "{text}");
        }
    }
}
