//! Which conversion there is for a source type and a target type.
//!
//! The pair alone decides, never the source type: a `char(36)` is a uuid only where the
//! target says so. What is not listed here is refused when the plan is made.

use catalog::{MysqlType, PostgresType};

use crate::array::{Element, Members};
use crate::bit::{BitTarget, Bits};
use crate::conversion::Conversion;
use crate::decimal::Numeric;
use crate::enumeration::Labels;
use crate::float::{Float, Origin, Width};
use crate::integer::Integer;
use crate::json::Json;
use crate::text::Text;
use crate::time::Time;
use crate::timestamp::Timestamp;
use crate::zone::Zone;

/// Why a pair has no conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is none.
    Unknown,
    /// There is one, as soon as the config names the zone of the source's clock.
    ZoneMissing,
    /// The config names a zone that does not exist.
    ZoneUnknown,
}

/// Chooses the conversion; `datetime_zone` is the config's.
pub(crate) fn conversion(
    source: &MysqlType,
    target: &PostgresType,
    datetime_zone: Option<&str>,
) -> Result<Conversion, Refusal> {
    let found = match source {
        MysqlType::Date | MysqlType::Datetime { .. } => {
            return calendar(target, || zone(datetime_zone));
        }
        MysqlType::Timestamp { .. } => return calendar(target, || Ok(Zone::Utc)),
        MysqlType::Time { .. } => time(target),
        MysqlType::Integer { .. } if *target == PostgresType::Boolean => Some(Conversion::Boolean),
        MysqlType::Integer { .. } | MysqlType::Year => Integer::new(target, false)
            .map(Conversion::Integer)
            .or_else(|| number(Origin::Decimal, target)),
        MysqlType::Decimal { .. } => number(Origin::Decimal, target),
        MysqlType::Float => number(Origin::Single, target),
        MysqlType::Double => number(Origin::Double, target),
        MysqlType::Bit { width } => bits(*width, target),
        MysqlType::Char { .. } | MysqlType::Varchar { .. } | MysqlType::Text(_) => {
            characters(target)
        }
        MysqlType::Uuid => match target {
            PostgresType::Uuid => Some(Conversion::Uuid),
            _ => text(target).map(Conversion::Text),
        },
        MysqlType::Json => json(target).or_else(|| text(target).map(Conversion::Text)),
        MysqlType::Enum { .. } => match target {
            PostgresType::Enum { labels, .. } => Some(Conversion::Enum(Labels::new(labels))),
            _ => text(target).map(Conversion::EnumText),
        },
        MysqlType::Set { members } => set(members, target),
        MysqlType::Other(name) if matches!(name.as_str(), "inet4" | "inet6") => {
            text(target).map(Conversion::Text)
        }
        other if other.is_binary() => binary(other, target),
        _ => None,
    };
    found.ok_or(Refusal::Unknown)
}

/// The character types of the target, `citext` among them.
pub(crate) fn text(target: &PostgresType) -> Option<Text> {
    let limit = match target {
        PostgresType::Text => None,
        PostgresType::Varchar { length } => *length,
        PostgresType::Char { length } => Some(*length),
        citext if citext.is_citext() => None,
        _ => return None,
    };
    Some(Text { limit })
}

/// What MySQL's character types can become.
pub(crate) fn characters(target: &PostgresType) -> Option<Conversion> {
    match target {
        PostgresType::Uuid => Some(Conversion::Uuid),
        PostgresType::Enum { labels, .. } => Some(Conversion::Enum(Labels::new(labels))),
        _ => json(target).or_else(|| text(target).map(Conversion::Text)),
    }
}

fn json(target: &PostgresType) -> Option<Conversion> {
    let binary = match target {
        PostgresType::Json => false,
        PostgresType::Jsonb => true,
        _ => return None,
    };
    Some(Conversion::Json(Json { binary }))
}

/// Numbers; a float never becomes an integer.
pub(crate) fn number(from: Origin, target: &PostgresType) -> Option<Conversion> {
    let float = |to| {
        let rounds = false;
        Some(Conversion::Float(Float { from, to, rounds }))
    };
    match target {
        PostgresType::Numeric { limits } => Some(Conversion::Numeric(Numeric { limits: *limits })),
        PostgresType::Real => float(Width::Real),
        PostgresType::Double => float(Width::Double),
        _ if from == Origin::Decimal => Integer::new(target, true)
            .map(Conversion::Integer)
            .or_else(|| text(target).map(Conversion::NumberText)),
        _ => text(target).map(Conversion::NumberText),
    }
}

