//! Indexes, and the constraints that they belong to: which of them can be off while a table is
//! filled, and come back exactly as they were.
//!
//! An index is built from all rows in a fraction of the time in which it takes them one by one.

use std::collections::BTreeSet;

use postgres::Transaction;

use crate::error::{Doing, Error};
use crate::fingerprint::definitions;
use crate::off::{Off, What};
use crate::offenders::Checked;

/// An index or the constraint that it belongs to, and the index's name, quoted and qualified.
struct Key {
    off: Off,
    index: String,
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
    Ok(keys.into_iter().map(|key| key.off).collect())
}

/// The indexes that have to stay.
fn try_out(
    transaction: &mut Transaction<'_>,
    schema: &str,
    keys: &[Key],
) -> Result<BTreeSet<String>, Error> {
    let doing = || "trying to drop indexes and to make them again".to_owned();
    let before = definitions(transaction, schema)?;
    transaction.batch_execute("savepoint trial").doing(doing)?;
    let (mut off, mut stay) = (Vec::new(), BTreeSet::new());
    for key in keys {
        match alone(transaction, |transaction| key.off.take_off(transaction))? {
            true => off.push(key),
            false => {
                stay.insert(key.index.clone());
            }
        }
    }
    let mut failed = BTreeSet::new();
    for key in off {
        if !alone(transaction, |transaction| key.off.try_back(transaction))? {
            failed.insert(key.off.table());
        }
    }
    let after = definitions(transaction, schema)?;
    take_back(transaction, "trial")?;
    let differences = before.differences(&after);
    for key in keys {
        let objects = [
            format!("index {}", key.index),
            format!("column {}.", key.off.table),
            format!("constraint {}.", key.off.table),
        ];
        let differs = |difference: &String| objects.iter().any(|o| difference.starts_with(o));
        if failed.contains(key.off.table()) || differences.iter().any(differs) {
            let of_table = keys.iter().filter(|other| other.off.table == key.off.table);
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

fn read(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<Key>, Error> {
    let rows = transaction
        .query(include_str!("sql/key_definitions.sql"), &[&schema, &tables])
        .doing(|| "reading indexes".to_owned())?;
    let keys = rows.iter().map(|row| {
        let (table, index, name): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let (index_comment, constraint): (Option<String>, Option<String>) =
            (row.get(4), row.get(5));
        let (columns, primary): (Option<Vec<String>>, Option<Vec<String>>) =
            (row.get(8), row.get(9));
        let checked = columns.map(|columns| Checked {
            table: table.clone(),
            constraint: name.clone(),
            named_by: primary.unwrap_or_default(),
            columns,
            referenced: None,
        });
        let what = match constraint {
            Some(_) => What::KeyConstraint {
                definition: row.get(6),
                comment: row.get(7),
                index: index.clone(),
                index_comment,
            },
            None => What::Index {
                definition: row.get(3),
                index: index.clone(),
                comment: index_comment,
            },
        };
        let off = Off {
            number: 0,
            table,
            name: constraint.unwrap_or(name),
            what,
            checked,
        };
        Key { off, index }
    });
    Ok(keys.collect())
}
