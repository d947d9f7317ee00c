//! The privileges that a role lacks for a move on the target, each with its `grant`.
//!
//! Grants nothing; the source's privileges are not looked at here.

use catalog::quote;
use target::{Connection, MissingPrivilege, Needs};

use crate::command::baseline::bookkeeping_table;
use crate::config::Database;
use crate::console::first_of;
use crate::exit::Failure;
use crate::text::Text;

/// What a role is going to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Load the tables, verify them, roll back.
    Load,
    /// Apply a baseline.
    Apply,
}

/// Enough to recognise whose tables they are.
const OBJECTS_SHOWN: usize = 5;

/// Fails where the role of a connection lacks privileges: all of them in one list, with the
/// statements that grant them. Returns the role.
pub(crate) fn check(
    database: &Database,
    connection: &mut Connection,
    purpose: Purpose,
) -> anyhow::Result<String> {
    // First of all: nobody should be asked for privileges on what another role has put there.
    connection.check_ledger(&database.ledger)?;
    let schema = &database.target_schema;
    let tables = match purpose {
        Purpose::Load => loaded_tables(database, connection)?,
        Purpose::Apply => Vec::new(),
    };
    let loaded: Vec<&str> = tables.iter().map(String::as_str).collect();
    let replaced = loaded.iter().copied();
    let replaced = replaced.filter(|name| database.target_rows.replace(name));
    let needs = Needs {
        schema,
        read: bookkeeping_table(database).into_iter().collect(),
        replaced: replaced.collect(),
        loaded,
        ledger: &database.ledger,
        temporary: purpose == Purpose::Load && !database.constraint_rules.is_empty(),
        makes_objects: purpose == Purpose::Apply,
    };
    let missing = connection.missing_privileges(&needs)?;
    let role = quote::postgres(&connection.role()?);
    if missing.is_empty() {
        return Ok(role);
    }
    Err(lacking(database, &role, &missing).into())
}

/// Names of the target's tables that a run loads.
pub(crate) fn loaded_tables(
    database: &Database,
    connection: &mut Connection,
) -> anyhow::Result<Vec<String>> {
    let mut tables = connection.table_names(&database.target_schema)?;
    tables.retain(|name| database.takes(name));
    Ok(tables)
}

fn lacking(database: &Database, role: &str, missing: &[MissingPrivilege]) -> Failure {
    let list = missing.iter().map(|missing| {
        let objects = first_of(&missing.objects, OBJECTS_SHOWN);
        format!("{} {objects}", missing.what)
    });
    let list: Vec<String> = list.collect();
    let (doubtful, plain): (Vec<_>, Vec<_>) = missing.iter().partition(|m| m.is_doubtful);
    let statements = plain.iter().map(|missing| missing.statement.as_str());
    let mut statements: Vec<&str> = statements.collect();
    statements.dedup();
    let message = format!(
        "role {role} of target `{}` lacks privileges: {}",
        database.name,
        list.join("; ")
    );
    let place = database.target.database().unwrap_or_default();
    let mut hint = Text::from("nothing was changed");
    if !statements.is_empty() {
        hint = Text::from(format!(
            "nothing was changed; let a superuser, or the owner of each, run in database {}:",
            quote::postgres_shown(&quote::postgres(place))
        ));
    }
    for statement in statements {
        hint.line(format!("  {};", quote::postgres_shown(statement)));
    }
    for missing in doubtful {
        hint.line(format!(
            "the owner of {} is not that of the other tables, and could run code with the rights of \
             {role} once it loads them: let them be dropped or moved, or exclude them \
             (exclude_tables); grant that role only if you trust it",
            first_of(&missing.objects, OBJECTS_SHOWN)
        ));
    }
    Failure::blocked(message).hint(hint)
}
