//! A load that begins while its files are being written, so that nothing of them is read again.
//!
//! It is not gone on with: what was loaded for files that never came to their end is taken back,
//! and the next migration loads the files that are complete.

use std::collections::BTreeMap;

use catalog::TargetCatalog;
use target::{CopyForm, Import, LedgerRun, Leftovers, Loader, Rows};
use transform::TablePlan;

use super::ended::{self, Reached};
use super::{around, check_ledger, connect, load, look_at_target};
use crate::command::rollback::{Later, Loaded};
use crate::config::{Config, Database};
use crate::exit::{Failure, UNEXPECTED};
use crate::held_run::held_run;
use crate::lost::{Side, Task};
use crate::pairing::TablePair;
use crate::run::{Run, StageRun};
use crate::text::Text;

const TASK: Task = Task {
    name: "migrate",
    sides: &[Side::Target],
    leaves: "where the target holds a part of this run, `{status}` says so, and `rollback` takes \
         it back",
    is_kept: false,
};
/// While rows are read and loaded.
pub(crate) const LEAVES_LOADING: &str = "the source was only read; where the target holds a part of this run, \
     `{status}` says so, and `rollback` takes it back";

/// A load that has begun before its files are complete.
pub(crate) struct Ahead {
    /// Has the lock of the run.
    connection: target::Connection,
    pub(crate) loaders: Vec<Loader>,
}

impl Ahead {
    /// What an error means once what was loaded is taken back.
    pub(crate) fn explain(&mut self, stage: &StageRun<'_>, error: anyhow::Error) -> anyhow::Error {
        let schema = &stage.database.target_schema;
        let error = ended::with_owners(error, schema, &mut self.connection);
        ended::explain(error, stage.interrupt, Reached::Nothing)
    }
}

/// Whether a database can be loaded while it is read. Rules for constraints look at all rows of
/// several tables, and write files anew; keys between the schemas of one PostgreSQL database go
/// off and come back with one of them at a time.
pub(crate) fn is_for(config: &Config, database: &Database) -> bool {
    database.constraint_rules.is_empty() && !config.shares_its_target(database)
}

