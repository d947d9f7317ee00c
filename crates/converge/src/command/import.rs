//! `import`: loads the transformed files into the target, all or nothing for each database.

mod files;

use std::path::Path;

use anyhow::Context;

use baseline::Names;
use catalog::{TargetCatalog, TargetTable, quote};
use dataset::{Manifest, TableEntry};
use target::{Fingerprint, Import, ImportTable, LedgerRun};

use crate::args::CommonArgs;
use crate::command::baseline as baseline_command;
use crate::command::export::StageDocument;
use crate::command::import::files::load_table;
use crate::command::transform::{self, read_catalogs};
use crate::config::Database;
use crate::console::counted;
use crate::constraint_rules;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task, Work};
use crate::pairing::{Catalogs, TablePair};
use crate::run::{Run, Session, StageOutcome, StageRun};
use crate::versions;

const STAGE: &str = "import";
const TASK: Task = Task {
    name: STAGE,
    sides: &[Side::Target],
    // A repeated import may find itself loaded already.
    leaves: "this import has changed nothing yet; `{status}` says what the target holds",
    is_kept: true,
};
/// Tables of more bytes get their indexes when they are filled; below, dropping and building
/// them takes as long as it saves.
const INDEX_LATER_BYTES: u64 = 4 << 20;
/// From the moment in which the ledger is known to hold no run.
const LEAVES_BEFORE_COMMIT: &str = "this import was not committed: the target is as it was before";
/// From the moment in which the commit is sent until its answer is there.
const LEAVES_IN_COMMIT: &str =
    "whether this import was committed is not known: `{status}` says what the target holds";
/// While statistics are gathered.
const LEAVES_AFTER_COMMIT: &str =
    "this import is committed; only its statistics (`analyze`) may be missing";
/// What `migrate` looks at before it begins.
const PREFLIGHT: Task = Task {
    name: "migrate",
    sides: &[Side::Source, Side::Target],
    leaves: "nothing was changed",
    is_kept: false,
};

pub(crate) fn run(args: &CommonArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let mut run = Session::open(args, interrupt)?.resume(args)?;
    let outcomes = stage(&mut run)?;
    let human = "imported\nnext: cargo xtask verify\n";
    run.console
        .result(human, &StageDocument::new(&run, STAGE, &outcomes))?;
    Ok(())
}

/// Imports all databases of the run.
pub(crate) fn stage(run: &mut Run) -> anyhow::Result<Vec<StageOutcome>> {
    transform::check_one_export(run, transform::DIRECTORY)?;
    run.stage(&TASK, import_database)
}

fn import_database(stage: &mut StageRun<'_>) -> anyhow::Result<()> {
    let database = stage.database;
    let directory = stage
        .directory
        .database_dir(&database.name, transform::DIRECTORY)?;
    let manifest = Manifest::read(&directory).map_err(|error| {
        Failure::blocked(format!("there are no complete transformed files: {error}"))
            .hint("run `cargo xtask transform` first")
    })?;
    let mut connection = target::Connection::open(&database.target)?;
    versions::support(connection.server())?;
    check_nobody_at_work(&mut connection)?;
    if already_loaded(stage, &mut connection, &manifest)? {
        return Ok(());
    }
    stage.work.leaves(LEAVES_BEFORE_COMMIT);
    let planned = read_catalogs(stage)?;
    let known = connection.definitions(&database.target_schema)?;
    let live = target::discover(&mut connection, &database.target_schema)?;
    check_schema(database, &planned.target, &live)?;
    let pairs = planned.pairs(database)?;
    check_blockers(database, &mut connection, &pairs)?;
    let target = (&live, &known);
    load(
        stage,
        &mut connection,
        target,
        &pairs,
        &manifest,
        &directory,
    )?;
    let names: Vec<&str> = pairs.iter().map(|pair| pair.target.name.as_str()).collect();
    // The rows are there and proven; statistics come by themselves, only later.
    if let Err(error) = connection.analyze(&database.target_schema, &names) {
        stage
            .console
            .line(&format!("note: {error}; the load itself is done"));
    }
    Ok(())
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
    .hint("run `cargo xtask export` and `cargo xtask transform` again"))
}

/// Fails where an import of a new run would be refused, before anything is read.
pub(crate) fn preflight(run: &Run) -> anyhow::Result<()> {
    for database in &run.config.databases {
        run.interrupt.check()?;
        let look = || preflight_database(run, database);
        Work::outside(&PREFLIGHT, &run.call, database).watched(database, look)?;
    }
    Ok(())
}

