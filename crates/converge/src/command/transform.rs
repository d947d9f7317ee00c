//! `transform`: converts the exported files to what the target takes.

mod changes;
mod constraints;
mod plan_document;
mod workers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context;

use catalog::{SourceCatalog, TargetCatalog};
use dataset::{ConvertedChunk, ExportPlan, Manifest, SourceEntry, Stage, TableEntry};
use digest::TableDigest;
use transform::{PlanInput, TablePlan};

use crate::args::TransformArgs;
use crate::call::{next, next_with};
use crate::command::export::{self, Exported, StageDocument};
pub(crate) use crate::command::transform::changes::Changes;
use crate::command::transform::constraints::Converted;
pub(crate) use crate::command::transform::workers::rejected;
use crate::command::transform::workers::{Part, Table};
use crate::config::Database;
use crate::constraint_rules::{self, CLEARED, LEFT_OUT, LISTED, kept_file};
use crate::exit::{BLOCKED, Failure, USAGE};
use crate::interrupt::Interrupt;
use crate::lost::Task;
use crate::pairing::{Catalogs, TablePair};
use crate::run::{Run, Session, StageOutcome, StageRun};
use crate::run_dir::now;
use crate::text::Text;

/// Directory of this stage's files, below the database's.
pub(crate) const DIRECTORY: &str = "transformed";
/// Directory of what rules left out and of the lists of what they changed, below the database's.
pub(crate) const REJECTED: &str = "rejected";
const STAGE: &str = "transform";
const TASK: Task = Task {
    name: STAGE,
    // Files in, files out.
    sides: &[],
    leaves: "nothing was changed",
    is_kept: false,
};

pub(crate) fn run(args: &TransformArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let session = Session::open(&args.common, interrupt)?;
    if args.plan {
        return plan_document::print(&session);
    }
    let mut run = session.resume(&args.common)?;
    let outcomes = stage(&mut run)?;
    let human = Text::from(format!("transformed in {}", run.directory.path().display()))
        .and(format!("next: {}", next("import")));
    run.console
        .result(&human, &StageDocument::new(&run, STAGE, &outcomes))?;
    Ok(())
}

/// Transforms all databases of the run.
pub(crate) fn stage(run: &mut Run) -> anyhow::Result<Vec<StageOutcome>> {
    check_one_export(run, export::DIRECTORY)?;
    let workers = run.workers;
    run.stage(&TASK, |stage| transform_database(stage, workers))
}

/// Ends for all databases what an export converted as it read: rules for constraints, and the
/// manifests of both stages.
pub(crate) fn stage_of_exported(
    run: &mut Run,
    mut exported: BTreeMap<String, Exported>,
) -> anyhow::Result<Vec<StageOutcome>> {
    run.stage(&TASK, |stage| {
        let exported = exported.remove(&stage.database.name);
        end_exported(stage, exported.context("every database was read")?)
    })
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
                .hint(format!(
                    "run `{}` again, without --database",
                    next("export")
                ))
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

fn transform_database(stage: &mut StageRun<'_>, workers: usize) -> anyhow::Result<()> {
    let database = stage.database;
    // First of all: what an earlier configuration made must not pass for this one's.
    stage.directory.invalidate(&database.name, DIRECTORY)?;
    let exported = stage
        .directory
        .database_dir(&database.name, export::DIRECTORY)?;
    let before = Manifest::read(&exported).map_err(|error| {
        Failure::blocked(format!("there is no complete export: {error}"))
            .hint(format!("run `{}` first", next("export")))
    })?;
    let catalogs = read_catalogs(stage)?;
    let pairs = catalogs.pairs(database)?;
    check_export_files(&before, &exported)?;
    let plans = plans(database, &pairs)?;
    let places = Places::of(stage)?;
    places.clear()?;
    let tables = tables(&before, &plans, &pairs)?;
    say_left_out(stage, &plans, &pairs);
    let parts = transform_tables(stage, workers, &tables, &places)?;
    let converted = Converted {
        pairs: &pairs,
        tables: &tables,
        places: &places,
    };
    end(stage, &converted, parts, &before.source)
}

/// The tables of a database as the export left them, in the order of the pairs.
fn tables<'t>(
    exported: &'t Manifest,
    plans: &'t [TablePlan],
    pairs: &[TablePair<'_>],
) -> anyhow::Result<Vec<Table<'t>>> {
    let tables = plans.iter().zip(pairs).map(|(plan, pair)| {
        let name = &pair.source.name;
        let entry = exported.table(name);
        let entry =
            entry.with_context(|| format!("table `{name}` is not in the export's manifest"))?;
        Ok(Table { entry, plan })
    });
    tables.collect()
}

