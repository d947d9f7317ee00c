//! `rollback`: brings the target back to the state before the import.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use dataset::file_stem;

use target::{LaterRows, LaterWrites, LedgerRun, Leftovers, roll_back};

use crate::args::RollbackArgs;
use crate::call::Call;
use crate::call::next;
use crate::command::import::at_work;
use crate::config::Database;
use crate::console::counted;
use crate::exit::Failure;
use crate::held_run::held_run;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task, Work};
use crate::run::Session;
use crate::run_dir::record_outside_a_run;
use crate::text::Text;

pub(crate) const TASK: Task = Task {
    name: "rollback",
    sides: &[Side::Target],
    leaves: "a rollback is done as a whole or not at all: `{status}` says whether the target still holds the run",
    is_kept: true,
};

/// What becomes of rows that others wrote since the import.
pub(crate) enum Later {
    Kept,
    Discarded,
    Written(LaterFiles),
}

/// A directory for them.
pub(crate) struct LaterFiles(PathBuf);

impl LaterFiles {
    /// Makes the directory, which must not be there yet: it is going to hold personal data.
    fn make(directory: &Path) -> anyhow::Result<Self> {
        let made = DirBuilder::new().mode(0o700).create(directory);
        made.map_err(|error| {
            Failure::usage(format!("cannot make {}: {error}", directory.display()))
                .hint("nothing was changed; name a directory that is not there yet")
        })?;
        Ok(Self(directory.to_owned()))
    }

    /// Writes the rows of a table, and returns once they are on the disk: they go from the
    /// target with the next step.
    fn write(&self, database: &str, table: &str, rows: &mut dyn Read) -> io::Result<()> {
        let name = format!("{}.{}.csv", file_stem(database), file_stem(table));
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.0.join(name))?;
        io::copy(rows, &mut file)?;
        file.sync_all()?;
        File::open(&self.0)?.sync_all()
    }
}

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
        loaded.push(Loaded::find(&TASK, &session.call, database)?);
    }
    let runs = loaded.iter().filter_map(|loaded| loaded.run.as_ref());
    session.check_named_run(&args.common, runs.map(|run| run.run_id.as_str()))?;
    let later = match &args.export_later_writes {
        _ if args.discard_later_writes => Later::Discarded,
        Some(directory) => Later::Written(LaterFiles::make(directory)?),
        None => Later::Kept,
    };
    if matches!(later, Later::Kept) {
        // All are looked at before the first is touched, so that a refusal changes nothing.
        for loaded in &mut loaded {
            loaded.check_later_writes()?;
        }
    }
    let leftovers = match args.take_over {
        true => Leftovers::Ended,
        false => Leftovers::WaitedFor,
    };
    let mut databases: Vec<Entry> = Vec::new();
    for mut loaded in loaded {
        session.interrupt.check()?;
        let done = databases.iter().filter(|entry| entry.run_id.is_some());
        let done = done.map(|entry| &entry.name);
        loaded.roll_back(&later, leftovers, done)?;
        if let Some(run) = &loaded.run {
            record_outside_a_run(&args.common, "rollback", &loaded.database.name, run)?;
        }
        databases.push(loaded.into_entry());
    }
    let human: Text = databases.iter().map(line).collect();
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
            "{}: run {run_id} taken back, {}, {}",
            entry.name,
            counted(entry.tables, "table"),
            counted(entry.rows, "row")
        ),
        None => format!("{}: holds no run, nothing to take back", entry.name),
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
    /// Looks into a target's ledger, as a part of a task.
    pub(crate) fn find(
        task: &Task,
        call: &'d Call,
        database: &'d Database,
    ) -> anyhow::Result<Self> {
        Work::outside(task, call, database).watched(database, || {
            let mut connection = target::Connection::open(&database.target)?;
            let run = held_run(database, &mut connection)?;
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
        later: &Later,
        leftovers: Leftovers,
        done: impl Iterator<Item = &'n String>,
    ) -> anyhow::Result<()> {
        let Some(run) = &self.run else {
            return Ok(());
        };
        let (connection, ledger) = (&mut self.connection, &self.database.ledger);
        let work = Work::outside(&TASK, self.call, self.database).after(done);
        let name = &self.database.name;
        let mut write = |table: &str, rows: &mut dyn Read| match later {
            Later::Written(files) => files.write(name, table, rows),
            Later::Kept | Later::Discarded => Ok(()),
        };
        let rows = match later {
            Later::Kept => LaterRows::Kept,
            Later::Discarded => LaterRows::Discarded,
            Later::Written(_) => LaterRows::Written(&mut write),
        };
        let taken = work.watched(self.database, || {
            roll_back(connection, ledger, (run, rows), leftovers)
                .map_err(|error| explain(error, self.database, &run.run_id))
        })?;
        if matches!(later, Later::Kept) {
            refuse_later_writes(name, &taken.later)?;
        }
        self.run = Some(taken.run);
        Ok(())
    }

    fn into_entry(self) -> Entry {
        let tables = self.run.as_ref().map_or(&[][..], |run| &run.tables);
        Entry {
            name: self.database.name.clone(),
            tables: tables.len() as u64,
            rows: self.run.as_ref().map_or(0, LedgerRun::rows),
            run_id: self.run.map(|run| run.run_id),
        }
    }
}

/// What an error of the target means for a rollback.
fn explain(error: target::Error, database: &Database, run_id: &str) -> anyhow::Error {
    if error.is_precondition() {
        return at_work(error, run_id);
    }
    if error.is_obstacle() {
        return Failure::blocked(error.to_string()).into();
    }
    if error.is_about_a_taken_name() {
        return Failure::blocked(error.to_string())
            .hint(
                "nothing was changed; another role made an object of that name since: let it be \
                 dropped or renamed, then roll back again",
            )
            .into();
    }
    if error.is_about_room() {
        return Failure::blocked(error.to_string())
            .hint(
                "nothing was changed; give the server more room (max_locks_per_transaction, \
                 max_connections), restart it and roll back again",
            )
            .into();
    }
    if error.is_about_data() {
        return Failure::blocked(error.to_string())
            .hint("nothing was changed; rows of another table refer to the loaded ones: remove those first")
            .into();
    }
    anyhow::Error::new(error).context(format!(
        "`{}`: `{}` says whether it still holds the run",
        database.name,
        next("status")
    ))
}

fn refuse_later_writes(database: &str, later: &[LaterWrites]) -> anyhow::Result<()> {
    if later.is_empty() {
        return Ok(());
    }
    Err(Failure::blocked(format!(
        "database `{database}` was written to since the import: {}",
        LaterWrites::list(later)
    ))
    .hint(
        "nothing was changed; `--export-later-writes DIR` writes these rows to files and throws \
         them away, `--discard-later-writes` only throws them away",
    )
    .into())
}
