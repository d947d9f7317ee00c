//! `transform`: converts the exported files to what the target takes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use anyhow::Context;

use catalog::{SourceCatalog, TargetCatalog};
use dataset::{
    Blake3Reader, CsvReader, CsvWriter, FileEntry, Manifest, PartialFile, Record, Stage,
    TableEntry, table_file_name,
};
use digest::{TableDigest, digest_fields};
use transform::{PlanInput, TablePlan};

use crate::args::CommonArgs;
use crate::command::export::{self, StageDocument};
use crate::config::Database;
use crate::console::Pulse;
use crate::exit::{BLOCKED, Failure, USAGE};
use crate::interrupt::Interrupt;
use crate::lost::Task;
use crate::pairing::{Catalogs, TablePair};
use crate::run::{Run, Session, StageOutcome, StageRun};
use crate::run_dir::now;

/// Directory of this stage's files, below the database's.
pub(crate) const DIRECTORY: &str = "transformed";
const STAGE: &str = "transform";
const TASK: Task = Task {
    name: STAGE,
    // Files in, files out.
    sides: &[],
    leaves: "nothing was changed",
    is_kept: false,
};
/// Records between two looks at the clock and the signals.
const RECORDS_BETWEEN_CHECKS: u64 = 256;

pub(crate) fn run(args: &CommonArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let mut run = Session::open(args, interrupt)?.resume(args)?;
    let outcomes = stage(&mut run)?;
    let human = format!(
        "transformed in {}\nnext: cargo xtask import\n",
        run.directory.path().display()
    );
    run.console
        .result(&human, &StageDocument::new(&run, STAGE, &outcomes))?;
    Ok(())
}

/// Transforms all databases of the run.
pub(crate) fn stage(run: &mut Run) -> anyhow::Result<Vec<StageOutcome>> {
    check_one_export(run, export::DIRECTORY)?;
    run.stage(&TASK, transform_database)
}

