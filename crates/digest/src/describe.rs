//! Canonical bytes as a person reads them, for the keys of findings.
//!
//! Not for comparing: long values are cut.

use std::fmt::Write as _;

use crate::canonical::{
    TAG_ARRAY, TAG_BITS, TAG_BOOLEAN, TAG_BYTES, TAG_DATE, TAG_DECIMAL, TAG_DOUBLE, TAG_INTEGER,
    TAG_INTERVAL, TAG_JSON, TAG_NULL, TAG_REAL, TAG_TEXT, TAG_TIME, TAG_TIMESTAMP, TAG_UUID,
};

/// Keys are to be recognised, not to be kept: more than this many bytes of text help nobody.
const TEXT_MAX: usize = 256;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Whether a canonical value is NULL.
pub fn is_null(encoded: &[u8]) -> bool {
    encoded == [TAG_NULL]
}

/// The text of one canonical value: `7`, `2024-02-29`, a uuid with hyphens, `\x00ff`.
pub fn describe(encoded: &[u8]) -> String {
    let Some((tag, content)) = encoded.split_first() else {
        return String::new();
    };
    match *tag {
        TAG_NULL => "NULL".to_owned(),
        TAG_BOOLEAN => (content == [1]).to_string(),
        TAG_INTEGER => long(content).to_string(),
        TAG_DECIMAL => decimal(content),
        TAG_REAL => f32::from_bits(int(content).cast_unsigned()).to_string(),
        TAG_DOUBLE => f64::from_bits(long(content).cast_unsigned()).to_string(),
        TAG_TEXT => text(content.get(8..).unwrap_or_default()),
        TAG_BYTES => hex(content.get(8..).unwrap_or_default()),
        TAG_UUID => uuid(content),
        TAG_DATE => date(i64::from(int(content))),
        TAG_TIME => time(long(content)),
        TAG_TIMESTAMP => timestamp(long(content)),
        TAG_INTERVAL => interval(content),
        TAG_BITS => bits(content),
        TAG_JSON => "(json)".to_owned(),
        TAG_ARRAY => "(array)".to_owned(),
        _ => text(content.get(8..).unwrap_or_default()),
    }
}

fn int(content: &[u8]) -> i32 {
    content.first_chunk().map_or(0, |b| i32::from_le_bytes(*b))
}

fn long(content: &[u8]) -> i64 {
    content.first_chunk().map_or(0, |b| i64::from_le_bytes(*b))
}

fn text(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(TEXT_MAX)];
    let mut text = String::from_utf8_lossy(cut).into_owned();
    if bytes.len() > TEXT_MAX {
        text.push('…');
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::from("\\x");
    for byte in bytes.iter().take(TEXT_MAX) {
        write!(text, "{byte:02x}").expect("writing to memory does not fail");
    }
    if bytes.len() > TEXT_MAX {
        text.push('…');
    }
    text
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = hex(bytes).split_off(2);
    for position in [8, 13, 18, 23] {
        if text.len() > position {
            text.insert(position, '-');
        }
    }
    text
}

/// `+15e-1;` as `1.5`, unless that would need many zeros.
fn decimal(content: &[u8]) -> String {
    let end = content.iter().position(|b| *b == b';').unwrap_or(0);
    let text = String::from_utf8_lossy(&content[..end]);
    let Some((digits, exponent)) = text.split_once('e') else {
        return text.into_owned();
    };
    let (sign, digits) = digits.split_at(1);
    let sign = if sign == "-" { "-" } else { "" };
    match exponent.parse::<i32>() {
        Ok(zeros @ 0..=100) => {
            let zeros = "0".repeat(usize::try_from(zeros).unwrap_or(0));
            format!("{sign}{digits}{zeros}")
        }
        Ok(places @ -100..0) => {
            let places = usize::try_from(-places).unwrap_or(0);
            let digits = format!("{digits:0>width$}", width = places + 1);
            let (integer, fraction) = digits.split_at(digits.len() - places);
            format!("{sign}{integer}.{fraction}")
        }
        _ => format!("{sign}{digits}e{exponent}"),
    }
}

/// The civil date of days since 2000-01-01, in the proleptic Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn date(days: i64) -> String {
    // 719,468 days lie between 0000-03-01 and 1970-01-01, 10,957 more to 2000-01-01.
    let days = days + 719_468 + 10_957;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn time(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let seconds = seconds % 60;
    match fraction {
        0 => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{fraction:06}"),
    }
}

fn timestamp(micros: i64) -> String {
    let day = date(micros.div_euclid(MICROS_PER_DAY));
    format!("{day} {}", time(micros.rem_euclid(MICROS_PER_DAY)))
}

fn interval(content: &[u8]) -> String {
    let months = int(content);
    let days = int(content.get(4..).unwrap_or_default());
    let time = time(long(content.get(8..).unwrap_or_default()));
    match (months, days) {
        (0, 0) => time,
        _ => format!("{months} months {days} days {time}"),
    }
}

fn bits(content: &[u8]) -> String {
    let width = usize::try_from(int(content)).unwrap_or(0);
    let bytes = content.get(12..).unwrap_or_default();
    let bits = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |shift| byte >> shift & 1 == 1));
    bits.take(width.min(TEXT_MAX))
        .map(|bit| if bit { '1' } else { '0' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Canonical, Decimal};

    fn described(value: Canonical<'_>) -> String {
        let mut out = Vec::new();
        value.encode(&mut out);
        describe(&out)
    }

    #[test]
    fn every_kind_of_key_is_readable() {
        let uuid = [
            0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8,
        ];
        for (value, expected) in [
            (Canonical::Null, "NULL"),
            (Canonical::Boolean(true), "true"),
            (Canonical::Integer(-7), "-7"),
            (Canonical::Real(0.1), "0.1"),
            (Canonical::Double(-0.0), "-0"),
            (Canonical::Text("é".as_bytes()), "é"),
            (Canonical::Bytes(&[0, 255]), "\\x00ff"),
            (
                Canonical::Uuid(uuid),
                "12345678-9abc-def0-0102-030405060708",
            ),
            (Canonical::Date(0), "2000-01-01"),
            (Canonical::Date(59), "2000-02-29"),
            (Canonical::Date(-1), "1999-12-31"),
            (Canonical::Date(-726_860), "0009-12-04"),
            (Canonical::Time(3_600_000_001), "01:00:00.000001"),
            (Canonical::Timestamp(-1), "1999-12-31 23:59:59.999999"),
            (
                Canonical::Interval {
                    months: 0,
                    days: 0,
                    micros: -3_020_399_000_000,
                },
                "-838:59:59",
            ),
            (
                Canonical::Bits {
                    width: 3,
                    bytes: &[0b1010_0000],
                },
                "101",
            ),
            (Canonical::Unconvertible(b"x"), "x"),
        ] {
            assert_eq!(described(value), expected);
        }
    }

    #[test]
    fn decimals_are_spelled_out() {
        for text in ["0", "1.5", "-0.05", "1200", "18446744073709551615"] {
            let mut number = Decimal::default();
            number.set_text(text.as_bytes());
            let decimal = Canonical::Decimal {
                number: &number,
                scale: Some(9),
            };
            assert_eq!(described(decimal), text);
        }
    }

    #[test]
    fn long_text_is_cut() {
        let text = described(Canonical::Text(&[b'a'; 1000]));
        assert_eq!(text.chars().count(), TEXT_MAX + 1);
    }
}
