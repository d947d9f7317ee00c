//! `export`: reads the source into CSV files, all tables at one point in time.

pub(crate) mod snapshots;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use catalog::{Server, SourceColumn, SourceTable};
use dataset::{
    ColumnEntry, CsvWriter, FileEntry, KeyRange, Manifest, PartialFile, Record, SourceEntry, Stage,
    TableEntry, chunk_file_name,
};
use digest::{TableDigest, digest_fields};
use source::Reader;

use crate::args::{ExportArgs, ReadingArgs};
use crate::command::export::snapshots::{Moments, snapshot_of};
use crate::command::{doctor, transform};
use crate::console::Pulse;
use crate::heartbeat::Heartbeat;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task};
use crate::pairing::{Catalogs, TablePair};
use crate::run::{Run, Session, StageOutcome, StageRun};
use crate::run_dir::{ServersEntry, new_export_id, now};

/// Directory of this stage.
pub(crate) const DIRECTORY: &str = "export";
const TASK: Task = Task {
    name: DIRECTORY,
    // The target is needed for a moment, in `read_catalogs`.
    sides: &[Side::Source],
    leaves: "the source was only read, the target was not touched",
    is_kept: false,
};
/// Large enough that a file costs nothing beside its bytes, small enough that a lost one is soon
/// read again.
const CHUNK_BYTES_MAX: u64 = 16 << 20;
/// Rows between two looks at the clock and the signals.
const ROWS_BETWEEN_CHECKS: u64 = 256;

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
    let lock_wait = Duration::from_secs(reading.lock_wait.into());
    let mut moments = snapshots::under_lock(run, &TASK, 1, lock_wait)?;
    // All of them before the first is read, so that no old one passes for a part of this export.
    for database in &run.config.databases {
        run.directory.invalidate(&database.name, DIRECTORY)?;
        run.directory
            .invalidate(&database.name, transform::DIRECTORY)?;
    }
    let export_id = new_export_id();
    run.stage(&TASK, |stage| {
        let database = stage.database;
        export_database(stage, &mut moments, &export_id)
            .map_err(|error| snapshots::explain(database, error))
    })
}

