//! Holds the source still for the moment in which the transactions of a snapshot begin.
//!
//! Whoever writes meanwhile waits, so the lock is asked for with little patience, and not at all
//! behind statements that run for long; it is released by whoever asked for it.

use std::thread;
use std::time::{Duration, Instant};

use catalog::quote;
use dataset::SnapshotMethod;

use crate::connection::Connection;
use crate::error::Error;

/// How often a lock is asked for before the next way is tried.
const TRIES: u32 = 3;
/// "Lock wait timeout exceeded".
const LOCK_WAIT_TIMEOUT: u16 = 1205;
/// How long a session that holds a lock may say nothing before the server ends it: were this
/// machine gone, the source's writers would else wait for hours. The work under a lock takes
/// milliseconds.
const SILENT_SECONDS_MAX: u32 = 60;
/// How often whoever waits asks whether it still should.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Access denied: to the server (as hosted servers say it), to a database, to a table, and for
/// want of a privilege.
const DENIED: [u16; 4] = [1044, 1045, 1142, 1227];

/// A statement that has run for as long as a lock would be waited for.
struct Running {
    process: String,
    user: String,
    seconds: u64,
}

/// Whoever wants a lock, while it is waited for.
pub trait Waiting<E> {
    /// Is told what is waited for, and why no lock is held.
    fn say(&mut self, what: &str);

    /// Is asked ten times a second whether to wait on.
    ///
    /// # Errors
    /// Ends the waiting.
    fn step(&mut self) -> Result<(), E>;
}

/// How a lock came out.
enum Asked {
    Held,
    Denied,
    Busy,
}

/// Locks the server, or else the tables; `None` where neither may be or can be had.
///
/// Production writes wait for no longer than `wait`.
pub(crate) fn acquire<E: From<Error>>(
    connection: &mut Connection,
    tables: &[(String, String)],
    wait: Duration,
    waiting: &mut dyn Waiting<E>,
) -> Result<Option<SnapshotMethod>, E> {
    let seconds = wait.as_secs().max(1);
    connection.execute(&format!(
        "set session lock_wait_timeout = {seconds}, wait_timeout = {SILENT_SECONDS_MAX}"
    ))?;
    let ways = [
        (
            SnapshotMethod::GlobalReadLock,
            "flush tables with read lock".to_owned(),
            "the whole server",
        ),
        (
            SnapshotMethod::TableLocks,
            lock_tables(tables),
            "the tables",
        ),
    ];
    for (method, statement, what) in ways {
        if statement.is_empty() {
            continue;
        }
        match ask(connection, &statement, seconds, waiting)? {
            Asked::Held => return Ok(Some(method)),
            Asked::Denied => waiting.say(&format!("this user may not lock {what}")),
            Asked::Busy => waiting.say(&format!("no lock of {what} in {TRIES} tries")),
        }
    }
    Ok(None)
}

/// Empty where there is no table.
fn lock_tables(tables: &[(String, String)]) -> String {
    if tables.is_empty() {
        return String::new();
    }
    let locks = tables.iter().map(|(database, table)| {
        let name = quote::mysql_qualified(database, table);
        format!("{name} read")
    });
    format!("lock tables {}", locks.collect::<Vec<_>>().join(", "))
}

fn ask<E: From<Error>>(
    connection: &mut Connection,
    statement: &str,
    seconds: u64,
    waiting: &mut dyn Waiting<E>,
) -> Result<Asked, E> {
    for _ in 0..TRIES {
        waiting.step()?;
        let running = running_for_long(connection, seconds)?;
        if !running.is_empty() {
            let texts: Vec<String> = running.iter().map(Running::text).collect();
            waiting.say(&format!("waiting for {}", texts.join(", ")));
            sleep(Duration::from_secs(seconds), waiting)?;
            continue;
        }
        match connection.execute(statement) {
            Ok(()) => return Ok(Asked::Held),
            Err(error) if error.code() == Some(LOCK_WAIT_TIMEOUT) => {
                // MySQL keeps the global lock where only the flush behind it timed out.
                connection.execute("unlock tables")?;
            }
            Err(error) if error.code().is_some_and(|code| DENIED.contains(&code)) => {
                return Ok(Asked::Denied);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Asked::Busy)
}

fn sleep<E>(time: Duration, waiting: &mut dyn Waiting<E>) -> Result<(), E> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        waiting.step()?;
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

impl Running {
    /// Without the statement, which may hold values.
    fn text(&self) -> String {
        let Self {
            process,
            user,
            seconds,
        } = self;
        format!("process {process} of user {user}, at work for {seconds} s")
    }
}

/// Statements of others as far as this user may see them.
fn running_for_long(connection: &mut Connection, seconds: u64) -> Result<Vec<Running>, Error> {
    let own = connection.conn.connection_id().to_string();
    let rows = connection.query_text("show processlist")?;
    let running = rows.into_iter().filter_map(|row| {
        // Id, user, host, database, command, time, of the columns that there are.
        let mut cells = row.into_iter();
        let (process, user) = (cells.next()??, cells.next()??);
        let command = cells.nth(2)??;
        let seconds = cells.next()??.parse().ok()?;
        let works = matches!(command.as_str(), "Query" | "Execute");
        // The appliers of a replica wait for their primary as queries that never end.
        (works && process != own && user != "system user").then_some(Running {
            process,
            user,
            seconds,
        })
    });
    Ok(running.filter(|found| found.seconds >= seconds).collect())
}

/// Keeps the schema as it is for as long as the returned connection lives, where the server can
/// do that and the user may. Under a lock of the server it is had at once, since no change of the
/// schema is at work then; elsewhere it is not waited for.
pub(crate) fn hold_schema(mut connection: Connection) -> Result<Option<Connection>, Error> {
    let Some(statement) = connection.dialect.backup_lock() else {
        return Ok(None);
    };
    connection.execute("set session lock_wait_timeout = 1")?;
    match connection.execute(statement) {
        Ok(()) => Ok(Some(connection)),
        Err(error) => match error.code() {
            Some(LOCK_WAIT_TIMEOUT) => Ok(None),
            Some(code) if DENIED.contains(&code) => Ok(None),
            _ => Err(error),
        },
    }
}
