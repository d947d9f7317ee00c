//! Which conversion a pair of types takes, decided once per column.
//!
//! A pair that is not listed here is not comparable, and the plan says so.

use catalog::{MysqlType, Outcome};
use jiff::tz::TimeZone;

use crate::form::{BitWidth, Form};

/// The way of a value to its canonical form.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    Number,
    BitNumber,
    /// As many binary digits.
    Bits(u32),
    Text,
    /// Text in MySQL's own spelling.
    Spelled,
    Label,
    Members {
        empty_member: bool,
    },
    Uuid,
    UuidBytes,
    Bytes,
    Json,
    /// With the zone of a wall clock that becomes an instant.
    Moment(Option<TimeZone>),
    /// Text in the target's spelling.
    Literal,
}

/// The zone that `datetime` values are in where the target wants instants.
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    Utc,
    Named(TimeZone),
}

impl Zone {
    /// Reads a name of the IANA time zone database.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("utc") {
            return Some(Self::Utc);
        }
        TimeZone::get(name).ok().map(Self::Named)
    }
}

/// Source types that are read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Integer,
    Decimal,
    Float,
    Bit,
    Text,
    Enum,
    Set,
    Binary,
    /// A wall clock's date.
    Calendar,
    /// An instant, read in UTC.
    Instant,
    Time,
    Json,
}

impl Family {
    fn of(source: &MysqlType) -> Self {
        match source {
            MysqlType::Integer { .. } | MysqlType::Year => Self::Integer,
            MysqlType::Decimal { .. } => Self::Decimal,
            MysqlType::Float | MysqlType::Double => Self::Float,
            MysqlType::Bit { .. } => Self::Bit,
            MysqlType::Enum { .. } => Self::Enum,
            MysqlType::Set { .. } => Self::Set,
            MysqlType::Date | MysqlType::Datetime { .. } => Self::Calendar,
            MysqlType::Timestamp { .. } => Self::Instant,
            MysqlType::Time { .. } => Self::Time,
            MysqlType::Json => Self::Json,
            other if other.is_binary() => Self::Binary,
            _ => Self::Text,
        }
    }
}

impl Route {
    /// The route for a pair, after the `any` rule of the column if there is one.
    pub(crate) fn between(
        source: &MysqlType,
        any: Option<&Outcome>,
        form: &Form,
        zone: &Zone,
    ) -> Option<Self> {
        let family = match any {
            None => Family::of(source),
            Some(Outcome::Latin1ToBytes) => Family::Binary,
            Some(Outcome::Map(_)) => return Some(text(form)),
            Some(_) => Family::Text,
        };
        match family {
            Family::Integer | Family::Decimal | Family::Float => number(family, form),
            Family::Bit => bit(source, form),
            // Text becomes bytes by a rule alone.
            Family::Text => Some(text(form)).filter(|_| *form != Form::Bytes),
            Family::Enum => match form {
                Form::Enum(_) | Form::Text { .. } => Some(Self::Label),
                _ => None,
            },
            Family::Set => set(source, form),
            Family::Binary => match form {
                Form::Bytes => Some(Self::Bytes),
                Form::Uuid => Some(Self::UuidBytes),
                Form::Text { .. } => Some(Self::Text),
                Form::Json(_) => Some(Self::Json),
                _ => None,
            },
            Family::Calendar | Family::Instant => calendar(family, form, zone),
            Family::Time => match form {
                Form::Time { .. } | Form::Interval { .. } => Some(Self::Moment(None)),
                Form::Text { .. } => Some(Self::Spelled),
                _ => None,
            },
            Family::Json => match form {
                Form::Json(_) => Some(Self::Json),
                Form::Text { .. } => Some(Self::Text),
                _ => None,
            },
        }
    }
}

fn number(family: Family, form: &Form) -> Option<Route> {
    match (form, family) {
        (Form::Decimal { .. } | Form::Real | Form::Double, _)
        | (Form::RealText | Form::DoubleText, Family::Float)
        | (Form::Integer(_), Family::Integer | Family::Decimal)
        | (Form::Boolean, Family::Integer) => Some(Route::Number),
        (Form::Text { .. }, Family::Integer | Family::Decimal) => Some(Route::Spelled),
        _ => None,
    }
}

fn bit(source: &MysqlType, form: &Form) -> Option<Route> {
    let MysqlType::Bit { width } = source else {
        return None;
    };
    Some(match form {
        Form::Boolean | Form::Integer(_) | Form::Decimal { .. } => Route::BitNumber,
        Form::Bits(BitWidth::Exactly(target)) => Route::Bits(*target),
        Form::Bits(BitWidth::AtMost(most)) => Route::Bits(u32::from(*width).min(*most)),
        Form::Bytes => Route::Bytes,
        _ => return None,
    })
}

fn text(form: &Form) -> Route {
    match form {
        Form::Text { .. } => Route::Text,
        Form::Enum(_) => Route::Label,
        Form::Uuid => Route::Uuid,
        Form::Json(_) => Route::Json,
        Form::Integer(_) | Form::Decimal { .. } | Form::Real | Form::Double => Route::Number,
        _ => Route::Literal,
    }
}

fn set(source: &MysqlType, form: &Form) -> Option<Route> {
    let MysqlType::Set { members } = source else {
        return None;
    };
    match form {
        Form::Text { .. } => Some(Route::Text),
        Form::Array(element) if matches!(**element, Form::Text { .. } | Form::Enum(_)) => {
            Some(Route::Members {
                empty_member: members.iter().any(String::is_empty),
            })
        }
        _ => None,
    }
}

fn calendar(family: Family, form: &Form, zone: &Zone) -> Option<Route> {
    match form {
        Form::Timestamp { zoned: true, .. } if family == Family::Calendar => match zone {
            Zone::Utc => Some(Route::Moment(None)),
            Zone::Named(zone) => Some(Route::Moment(Some(zone.clone()))),
        },
        Form::Date | Form::Timestamp { .. } => Some(Route::Moment(None)),
        Form::Text { .. } => Some(Route::Spelled),
        _ => None,
    }
}
