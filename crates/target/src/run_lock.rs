//! One run at a time in a database: every session of a run shares an advisory lock, and who begins
//! something wants it alone.
//!
//! The lock is a session's, so it ends with the session, whatever became of the process.

use std::thread;
use std::time::{Duration, Instant};

use postgres::{GenericClient, Transaction};

use crate::connection::Connection;
use crate::error::{Doing, Error, Kind};
use crate::load::LOCK_TIMEOUT;

/// "converge" in ASCII.
const LOCK_KEY: i64 = 0x636f_6e76_6572_6765;

/// A server notices within ten seconds that a client is gone while a statement runs
/// (`client_connection_check_interval`), and ends at once what it is told to end.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What to do about sessions of the same run, which outlive a process that was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers {
    /// Wait until the server has noticed.
    WaitedFor,
    /// End them: somebody said that their process is gone.
    Ended,
}

/// Names a session to whoever looks at the server: the run, and the number of a worker.
pub(crate) fn session_name(run_id: &str, number: usize) -> String {
    format!("converge/{run_id}/{number}")
}

impl Connection {
    /// Fails where another run is at work on this database, and says which.
    ///
    /// To be asked first: a run at work has its tables locked, and even a look at the catalogue
    /// would wait for its end without a word.
    ///
    /// # Errors
    /// Where there is one, or where the server refuses.
    pub fn check_nobody_at_work(&mut self) -> Result<(), Error> {
        let doing = || "looking for another run".to_owned();
        // Its end gives the lock back.
        lock(&mut self.client.transaction().doing(doing)?, None)
    }

    /// Takes the lock for this session, alone; sessions that are left of the same run are waited
    /// for, or ended.
    ///
    /// # Errors
    /// Where another run is at work, or where the server refuses.
    pub fn lock_for_run(&mut self, run_id: &str, leftovers: Leftovers) -> Result<(), Error> {
        self.name_session(run_id, 0)?;
        let sql = "select pg_catalog.pg_try_advisory_lock($1)";
        patiently(&mut self.client, sql, Some((run_id, leftovers)))?;
        // From here on somebody else's lock on a table is no reason to wait without a word.
        self.batch_execute(&format!("set {LOCK_TIMEOUT}"))
    }

    /// Lets others of the same run in, after [`Connection::lock_for_run`].
    pub(crate) fn share_lock(&mut self) -> Result<(), Error> {
        let doing = || "sharing the lock of this tool".to_owned();
        // In this order there is no moment without a lock.
        for sql in [
            "select pg_catalog.pg_advisory_lock_shared($1)",
            "select pg_catalog.pg_advisory_unlock($1)",
        ] {
            self.client.query(sql, &[&LOCK_KEY]).doing(doing)?;
        }
        Ok(())
    }

    /// Joins a run whose first session shares its lock.
    pub(crate) fn join_run(&mut self, run_id: &str, number: usize) -> Result<(), Error> {
        self.name_session(run_id, number)?;
        patiently(
            &mut self.client,
            "select pg_catalog.pg_try_advisory_lock_shared($1)",
            None,
        )
    }

    fn name_session(&mut self, run_id: &str, number: usize) -> Result<(), Error> {
        let sql = "select pg_catalog.set_config('application_name', $1, false)";
        self.client
            .query(sql, &[&session_name(run_id, number)])
            .doing(|| "naming the session".to_owned())?;
        Ok(())
    }
}

/// Takes the lock alone until the transaction ends; sessions that are left of `run` are waited
/// for, or ended.
pub(crate) fn lock(
    transaction: &mut Transaction<'_>,
    run: Option<(&str, Leftovers)>,
) -> Result<(), Error> {
    let sql = "select pg_catalog.pg_try_advisory_xact_lock($1)";
    patiently(transaction, sql, run)
}

fn patiently(
    client: &mut impl GenericClient,
    sql: &str,
    run: Option<(&str, Leftovers)>,
) -> Result<(), Error> {
    let doing = || "asking for the lock of this tool".to_owned();
    let since = Instant::now();
    loop {
        let row = client.query_one(sql, &[&LOCK_KEY]).doing(doing)?;
        if row.get(0) {
            return Ok(());
        }
        let holders = client
            .query(include_str!("sql/lock_holders.sql"), &[&LOCK_KEY])
            .doing(doing)?;
        let is_left = |name: &str| {
            run.is_some_and(|(run_id, _)| name.starts_with(&format!("converge/{run_id}/")))
        };
        if let Some(other) = holders.iter().find(|row| !is_left(row.get(1))) {
            return Err(at_work(other.get(0)));
        }
        if since.elapsed() > PATIENCE
            && let Some(left) = holders.first()
        {
            return Err(at_work(left.get(0)));
        }
        if matches!(run, Some((_, Leftovers::Ended))) {
            let pids: Vec<i32> = holders.iter().map(|row| row.get(2)).collect();
            let sql =
                "select pg_catalog.pg_terminate_backend(p) from pg_catalog.unnest($1::int[]) p";
            client
                .query(sql, &[&pids])
                .doing(|| "ending what is left of a run".to_owned())?;
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn at_work(holder: String) -> Error {
    let text = format!("another run is at work here: {holder}");
    Error::new(Kind::State(text), "beginning the import")
}
