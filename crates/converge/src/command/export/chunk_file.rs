//! Writes the rows of a chunk to its file.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

use catalog::{SourceColumn, SourceTable};
use dataset::{ChunkDone, CsvWriter, FileEntry, KeyRange, PartialFile, Record, chunk_file_name};
use digest::{TableDigest, digest_fields};
use source::Reader;

use crate::command::export::copied_columns;
use crate::command::export::workers::Halt;

/// Rows between two looks at the signals and the other workers.
const ROWS_BETWEEN_CHECKS: u64 = 256;

/// A chunk to be read.
#[derive(Debug)]
pub(crate) struct Task<'t> {
    pub(crate) table: &'t SourceTable,
    pub(crate) range: &'t KeyRange,
    /// From 1.
    pub(crate) number: usize,
    /// How many the table has.
    pub(crate) of: usize,
}

/// Where chunks are read and written.
#[derive(Debug)]
pub(crate) struct Place<'p> {
    /// The database on the source.
    pub(crate) database: &'p str,
    pub(crate) directory: &'p Path,
    /// Rows of complete chunks.
    pub(crate) rows: AtomicU64,
}

impl Place<'_> {
    /// Reads a chunk and writes its file.
    pub(crate) fn write(
        &self,
        reader: &mut Reader,
        task: &Task<'_>,
        halt: &Halt<'_>,
    ) -> anyhow::Result<ChunkDone> {
        let table = task.table;
        let name = chunk_file_name(&table.name, task.number, task.of);
        let path: PathBuf = self.directory.join(&name);
        let columns: Vec<&SourceColumn> = copied_columns(table).collect();
        let writing = || format!("writing {}", path.display());
        let file = PartialFile::create(&path)?;
        let header = columns.iter().map(|column| column.name.as_str());
        let mut writer = CsvWriter::new(file, header).with_context(writing)?;
        let mut digest = TableDigest::default();
        let mut keys = KeyEnds::of(table, &columns);
        reader.export_table::<anyhow::Error>(self.database, table, task.range, |record| {
            if writer.records().is_multiple_of(ROWS_BETWEEN_CHECKS) {
                halt.check()?;
            }
            digest.add(digest_fields(record.iter()));
            keys.see(record);
            writer.write(record).with_context(writing)
        })?;
        halt.check()?;
        let rows = writer.records();
        self.rows.fetch_add(rows, Ordering::Relaxed);
        let summary = writer.into_inner().finish()?;
        let (first_key, last_key) = keys.into_ends();
        Ok(ChunkDone {
            table: table.name.clone(),
            number: task.number,
            digest: digest.to_string(),
            file: FileEntry {
                name,
                rows,
                bytes: summary.bytes,
                blake3: summary.blake3,
                first_key,
                last_key,
            },
        })
    }
}

/// The keys of the first and the last record that passed.
struct KeyEnds {
    fields: Vec<usize>,
    first: Option<Vec<String>>,
    last: Record,
}

impl KeyEnds {
    fn of(table: &SourceTable, columns: &[&SourceColumn]) -> Self {
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

    fn see(&mut self, record: &Record) {
        self.last.clear();
        for field in &self.fields {
            self.last.push(record.get(*field));
        }
        if self.first.is_none() {
            self.first = Some(texts(&self.last));
        }
    }

    fn into_ends(self) -> (Vec<String>, Vec<String>) {
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
