//! `export`: reads the source into CSV files, all tables at one point in time.

mod chunk_csv;
mod chunk_file;
mod chunks;
mod converting;
mod plan;
mod resume;
pub(crate) mod snapshots;
mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{fs, thread};

use anyhow::Context;
use serde::Serialize;

use ::transform::TablePlan;
use catalog::{Server, SourceColumn, SourceTable};
use dataset::{ColumnEntry, ConvertedChunk, ExportPlan, Journal, Manifest, Stage};
use source::Reader;

use crate::args::{ExportArgs, ReadingArgs};
use crate::call::next;
use crate::command::export::chunk_file::{Hand, Place, Task};
use crate::command::export::chunks::Chunks;
use crate::command::export::resume::{Before, Begun};
use crate::command::export::snapshots::{Moments, snapshot_of};
use crate::command::import::ahead::{self, Ahead, Columns};
use crate::command::transform::Places;
use crate::command::{doctor, transform};
use crate::console::thousands;
use crate::constraint_rules;
use crate::heartbeat::Heartbeat;
use crate::interrupt::Interrupt;
use crate::lost::{self, Side};
use crate::pairing::{Catalogs, TablePair};
use crate::run::{Run, Session, StageOutcome, StageRun};
use crate::run_dir::{ServersEntry, new_export_id, now};
use crate::side_by_side::{Halt, side_by_side};
use crate::text::Text;

/// Directory of this stage.
pub(crate) const DIRECTORY: &str = "export";
const TASK: lost::Task = lost::Task {
    name: DIRECTORY,
    // The target is needed for a moment, in `read_catalogs`.
    sides: &[Side::Source],
    leaves: "the source was only read, the target was not touched",
    is_kept: false,
};
/// The command that converts rows as it reads them.
const MIGRATE: &str = "migrate";

/// What every stage prints with `--output json`.
#[derive(Debug, Serialize)]
pub(crate) struct StageDocument<'a> {
    pub(crate) schema_version: u32,
    pub(crate) run_id: &'a str,
    pub(crate) stage: &'a str,
    pub(crate) databases: &'a [StageOutcome],
}

impl<'a> StageDocument<'a> {
    pub(crate) fn new(run: &'a Run, stage: &'a str, databases: &'a [StageOutcome]) -> Self {
        Self {
            schema_version: 1,
            run_id: run.directory.run_id(),
            stage,
            databases,
        }
    }
}

pub(crate) fn run(args: &ExportArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let mut run = Session::open(&args.common, interrupt)?.begin(&args.common)?;
    let outcomes = stage(&mut run, &args.reading)?;
    let human = Text::from(format!("exported to {}", run.directory.path().display()))
        .and(format!("next: {}", next("transform")));
    run.console
        .result(&human, &StageDocument::new(&run, DIRECTORY, &outcomes))?;
    Ok(())
}

/// What becomes of the rows that are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// Whether they are kept as they were read.
    pub(crate) as_read: bool,
    /// Whether they are converted at once.
    pub(crate) converted: bool,
    /// Whether they are loaded at once, as far as they are converted.
    pub(crate) loaded: bool,
}

/// A database whose rows were converted as they were read.
#[derive(Debug)]
pub(crate) struct Exported {
    /// The manifest of the export, which is not written yet.
    pub(crate) manifest: Manifest,
    /// The chunks of its tables by number, in the order of the manifest.
    pub(crate) converted: Vec<BTreeMap<usize, ConvertedChunk>>,
    /// Whether its load has begun.
    pub(crate) is_loading: bool,
}

/// Exports all databases of the run.
pub(crate) fn stage(run: &mut Run, reading: &ReadingArgs) -> anyhow::Result<Vec<StageOutcome>> {
    let form = Form {
        as_read: true,
        converted: false,
        loaded: false,
    };
    let (outcomes, _) = read_all(run, reading, form)?;
    Ok(outcomes)
}

