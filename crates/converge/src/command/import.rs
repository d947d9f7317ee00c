//! `import`: loads the transformed files into the target, all or nothing for each database.

pub(crate) mod ahead;
mod around;
mod ended;
mod files;
mod load;

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use baseline::Names;
use catalog::TargetCatalog;
use dataset::{Manifest, TableEntry};
use target::{Fingerprint, LedgerChunk, LedgerRun, Leftovers};

use crate::args::ImportArgs;
use crate::call::next;
use crate::command::baseline as baseline_command;
use crate::command::export::StageDocument;
use crate::command::transform::{self, read_catalogs};
use crate::config::Database;
use crate::connection_room;
use crate::console::first_of;
use crate::constraint_rules;
use crate::exit::Failure;
use crate::held_run::held_run;
use crate::interrupt::Interrupt;
use crate::lock_room;
use crate::lost::{Side, Task, Work};
use crate::pairing::{Catalogs, TablePair};
use crate::run::{Run, Session, StageOutcome, StageRun};
use crate::target_encoding;
use crate::target_privileges::{self, Purpose};
use crate::text::Text;
use crate::versions;

const STAGE: &str = "import";
const TASK: Task = Task {
    name: STAGE,
    sides: &[Side::Target],
    // A repeated import may find itself loaded already.
    leaves: "this import has changed nothing yet; `{status}` says what the target holds",
    is_kept: true,
};
/// What `migrate` looks at before it begins.
const PREFLIGHT: Task = Task {
    name: "migrate",
    sides: &[Side::Source, Side::Target],
    leaves: "nothing was changed",
    is_kept: false,
};

/// Enough to see what is meant, and not a screen for each kind.
const BLOCKED_TABLES_SHOWN: usize = 20;

/// What an operator decides about an import.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner<'m> {
    pub(crate) leftovers: Leftovers,
    /// Whether materialised views are filled anew.
    pub(crate) refresh: bool,
    /// Databases that this process has begun to load already.
    pub(crate) ahead: &'m [String],
}

pub(crate) fn run(args: &ImportArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let mut run = Session::open(&args.common, interrupt)?.resume(&args.common)?;
    let manner = Manner {
        leftovers: match args.take_over {
            true => Leftovers::Ended,
            false => Leftovers::WaitedFor,
        },
        refresh: args.refresh,
        ahead: &[],
    };
    let outcomes = stage(&mut run, manner)?;
    let human = Text::from("imported").and(format!("next: {}", next("verify")));
    run.console
        .result(&human, &StageDocument::new(&run, STAGE, &outcomes))?;
    Ok(())
}

/// Imports all databases of the run.
pub(crate) fn stage(run: &mut Run, manner: Manner<'_>) -> anyhow::Result<Vec<StageOutcome>> {
    transform::check_one_export(run, transform::DIRECTORY)?;
    let workers = run.workers;
    run.stage(&TASK, |stage| import_database(stage, workers, manner))
}

fn import_database(
    stage: &mut StageRun<'_>,
    workers: usize,
    manner: Manner<'_>,
) -> anyhow::Result<()> {
    let database = stage.database;
    let directory = stage
        .directory
        .database_dir(&database.name, transform::DIRECTORY)?;
    let manifest = Manifest::read(&directory).map_err(|error| {
        Failure::blocked(format!("there are no complete transformed files: {error}"))
            .hint(format!("run `{}` first", next("transform")))
    })?;
    let mut connection = connect(stage, workers, manner.leftovers)?;
    let begun = begun(stage, &mut connection, &manifest, manner)?;
    if begun.as_ref().is_some_and(|run| run.loaded.is_some()) {
        return Ok(());
    }
    let planned = read_catalogs(stage)?;
    let pairs = planned.pairs(database)?;
    let names: Vec<&str> = pairs.iter().map(|pair| pair.target.name.as_str()).collect();
    let around = connection.surroundings(&database.target_schema, &names)?;
    if !manner.ahead.contains(&database.name) {
        around::name_others(stage, &around);
    }
    around::name_views(stage, &around, manner);
    let files = Files {
        manifest: &manifest,
        directory: &directory,
        pairs: &pairs,
        workers,
    };
    match begun {
        Some(run) => load::go_on(stage, &mut connection, run, &files)?,
        None => {
            let (live, known) = look_at_target(stage, &mut connection, &planned.target, &pairs)?;
            load::begin(stage, &mut connection, (&live, &known), &files)?;
        }
    }
    around::name_foreign_keys_without_index(stage, &pairs);
    around::name_loose_sequences(stage, &planned.target, &pairs);
    around::refresh(stage, &mut connection, &around, manner)
}

