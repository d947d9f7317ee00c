//! `migration_manifest.json`: what a stage wrote, from where, and how to recognise it.
//!
//! Replaced as a whole, never edited in place; holds no cell but the keys of the files.

use std::fs;
use std::path::Path;

use catalog::Server;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::file::write_atomically;

/// The manifest's name in `export/` and `transformed/`.
pub const MANIFEST_FILE: &str = "migration_manifest.json";
/// Counts up with every change that an older reader would misread.
const FORMAT_VERSION: u32 = 1;

/// What a stage wrote for one database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format.
    pub format_version: u32,
    /// The run that it belongs to.
    pub run_id: String,
    /// Name of the database in the config.
    pub database: String,
    /// Which stage wrote it.
    pub stage: Stage,
    /// When, RFC 3339 in UTC.
    pub created: String,
    /// Where the data came from.
    pub source: SourceEntry,
    /// The tables, ordered by name.
    pub tables: Vec<TableEntry>,
}

/// Which stage wrote a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Values as the source gave them.
    Export,
    /// Values as the target takes them.
    Transform,
}

/// The source and the point in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// Kind and version.
    #[serde(flatten)]
    pub server: Server,
    /// One for all databases that were exported together.
    pub export_id: String,
    /// How the snapshot was taken.
    pub snapshot: SnapshotMethod,
    /// Where the binary log stood; `None` where the server writes none or does not say.
    pub coordinates: Option<Coordinates>,
}

/// How all tables came to be read at one point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotMethod {
    /// Under `flush tables with read lock`: coordinates and data are of the same moment.
    GlobalReadLock,
    /// Under `lock tables … read` of all tables of the run: the same for those tables.
    TableLocks,
    /// One connection's transaction; the coordinates were read just before it.
    OneConnection,
}

/// A position in the source's binary log: a record and a cross-check, never the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coordinates {
    /// Log file.
    pub file: String,
    /// Byte position in it.
    pub position: u64,
    /// Executed GTIDs, where the server keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtid: Option<String>,
}

/// A table and its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    /// Name on the source.
    pub name: String,
    /// Columns in the order of the files.
    pub columns: Vec<ColumnEntry>,
    /// Rows in all files.
    pub row_count: u64,
    /// Rows that a declared rule left out of the files.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// Digest of all rows, independent of their order.
    pub digest: String,
    /// The source's next AUTO_INCREMENT value.
    pub auto_increment: Option<u64>,
    /// Files in key order.
    pub files: Vec<FileEntry>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnEntry {
    /// Name.
    pub name: String,
    /// Type on the source.
    pub source_type: String,
    /// Type on the target; `None` where the target lacks the column.
    pub target_type: Option<String>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Name within the stage's directory.
    pub name: String,
    /// Records, without the header.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// blake3 of the whole file, in hex.
    pub blake3: String,
    /// The first row's key values, in key order; empty where there is no row or no key.
    pub first_key: Vec<String>,
    /// The last row's.
    pub last_key: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Manifest {
    /// A manifest of this format without tables.
    pub fn new(
        run_id: &str,
        database: &str,
        stage: Stage,
        created: String,
        source: SourceEntry,
    ) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            run_id: run_id.to_owned(),
            database: database.to_owned(),
            stage,
            created,
            source,
            tables: Vec::new(),
        }
    }

    /// Reads the manifest in a stage's directory.
    ///
    /// # Errors
    /// Where it is not there, not a manifest, or of another format.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(MANIFEST_FILE);
        let text = fs::read(&path).map_err(|e| Error::from(e).at(&path))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|e| Error::from(e).at(&path))?;
        if manifest.format_version != FORMAT_VERSION {
            return Err(Error::new(Kind::Version(manifest.format_version)).at(&path));
        }
        Ok(manifest)
    }

    /// Writes it, replacing an older one.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        write_atomically(&directory.join(MANIFEST_FILE), &text)
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&TableEntry> {
        self.tables.iter().find(|table| table.name == name)
    }
}
