//! The grammar of RFC 8259, checked in one pass without recursion.
//!
//! Builds nothing; says whether a text is JSON and what in it some targets cannot store.

use crate::number::{Number, split_digits};

/// What valid JSON may hold that `jsonb` refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// `\u0000` in a string.
    pub(crate) nul_escape: bool,
    /// Half a surrogate pair in a string.
    pub(crate) unpaired_surrogate: bool,
    /// A number beyond what `numeric` holds.
    pub(crate) number_overflow: bool,
}

/// Reads a whole text, which must be UTF-8; `None` where it is not JSON.
pub(crate) fn examine(text: &[u8]) -> Option<Traits> {
    let mut reader = Reader {
        text,
        at: 0,
        traits: Traits::default(),
    };
    let mut open = Nesting::default();
    loop {
        if reader.value(&mut open)? == Step::Descended {
            continue;
        }
        loop {
            reader.blanks();
            if open.depth == 0 {
                return (reader.at == text.len()).then_some(reader.traits);
            }
            match (reader.next()?, open.in_object()) {
                (b',', true) => {
                    reader.blanks();
                    reader.key()?;
                    break;
                }
                (b',', false) => break,
                (b'}', true) | (b']', false) => open.leave(),
                _ => return None,
            }
        }
    }
}

/// Whether a value is over, or its first member comes next.
#[derive(PartialEq, Eq)]
enum Step {
    Complete,
    Descended,
}

/// Which of the open brackets are objects, one bit each, the innermost lowest.
#[derive(Default)]
struct Nesting {
    depth: usize,
    innermost: u64,
    outer: Vec<u64>,
}

