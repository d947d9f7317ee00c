//! How fast one processor converts the exported files, by kind of table, beside what reading the
//! same files costs the `csv` crate, which does nothing with them.
//!
//! Measured in this process with the loop of `transform` itself: files in, hashed, converted,
//! written and hashed, but for the disk's flush, which is the disk's own. Rates are by processor
//! time, so that other work on the machine counts little.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use catalog::{
    ColumnPattern, Condition, MysqlType, Outcome, PostgresType, Rule, RuleSet, SourceCatalog,
    TargetCatalog,
};
use dataset::{Blake3Reader, CsvReader, CsvWriter, Manifest, PartialFile};
use serde::Serialize;
use transform::{Buffers, PlanInput, TablePlan, convert_records};

use super::place::Place;
use super::processor::ProcessorTime;
use super::report::median;
use crate::system::System;

/// Most of production's bytes are in this table.
pub(crate) const LARGEST: &str = "authorization_policy";
/// Records of a few uuids, numbers and times are shorter.
const NARROW_BYTES_MAX: u64 = 300;
/// Each pass over a family is measured, as often as it takes to use this much processor time.
const MEASURED_SECONDS: f64 = 1.0;
/// And at least so often.
const PASSES_MIN: usize = 3;
/// As large as that of our own reader.
const BUFFER_BYTES: usize = 256 * 1024;

/// A kind of tables and its speed.
#[derive(Debug, Serialize)]
pub(crate) struct FamilyReport {
    pub(crate) name: &'static str,
    pub(crate) tables: usize,
    pub(crate) rows: u64,
    /// Of the exported files.
    pub(crate) bytes: u64,
    /// Medians over the passes, each number for itself.
    pub(crate) megabytes_per_second: f64,
    pub(crate) csv_crate_megabytes_per_second: f64,
    /// The first by the second, of two passes that follow each other.
    pub(crate) ratio_to_csv_crate: f64,
}

/// Which tables are measured together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Largest,
    Narrow,
    Others,
}

impl Family {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Largest, LARGEST),
        (Self::Narrow, "narrow tables"),
        (Self::Others, "other tables"),
    ];

    fn of(table: &Table) -> Self {
        let long = |column: &transform::ColumnPlan| {
            matches!(
                column.target_type(),
                PostgresType::Json | PostgresType::Jsonb | PostgresType::Bytea | PostgresType::Text
            ) || matches!(column.source_type(), MysqlType::Text(_))
        };
        match () {
            () if table.name == LARGEST => Self::Largest,
            () if table.plan.columns().iter().any(long) => Self::Others,
            () if table.bytes > table.rows * NARROW_BYTES_MAX => Self::Others,
            () => Self::Narrow,
        }
    }
}

/// An exported table with rows.
struct Table {
    name: String,
    rows: u64,
    bytes: u64,
    /// Each with its hash, as the manifest has it.
    files: Vec<(PathBuf, String)>,
    plan: TablePlan,
}

/// Measures what an export has left in the run's directory.
pub(crate) fn measure(place: &Place) -> Result<Vec<FamilyReport>> {
    let mut tables = Vec::new();
    for system in System::ALL {
        tables.extend(read_tables(place, system)?);
    }
    let output = place.work().join("family.csv");
    let families = Family::ALL.iter().map(|(family, name)| {
        let members = tables.iter().filter(|table| Family::of(table) == *family);
        report(name, &members.collect::<Vec<_>>(), &output)
    });
    families.collect()
}

