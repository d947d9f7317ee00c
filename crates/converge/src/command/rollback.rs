//! `rollback`: brings the target back to the state before the import.

use serde::Serialize;

use target::{LaterWrites, LedgerRun, roll_back};

use crate::args::RollbackArgs;
use crate::call::Call;
use crate::config::Database;
use crate::console::counted;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task, Work};
use crate::run::Session;
use crate::run_dir::record_outside_a_run;

const TASK: Task = Task {
    name: "rollback",
    sides: &[Side::Target],
    leaves: "a rollback is done as a whole or not at all: `{status}` says whether the target still holds the run",
    is_kept: true,
};

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
    tables: u64,
    rows: u64,
}

pub(crate) fn run(args: &RollbackArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let session = Session::open(&args.common, interrupt)?;
    let mut loaded = Vec::new();
    for database in &session.config.databases {
        session.interrupt.check()?;
        loaded.push(Loaded::find(&session.call, database)?);
    }
    let runs = loaded.iter().filter_map(|loaded| loaded.run.as_ref());
    session.check_named_run(&args.common, runs.map(|run| run.run_id.as_str()))?;
    if !args.discard_later_writes {
        // All are looked at before the first is touched, so that a refusal changes nothing.
        for loaded in &mut loaded {
            loaded.check_later_writes()?;
        }
    }
    let mut databases: Vec<Entry> = Vec::new();
    for mut loaded in loaded {
        session.interrupt.check()?;
        let done = databases.iter().filter(|entry| entry.run_id.is_some());
        loaded.roll_back(args.discard_later_writes, done.map(|entry| &entry.name))?;
        if let Some(run) = &loaded.run {
            record_outside_a_run(&args.common, "rollback", &loaded.database.name, run)?;
        }
        databases.push(loaded.into_entry());
    }
    let human: String = databases.iter().map(line).collect();
    let document = Document {
        schema_version: 1,
        databases,
    };
    session.console.result(&human, &document)?;
    Ok(())
}

fn line(entry: &Entry) -> String {
    match &entry.run_id {
        Some(run_id) => format!(
            "{}: run {run_id} taken back, {}, {}\n",
            entry.name,
            counted(entry.tables, "table"),
            counted(entry.rows, "row")
        ),
        None => format!("{}: holds no run, nothing to take back\n", entry.name),
    }
}

/// A target with the run that it holds.
pub(crate) struct Loaded<'d> {
    call: &'d Call,
    database: &'d Database,
    connection: target::Connection,
    run: Option<LedgerRun>,
}

impl<'d> Loaded<'d> {
    /// Looks into a target's ledger.
    pub(crate) fn find(call: &'d Call, database: &'d Database) -> anyhow::Result<Self> {
        Work::outside(&TASK, call, database).watched(database, || {
            let mut connection = target::Connection::open(&database.target)?;
            let run = LedgerRun::read(&mut connection, &database.ledger)?;
            Ok(Self {
                call,
                database,
                connection,
                run,
            })
        })
    }

    /// The run that the target holds.
    pub(crate) fn run(&self) -> Option<&LedgerRun> {
        self.run.as_ref()
    }

    fn check_later_writes(&mut self) -> anyhow::Result<()> {
        let Some(run) = &self.run else {
            return Ok(());
        };
        let connection = &mut self.connection;
        let later = Work::outside(&TASK, self.call, self.database)
            .watched(self.database, || Ok(target::later_writes(connection, run)?))?;
        refuse_later_writes(&self.database.name, &later)
    }

    /// Takes the run back, in one transaction; `done` are the databases for which that was done
    /// before.
    pub(crate) fn roll_back<'n>(
        &mut self,
        discard: bool,
        done: impl Iterator<Item = &'n String>,
    ) -> anyhow::Result<()> {
        let Some(run) = &self.run else {
            return Ok(());
        };
        let (connection, ledger) = (&mut self.connection, &self.database.ledger);
        let work = Work::outside(&TASK, self.call, self.database).after(done);
        let later = work.watched(self.database, || {
            roll_back(connection, ledger, run, discard)
                .map_err(|error| explain(error, self.database))
        })?;
        match discard {
            true => Ok(()),
            false => refuse_later_writes(&self.database.name, &later),
        }
    }

    fn into_entry(self) -> Entry {
        let tables = self.run.as_ref().map_or(&[][..], |run| &run.tables);
        Entry {
            name: self.database.name.clone(),
            tables: tables.len() as u64,
            rows: tables.iter().map(|table| table.rows).sum(),
            run_id: self.run.map(|run| run.run_id),
        }
    }
}

/// What an error of the target means for a rollback.
fn explain(error: target::Error, database: &Database) -> anyhow::Error {
    if error.is_precondition() || error.is_obstacle() {
        return Failure::blocked(error.to_string()).into();
    }
    if error.is_about_data() {
        return Failure::blocked(error.to_string())
            .hint("nothing was changed; rows of another table refer to the loaded ones: remove those first")
            .into();
    }
    anyhow::Error::new(error).context(format!(
        "`{}`: look with `cargo xtask status` whether it still holds the run",
        database.name
    ))
}

fn refuse_later_writes(database: &str, later: &[LaterWrites]) -> anyhow::Result<()> {
    if later.is_empty() {
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
        "{}: {} inserted or changed, {} changed or gone",
        later.table,
        counted(later.written, "row"),
        counted(later.lost, "loaded row")
    )
}
