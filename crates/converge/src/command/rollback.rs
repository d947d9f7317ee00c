//! `rollback`: brings the target back to the state before the import.

use serde::Serialize;

use target::{LaterWrites, LedgerRun, roll_back};

use crate::args::RollbackArgs;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::run::Session;

/// What `rollback --output json` prints.
#[derive(Debug, Serialize)]
struct Document {
    schema_version: u32,
    databases: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    /// The run that was taken back; `null` where the target held none.
    run_id: Option<String>,
    tables: usize,
    rows: u64,
}

pub(crate) fn run(args: &RollbackArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let session = Session::open(&args.common, interrupt)?;
    let databases = roll_back_all(&session, args.discard_later_writes)?;
    let mut human = String::new();
    for entry in &databases {
        human.push_str(&match &entry.run_id {
            Some(run_id) => format!(
                "{}: run {run_id} taken back, {} tables, {} rows\n",
                entry.name, entry.tables, entry.rows
            ),
            None => format!("{}: holds no run, nothing to take back\n", entry.name),
        });
    }
    let document = Document {
        schema_version: 1,
        databases,
    };
    session.console.result(&human, &document)?;
    Ok(())
}

fn roll_back_all(session: &Session, discard: bool) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for database in &session.config.databases {
        session.interrupt.check()?;
        let mut connection = target::Connection::open(&database.target)?;
        let ledger = LedgerRun::read(&mut connection, &database.ledger)?;
        if let Some(run) = &ledger {
            roll_back_one(
                &mut connection,
                &database.name,
                &database.ledger,
                run,
                discard,
            )?;
        }
        entries.push(Entry {
            name: database.name.clone(),
            tables: ledger.as_ref().map_or(0, |run| run.tables.len()),
            rows: ledger
                .as_ref()
                .map_or(0, |run| run.tables.iter().map(|t| t.rows).sum()),
            run_id: ledger.map(|run| run.run_id),
        });
    }
    Ok(entries)
}

/// Takes one database's run back.
pub(crate) fn roll_back_one(
    connection: &mut target::Connection,
    database: &str,
    ledger: &str,
    run: &LedgerRun,
    discard: bool,
) -> anyhow::Result<()> {
    let later = roll_back(connection, ledger, run, discard).map_err(|error| {
        if error.is_precondition() {
            anyhow::Error::new(Failure::blocked(error.to_string()))
        } else {
            anyhow::Error::new(error).context("the rollback was not committed: nothing was changed")
        }
    })?;
    if later.is_empty() || discard {
        return Ok(());
    }
    let counts: Vec<String> = later.iter().map(describe).collect();
    Err(Failure::blocked(format!(
        "database `{database}` was written to since the import: {}",
        counts.join("; ")
    ))
    .hint("nothing was changed; `--discard-later-writes` throws these rows away")
    .into())
}

fn describe(later: &LaterWrites) -> String {
    format!(
        "{}: {} rows inserted or changed, {} loaded rows changed or gone",
        later.table, later.written, later.lost
    )
}
