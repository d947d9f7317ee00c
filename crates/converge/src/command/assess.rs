//! `assess`: looks at all data for what the target would refuse or change, before anything moves.
//!
//! Reads both sides and writes findings; conversions are those of `transform`, on purpose.

mod finding;
mod folding;
mod found;
mod keys;
mod kinds;
mod reading;
mod remedy;
mod report;
mod schema;
mod source_rows;
mod survey;
mod table;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use source::Reader;

use crate::args::{AssessArgs, LockArgs};
use crate::call::next;
use crate::command::assess::finding::Finding;
use crate::command::assess::keys::KeySets;
use crate::command::assess::survey::Tally;
use crate::command::assess::table::Subject;
use crate::command::doctor;
use crate::command::export::snapshots::{self, Moments, snapshot_of};
use crate::config::Database;
use crate::console::counted;
use crate::constraint_rules;
use crate::exit::Failure;
use crate::findings_file;
use crate::heartbeat::Heartbeat;
use crate::held_run::held_run;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task};
use crate::pairing::{Catalogs, Sides};
use crate::run::{Run, Session, StageOutcome, StageRun};
use crate::side_by_side::side_by_side;

/// Columns by table and name.
type Columns = BTreeSet<(String, String)>;

const TASK: Task = Task {
    name: "assess",
    // The target is needed for a moment, in `look_at_both`.
    sides: &[Side::Source],
    leaves: "an assessment only reads: source and target are as they were",
    is_kept: false,
};

/// What `assess --output json` prints.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema_version: u32,
    run_id: &'a str,
    /// Whether a migration would stop here.
    blocking: bool,
    databases: &'a [StageOutcome],
    findings: &'a [Finding],
}

/// What an assessment found.
#[derive(Debug)]
pub(crate) struct Assessed {
    pub(crate) outcomes: Vec<StageOutcome>,
    findings: Vec<Finding>,
}

/// What is left of an assessment in the documents of larger commands.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AssessmentSummary {
    findings: u64,
    blocking: u64,
}

impl Assessed {
    /// How many findings there are.
    pub(crate) fn summary(&self) -> AssessmentSummary {
        AssessmentSummary {
            findings: self.findings.len() as u64,
            blocking: self.blocking(),
        }
    }

    fn blocking(&self) -> u64 {
        self.findings.iter().filter(|f| f.blocking).count() as u64
    }

    /// Fails where something blocks.
    fn check(&self) -> Result<(), Failure> {
        match self.blocking() {
            0 => Ok(()),
            blocking => Err(Failure::blocked(format!(
                "{} in the way; nothing was changed",
                match blocking {
                    1 => "1 finding is".to_owned(),
                    many => format!("{} are", counted(many, "finding")),
                }
            ))
            .hint(format!(
                "each finding above names its remedy; `{} --write-rules FILE` collects the rules",
                next("assess")
            ))),
        }
    }
}

pub(crate) fn run(args: &AssessArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    if let Some(file) = &args.write_rules {
        check_is_free(file)?;
    }
    let mut run = Session::open(&args.common, interrupt)?.begin(&args.common)?;
    let assessed = assess(&mut run, args.lock)?;
    let run_id = run.directory.run_id().to_owned();
    if let Some(file) = &args.write_rules {
        let text = report::rules(&run_id, &assessed.findings);
        dataset::write_atomically(file, text.printed().as_bytes())
            .with_context(|| format!("writing {}", file.display()))?;
    }
    let document = Document {
        schema_version: 1,
        run_id: &run_id,
        blocking: assessed.blocking() > 0,
        databases: &assessed.outcomes,
        findings: &assessed.findings,
    };
    let human = report::human(&assessed.findings);
    run.console.result(&human, &document)?;
    Ok(assessed.check()?)
}

/// A configuration that was named by mistake must not be lost.
fn check_is_free(file: &Path) -> Result<(), Failure> {
    match file.exists() {
        false => Ok(()),
        true => Err(
            Failure::usage(format!("{} is there already", file.display()))
                .hint("name another file for --write-rules, or remove this one"),
        ),
    }
}

