//! The two comparisons with what a run wrote down, which tell where a difference came in: between
//! the source and the export, or between the files and the target.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use anyhow::Context;

use catalog::SourceTable;
use dataset::{Blake3Reader, KeyRange, Manifest, TableEntry};
use digest::{TableDigest, digest_fields};
use source::Snapshot;
use target::{Aside, Kept};
use verify::{Compared, DatabaseReport, TableReport, Verdict, VerifyReport};

use super::left_out::refused;
use super::look::Look;
use super::sides::{Checker, Left, NEVER, Sides};
use super::{NAME, Verified, plan};
use crate::call::{next, shell_word};
use crate::command::export::{self, snapshots};
use crate::command::import::unfinished;
use crate::command::transform;
use crate::exit::Failure;
use crate::held_run::held_run;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task};
use crate::pairing::Catalogs;
use crate::run::{Run, StageRun};
use crate::versions;

const OF_SOURCE: Task = Task {
    name: NAME,
    sides: &[Side::Source],
    leaves: "the source was only read, and the target was not touched",
    is_kept: false,
};
const OF_TARGET: Task = Task {
    name: NAME,
    sides: &[Side::Target],
    leaves: "the target was only read, and the source was not touched",
    is_kept: false,
};

/// Holds the live source against the manifest of the export, by the digest of each table: what
/// differs, the source has changed.
pub(super) fn source_with_manifest(run: &mut Run, look: Look<'_>) -> anyhow::Result<Verified> {
    check_names(run, look, export::DIRECTORY)?;
    let mut snapshots = snapshots::without_lock(run, &OF_SOURCE, None)?;
    let (mut databases, mut moved) = (Vec::new(), Vec::new());
    let outcomes = run.stage(&OF_SOURCE, |stage| {
        let snapshot = snapshots::snapshot_of(&mut snapshots, stage.database);
        let report = compare_source(stage, snapshot, look)?;
        let differing = report.tables.iter().filter(|table| !table.equal);
        moved.extend(differing.map(|table| format!("{}.{}", report.name, table.name)));
        databases.push(report);
        Ok(())
    })?;
    let verdict = match moved.is_empty() {
        true => Verdict::Partial,
        false => Verdict::SourceMoved,
    };
    Ok(Verified {
        loads: BTreeMap::new(),
        report: report(look.compared, verdict, databases),
        moved,
        outcomes,
    })
}

/// Holds the transformed files against the live target, row by row: what differs, the import or
/// somebody after it has changed.
pub(super) fn files_with_target(run: &mut Run, look: Look<'_>) -> anyhow::Result<Verified> {
    check_names(run, look, transform::DIRECTORY)?;
    let mut databases = Vec::new();
    let outcomes = run.stage(&OF_TARGET, |stage| {
        let report = compare_target(stage, look)?;
        databases.push(report);
        Ok(())
    })?;
    let verdict = match databases.iter().all(DatabaseReport::is_equal) {
        true => Verdict::Partial,
        false => Verdict::Different,
    };
    Ok(Verified {
        loads: BTreeMap::new(),
        report: report(look.compared, verdict, databases),
        moved: Vec::new(),
        outcomes,
    })
}

fn report(compared: Compared, verdict: Verdict, databases: Vec<DatabaseReport>) -> VerifyReport {
    VerifyReport {
        schema_version: 1,
        compared,
        sample_percent: None,
        verdict,
        databases,
    }
}

fn check_names(run: &Run, look: Look<'_>, stage: &str) -> anyhow::Result<()> {
    let mut known = Vec::new();
    for database in &run.config.databases {
        let directory = run.directory.database_dir(&database.name, stage)?;
        let manifest = manifest(&directory, stage)?;
        let names = manifest.tables.into_iter().map(|table| table.name);
        known.extend(names.map(|table| (database.name.clone(), table)));
    }
    look.check_names(&known)
}

fn manifest(directory: &Path, stage: &str) -> Result<Manifest, Failure> {
    Manifest::read(directory).map_err(|error| {
        Failure::blocked(format!("there is nothing to compare with: {error}")).hint(match stage {
            export::DIRECTORY => {
                format!("run `{}` first, or name the run: --run DIR", next("export"))
            }
            _ => format!(
                "run `{}` first, or name the run: --run DIR",
                next("transform")
            ),
        })
    })
}

fn compare_source(
    stage: &mut StageRun<'_>,
    snapshot: &mut Snapshot,
    look: Look<'_>,
) -> anyhow::Result<DatabaseReport> {
    let database = stage.database;
    let directory = stage
        .directory
        .database_dir(&database.name, export::DIRECTORY)?;
    let manifest = manifest(&directory, export::DIRECTORY)?;
    let mut source = source::Connection::open(&database.source)?;
    let catalog = source::discover(&mut source, database.source_name())?;
    let mut report = DatabaseReport {
        name: database.name.clone(),
        ..DatabaseReport::default()
    };
    let entries = manifest.tables.iter();
    for entry in entries.filter(|entry| look.includes(&database.name, &entry.name)) {
        // A table that is gone has no rows, and no digest either.
        let digest = match catalog.table(&entry.name) {
            Some(live) => Some(exported_digest(stage, snapshot, live)?),
            None => None,
        };
        let rows = digest.map_or(0, |digest| digest.count);
        stage.table_done(&entry.name, rows, 0)?;
        report.tables.push(TableReport {
            name: entry.name.clone(),
            source_rows: rows,
            target_rows: entry.row_count,
            equal: digest.is_some_and(|digest| digest.to_string() == entry.digest),
            ..TableReport::default()
        });
    }
    stage.word = word(&report);
    Ok(report)
}

