//! `finalize`: drops the ledger and what it kept; there is no rollback after this.

use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;

use target::LedgerRun;
use verify::Verdict;

use crate::args::FinalizeArgs;
use crate::command::import::unfinished;
use crate::config::Database;
use crate::console::thousands;
use crate::exit::Failure;
use crate::held_run::held_run;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task, Work};
use crate::run::Session;
use crate::run_dir::{RunDirectory, record_outside_a_run};
use crate::text::Text;

const TASK: Task = Task {
    name: "finalize",
    sides: &[Side::Target],
    leaves: "the ledger goes as a whole or not at all: `{status}` says whether the target still holds the run",
    is_kept: true,
};

/// What `finalize --output json` prints.
#[derive(Debug, Serialize)]
struct Document {
    schema_version: u32,
    databases: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    /// The run that is final now; `null` where the target held none.
    run_id: Option<String>,
}

pub(crate) fn run(args: &FinalizeArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let session = Session::open(&args.common, interrupt)?;
    let mut found = Vec::new();
    for database in &session.config.databases {
        session.interrupt.check()?;
        let work = Work::outside(&TASK, &session.call, database);
        found.push(work.watched(database, || {
            let mut connection = target::Connection::open(&database.target)?;
            let ledger = held_run(database, &mut connection)?;
            Ok((database, connection, ledger))
        })?);
    }
    let runs = found.iter().filter_map(|(_, _, ledger)| ledger.as_ref());
    session.check_named_run(&args.common, runs.map(|run| run.run_id.as_str()))?;
    let mut dropped = Vec::new();
    for (database, _, ledger) in &found {
        let Some(run) = ledger else {
            continue;
        };
        if run.loaded.is_none() {
            return Err(unfinished(&database.name, run).into());
        }
        let verdict = verdict(args, &database.name, run)?;
        check_verdict(&session, args, database, (run, verdict))?;
        dropped.push(describe(database, run, verdict));
    }
    dropped.iter().for_each(|line| session.console.line(line));
    if !dropped.is_empty() {
        confirm(args.common.yes)?;
    }
    let mut databases: Vec<Entry> = Vec::new();
    for (database, mut connection, ledger) in found {
        session.interrupt.check()?;
        if let Some(run) = &ledger {
            let done = databases.iter().filter(|entry| entry.run_id.is_some());
            let work = Work::outside(&TASK, &session.call, database);
            let work = work.after(done.map(|entry| &entry.name));
            work.watched(database, || {
                Ok(target::finalize(&mut connection, &database.ledger, run)?)
            })?;
            record_outside_a_run(&args.common, "finalize", &database.name, run)?;
        }
        databases.push(Entry {
            name: database.name.clone(),
            run_id: ledger.map(|run| run.run_id),
        });
    }
    let lines = databases.iter().map(|entry| match &entry.run_id {
        Some(run_id) => format!("{}: run {run_id} is final", entry.name),
        None => format!("{}: holds no run", entry.name),
    });
    let human: Text = lines.collect();
    let document = Document {
        schema_version: 1,
        databases,
    };
    session.console.result(&human, &document)?;
    Ok(())
}

/// What the last full comparison of a run found, as its run directory has it.
fn verdict(args: &FinalizeArgs, database: &str, run: &LedgerRun) -> anyhow::Result<Verdict> {
    let directory = match &args.common.run {
        Some(path) => Some(RunDirectory::open(path)?),
        None => RunDirectory::with_id(&run.run_id)?,
    };
    let verdict = directory.map(|found| found.state.verdict(database, run.loaded.as_deref()));
    Ok(verdict.unwrap_or(Verdict::Partial))
}

/// Fails where the run was not found equal, unless the operator has named what was found.
fn check_verdict(
    session: &Session,
    args: &FinalizeArgs,
    database: &Database,
    (run, verdict): (&LedgerRun, Verdict),
) -> Result<(), Failure> {
    if verdict == Verdict::Equal || args.accept_verdict.map(Verdict::from) == Some(verdict) {
        return Ok(());
    }
    let (name, run_id) = (&database.name, &run.run_id);
    let accept = ["--accept-verdict", verdict.name()];
    let accept = session.call.with("finalize", &accept);
    let rollback = session.call.other("rollback", None);
    let verify = session.call.other("verify", None);
    let (why, hint) = match verdict {
        Verdict::Different => (
            "the last comparison of source and target found differences",
            format!("undo the run with `{rollback}`; `{accept}` keeps the differing rows for good"),
        ),
        Verdict::SourceMoved => (
            "the source was written to since it was exported",
            format!("undo the run with `{rollback}`; `{accept}` leaves those writes behind"),
        ),
        _ => (
            "no full comparison of this load is recorded in the run directories here",
            format!(
                "run `{verify}` first, in the directory that has its runs/, or name the run with \
                 --run; `{accept}` goes without a proof"
            ),
        ),
    };
    Err(Failure::blocked(format!(
        "run {run_id} of `{name}` is not final yet, and can still be rolled back: {why}"
    ))
    .hint(hint))
}

/// What is lost, in a line.
fn describe(database: &Database, run: &LedgerRun, verdict: Verdict) -> String {
    format!(
        "finalize   {}: run {}, {} tables, {} rows in {}, verdict {}; the ledger and replaced rows \
         are dropped",
        database.name,
        run.run_id,
        run.tables.len(),
        thousands(run.rows()),
        database.target,
        verdict.name()
    )
}

/// Asks on a terminal; elsewhere `--yes` is the answer.
fn confirm(yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    let refused =
        || Failure::usage("finalize makes a rollback impossible").hint("confirm with --yes");
    if !io::stdin().is_terminal() {
        return Err(refused().into());
    }
    let mut stderr = io::stderr();
    write!(stderr, "After this there is no rollback. Finalize? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(refused().into())
}
