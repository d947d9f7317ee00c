//! Defaults of MySQL and MariaDB columns as defaults of PostgreSQL columns.
//!
//! Literals are read and written anew, never passed on as text; of the functions those are known
//! that stand in defaults. What is not known is named, never guessed.

mod call;
mod expression;
mod literal;
mod moment;

use std::fmt;

use catalog::{MysqlType, PostgresType};

use expression::Expression;

/// A default as SQL of PostgreSQL, to stand behind `default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresDefault {
    /// The expression.
    pub sql: String,
    /// What is not quite the same, for the head of the output.
    pub note: Option<&'static str>,
}

/// A default that has no counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTranslated {
    /// The default as the source has it.
    pub default: String,
    /// Why there is none.
    pub reason: String,
}

impl fmt::Display for NotTranslated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the default {} is not translated: {}",
            self.default, self.reason
        )
    }
}

impl std::error::Error for NotTranslated {}

/// A default and the types on both sides.
struct Pair<'a> {
    source: &'a MysqlType,
    target: &'a PostgresType,
    datetime_zone: Option<&'a str>,
}

/// Translates a default as the catalogue has it; `None` for NULL, which is PostgreSQL's default
/// by itself. `datetime_zone` is the configuration's: the clock of a `datetime` that becomes an
/// instant.
///
/// # Errors
/// Where the target's type does not take the value, or the expression is not known.
pub fn translate(
    default_sql: &str,
    source: &MysqlType,
    target: &PostgresType,
    datetime_zone: Option<&str>,
) -> Result<Option<PostgresDefault>, NotTranslated> {
    let pair = Pair {
        source,
        target,
        datetime_zone,
    };
    let translated = match expression::parse(default_sql) {
        None => Err("it is an expression that this version does not know".to_owned()),
        Some(Expression::Null) => Ok(None),
        Some(Expression::Call { name, arguments }) => {
            call::translated(&name, &arguments, &pair).map(Some)
        }
        Some(value) => literal::translated(&value, &pair).map(|sql| Some(plain(sql))),
    };
    translated.map_err(|reason| NotTranslated {
        default: default_sql.to_owned(),
        reason,
    })
}

fn plain(sql: String) -> PostgresDefault {
    PostgresDefault { sql, note: None }
}

#[cfg(test)]
mod tests;
