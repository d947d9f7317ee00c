//! The run directory: `run.json`, `events.jsonl`, and a directory for each database.
//!
//! Private to its owner, since it holds personal data; written so that a reader never sees half.

mod newest;
mod private;
mod state;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use target::LedgerRun;

use crate::args::CommonArgs;
use crate::call::next;
use crate::clock;
use crate::config::Config;
use crate::console::Console;
use crate::exit::{Failure, turn};

pub(crate) use crate::run_dir::state::{
    DatabaseEntry, JudgedLoad, RunState, ServersEntry, StageEntry,
};

/// Where runs are kept, below the working directory.
const RUNS: &str = "runs";
const RUN_FILE: &str = "run.json";
const EVENTS_FILE: &str = "events.jsonl";
const DIRECTORY_MODE: u32 = 0o700;
/// Counts up with every change that an older reader would misread.
const SCHEMA_VERSION: u32 = 1;

/// An open run directory.
#[derive(Debug)]
pub(crate) struct RunDirectory {
    path: PathBuf,
    pub(crate) state: RunState,
    events: File,
    sequence: u64,
}

/// A line of `events.jsonl`; never holds a cell value.
#[derive(Debug, Serialize)]
struct Event<'a> {
    schema_version: u32,
    seq: u64,
    time: String,
    run: &'a str,
    stage: &'a str,
    table: Option<String>,
    rows: u64,
    bytes: u64,
    event: &'a str,
}

impl RunDirectory {
    /// Opens the directory that was named, or makes it, or makes a new one below `runs`.
    pub(crate) fn open_or_create(named: Option<&Path>, config: &Config) -> anyhow::Result<Self> {
        let mut run_id = new_run_id();
        let path = match named {
            Some(path) if !is_missing(path) => {
                private::check(path)?;
                if !is_missing(&path.join(RUN_FILE)) {
                    return Self::open(path)?.locked();
                }
                if !is_empty(path) {
                    return Err(Failure::usage(format!(
                        "{} holds something else than a run",
                        path.display()
                    ))
                    .hint("name a directory that is empty or not there yet")
                    .into());
                }
                path.to_owned()
            }
            Some(path) => path.to_owned(),
            None => {
                make_directory(Path::new(RUNS))?;
                // Two that start at once, or a clock that stands still, may hit on one name.
                while !make_new(&Path::new(RUNS).join(&run_id))? {
                    run_id = new_run_id();
                }
                Path::new(RUNS).join(&run_id)
            }
        };
        make_directory(&path)?;
        private::check(&path)?;
        let state = RunState {
            schema_version: SCHEMA_VERSION,
            run_id,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            environment: config.environment.name().to_owned(),
            config_digest: config.digest.clone(),
            created: now(),
            sequence: newest::next_sequence(),
            databases: entries(config),
            stages: Vec::new(),
            verdicts: BTreeMap::new(),
        };
        let run = Self::with_state(path, state)?.locked()?;
        run.save()?;
        Ok(run)
    }

    /// Takes the directory for this process; it is free again when the process ends.
    fn locked(self) -> anyhow::Result<Self> {
        if self.events.try_lock().is_err() {
            return Err(Failure::blocked(format!(
                "another process is at work in {}",
                self.path.display()
            ))
            .hint("wait for it, or end it")
            .into());
        }
        Ok(self)
    }

    /// Fails where the configuration leads to other databases than those of the run; says so
    /// where only its other parts changed.
    pub(crate) fn check_config(&self, config: &Config, console: Console) -> Result<(), Failure> {
        for (name, now) in entries(config) {
            let Some(then) = self.state.databases.get(&name) else {
                return Err(self.other_databases(&format!("it has no database `{name}`")));
            };
            if then.place() != now.place() {
                let message = format!(
                    "database `{name}` was {} to {}, and is now {} to {}",
                    then.source, then.target, now.source, now.target
                );
                return Err(self.other_databases(&message));
            }
        }
        if self.state.environment != config.environment.name() {
            let message = format!(
                "it was begun as {}, and the configuration says {}",
                self.state.environment,
                config.environment.name()
            );
            return Err(self.other_databases(&message));
        }
        if self.state.config_digest != config.digest {
            console.line(&format!(
                "note: the configuration has changed since run {} was begun",
                self.run_id()
            ));
        }
        Ok(())
    }

