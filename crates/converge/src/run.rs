//! A run at work: configuration, directory, console and the wish to stop.
//!
//! Measures and records the stages; what a stage does is in `command/`.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::thread;
use std::time::Instant;

use anyhow::Context;
use dataset::SnapshotMethod;
use serde::Serialize;

use crate::args::CommonArgs;
use crate::call::Call;
use crate::config::{Config, Database};
use crate::console::{Console, bytes_text, counted, thousands};
use crate::exit::{Failure, INTERRUPTED};
use crate::held_run::held_run;
use crate::interrupt::Interrupt;
use crate::limits;
use crate::lost::{Task, Work};
use crate::run_dir::{RunDirectory, StageEntry, now};
use crate::security;
use crate::text::Text;

/// What a command needs before it knows a run.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) call: Call,
    pub(crate) config: Config,
    pub(crate) console: Console,
    pub(crate) interrupt: Interrupt,
    pub(crate) workers: usize,
}

impl Session {
    /// For a command that reads or writes data.
    pub(crate) fn open(args: &CommonArgs, interrupt: Interrupt) -> anyhow::Result<Self> {
        let session = Self::look(args, interrupt)?;
        security::check_network(&session.config, session.console)?;
        Ok(session)
    }

    /// For a command that only looks.
    pub(crate) fn look(args: &CommonArgs, interrupt: Interrupt) -> anyhow::Result<Self> {
        let config = Config::read(&args.config, &args.database)?;
        let call = Call::of_this_process(args, config.databases.len());
        call.remember();
        let console = Console::new(args.output);
        let notes = [config.secrets.note(), config.secrets.writable_note()];
        for note in notes.into_iter().flatten() {
            console.line(&note);
        }
        let workers = workers(args);
        limits::make_room_for_files(workers)?;
        Ok(Self {
            call,
            config,
            console,
            interrupt,
            workers,
        })
    }

    /// Fails where a run was named on the command line and a target holds another one.
    pub(crate) fn check_named_run<'r>(
        &self,
        args: &CommonArgs,
        mut loaded: impl Iterator<Item = &'r str>,
    ) -> anyhow::Result<()> {
        let Some(path) = &args.run else {
            return Ok(());
        };
        let named = RunDirectory::open(path)?;
        match loaded.find(|run_id| *run_id != named.run_id()) {
            None => Ok(()),
            Some(other) => Err(Failure::blocked(format!(
                "a target holds run {other}, not run {} of {}",
                named.run_id(),
                path.display()
            ))
            .hint("nothing was changed; leave --run out to act on what the targets hold")
            .into()),
        }
    }

    /// The run that all targets hold, where they hold one.
    pub(crate) fn run_of_targets(&self, task: &Task) -> anyhow::Result<Option<String>> {
        let mut found = None;
        for database in &self.config.databases {
            self.interrupt.check()?;
            let work = Work::outside(task, &self.call, database);
            let run = work.watched(database, || {
                let mut connection = target::Connection::open(&database.target)?;
                held_run(database, &mut connection)
            })?;
            match (run, &found) {
                (Some(run), None) => found = Some(run.run_id),
                (Some(run), Some(other)) if run.run_id == *other => {}
                _ => return Ok(None),
            }
        }
        Ok(found)
    }

    /// Begins a run, or takes up the one that was named.
    pub(crate) fn begin(self, args: &CommonArgs) -> anyhow::Result<Run> {
        let directory = RunDirectory::open_or_create(args.run.as_deref(), &self.config)?;
        directory.check_config(&self.config, self.console)?;
        Ok(Run::new(self, directory))
    }

    /// Goes on with the run that was named, or the newest.
    pub(crate) fn resume(self, args: &CommonArgs) -> anyhow::Result<Run> {
        let directory = RunDirectory::open_existing(args.run.as_deref())?;
        directory.check_config(&self.config, self.console)?;
        Ok(Run::new(self, directory))
    }
}

/// A run at work.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) call: Call,
    pub(crate) config: Config,
    pub(crate) console: Console,
    pub(crate) interrupt: Interrupt,
    pub(crate) directory: RunDirectory,
    /// How many read the source side by side.
    pub(crate) workers: usize,
    /// What was said of a database, and is not said again by a later stage.
    said: BTreeSet<String>,
}

/// What a stage did with one database.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct StageOutcome {
    pub(crate) database: String,
    pub(crate) tables: u64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
    /// How the source was held at one moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) snapshot: Option<SnapshotMethod>,
    /// Rows that a declared rule changed, by rule.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) rules: BTreeMap<String, u64>,
}

impl StageOutcome {
    /// Adds a table.
    pub(crate) fn add_table(&mut self, rows: u64, bytes: u64) {
        self.tables += 1;
        self.rows += rows;
        self.bytes += bytes;
    }
}

impl Run {
    fn new(session: Session, directory: RunDirectory) -> Self {
        Self {
            call: session.call,
            config: session.config,
            console: session.console,
            interrupt: session.interrupt,
            directory,
            workers: session.workers,
            said: BTreeSet::new(),
        }
    }

