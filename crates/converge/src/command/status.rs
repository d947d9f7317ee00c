//! `status`: what a run did, what the targets hold, and the next command.

use serde::Serialize;

use dataset::ExportPlan;
use target::LedgerRun;
use verify::Verdict;

use crate::args::CommonArgs;
use crate::call::{Call, next};
use crate::command::{export, transform};
use crate::config::Database;
use crate::console::{text_table, thousands};
use crate::held_run::held_run;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task, Work};
use crate::run::Session;
use crate::run_dir::{RunDirectory, RunState, StageEntry};
use crate::text::Text;

const TASK: Task = Task {
    name: "status",
    sides: &[Side::Target],
    leaves: "nothing was changed",
    is_kept: false,
};

/// What `status --output json` prints.
#[derive(Debug, Serialize)]
struct Document {
    schema_version: u32,
    /// The run directory; `null` where there is none.
    directory: Option<String>,
    run: Option<RunState>,
    targets: Vec<TargetState>,
    next: String,
}

#[derive(Debug, Serialize)]
struct TargetState {
    database: String,
    reachable: bool,
    /// The run whose rows the target holds.
    run_id: Option<String>,
    /// When its load ended; `null` until then.
    loaded: Option<String>,
    tables: usize,
    rows: u64,
}

pub(crate) fn run(args: &CommonArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let session = Session::look(args, interrupt)?;
    let targets: Vec<TargetState> = session
        .config
        .databases
        .iter()
        .map(|database| {
            session.interrupt.check()?;
            Ok(target_state(&session, database))
        })
        .collect::<anyhow::Result<_>>()?;
    // The run that a target holds matters more than the newest run directory.
    let mut held = targets.iter().filter_map(|target| target.run_id.as_deref());
    let of_targets = held
        .next()
        .map(RunDirectory::with_id)
        .transpose()?
        .flatten();
    let directory = match &args.run {
        Some(path) => Some(RunDirectory::open(path)?),
        None if of_targets.is_some() => of_targets,
        None => RunDirectory::newest()?,
    };
    let document = Document {
        schema_version: 1,
        next: next_command(&session.call, directory.as_ref(), &targets),
        directory: directory
            .as_ref()
            .map(|run| run.path().display().to_string()),
        run: directory.map(|run| run.state),
        targets,
    };
    session.console.result(&human(&document), &document)?;
    Ok(())
}

fn target_state(session: &Session, database: &Database) -> TargetState {
    // Who is not reached is reported; who falls silent afterwards ends the process.
    let connection = target::Connection::open(&database.target).map_err(Into::into);
    let ledger = connection.and_then(|mut connection| {
        let work = Work::outside(&TASK, &session.call, database);
        work.watched(database, || held_run(database, &mut connection))
    });
    if let Err(error) = &ledger {
        let note = format!("note: target of `{}`: {error:#}", database.name);
        session.console.line(&note);
    }
    let reachable = ledger.is_ok();
    let run = ledger.ok().flatten();
    TargetState {
        database: database.name.clone(),
        reachable,
        tables: run.as_ref().map_or(0, |run| run.tables.len()),
        rows: run.as_ref().map_or(0, LedgerRun::rows),
        loaded: run.as_ref().and_then(|run| run.loaded.clone()),
        run_id: run.map(|run| run.run_id),
    }
}