fn read_tables(place: &Place, system: System) -> Result<Vec<Table>> {
    let directory = place.files_of(system, "export");
    let manifest = Manifest::read(&directory)?;
    let read = |name: &str| {
        let path = place.files_of(system, "").join(name);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let source: SourceCatalog = serde_json::from_slice(&read("catalog.source.json")?)?;
    let target: TargetCatalog = serde_json::from_slice(&read("catalog.target.json")?)?;
    let rules = rules();
    let mut tables = Vec::new();
    for entry in manifest.tables.iter().filter(|entry| entry.row_count > 0) {
        let (Some(source), Some(target)) = (source.table(&entry.name), target.table(&entry.name))
        else {
            continue;
        };
        let plan = TablePlan::new(&PlanInput {
            database: system.name(),
            source,
            target,
            rules: &rules,
            datetime_zone: None,
        })?;
        tables.push(Table {
            name: entry.name.clone(),
            rows: entry.row_count,
            bytes: entry.files.iter().map(|file| file.bytes).sum(),
            files: entry
                .files
                .iter()
                .map(|file| (directory.join(&file.name), file.blake3.clone()))
                .collect(),
            plan,
        });
    }
    Ok(tables)
}

/// Those of `alkemio.yml`, without which production's dirt is refused.
fn rules() -> RuleSet {
    let rule = |columns: &str, condition, outcome: &str| Rule {
        columns: ColumnPattern::parse(columns).expect("a pattern"),
        condition,
        outcome: Outcome::parse(condition, outcome).expect("an outcome of the condition"),
        outcome_text: outcome.to_owned(),
    };
    RuleSet::new(vec![
        rule("*.*", Condition::EmptyUuid, "null"),
        rule(
            "whiteboard.content",
            Condition::Any,
            "latin1_to_bytes_base64",
        ),
    ])
    .expect("two rules of different columns")
}

fn report(name: &'static str, tables: &[&Table], output: &Path) -> Result<FamilyReport> {
    let bytes: u64 = tables.iter().map(|table| table.bytes).sum();
    let rows = tables.iter().map(|table| table.rows).sum();
    let rate = |seconds: f64| bytes as f64 / 1e6 / seconds;
    // The first passes find cold caches and are not counted.
    convert_all(tables, output)?;
    read_all_by_csv_crate(tables)?;
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let begun = ProcessorTime::own()?;
    while ours.len() < PASSES_MIN || ProcessorTime::own()?.since(begun).seconds() < MEASURED_SECONDS
    {
        // One after the other, so that what slows the machine down slows both.
        let (converted, our_seconds) = timed(|| convert_all(tables, output))?;
        let (read, their_seconds) = timed(|| read_all_by_csv_crate(tables))?;
        anyhow::ensure!(
            converted == rows && read == rows,
            "{name}: {converted} and {read} records of {rows}"
        );
        ours.push(rate(our_seconds));
        theirs.push(rate(their_seconds));
        ratios.push(their_seconds / our_seconds);
    }
    Ok(FamilyReport {
        name,
        tables: tables.len(),
        rows,
        bytes,
        megabytes_per_second: median(ours),
        csv_crate_megabytes_per_second: median(theirs),
        ratio_to_csv_crate: median(ratios),
    })
}

/// What it returns, and the processor time that it takes.
fn timed(pass: impl FnOnce() -> Result<u64>) -> Result<(u64, f64)> {
    let before = ProcessorTime::own()?;
    let records = pass()?;
    Ok((records, ProcessorTime::own()?.since(before).seconds()))
}

/// All files of the tables, into one that is thrown away.
fn convert_all(tables: &[&Table], output: &Path) -> Result<u64> {
    let mut output = PartialFile::create(output)?;
    let mut buffers = Buffers::default();
    let mut converted = 0;
    for table in tables {
        let mut plan = table.plan.clone();
        for (file, blake3) in &table.files {
            let (records, hash) = convert(&mut plan, file, &mut output, &mut buffers)?;
            anyhow::ensure!(hash == *blake3, "{} has changed", file.display());
            converted += records;
        }
    }
    Ok(converted)
}

/// One file, as `transform` does it; returns the number of records and the file's hash.
fn convert(
    plan: &mut TablePlan,
    file: &Path,
    output: &mut PartialFile,
    buffers: &mut Buffers,
) -> Result<(u64, String)> {
    let mut hashed = Blake3Reader::new(File::open(file)?);
    let mut reader = CsvReader::new(&mut hashed)?;
    let header: Vec<String> = plan.columns().iter().map(|c| c.name().to_owned()).collect();
    let mut writer = CsvWriter::new(output, header.iter().map(String::as_str))?;
    let seen = |_: &TablePlan, _: &dataset::Record, _| Ok::<(), anyhow::Error>(());
    let digest = convert_records(plan, &mut reader, &mut writer, buffers, seen)?;
    drop(reader);
    Ok((digest.count, hashed.blake3()))
}

fn read_all_by_csv_crate(tables: &[&Table]) -> Result<u64> {
    let mut records = 0;
    for (file, _) in tables.iter().flat_map(|table| &table.files) {
        let mut reader = csv::ReaderBuilder::new()
            .buffer_capacity(BUFFER_BYTES)
            .from_path(file)?;
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record)? {
            records += 1;
        }
    }
    Ok(records)
}
