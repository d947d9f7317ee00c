//! What the source lacks or holds up: a privilege, a database, a free connection, a locked table.
//! Nothing is changed by that, since the source is only read.

use catalog::quote;

use crate::call::next;
use crate::config::Database;
use crate::exit::Failure;
use crate::interrupt::Interrupt;

/// "Lock wait timeout exceeded".
const LOCK_WAIT_TIMEOUT: u16 = 1205;
/// "Query execution was interrupted".
const STATEMENT_CANCELLED: u16 = 1317;

/// Makes a failure with code and hint of what the source's server said; other errors stay as they
/// are.
///
/// Source: MySQL Reference Manual, "Server Error Message Reference".
pub(crate) fn explain(database: &Database, error: anyhow::Error) -> anyhow::Error {
    let Some(found) = error.downcast_ref::<source::Error>() else {
        return error;
    };
    let name = &database.name;
    if found.is_about_the_server_key() {
        let hint = format!(
            "use TLS (ssl-mode=verify_identity in databases.{name}.source), or name the server's \
             public key, which its administrator has, with the option server_public_key=FILE"
        );
        return Failure::blocked(found.to_string()).hint(hint).into();
    }
    let hint = match found.code() {
        Some(STATEMENT_CANCELLED) => {
            return match Interrupt::check_process() {
                Err(interrupted) => interrupted.into(),
                Ok(()) => error,
            };
        }
        Some(LOCK_WAIT_TIMEOUT) => return locked(database, found).into(),
        Some(1045) => format!("check user and password in databases.{name}.source"),
        Some(1049) => format!("check the database's name in databases.{name}.source"),
        // Denied for a database, a table, a column.
        Some(1044 | 1142 | 1143) => grants(database),
        // Denied for want of a privilege, for a routine.
        Some(1227 | 1370) => format!(
            "`{}` lists the privileges with their grants",
            next("doctor")
        ),
        // Too many connections, of all, of this user, within the hour.
        Some(1040 | 1203 | 1226) => {
            "lower --jobs, or let the source's administrator raise max_connections or the \
             user's limit"
                .to_owned()
        }
        _ => return error,
    };
    Failure::blocked(found.to_string()).hint(hint).into()
}

fn locked(database: &Database, error: &source::Error) -> Failure {
    let message = format!("{}: a lock of another session holds it up", error.doing());
    let asked = source::Connection::open(&database.source)
        .and_then(|mut source| source.lock_wait(database.source_name()));
    // The lock is what matters, not that its holder cannot be asked for.
    let wait = asked.unwrap_or_default();
    let mut message = format!("source: {message}");
    if !wait.tables.is_empty() {
        message.push_str(&format!(
            "; tables in use or locked: {}",
            wait.tables.join(", ")
        ));
    }
    if !wait.sessions.is_empty() {
        message.push_str(&format!(
            "; sessions in the database: {}",
            wait.sessions.join(", ")
        ));
    }
    let hint = if wait.sees_sessions {
        "wait until that session has released its lock, or end it with `kill <process>`, then run \
         the command again"
    } else {
        "wait until the lock is released, then run the command again; with the privilege `process`, \
         this login could say which session holds it"
    };
    Failure::blocked(message).hint(hint)
}

/// The grants that nothing works without; others are `doctor`'s to propose.
fn grants(database: &Database) -> String {
    let on = quote::mysql(database.source_name());
    // The account that a login has is not always the one from any host.
    let known = source::Connection::open(&database.source).and_then(|mut source| source.account());
    let account = known.unwrap_or_else(|_| {
        let user = quote::mysql_literal(database.source.user());
        format!("{user}@'<host>'")
    });
    format!("let the source's administrator run: grant select on {on}.* to {account}")
}
