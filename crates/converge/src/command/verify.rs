//! `verify`: compares every column of every row of source and target, asks the checks of meaning,
//! and holds the target's objects against what they have to be.
//!
//! Reads both live databases by routes of its own; shares nothing with the conversion.

mod catalog;
mod checks;
mod left_out;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dataset::{KeyRange, Manifest};
use digest::{TableDigest, digest_fields};
use source::{Reader, Snapshot};
use target::{Aside, LedgerRun};
use verify::{
    Buckets, DatabaseReport, DrillDown, DrillLimits, Findings, TablePlan, TableReport, Verdict,
    VerifyReport,
};

use crate::args::VerifyArgs;
use crate::command::export::{self, snapshots};
use crate::command::import::unfinished;
use crate::command::verify::catalog::{
    SEQUENCE, expected_values, object_findings, sequence_findings,
};
use crate::command::verify::left_out::LeftOut;
use crate::config::Database;
use crate::console::Console;
use crate::exit::{BLOCKED, DIFFERENT, Failure};
use crate::findings_file;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task};
use crate::pairing::{Catalogs, TablePair};
use crate::report;
use crate::run::{Run, Session, StageOutcome, StageRun};
use crate::run_dir::RunDirectory;

const TASK: Task = Task {
    name: "verify",
    sides: &[Side::Source, Side::Target],
    leaves: "a comparison only reads: source and target are as they were",
    is_kept: false,
};
/// For readings that nothing but a signal stops.
static NEVER: AtomicBool = AtomicBool::new(false);
/// Rows between two looks at the signals.
const ROWS_BETWEEN_CHECKS: u64 = 256;

/// What a comparison found, and how long it took.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) report: VerifyReport,
    /// Differing tables that the source changed since the export, or whole databases.
    moved: Vec<String>,
    pub(crate) outcomes: Vec<StageOutcome>,
}

impl Verified {
    /// Takes it in that the sources of these databases did not stand still: what is equal was
    /// perhaps equal for a moment alone.
    pub(crate) fn have_moved(&mut self, databases: Vec<String>) {
        if !databases.is_empty() && self.report.verdict == Verdict::Equal {
            self.report.verdict = Verdict::SourceMoved;
            self.moved = databases;
        }
    }
}

/// What is looked at, and how much of what is found is listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'l> {
    /// Differing rows of a table that are listed.
    samples: usize,
    show_values: bool,
    /// Tables, as `table` or `database.table`; all where there are none.
    tables: &'l [String],
}

impl<'l> Look<'l> {
    /// At every table.
    pub(crate) fn at_all(samples: usize) -> Self {
        Self {
            samples,
            show_values: false,
            tables: &[],
        }
    }

    fn is_partial(self) -> bool {
        !self.tables.is_empty()
    }

    fn names(name: &str, database: &str, table: &str) -> bool {
        name == table
            || name
                .strip_prefix(database)
                .and_then(|name| name.strip_prefix('.'))
                .is_some_and(|name| name == table)
    }

    fn includes(self, database: &str, table: &str) -> bool {
        let mut names = self.tables.iter();
        !self.is_partial() || names.any(|name| Self::names(name, database, table))
    }

