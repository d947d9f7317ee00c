//! The run that a target's ledger holds, if it is one of this configuration.

use target::{Connection, LedgerRun};

use crate::config::Database;
use crate::exit::Failure;

/// Reads the run of a database; fails where the ledger speaks of another database or schema, on
/// which a rollback would then act.
pub(crate) fn held_run(
    database: &Database,
    connection: &mut Connection,
) -> anyhow::Result<Option<LedgerRun>> {
    let Some(run) = LedgerRun::read(connection, &database.ledger)? else {
        return Ok(None);
    };
    let (held, own) = (
        (run.database.as_str(), run.target_schema.as_str()),
        (database.name.as_str(), database.target_schema.as_str()),
    );
    if held == own {
        return Ok(Some(run));
    }
    let message = format!(
        "target `{}` holds run {} of database `{}` in schema `{}`; the configuration has database \
         `{}` in schema `{}`",
        database.name, run.run_id, held.0, held.1, own.0, own.1
    );
    let hint = "nothing was changed; use the configuration that the run was made with (--config)";
    Err(Failure::blocked(message).hint(hint).into())
}
