//! The steps of a load, each of which the next import can take up: begin, files, indexes, foreign
//! keys, end.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

use catalog::{TargetCatalog, TargetTable};
use dataset::{FileEntry, Manifest, TableEntry};
use target::{Fingerprint, Import, ImportTable, LedgerRun, Loader, Off};

use super::Files;
use super::ended::{self, Reached};
use super::files::{Route, load_file};
use crate::console::{bytes_text, counted};
use crate::held_run::held_run;
use crate::pairing::TablePair;
use crate::run::StageRun;
use crate::side_by_side::side_by_side;

/// Tables of more bytes get their indexes when they are filled; below, dropping and building
/// them takes as long as it saves.
pub(super) const INDEX_LATER_BYTES: u64 = 4 << 20;
/// From the moment in which the ledger is known to hold no run.
const LEAVES_BEFORE: &str = "this import has changed nothing";
/// While the first transaction, or the last, is sent.
const LEAVES_IN_COMMIT: &str = "whether this step of the import was committed is not known: `{status}` says what the target holds";
/// While files are loaded and constraints come back.
const LEAVES_LOADING: &str = "what this import has loaded is kept and entered in the target's \
     ledger, from where it goes on; `rollback` takes it back";
/// While statistics are gathered.
const LEAVES_AFTER: &str =
    "this import is committed; only its statistics (`analyze`) may be missing";

/// Takes constraints off, and loads.
pub(super) fn begin(
    stage: &mut StageRun<'_>,
    connection: &mut target::Connection,
    (catalog, known): (&TargetCatalog, &Fingerprint),
    files: &Files<'_>,
) -> anyhow::Result<()> {
    stage.work.leaves(LEAVES_BEFORE);
    for pair in files.pairs {
        entry(files.manifest, &pair.target.name)?;
    }
    let is_large = |table: &str| {
        let entry = files.manifest.table(table);
        entry.is_some_and(|entry| bytes_of(entry) >= INDEX_LATER_BYTES)
    };
    let run = take_off(stage, connection, (catalog, known), files.pairs, is_large)?;
    go_on(stage, connection, run, files)
}

