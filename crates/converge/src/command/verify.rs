//! `verify`: compares every column of every row of source and target, asks the checks of meaning,
//! and holds the target's objects against what they have to be.
//!
//! Reads both live databases by routes of its own; shares nothing with the conversion.

mod catalog;
mod checks;
mod left_out;
mod look;
mod manifests;
mod sides;

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use dataset::{KeyRange, Manifest};
use source::Snapshot;
use target::LedgerRun;
use verify::{Compared, DatabaseReport, TablePlan, TableReport, Verdict, VerifyReport};

use crate::args::VerifyArgs;
use crate::call::next;
use crate::command::export::{self, snapshots};
use crate::command::import::unfinished;
use crate::command::verify::catalog::{
    SEQUENCE, expected_values, object_findings, sequence_findings,
};
use crate::command::verify::left_out::LeftOut;
pub(crate) use crate::command::verify::look::Look;
use crate::command::verify::sides::{Left, Sides};
use crate::config::Database;
use crate::console::Console;
use crate::exit::{BLOCKED, DIFFERENT, Failure};
use crate::findings_file;
use crate::held_run::held_run;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task};
use crate::pairing::{Catalogs, TablePair};
use crate::report;
use crate::run::{Run, Session, StageOutcome, StageRun};
use crate::run_dir::{JudgedLoad, RunDirectory};

const NAME: &str = "verify";
/// Large enough that a range costs nothing beside its rows, small enough that no connection waits
/// long for another at the end.
const RANGE_BYTES: u64 = 32 << 20;
/// Tables of so many bytes are read in ranges.
const LARGE_BYTES: u64 = 2 * RANGE_BYTES;
const TASK: Task = Task {
    name: NAME,
    sides: &[Side::Source, Side::Target],
    leaves: "a comparison only reads: source and target are as they were",
    is_kept: false,
};

/// What a comparison found, and how long it took.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) report: VerifyReport,
    /// Differing tables that the source changed since the export, or whole databases.
    moved: Vec<String>,
    /// What the targets' ledgers held meanwhile, by database.
    loads: BTreeMap<String, ComparedLoad>,
    pub(crate) outcomes: Vec<StageOutcome>,
}

/// A load in the target's ledger that was compared.
#[derive(Debug)]
struct ComparedLoad {
    run_id: String,
    loaded: String,
    /// Whether every table that was loaded is among those that are compared.
    is_whole: bool,
}

impl ComparedLoad {
    fn of(ledger: &LedgerRun, pairs: &[TablePair<'_>]) -> Option<Self> {
        let mut tables = ledger.tables.iter();
        let is_compared = |name: &str| pairs.iter().any(|pair| pair.target.name == name);
        Some(Self {
            run_id: ledger.run_id.clone(),
            loaded: ledger.loaded.clone()?,
            is_whole: tables.all(|table| is_compared(&table.name)),
        })
    }
}

impl Verified {
    /// Enters what was found of each load in the directory of its run, since `finalize` asks for
    /// it. A look at a part can only show that something differs.
    pub(crate) fn record(&self, run: &mut Run, look: Look<'_>) -> anyhow::Result<()> {
        for (database, load) in &self.loads {
            let found = self.report.databases.iter().find(|d| d.name == *database);
            let Some(found) = found.filter(|found| !found.tables.is_empty()) else {
                continue;
            };
            let verdict = self.verdict_of(found);
            let is_whole = !look.is_partial() && load.is_whole;
            if verdict != Verdict::Different && !is_whole {
                continue;
            }
            let judged = JudgedLoad {
                loaded: load.loaded.clone(),
                verdict,
            };
            if load.run_id == run.directory.run_id() {
                run.directory.set_verdict(database, judged)?;
            } else if let Some(mut other) = RunDirectory::with_id(&load.run_id)? {
                other.set_verdict(database, judged)?;
            }
        }
        Ok(())
    }

    fn verdict_of(&self, database: &DatabaseReport) -> Verdict {
        let has_moved = self.moved.contains(&database.name);
        match database.is_equal() {
            true if has_moved => Verdict::SourceMoved,
            true => Verdict::Equal,
            false if only_moved(slice::from_ref(database), &self.moved) => Verdict::SourceMoved,
            false => Verdict::Different,
        }
    }