    /// Whether the run moved the databases of a configuration.
    pub(crate) fn is_of(&self, config: &Config) -> bool {
        entries(config).iter().all(|(name, now)| {
            let then = self.state.databases.get(name);
            then.is_some_and(|then| then.place() == now.place())
        })
    }

    fn other_databases(&self, why: &str) -> Failure {
        Failure::blocked(format!(
            "run {} is of other databases: {why}",
            self.run_id()
        ))
        .hint("name the run's own configuration with --config, or another run with --run")
    }

    /// Enters what a database was read from.
    pub(crate) fn set_servers(
        &mut self,
        database: &str,
        servers: ServersEntry,
    ) -> anyhow::Result<()> {
        if let Some(entry) = self.state.databases.get_mut(database) {
            entry.servers = Some(servers);
        }
        self.save()
    }

    /// Opens the directory that was named, or the newest one below `runs`.
    pub(crate) fn open_existing(named: Option<&Path>) -> anyhow::Result<Self> {
        match named {
            Some(path) => Self::open(path)?.locked(),
            None => Self::newest()?
                .map(Self::locked)
                .transpose()?
                .ok_or_else(|| {
                    Failure::usage(format!("there is no run in {RUNS}/"))
                        .hint(format!(
                            "start one with `{}` or `{}`, or name one with --run DIR",
                            next("export"),
                            next("migrate")
                        ))
                        .into()
                }),
        }
    }

    /// Opens a directory without taking it: for looking.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if !is_missing(path) {
            private::check(path)?;
        }
        let state = RunState::read(path).map_err(|error| {
            Failure::usage(format!("{}: {error:#}", path.display()))
                .hint("name a directory with a run.json, such as one below runs/")
        })?;
        Self::with_state(path.to_owned(), state)
    }

    fn with_state(path: PathBuf, state: RunState) -> anyhow::Result<Self> {
        let file = path.join(EVENTS_FILE);
        let sequence = dataset::read(&file).map_or(0, |text| {
            text.iter().filter(|byte| **byte == b'\n').count() as u64
        });
        let events = dataset::open_for_lines(&file)
            .with_context(|| format!("opening {}", file.display()))?;
        Ok(Self {
            path,
            state,
            events,
            sequence,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn run_id(&self) -> &str {
        &self.state.run_id
    }

    /// A directory of a database, made where it is missing.
    pub(crate) fn database_dir(&self, database: &str, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join(database).join(name);
        make_directory(&path)?;
        Ok(path)
    }

    /// Whether a stage has written all of its files for a database.
    pub(crate) fn is_complete(&self, database: &str, stage: &str) -> bool {
        let manifest = self
            .path
            .join(database)
            .join(stage)
            .join(dataset::MANIFEST_FILE);
        manifest.exists()
    }

    /// Says that a stage's files are going to change: the manifest, which is written last, goes.
    pub(crate) fn invalidate(&self, database: &str, stage: &str) -> anyhow::Result<()> {
        let manifest = self
            .path
            .join(database)
            .join(stage)
            .join(dataset::MANIFEST_FILE);
        match fs::remove_file(&manifest) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", manifest.display()))
            }
            _ => Ok(()),
        }
    }

    /// Enters a stage and saves.
    pub(crate) fn add_stage(&mut self, entry: StageEntry) -> anyhow::Result<()> {
        self.state.stages.push(entry);
        self.save()
    }

    /// Enters what a full comparison of a database found.
    pub(crate) fn set_verdict(&mut self, database: &str, judged: JudgedLoad) -> anyhow::Result<()> {
        self.state.verdicts.insert(database.to_owned(), judged);
        self.save()
    }

    /// Enters what was done to a target as a whole.
    pub(crate) fn add_target_stage(
        &mut self,
        stage: &str,
        database: &str,
        run: &LedgerRun,
    ) -> anyhow::Result<()> {
        let rows = run.rows();
        self.event(stage, None, rows, 0, "done")?;
        self.add_stage(StageEntry {
            stage: stage.to_owned(),
            database: database.to_owned(),
            started: now(),
            seconds: 0.0,
            outcome: "done".to_owned(),
            tables: run.tables.len() as u64,
            rows,
            bytes: 0,
            message: None,
        })
    }

    fn save(&self) -> anyhow::Result<()> {
        let _turn = turn();
        self.write_state()
    }

    fn write_state(&self) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(&self.state)?;
        text.push(b'\n');
        dataset::write_atomically(&self.path.join(RUN_FILE), &text)?;
        Ok(())
    }

    /// Appends an event.
    pub(crate) fn event(
        &mut self,
        stage: &str,
        table: Option<(&str, &str)>,
        rows: u64,
        bytes: u64,
        event: &str,
    ) -> anyhow::Result<()> {
        let _turn = turn();
        self.write_event(stage, table, rows, bytes, event)
    }

    fn write_event(
        &mut self,
        stage: &str,
        table: Option<(&str, &str)>,
        rows: u64,
        bytes: u64,
        event: &str,
    ) -> anyhow::Result<()> {
        self.sequence += 1;
        let mut line = serde_json::to_vec(&Event {
            schema_version: SCHEMA_VERSION,
            seq: self.sequence,
            time: now(),
            run: &self.state.run_id,
            stage,
            table: table.map(|(database, table)| format!("{database}.{table}")),
            rows,
            bytes,
            event,
        })?;
        line.push(b'\n');
        self.events
            .write_all(&line)
            .with_context(|| format!("writing {}", self.path.join(EVENTS_FILE).display()))
    }
}