/// Reads all databases of the run, and converts and loads their rows at once.
///
/// What is read is complete, but without a manifest: the conversion has an end of its own.
pub(crate) fn converting_stage(
    run: &mut Run,
    reading: &ReadingArgs,
    keep_export: bool,
) -> anyhow::Result<(Vec<StageOutcome>, BTreeMap<String, Exported>)> {
    let form = Form {
        as_read: keep_export,
        converted: true,
        loaded: true,
    };
    read_all(run, reading, form)
}

fn read_all(
    run: &mut Run,
    reading: &ReadingArgs,
    form: Form,
) -> anyhow::Result<(Vec<StageOutcome>, BTreeMap<String, Exported>)> {
    let lock_wait = Duration::from_secs(reading.lock.lock_wait.into());
    let mut moments = snapshots::under_lock(run, &TASK, run.workers, lock_wait)?;
    let begun = match reading.restart {
        true => None,
        false => Begun::find(run, &mut moments)?,
    };
    for database in &run.config.databases {
        if begun.is_none() {
            // All of them before the first is read, so that no old one passes for a part of
            // this export.
            run.directory.invalidate(&database.name, DIRECTORY)?;
            let directory = run.directory.database_dir(&database.name, DIRECTORY)?;
            ExportPlan::remove(&directory)?;
        }
        run.directory
            .invalidate(&database.name, transform::DIRECTORY)?;
    }
    let export_id = match &begun {
        Some(begun) => begun.export_id.clone(),
        None => new_export_id(),
    };
    let databases = run.config.databases.iter();
    let loaded = databases.filter(|database| form.loaded && ahead::is_for(&run.config, database));
    let loaded: BTreeSet<String> = loaded.map(|database| database.name.clone()).collect();
    let mut converted = BTreeMap::new();
    let outcomes = run.stage(&TASK, |stage| {
        let database = stage.database;
        let before = begun.as_ref().and_then(|begun| begun.of(database));
        let form = Form {
            loaded: loaded.contains(&database.name),
            ..form
        };
        let exported = export_database(stage, &mut moments, before, (&export_id, form))
            .map_err(|error| snapshots::explain(database, error))?;
        converted.extend(exported.map(|exported| (database.name.clone(), exported)));
        Ok(())
    })?;
    Ok((outcomes, converted))
}