/// Assesses all databases of a run, and fails where something blocks.
pub(crate) fn stage(run: &mut Run, lock: LockArgs) -> anyhow::Result<Assessed> {
    let assessed = assess(run, lock)?;
    if let Err(failure) = assessed.check() {
        run.console.text(&report::human(&assessed.findings).and(""));
        return Err(failure.into());
    }
    let summary = report::summary(&assessed.findings);
    run.console.line(&format!("assess     {summary}"));
    if !assessed.findings.is_empty() {
        let directory = run.directory.path().display();
        run.console.line(&format!(
            "           listed in {directory}/*/{}",
            findings_file::FILE
        ));
    }
    Ok(assessed)
}

fn assess(run: &mut Run, lock: LockArgs) -> anyhow::Result<Assessed> {
    let lock_wait = Duration::from_secs(lock.lock_wait.into());
    let mut moments = snapshots::under_lock(run, &TASK, run.workers, lock_wait)?;
    let mut findings = Vec::new();
    let outcomes = run.stage(&TASK, |stage| {
        let database = stage.database;
        let found = assess_database(stage, &mut moments)
            .map_err(|error| snapshots::explain(database, error))?;
        if found.iter().any(|finding| finding.blocking) {
            stage.word = "blocked";
        }
        let directory = stage.directory.database_dir(&database.name, "")?;
        findings_file::add(&directory, "findings", &found)?;
        findings.extend(found);
        Ok(())
    })?;
    Ok(Assessed { outcomes, findings })
}

fn assess_database(
    stage: &mut StageRun<'_>,
    moments: &mut Moments,
) -> anyhow::Result<Vec<Finding>> {
    let database = stage.database;
    let mut source = source::Connection::open(&database.source)?;
    let (catalogs, nondeterministic, mut findings) = look_at_both(stage, &mut source)?;
    let sides = catalogs.sides(database)?;
    moments.check_schema(database, &sides.pairs, &catalogs.source)?;
    constraint_rules::resolve(database, &sides.pairs)?;
    doctor::check_engines(&sides.pairs)?;
    doctor::check_readable(database, &mut source, &sides.pairs)?;
    doctor::check_stored_columns(database, &mut source, &sides.pairs)?;
    let readers = snapshot_of(&mut moments.snapshots, database).readers();
    let of_tables = schema::of_tables(database, &catalogs, &sides, &mut readers[0])?;
    findings.extend(of_tables);
    let mut sets = KeySets::new();
    let mut subjects = subjects(database, &sides, &mut readers[0], &mut findings)?;
    for subject in &mut subjects {
        let of_table = nondeterministic.iter();
        let of_table = of_table.filter(|(table, _)| *table == subject.target.name);
        subject.nondeterministic = of_table.map(|(_, column)| column.clone()).collect();
    }
    plan_keys(
        database,
        &mut subjects,
        &nondeterministic,
        &mut sets,
        &mut findings,
    );
    let tallies = reading::read(stage, readers, &subjects, &mut sets)?;
    for (subject, tally) in subjects.iter().zip(&tallies) {
        let duplicates = reading::duplicates(stage, readers, subject, tally)?;
        findings.extend(found::findings(database, subject, tally, duplicates));
        let target = &catalogs.target;
        findings.extend(schema::of_columns(database, subject, target, tally.rows));
    }
    findings.extend(folded(stage, readers, &subjects)?);
    count_rules(stage, tallies);
    let now = source::discover(&mut source, database.source_name())?;
    moments.check_schema(database, &sides.pairs, &now)?;
    findings.sort_by_cached_key(Finding::order);
    Ok(findings)
}

/// Reads both catalogues, and what the target holds.
fn look_at_both(
    stage: &StageRun<'_>,
    source: &mut source::Connection,
) -> anyhow::Result<(Catalogs, Columns, Vec<Finding>)> {
    let database = stage.database;
    let _the_target_too = Heartbeat::watch(database, &[Side::Target], stage.work);
    let mut target = target::Connection::open(&database.target)?;
    let catalogs = Catalogs::discover(database, source, &mut target)?;
    let mut findings = schema::of_extensions(database, &mut target, &catalogs.target)?;
    // What this very run has loaded is not in its own way.
    let own =
        held_run(database, &mut target)?.is_some_and(|run| run.run_id == stage.directory.run_id());
    if !own {
        let sides = catalogs.sides(database)?;
        findings.extend(schema::of_target_rows(database, &mut target, &sides)?);
    }
    let nondeterministic = target.nondeterministic_columns(&database.target_schema)?;
    Ok((catalogs, nondeterministic, findings))
}

