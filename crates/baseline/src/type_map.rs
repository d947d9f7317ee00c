//! The type map: what a column of each MySQL type becomes in PostgreSQL, what is lost by it, and
//! what can be chosen instead.
//!
//! A table, one file per family of types below `type_map/`; docs/type-mapping.md is written from
//! it. Nothing here looks at data or at other columns: foreign keys are `closure`'s business.

mod binary;
mod bit;
mod decimal;
mod document;
mod enumerated;
mod integer;
mod json;
mod network;
mod overrides;
mod row;
mod spatial;
mod temporal;
mod text;

use std::fmt;

use catalog::{MysqlType, PostgresType};

pub use document::document;
pub use overrides::{OverrideError, TypeOverrides};
pub use row::Need;

use row::{Choice, Made, Row, Subject};

/// A family of types: the heading of its part of the table, and its lines.
struct Family {
    title: &'static str,
    rows: &'static [Row],
}

/// The whole table; a type belongs to the first line that matches it.
static FAMILIES: [Family; 10] = [
    Family {
        title: "Integers",
        rows: integer::ROWS,
    },
    Family {
        title: "Decimals and floats",
        rows: decimal::ROWS,
    },
    Family {
        title: "Bits",
        rows: bit::ROWS,
    },
    Family {
        title: "Text",
        rows: text::ROWS,
    },
    Family {
        title: "Bytes",
        rows: binary::ROWS,
    },
    Family {
        title: "Dates and times",
        rows: temporal::ROWS,
    },
    Family {
        title: "Enums and sets",
        rows: enumerated::ROWS,
    },
    Family {
        title: "JSON",
        rows: json::ROWS,
    },
    Family {
        title: "Identifiers and addresses",
        rows: network::ROWS,
    },
    Family {
        title: "Spatial types",
        rows: spatial::ROWS,
    },
];

fn rows() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().flat_map(|family| family.rows)
}

fn row_of(data_type: &MysqlType) -> Option<&'static Row> {
    rows().find(|row| (row.matches)(data_type))
}

/// What is known of a column beside its type.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColumnContext<'a> {
    /// Whether the server numbers the column: such a column never becomes a boolean by itself.
    pub auto_increment: bool,
    /// The name of the column's enum type, unquoted, where it is not `<table>_<column>_enum`:
    /// the one that [`crate::unique_names`] gave.
    pub enum_name: Option<&'a str>,
}

/// Who decided on a column's type; the later the stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The type map itself.
    Default,
    /// The configuration, for all columns of the type.
    TypeOverride,
    /// The configuration, for this column.
    ColumnOverride,
    /// A foreign key: the column has the type of the one at its other end.
    ForeignKey,
}

/// What a column becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The type.
    pub postgres: PostgresType,
    /// What the type of the source had and this one has not; `None` for nothing.
    pub lost: Option<&'static str>,
    /// An SQL expression on the column that holds for every value which the source could hold.
    pub check: Option<String>,
    /// What must be there before the column.
    pub needs: Vec<Need>,
    /// Who decided.
    pub origin: Origin,
    /// One line for a reviewer: from what, to what, and by whom.
    pub explanation: String,
}

/// A column without a type in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The column, as `types` names it.
    pub column: String,
    /// Why there is no type.
    pub reason: String,
    /// What `types` could say for the column; empty where there is nothing to choose.
    pub choices: Vec<&'static str>,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` has no type: {}", self.column, self.reason)
    }
}

impl std::error::Error for Unsupported {}

/// The table and what the configuration says against it.
#[derive(Clone, Debug, Default)]
pub struct TypeMap {
    overrides: TypeOverrides,
}

impl TypeMap {
    /// The map with the overrides of a database.
    pub fn new(overrides: &TypeOverrides) -> Self {
        Self {
            overrides: overrides.clone(),
        }
    }

