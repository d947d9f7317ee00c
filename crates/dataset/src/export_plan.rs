//! What an export is going to write, and how far it came: a plan that is on the disk before the
//! first chunk, and a journal with a line for each chunk that is complete.
//!
//! Both are gone once the manifest says the same; an export that ended early goes on from them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::file::{open_for_lines, read, write_atomically};
use crate::key_range::KeyRange;
use crate::manifest::{ColumnEntry, FileEntry, SourceEntry, check_total};

const PLAN_FILE: &str = "plan.json";
const JOURNAL_FILE: &str = "chunks.jsonl";
/// Counts up with every change that an older reader would misread.
const FORMAT_VERSION: u32 = 2;

/// What an export of one database is going to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPlan {
    format_version: u32,
    /// The moment that is read.
    pub source: SourceEntry,
    /// Whether rows are converted as they are read.
    pub converts: bool,
    /// Stands for the definitions that it was made for, and for the rules where it converts.
    pub schema_digest: String,
    /// The tables, in the order in which they are begun.
    pub tables: Vec<PlannedTable>,
}

/// A table of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTable {
    /// Name on the source.
    pub name: String,
    /// Columns in the order of the files.
    pub columns: Vec<ColumnEntry>,
    /// The source's next AUTO_INCREMENT value.
    pub auto_increment: Option<u64>,
    /// Its chunks in key order.
    pub chunks: Vec<KeyRange>,
}

/// A chunk whose files are complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkDone {
    /// Name of the table.
    pub table: String,
    /// Which of its chunks, from 1.
    pub number: usize,
    /// Digest of its rows as they were read.
    pub digest: String,
    /// Its file, where the rows are kept as they were read.
    pub file: Option<FileEntry>,
    /// What they became, where they were converted at once.
    pub converted: Option<ConvertedChunk>,
}

/// A chunk as the target takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConvertedChunk {
    /// Digest of its rows.
    pub digest: String,
    /// Its file.
    pub file: FileEntry,
    /// How many of its rows each rule changed.
    pub rules: Vec<(String, u64)>,
}

impl ChunkDone {
    /// All that is counted in it.
    fn counts(&self) -> impl Iterator<Item = u64> {
        let converted = self.converted.as_ref();
        let files = self.file.iter().chain(converted.map(|to| &to.file));
        let rules = converted.into_iter().flat_map(|to| &to.rules);
        let rules = rules.map(|(_, rows)| *rows);
        files.flat_map(FileEntry::counts).chain(rules)
    }
}

impl ExportPlan {
    /// A plan of this format.
    pub fn new(
        source: SourceEntry,
        (converts, schema_digest): (bool, String),
        tables: Vec<PlannedTable>,
    ) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            source,
            converts,
            schema_digest,
            tables,
        }
    }

    /// Reads the plan of an export that has not ended; `None` where there is none.
    ///
    /// # Errors
    /// Where it is not a plan, or of another format.
    pub fn read(directory: &Path) -> Result<Option<Self>, Error> {
        let path = directory.join(PLAN_FILE);
        let text = match read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|e| Error::from(e).at(&path))?,
        };
        let plan: Self = serde_json::from_slice(&text).map_err(|e| Error::from(e).at(&path))?;
        if plan.format_version != FORMAT_VERSION {
            return Err(Error::new(Kind::Version(plan.format_version)).at(&path));
        }
        Ok(Some(plan))
    }

    /// Writes it to the disk.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        write_atomically(&directory.join(PLAN_FILE), &text)
    }

    /// Takes plan and journal away.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn remove(directory: &Path) -> Result<(), Error> {
        // The plan first: without it, a journal says nothing.
        for name in [PLAN_FILE, JOURNAL_FILE] {
            let path = directory.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::from(error).at(&path));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The chunks that are complete, on the disk.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Opens the journal and reads what it holds. A line that was cut off by the end of a
    /// process is no line.
    ///
    /// # Errors
    /// Those of the file system, and where what it counts cannot be.
    pub fn open(directory: &Path) -> Result<(Self, Vec<ChunkDone>), Error> {
        let path = directory.join(JOURNAL_FILE);
        // Bytes, since a line may be cut off within a character.
        let text = match read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => text.map_err(|e| Error::from(e).at(&path))?,
        };
        let lines = text.split(|byte| *byte == b'\n');
        let chunks = lines.filter_map(|line| serde_json::from_slice::<ChunkDone>(line).ok());
        // A chunk whose file was lost was read again: its last line counts.
        let done: BTreeMap<_, _> = chunks.map(|c| ((c.table.clone(), c.number), c)).collect();
        let done: Vec<ChunkDone> = done.into_values().collect();
        check_total(done.iter().flat_map(ChunkDone::counts)).map_err(|e| e.at(&path))?;
        let open = || {
            let mut file = open_for_lines(&path)?;
            if text.last().is_some_and(|byte| *byte != b'\n') {
                file.write_all(b"\n")?;
            }
            Ok(file)
        };
        let file = open().map_err(|e: io::Error| Error::from(e).at(&path))?;
        Ok((Self { file, path }, done))
    }

    /// Enters a chunk and waits until it is on the disk.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn add(&mut self, chunk: &ChunkDone) -> Result<(), Error> {
        let mut line = serde_json::to_vec(chunk)?;
        line.push(b'\n');
        let written = self.file.write_all(&line);
        written
            .and_then(|()| self.file.sync_data())
            .map_err(|e| Error::from(e).at(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(number: usize) -> ChunkDone {
        ChunkDone {
            table: "t".to_owned(),
            number,
            digest: "0:0".to_owned(),
            file: Some(FileEntry {
                name: "t.csv".to_owned(),
                rows: 0,
                bytes: 2,
                blake3: String::new(),
                first_key: Vec::new(),
                last_key: Vec::new(),
            }),
            converted: None,
        }
    }

    #[test]
    fn a_line_that_was_cut_off_is_no_line() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, done) = Journal::open(directory.path()).unwrap();
        assert_eq!(done, []);
        journal.add(&chunk(1)).unwrap();
        journal.add(&chunk(2)).unwrap();
        let path = directory.path().join(JOURNAL_FILE);
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 7]).unwrap();
        let (mut journal, done) = Journal::open(directory.path()).unwrap();
        assert_eq!(done, [chunk(1)]);
        journal.add(&chunk(3)).unwrap();
        let (_, done) = Journal::open(directory.path()).unwrap();
        assert_eq!(done, [chunk(1), chunk(3)]);
        let mut again = chunk(3);
        again.digest.push('é');
        journal.add(&again).unwrap();
        let (_, done) = Journal::open(directory.path()).unwrap();
        assert_eq!(done, [chunk(1), again]);
        let text = fs::read(&path).unwrap();
        let cut = text.iter().rposition(|byte| *byte == 0xc3).unwrap() + 1;
        fs::write(&path, &text[..cut]).unwrap();
        let (_, done) = Journal::open(directory.path()).unwrap();
        assert_eq!(done, [chunk(1), chunk(3)], "cut off within a character");
        ExportPlan::remove(directory.path()).unwrap();
        assert_eq!(Journal::open(directory.path()).unwrap().1, []);
    }
}
