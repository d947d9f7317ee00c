//! Foreign keys and user triggers: what takes them off for a load, and what brings them back.

use postgres::{GenericClient, Transaction};

use crate::connection::Connection;
use crate::error::{Doing, Error, Kind};
use crate::fingerprint::Fingerprint;
use crate::fingerprint::definitions;
use crate::off::{Off, What};
use crate::offenders::Checked;

/// Something about a table that forbids an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The table.
    pub table: String,
    /// `row_security`, `rule`, `inheritance` or `unlogged`, among others.
    pub kind: String,
}

/// What forbids an import into these tables.
///
/// # Errors
/// Where the server refuses.
pub fn blockers(
    connection: &mut Connection,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<Blocker>, Error> {
    let rows = connection
        .client
        .query(include_str!("sql/blockers.sql"), &[&schema, &tables])
        .doing(|| "looking for what forbids an import".to_owned())?;
    let blockers = rows.iter().map(|row| Blocker {
        table: row.get(0),
        kind: row.get(1),
    });
    Ok(blockers.collect())
}

/// The foreign keys from and to these tables, and their enabled triggers, in the order in which
/// they come back.
pub(crate) fn read(
    client: &mut impl GenericClient,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<Off>, Error> {
    let mut found = read_foreign_keys(client, schema, tables)?;
    found.extend(read_triggers(client, schema, tables)?);
    Ok(found)
}

/// Takes all of it off, once it was tried to bring it back: fails where the definitions would not
/// be as they were.
pub(crate) fn take_off(
    transaction: &mut Transaction<'_>,
    schema: &str,
    (found, before): (&[Off], &Fingerprint),
) -> Result<(), Error> {
    let doing = || "trying to take constraints off and to bring them back".to_owned();
    for off in found {
        off.take_off(transaction)?;
    }
    transaction.batch_execute("savepoint trial").doing(doing)?;
    for off in found {
        off.try_back(transaction)?;
    }
    let differences = before.differences(&definitions(transaction, schema)?);
    let back = "rollback to savepoint trial; release savepoint trial";
    transaction.batch_execute(back).doing(doing)?;
    if differences.is_empty() {
        return Ok(());
    }
    let text = format!(
        "these definitions would not come back as they are: {}",
        differences.join(", ")
    );
    Err(Error::new(Kind::State(text), doing()))
}

fn read_foreign_keys(
    client: &mut impl GenericClient,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<Off>, Error> {
    let rows = client
        .query(
            include_str!("sql/foreign_key_definitions.sql"),
            &[&schema, &tables],
        )
        .doing(|| "reading foreign keys".to_owned())?;
    let keys = rows.iter().map(|row| {
        let (table, name): (String, String) = (row.get(0), row.get(1));
        let (definition, comment): (String, Option<String>) = (row.get(2), row.get(3));
        let is_plain = row.get(5) && !definition.contains(" PERIOD ");
        let primary: Option<Vec<String>> = row.get(8);
        let checked = Checked {
            table: table.clone(),
            constraint: name.clone(),
            columns: row.get(6),
            referenced: Some((row.get(4), row.get(7))),
            named_by: primary.unwrap_or_default(),
        };
        Off {
            number: 0,
            what: What::ForeignKey {
                definition,
                comment,
                later: row.get(9),
            },
            checked: Some(checked).filter(|_| is_plain),
            table,
            name,
        }
    });
    Ok(keys.collect())
}

fn read_triggers(
    client: &mut impl GenericClient,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<Off>, Error> {
    let rows = client
        .query(include_str!("sql/user_triggers.sql"), &[&schema, &tables])
        .doing(|| "reading triggers".to_owned())?;
    let triggers = rows.iter().map(|row| Off {
        number: 0,
        table: row.get(0),
        name: row.get(1),
        what: What::Trigger {
            enabled: row.get(2),
        },
        checked: None,
    });
    Ok(triggers.collect())
}