    /// What a column becomes.
    ///
    /// # Errors
    /// Where its type has no counterpart, or not the chosen one; the error names what can be
    /// chosen.
    pub fn map(
        &self,
        table: &str,
        column: &str,
        data_type: &MysqlType,
        context: ColumnContext<'_>,
    ) -> Result<Mapping, Unsupported> {
        let subject = Subject::new(table, column, data_type, context);
        let row = row_of(data_type).ok_or_else(|| {
            let reason = format!("`{data_type}` is not a type that this version knows");
            unsupported(&subject, reason, &[])
        })?;
        let (choice, origin) = match self.overrides.choice(table, column, data_type) {
            Some((name, origin)) => {
                let chosen = row.choices.iter().find(|choice| choice.name == name);
                let choice = chosen.ok_or_else(|| {
                    let reason = format!("{} cannot be `{name}`", row.mysql);
                    unsupported(&subject, reason, row.choices)
                })?;
                if !suits(choice, context) {
                    let reason = format!("a column that the server numbers cannot be `{name}`");
                    return Err(unsupported(&subject, reason, row.choices));
                }
                (choice, origin)
            }
            None => {
                let choice = default_choice(row, context)
                    .ok_or_else(|| unsupported(&subject, no_default(row), row.choices))?;
                (choice, Origin::Default)
            }
        };
        Ok(mapping(&subject, choice, origin))
    }

    /// What a column could become, the type map's own choice first; empty where it knows none.
    pub fn possible(
        &self,
        table: &str,
        column: &str,
        data_type: &MysqlType,
        context: ColumnContext<'_>,
    ) -> Vec<PostgresType> {
        let subject = Subject::new(table, column, data_type, context);
        let choices = row_of(data_type).map_or(&[][..], |row| row.choices);
        let types = choices
            .iter()
            .filter(|choice| suits(choice, context))
            .map(|choice| (choice.make)(&subject).postgres);
        types.collect()
    }

    /// What a column becomes whose type the foreign keys decided: `postgres` is what
    /// [`crate::unite`] says.
    pub fn map_as(
        &self,
        table: &str,
        column: &str,
        data_type: &MysqlType,
        context: ColumnContext<'_>,
        postgres: &PostgresType,
    ) -> Mapping {
        let subject = Subject::new(table, column, data_type, context);
        let choices = row_of(data_type).map_or(&[][..], |row| row.choices);
        let same = |choice: &&Choice| (choice.make)(&subject).postgres == *postgres;
        if let Some(choice) = choices.iter().find(same) {
            return mapping(&subject, choice, Origin::ForeignKey);
        }
        let mut made = Made::from(postgres.clone());
        if let PostgresType::Enum { labels, .. } = postgres {
            made.needs.push(Need::EnumType {
                labels: labels.clone(),
            });
        }
        finished(&subject, made, None, Origin::ForeignKey)
    }
}

fn default_choice(row: &'static Row, context: ColumnContext<'_>) -> Option<&'static Choice> {
    if row.unsupported.is_some() {
        return None;
    }
    row.choices.iter().find(|choice| suits(choice, context))
}

/// A number that a server counts up is not a boolean, whatever its width.
fn suits(choice: &Choice, context: ColumnContext<'_>) -> bool {
    !(context.auto_increment && choice.name == "boolean")
}

fn no_default(row: &Row) -> String {
    let reason = row.unsupported.unwrap_or("it has no counterpart");
    format!("{} is not mapped by itself: {reason}", row.mysql)
}

fn unsupported(subject: &Subject<'_>, reason: String, choices: &[Choice]) -> Unsupported {
    Unsupported {
        column: subject.name(),
        reason,
        choices: choices
            .iter()
            .filter(|choice| suits(choice, subject.context))
            .map(|choice| choice.name)
            .collect(),
    }
}

fn mapping(subject: &Subject<'_>, choice: &Choice, origin: Origin) -> Mapping {
    finished(subject, (choice.make)(subject), choice.lost, origin)
}

fn finished(
    subject: &Subject<'_>,
    mut made: Made,
    lost: Option<&'static str>,
    origin: Origin,
) -> Mapping {
    let identity = matches!(
        made.postgres,
        PostgresType::Smallint | PostgresType::Integer | PostgresType::Bigint
    );
    if subject.context.auto_increment && !identity {
        made.needs.push(Need::Sequence);
    }
    let by = match origin {
        Origin::Default => "",
        Origin::TypeOverride => ", chosen for the type",
        Origin::ColumnOverride => ", chosen for the column",
        Origin::ForeignKey => ", by its foreign keys",
    };
    let from = row_of(subject.data_type).map_or("a type", |row| row.mysql);
    Mapping {
        explanation: format!("{}: {from} is {}{by}", subject.name(), made.postgres),
        postgres: made.postgres,
        lost,
        check: made.check,
        needs: made.needs,
        origin,
    }
}

#[cfg(test)]
mod tests;
