//! Whether the target's table of locks is large enough for a load and its rollback, known before
//! anything is changed.

use target::Connection;

use crate::config::Database;
use crate::console::{counted, thousands};
use crate::exit::Failure;
use crate::target_privileges::loaded_tables;

/// Fails where a load could not be begun, or not be rolled back; else says how many locks it needs.
pub(crate) fn check(database: &Database, target: &mut Connection) -> anyhow::Result<String> {
    let tables = loaded_tables(database, target)?;
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    let replaced = tables.iter().copied();
    let replaced: Vec<&str> = replaced
        .filter(|table| database.target_rows.replace(table))
        .collect();
    let locks = target.lock_room(&database.target_schema, &tables, &replaced)?;
    let (needed, room) = (thousands(locks.needed), thousands(locks.room()));
    // An estimate, and the server has a tenth more than it promises.
    if locks.needed <= locks.room().saturating_add(locks.room() / 10) {
        return Ok(format!("{needed} of {room} in one transaction"));
    }
    Err(Failure::blocked(format!(
        "target `{}` has room for {room} locks, and a load or its rollback needs about {needed} in \
         one transaction: {} and {}",
        database.name,
        counted(locks.tables, "table"),
        counted(locks.foreign_keys, "foreign key")
    ))
    .hint(format!(
        "nothing was changed; let a superuser run `alter system set max_locks_per_transaction = \
         {}` (it is {}; on a managed server, in its parameter group), and restart the server",
        locks.setting_needed(),
        locks.locks_per_transaction
    ))
    .into())
}