fn export_database(
    stage: &mut StageRun<'_>,
    moments: &mut Moments,
    before: Option<&Before>,
    (export_id, form): (&str, Form),
) -> anyhow::Result<Option<Exported>> {
    let database = stage.database;
    if form.converted {
        stage.work.is_done_again_by(MIGRATE);
        stage.work.leaves(ahead::LEAVES_LOADING);
    }
    let directory = stage.directory.database_dir(&database.name, DIRECTORY)?;
    if let Some(Before::Complete(manifest)) = before
        // Nobody knows under which rules its rows were converted.
        && !form.converted
        && resume::keep(stage, manifest, &directory)?
    {
        return Ok(None);
    }
    stage.directory.invalidate(&database.name, DIRECTORY)?;
    let mut source = source::Connection::open(&database.source)?;
    let (catalogs, target) = read_catalogs(stage, &mut source)?;
    let pairs = catalogs.pairs(database)?;
    moments.check_schema(database, &pairs, &catalogs.source)?;
    doctor::check_engines(&pairs)?;
    doctor::check_readable(database, &mut source, &pairs)?;
    doctor::check_stored_columns(database, &mut source, &pairs)?;
    let plans = transform::plans(database, &pairs)?;
    constraint_rules::resolve(database, &pairs)?;
    let snapshot = snapshot_of(&mut moments.snapshots, database);
    stage.directory.set_servers(
        &database.name,
        ServersEntry {
            source: source.server().clone(),
            target,
            snapshot: snapshot.method(),
            coordinates: snapshot.coordinates().cloned(),
        },
    )?;
    let places = Places::of(stage)?;
    let schema_digest = plan::schema_digest(database, &pairs, form.converted)?;
    let begun = match before {
        Some(Before::Begun(begun)) => {
            Some(resume::same_plan(stage, begun, (form, &schema_digest))?.clone())
        }
        _ => {
            save_catalogs(stage, &catalogs)?;
            ExportPlan::remove(&directory)?;
            clear(&directory)?;
            if form.converted {
                places.clear()?;
            }
            None
        }
    };
    let target_too = form.loaded.then_some(Side::Target);
    let heartbeat = Heartbeat::watch(database, target_too.as_slice(), stage.work);
    let estimates = snapshot.reader().table_bytes(database.source_name())?;
    let workers = snapshot.readers().len();
    // The plan waits for the source, the beginning of the load for the target.
    let (plan, ahead) = thread::scope(|scope| {
        let stage = &*stage;
        let begin = || ahead::begin(stage, (&catalogs.target, &pairs), &estimates, workers);
        let ahead = form.loaded.then(|| scope.spawn(begin));
        let plan = begun.map_or_else(
            || {
                let schema = (form.converted, schema_digest);
                let plan = plan::make(stage, snapshot, (&pairs, &estimates), schema, export_id)?;
                plan.write(&directory)?;
                Ok(plan)
            },
            anyhow::Ok,
        );
        let ahead = ahead.map(|ahead| ahead.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (plan, ahead.transpose())
    });
    let (plan, mut ahead) = (plan?, ahead?.flatten());
    let writing = Writing {
        plan: &plan,
        pairs: &pairs,
        plans: &plans,
        places: &places,
        form,
    };
    let written = write_chunks(stage, snapshot.readers(), ahead.as_mut(), &writing);
    let is_loading = ahead.is_some();
    let done = written.map_err(|error| match ahead {
        Some(mut ahead) => ahead.explain(stage, error),
        None => error,
    })?;
    drop(heartbeat);
    let now = source::discover(&mut source, database.source_name())?;
    moments.check_schema(database, &pairs, &now)?;
    moments.check_tables(database, &pairs, &mut source)?;
    stage.outcome.snapshot = Some(plan.source.snapshot);
    let exported = exported(stage, &plan, done, is_loading)?;
    if form.converted {
        return Ok(Some(exported));
    }
    exported.manifest.write(&directory)?;
    ExportPlan::remove(&directory)?;
    Ok(None)
}

/// Takes away what an earlier stage wrote: it may have had other files.
pub(crate) fn clear(directory: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let extension = path.extension().unwrap_or_default();
        if extension == "csv" || extension == "partial" {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

/// What is to be written, and where.
struct Writing<'w> {
    plan: &'w ExportPlan,
    pairs: &'w [TablePair<'w>],
    /// Of the pairs, in their order.
    plans: &'w [TablePlan],
    places: &'w Places,
    form: Form,
}

impl Writing<'_> {
    /// All chunks, in the order of the plan; `columns` are how the tables of the pairs are sent.
    fn tasks<'t>(&'t self, columns: &'t [Option<Columns<'t>>]) -> anyhow::Result<Vec<Task<'t>>> {
        let mut tasks = Vec::new();
        for planned in &self.plan.tables {
            let mut pairs = self.pairs.iter().zip(self.plans).zip(columns);
            let ((pair, plan), columns) = pairs
                .find(|((pair, _), _)| pair.source.name == planned.name)
                .context("the plan has a table that is not there")?;
            let chunks = planned.chunks.iter().zip(1..);
            tasks.extend(chunks.map(|(range, number)| Task {
                table: pair.source,
                range,
                number,
                of: planned.chunks.len(),
                plan: self.form.converted.then_some(plan),
                columns: columns.as_ref(),
            }));
        }
        Ok(tasks)
    }
}

