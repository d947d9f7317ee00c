//! Why a table cannot be converted at all: found when its plan is made, before any record.
//!
//! All of it is a matter of the config or the schemas; what is wrong with one value is a
//! [`crate::Rejection`].

use std::fmt;

use catalog::{MysqlType, Place, PostgresType, Rule};

use crate::pair::Refusal;

/// A table that cannot be planned; lists everything that stands in the way.
///
/// Always a matter of configuration (or of schemas that do not belong together), never of
/// the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    misfits: Vec<Misfit>,
}

impl Error {
    /// An error where there is something to complain about.
    pub(crate) fn check(misfits: Vec<Misfit>) -> Result<(), Self> {
        if misfits.is_empty() {
            return Ok(());
        }
        Err(Self { misfits })
    }

    /// What stands in the way, by column; at least one.
    pub fn misfits(&self) -> &[Misfit] {
        &self.misfits
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, misfit) in self.misfits.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{misfit}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// One thing that stands in the way of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    place: Place,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    OnlyInSource,
    OnlyInTarget,
    GeneratedInSource,
    GeneratedInTarget,
    NoConversion {
        source: MysqlType,
        target: PostgresType,
        refusal: Refusal,
    },
    RuleCannotWork {
        rule: String,
        source: MysqlType,
        target: PostgresType,
        why: &'static str,
    },
}

impl Kind {
    pub(crate) fn rule(
        rule: &Rule,
        source: &MysqlType,
        target: &PostgresType,
        why: &'static str,
    ) -> Self {
        Self::RuleCannotWork {
            rule: rule.to_string(),
            source: source.clone(),
            target: target.clone(),
            why,
        }
    }
}

impl Misfit {
    pub(crate) fn new(place: Place, kind: Kind) -> Self {
        Self { place, kind }
    }

    /// Database, table and column.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The name of the finding: `column_only_in_source`, `column_only_in_target`,
    /// `generated_in_source`, `generated_in_target`, `not_converted` or `rule_cannot_work`.
    pub fn kind(&self) -> &'static str {
        match &self.kind {
            Kind::OnlyInSource => "column_only_in_source",
            Kind::OnlyInTarget => "column_only_in_target",
            Kind::GeneratedInSource => "generated_in_source",
            Kind::GeneratedInTarget => "generated_in_target",
            Kind::NoConversion { .. } => "not_converted",
            Kind::RuleCannotWork { .. } => "rule_cannot_work",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match &self.kind {
            Kind::OnlyInSource => "add the column to the target, or drop it from the source",
            Kind::OnlyInTarget => "give the target column a default, or let it be null",
            Kind::GeneratedInSource => {
                "make the target column a generated one, or drop it there; \
                 to leave the whole table out, add it to exclude_tables"
            }
            Kind::GeneratedInTarget => "make the target column a plain one",
            Kind::NoConversion { refusal, .. } => match refusal {
                Refusal::Unknown => {
                    "change the target column's type, or map its values: \
                     {when: any, then: \"map:<file.csv>\"}"
                }
                Refusal::ZoneMissing => {
                    "add to the database's config, for instance: datetime_zone: UTC"
                }
                Refusal::ZoneUnknown => {
                    "set datetime_zone in the config to a name such as Europe/Amsterdam"
                }
            },
            Kind::RuleCannotWork { .. } => "change the rule or take it out of the config",
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        match &self.kind {
            Kind::OnlyInSource => write!(f, "column {place} is only in the source"),
            Kind::OnlyInTarget => write!(
                f,
                "column {place} is only in the target, where it is not null and has no default"
            ),
            Kind::GeneratedInSource => write!(
                f,
                "column {place} is generated in the source and a plain one in the target, which \
                 would get none of its values"
            ),
            Kind::GeneratedInTarget => write!(
                f,
                "column {place} holds data in the source and is generated in the target"
            ),
            Kind::NoConversion {
                source,
                target,
                refusal,
            } => {
                write!(f, "cannot convert {place} from `{source}` to `{target}`")?;
                match refusal {
                    Refusal::Unknown => f.write_str(": no conversion for this pair"),
                    Refusal::ZoneMissing => f.write_str(": the zone of its clock is not known"),
                    Refusal::ZoneUnknown => f.write_str(": datetime_zone names no time zone"),
                }
            }
            Kind::RuleCannotWork {
                rule,
                source,
                target,
                why,
            } => write!(
                f,
                "rule `{rule}` cannot work for {place} (`{source}` to `{target}`): {why}"
            ),
        }
    }
}
