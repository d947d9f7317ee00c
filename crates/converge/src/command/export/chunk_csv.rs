//! The file of a chunk, and what its entry says.

use std::path::{Path, PathBuf};

use anyhow::Context;

use catalog::{SourceColumn, SourceTable};
use dataset::{CsvWriter, FileEntry, PartialFile, Record};

/// A file that is being written; it has its name once it is complete.
pub(super) struct ChunkCsv {
    name: String,
    path: PathBuf,
    writer: CsvWriter<PartialFile>,
}

impl ChunkCsv {
    pub(super) fn create<'h>(
        directory: &Path,
        name: &str,
        header: impl Iterator<Item = &'h str>,
    ) -> anyhow::Result<Self> {
        let path = directory.join(name);
        let writer = CsvWriter::new(PartialFile::create(&path)?, header);
        Ok(Self {
            writer: writer.with_context(|| format!("writing {}", path.display()))?,
            name: name.to_owned(),
            path,
        })
    }

    pub(super) fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        let written = self.writer.write(record);
        written.with_context(|| format!("writing {}", self.path.display()))
    }

    /// Gives the file its name; the keys are those of its first and its last row.
    pub(super) fn finish(self, keys: &(Vec<String>, Vec<String>)) -> anyhow::Result<FileEntry> {
        let rows = self.writer.records();
        let summary = self.writer.into_inner().finish()?;
        let (first_key, last_key) = keys.clone();
        Ok(FileEntry {
            name: self.name,
            rows,
            bytes: summary.bytes,
            blake3: summary.blake3,
            first_key,
            last_key,
        })
    }
}

/// The keys of the first and the last record that passed.
pub(super) struct KeyEnds {
    fields: Vec<usize>,
    first: Option<Vec<String>>,
    last: Record,
}

impl KeyEnds {
    pub(super) fn of(table: &SourceTable, columns: &[&SourceColumn]) -> Self {
        let position = |name: &&str| columns.iter().position(|column| column.name == **name);
        Self {
            fields: source::key_columns(table)
                .iter()
                .filter_map(position)
                .collect(),
            first: None,
            last: Record::new(),
        }
    }

    pub(super) fn see(&mut self, record: &Record) {
        self.last.clear();
        for field in &self.fields {
            self.last.push(record.get(*field));
        }
        if self.first.is_none() {
            self.first = Some(texts(&self.last));
        }
    }

    pub(super) fn into_ends(self) -> (Vec<String>, Vec<String>) {
        let last = texts(&self.last);
        (self.first.unwrap_or_default(), last)
    }
}

fn texts(record: &Record) -> Vec<String> {
    let fields = record.iter().map(Option::unwrap_or_default);
    fields
        .map(|field| String::from_utf8_lossy(field).into_owned())
        .collect()
}