/// A session of the target that holds the lock of the run.
fn connect(
    stage: &StageRun<'_>,
    workers: usize,
    leftovers: Leftovers,
) -> anyhow::Result<target::Connection> {
    let database = stage.database;
    let mut connection = target::Connection::open(&database.target)?;
    versions::support(connection.server())?;
    check_sessions(database, &mut connection)?;
    target_privileges::check(database, &mut connection, Purpose::Load)?;
    target_encoding::check(database, &mut connection)?;
    lock_room::check(database, &mut connection)?;
    let run_id = stage.directory.run_id();
    connection
        .lock_for_run(run_id, leftovers)
        .map_err(|error| at_work(error, run_id))?;
    // Behind the lock: sessions that are left of this run are waited for, or ended, by then.
    connection_room::check_target(database, &mut connection, workers)?;
    Ok(connection)
}

/// What the target is before the load, which must be what was planned for.
fn look_at_target(
    stage: &StageRun<'_>,
    connection: &mut target::Connection,
    planned: &TargetCatalog,
    pairs: &[TablePair<'_>],
) -> anyhow::Result<(TargetCatalog, Fingerprint)> {
    let database = stage.database;
    let mut look = || {
        let known = connection.definitions(&database.target_schema)?;
        let live = target::discover(connection, &database.target_schema)?;
        check_schema(database, planned, &live)?;
        check_blockers(database, connection, pairs)?;
        Ok((live, known))
    };
    look().map_err(|error| {
        let error = ended::with_owners(error, &database.target_schema, connection);
        ended::explain(error, stage.interrupt, ended::Reached::Nothing)
    })
}

/// What is to be loaded.
struct Files<'f> {
    manifest: &'f Manifest,
    directory: &'f Path,
    pairs: &'f [TablePair<'f>],
    /// How many load side by side.
    workers: usize,
}

/// The target must still be what the files were made for.
fn check_schema(
    database: &Database,
    planned: &TargetCatalog,
    live: &TargetCatalog,
) -> Result<(), Failure> {
    // What is no table takes no rows.
    let tables = |catalog: &TargetCatalog| TargetCatalog {
        others: Vec::new(),
        hidden: Vec::new(),
        ..catalog.clone()
    };
    let differences = baseline::compare(&tables(planned), &tables(live), Names::Compared);
    if differences.is_empty() {
        return Ok(());
    }
    let differences: Vec<String> = differences.into_iter().map(|d| d.to_string()).collect();
    Err(Failure::blocked(format!(
        "the schema of target `{}` has changed since the export: {}",
        database.name,
        differences.join("; ")
    ))
    .hint(format!(
        "run `{}` and `{}` again",
        next("export"),
        next("transform")
    )))
}

