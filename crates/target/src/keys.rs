//! Indexes, and the constraints that they belong to: which of them can be off while a table is
//! filled, and come back exactly as they were.
//!
//! An index is built from all rows in a fraction of the time in which it takes them one by one.

use std::collections::BTreeSet;

use postgres::Transaction;

use catalog::quote;

use crate::error::{Doing, Error};
use crate::fingerprint::definitions;
use crate::off::{Off, OffKind};
use crate::offenders::Checked;

/// An index or the constraint that it belongs to.
#[derive(Clone, Debug)]
struct KeyDefinition {
    /// Quoted and qualified by the server, as is the index.
    table: String,
    index: String,
    /// As it is, for messages.
    name: String,
    index_definition: String,
    index_comment: Option<String>,
    constraint: Option<ConstraintDefinition>,
    /// Of a unique key of plain columns.
    checked: Option<Checked>,
}

#[derive(Clone, Debug)]
struct ConstraintDefinition {
    name: String,
    definition: String,
    comment: Option<String>,
}

/// The indexes of these tables, which are empty, that can be off, and which no foreign key
/// refers to, in the order in which they come back.
///
/// Tries it: an index that something else depends on stays, and so do all of a table if one of
/// them would not come back as it was.
pub(crate) fn removable(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<Off>, Error> {
    let mut keys = read(transaction, schema, tables)?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let stay = try_out(transaction, schema, &keys)?;
    keys.retain(|key| !stay.contains(&key.index));
    Ok(keys.into_iter().map(KeyDefinition::into_off).collect())
}

/// The indexes that have to stay.
fn try_out(
    transaction: &mut Transaction<'_>,
    schema: &str,
    keys: &[KeyDefinition],
) -> Result<BTreeSet<String>, Error> {
    let doing = || "trying to drop indexes and to make them again".to_owned();
    let before = definitions(transaction, schema)?;
    transaction.batch_execute("savepoint trial").doing(doing)?;
    let (mut off, mut stay) = (Vec::new(), BTreeSet::new());
    for key in keys {
        let drop = |transaction: &mut Transaction<'_>| {
            let dropped = transaction.batch_execute(&key.drop());
            dropped.doing(|| key.dropping())
        };
        match alone(transaction, drop)? {
            true => off.push(key),
            false => {
                stay.insert(key.index.clone());
            }
        }
    }
    let mut failed = BTreeSet::new();
    for key in off {
        if !alone(transaction, |transaction| {
            let built = transaction.batch_execute(&key.restore());
            built.doing(|| format!("building index `{}` again", key.name))
        })? {
            failed.insert(&key.table);
        }
    }
    let after = definitions(transaction, schema)?;
    take_back(transaction, "trial")?;
    let differences = before.differences(&after);
    for key in keys {
        let objects = [
            format!("index {}", key.index),
            format!("column {}.", key.table),
            format!("constraint {}.", key.table),
        ];
        let differs = |difference: &String| objects.iter().any(|o| difference.starts_with(o));
        if failed.contains(&key.table) || differences.iter().any(differs) {
            let of_table = keys.iter().filter(|other| other.table == key.table);
            stay.extend(of_table.map(|other| other.index.clone()));
        }
    }
    Ok(stay)
}

/// Whether a step works; where it does not, it leaves nothing behind.
fn alone(
    transaction: &mut Transaction<'_>,
    step: impl FnOnce(&mut Transaction<'_>) -> Result<(), Error>,
) -> Result<bool, Error> {
    let doing = || "trying to drop an index and to make it again".to_owned();
    transaction.batch_execute("savepoint step").doing(doing)?;
    match step(transaction) {
        Ok(()) => {
            transaction
                .batch_execute("release savepoint step")
                .doing(doing)?;
            Ok(true)
        }
        Err(error) if error.is_lost_connection() || error.is_cancelled() => Err(error),
        Err(_) => {
            take_back(transaction, "step")?;
            Ok(false)
        }
    }
}

/// Ends a savepoint, too: rows that are written within one are not those of the transaction by
/// whose number a rollback knows them.
fn take_back(transaction: &mut Transaction<'_>, savepoint: &str) -> Result<(), Error> {
    let sql = format!("rollback to savepoint {savepoint}; release savepoint {savepoint}");
    let doing = || "taking back what was tried".to_owned();
    transaction.batch_execute(&sql).doing(doing)
}

impl KeyDefinition {
    fn drop(&self) -> String {
        match &self.constraint {
            Some(constraint) => format!(
                "alter table {} drop constraint {}",
                self.table,
                quote::postgres(&constraint.name)
            ),
            None => format!("drop index {}", self.index),
        }
    }

    fn into_off(self) -> Off {
        Off {
            number: 0,
            kind: OffKind::Key,
            remove: self.drop(),
            restore: self.restore(),
            validate: None,
            table: self.table,
            name: self.name,
            checked: self.checked,
        }
    }

    fn dropping(&self) -> String {
        format!("dropping index `{}` for the load", self.name)
    }

    fn restore(&self) -> String {
        let (table, index) = (&self.table, &self.index);
        let mut sql = match &self.constraint {
            Some(constraint) => {
                let name = quote::postgres(&constraint.name);
                let definition = &constraint.definition;
                format!("alter table {table} add constraint {name} {definition}")
            }
            None => self.index_definition.clone(),
        };
        if let Some(comment) = &self.index_comment {
            let text = quote::postgres_literal(comment);
            sql += &format!("; comment on index {index} is {text}");
        }
        if let Some(ConstraintDefinition {
            name,
            comment: Some(comment),
            ..
        }) = &self.constraint
        {
            let (name, text) = (quote::postgres(name), quote::postgres_literal(comment));
            sql += &format!("; comment on constraint {name} on {table} is {text}");
        }
        sql
    }
}

fn read(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<KeyDefinition>, Error> {
    let rows = transaction
        .query(include_str!("sql/key_definitions.sql"), &[&schema, &tables])
        .doing(|| "reading indexes".to_owned())?;
    let keys = rows.iter().map(|row| {
        let constraint: Option<String> = row.get(5);
        let (table, name): (String, String) = (row.get(0), row.get(2));
        let (columns, primary): (Option<Vec<String>>, Option<Vec<String>>) =
            (row.get(8), row.get(9));
        KeyDefinition {
            checked: columns.map(|columns| Checked {
                table: table.clone(),
                constraint: name.clone(),
                named_by: primary.unwrap_or_default(),
                columns,
                referenced: None,
            }),
            table,
            index: row.get(1),
            name,
            index_definition: row.get(3),
            index_comment: row.get(4),
            constraint: constraint.map(|name| ConstraintDefinition {
                name,
                definition: row.get(6),
                comment: row.get(7),
            }),
        }
    });
    Ok(keys.collect())
}
