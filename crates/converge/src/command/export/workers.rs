//! Workers that read the chunks of a plan side by side, each on a connection of its own.
//!
//! A worker writes a file and hands it over; what is entered in journal, events and counters is
//! the first thread's.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;
use std::{fmt, thread};

use anyhow::Context;

use catalog::{SourceColumn, SourceTable};
use dataset::{ChunkDone, CsvWriter, FileEntry, KeyRange, PartialFile, Record, chunk_file_name};
use digest::{TableDigest, digest_fields};
use source::Reader;

use crate::command::export::copied_columns;
use crate::console::{Pulse, thousands};
use crate::interrupt::Interrupt;
use crate::run::StageRun;

/// Rows between two looks at the signals and the other workers.
const ROWS_BETWEEN_CHECKS: u64 = 256;
/// How often the first thread looks whether there is something to say.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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

/// What the workers share.
struct Shared<'s> {
    tasks: &'s [Task<'s>],
    next: AtomicUsize,
    stopped: AtomicBool,
    rows: AtomicU64,
    interrupt: &'s Interrupt,
    database: &'s str,
    directory: &'s Path,
}

/// Reads all chunks; `done` is called for each that is complete.
///
/// # Errors
/// The first error of a worker or of `done`, after which no chunk is begun, and those that are
/// being read are thrown away.
pub(crate) fn read_chunks(
    stage: &mut StageRun<'_>,
    readers: &mut [Reader],
    tasks: &[Task<'_>],
    directory: &Path,
    mut done: impl FnMut(&mut StageRun<'_>, ChunkDone) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let shared = &Shared {
        tasks,
        next: AtomicUsize::new(0),
        stopped: AtomicBool::new(false),
        rows: AtomicU64::new(0),
        interrupt: stage.interrupt,
        database: stage.database.source_name(),
        directory,
    };
    let name = stage.database.name.clone();
    let mut pulse = Pulse::new(stage.console);
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for reader in readers {
            let sender = sender.clone();
            scope.spawn(move || shared.work(reader, &sender));
        }
        drop(sender);
        let mut first_error = None;
        loop {
            let result = match results.recv_timeout(LOOK_EVERY) {
                Ok(result) => result.and_then(|chunk| done(stage, chunk)),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            pulse.beat(|| {
                let rows = thousands(shared.rows.load(Ordering::Relaxed));
                format!("export     {name} {rows} rows")
            });
            if let Err(error) = result {
                shared.stopped.store(true, Ordering::Relaxed);
                if !error.is::<Stopped>() {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(()), Err)
    })
}

impl Shared<'_> {
    /// Reads one chunk after the other until there is none left, or somebody failed.
    fn work(&self, reader: &mut Reader, results: &Sender<anyhow::Result<ChunkDone>>) {
        while !self.stopped.load(Ordering::Relaxed) {
            let Some(task) = self.tasks.get(self.next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            let result = self.read(reader, task);
            let failed = result.is_err();
            // The first thread listens until all workers have ended.
            let _ = results.send(result);
            if failed {
                return;
            }
        }
    }

    /// Writes the rows of a chunk to its file.
    fn read(&self, reader: &mut Reader, task: &Task<'_>) -> anyhow::Result<ChunkDone> {
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
                self.check()?;
            }
            digest.add(digest_fields(record.iter()));
            keys.see(record);
            writer.write(record).with_context(writing)
        })?;
        self.interrupt.check()?;
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

    fn check(&self) -> anyhow::Result<()> {
        self.interrupt.check()?;
        match self.stopped.load(Ordering::Relaxed) {
            true => Err(Stopped.into()),
            false => Ok(()),
        }
    }
}

/// Ends a worker because another one failed.
#[derive(Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another worker failed")
    }
}

impl std::error::Error for Stopped {}

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
