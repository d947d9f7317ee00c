//! Values that rules, map files and the target's defaults spell out.
//!
//! Checked like data, so that a rule cannot bring in what the data could not.

use catalog::PostgresType;

use crate::conversion::Conversion;
use crate::float::Origin;
use crate::pair;
use crate::zone::Zone;

/// The conversion from the target's own spelling; `None` for types that no rule can spell.
pub(crate) fn conversion(target: &PostgresType) -> Option<Conversion> {
    match target {
        PostgresType::Boolean => Some(Conversion::BooleanWord),
        PostgresType::Real => pair::number(Origin::Single, target),
        PostgresType::Double => pair::number(Origin::Double, target),
        PostgresType::Smallint
        | PostgresType::Integer
        | PostgresType::Bigint
        | PostgresType::Numeric { .. } => pair::number(Origin::Decimal, target),
        PostgresType::Bytea => Some(Conversion::Bytes),
        PostgresType::Bit { width } => Some(Conversion::BitDigits {
            width: Some(*width),
            varying: false,
        }),
        PostgresType::Varbit { width } => Some(Conversion::BitDigits {
            width: *width,
            varying: true,
        }),
        PostgresType::Date | PostgresType::Timestamp { .. } | PostgresType::Timestamptz { .. } => {
            pair::calendar(target, || Ok(Zone::Utc)).ok()
        }
        PostgresType::Time { .. } | PostgresType::Interval { .. } => pair::time(target),
        PostgresType::Array(_) => Some(Conversion::EmptyArray),
        PostgresType::Uuid
        | PostgresType::Json
        | PostgresType::Jsonb
        | PostgresType::Enum { .. }
        | PostgresType::Char { .. }
        | PostgresType::Varchar { .. }
        | PostgresType::Text
        | PostgresType::Other(_) => pair::characters(target),
    }
}

/// The value in the target's canonical spelling; `None` where the type does not take it.
pub(crate) fn value(target: &PostgresType, text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    conversion(target)?
        .convert(text.as_bytes(), &mut out)
        .ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_become_canonical_or_are_refused() {
        for (target, text, canonical) in [
            ("boolean", "false", Some("f")),
            ("boolean", "maybe", None),
            ("smallint", "32768", None),
            ("numeric(10,2)", "1.5", Some("1.50")),
            ("double precision", "1e16", Some("1e+16")),
            ("real", "0.1", Some("0.1")),
            ("character varying(3)", "abcd", None),
            ("bytea", "\\xAB", Some("\\xab")),
            ("bit(2)", "01", Some("01")),
            ("bit(2)", "1", None),
            ("bit varying(3)", "1", Some("1")),
            ("date", "1970-01-01 00:00:00", Some("1970-01-01")),
            (
                "timestamp without time zone",
                "1970-01-01",
                Some("1970-01-01 00:00:00"),
            ),
            (
                "timestamp with time zone",
                "2000-01-01 00:00:00+00",
                Some("2000-01-01 00:00:00+00"),
            ),
            ("interval", "25:00:00", Some("25:00:00")),
            ("text[]", "{}", Some("{}")),
            ("text[]", "{a}", None),
            ("jsonb", "{}", Some("{}")),
            ("jsonb", "{", None),
            ("point", "(1,1)", None),
        ] {
            let written = value(&PostgresType::parse(target), text);
            let expected = canonical.map(|text| text.as_bytes().to_vec());
            assert_eq!(written, expected, "{target} {text}");
        }
    }
}
