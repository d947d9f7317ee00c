//! Foreign keys and checks.

use catalog::{Check, Deferrable, ForeignKey};

use super::{Tables, rows, table_of};
use crate::connection::Connection;
use crate::error::Error;

/// Reads the foreign keys of all tables.
pub(super) fn read_foreign_keys(
    connection: &mut Connection,
    schema: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    for row in rows(connection, include_str!("../sql/foreign_keys.sql"), schema)? {
        let Some(table) = table_of(tables, &row) else {
            continue;
        };
        let (name, referenced): (String, String) = (row.get(1), row.get(4));
        let mut key = ForeignKey::new(name, row.get(2), referenced, row.get(5));
        key.referenced_schema = row.get(3);
        key.on_delete = action(row.get(6)).to_owned();
        key.on_update = action(row.get(7)).to_owned();
        key.deferrable = deferrable(row.get(8), row.get(9));
        key.validated = row.get(10);
        key.enforced = row.get(11);
        key.match_full = row.get(12);
        key.on_delete_columns = row.get::<_, Option<Vec<String>>>(13).unwrap_or_default();
        table.foreign_keys.push(key);
    }
    Ok(())
}

/// Reads the checks of all tables.
pub(super) fn read_checks(
    connection: &mut Connection,
    schema: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    for row in rows(connection, include_str!("../sql/checks.sql"), schema)? {
        if let Some(table) = table_of(tables, &row) {
            let (name, expression): (String, String) = (row.get(1), row.get(2));
            let mut check = Check::new(name, expression);
            check.validated = row.get(3);
            check.enforced = row.get(4);
            table.checks.push(check);
        }
    }
    Ok(())
}

/// When a constraint is checked, from the two columns that `pg_constraint` has for it.
pub(super) fn deferrable(deferrable: bool, deferred: bool) -> Option<Deferrable> {
    deferrable.then_some(match deferred {
        true => Deferrable::InitiallyDeferred,
        false => Deferrable::InitiallyImmediate,
    })
}

/// Letters of `pg_constraint.confdeltype`.
fn action(letter: &str) -> &'static str {
    match letter {
        "r" => "RESTRICT",
        "c" => "CASCADE",
        "n" => "SET NULL",
        "d" => "SET DEFAULT",
        _ => "NO ACTION",
    }
}