fn preflight_database(run: &Run, database: &Database) -> anyhow::Result<()> {
    let mut source = source::Connection::open(&database.source)?;
    let mut target = target::Connection::open(&database.target)?;
    check_nobody_at_work(&mut target)?;
    baseline_command::check_owner(database, &mut target)?;
    check_ledger(database, &mut target, Some(run.directory.run_id()))?;
    let catalogs = Catalogs::discover(database, &mut source, &mut target)?;
    let pairs = catalogs.pairs(database)?;
    constraint_rules::resolve(database, &pairs)?;
    constraint_rules::check_rights(database, &mut target)?;
    if LedgerRun::read(&mut target, &database.ledger)?.is_none() {
        check_blockers(database, &mut target, &pairs)?;
    }
    Ok(())
}

/// Fails where another run works on the target: its locks would be waited for without a word.
pub(crate) fn check_nobody_at_work(target: &mut target::Connection) -> anyhow::Result<()> {
    target
        .check_nobody_at_work()
        .map_err(|error| match error.is_precondition() {
            true => Failure::blocked(error.to_string())
                .hint("nothing was changed; `cargo xtask status` says what the target holds")
                .into(),
            false => error.into(),
        })
}

/// The target must be able to keep a ledger, and hold no run but `own`.
pub(crate) fn check_ledger(
    database: &Database,
    target: &mut target::Connection,
    own: Option<&str>,
) -> anyhow::Result<()> {
    check_ledger_rights(database, target)?;
    match LedgerRun::read(target, &database.ledger)? {
        Some(run) if own != Some(&run.run_id) => Err(Failure::blocked(format!(
            "target `{}` holds the rows of run {}",
            database.name, run.run_id
        ))
        .hint("`cargo xtask rollback` takes them back, `cargo xtask finalize` keeps them for good")
        .into()),
        _ => Ok(()),
    }
}

/// The target must be able to keep a ledger.
pub(crate) fn check_ledger_rights(
    database: &Database,
    target: &mut target::Connection,
) -> anyhow::Result<()> {
    if target.may_keep_ledger(&database.ledger)? {
        return Ok(());
    }
    let rights = target.schema_rights(&database.ledger)?;
    let ledger = quote::postgres(&database.ledger);
    let role = quote::postgres(&rights.role);
    let (what, grant) = match rights.exists {
        true => (
            "use",
            format!("grant usage, create on schema {ledger} to {role}"),
        ),
        false => (
            "make",
            format!("create schema {ledger} authorization {role}"),
        ),
    };
    Err(Failure::blocked(format!(
        "the role of target `{}` may not {what} the schema `{}` for the ledger",
        database.name, database.ledger
    ))
    .hint(format!("let a superuser run: {grant}"))
    .into())
}

/// Whether the ledger says that this very run is loaded; another run there is a blocker.
fn already_loaded(
    stage: &mut StageRun<'_>,
    connection: &mut target::Connection,
    manifest: &Manifest,
) -> anyhow::Result<bool> {
    let database = stage.database;
    check_ledger(database, connection, Some(stage.directory.run_id()))?;
    let Some(ledger) = LedgerRun::read(connection, &database.ledger)? else {
        return Ok(false);
    };
    let same = |entry: &TableEntry| {
        ledger
            .tables
            .iter()
            .any(|t| t.name == entry.name && t.digest == entry.digest)
    };
    if !manifest.tables.iter().all(same) {
        return Err(Failure::blocked(format!(
            "target `{}` holds rows of this run that were made from other files",
            database.name
        ))
        .hint("take them back with `cargo xtask rollback`, then import again")
        .into());
    }
    stage
        .console
        .line(&format!("import     {} is loaded already", database.name));
    for table in &ledger.tables {
        stage.outcome.add_table(table.rows, 0);
    }
    Ok(true)
}

