//! The run directory: `run.json`, `events.jsonl`, and a directory for each database.
//!
//! Private to its owner, since it holds personal data; written so that a reader never sees half.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use catalog::Server;
use dataset::{Coordinates, SnapshotMethod};
use target::LedgerRun;
use verify::Verdict;

use crate::args::CommonArgs;
use crate::call::next;
use crate::config::Config;
use crate::console::Console;
use crate::exit::{Failure, turn};

/// Where runs are kept, below the working directory.
const RUNS: &str = "runs";
const RUN_FILE: &str = "run.json";
const EVENTS_FILE: &str = "events.jsonl";
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
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

/// The content of `run.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunState {
    pub(crate) schema_version: u32,
    pub(crate) run_id: String,
    pub(crate) tool_version: String,
    pub(crate) environment: String,
    pub(crate) config_digest: String,
    pub(crate) created: String,
    /// Where the databases were when the run began; a run goes on with the same.
    pub(crate) databases: BTreeMap<String, DatabaseEntry>,
    /// What was done, in order; a stage that was repeated stands there twice.
    pub(crate) stages: Vec<StageEntry>,
    /// What the last full comparison of source and target found, by database.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) verdicts: BTreeMap<String, JudgedLoad>,
}

/// A load that was compared with the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JudgedLoad {
    /// When it was loaded, as the ledger has it: another load needs another comparison.
    pub(crate) loaded: String,
    pub(crate) verdict: Verdict,
}

impl RunState {
    /// What the last full comparison of a load found: `partial` where there was none.
    pub(crate) fn verdict(&self, database: &str, loaded: Option<&str>) -> Verdict {
        let judged = self.verdicts.get(database);
        let judged = judged.filter(|judged| Some(judged.loaded.as_str()) == loaded);
        judged.map_or(Verdict::Partial, |judged| judged.verdict)
    }
}

/// A database of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DatabaseEntry {
    /// Address without its password.
    pub(crate) source: String,
    /// Address without its password.
    pub(crate) target: String,
    pub(crate) target_schema: String,
    /// Kind and version of both servers and the snapshot, once they were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) servers: Option<ServersEntry>,
}

impl DatabaseEntry {
    /// What must stay the same while a run goes on.
    fn place(&self) -> (&str, &str, &str) {
        (&self.source, &self.target, &self.target_schema)
    }
}

/// What a run read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServersEntry {
    pub(crate) source: Server,
    pub(crate) target: Server,
    pub(crate) snapshot: SnapshotMethod,
    pub(crate) coordinates: Option<Coordinates>,
}

/// A stage of one database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StageEntry {
    pub(crate) stage: String,
    pub(crate) database: String,
    pub(crate) started: String,
    pub(crate) seconds: f64,
    /// `done`, `different` (a comparison that found differences), `blocked` (an assessment that
    /// found what is in the way), `failed` or `interrupted`.
    pub(crate) outcome: String,
    pub(crate) tables: u64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
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
        let run_id = new_run_id();
        let path = match named {
            Some(path) if path.join(RUN_FILE).exists() => return Self::open(path)?.locked(),
            Some(path) if !is_free(path) => {
                return Err(Failure::usage(format!(
                    "{} holds something else than a run",
                    path.display()
                ))
                .hint("name a directory that is empty or not there yet")
                .into());
            }
            Some(path) => path.to_owned(),
            None => Path::new(RUNS).join(&run_id),
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(&path)
            .with_context(|| format!("making the run directory {}", path.display()))?;
        let state = RunState {
            schema_version: SCHEMA_VERSION,
            run_id,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            environment: config.environment.name().to_owned(),
            config_digest: config.digest.clone(),
            created: now(),
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

    /// The newest run below `runs`, if there is one.
    pub(crate) fn newest() -> anyhow::Result<Option<Self>> {
        Self::newest_of(|_, _| true)
    }

    /// The run of that id, where it is below `runs`.
    pub(crate) fn with_id(run_id: &str) -> anyhow::Result<Option<Self>> {
        Self::newest_of(|_, state| state.run_id == run_id)
    }

    /// Takes the newest run below `runs` whose directory passes, if there is one.
    pub(crate) fn newest_with(passes: impl Fn(&Path) -> bool) -> anyhow::Result<Option<Self>> {
        Self::newest_of(|path, _| passes(path))?
            .map(Self::locked)
            .transpose()
    }

    fn newest_of(passes: impl Fn(&Path, &RunState) -> bool) -> anyhow::Result<Option<Self>> {
        let Ok(entries) = fs::read_dir(RUNS) else {
            return Ok(None);
        };
        let mut newest: Option<(String, PathBuf)> = None;
        for entry in entries {
            let path = entry?.path();
            // A directory that is being made, or not one of ours, is no run.
            let Ok(state) = read_state(&path) else {
                continue;
            };
            let is_newer = newest
                .as_ref()
                .is_none_or(|(created, _)| state.created > *created);
            if is_newer && passes(&path, &state) {
                newest = Some((state.created, path));
            }
        }
        newest.map(|(_, path)| Self::open(&path)).transpose()
    }

    /// Opens a directory without taking it: for looking.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let state = read_state(path).map_err(|error| {
            Failure::usage(format!("{}: {error:#}", path.display()))
                .hint("name a directory with a run.json, such as one below runs/")
        })?;
        Self::with_state(path.to_owned(), state)
    }

    fn with_state(path: PathBuf, state: RunState) -> anyhow::Result<Self> {
        let file = path.join(EVENTS_FILE);
        let sequence = fs::read(&file).map_or(0, |text| {
            text.iter().filter(|byte| **byte == b'\n').count() as u64
        });
        let events = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(FILE_MODE)
            .open(&file)
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
        fs::DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(&path)
            .with_context(|| format!("making {}", path.display()))?;
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

/// Whether a directory is empty or not there.
fn is_free(path: &Path) -> bool {
    match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

fn read_state(path: &Path) -> anyhow::Result<RunState> {
    let text = fs::read(path.join(RUN_FILE)).context("there is no run.json")?;
    let state: RunState = serde_json::from_slice(&text).context("run.json is damaged")?;
    if state.schema_version != SCHEMA_VERSION {
        anyhow::bail!("it was written by another version of this tool");
    }
    Ok(state)
}

/// The time in UTC, RFC 3339 with milliseconds.
pub(crate) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

/// An id for an export: all its manifests carry it.
pub(crate) fn new_export_id() -> String {
    new_run_id()
}

/// Sorts by time, and two runs of one second still differ.
fn new_run_id() -> String {
    let now = Timestamp::now();
    let time = now.strftime("%Y%m%d-%H%M%S");
    let seed = format!("{now:.9} {}", std::process::id());
    let hash = blake3::hash(seed.as_bytes()).to_hex();
    format!("{time}-{}", &hash[..4])
}