/// The plans of all tables, or what cannot be planned.
pub(crate) fn plans(
    database: &Database,
    pairs: &[TablePair<'_>],
) -> Result<Vec<TablePlan>, Failure> {
    pairs.iter().map(|pair| plan(database, *pair)).collect()
}

/// Columns of the target that no source column fills.
pub(crate) fn left_out(plans: &[TablePlan], pairs: &[TablePair<'_>]) -> Vec<String> {
    let columns = plans.iter().zip(pairs).flat_map(|(plan, pair)| {
        plan.left_out()
            .iter()
            .map(|column| format!("{}.{column}", pair.target.name))
    });
    columns.collect()
}

/// Fails where the databases of a run were not exported together: one would be older.
pub(crate) fn check_one_export(run: &Run, stage: &str) -> anyhow::Result<()> {
    let mut ids = BTreeSet::new();
    for database in &run.config.databases {
        let directory = run.directory.database_dir(&database.name, stage)?;
        // What is missing is said by the stage itself, with what to do.
        if let Ok(manifest) = Manifest::read(&directory) {
            ids.insert(manifest.source.export_id);
        }
    }
    if ids.len() > 1 {
        return Err(
            Failure::blocked("the databases of this run were exported at different times")
                .hint("run `cargo xtask export` again, without --database")
                .into(),
        );
    }
    Ok(())
}

fn plan(database: &Database, pair: TablePair<'_>) -> Result<TablePlan, Failure> {
    let input = PlanInput {
        database: &database.name,
        source: pair.source,
        target: pair.target,
        rules: &database.rules,
        datetime_zone: database.datetime_zone.as_deref(),
    };
    TablePlan::new(&input).map_err(|error| {
        // A rule that cannot work is the configuration's fault, the rest is the schemas'.
        let wrong_rule = error
            .misfits()
            .iter()
            .any(|misfit| misfit.kind() == "rule_cannot_work");
        let code = if wrong_rule { USAGE } else { BLOCKED };
        let hint = error
            .misfits()
            .first()
            .map(transform::Misfit::hint)
            .unwrap_or_default();
        Failure::new(code, error.to_string()).hint(hint)
    })
}

fn transform_database(stage: &mut StageRun<'_>) -> anyhow::Result<()> {
    let database = stage.database;
    let exported = stage
        .directory
        .database_dir(&database.name, export::DIRECTORY)?;
    let before = Manifest::read(&exported).map_err(|error| {
        Failure::blocked(format!("there is no complete export: {error}"))
            .hint("run `cargo xtask export` first")
    })?;
    let catalogs = read_catalogs(stage)?;
    let pairs = catalogs.pairs(database)?;
    check_export_files(&before, &exported)?;
    stage.directory.invalidate(&database.name, DIRECTORY)?;
    let directory = stage.directory.database_dir(&database.name, DIRECTORY)?;
    let mut manifest = Manifest::new(
        stage.directory.run_id(),
        &database.name,
        Stage::Transform,
        now(),
        before.source.clone(),
    );
    for pair in pairs {
        let entry = before.table(&pair.source.name).with_context(|| {
            format!(
                "table `{}` is not in the export's manifest",
                pair.source.name
            )
        })?;
        let mut plan = plan(database, pair)?;
        for column in plan.left_out() {
            stage.console.line(&format!(
                "transform  {}.{}.{column} is in the target only and keeps its default",
                database.name, pair.target.name
            ));
        }
        let done = transform_table(stage, entry, &mut plan, &exported, &directory)?;
        for (rule, rows) in plan.rule_counts() {
            *stage.outcome.rules.entry(rule.to_owned()).or_default() += rows;
        }
        let bytes = done.files.iter().map(|file| file.bytes).sum();
        stage.table_done(&done.name, done.row_count, bytes)?;
        manifest.tables.push(done);
    }
    manifest.write(&directory)?;
    Ok(())
}

/// `migrate` keeps the manifest of the export, not its files.
fn check_export_files(manifest: &Manifest, directory: &Path) -> Result<(), Failure> {
    let mut files = manifest.tables.iter().flat_map(|table| &table.files);
    match files.find(|file| !directory.join(&file.name).exists()) {
        None => Ok(()),
        Some(file) => Err(Failure::blocked(format!(
            "{} is gone",
            directory.join(&file.name).display()
        ))
        .hint(
            "run `cargo xtask export` again; `cargo xtask migrate --keep-export` keeps the files",
        )),
    }
}

/// The catalogues that the export was planned with.
pub(crate) fn read_catalogs(stage: &StageRun<'_>) -> anyhow::Result<Catalogs> {
    let directory = stage.directory.database_dir(&stage.database.name, "")?;
    let read = |name: &str| {
        let path = directory.join(name);
        fs::read(&path).with_context(|| format!("reading {}", path.display()))
    };
    let source: SourceCatalog = serde_json::from_slice(&read("catalog.source.json")?)?;
    let target: TargetCatalog = serde_json::from_slice(&read("catalog.target.json")?)?;
    Ok(Catalogs { source, target })
}

fn transform_table(
    stage: &mut StageRun<'_>,
    entry: &TableEntry,
    plan: &mut TablePlan,
    exported: &Path,
    directory: &Path,
) -> anyhow::Result<TableEntry> {
    let file_name = table_file_name(&entry.name);
    let out = PartialFile::create(&directory.join(&file_name))?;
    let names: Vec<String> = plan
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let mut writer = CsvWriter::new(out, names.iter().map(String::as_str))?;
    let mut digest = TableDigest::default();
    for file in &entry.files {
        transform_file(
            stage,
            entry,
            plan,
            &exported.join(&file.name),
            file,
            &mut writer,
            &mut digest,
        )?;
    }
    let rows = writer.records();
    let summary = writer.into_inner().finish()?;
    let mut columns = Vec::new();
    for name in &names {
        let column = entry.columns.iter().find(|column| column.name == *name);
        columns.extend(column.cloned());
    }
    let ends = |end: fn(&FileEntry) -> &Vec<String>, file: Option<&FileEntry>| {
        file.map(end).cloned().unwrap_or_default()
    };
    Ok(TableEntry {
        name: entry.name.clone(),
        columns,
        row_count: rows,
        digest: digest.to_string(),
        auto_increment: entry.auto_increment,
        files: vec![FileEntry {
            name: file_name,
            rows,
            bytes: summary.bytes,
            blake3: summary.blake3,
            first_key: ends(|file| &file.first_key, entry.files.first()),
            last_key: ends(|file| &file.last_key, entry.files.last()),
        }],
    })
}

fn transform_file(
    stage: &StageRun<'_>,
    entry: &TableEntry,
    plan: &mut TablePlan,
    path: &Path,
    file: &FileEntry,
    writer: &mut CsvWriter<PartialFile>,
    digest: &mut TableDigest,
) -> anyhow::Result<()> {
    let input = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut hashed = Blake3Reader::new(input);
    let mut reader = CsvReader::new(&mut hashed).map_err(|error| damaged(error.at(path)))?;
    let names: Vec<&str> = entry
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    if reader.header() != names {
        return Err(changed(path).into());
    }
    let mut pulse = Pulse::new(stage.console);
    let (mut record, mut converted) = (Record::new(), Record::new());
    while reader
        .read(&mut record)
        .map_err(|error| damaged(error.at(path)))?
    {
        if reader
            .record_number()
            .is_multiple_of(RECORDS_BETWEEN_CHECKS)
        {
            stage.interrupt.check()?;
            pulse.beat(|| {
                let rows = reader.record_number();
                format!(
                    "transform  {}.{} {rows} rows",
                    stage.database.name, entry.name
                )
            });
        }
        plan.convert(&record, &mut converted, reader.record_number())
            .map_err(rejected)?;
        digest.add(digest_fields(converted.iter()));
        writer
            .write(&converted)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    let rows = reader.record_number();
    drop(reader);
    if hashed.blake3() != file.blake3 || rows != file.rows {
        return Err(changed(path).into());
    }
    Ok(())
}

fn rejected(rejection: transform::Rejection) -> Failure {
    let failure = Failure::refused(rejection.to_string());
    match rejection.hint() {
        Some(rule) => failure.hint(format!("add a rule to the configuration: {rule}")),
        None => failure,
    }
}

/// A file that is not in the dialect is a blocker; one that cannot be read is not expected.
fn damaged(error: dataset::Error) -> anyhow::Error {
    if error.is_damage() {
        Failure::blocked(error.to_string())
            .hint("run `cargo xtask export` again")
            .into()
    } else {
        error.into()
    }
}

/// A file that is not the one that the manifest describes.
pub(crate) fn changed(path: &Path) -> Failure {
    Failure::blocked(format!("{} is not what its manifest says", path.display()))
        .hint("run the stage that wrote it again")
}