    /// Takes it in that the sources of these databases did not stand still: what is equal was
    /// perhaps equal for a moment alone.
    pub(crate) fn have_moved(&mut self, databases: Vec<String>) {
        if !databases.is_empty() && self.report.verdict == Verdict::Equal {
            self.report.verdict = Verdict::SourceMoved;
            self.moved = databases;
        }
    }
}

pub(crate) fn run(args: &VerifyArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    if args.equivalences {
        let console = Console::new(args.common.output);
        console.result(&report::equivalences(), &report::Equivalences::default())?;
        return Ok(());
    }
    let session = Session::open(&args.common, interrupt)?;
    if Compared::from(args.against) != Compared::SourceTarget {
        return in_run(args, session.resume(&args.common)?);
    }
    // A comparison needs no run; where there is none of these databases, its findings get a
    // directory of their own.
    let mut common = args.common.clone();
    if common.run.is_none() {
        let own = |run: &RunDirectory| run.is_of(&session.config);
        let found = match session.run_of_targets(&TASK)? {
            Some(run_id) => RunDirectory::with_id(&run_id)?,
            None => RunDirectory::newest()?,
        };
        common.run = found.filter(own).map(|run| run.path().to_owned());
    }
    in_run(args, session.begin(&common)?)
}

fn in_run(args: &VerifyArgs, mut run: Run) -> anyhow::Result<()> {
    let look = Look {
        samples: args.samples.samples,
        show_values: args.show_values,
        tables: &args.tables,
        sample_percent: args.sample,
        compared: args.against.into(),
    };
    let verified = match look.compared {
        Compared::SourceTarget => stage(&mut run, look)?,
        Compared::SourceManifest => manifests::source_with_manifest(&mut run, look)?,
        Compared::ManifestTarget => manifests::files_with_target(&mut run, look)?,
    };
    verified.record(&mut run, look)?;
    run.console
        .result(&report::human(&verified.report), &verified.report)?;
    match verified.report.verdict {
        Verdict::Equal | Verdict::Partial => Ok(()),
        _ => Err(different(&verified).into()),
    }
}

/// Compares all databases of the run.
pub(crate) fn stage(run: &mut Run, look: Look<'_>) -> anyhow::Result<Verified> {
    for database in &run.config.databases {
        checks::of_database(database)?;
    }
    look.check(&run.config.databases)?;
    let mut snapshots = snapshots::without_lock(run, &TASK, Some(LARGE_BYTES))?;
    let mut databases = Vec::new();
    let mut moved = Vec::new();
    let mut loads = BTreeMap::new();
    let outcomes = run.stage(&TASK, |stage| {
        let snapshot = snapshots::snapshot_of(&mut snapshots, stage.database);
        let (report, load) = compare_database(stage, snapshot, look)?;
        loads.extend(load.map(|load| (report.name.clone(), load)));
        if look.is_partial() {
            stage.word = "partial";
        }
        if !report.is_equal() {
            stage.word = "different";
            moved.extend(moved_tables(stage, snapshot, &report)?);
        }
        databases.push(report);
        Ok(())
    })?;
    let verdict = match databases.iter().all(DatabaseReport::is_equal) {
        true if look.is_partial() => Verdict::Partial,
        true => Verdict::Equal,
        // One table that moved must not hide another that is damaged.
        false if only_moved(&databases, &moved) => Verdict::SourceMoved,
        false => Verdict::Different,
    };
    let report = VerifyReport {
        schema_version: 1,
        compared: look.compared,
        sample_percent: look.sample_percent,
        verdict,
        databases,
    };
    Ok(Verified {
        report,
        moved,
        loads,
        outcomes,
    })
}

/// Whether every difference is of a table that the source changed since the export, or may follow
/// from one: the numbers that come next, and the answers to questions.
fn only_moved(databases: &[DatabaseReport], moved: &[String]) -> bool {
    databases.iter().all(|database| {
        let has_moved = |table: &verify::TableReport| {
            moved.contains(&format!("{}.{}", database.name, table.name))
        };
        let mut differing = database.tables.iter().filter(|table| !table.equal);
        let any_moved = database.tables.iter().any(has_moved);
        let mut objects = database.catalog.iter();
        let mut checks = database.checks.iter();
        differing.all(has_moved)
            && objects.all(|finding| any_moved && finding.kind == SEQUENCE)
            && checks.all(|check| any_moved || check.passed)
    })
}

/// The plans of all tables, or what cannot be compared.
pub(crate) fn plans(
    database: &Database,
    pairs: &[TablePair<'_>],
) -> anyhow::Result<Vec<TablePlan>> {
    pairs.iter().map(|pair| plan(database, *pair)).collect()
}

fn plan(database: &Database, pair: TablePair<'_>) -> anyhow::Result<TablePlan> {
    let zone = database.datetime_zone.as_deref().unwrap_or("UTC");
    TablePlan::new(
        &database.name,
        pair.source,
        pair.target,
        &database.rules,
        zone,
    )
    .map_err(|error| {
        Failure::new(BLOCKED, error.to_string())
            .hint(error.hint())
            .into()
    })
}

fn compare_database(
    stage: &mut StageRun<'_>,
    snapshot: &mut Snapshot,
    look: Look<'_>,
) -> anyhow::Result<(DatabaseReport, Option<ComparedLoad>)> {
    let database = stage.database;
    let mut source = source::Connection::open(&database.source)?;
    let mut target = target::Connection::open(&database.target)?;
    let ledger = held_run(database, &mut target)?;
    if let Some(run) = ledger.as_ref().filter(|run| run.loaded.is_none()) {
        return Err(unfinished(&database.name, run).into());
    }
    let catalogs = Catalogs::discover(database, &mut source, &mut target)?;
    let pairs = catalogs.pairs(database)?;
    let auto_increments = snapshot.auto_increments(database.source_name())?;
    let left_out = LeftOut::load(stage, &mut target, &pairs)?;
    target.batch_execute("begin isolation level repeatable read, read only")?;
    let mut report = DatabaseReport {
        name: database.name.clone(),
        ..DatabaseReport::default()
    };
    let large = large_tables(database, snapshot)?;
    let pairs_looked_at = pairs.iter().copied().enumerate();
    for (index, pair) in
        pairs_looked_at.filter(|(_, pair)| look.includes(&database.name, &pair.source.name))
    {
        let plan = plan(database, pair)?;
        for column in plan.columns_not_compared() {
            stage.console.line(&format!(
                "verify     {}.{}.{column} is not compared: generated, or in the target only",
                database.name, pair.target.name
            ));
        }
        let aside = left_out.aside(index);
        // What rules took away is counted as a whole.
        let sample = look.sample(&plan).filter(|_| aside.is_empty());
        if look.sample_percent.is_some() && sample.is_none() {
            stage.console.line(&format!(
                "verify     {}.{} is read whole: no sample of its rows is the same on both sides",
                database.name, pair.target.name
            ));
        }
        let is_large = sample.is_none() && large.contains(&pair.source.name);
        let ranges = match is_large {
            true => ranges(stage, snapshot, pair)?,
            false => vec![KeyRange::whole()],
        };
        let table = Sides {
            database,
            interrupt: stage.interrupt,
            plan: &plan,
            pair,
            left: Left::Source(snapshot.readers(), &ranges),
            target: &mut target,
            aside,
            sample: sample.as_ref(),
        }
        .compare(look.limits())?;
        if sample.is_none() {
            check_count(database, snapshot, pair, &table)?;
        }
        stage.table_done(&table.name, table.source_rows, 0)?;
        report.tables.push(table);
    }
    let expected = expected_values(&pairs, &auto_increments);
    left_out.account(stage, &mut target, &mut report)?;
    if !look.is_partial() {
        let sequences = sequence_findings(&mut target, expected)?;
        report.catalog.extend(sequences);
        let objects = object_findings(database, &mut target, ledger.as_ref(), &pairs)?;
        report.catalog.extend(objects);
        report.checks = checks::ask(stage, snapshot, &mut target)?;
    }
    target.batch_execute("commit")?;
    let directory = stage.directory.database_dir(&database.name, "")?;
    if !look.is_partial() {
        findings_file::merge(&directory, &report.without_values())?;
    }
    let load = ledger.and_then(|run| ComparedLoad::of(&run, &pairs));
    Ok((report, load))
}

/// The tables that several connections share; none where there is one.
fn large_tables(database: &Database, snapshot: &mut Snapshot) -> anyhow::Result<BTreeSet<String>> {
    if snapshot.readers().len() == 1 {
        return Ok(BTreeSet::new());
    }
    let tables = snapshot.reader().table_bytes(database.source_name())?;
    let large = tables
        .into_iter()
        .filter(|(_, bytes)| *bytes >= LARGE_BYTES);
    Ok(large.map(|(name, _)| name).collect())
}

/// The ranges that the connections share a table in.
fn ranges(
    stage: &StageRun<'_>,
    snapshot: &mut Snapshot,
    pair: TablePair<'_>,
) -> anyhow::Result<Vec<KeyRange>> {
    let (name, reader) = (stage.database.source_name(), snapshot.reader());
    let check = || Ok::<_, anyhow::Error>(stage.interrupt.check()?);
    reader.plan_chunks(name, pair.source, RANGE_BYTES, check)
}

/// As many rows must have been read as the source counts.
fn check_count(
    database: &Database,
    snapshot: &mut Snapshot,
    pair: TablePair<'_>,
    table: &TableReport,
) -> anyhow::Result<()> {
    let reader = snapshot.reader();
    let counted = reader.count_rows(database.source_name(), pair.source)?;
    anyhow::ensure!(
        counted == table.source_rows,
        "`{}.{}`: {} rows were read where the source counts {counted}",
        database.name,
        table.name,
        table.source_rows
    );
    Ok(())
}

/// The differing tables whose source rows are not those of the export any more.
///
/// Read again as the export reads them and compared by digest: the binary log's position says
/// nothing here, since it moves with every write to any database of the server.
fn moved_tables(
    stage: &StageRun<'_>,
    snapshot: &mut Snapshot,
    report: &DatabaseReport,
) -> anyhow::Result<Vec<String>> {
    let database = stage.database;
    let directory = stage
        .directory
        .database_dir(&database.name, export::DIRECTORY)?;
    let Ok(manifest) = Manifest::read(&directory) else {
        return Ok(Vec::new());
    };
    let mut source = source::Connection::open(&database.source)?;
    let catalog = source::discover(&mut source, database.source_name())?;
    let mut moved = Vec::new();
    for table in report.tables.iter().filter(|table| !table.equal) {
        let (Some(exported), Some(live)) =
            (manifest.table(&table.name), catalog.table(&table.name))
        else {
            continue;
        };
        let digest = manifests::exported_digest(stage, snapshot, live)?;
        if digest.to_string() != exported.digest {
            moved.push(format!("{}.{}", database.name, table.name));
        }
    }
    Ok(moved)
}

/// The failure that a verdict other than `equal` ends with.
pub(crate) fn different(verified: &Verified) -> Failure {
    if verified.report.verdict == Verdict::SourceMoved {
        return Failure::new(
            DIFFERENT,
            format!(
                "the source was written to since the export: {}",
                verified.moved.join(", ")
            ),
        )
        .hint(format!(
            "stop writing to it, take the run back with `{}`, and migrate again",
            next("rollback")
        ));
    }
    let databases = verified
        .report
        .databases
        .iter()
        .filter(|database| !database.is_equal());
    let names: Vec<&str> = databases.map(|database| database.name.as_str()).collect();
    let [left, right] = verified.report.compared.sides();
    Failure::new(
        DIFFERENT,
        format!("{left} and {right} differ: {}", names.join(", ")),
    )
    .hint(format!(
        "the lines above name table, key and column; `{}` takes the run back",
        next("rollback")
    ))
}