/// Reads the chunks that are missing, and loads them where that has begun; returns all.
fn write_chunks(
    stage: &mut StageRun<'_>,
    readers: &mut [Reader],
    ahead: Option<&mut Ahead>,
    writing: &Writing<'_>,
) -> anyhow::Result<Chunks> {
    let (places, form) = (writing.places, writing.form);
    let (mut journal, found) = Journal::open(&places.exported).map_err(resume::damaged)?;
    let mut done = Chunks::of(writing.plan);
    for chunk in found {
        stage.interrupt.check()?;
        if resume::is_intact(&chunk, places, form)? {
            done.add(stage, chunk)?;
        }
    }
    let columns = writing.pairs.iter().zip(writing.plans);
    let columns: Vec<_> = columns
        .map(|(pair, plan)| Columns::of(*pair, plan))
        .collect();
    let mut tasks = writing.tasks(&columns)?;
    tasks.retain(|task| !done.has(&task.table.name, task.number));
    let name = stage.database.name.clone();
    let place = Place {
        database: stage.database.source_name(),
        read: form.as_read.then_some(places.exported.as_path()),
        converted: form.converted.then_some(places),
        rows: AtomicU64::new(0),
    };
    let progress = || {
        let rows = thousands(place.rows.load(Ordering::Relaxed));
        format!("export     {name} {rows} rows")
    };
    let mut loaders = ahead
        .map_or(&mut [][..], |ahead| &mut ahead.loaders)
        .iter_mut();
    let hands = readers.iter_mut().map(|reader| Hand {
        reader,
        loader: loaders.next(),
    });
    let mut hands: Vec<Hand<'_>> = hands.collect();
    let work =
        |hand: &mut Hand<'_>, task: &Task<'_>, halt: &Halt<'_>| place.write(hand, task, halt);
    side_by_side(
        stage,
        &mut hands,
        &tasks,
        work,
        progress,
        |stage, _, chunk| {
            journal.add(&chunk)?;
            done.add(stage, chunk)
        },
    )?;
    let pairs = writing.pairs.iter();
    let in_parts = pairs.filter_map(|pair| done.in_parts(pair.source).transpose());
    witness::check(
        stage,
        readers,
        &in_parts.collect::<anyhow::Result<Vec<_>>>()?,
    )?;
    Ok(done)
}

fn exported(
    stage: &StageRun<'_>,
    plan: &ExportPlan,
    mut done: Chunks,
    is_loading: bool,
) -> anyhow::Result<Exported> {
    let (run_id, database) = (stage.directory.run_id(), &stage.database.name);
    let mut manifest = Manifest::new(run_id, database, Stage::Export, now(), plan.source.clone());
    let tables = plan.tables.iter().map(|planned| done.take(planned));
    let mut tables: Vec<_> = tables.collect::<anyhow::Result<_>>()?;
    tables.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    let converted;
    (manifest.tables, converted) = tables.into_iter().unzip();
    Ok(Exported {
        manifest,
        converted,
        is_loading,
    })
}

/// Both catalogues, and the target's version.
fn read_catalogs(
    stage: &StageRun<'_>,
    source: &mut source::Connection,
) -> anyhow::Result<(Catalogs, Server)> {
    let database = stage.database;
    let _the_target_too = Heartbeat::watch(database, &[Side::Target], stage.work);
    let mut target = target::Connection::open(&database.target)?;
    let catalogs = Catalogs::discover(database, source, &mut target)?;
    Ok((catalogs, target.server().clone()))
}

fn save_catalogs(stage: &StageRun<'_>, catalogs: &Catalogs) -> anyhow::Result<()> {
    let directory = stage.directory.database_dir(&stage.database.name, "")?;
    for (name, text) in [
        (
            "catalog.source.json",
            serde_json::to_vec_pretty(&catalogs.source)?,
        ),
        (
            "catalog.target.json",
            serde_json::to_vec_pretty(&catalogs.target)?,
        ),
    ] {
        dataset::write_atomically(&directory.join(name), &text)?;
    }
    Ok(())
}

pub(crate) fn columns(pair: TablePair<'_>) -> Vec<ColumnEntry> {
    let columns = copied_columns(pair.source).map(|column| ColumnEntry {
        name: column.name.clone(),
        source_type: column.data_type.to_string(),
        target_type: pair
            .target
            .column(&column.name)
            .map(|c| c.data_type.to_string()),
    });
    columns.collect()
}

pub(crate) fn copied_columns(table: &SourceTable) -> impl Iterator<Item = &SourceColumn> {
    let columns = table.columns.iter();
    columns.filter(|column| column.generated.is_none())
}