/// What an operator would do next.
fn next_command(call: &Call, run: Option<&RunDirectory>, targets: &[TargetState]) -> String {
    if targets.iter().any(|target| !target.reachable) {
        return next("doctor");
    }
    let Some(run) = run else {
        return next("migrate");
    };
    let loaded = |target: &TargetState| target.run_id.as_deref() == Some(run.run_id());
    if targets
        .iter()
        .any(|target| target.run_id.is_some() && !loaded(target))
    {
        return format!(
            "{}, or {}: a target holds another run",
            next("rollback"),
            next("finalize")
        );
    }
    let complete =
        |files: &'static str| move |target: &TargetState| run.is_complete(&target.database, files);
    let unfinished = |target: &TargetState| loaded(target) && target.loaded.is_none();
    if targets.iter().any(unfinished) {
        return match targets.iter().all(complete(transform::DIRECTORY)) {
            true => format!("{}, which resumes, or {}", next("import"), next("rollback")),
            // `migrate` loads rows before it has all of them.
            false => format!(
                "{}, which rolls the unfinished load back first, or {}",
                call.other("migrate", Some(run.path())),
                next("rollback")
            ),
        };
    }
    if targets.iter().all(loaded) {
        return after_the_import(&run.state, targets);
    }
    let last = |target: &TargetState| last_outcome(&run.state, "finalize", &target.database);
    if targets.iter().all(|target| last(target) == Some("done")) {
        return "nothing: the run is final".to_owned();
    }
    if !targets.iter().all(complete(export::DIRECTORY)) {
        // Without its name, another run would be begun.
        let command = match targets.iter().any(|target| converts(run, target)) {
            true => "migrate",
            false => export::DIRECTORY,
        };
        return call.other(command, Some(run.path()));
    }
    if !targets.iter().all(complete(transform::DIRECTORY)) {
        return next("transform");
    }
    next("import")
}

/// Whether an export of the database ended early that converts rows as it reads them.
fn converts(run: &RunDirectory, target: &TargetState) -> bool {
    let directory = run.database_dir(&target.database, export::DIRECTORY);
    let plan = directory.and_then(|directory| Ok(ExportPlan::read(&directory)?));
    plan.ok().flatten().is_some_and(|plan| plan.converts)
}

fn after_the_import(state: &RunState, targets: &[TargetState]) -> String {
    let is = |verdict: Verdict| {
        move |target: &TargetState| {
            state.verdict(&target.database, target.loaded.as_deref()) == verdict
        }
    };
    if targets.iter().any(is(Verdict::Different)) {
        return format!("{}: verify found differences", next("rollback"));
    }
    if targets.iter().any(is(Verdict::SourceMoved)) {
        return format!(
            "{}: the source was written to since the export",
            next("rollback")
        );
    }
    match targets.iter().all(is(Verdict::Equal)) {
        true => format!("{}, or {}", next("finalize"), next("rollback")),
        false => next("verify"),
    }
}

/// How the last attempt at a stage ended, unless the import came after it.
fn last_outcome<'s>(state: &'s RunState, stage: &str, database: &str) -> Option<&'s str> {
    let own = state
        .stages
        .iter()
        .rev()
        .filter(|entry| entry.database == database);
    for entry in own {
        // A look at some tables proves nothing of the others, and takes nothing back.
        if entry.stage == stage && entry.outcome != "partial" {
            return Some(&entry.outcome);
        }
        if entry.stage == "import" && entry.outcome == "done" {
            return None;
        }
    }
    None
}

fn human(document: &Document) -> Text {
    let mut text = Text::new();
    match (&document.run, &document.directory) {
        (Some(run), Some(directory)) => {
            text.line(format!("run {} in {directory}", run.run_id));
            text.line("");
            let rows: Vec<Vec<String>> = run.stages.iter().map(stage_row).collect();
            let header = ["stage", "database", "outcome", "tables", "rows", "seconds"];
            text.append(text_table(&header, &rows));
            for entry in &run.stages {
                if let Some(message) = &entry.message {
                    text.line(format!("{} {}: {message}", entry.stage, entry.database));
                }
            }
        }
        _ => text.line("no run here"),
    }
    text.line("");
    for target in &document.targets {
        text.line(match (&target.run_id, target.reachable) {
            (_, false) => format!("target {}: not reachable", target.database),
            (None, true) => format!("target {}: holds no run", target.database),
            (Some(run_id), true) => format!(
                "target {}: holds {}run {run_id}, {} tables, {} rows",
                target.database,
                match target.loaded {
                    Some(_) => "",
                    None => "an unfinished load of ",
                },
                target.tables,
                thousands(target.rows)
            ),
        });
    }
    text.and(format!("next: {}", document.next))
}

fn stage_row(entry: &StageEntry) -> Vec<String> {
    vec![
        entry.stage.clone(),
        entry.database.clone(),
        entry.outcome.clone(),
        entry.tables.to_string(),
        thousands(entry.rows),
        format!("{:.1}", entry.seconds),
    ]
}