fn say_left_out(stage: &StageRun<'_>, plans: &[TablePlan], pairs: &[TablePair<'_>]) {
    for column in left_out(plans, pairs) {
        stage.console.line(&format!(
            "transform  {}.{column} is in the target only and keeps its default",
            stage.database.name
        ));
    }
}

/// Carries the rules for constraints out on the converted files, and enters what is left.
fn end(
    stage: &mut StageRun<'_>,
    converted: &Converted<'_>,
    mut parts: Vec<Parts>,
    source: &SourceEntry,
) -> anyhow::Result<()> {
    let database = stage.database;
    let rules = constraint_rules::resolve(database, converted.pairs)?;
    let mut manifest = Manifest::new(
        stage.directory.run_id(),
        &database.name,
        Stage::Transform,
        now(),
        source.clone(),
    );
    let left_out = constraints::apply(stage, &rules, converted, &mut parts)?;
    for ((parts, table), left_out) in parts.into_iter().zip(converted.tables).zip(left_out) {
        manifest.tables.push(parts.entry(table, left_out));
    }
    Ok(manifest.write(&converted.places.transformed)?)
}

fn end_exported(stage: &mut StageRun<'_>, exported: Exported) -> anyhow::Result<()> {
    let database = stage.database;
    let catalogs = read_catalogs(stage)?;
    let pairs = catalogs.pairs(database)?;
    let plans = plans(database, &pairs)?;
    let places = Places::of(stage)?;
    let Exported {
        manifest,
        converted,
        ..
    } = exported;
    let tables = tables(&manifest, &plans, &pairs)?;
    say_left_out(stage, &plans, &pairs);
    let mut chunks: BTreeMap<&str, BTreeMap<usize, ConvertedChunk>> = manifest
        .tables
        .iter()
        .map(|table| table.name.as_str())
        .zip(converted)
        .collect();
    let mut done = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let chunks = chunks.remove(table.entry.name.as_str()).unwrap_or_default();
        let mut parts = Parts::default();
        for (number, chunk) in chunks {
            for (rule, rows) in &chunk.rules {
                *stage.outcome.rules.entry(rule.clone()).or_default() += rows;
            }
            let part = Part {
                table: index,
                number,
                digest: chunk.digest.parse()?,
                rules: chunk.rules,
                file: chunk.file,
            };
            parts.0.insert(number, part);
        }
        let (rows, bytes) = parts.sums();
        stage.table_done(&table.entry.name, rows, bytes)?;
        done.push(parts);
    }
    places.forget_constraints(&tables)?;
    let converted = Converted {
        pairs: &pairs,
        tables: &tables,
        places: &places,
    };
    end(stage, &converted, done, &manifest.source)?;
    manifest.write(&places.exported)?;
    Ok(ExportPlan::remove(&places.exported)?)
}

/// The directories of a database's files.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) exported: PathBuf,
    pub(crate) transformed: PathBuf,
    pub(crate) rejected: PathBuf,
}

impl Places {
    pub(crate) fn of(stage: &StageRun<'_>) -> anyhow::Result<Self> {
        let of = |name| {
            let database = &stage.database.name;
            stage.directory.database_dir(database, name)
        };
        Ok(Self {
            exported: of(export::DIRECTORY)?,
            transformed: of(DIRECTORY)?,
            rejected: of(REJECTED)?,
        })
    }