impl Nesting {
    fn enter(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.innermost);
        }
        self.innermost = self.innermost << 1 | u64::from(object);
        self.depth += 1;
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.innermost >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.innermost = self.outer.pop().expect("one word for each 64 levels");
        }
    }

    fn in_object(&self) -> bool {
        self.innermost & 1 == 1
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    traits: Traits,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// Reads a scalar or an empty container, or the opening bracket (and first key) of one.
    fn value(&mut self, open: &mut Nesting) -> Option<Step> {
        self.blanks();
        match self.next()? {
            b'"' => self.string()?,
            b'{' => {
                self.blanks();
                if self.text.get(self.at) == Some(&b'}') {
                    self.at += 1;
                } else {
                    self.key()?;
                    open.enter(true);
                    return Some(Step::Descended);
                }
            }
            b'[' => {
                self.blanks();
                if self.text.get(self.at) == Some(&b']') {
                    self.at += 1;
                } else {
                    open.enter(false);
                    return Some(Step::Descended);
                }
            }
            b't' => self.word(b"rue")?,
            b'f' => self.word(b"alse")?,
            b'n' => self.word(b"ull")?,
            b'-' | b'0'..=b'9' => {
                self.at -= 1;
                self.number()?;
            }
            _ => return None,
        }
        Some(Step::Complete)
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        self.text[self.at..]
            .starts_with(rest)
            .then(|| self.at += rest.len())
    }

    fn key(&mut self) -> Option<()> {
        if self.next()? != b'"' {
            return None;
        }
        self.string()?;
        self.blanks();
        (self.next()? == b':').then_some(())
    }

    /// Reads up to the closing quote; the opening one is read.
    fn string(&mut self) -> Option<()> {
        loop {
            self.at = special(self.text, self.at);
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                match self.four_digits()? {
                    0 => self.traits.nul_escape = true,
                    0xD800..=0xDBFF => self.low_surrogate()?,
                    0xDC00..=0xDFFF => self.traits.unpaired_surrogate = true,
                    _ => {}
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Reads the second half of a pair where it follows; leaves everything else unread.
    fn low_surrogate(&mut self) -> Option<()> {
        let start = self.at;
        if self.text[start..].starts_with(b"\\u") {
            self.at += 2;
            if matches!(self.four_digits()?, 0xDC00..=0xDFFF) {
                return Some(());
            }
            self.at = start;
        }
        self.traits.unpaired_surrogate = true;
        Some(())
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |sum, digit| {
            Some(sum << 4 | char::from(*digit).to_digit(16)?)
        })
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        let rest = &self.text[start..];
        let rest = rest.strip_prefix(b"-").unwrap_or(rest);
        let (integer, rest) = split_digits(rest);
        if integer.is_empty() || (integer.len() > 1 && integer[0] == b'0') {
            return None;
        }
        let rest = match rest.strip_prefix(b".") {
            Some(fraction) => non_empty_digits(fraction)?,
            None => rest,
        };
        let mantissa_end = self.text.len() - rest.len();
        let (rest, exponent) = match rest {
            [b'e' | b'E', b'+' | b'-', digits @ ..] => (non_empty_digits(digits)?, true),
            [b'e' | b'E', digits @ ..] => (non_empty_digits(digits)?, true),
            _ => (rest, false),
        };
        self.at = self.text.len() - rest.len();
        if exponent || self.at - start > FRACTION_DIGITS_MAX {
            self.traits.number_overflow |= overflows(
                &self.text[start..mantissa_end],
                &self.text[mantissa_end..self.at],
            );
        }
        Some(())
    }
}

/// Digits before and after the point that `numeric` holds (PostgreSQL's manual, 8.1.2).
const INTEGER_DIGITS_MAX: i64 = 131_072;
const FRACTION_DIGITS_MAX: usize = 16_383;

/// Whether a number such as `-12.5` and `e400` is beyond `numeric`.
fn overflows(mantissa: &[u8], exponent: &[u8]) -> bool {
    let Some(number) = Number::parse(mantissa) else {
        return false;
    };
    let text = std::str::from_utf8(exponent.get(1..).unwrap_or_default()).unwrap_or_default();
    let exponent: i64 = match text {
        "" => 0,
        // Beyond 64 bits only the sign counts.
        text => text.parse().unwrap_or(if text.starts_with('-') {
            i64::MIN / 4
        } else {
            i64::MAX / 4
        }),
    };
    // PostgreSQL's own limit of an exponent, half of a C int, holds for zero too.
    let exponent_refused = exponent.abs() >= i64::from(i32::MAX / 2);
    let (significant, power) = number.significant();
    let scale = number.fraction.len() as i64 - exponent;
    exponent_refused
        || scale > FRACTION_DIGITS_MAX as i64
        || (!significant.is_empty() && power + exponent >= INTEGER_DIGITS_MAX)
}

fn non_empty_digits(text: &[u8]) -> Option<&[u8]> {
    let (digits, rest) = split_digits(text);
    (!digits.is_empty()).then_some(rest)
}

/// The first quote, backslash or control character from `at` on, or the end.
fn special(text: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    while let Some(chunk) = text.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        // The lowest byte that is flagged is right; those above it may be flagged falsely.
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let flags = (quote | backslash | control) & HIGH;
        if flags != 0 {
            return at + flags.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or_default();
    let found = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    found.map_or(text.len(), |offset| at + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json() {
        for text in [
            "null",
            " true ",
            "false\n",
            "0",
            "-0",
            "-0.5e-7",
            "1E+9",
            "10",
            "\"\"",
            "[]",
            "{}",
            "[ ]",
            "{ }",
            "[1,2, [3]]",
            r#"{"a":{"b":[{}]},"a":1}"#,
            "\t[\r\n]\n",
            r#""\"\\\/\b\f\n\r\t\u00e9""#,
            "\"\u{2028}ä🎉\u{7f}\"",
        ] {
            assert!(examine(text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_not() {
        for text in [
            "",
            " ",
            "nul",
            "nullx",
            "True",
            "01",
            "-",
            "+1",
            "1.",
            ".5",
            "1e",
            "1e+",
            "0x1",
            "NaN",
            "'a'",
            "\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12",
            "[",
            "]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:2}",
            "[1}",
            "{\"a\":1]",
            "1 2",
            "[]]",
            "\u{feff}1",
            "\u{a0}1",
            "\"\\",
            "\"aaaaaaaaaaaaaa\u{1}\"",
        ] {
            assert!(examine(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        for depth in [63, 64, 65, 128, 129, 1_000_000] {
            let deep = "[".repeat(depth) + &"]".repeat(depth);
            assert!(examine(deep.as_bytes()).is_some(), "{depth}");
            let mixed = "[{\"a\":".repeat(depth) + "1" + &"}]".repeat(depth);
            assert!(examine(mixed.as_bytes()).is_some(), "{depth}");
            let crossed = "[{\"a\":".repeat(depth) + "1" + &"]}".repeat(depth);
            assert!(examine(crossed.as_bytes()).is_none(), "{depth}");
        }
    }

    #[test]
    fn surrogates_come_in_pairs() {
        for (text, unpaired) in [
            (r#""\ud83c\udf89""#, false),
            (r#""\ud83c""#, true),
            (r#""\udf89""#, true),
            (r#""\ud83c\ud83c\udf89""#, true),
            (r#""\ud83c\n""#, true),
            (r#""\udf89\ud83c""#, true),
        ] {
            let traits = examine(text.as_bytes()).unwrap();
            assert_eq!(traits.unpaired_surrogate, unpaired, "{text}");
        }
        assert!(examine(br#""\ud83c\u12""#).is_none());
    }

    #[test]
    fn numbers_have_an_end() {
        for (text, overflow) in [
            ("1e131071", false),
            ("1e131072", true),
            ("0.001e131074", false),
            ("10e131071", true),
            ("1e-16383", false),
            ("1e-16384", true),
            ("0e131072", false),
            ("0e-16384", true),
            ("1e99999999999999999999999", true),
            ("-1e-99999999999999999999999", true),
        ] {
            let traits = examine(text.as_bytes()).unwrap();
            assert_eq!(traits.number_overflow, overflow, "{text}");
        }
        let long = format!("0.{}", "1".repeat(16_384));
        assert!(examine(long.as_bytes()).unwrap().number_overflow);
    }
}