fn export_database(
    stage: &mut StageRun<'_>,
    moments: &mut Moments,
    export_id: &str,
) -> anyhow::Result<()> {
    let database = stage.database;
    let mut source = source::Connection::open(&database.source)?;
    let (catalogs, target) = read_catalogs(stage, &mut source)?;
    let pairs = catalogs.pairs(database)?;
    moments.check_schema(database, &pairs, &catalogs.source)?;
    let snapshot = snapshot_of(&mut moments.snapshots, database);
    doctor::check_engines(&pairs)?;
    doctor::check_readable(database, &mut source, &pairs)?;
    transform::plans(database, &pairs)?;
    save_catalogs(stage, &catalogs)?;
    stage.directory.invalidate(&database.name, DIRECTORY)?;
    stage
        .directory
        .invalidate(&database.name, transform::DIRECTORY)?;
    let directory = stage.directory.database_dir(&database.name, DIRECTORY)?;
    stage.directory.set_servers(
        &database.name,
        ServersEntry {
            source: source.server().clone(),
            target,
            snapshot: snapshot.method(),
            coordinates: snapshot.coordinates().cloned(),
        },
    )?;
    let mut manifest = Manifest::new(
        stage.directory.run_id(),
        &database.name,
        Stage::Export,
        now(),
        SourceEntry {
            server: snapshot.server().clone(),
            export_id: export_id.to_owned(),
            snapshot: snapshot.method(),
            coordinates: snapshot.coordinates().cloned(),
        },
    );
    let auto_increments = snapshot.auto_increments(database.source_name())?;
    for pair in &pairs {
        let entry = export_table(
            stage,
            snapshot.reader(),
            *pair,
            &directory,
            &auto_increments,
        )?;
        let bytes = entry.files.iter().map(|file| file.bytes).sum();
        stage.table_done(&entry.name, entry.row_count, bytes)?;
        manifest.tables.push(entry);
    }
    let now = source::discover(&mut source, database.source_name())?;
    moments.check_schema(database, &pairs, &now)?;
    stage.outcome.snapshot = Some(manifest.source.snapshot);
    manifest.write(&directory)?;
    Ok(())
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

fn export_table(
    stage: &mut StageRun<'_>,
    reader: &mut Reader,
    pair: TablePair<'_>,
    directory: &Path,
    auto_increments: &BTreeMap<String, u64>,
) -> anyhow::Result<TableEntry> {
    let (table, interrupt) = (pair.source, stage.interrupt);
    let name = stage.database.source_name();
    let ranges = reader.plan_chunks(name, table, CHUNK_BYTES_MAX, || {
        Ok::<_, anyhow::Error>(interrupt.check()?)
    })?;
    let mut digest = TableDigest::default();
    let mut files = Vec::new();
    for (index, range) in ranges.iter().enumerate() {
        let file_name = chunk_file_name(&table.name, index + 1, ranges.len());
        let path = directory.join(file_name);
        let (file, part) = export_chunk(stage, reader, table, range, &path)?;
        digest.merge(part);
        files.push(file);
    }
    Ok(TableEntry {
        name: table.name.clone(),
        columns: columns(pair),
        row_count: digest.count,
        digest: digest.to_string(),
        auto_increment: auto_increments.get(&table.name).copied(),
        files,
    })
}

fn columns(pair: TablePair<'_>) -> Vec<ColumnEntry> {
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

fn copied_columns(table: &SourceTable) -> impl Iterator<Item = &SourceColumn> {
    let columns = table.columns.iter();
    columns.filter(|column| column.generated.is_none())
}

/// Writes the rows of a range to a file.
fn export_chunk(
    stage: &StageRun<'_>,
    reader: &mut Reader,
    table: &SourceTable,
    range: &KeyRange,
    path: &Path,
) -> anyhow::Result<(FileEntry, TableDigest)> {
    let columns: Vec<&SourceColumn> = copied_columns(table).collect();
    let file = PartialFile::create(path)?;
    let mut writer = CsvWriter::new(file, columns.iter().map(|column| column.name.as_str()))?;
    let mut digest = TableDigest::default();
    let mut keys = KeyEnds::of(table, &columns);
    let mut pulse = Pulse::new(stage.console);
    let (database, interrupt) = (stage.database, stage.interrupt);
    let name = database.source_name();
    let rows = reader.export_table::<anyhow::Error>(name, table, range, |record| {
        if writer.records().is_multiple_of(ROWS_BETWEEN_CHECKS) {
            interrupt.check()?;
            pulse.beat(|| {
                let (database, rows) = (&database.name, writer.records());
                format!("export     {database}.{} {rows} rows", table.name)
            });
        }
        digest.add(digest_fields(record.iter()));
        keys.see(record);
        writer
            .write(record)
            .with_context(|| format!("writing {}", path.display()))
    })?;
    let summary = writer.into_inner().finish()?;
    let (first_key, last_key) = keys.into_ends();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = FileEntry {
        name: name.into_owned(),
        rows,
        bytes: summary.bytes,
        blake3: summary.blake3,
        first_key,
        last_key,
    };
    Ok((file, digest))
}

/// The keys of the first and the last record that passed.
struct KeyEnds {
    fields: Vec<usize>,
    first: Option<Vec<String>>,
    last: Record,
}

impl KeyEnds {
    fn of(table: &SourceTable, columns: &[&SourceColumn]) -> Self {
        let position = |name: &&str| columns.iter().position(|column| column.name == **name);
        Self {
            fields: source::key_columns(table)
                .iter()
                .filter_map(position)
                .collect(),
            first: None,
            last: Record::new(),
        }
    }

    fn see(&mut self, record: &Record) {
        self.last.clear();
        for field in &self.fields {
            self.last.push(record.get(*field));
        }
        if self.first.is_none() {
            self.first = Some(texts(&self.last));
        }
    }

    fn into_ends(self) -> (Vec<String>, Vec<String>) {
        let last = texts(&self.last);
        (self.first.unwrap_or_default(), last)
    }
}

fn texts(record: &Record) -> Vec<String> {
    let fields = record.iter().map(Option::unwrap_or_default);
    fields
        .map(|field| String::from_utf8_lossy(field).into_owned())
        .collect()
}
