//! Partitions, and what is named without being converted: views, triggers, routines, events.

use catalog::{ObjectKind, OtherObject};

use super::{Tables, cells, rows};
use crate::connection::Connection;
use crate::error::Error;
use crate::privileges::Privileges;

/// Reads how the rows of tables are divided.
pub(super) fn read_partitions(
    connection: &mut Connection,
    database: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    let dialect = connection.dialect;
    let rows = rows(connection, include_str!("../sql/partitions.sql"), database)?;
    for mut row in cells(rows) {
        let Some(table) = tables.get_mut(&row.text()) else {
            continue;
        };
        let mut divided = || {
            let method = row.next();
            let expression = dialect.expression(&row.text());
            method.map(|method| format!("{} ({expression})", method.to_ascii_lowercase()))
        };
        table.partitioning = divided().map(|whole| match divided() {
            Some(each) => format!("{whole} subpartition by {each}"),
            None => whole,
        });
    }
    Ok(())
}

/// Reads what is no table, in the catalogue's order.
pub(super) fn read(connection: &mut Connection, database: &str) -> Result<Vec<OtherObject>, Error> {
    let rows = rows(connection, include_str!("../sql/others.sql"), database)?;
    let others = cells(rows).filter_map(|mut row| {
        let kind = kind(&row.text())?;
        Some(OtherObject {
            kind,
            table: row.next(),
            name: row.text(),
            definition: None,
        })
    });
    let mut others: Vec<OtherObject> = others.collect();
    others.sort();
    Ok(others)
}

/// Kinds of objects that the login cannot see, so that none being found says nothing.
///
/// Sources: MySQL Reference Manual, "The INFORMATION_SCHEMA TRIGGERS Table", "… ROUTINES Table",
/// "… EVENTS Table"; MariaDB documentation, the pages of the same names.
pub(super) fn hidden(privileges: &Privileges, database: &str) -> Vec<ObjectKind> {
    let mut hidden = Vec::new();
    let any = |names: &[&str]| {
        let mut names = names.iter();
        names.any(|name| privileges.on_database(name, database))
    };
    if !any(&["TRIGGER"]) {
        hidden.push(ObjectKind::Trigger);
    }
    let shows_all = privileges.on_server("SELECT")
        || privileges.on_server("SHOW_ROUTINE")
        || privileges.on_table("SELECT", "mysql", "proc");
    if !shows_all && !any(&["EXECUTE", "ALTER ROUTINE", "SHOW CREATE ROUTINE"]) {
        hidden.extend([ObjectKind::Procedure, ObjectKind::Function]);
    }
    if !any(&["EVENT"]) {
        hidden.push(ObjectKind::Event);
    }
    hidden
}

/// None for the second half of something that is named already.
fn kind(word: &str) -> Option<ObjectKind> {
    Some(match word {
        "VIEW" => ObjectKind::View,
        "SEQUENCE" => ObjectKind::Sequence,
        "TRIGGER" => ObjectKind::Trigger,
        "PROCEDURE" => ObjectKind::Procedure,
        "FUNCTION" => ObjectKind::Function,
        "EVENT" => ObjectKind::Event,
        "PACKAGE BODY" => return None,
        // MariaDB's packages, and the libraries of MySQL since 9.2.
        _ => ObjectKind::Package,
    })
}