    /// Does a stage for every database: measures, records, and prints a line for each.
    pub(crate) fn stage(
        &mut self,
        task: &Task,
        mut work: impl FnMut(&mut StageRun<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<StageOutcome>> {
        let name = task.name;
        let mut outcomes: Vec<StageOutcome> = Vec::new();
        for index in 0..self.config.databases.len() {
            let started = now();
            let clock = Instant::now();
            let database = &self.config.databases[index];
            self.directory.event(name, None, 0, 0, "started")?;
            let done = outcomes.iter().map(|outcome| &outcome.database);
            let at_work = Work::of_run(task, &self.call, database, &self.directory).after(done);
            let mut stage = StageRun {
                database,
                name,
                console: self.console,
                interrupt: &self.interrupt,
                directory: &mut self.directory,
                work: &at_work,
                said: &mut self.said,
                outcome: StageOutcome {
                    database: database.name.clone(),
                    ..StageOutcome::default()
                },
                word: "done",
            };
            let result = at_work.watched(database, || work(&mut stage));
            let word = match &result {
                Ok(()) => stage.word,
                Err(error) if is_interrupted(error) => "interrupted",
                Err(_) => "failed",
            };
            let mut outcome = stage.outcome;
            outcome.seconds = clock.elapsed().as_secs_f64();
            let message = result.as_ref().err().map(|error| format!("{error:#}"));
            let entry = entry(name, &outcome, started, word, message);
            let recorded = self
                .directory
                .event(name, None, outcome.rows, outcome.bytes, word)
                .and_then(|()| self.directory.add_stage(entry));
            // What happened to the data matters more than that it could not be written down.
            if let (Err(_), Err(error)) = (&result, &recorded) {
                self.console.line(&format!("note: {error:#}"));
            }
            result?;
            recorded.with_context(|| {
                format!("{name} of `{}` is done, but not recorded", outcome.database)
            })?;
            self.console
                .text(&stage_lines(name, &outcome, &mut self.said));
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}

/// A stage at work on one database.
#[derive(Debug)]
pub(crate) struct StageRun<'r> {
    pub(crate) database: &'r Database,
    pub(crate) name: &'static str,
    pub(crate) console: Console,
    pub(crate) interrupt: &'r Interrupt,
    pub(crate) directory: &'r mut RunDirectory,
    /// The same, as other threads see it.
    pub(crate) work: &'r Work,
    said: &'r mut BTreeSet<String>,
    pub(crate) outcome: StageOutcome,
    /// How a stage that ran to its end is recorded: `done`, `different` or `blocked`.
    pub(crate) word: &'static str,
}

impl StageRun<'_> {
    /// Prints a line that names the database, unless a stage of this command has printed it.
    pub(crate) fn line_once(&mut self, text: String) {
        if !self.said.contains(&text) {
            self.console.line(&text);
            self.said.insert(text);
        }
    }

    /// Counts a table that is done and writes its event.
    pub(crate) fn table_done(&mut self, table: &str, rows: u64, bytes: u64) -> anyhow::Result<()> {
        self.outcome.add_table(rows, bytes);
        self.work.is_at(&self.outcome);
        let place = Some((self.database.name.as_str(), table));
        self.directory
            .event(self.name, place, rows, bytes, "table_done")
    }
}

/// As many as were asked for, or as there are processors.
fn workers(args: &CommonArgs) -> usize {
    let processors = || thread::available_parallelism().map_or(1, NonZero::get);
    args.jobs.map_or_else(processors, usize::from)
}

/// A stage as it is entered in the run directory.
pub(crate) fn entry(
    stage: &str,
    outcome: &StageOutcome,
    started: String,
    word: &str,
    message: Option<String>,
) -> StageEntry {
    StageEntry {
        stage: stage.to_owned(),
        database: outcome.database.clone(),
        started,
        seconds: outcome.seconds,
        outcome: word.to_owned(),
        tables: outcome.tables,
        rows: outcome.rows,
        bytes: outcome.bytes,
        message,
    }
}

fn is_interrupted(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<Failure>()
        .is_some_and(|failure| failure.code == INTERRUPTED)
}

/// The line of a stage, with the rules that it counted and no stage before it.
fn stage_lines(stage: &str, outcome: &StageOutcome, said: &mut BTreeSet<String>) -> Text {
    // Stages that write no files have no bytes to show.
    let bytes = match outcome.bytes {
        0 => String::new(),
        bytes => bytes_text(bytes),
    };
    let mut lines = Text::from(format!(
        "{stage:<10} {:<12} {:>3} tables  {:>11} rows  {bytes:>9}  {:>6.1} s",
        outcome.database,
        outcome.tables,
        thousands(outcome.rows),
        outcome.seconds
    ));
    for (rule, rows) in outcome.rules.iter().filter(|(_, rows)| **rows > 0) {
        let counted = format!("rule {rule}: {}", counted(*rows, "row"));
        if said.insert(format!("{}: {counted}", outcome.database)) {
            lines.line(format!("           {counted}"));
        }
    }
    lines
}