/// What forbids an import into the tables: ownership, row security, rules, rows.
pub(crate) fn check_blockers(
    database: &Database,
    connection: &mut target::Connection,
    pairs: &[TablePair<'_>],
) -> anyhow::Result<()> {
    let names: Vec<&str> = pairs.iter().map(|pair| pair.target.name.as_str()).collect();
    let blockers = target::blockers(connection, &database.target_schema, &names)?;
    let mut reasons: Vec<String> = blockers
        .iter()
        .map(|blocker| format!("{}: {}", blocker.table, blocker.kind))
        .collect();
    let mut hint = "run as the owner of the tables, without row security and rules on them";
    let closed: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !database.target_rows.replace(name))
        .collect();
    if reasons.is_empty() {
        let occupied = connection.occupied_tables(&database.target_schema, &closed)?;
        reasons.extend(
            occupied
                .iter()
                .map(|table| format!("{table}: target_not_empty")),
        );
        hint = "empty these tables, or say in target_rows that their rows may be replaced";
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let message = format!(
        "target `{}` cannot be loaded: {}",
        database.name,
        reasons.join(", ")
    );
    Err(Failure::blocked(message).hint(hint).into())
}

fn load(
    stage: &mut StageRun<'_>,
    connection: &mut target::Connection,
    (catalog, known): (&TargetCatalog, &Fingerprint),
    pairs: &[TablePair<'_>],
    manifest: &Manifest,
    directory: &Path,
) -> anyhow::Result<()> {
    let database = stage.database;
    let _cancelled_on_interrupt = stage.interrupt.cancels(connection.cancel());
    let tables: Vec<ImportTable<'_>> = pairs
        .iter()
        .map(|pair| ImportTable {
            table: catalog
                .table(&pair.target.name)
                .expect("pairs come from this catalogue"),
            replace: database.target_rows.replace(&pair.target.name),
            index_later: bytes_of(manifest, &pair.source.name) >= INDEX_LATER_BYTES,
        })
        .collect();
    let run_id = stage.directory.run_id().to_owned();
    let explain = |error: target::Error, stage: &StageRun<'_>| explain(error, stage);
    let mut import = Import::begin(
        connection,
        &database.ledger,
        &run_id,
        &database.name,
        (catalog, known),
        &tables,
    )
    .map_err(|error| explain(error, stage))?;
    for (pair, table) in pairs.iter().zip(&tables) {
        let entry = manifest
            .table(&table.table.name)
            .with_context(|| format!("table `{}` is not in the manifest", table.table.name))?;
        let rows = load_table(stage, &mut import, table.table, entry, directory)?;
        for (column, next) in sequence_values(*pair, entry) {
            import
                .set_sequence(table.table, column, next)
                .map_err(|error| explain(error, stage))?;
        }
        let outcome = import
            .table_done(&entry.name, rows, &entry.digest)
            .map_err(|error| explain(error, stage))?;
        if outcome.kept_rows > 0 {
            stage.console.line(&format!(
                "import     {}.{}: {} set aside until rollback or finalize",
                database.name,
                entry.name,
                counted(outcome.kept_rows, "row")
            ));
        }
        let bytes = entry.files.iter().map(|file| file.bytes).sum();
        stage.table_done(&entry.name, outcome.rows, bytes)?;
    }
    import.put_back().map_err(|error| explain(error, stage))?;
    stage.work.leaves(LEAVES_IN_COMMIT);
    import.commit().map_err(|error| explain(error, stage))?;
    stage.work.leaves(LEAVES_AFTER_COMMIT);
    Ok(())
}

/// Bytes of a table's files.
fn bytes_of(manifest: &Manifest, table: &str) -> u64 {
    let files = manifest
        .table(table)
        .into_iter()
        .flat_map(|table| &table.files);
    files.map(|file| file.bytes).sum()
}

/// The target's sequence columns with what the source would give next.
fn sequence_values<'p>(
    pair: TablePair<'p>,
    entry: &TableEntry,
) -> impl Iterator<Item = (&'p str, Option<u64>)> {
    let next = entry.auto_increment;
    let table: &'p TargetTable = pair.target;
    table
        .columns
        .iter()
        .filter(|column| column.sequence.is_some())
        .map(move |column| {
            let numbered = pair
                .source
                .column(&column.name)
                .is_some_and(|c| c.auto_increment);
            (column.name.as_str(), next.filter(|_| numbered))
        })
}

/// What an error of the target means for the stage.
fn explain(error: target::Error, stage: &StageRun<'_>) -> anyhow::Error {
    if error.is_cancelled()
        && let Err(interrupted) = stage.interrupt.check()
    {
        return interrupted.into();
    }
    if error.is_precondition() {
        return Failure::blocked(error.to_string())
            .hint("nothing was changed; `cargo xtask status` says what the target holds")
            .into();
    }
    if error.is_about_the_file() {
        return Failure::blocked(error.to_string())
            .hint("nothing was changed; run `cargo xtask transform` again")
            .into();
    }
    if error.is_lost_connection() {
        // The stage says what that means for the target.
        return error.into();
    }
    if error.is_obstacle() {
        return Failure::blocked(error.to_string())
            .hint("nothing was changed; this is about rights or locks, not about a row")
            .into();
    }
    if !error.is_about_data() {
        return anyhow::Error::new(error)
            .context("the import was not committed: the target is as it was before");
    }
    let hint = match error.constraint() {
        Some(_) => {
            "nothing was changed; repair the rows on the source and export again, or declare a rule for the constraint and transform again"
        }
        None => "nothing was changed; the message names the record of the file and the column",
    };
    Failure::refused(error.to_string()).hint(hint).into()
}
