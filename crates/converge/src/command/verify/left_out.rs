//! What rules for constraints took away: counted in, and held against the target as it is now.
//!
//! A row that was left out is compared like one that is there, from the file that it was left out
//! to; that it had to leave is asked of the target, not of the stage that decided it.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

use dataset::{CsvReader, Manifest};
use target::{Aside, Kept, Reason, Reasons, TakenFrom};
use verify::{CatalogFinding, DatabaseReport, RuleCount, TableReport};

use crate::call::{next, shell_word};
use crate::command::transform;
use crate::config::{Database, Remedy};
use crate::console::thousands;
use crate::constraint_rules::{
    CLEARED, LEFT_OUT, Object, Resolved, cleared_columns, kept_file, resolve,
};
use crate::exit::Failure;
use crate::held_run::held_run;
use crate::interrupt::Interrupt;
use crate::pairing::TablePair;
use crate::run::StageRun;

/// What rules took away from the tables of a database.
pub(super) struct LeftOut<'c> {
    /// In the order of the pairs.
    tables: Vec<OfTable<'c>>,
}

/// What they took away from one table.
struct OfTable<'c> {
    pair: TablePair<'c>,
    aside: Aside,
    rules: Vec<Resolved<'c>>,
}

impl<'c> LeftOut<'c> {
    /// Loads what was taken away; before the transaction that reads, which makes no tables.
    pub(super) fn load(
        stage: &StageRun<'c>,
        target: &mut target::Connection,
        pairs: &[TablePair<'c>],
    ) -> anyhow::Result<Self> {
        let database = stage.database;
        let rules = resolve(database, pairs)?;
        let directory = match rules.is_empty() {
            true => None,
            false => directory(stage, target)?,
        };
        let _cancelled_on_interrupt = stage.interrupt.cancels(target.cancel());
        let mut tables = Vec::new();
        for pair in pairs.iter().copied() {
            let own = rules.iter().copied();
            let own = own.filter(|rule| rule.rule.table == pair.source.name);
            let own: Vec<Resolved<'c>> = own.collect();
            let aside = match &directory {
                Some(directory) if !own.is_empty() => {
                    load(directory, database, target, pair, stage.interrupt)?
                }
                _ => Aside::default(),
            };
            tables.push(OfTable {
                pair,
                aside,
                rules: own,
            });
        }
        Ok(Self { tables })
    }

    /// What was taken away from the table of that number.
    pub(super) fn aside(&self, table: usize) -> &Aside {
        &self.tables[table].aside
    }

    /// Enters what was taken away in the reports of the tables, and what had no reason to be in
    /// that of the catalogue.
    pub(super) fn account(
        &self,
        stage: &StageRun<'_>,
        target: &mut target::Connection,
        report: &mut DatabaseReport,
    ) -> anyhow::Result<()> {
        if self.tables.iter().all(|table| table.rules.is_empty()) {
            return Ok(());
        }
        let taken: Vec<TakenFrom<'_>> = self.tables.iter().map(OfTable::taken).collect();
        let cancelled_on_interrupt = stage.interrupt.cancels(target.cancel());
        let found = target.reasons(&stage.database.target_schema, &taken);
        drop(cancelled_on_interrupt);
        stage.interrupt.check()?;
        for (table, found) in self.tables.iter().zip(found?) {
            let mut reports = report.tables.iter_mut();
            // What was not looked at has no report.
            if let Some(of_table) = reports.find(|of| of.name == table.pair.source.name) {
                table.account(&found, of_table);
                report.catalog.extend(without_reason(of_table, &found));
            }
        }
        Ok(())
    }
}

/// `rejected/` of the run whose rows the target holds, and its manifest.
struct Directory {
    rejected: PathBuf,
    manifest: Manifest,
}

/// `None` where the run has transformed nothing, so that nothing was taken away by it.
fn directory(
    stage: &StageRun<'_>,
    target: &mut target::Connection,
) -> anyhow::Result<Option<Directory>> {
    let database = stage.database;
    let run = held_run(database, target)?;
    if let Some(run) = run.filter(|run| run.run_id != stage.directory.run_id()) {
        return Err(Failure::blocked(format!(
            "target `{}` holds the rows of run {}, and what its rules left out is in the \
             directory of that run",
            database.name, run.run_id
        ))
        .hint(format!(
            "verify that run: --run {}",
            shell_word(&format!("runs/{}", run.run_id))
        ))
        .into());
    }
    let of = |name| stage.directory.database_dir(&database.name, name);
    Ok(match Manifest::read(&of(transform::DIRECTORY)?) {
        Ok(manifest) => Some(Directory {
            rejected: of(transform::REJECTED)?,
            manifest,
        }),
        Err(_) => {
            stage.console.line(&format!(
                "verify     {}: this run has transformed nothing, so that rows that rules for \
                 constraints left out of another one count as missing; --run names that one",
                database.name
            ));
            None
        }
    })
}

fn load(
    directory: &Directory,
    database: &Database,
    target: &mut target::Connection,
    pair: TablePair<'_>,
    interrupt: &Interrupt,
) -> anyhow::Result<Aside> {
    let mut load = |ending: &str| {
        let path = kept_file(&directory.rejected, &pair.source.name, ending);
        let place = (database.target_schema.as_str(), pair.target.name.as_str());
        keep(target, place, &path, interrupt)
    };
    let aside = Aside {
        left_out: load(LEFT_OUT)?,
        cleared: load(CLEARED)?,
    };
    let kept = aside.left_out.as_ref().map_or(0, |kept| kept.rows);
    let entry = directory.manifest.table(&pair.source.name);
    let written = entry.map_or(0, |entry| entry.left_out);
    if kept == written {
        return Ok(aside);
    }
    let path = kept_file(&directory.rejected, &pair.source.name, LEFT_OUT);
    Err(Failure::blocked(format!(
        "{} has {} rows where {} were left out",
        path.display(),
        thousands(kept),
        thousands(written)
    ))
    .hint(format!(
        "bring the file back as `{}` wrote it: it is a part of the proof",
        next("transform")
    ))
    .into())
}

/// Loads a file, where there is one.
fn keep(
    target: &mut target::Connection,
    (schema, table): (&str, &str),
    path: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Kept>> {
    let opening = || format!("opening {}", path.display());
    let file = match dataset::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(opening),
    };
    let reader = CsvReader::new(&file).map_err(|error| error.at(path))?;
    let columns = reader.header().to_vec();
    // The server reads the file itself, from its beginning.
    let whole = dataset::open(path).with_context(opening)?;
    let go_on = || Ok(interrupt.check()?);
    let kept = target.keep_aside::<anyhow::Error>(schema, table, &columns, whole, go_on);
    interrupt.check()?;
    kept.map(Some).map_err(refused)
}

/// What the server does not let us do is told with the way out.
pub(super) fn refused(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<target::Error>() {
        Some(obstacle) if obstacle.is_obstacle() => Failure::blocked(obstacle.to_string())
            .hint("the target's user needs the right to make temporary tables: grant temporary on database … to …")
            .into(),
        _ => error,
    }
}

impl OfTable<'_> {
    fn taken(&self) -> TakenFrom<'_> {
        let rules = self.rules.iter();
        TakenFrom {
            table: &self.pair.target.name,
            key: self.pair.target.primary_key_columns(),
            aside: &self.aside,
            reasons: rules.map(|rule| reason(rule, self.pair)).collect(),
        }
    }

    fn account(&self, found: &Reasons, report: &mut TableReport) {
        let left_out = self.aside.left_out.as_ref().map_or(0, |kept| kept.rows);
        report.left_out = left_out;
        report.target_rows = report.target_rows.saturating_sub(left_out);
        let counted = self.rules.iter().zip(&found.rows);
        let counted = counted.filter(|(_, rows)| **rows > 0);
        report.rules.extend(counted.map(|(rule, rows)| RuleCount {
            rule: rule.rule.to_string(),
            rows: *rows,
        }));
    }
}

fn reason<'k>(rule: &Resolved<'k>, pair: TablePair<'k>) -> Reason<'k> {
    match (rule.object, rule.rule.remedy) {
        (Object::UniqueKey(key), _) => Reason::Duplicate(key),
        (Object::ForeignKey(key), Remedy::SkipToFile) => Reason::Orphan(key),
        (Object::ForeignKey(key), Remedy::Null) => {
            Reason::Cleared(key, cleared_columns(pair.target, key))
        }
    }
}

fn without_reason(table: &TableReport, found: &Reasons) -> Vec<CatalogFinding> {
    let findings = [
        (
            found.left_out_without,
            "rows were left out, though they keep every constraint that a rule is about",
        ),
        (
            found.cleared_without,
            "references were cleared, though the rows that they were to are there",
        ),
    ];
    let findings = findings.into_iter().filter(|(rows, _)| *rows > 0);
    let findings = findings.map(|(rows, what)| CatalogFinding {
        kind: "left_out".to_owned(),
        object: table.name.clone(),
        detail: format!("{} {what}", thousands(rows)),
    });
    findings.collect()
}
