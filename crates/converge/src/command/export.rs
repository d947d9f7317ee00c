//! `export`: reads the source into CSV files, all tables at one point in time.

mod chunk_file;
mod chunks;
mod plan;
mod resume;
pub(crate) mod snapshots;
mod witness;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use catalog::{Server, SourceColumn, SourceTable};
use dataset::{ColumnEntry, ExportPlan, Journal, Manifest, Stage};
use source::Reader;

use crate::args::{ExportArgs, ReadingArgs};
use crate::command::export::chunk_file::{Place, Task};
use crate::command::export::chunks::Chunks;
use crate::command::export::resume::{Before, Begun};
use crate::command::export::snapshots::{Moments, snapshot_of};
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

/// Directory of this stage.
pub(crate) const DIRECTORY: &str = "export";
const TASK: lost::Task = lost::Task {
    name: DIRECTORY,
    // The target is needed for a moment, in `read_catalogs`.
    sides: &[Side::Source],
    leaves: "the source was only read, the target was not touched",
    is_kept: false,
};
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
    let human = format!(
        "exported to {}\nnext: cargo xtask transform\n",
        run.directory.path().display()
    );
    run.console
        .result(&human, &StageDocument::new(&run, DIRECTORY, &outcomes))?;
    Ok(())
}

/// Exports all databases of the run.
pub(crate) fn stage(run: &mut Run, reading: &ReadingArgs) -> anyhow::Result<Vec<StageOutcome>> {
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
    run.stage(&TASK, |stage| {
        let database = stage.database;
        let before = begun.as_ref().and_then(|begun| begun.of(database));
        export_database(stage, &mut moments, before, &export_id)
            .map_err(|error| snapshots::explain(database, error))
    })
}

fn export_database(
    stage: &mut StageRun<'_>,
    moments: &mut Moments,
    before: Option<&Before>,
    export_id: &str,
) -> anyhow::Result<()> {
    let database = stage.database;
    let directory = stage.directory.database_dir(&database.name, DIRECTORY)?;
    if let Some(Before::Complete(manifest)) = before
        && resume::keep(stage, manifest, &directory)?
    {
        return Ok(());
    }
    stage.directory.invalidate(&database.name, DIRECTORY)?;
    let mut source = source::Connection::open(&database.source)?;
    let (catalogs, target) = read_catalogs(stage, &mut source)?;
    let pairs = catalogs.pairs(database)?;
    moments.check_schema(database, &pairs, &catalogs.source)?;
    doctor::check_engines(&pairs)?;
    doctor::check_readable(database, &mut source, &pairs)?;
    transform::plans(database, &pairs)?;
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
    let schema_digest = plan::schema_digest(&pairs)?;
    let plan = match before {
        Some(Before::Begun(begun)) => resume::same_schema(stage, begun, &schema_digest)?.clone(),
        _ => {
            save_catalogs(stage, &catalogs)?;
            clear(&directory)?;
            let plan = plan::make(stage, snapshot, &pairs, schema_digest, export_id)?;
            plan.write(&directory)?;
            plan
        }
    };
    let done = write_chunks(stage, snapshot.readers(), &plan, &pairs, &directory)?;
    let now = source::discover(&mut source, database.source_name())?;
    moments.check_schema(database, &pairs, &now)?;
    moments.check_tables(database, &pairs, &mut source)?;
    stage.outcome.snapshot = Some(plan.source.snapshot);
    manifest(stage, &plan, done)?.write(&directory)?;
    Ok(ExportPlan::remove(&directory)?)
}

/// Takes away what an earlier export wrote: it may have had other chunks.
fn clear(directory: &Path) -> anyhow::Result<()> {
    ExportPlan::remove(directory)?;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let extension = path.extension().unwrap_or_default();
        if extension == "csv" || extension == "partial" {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

/// Reads the chunks that are missing; returns all.
fn write_chunks(
    stage: &mut StageRun<'_>,
    readers: &mut [Reader],
    plan: &ExportPlan,
    pairs: &[TablePair<'_>],
    directory: &Path,
) -> anyhow::Result<Chunks> {
    let (mut journal, found) = Journal::open(directory)?;
    let mut done = Chunks::of(plan);
    for chunk in found {
        stage.interrupt.check()?;
        if resume::is_intact(&chunk, directory)? {
            done.add(stage, chunk)?;
        }
    }
    let mut tasks = Vec::new();
    for planned in &plan.tables {
        let pair = pairs.iter().find(|pair| pair.source.name == planned.name);
        let table = pair
            .context("the plan has a table that is not there")?
            .source;
        let chunks = planned.chunks.iter().zip(1..);
        tasks.extend(chunks.map(|(range, number)| Task {
            table,
            range,
            number,
            of: planned.chunks.len(),
        }));
    }
    tasks.retain(|task| !done.has(&task.table.name, task.number));
    let name = stage.database.name.clone();
    let place = Place {
        database: stage.database.source_name(),
        directory,
        rows: AtomicU64::new(0),
    };
    let progress = || {
        let rows = thousands(place.rows.load(Ordering::Relaxed));
        format!("export     {name} {rows} rows")
    };
    let work =
        |reader: &mut Reader, task: &Task<'_>, halt: &Halt<'_>| place.write(reader, task, halt);
    side_by_side(stage, readers, &tasks, work, progress, |stage, _, chunk| {
        journal.add(&chunk)?;
        done.add(stage, chunk)
    })?;
    let in_parts = pairs.iter().filter_map(|pair| done.in_parts(pair.source));
    witness::check(stage, readers, &in_parts.collect::<Vec<_>>())?;
    Ok(done)
}

fn manifest(stage: &StageRun<'_>, plan: &ExportPlan, mut done: Chunks) -> anyhow::Result<Manifest> {
    let (run_id, database) = (stage.directory.run_id(), &stage.database.name);
    let mut manifest = Manifest::new(run_id, database, Stage::Export, now(), plan.source.clone());
    for planned in &plan.tables {
        manifest.tables.push(done.take(planned)?);
    }
    manifest.tables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(manifest)
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