/// Enters a stage whose process is being ended by a thread that holds the turn; what this
/// process entered before lies in the files.
pub(crate) fn record_the_end(path: &Path, entry: StageEntry) -> anyhow::Result<()> {
    let mut directory = RunDirectory::open(path)?;
    directory.write_event(&entry.stage, None, entry.rows, entry.bytes, &entry.outcome)?;
    directory.state.stages.push(entry);
    directory.write_state()
}

/// Enters what was done to a target in its run's directory, where that is here: a rollback or
/// the end of a run needs the target alone.
pub(crate) fn record_outside_a_run(
    args: &CommonArgs,
    stage: &str,
    database: &str,
    run: &LedgerRun,
) -> anyhow::Result<()> {
    let directory = match &args.run {
        Some(path) => Some(RunDirectory::open_existing(Some(path))?),
        None => RunDirectory::with_id(&run.run_id)?,
    };
    let Some(mut directory) = directory.filter(|found| found.run_id() == run.run_id) else {
        return Ok(());
    };
    directory.add_target_stage(stage, database, run)
}

fn entries(config: &Config) -> BTreeMap<String, DatabaseEntry> {
    let entries = config.databases.iter().map(|database| {
        let entry = DatabaseEntry {
            source: database.source.to_string(),
            target: database.target.to_string(),
            target_schema: database.target_schema.clone(),
            servers: None,
        };
        (database.name.clone(), entry)
    });
    entries.collect()
}

/// Makes a directory where it is missing, and those above it.
fn make_directory(path: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(path)
        .with_context(|| format!("making {}", path.display()))
}

/// Makes a directory; false where there is something of that name.
fn make_new(path: &Path) -> anyhow::Result<bool> {
    match fs::DirBuilder::new().mode(DIRECTORY_MODE).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        made => {
            made.with_context(|| format!("making {}", path.display()))?;
            Ok(true)
        }
    }
}

/// A link that leads nowhere is there.
fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// The time in UTC, RFC 3339 with milliseconds.
pub(crate) fn now() -> String {
    format!("{:.3}", clock::now())
}

/// An id for an export: all its manifests carry it.
pub(crate) fn new_export_id() -> String {
    new_run_id()
}

/// Sorts by time, and two runs of one second still differ.
fn new_run_id() -> String {
    let now = clock::now();
    let time = now.strftime("%Y%m%d-%H%M%S");
    let seed = format!("{now:.9} {}", std::process::id());
    let hash = blake3::hash(seed.as_bytes()).to_hex();
    format!("{time}-{}", &hash[..4])
}