/// Plans what of all tables is moved.
fn subjects(
    database: &Database,
    sides: &Sides<'_>,
    reader: &mut Reader,
    findings: &mut Vec<Finding>,
) -> anyhow::Result<Vec<Subject>> {
    let estimates = row_estimates(reader, database)?;
    let mut subjects = Vec::new();
    for pair in &sides.pairs {
        let mut misfits = Vec::new();
        let mut subject = Subject::plan(database, *pair, &mut misfits)?;
        let misfits = schema::count_misfits(reader, database, pair.source, misfits)?;
        findings.extend(misfits);
        let name = &pair.source.name;
        subject.rows = estimates.get(name).copied().unwrap_or_default();
        subjects.push(subject);
    }
    Ok(subjects)
}

/// Plans which keys of all tables are looked at, and names the others.
fn plan_keys(
    database: &Database,
    subjects: &mut [Subject],
    nondeterministic: &Columns,
    sets: &mut KeySets,
    findings: &mut Vec<Finding>,
) {
    let mut keys = Vec::new();
    for subject in &*subjects {
        let unknown = &subject.nondeterministic;
        let unknown_to_keys = (unknown, nondeterministic);
        for name in keys::not_judged(&subject.plan, &subject.target, unknown_to_keys) {
            let finding = Finding::new(&database.name, kinds::NOT_JUDGED);
            findings.push(finding.table(&subject.source.name).constraint(name));
        }
        let (source, target) = (&subject.source, &subject.target);
        let find = |table: &str| {
            let parent = subjects.iter().find(|parent| parent.source.name == table)?;
            Some((&parent.plan, parent.rows))
        };
        let schema = (database.source_name(), database.target_schema.as_str());
        let references = keys::references(
            &subject.plan,
            source,
            target,
            schema,
            nondeterministic,
            find,
            sets,
        );
        let known = (subject.rows, unknown);
        let uniques = keys::uniques(&subject.plan, source, target, known, sets);
        keys.push((uniques, references));
    }
    for (subject, (uniques, references)) in subjects.iter_mut().zip(keys) {
        subject.uniques = uniques;
        subject.references = references;
    }
}

/// About how many rows each table has.
fn row_estimates(
    reader: &mut Reader,
    database: &Database,
) -> anyhow::Result<BTreeMap<String, u64>> {
    let sql = format!(
        "select table_name, table_rows from information_schema.tables where table_schema = {}",
        catalog::quote::mysql_literal(database.source_name())
    );
    let rows = reader.query_text(&sql)?.into_iter();
    let pairs = rows.filter_map(|row| {
        let mut row = row.into_iter().flatten();
        Some((row.next()?, row.next()?.parse().ok()?))
    });
    Ok(pairs.collect())
}

/// What compared without case or accents.
fn folded(
    stage: &mut StageRun<'_>,
    readers: &mut [Reader],
    subjects: &[Subject],
) -> anyhow::Result<Vec<Finding>> {
    let database = stage.database;
    let (mut pieces, mut others) = (Vec::new(), 0);
    for subject in subjects {
        let (keyed, more) = folding::columns(subject);
        pieces.extend(keyed.into_iter().map(|column| (subject, column)));
        others += more;
    }
    let mut findings = Vec::new();
    side_by_side(
        stage,
        readers,
        &pieces,
        |reader, (subject, column), _| folding::examine(reader, database, subject, column),
        || format!("assess     {}: values that fold together", database.name),
        |_, _, finding| {
            findings.push(finding);
            Ok(())
        },
    )?;
    if others > 0 {
        let finding = Finding::new(&database.name, kinds::CASE_FOLDING);
        let others = counted(others, "more column");
        findings.push(finding.detail(format!("{others}, in no key: values are not counted")));
    }
    Ok(findings)
}

/// Rows that a declared rule takes care of are no findings, and are shown.
fn count_rules(stage: &mut StageRun<'_>, tallies: Vec<Tally>) {
    for (rule, records) in tallies.into_iter().flat_map(|tally| tally.rules) {
        *stage.outcome.rules.entry(rule).or_default() += records;
    }
}