/// The digest of a table's rows as the export reads them now.
pub(super) fn exported_digest(
    stage: &StageRun<'_>,
    snapshot: &mut Snapshot,
    table: &SourceTable,
) -> anyhow::Result<TableDigest> {
    let mut check = Checker::new(stage.interrupt, &NEVER);
    let mut digest = TableDigest::default();
    let (name, whole) = (stage.database.source_name(), KeyRange::whole());
    snapshot
        .reader()
        .export_table::<anyhow::Error>(name, table, &whole, |record| {
            check.row()?;
            digest.add(digest_fields(record.iter()));
            Ok(())
        })?;
    Ok(digest)
}

fn compare_target(stage: &mut StageRun<'_>, look: Look<'_>) -> anyhow::Result<DatabaseReport> {
    let database = stage.database;
    let directory = stage
        .directory
        .database_dir(&database.name, transform::DIRECTORY)?;
    let manifest = manifest(&directory, transform::DIRECTORY)?;
    let mut target = target::Connection::open(&database.target)?;
    versions::support(target.server())?;
    check_run(stage, &mut target)?;
    let catalogs = Catalogs {
        source: transform::read_catalogs(stage)?.source,
        target: target::discover(&mut target, &database.target_schema)?,
    };
    let pairs = catalogs.pairs(database)?;
    target.batch_execute("begin isolation level repeatable read, read only")?;
    let mut files = target::Connection::open(&database.target)?;
    let mut report = DatabaseReport {
        name: database.name.clone(),
        ..DatabaseReport::default()
    };
    for pair in pairs {
        let name = &pair.source.name;
        if !look.includes(&database.name, name) {
            continue;
        }
        let entry = manifest.table(name);
        let entry =
            entry.with_context(|| format!("table `{name}` is not in the files' manifest"))?;
        let plan = plan(database, pair)?;
        let place = (database.target_schema.as_str(), pair.target.name.as_str());
        let kept = read_files(&mut files, place, entry, &directory, stage.interrupt)?;
        let table = Sides {
            database,
            interrupt: stage.interrupt,
            plan: &plan,
            pair,
            left: Left::Files(&mut files, &kept),
            target: &mut target,
            aside: &Aside::default(),
            sample: None,
        }
        .compare(look.limits())?;
        files.drop_aside(&kept)?;
        stage.table_done(name, table.target_rows, 0)?;
        report.tables.push(table);
    }
    target.batch_execute("commit")?;
    stage.word = word(&report);
    Ok(report)
}

/// The files must be those of the rows that the target holds.
fn check_run(stage: &StageRun<'_>, target: &mut target::Connection) -> anyhow::Result<()> {
    let database = stage.database;
    let Some(run) = held_run(database, target)? else {
        return Ok(());
    };
    if run.run_id != stage.directory.run_id() {
        return Err(Failure::blocked(format!(
            "target `{}` holds the rows of run {}, not of this one",
            database.name, run.run_id
        ))
        .hint(format!(
            "compare with that run: --run {}",
            shell_word(&format!("runs/{}", run.run_id))
        ))
        .into());
    }
    match run.loaded.is_none() {
        true => Err(unfinished(&database.name, &run).into()),
        false => Ok(()),
    }
}

/// Lets the server read a table's files, each of which must be as its manifest says.
fn read_files(
    target: &mut target::Connection,
    (schema, table): (&str, &str),
    entry: &TableEntry,
    directory: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<Kept> {
    let columns: Vec<String> = entry.columns.iter().map(|c| c.name.clone()).collect();
    let mut kept = target
        .make_aside(schema, table, &columns)
        .map_err(|error| refused(error.into()))?;
    for file in &entry.files {
        let path = directory.join(&file.name);
        let input = dataset::open(&path).map_err(|error| {
            Failure::blocked(format!("{}: {error}", path.display())).hint(
                "the files of this run are what is compared; without them, compare the source",
            )
        })?;
        let mut hashed = Blake3Reader::new(input);
        let go_on = || Ok(interrupt.check()?);
        let filled = target.fill_aside::<anyhow::Error>(&mut kept, &mut hashed, go_on);
        interrupt.check()?;
        // Where the server refused a row, the file itself may be the reason.
        let rest = io::copy(&mut hashed, &mut io::sink());
        rest.with_context(|| format!("reading {}", path.display()))?;
        if hashed.blake3() != file.blake3 {
            return Err(transform::changed(&path).into());
        }
        filled?;
    }
    Ok(kept)
}

fn word(report: &DatabaseReport) -> &'static str {
    match report.is_equal() {
        true => "partial",
        false => "different",
    }
}
