//! Text and bytes into `uuid`: 36 characters in lower case.
//!
//! Takes the hyphenated form alone; the other spellings that PostgreSQL would read are left
//! to a rule, so that two spellings never become one value in silence.

use catalog::Condition;

use crate::binary;
use crate::rejection::Problem;

/// `00000000-0000-0000-0000-000000000000`.
pub(crate) const NIL: &[u8] = b"00000000-0000-0000-0000-000000000000";

/// The length of the hyphenated form.
const LENGTH: usize = 36;
/// 1 where a hyphen stands.
const HYPHENS: [u8; LENGTH] = {
    let mut hyphens = [0; LENGTH];
    hyphens[8] = 1;
    hyphens[13] = 1;
    hyphens[18] = 1;
    hyphens[23] = 1;
    hyphens
};

/// Text of 36 characters in either case.
pub(crate) fn from_text(value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let Ok(text) = <&[u8; LENGTH]>::try_from(value) else {
        return Err(refusal(value.is_empty()));
    };
    let mut lower = [0_u8; LENGTH];
    let mut wrong = 0;
    // Without a branch, so that the compiler looks at many bytes at once.
    for ((from, to), hyphen) in text.iter().zip(&mut lower).zip(&HYPHENS) {
        let digit = from.wrapping_sub(b'0') < 10;
        let letter = (from | 0x20).wrapping_sub(b'a') < 6;
        let hexadecimal = u8::from(digit | letter);
        let expected = (hexadecimal & !hyphen) | (u8::from(*from == b'-') & hyphen);
        wrong |= expected ^ 1;
        *to = from | (u8::from(letter) << 5);
    }
    if wrong != 0 {
        return Err(refusal(false));
    }
    out.extend_from_slice(&lower);
    Ok(())
}

/// Sixteen bytes, exported as `\x` and hexadecimal digits.
pub(crate) fn from_bytes(value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let digits = binary::digits(value)?;
    if digits.len() != 32 {
        return Err(refusal(digits.is_empty()));
    }
    for (start, end) in [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)] {
        if start > 0 {
            out.push(b'-');
        }
        out.extend(digits[start..end].iter().map(u8::to_ascii_lowercase));
    }
    Ok(())
}

fn refusal(empty: bool) -> Problem {
    if empty {
        Problem::new(Condition::EmptyUuid, "is empty where the target is uuid")
    } else {
        Problem::new(Condition::InvalidUuid, "is not a uuid")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

    #[test]
    fn upper_case_becomes_lower() {
        let mut out = Vec::new();
        from_text(UUID.to_uppercase().as_bytes(), &mut out).unwrap();
        assert_eq!(out, UUID.as_bytes());
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "0f8fad5b-d9cb-469f-a165-70867728950",
            " 0f8fad5b-d9cb-469f-a165-70867728950e",
            "0f8fad5bd9cb469fa16570867728950e",
            "0f8fad5b-d9cb-469f-a165-7086772895zz",
            "0f8fad5bxd9cb-469f-a165-70867728950e",
            "guidance",
            " ",
        ] {
            let problem = from_text(text.as_bytes(), &mut Vec::new()).unwrap_err();
            let kind = Kind::Condition(Condition::InvalidUuid);
            assert_eq!(problem.kind, kind, "{text}");
        }
        let problem = from_text(b"", &mut Vec::new()).unwrap_err();
        assert_eq!(problem.kind, Kind::Condition(Condition::EmptyUuid));
    }

    #[test]
    fn sixteen_bytes_are_a_uuid() {
        let mut out = Vec::new();
        from_bytes(b"\\x0f8fad5bd9cb469fa16570867728950e", &mut out).unwrap();
        assert_eq!(out, UUID.as_bytes());
        let problem = from_bytes(b"\\x0f8f", &mut Vec::new()).unwrap_err();
        assert_eq!(problem.kind, Kind::Condition(Condition::InvalidUuid));
        let problem = from_bytes(b"\\x", &mut Vec::new()).unwrap_err();
        assert_eq!(problem.kind, Kind::Condition(Condition::EmptyUuid));
    }
}