/// Fails where an import of a new run would be refused, before anything is read.
pub(crate) fn preflight(run: &Run) -> anyhow::Result<()> {
    let look = |database: &Database| {
        run.interrupt.check()?;
        let look = || preflight_database(run, database);
        Work::outside(&PREFLIGHT, &run.call, database).watched(database, look)
    };
    // Each look mostly waits for a server, and has its lock alone.
    let shares = |database| run.config.shares_its_target(database);
    let at_once = match run.config.databases.iter().any(shares) {
        true => 1,
        false => run.workers.max(1),
    };
    for databases in run.config.databases.chunks(at_once) {
        let looks = thread::scope(|scope| {
            let looks = databases
                .iter()
                .map(|database| scope.spawn(|| look(database)));
            let looks: Vec<_> = looks.collect();
            let looks = looks.into_iter().map(|look| look.join());
            looks.collect::<Vec<_>>()
        });
        for look in looks {
            look.unwrap_or_else(|panic| resume_unwind(panic))?;
        }
    }
    Ok(())
}

fn preflight_database(run: &Run, database: &Database) -> anyhow::Result<()> {
    let mut source = source::Connection::open(&database.source)?;
    let mut target = target::Connection::open(&database.target)?;
    for line in versions::unproven([source.server(), target.server()]) {
        run.console.line(&line);
    }
    check_nobody_at_work(&mut target)?;
    check_sessions(database, &mut target)?;
    target_privileges::check(database, &mut target, Purpose::Load)?;
    connection_room::check_source(database, &mut source, run.workers)?;
    connection_room::check_target(database, &mut target, run.workers)?;
    target_encoding::check(database, &mut target)?;
    lock_room::check(database, &mut target)?;
    baseline_command::check_owner(database, &mut target)?;
    check_ledger(database, &mut target, Some(run.directory.run_id()))?;
    let catalogs = Catalogs::discover(database, &mut source, &mut target)?;
    let pairs = catalogs.pairs(database)?;
    constraint_rules::resolve(database, &pairs)?;
    if held_run(database, &mut target)?.is_none() {
        check_blockers(database, &mut target, &pairs)?;
    }
    Ok(())
}

/// Fails where another run works on the target: its locks would be waited for without a word.
pub(crate) fn check_nobody_at_work(target: &mut target::Connection) -> anyhow::Result<()> {
    target
        .check_nobody_at_work()
        .map_err(|error| at_work(error, "none"))
}

/// What it means that the lock cannot be had; sessions of this run may be ended.
pub(crate) fn at_work(error: target::Error, run_id: &str) -> anyhow::Error {
    if !error.is_precondition() {
        return error.into();
    }
    let message = error.to_string();
    let hint = match message.contains(&format!("converge/{run_id}/")) {
        true => "nothing was changed; where its process is gone, --take-over ends what is left"
            .to_owned(),
        false => format!(
            "nothing was changed; `{}` says what the target holds",
            next("status")
        ),
    };
    Failure::blocked(message).hint(hint).into()
}

/// A load needs sessions that are its own.
fn check_sessions(database: &Database, target: &mut target::Connection) -> anyhow::Result<()> {
    match target.is_pooled_by_transaction()? {
        true => Err(Failure::blocked(format!(
            "target `{}` is reached through a pooler that shares sessions between transactions",
            database.name
        ))
        .hint("nothing was changed; name the server itself, or a pool of whole sessions")
        .into()),
        false => Ok(()),
    }
}

/// The target must hold no run but `own`.
pub(crate) fn check_ledger(
    database: &Database,
    target: &mut target::Connection,
    own: Option<&str>,
) -> anyhow::Result<()> {
    match held_run(database, target)? {
        Some(run) if own != Some(&run.run_id) => Err(Failure::blocked(format!(
            "target `{}` holds the rows of run {}",
            database.name, run.run_id
        ))
        .hint(format!(
            "`{}` takes them back, `{}` keeps them for good",
            next("rollback"),
            next("finalize")
        ))
        .into()),
        _ => Ok(()),
    }
}