fn bits(width: u8, target: &PostgresType) -> Option<Conversion> {
    let to = match target {
        PostgresType::Boolean => BitTarget::Boolean,
        PostgresType::Numeric { limits } => BitTarget::Numeric(Numeric { limits: *limits }),
        PostgresType::Bit { width } => BitTarget::Digits(*width),
        PostgresType::Varbit { width: limit } => {
            let width = u32::from(width);
            BitTarget::Digits(limit.map_or(width, |limit| limit.min(width)))
        }
        PostgresType::Bytea => BitTarget::Bytes,
        _ => BitTarget::Integer(Integer::new(target, false)?),
    };
    Some(Conversion::Bits(Bits { width, to }))
}

fn set(members: &[String], target: &PostgresType) -> Option<Conversion> {
    let PostgresType::Array(element) = target else {
        return text(target).map(Conversion::Text);
    };
    let element = match element.as_ref() {
        PostgresType::Enum { labels, .. } => Element::Enum(Labels::new(labels)),
        other => Element::Text(text(other)?),
    };
    let empty_member = members.iter().any(String::is_empty);
    Some(Conversion::Members(Members {
        element,
        empty_member,
    }))
}

fn binary(source: &MysqlType, target: &PostgresType) -> Option<Conversion> {
    let sixteen = matches!(
        source,
        MysqlType::Binary { length: 16 } | MysqlType::Varbinary { length: 16 }
    );
    match target {
        PostgresType::Bytea => Some(Conversion::Bytes),
        PostgresType::Uuid if sixteen => Some(Conversion::UuidBytes),
        _ => None,
    }
}

/// Dates and timestamps; `zone` is asked for where the target needs one.
pub(crate) fn calendar(
    target: &PostgresType,
    zone: impl FnOnce() -> Result<Zone, Refusal>,
) -> Result<Conversion, Refusal> {
    let timestamp = match target {
        PostgresType::Date => Timestamp::Day,
        PostgresType::Timestamp { fraction } => Timestamp::Local {
            fraction: *fraction,
        },
        PostgresType::Timestamptz { fraction } => Timestamp::Instant {
            fraction: *fraction,
            zone: zone()?,
        },
        _ => return Err(Refusal::Unknown),
    };
    Ok(Conversion::Timestamp(timestamp))
}

fn zone(name: Option<&str>) -> Result<Zone, Refusal> {
    Zone::new(name.ok_or(Refusal::ZoneMissing)?).ok_or(Refusal::ZoneUnknown)
}

/// Times of day and intervals.
pub(crate) fn time(target: &PostgresType) -> Option<Conversion> {
    let (fraction, beyond_a_day) = match target {
        PostgresType::Time { fraction } => (*fraction, false),
        PostgresType::Interval { fraction } => (*fraction, true),
        _ => return None,
    };
    Some(Conversion::Time(Time {
        fraction,
        beyond_a_day,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_are_refused() {
        for (source, target) in [
            ("varchar(10)", "bytea"),
            ("varchar(10)", "numeric"),
            ("varchar(10)", "boolean"),
            ("varchar(10)", "timestamp without time zone"),
            ("blob", "text"),
            ("binary(15)", "uuid"),
            ("int", "uuid"),
            ("double", "bigint"),
            ("decimal(10,2)", "boolean"),
            ("datetime(6)", "text"),
            ("json", "text[]"),
            ("point", "point"),
            ("vector(3)", "text"),
            ("set('a')", "integer[]"),
        ] {
            let source_type = MysqlType::parse(source);
            let refusal = conversion(&source_type, &PostgresType::parse(target), None);
            assert_eq!(
                refusal.err(),
                Some(Refusal::Unknown),
                "{source} to {target}"
            );
        }
    }

    #[test]
    fn a_datetime_needs_a_zone_to_become_an_instant() {
        let source = MysqlType::parse("datetime(6)");
        let target = PostgresType::parse("timestamp with time zone");
        let refusal = |zone| conversion(&source, &target, zone).err();
        assert_eq!(refusal(None), Some(Refusal::ZoneMissing));
        assert_eq!(refusal(Some("Moon/Tycho")), Some(Refusal::ZoneUnknown));
        assert_eq!(refusal(Some("Europe/Amsterdam")), None);
        let source = MysqlType::parse("timestamp");
        assert!(conversion(&source, &target, None).is_ok());
    }
}
