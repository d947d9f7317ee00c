//! The rows that violate a key: all counted, the first named by their primary keys.
//!
//! The server names one of them, by values that are no business of a message.

use postgres::Transaction;

use catalog::quote;

use crate::error::{Doing, Error, Kind, Violation};

/// How many rows are named.
const NAMED_MAX: i64 = 20;

/// A foreign key, or a unique one, whose columns are all plain.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// Quoted and qualified by the server, as is the referenced one.
    pub(crate) table: String,
    pub(crate) constraint: String,
    pub(crate) columns: Vec<String>,
    /// Of a foreign key: the table that it refers to, and its columns.
    pub(crate) referenced: Option<(String, Vec<String>)>,
    /// The table's primary key; other columns hold values that are no business of a message.
    pub(crate) named_by: Vec<String>,
}

/// Runs a statement that checks a key. Where rows violate it, they are counted and named, within
/// the same transaction.
pub(crate) fn check(
    transaction: &mut Transaction<'_>,
    checked: Option<&Checked>,
    step: impl FnOnce(&mut Transaction<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(checked) = checked else {
        return step(transaction);
    };
    let doing = || format!("checking `{}`", checked.constraint);
    transaction
        .batch_execute("savepoint checked")
        .doing(doing)?;
    match step(transaction) {
        Ok(()) => transaction
            .batch_execute("release savepoint checked")
            .doing(doing),
        Err(error) if error.is_about_data() => {
            let back = "rollback to savepoint checked; release savepoint checked";
            transaction.batch_execute(back).doing(doing)?;
            // Where the rows cannot be found, what the server said is all that is known.
            match checked.find(transaction)? {
                Violation { rows: 0, .. } => Err(error),
                violation => Err(Error::new(Kind::Violated(violation), error.doing())),
            }
        }
        Err(error) => Err(error),
    }
}

impl Checked {
    fn find(&self, transaction: &mut Transaction<'_>) -> Result<Violation, Error> {
        let names = self.names("r.");
        let key: Vec<String> = names.iter().map(|name| format!(", {name}::text")).collect();
        let sql = format!(
            "select count(*) over () {} from {} {} limit {NAMED_MAX}",
            key.concat(),
            self.rows(),
            ordered(&names)
        );
        let found = transaction
            .query(&sql, &[])
            .doing(|| format!("looking for the rows that violate `{}`", self.constraint))?;
        let keys = found.iter().map(|row| {
            let cells = self.named_by.iter().enumerate().map(|(index, name)| {
                let value: Option<String> = row.get(index + 1);
                format!("{name} {}", value.unwrap_or_default().escape_debug())
            });
            cells.collect::<Vec<_>>().join(", ")
        });
        let keys = keys.filter(|_| !self.named_by.is_empty());
        let rows: i64 = found.first().map_or(0, |row| row.get(0));
        Ok(Violation {
            constraint: self.constraint.clone(),
            rows: u64::try_from(rows).unwrap_or_default(),
            keys: keys.collect(),
        })
    }

    /// The rows `r` that violate the key, as SQL behind `from`.
    fn rows(&self) -> String {
        let quoted: Vec<String> = self
            .columns
            .iter()
            .map(|name| quote::postgres(name))
            .collect();
        let present = |alias: &str| {
            let columns = quoted
                .iter()
                .map(|name| format!("{alias}.{name} is not null"));
            columns.collect::<Vec<_>>().join(" and ")
        };
        let table = &self.table;
        match &self.referenced {
            Some((parent, referenced)) => {
                let equal = quoted.iter().zip(referenced);
                let equal = equal.map(|(name, of)| format!("p.{} = r.{name}", quote::postgres(of)));
                format!(
                    "{table} as r where {} and not exists (select from {parent} as p where {})",
                    present("r"),
                    equal.collect::<Vec<_>>().join(" and ")
                )
            }
            None => {
                format!(
                    "(select t.*, row_number() over (partition by {} {}) as \
                     \"row of its key\" from {table} as t where {}) as r \
                     where r.\"row of its key\" > 1",
                    quoted.join(", "),
                    ordered(&self.names("")),
                    present("t")
                )
            }
        }
    }

    /// The columns that name a row.
    fn names(&self, alias: &str) -> Vec<String> {
        let names = self.named_by.iter();
        names
            .map(|name| format!("{alias}{}", quote::postgres(name)))
            .collect()
    }
}

fn ordered(names: &[String]) -> String {
    match names.is_empty() {
        true => String::new(),
        false => format!("order by {}", names.join(", ")),
    }
}
