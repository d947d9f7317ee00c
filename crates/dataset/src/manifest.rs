//! `migration_manifest.json`: what a stage wrote, from where, and how to recognise it.
//!
//! Replaced as a whole, never edited in place; holds no cell but the keys of the files.

use std::path::Path;

use catalog::Server;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::file::{read, write_atomically};
use crate::plain_name;

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
    #[serde(deserialize_with = "plain_name::deserialize")]
    pub run_id: String,
    /// Name of the database in the config.
    #[serde(deserialize_with = "plain_name::deserialize")]
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
    #[serde(deserialize_with = "plain_name::deserialize")]
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

impl FileEntry {
    /// All that is counted in it.
    pub(crate) fn counts(&self) -> impl Iterator<Item = u64> + use<> {
        [self.rows, self.bytes].into_iter()
    }
}

/// More rows and bytes than any run has, and so few that thousands of runs can be added up.
const TOTAL_MAX: u64 = 1 << 52;

/// Fails where the counts of a file come to more than can be.
///
/// They are added up in many places: where the total is possible, each of those sums is.
pub(crate) fn check_total(mut counts: impl Iterator<Item = u64>) -> Result<(), Error> {
    let total = counts.try_fold(0_u64, |total, count| total.checked_add(count));
    match total.is_some_and(|total| total <= TOTAL_MAX) {
        true => Ok(()),
        false => Err(Error::new(Kind::Counts)),
    }
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
        let text = read(&path).map_err(|e| Error::from(e).at(&path))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|e| Error::from(e).at(&path))?;
        if manifest.format_version != FORMAT_VERSION {
            return Err(Error::new(Kind::Version(manifest.format_version)).at(&path));
        }
        manifest.check_counts().map_err(|e| e.at(&path))?;
        Ok(manifest)
    }

    /// What is counted can be added up, and the rows of a table are those of its files.
    fn check_counts(&self) -> Result<(), Error> {
        let mut counts = Vec::new();
        for table in &self.tables {
            counts.extend([table.row_count, table.left_out]);
            counts.extend(table.files.iter().flat_map(FileEntry::counts));
        }
        check_total(counts.into_iter())?;
        let differs = |table: &&TableEntry| {
            let rows: u64 = table.files.iter().map(|file| file.rows).sum();
            !table.files.is_empty() && rows != table.row_count
        };
        match self.tables.iter().find(differs) {
            Some(table) => Err(Error::new(Kind::RowCount(table.name.clone()))),
            None => Ok(()),
        }
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

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;

    /// A manifest with one table of two files, with a change.
    fn read_with(change: impl FnOnce(&mut Value)) -> Result<Manifest, String> {
        let file = |name: &str, rows: u64| {
            json!({
                "name": name, "rows": rows, "bytes": 9, "blake3": "", "first_key": [], "last_key": []
            })
        };
        let mut document = json!({
            "format_version": FORMAT_VERSION, "run_id": "r", "database": "d", "stage": "export",
            "created": "", "source": {
                "kind": "mysql", "version": "8.0.1", "export_id": "e", "snapshot": "table_locks",
                "coordinates": null
            },
            "tables": [{
                "name": "a/b", "columns": [], "row_count": 3, "digest": "", "auto_increment": null,
                "files": [file("t.0001.csv", 1), file("t.0002.csv", 2)]
            }]
        });
        change(&mut document);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(MANIFEST_FILE);
        fs::write(&path, document.to_string()).unwrap();
        Manifest::read(directory.path()).map_err(|error| {
            assert!(error.is_damage());
            error.to_string()
        })
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        read_with(|_| {}).unwrap();
        for name in ["../x", "/etc/x", "", "..", "a\0"] {
            for place in ["/run_id", "/database", "/tables/0/files/1/name"] {
                let error = read_with(|document| {
                    *document.pointer_mut(place).unwrap() = json!(name);
                });
                let error = error.unwrap_err();
                assert!(error.contains("is not the name of a file"), "{error}");
            }
        }
    }

    #[test]
    fn counts_that_cannot_be_are_refused() {
        for place in [
            "/tables/0/row_count",
            "/tables/0/left_out",
            "/tables/0/files/0/rows",
            "/tables/0/files/1/bytes",
        ] {
            for count in [u64::MAX, TOTAL_MAX] {
                let error = read_with(|document| {
                    let (parent, field) = place.rsplit_once('/').unwrap();
                    document.pointer_mut(parent).unwrap()[field] = json!(count);
                });
                let error = error.unwrap_err();
                assert!(error.contains("larger than can be"), "{error}");
            }
        }
        let error = read_with(|document| document["tables"][0]["row_count"] = json!(4));
        let error = error.unwrap_err();
        assert!(error.contains("not those of its files"), "{error}");
    }
}