    /// A name that is none of a table would pass for one that was compared.
    fn check(self, databases: &[Database]) -> anyhow::Result<()> {
        let mut unknown: Vec<&String> = self.tables.iter().collect();
        for database in databases.iter().filter(|_| self.is_partial()) {
            let mut source = source::Connection::open(&database.source)?;
            let mut target = target::Connection::open(&database.target)?;
            let catalogs = Catalogs::discover(database, &mut source, &mut target)?;
            let pairs = catalogs.pairs(database)?;
            let is_table = |name: &str| {
                let mut tables = pairs.iter().map(|pair| pair.source.name.as_str());
                tables.any(|table| Self::names(name, &database.name, table))
            };
            unknown.retain(|name| !is_table(name));
        }
        match unknown.first() {
            None => Ok(()),
            Some(name) => Err(Failure::usage(format!(
                "--tables names `{name}`, and no table that is compared is called so"
            ))
            .hint("`cargo xtask verify` without --tables compares them all")
            .into()),
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
    // A comparison needs no run; where there is none of these databases, its findings get a
    // directory of their own.
    let own = |run: RunDirectory| run.is_of(&session.config);
    let resumes = args.common.run.is_none() && RunDirectory::newest()?.is_some_and(own);
    let mut run = match resumes {
        true => session.resume(&args.common)?,
        false => session.begin(&args.common)?,
    };
    let look = Look {
        samples: args.samples.samples,
        show_values: args.show_values,
        tables: &args.tables,
    };
    let verified = stage(&mut run, look)?;
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
    let mut snapshots = snapshots::without_lock(run, &TASK)?;
    let mut databases = Vec::new();
    let mut moved = Vec::new();
    let outcomes = run.stage(&TASK, |stage| {
        let snapshot = snapshots::snapshot_of(&mut snapshots, stage.database);
        let report = compare_database(stage, snapshot, look)?;
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
        verdict,
        databases,
    };
    Ok(Verified {
        report,
        moved,
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
) -> anyhow::Result<DatabaseReport> {
    let database = stage.database;
    let mut source = source::Connection::open(&database.source)?;
    let mut target = target::Connection::open(&database.target)?;
    let ledger = LedgerRun::read(&mut target, &database.ledger)?;
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
    let limits = DrillLimits {
        samples: look.samples,
        show_values: look.show_values,
        ..DrillLimits::default()
    };
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
        let mut sides = Sides {
            database,
            interrupt: stage.interrupt,
            plan: &plan,
            pair,
            reader: snapshot.reader(),
            target: &mut target,
            aside: left_out.aside(index),
        };
        let table = sides.compare(limits)?;
        let counted = snapshot
            .reader()
            .count_rows(database.source_name(), pair.source)?;
        anyhow::ensure!(
            counted == table.source_rows,
            "`{}.{}`: {} rows were read where the source counts {counted}",
            database.name,
            table.name,
            table.source_rows
        );
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
    Ok(report)
}

/// Both sides of one table.
struct Sides<'s> {
    database: &'s Database,
    interrupt: &'s Interrupt,
    plan: &'s TablePlan,
    pair: TablePair<'s>,
    reader: &'s mut Reader,
    target: &'s mut target::Connection,
    /// What rules took away from the target.
    aside: &'s Aside,
}

impl Sides<'_> {
    fn compare(&mut self, limits: DrillLimits) -> anyhow::Result<TableReport> {
        let estimate = self
            .target
            .estimated_rows(&self.database.target_schema, &self.pair.target.name)?;
        let buckets = Buckets::for_rows(estimate);
        let mut source = self.plan.side_sums(buckets);
        let mut target = self.plan.side_sums(buckets);
        self.read_both(
            |values| source.add_source(values),
            |fields| target.add_target(fields),
        )?;
        let difference = verify::compare(&source, &target);
        let findings = match difference.is_equal() {
            true => Findings::default(),
            false => {
                let mut drill = DrillDown::new(self.plan, &difference, limits);
                for pass in 0..drill.passes_needed() {
                    let (mut left, mut right) = (drill.side(pass), drill.side(pass));
                    self.read_both(
                        |values| left.add_source(values),
                        |fields| right.add_target(fields),
                    )?;
                    drill.settle(left, right);
                }
                drill.finish()
            }
        };
        Ok(TableReport::new(&source, &target, findings))
    }

    /// Reads both sides at the same time, each once.
    fn read_both(
        &mut self,
        mut see_source: impl FnMut(&[digest::SourceValue<'_>]) + Send,
        mut see_target: impl FnMut(&[Option<&[u8]>]) + Send,
    ) -> anyhow::Result<()> {
        let source_columns: Vec<&str> = self
            .plan
            .source_columns()
            .map(|column| column.name.as_str())
            .collect();
        let target_columns: Vec<&str> = self
            .plan
            .target_columns()
            .map(|column| column.name.as_str())
            .collect();
        let (database, interrupt, pair) = (self.database, self.interrupt, self.pair);
        let aside = self.aside;
        let (reader, target) = (&mut *self.reader, &mut *self.target);
        let stopped = &AtomicBool::new(false);
        thread::scope(|scope| {
            let source = scope.spawn(move || {
                let mut check = Checker::new(interrupt, stopped);
                let name = database.source_name();
                let result = reader.scan_table::<anyhow::Error>(
                    name,
                    pair.source,
                    &source_columns,
                    |values| {
                        check.row()?;
                        see_source(values);
                        Ok(())
                    },
                );
                stopped.fetch_or(result.is_err(), Ordering::Relaxed);
                result
            });
            let mut check = Checker::new(interrupt, stopped);
            let place = (database.target_schema.as_str(), pair.target.name.as_str());
            let key = pair.target.primary_key_columns();
            let target =
                target.scan_with::<anyhow::Error>(place, &key, &target_columns, aside, |fields| {
                    check.row()?;
                    see_target(fields);
                    Ok(())
                });
            stopped.fetch_or(target.is_err(), Ordering::Relaxed);
            let source = source.join().expect("reading the source does not panic");
            match (source, target) {
                (Ok(_), Ok(_)) => Ok(()),
                // The side that stopped because of the other has nothing to say of its own.
                (Err(error), Err(other)) if other.is::<OtherSideFailed>() => Err(error),
                (_, Err(error)) | (Err(error), Ok(_)) => Err(error),
            }
        })
    }
}

/// Ends the reading of one side.
#[derive(Debug)]
struct OtherSideFailed;

impl fmt::Display for OtherSideFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other side could not be read")
    }
}

impl std::error::Error for OtherSideFailed {}

/// Looks now and then whether the work is to stop.
struct Checker<'i> {
    interrupt: &'i Interrupt,
    stopped: &'i AtomicBool,
    rows: u64,
}

impl<'i> Checker<'i> {
    fn new(interrupt: &'i Interrupt, stopped: &'i AtomicBool) -> Self {
        Self {
            interrupt,
            stopped,
            rows: 0,
        }
    }

    fn row(&mut self) -> anyhow::Result<()> {
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_BETWEEN_CHECKS) {
            self.interrupt.check()?;
            if self.stopped.load(Ordering::Relaxed) {
                return Err(OtherSideFailed.into());
            }
        }
        Ok(())
    }
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
        let mut check = Checker::new(stage.interrupt, &NEVER);
        let mut digest = TableDigest::default();
        let (name, whole) = (database.source_name(), KeyRange::whole());
        snapshot
            .reader()
            .export_table::<anyhow::Error>(name, live, &whole, |record| {
                check.row()?;
                digest.add(digest_fields(record.iter()));
                Ok(())
            })?;
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
        .hint(
            "stop writing to it, take the run back with `cargo xtask rollback`, and migrate again",
        );
    }
    let databases = verified
        .report
        .databases
        .iter()
        .filter(|database| !database.is_equal());
    let names: Vec<&str> = databases.map(|database| database.name.as_str()).collect();
    Failure::new(
        DIFFERENT,
        format!("source and target differ: {}", names.join(", ")),
    )
    .hint("the lines above name table, key and column; `cargo xtask rollback` takes the run back")
}
