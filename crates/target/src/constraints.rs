//! Foreign keys and user triggers: off for the load, then exactly as they were.
//!
//! All of it inside the import's transaction, so that a failure leaves nothing behind.

use postgres::{GenericClient, Transaction};

use catalog::quote;

use crate::connection::Connection;
use crate::error::{Doing, Error};
use crate::offenders::{self, Checked};

/// What was taken off, with what is needed to put it back.
#[derive(Debug)]
pub(crate) struct TakenOff {
    foreign_keys: Vec<ForeignKeyDefinition>,
    triggers: Vec<TriggerState>,
}

#[derive(Debug)]
struct ForeignKeyDefinition {
    /// Quoted and qualified by the server.
    table: String,
    name: String,
    definition: String,
    comment: Option<String>,
    /// Where the rows can be looked for.
    checked: Option<Checked>,
}

#[derive(Debug)]
struct TriggerState {
    table: String,
    name: String,
    /// `pg_trigger.tgenabled`: `O` origin, `R` replica, `A` always.
    state: String,
}

/// Something about a table that forbids an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The table.
    pub table: String,
    /// `not_owner`, `row_security`, `rule` or `unlogged`.
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

impl TakenOff {
    /// Drops every foreign key from or to these tables and disables their user triggers.
    pub(crate) fn take_off(
        transaction: &mut Transaction<'_>,
        schema: &str,
        tables: &[&str],
    ) -> Result<Self, Error> {
        let doing = || "taking foreign keys and triggers off".to_owned();
        let taken = Self {
            foreign_keys: read_foreign_keys(transaction, schema, tables)?,
            triggers: read_triggers(transaction, schema, tables)?,
        };
        for key in &taken.foreign_keys {
            let name = quote::postgres(&key.name);
            let sql = format!("alter table {} drop constraint {name}", key.table);
            transaction.batch_execute(&sql).doing(doing)?;
        }
        for trigger in &taken.triggers {
            let name = quote::postgres(&trigger.name);
            let sql = format!("alter table {} disable trigger {name}", trigger.table);
            transaction.batch_execute(&sql).doing(doing)?;
        }
        Ok(taken)
    }

    /// Puts everything back; the server checks each foreign key against all rows.
    pub(crate) fn put_back(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        for key in &self.foreign_keys {
            let doing = || format!("checking foreign key `{}` of {}", key.name, key.table);
            let name = quote::postgres(&key.name);
            let sql = format!(
                "alter table {} add constraint {name} {}",
                key.table, key.definition
            );
            offenders::check(transaction, key.checked.as_ref(), |transaction| {
                transaction.batch_execute(&sql).doing(doing)
            })?;
            if let Some(comment) = &key.comment {
                let text = quote::postgres_literal(comment);
                let sql = format!("comment on constraint {name} on {} is {text}", key.table);
                transaction.batch_execute(&sql).doing(doing)?;
            }
        }
        for trigger in &self.triggers {
            let how = match trigger.state.as_str() {
                "R" => "replica ",
                "A" => "always ",
                _ => "",
            };
            let name = quote::postgres(&trigger.name);
            let sql = format!("alter table {} enable {how}trigger {name}", trigger.table);
            transaction
                .batch_execute(&sql)
                .doing(|| "enabling triggers again".to_owned())?;
        }
        Ok(())
    }
}

fn read_foreign_keys(
    client: &mut impl GenericClient,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<ForeignKeyDefinition>, Error> {
    let rows = client
        .query(
            include_str!("sql/foreign_key_definitions.sql"),
            &[&schema, &tables],
        )
        .doing(|| "reading foreign keys".to_owned())?;
    let keys = rows.iter().map(|row| {
        let (table, name): (String, String) = (row.get(0), row.get(1));
        let definition: String = row.get(2);
        let is_plain = row.get(5) && !definition.contains(" PERIOD ");
        let primary: Option<Vec<String>> = row.get(8);
        let checked = Checked {
            table: table.clone(),
            constraint: name.clone(),
            columns: row.get(6),
            referenced: Some((row.get(4), row.get(7))),
            named_by: primary.unwrap_or_default(),
        };
        ForeignKeyDefinition {
            checked: Some(checked).filter(|_| is_plain),
            definition,
            comment: row.get(3),
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
) -> Result<Vec<TriggerState>, Error> {
    let rows = client
        .query(include_str!("sql/user_triggers.sql"), &[&schema, &tables])
        .doing(|| "reading triggers".to_owned())?;
    let triggers = rows.iter().map(|row| TriggerState {
        table: row.get(0),
        name: row.get(1),
        state: row.get(2),
    });
    Ok(triggers.collect())
}
