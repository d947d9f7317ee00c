//! `status`: what a run did, what the targets hold, and the next command.

use serde::Serialize;

use target::LedgerRun;

use crate::args::CommonArgs;
use crate::console::{text_table, thousands};
use crate::interrupt::Interrupt;
use crate::run::Session;
use crate::run_dir::{RunDirectory, RunState, StageEntry};

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
    loaded: Option<String>,
    tables: usize,
    rows: u64,
}

pub(crate) fn run(args: &CommonArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let session = Session::open(args, interrupt)?;
    let directory = match &args.run {
        Some(path) => Some(RunDirectory::open_existing(Some(path))?),
        None => RunDirectory::newest()?,
    };
    let targets: Vec<TargetState> = session
        .config
        .databases
        .iter()
        .map(|database| {
            session.interrupt.check()?;
            Ok(target_state(database))
        })
        .collect::<anyhow::Result<_>>()?;
    let state = directory.as_ref().map(|directory| directory.state.clone());
    let document = Document {
        schema_version: 1,
        directory: directory.map(|directory| directory.path().display().to_string()),
        next: next_command(state.as_ref(), &targets),
        run: state,
        targets,
    };
    session.console.result(&human(&document), &document)?;
    Ok(())
}

fn target_state(database: &crate::config::Database) -> TargetState {
    let ledger = target::Connection::open(&database.target)
        .and_then(|mut connection| LedgerRun::read(&mut connection, &database.ledger));
    let reachable = ledger.is_ok();
    let run = ledger.ok().flatten();
    TargetState {
        database: database.name.clone(),
        reachable,
        tables: run.as_ref().map_or(0, |run| run.tables.len()),
        rows: run
            .as_ref()
            .map_or(0, |run| run.tables.iter().map(|t| t.rows).sum()),
        loaded: run.as_ref().and_then(|run| run.loaded.clone()),
        run_id: run.map(|run| run.run_id),
    }
}

/// What an operator would do next.
fn next_command(state: Option<&RunState>, targets: &[TargetState]) -> String {
    let command = |name: &str| format!("cargo xtask {name}");
    if targets.iter().any(|target| !target.reachable) {
        return command("doctor");
    }
    let Some(state) = state else {
        return command("migrate");
    };
    let loaded = |target: &TargetState| target.run_id.as_deref() == Some(&state.run_id);
    if !targets.is_empty() && targets.iter().all(loaded) {
        return if is_done(state, "verify", targets) {
            format!("{}, or {}", command("finalize"), command("rollback"))
        } else {
            command("verify")
        };
    }
    if targets
        .iter()
        .any(|target| target.run_id.is_some() && !loaded(target))
    {
        return format!("{}, or {}", command("rollback"), command("finalize"));
    }
    for stage in ["export", "transform"] {
        if !is_done(state, stage, targets) {
            return command(stage);
        }
    }
    command("import")
}

/// Whether a stage's last attempt succeeded for every database.
fn is_done(state: &RunState, stage: &str, targets: &[TargetState]) -> bool {
    targets.iter().all(|target| {
        let last: Option<&StageEntry> = state
            .stages
            .iter()
            .rfind(|entry| entry.stage == stage && entry.database == target.database);
        last.is_some_and(|entry| entry.outcome == "done")
    })
}

fn human(document: &Document) -> String {
    let mut text = String::new();
    match (&document.run, &document.directory) {
        (Some(run), Some(directory)) => {
            text.push_str(&format!("run {} in {directory}\n\n", run.run_id));
            let rows: Vec<Vec<String>> = run.stages.iter().map(stage_row).collect();
            let header = ["stage", "database", "outcome", "tables", "rows", "seconds"];
            text.push_str(&text_table(&header, &rows));
            for entry in &run.stages {
                if let Some(message) = &entry.message {
                    text.push_str(&format!("{} {}: {message}\n", entry.stage, entry.database));
                }
            }
        }
        _ => text.push_str("no run here\n"),
    }
    text.push('\n');
    for target in &document.targets {
        text.push_str(&match (&target.run_id, target.reachable) {
            (_, false) => format!("target {}: not reachable\n", target.database),
            (None, true) => format!("target {}: holds no run\n", target.database),
            (Some(run_id), true) => format!(
                "target {}: holds run {run_id}, {} tables, {} rows\n",
                target.database,
                target.tables,
                thousands(target.rows)
            ),
        });
    }
    text.push_str(&format!("next: {}\n", document.next));
    text
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
