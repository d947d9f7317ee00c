//! `run.json`: what a run is about, and what was done.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use catalog::Server;
use dataset::{Coordinates, SnapshotMethod};
use verify::Verdict;

use super::{RUN_FILE, SCHEMA_VERSION};

/// The content of `run.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunState {
    pub(crate) schema_version: u32,
    pub(crate) run_id: String,
    pub(crate) tool_version: String,
    pub(crate) environment: String,
    pub(crate) config_digest: String,
    pub(crate) created: String,
    /// Counts the runs below `runs`, since a clock may be set back; 0 in those of old.
    #[serde(default)]
    pub(crate) sequence: u64,
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
    /// Reads the state of the run in a directory.
    pub(super) fn read(directory: &Path) -> anyhow::Result<Self> {
        let text = dataset::read(&directory.join(RUN_FILE)).context("there is no run.json")?;
        let state: Self = serde_json::from_slice(&text).context("run.json is damaged")?;
        if state.schema_version != SCHEMA_VERSION {
            anyhow::bail!("it was written by another version of this tool");
        }
        let stages = state.stages.iter().map(|stage| &stage.database);
        let databases = state.databases.keys().chain(state.verdicts.keys());
        let mut names = databases.chain(stages).chain([&state.run_id]);
        if let Some(name) = names.find(|name| !dataset::is_plain_name(name)) {
            anyhow::bail!("run.json is damaged: `{name}` is not the name of a file or directory");
        }
        drop(names);
        Ok(state)
    }

    /// What makes a run newer than another one.
    pub(super) fn age(&self) -> (u64, &str, &str) {
        (self.sequence, &self.created, &self.run_id)
    }

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
    pub(super) fn place(&self) -> (&str, &str, &str) {
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