/// Takes constraints off, and makes sessions ready that load; `None` where the run is loaded
/// already. `estimates` are about how many bytes each table has on the source.
pub(crate) fn begin(
    stage: &StageRun<'_>,
    (catalog, pairs): (&TargetCatalog, &[TablePair<'_>]),
    estimates: &BTreeMap<String, u64>,
    workers: usize,
) -> anyhow::Result<Option<Ahead>> {
    let database = stage.database;
    let mut connection = connect(stage, workers, Leftovers::WaitedFor)?;
    let run_id = stage.directory.run_id();
    check_ledger(database, &mut connection, Some(run_id))?;
    // A repeated migration finds itself loaded.
    if held_run(database, &mut connection)?.is_some() {
        return Ok(None);
    }
    let (live, known) = look_at_target(stage, &mut connection, catalog, pairs)?;
    let names: Vec<&str> = pairs.iter().map(|pair| pair.target.name.as_str()).collect();
    let around = connection.surroundings(&database.target_schema, &names)?;
    around::name_others(stage, &around);
    let is_large =
        |table: &str| estimates.get(table).copied().unwrap_or_default() >= load::INDEX_LATER_BYTES;
    let run = load::take_off(stage, &mut connection, (&live, &known), pairs, is_large)?;
    stage.work.leaves(LEAVES_LOADING);
    let mut ahead = Ahead {
        connection,
        loaders: Vec::new(),
    };
    let loaders = Import::resume(&mut ahead.connection, &database.ledger, run)
        .and_then(|import| (1..=workers).map(|number| import.loader(number)).collect());
    match loaders {
        Ok(loaders) => ahead.loaders = loaders,
        Err(error) => return Err(ahead.explain(stage, error.into())),
    }
    Ok(Some(ahead))
}

/// How the rows of a table are sent.
#[derive(Debug)]
pub(crate) struct Columns<'p> {
    names: Vec<&'p str>,
    form: CopyForm,
}

impl<'p> Columns<'p> {
    /// `None` where a column has no binary form: such a table is loaded from its files.
    pub(crate) fn of(pair: TablePair<'_>, plan: &'p TablePlan) -> Option<Self> {
        let names: Vec<&str> = plan.columns().iter().map(|column| column.name()).collect();
        let form = CopyForm::of(pair.target, &names);
        form.csv_because_of()
            .is_none()
            .then_some(Self { names, form })
    }

    /// Loads a file of a table while `write` writes it; see [`Loader::load_rows`].
    pub(crate) fn load<T>(
        &self,
        loader: &mut Loader,
        place: (&str, &str),
        write: impl FnOnce(&mut Rows<'_>) -> anyhow::Result<(String, T)>,
    ) -> anyhow::Result<T> {
        loader.load_rows(place, (&self.form, &self.names), write)
    }
}

/// Takes back what a migration has loaded that did not get to the end of its import, in all
/// databases of the run.
///
/// # Errors
/// The first of them; the other databases are taken back nevertheless, and what stands in the
/// way there is a note.
pub(crate) fn take_back(run: &mut Run) -> anyhow::Result<()> {
    let mut taken = Ok(());
    for index in 0..run.config.databases.len() {
        match take_back_one(run, index) {
            Err(error) if taken.is_err() => run.console.line(&format!("note: {error:#}")),
            Err(error) => taken = Err(error),
            Ok(()) => {}
        }
    }
    taken
}

fn take_back_one(run: &mut Run, index: usize) -> anyhow::Result<()> {
    let Run {
        call,
        config,
        console,
        directory,
        ..
    } = run;
    let database = &config.databases[index];
    let name = &database.name;
    let explain = |error: anyhow::Error| {
        let rollback = call.other("rollback", None);
        let message = format!("`{name}`: an unfinished load is not taken back: {error:#}");
        Failure::new(code(&error), message).hint(format!(
            "`{rollback}` takes it back, with --export-later-writes DIR, --discard-later-writes \
             or --take-over where it must"
        ))
    };
    let mut loaded = Loaded::find(&TASK, call, database)?;
    let is_unfinished =
        |held: &LedgerRun| held.loaded.is_none() && held.run_id == directory.run_id();
    if !loaded.run().is_some_and(is_unfinished) {
        return Ok(());
    }
    console.line(&format!(
        "import     {name}: what is loaded without its end is being taken back"
    ));
    loaded
        .roll_back(&Later::Kept, Leftovers::WaitedFor, [].iter())
        .map_err(explain)?;
    console.line(&format!("import     {name}: taken back"));
    let run = loaded.run();
    let recorded = run.map(|run| directory.add_target_stage("rollback", name, run));
    // What happened to the data matters more than that it could not be written down.
    if let Some(Err(error)) = recorded {
        console.line(&format!("note: {error:#}"));
    }
    Ok(())
}

/// Takes back what a migration has loaded that fails before its import; the error is what the
/// operator is to see.
pub(crate) fn taken_back(run: &mut Run, error: anyhow::Error) -> anyhow::Error {
    let Err(why) = take_back(run) else {
        return error;
    };
    let failure = error.downcast_ref::<Failure>();
    // Its hint says already what the target may hold.
    if failure.is_some_and(Failure::is_lost_server) {
        run.console
            .line(&format!("note: not all was taken back: {why:#}"));
        return error;
    }
    let status = || run.call.other("status", Some(run.directory.path()));
    let why_not = why.downcast_ref::<Failure>().and_then(Failure::next_step);
    let hint = why_not.map_or_else(
        || format!("`{}` says what the target holds", status()).into(),
        Text::clone,
    );
    let message = format!("{error:#}; and what is loaded is not taken back: {why:#}");
    Failure::new(code(&error), message).hint(hint).into()
}

/// The same where the import of a database fails: where that was taken back, nothing goes on with
/// those that come after it.
pub(crate) fn taken_back_with_the_last(run: &mut Run, error: anyhow::Error) -> anyhow::Error {
    let failure = error.downcast_ref::<Failure>();
    if ended::can_go_on(&error) || failure.is_some_and(Failure::is_lost_server) {
        return error;
    }
    let last = run.directory.state.stages.last();
    let is_last = |database: &&Database| last.is_some_and(|last| last.database == database.name);
    let mut databases = run.config.databases.iter();
    let held = databases
        .find(is_last)
        .map(|database| Loaded::find(&TASK, &run.call, database));
    match held {
        Some(Ok(loaded)) if loaded.run().is_none() => taken_back(run, error),
        _ => error,
    }
}

fn code(error: &anyhow::Error) -> u8 {
    let failure = error.downcast_ref::<Failure>();
    failure.map_or(UNEXPECTED, |failure| failure.code)
}