    /// Takes away what rules for constraints took from the tables: an end that was cut off may
    /// have had other rules.
    fn forget_constraints(&self, tables: &[Table<'_>]) -> anyhow::Result<()> {
        for table in tables {
            for ending in [LEFT_OUT, CLEARED, LISTED] {
                let path = kept_file(&self.rejected, &table.entry.name, ending);
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(error).with_context(|| format!("removing {}", path.display()));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Takes away what was converted before: there may have been other files.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        export::clear(&self.transformed)?;
        export::clear(&self.rejected)
    }
}

/// Converts the files of all tables; returns them in the order of the tables.
fn transform_tables(
    stage: &mut StageRun<'_>,
    workers: usize,
    tables: &[Table<'_>],
    places: &Places,
) -> anyhow::Result<Vec<Parts>> {
    let mut done: Vec<Parts> = tables.iter().map(|_| Parts::default()).collect();
    workers::convert(stage, workers, tables, places, |stage, part| {
        let table = &tables[part.table];
        for (rule, rows) in &part.rules {
            *stage.outcome.rules.entry(rule.clone()).or_default() += rows;
        }
        let parts = &mut done[part.table];
        parts.0.insert(part.number, part);
        if parts.0.len() < table.entry.files.len() {
            return Ok(());
        }
        let (rows, bytes) = parts.sums();
        stage.table_done(&table.entry.name, rows, bytes)
    })?;
    Ok(done)
}

/// The converted files of a table by their number.
#[derive(Debug, Default)]
struct Parts(BTreeMap<usize, Part>);

impl Parts {
    /// Rows and bytes.
    fn sums(&self) -> (u64, u64) {
        let files = || self.0.values().map(|part| &part.file);
        let bytes = files().map(|file| file.bytes).sum();
        (files().map(|file| file.rows).sum(), bytes)
    }

    fn entry(self, table: &Table<'_>, left_out: u64) -> TableEntry {
        let mut digest = TableDigest::default();
        let mut files = Vec::new();
        for part in self.0.into_values() {
            digest.merge(part.digest);
            files.push(part.file);
        }
        let mut columns = Vec::new();
        for planned in table.plan.columns() {
            let mut exported = table.entry.columns.iter();
            columns.extend(exported.find(|c| c.name == planned.name()).cloned());
        }
        TableEntry {
            name: table.entry.name.clone(),
            columns,
            row_count: digest.count,
            left_out,
            digest: digest.to_string(),
            auto_increment: table.entry.auto_increment,
            files,
        }
    }
}

/// `migrate` keeps the manifest of the export, not its files.
fn check_export_files(manifest: &Manifest, directory: &Path) -> Result<(), Failure> {
    let mut tables = manifest.tables.iter();
    let gone = match tables.find(|table| table.files.is_empty()) {
        Some(table) => format!("`migrate` did not keep the files of `{}`", table.name),
        None => {
            let mut files = manifest.tables.iter().flat_map(|table| &table.files);
            match files.find(|file| !directory.join(&file.name).exists()) {
                None => return Ok(()),
                Some(file) => format!("{} is gone", directory.join(&file.name).display()),
            }
        }
    };
    Err(Failure::blocked(gone).hint(format!(
        "run `{}` again; `{}` keeps the files",
        next("export"),
        next_with("migrate", &["--keep-export"])
    )))
}

/// The catalogues that the export was planned with.
pub(crate) fn read_catalogs(stage: &StageRun<'_>) -> anyhow::Result<Catalogs> {
    let directory = stage.directory.database_dir(&stage.database.name, "")?;
    let read = |name: &str| {
        let path = directory.join(name);
        dataset::read(&path).with_context(|| format!("reading {}", path.display()))
    };
    let source: SourceCatalog = serde_json::from_slice(&read("catalog.source.json")?)?;
    let target: TargetCatalog = serde_json::from_slice(&read("catalog.target.json")?)?;
    Ok(Catalogs { source, target })
}

/// A file that is not the one that the manifest describes.
pub(crate) fn changed(path: &Path) -> Failure {
    Failure::blocked(format!("{} is not what its manifest says", path.display()))
        .hint("run the stage that wrote it again")
}