/// Takes constraints off, those that are indexes from large tables, and sets rows aside.
pub(super) fn take_off(
    stage: &StageRun<'_>,
    connection: &mut target::Connection,
    (catalog, known): (&TargetCatalog, &Fingerprint),
    pairs: &[TablePair<'_>],
    is_large: impl Fn(&str) -> bool,
) -> anyhow::Result<LedgerRun> {
    let database = stage.database;
    // Whoever builds an index must be allowed to create in its schema, its table's owner included.
    let may_index = connection.may_create_in(&database.target_schema)?;
    if !may_index && pairs.iter().any(|pair| is_large(&pair.target.name)) {
        stage.console.line(&format!(
            "note: indexes of `{}` are not dropped for the load, which makes it slower: the role \
             may not create in schema `{}`",
            database.name, database.target_schema
        ));
    }
    let tables = pairs.iter().map(|pair| {
        let name = &pair.target.name;
        ImportTable {
            table: catalog.table(name).expect("pairs come from this catalogue"),
            replace: database.target_rows.replace(name),
            index_later: may_index && is_large(name),
        }
    });
    let tables: Vec<ImportTable<'_>> = tables.collect();
    let run_id = stage.directory.run_id().to_owned();
    stage.work.leaves(LEAVES_IN_COMMIT);
    let begun = {
        let _cancelled_on_interrupt = stage.interrupt.cancels(connection.cancel());
        let run = (run_id.as_str(), database.name.as_str());
        Import::begin(connection, &database.ledger, run, (catalog, known), &tables)
    };
    let aside = begun.map_err(|error| {
        let error = ended::with_owners(error.into(), &database.target_schema, connection);
        ended::explain(error, stage.interrupt, Reached::Nothing)
    })?;
    for (table, rows) in aside {
        stage.console.line(&format!(
            "import     {}.{table}: {} set aside until rollback or finalize",
            database.name,
            counted(rows, "row")
        ));
    }
    held_run(database, connection)?.context("the ledger is gone")
}

/// Goes on with a load that has begun.
pub(super) fn go_on(
    stage: &mut StageRun<'_>,
    connection: &mut target::Connection,
    run: LedgerRun,
    files: &Files<'_>,
) -> anyhow::Result<()> {
    stage.work.leaves(LEAVES_LOADING);
    let schema = &stage.database.target_schema;
    let result = match Import::resume(connection, &stage.database.ledger, run) {
        Ok(mut import) => load(stage, &mut import, files),
        Err(error) => {
            let error = ended::with_owners(error.into(), schema, connection);
            return Err(ended::explain(error, stage.interrupt, Reached::Loading));
        }
    };
    finish(stage, connection, result)
}

/// What cannot be mended by going on is taken back at once.
fn finish(
    stage: &mut StageRun<'_>,
    connection: &mut target::Connection,
    result: anyhow::Result<()>,
) -> anyhow::Result<()> {
    let schema = &stage.database.target_schema;
    match result {
        Ok(()) => Ok(()),
        Err(error) if ended::can_go_on(&error) => {
            let error = ended::with_owners(error, schema, connection);
            Err(ended::explain(error, stage.interrupt, Reached::Loading))
        }
        Err(error) => Err(ended::taken_back(error, stage, connection)),
    }
}

fn load(
    stage: &mut StageRun<'_>,
    import: &mut Import<'_>,
    files: &Files<'_>,
) -> anyhow::Result<()> {
    stage.work.leaves(LEAVES_LOADING);
    let loaders = (1..=files.workers.max(1)).map(|number| import.loader(number));
    let mut loaders: Vec<Loader> = loaders.collect::<Result<_, _>>()?;
    load_files(stage, import.run(), &mut loaders, files)?;
    let keys = import.keys_to_build()?;
    put_back(stage, &mut loaders, &keys, Loader::put_back, "indexes")?;
    let keys = {
        let _cancelled_on_interrupt = stage.interrupt.cancels(import.cancel());
        import.keys_to_validate()?
    };
    put_back(stage, &mut loaders, &keys, Loader::validate, "foreign keys")?;
    stage.interrupt.check()?;
    let _cancelled_on_interrupt = stage.interrupt.cancels(import.cancel());
    let mut seal = import.seal()?;
    for pair in files.pairs {
        let entry = entry(files.manifest, &pair.target.name)?;
        for (column, next) in sequence_values(*pair, entry) {
            seal.set_sequence(pair.target, column, next)?;
        }
    }
    stage.work.leaves(LEAVES_IN_COMMIT);
    seal.commit()?;
    stage.work.leaves(LEAVES_AFTER);
    analyze(stage, &mut loaders, files);
    Ok(())
}

/// Gathers statistics: the rows are there and proven, and these come by themselves, only later.
fn analyze(stage: &mut StageRun<'_>, loaders: &mut [Loader], files: &Files<'_>) {
    let tables = files.pairs.iter().map(|pair| pair.target.name.as_str());
    let tables: Vec<&str> = tables.collect();
    let name = &stage.database.name;
    let analyzed = side_by_side(
        stage,
        loaders,
        &tables,
        |loader, table, _| Ok(loader.analyze(table)?),
        || format!("import     {name}: statistics"),
        |_, _, ()| Ok(()),
    );
    if let Err(error) = analyzed {
        stage
            .console
            .line(&format!("note: {error:#}; the load itself is done"));
    }
}

/// Loads what the ledger does not know yet, the largest files first.
fn load_files(
    stage: &mut StageRun<'_>,
    run: &LedgerRun,
    loaders: &mut [Loader],
    files: &Files<'_>,
) -> anyhow::Result<()> {
    let mut tables = Vec::new();
    let mut tasks: Vec<(usize, &FileEntry)> = Vec::new();
    for pair in files.pairs {
        let entry = entry(files.manifest, &pair.target.name)?;
        let known = run.tables.iter().find(|table| table.name == entry.name);
        let is_loaded = |file: &FileEntry| {
            known.is_some_and(|table| table.chunks.iter().any(|chunk| chunk.file == file.name))
        };
        let route = Route::of(stage, pair.target, entry, files.directory);
        let left = entry.files.iter().filter(|file| !is_loaded(file));
        let before = tasks.len();
        tasks.extend(left.map(|file| (tables.len(), file)));
        let left = tasks.len() - before;
        if left == 0 {
            stage.table_done(&entry.name, entry.row_count, bytes_of(entry))?;
        }
        tables.push((entry, route, left));
    }
    // Of one size, in their order.
    tasks.sort_by_key(|(_, file)| Reverse(file.bytes));
    let mut left: Vec<usize> = tables.iter().map(|(_, _, left)| *left).collect();
    let all: u64 = tasks.iter().map(|(_, file)| file.bytes).sum();
    let (name, sent) = (&stage.database.name, &AtomicU64::new(0));
    side_by_side(
        stage,
        loaders,
        &tasks,
        |loader, (table, file), halt| load_file(loader, &tables[*table].1, file, halt, sent),
        || {
            let done = bytes_text(sent.load(Ordering::Relaxed));
            format!("import     {name} {done} of {}", bytes_text(all))
        },
        |stage, number, ()| {
            let table = tasks[number].0;
            left[table] -= 1;
            match (left[table], tables[table].0) {
                (0, entry) => stage.table_done(&entry.name, entry.row_count, bytes_of(entry)),
                _ => Ok(()),
            }
        },
    )
}

/// Brings things back, those of a table one after the other.
fn put_back(
    stage: &mut StageRun<'_>,
    loaders: &mut [Loader],
    off: &[Off],
    how: impl Fn(&mut Loader, &[&Off]) -> Result<(), target::Error> + Sync,
    what: &str,
) -> anyhow::Result<()> {
    let mut tables: BTreeMap<&str, Vec<&Off>> = BTreeMap::new();
    for off in off {
        tables.entry(off.table()).or_default().push(off);
    }
    let tasks: Vec<Vec<&Off>> = tables.into_values().collect();
    let name = &stage.database.name;
    side_by_side(
        stage,
        loaders,
        &tasks,
        |loader, off, _| Ok(how(loader, off)?),
        || format!("import     {name}: {what}"),
        |_, _, ()| Ok(()),
    )
}

fn entry<'m>(manifest: &'m Manifest, table: &str) -> anyhow::Result<&'m TableEntry> {
    let entry = manifest.table(table);
    entry.with_context(|| format!("table `{table}` is not in the manifest"))
}

/// Bytes of a table's files.
fn bytes_of(entry: &TableEntry) -> u64 {
    entry.files.iter().map(|file| file.bytes).sum()
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