/// What the ledger knows of this very run, where it has begun; another run there is a blocker.
fn begun(
    stage: &mut StageRun<'_>,
    connection: &mut target::Connection,
    manifest: &Manifest,
    manner: Manner<'_>,
) -> anyhow::Result<Option<LedgerRun>> {
    let database = stage.database;
    check_ledger(database, connection, Some(stage.directory.run_id()))?;
    let Some(ledger) = held_run(database, connection)? else {
        return Ok(None);
    };
    if !is_of(&ledger, manifest) {
        return Err(Failure::blocked(format!(
            "target `{}` holds rows of this run that were made from other files",
            database.name
        ))
        .hint(format!(
            "take them back with `{}`, then import again",
            next("rollback")
        ))
        .into());
    }
    let name = &database.name;
    if ledger.loaded.is_none() {
        let files = manifest.tables.iter().map(|table| table.files.len());
        let so_far = format!(
            "{} of {} files are loaded",
            ledger.tables.iter().map(|t| t.chunks.len()).sum::<usize>(),
            files.sum::<usize>()
        );
        let went = match manner.ahead.contains(name) {
            true => "was begun while the source was read",
            false => "goes on where it ended",
        };
        stage
            .console
            .line(&format!("import     {name} {went}: {so_far}"));
        return Ok(Some(ledger));
    }
    stage
        .console
        .line(&format!("import     {name} is loaded already"));
    for table in &ledger.tables {
        stage.outcome.add_table(table.rows(), 0);
    }
    Ok(Some(ledger))
}

/// Whether all that the ledger has as loaded came from these files, and once it has come to its
/// end, all of them.
fn is_of(ledger: &LedgerRun, manifest: &Manifest) -> bool {
    let same = |entry: &TableEntry| {
        let is_file = |chunk: &LedgerChunk| {
            let mut files = entry.files.iter();
            files.any(|file| file.name == chunk.file && file.blake3 == chunk.blake3)
        };
        let table = ledger.tables.iter().find(|table| table.name == entry.name);
        table.is_some_and(|table| {
            let are_all = ledger.loaded.is_none() || table.chunks.len() == entry.files.len();
            are_all && table.chunks.iter().all(is_file)
        })
    };
    ledger.tables.len() == manifest.tables.len() && manifest.tables.iter().all(same)
}

/// Why nothing but an import or a rollback can come next.
pub(crate) fn unfinished(database: &str, run: &LedgerRun) -> Failure {
    Failure::blocked(format!(
        "the import of run {} into target `{database}` has not come to its end",
        run.run_id
    ))
    .hint(format!(
        "`{}` says what goes on with it, `{}` takes it back",
        next("status"),
        next("rollback")
    ))
}

/// What forbids an import into the tables: ownership, row security, rules, rows.
pub(crate) fn check_blockers(
    database: &Database,
    connection: &mut target::Connection,
    pairs: &[TablePair<'_>],
) -> anyhow::Result<()> {
    let names: Vec<&str> = pairs.iter().map(|pair| pair.target.name.as_str()).collect();
    let blockers = target::blockers(connection, &database.target_schema, &names)?;
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for blocker in blockers {
        reasons.entry(blocker.kind).or_default().push(blocker.table);
    }
    let mut hint =
        "remove row security, rules and inheritance from these tables, and make them logged";
    let closed: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !database.target_rows.replace(name))
        .collect();
    if reasons.is_empty() {
        let occupied = connection.occupied_tables(&database.target_schema, &closed)?;
        if !occupied.is_empty() {
            reasons.insert("target_not_empty".to_owned(), occupied);
        }
        hint = "empty these tables, or say in target_rows that their rows may be replaced";
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let of_kind = |(kind, tables): (&String, &Vec<String>)| {
        format!("{kind}: {}", first_of(tables, BLOCKED_TABLES_SHOWN))
    };
    let reasons: Vec<String> = reasons.iter().map(of_kind).collect();
    let message = format!(
        "target `{}` cannot be loaded: {}",
        database.name,
        reasons.join("; ")
    );
    Err(Failure::blocked(message).hint(hint).into())
}
