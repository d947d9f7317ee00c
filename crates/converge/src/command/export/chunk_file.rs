//! Writes the rows of a chunk to its file.

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fmt, mem, thread};

use anyhow::Context;

use catalog::{SourceColumn, SourceTable};
use dataset::{ChunkDone, CsvWriter, FileEntry, KeyRange, PartialFile, Record, chunk_file_name};
use digest::{TableDigest, digest_fields};
use source::Reader;

use crate::command::export::copied_columns;
use crate::side_by_side::Halt;

/// Rows between two looks at the signals and the other workers.
const ROWS_BETWEEN_CHECKS: u64 = 256;
/// Enough that the hand-over costs nothing beside the bytes, and little beside what a row may
/// take.
const BATCH_BYTES: usize = 256 << 10;
/// The same for rows of few bytes, whose records weigh more than they hold.
const BATCH_ROWS_MAX: usize = 2048;
/// Larger buffers are not kept: each record of a batch would come to hold a long row's.
const KEPT_BYTES: usize = 4 << 10;
/// What a field takes beside its bytes.
const FIELD_BYTES: usize = 9;
/// Batches that may wait to be written.
const BATCHES_MAX: usize = 2;

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
    /// Reads a chunk and writes its file: one thread takes rows from the connection while
    /// another one writes them.
    pub(crate) fn write(
        &self,
        reader: &mut Reader,
        task: &Task<'_>,
        halt: &Halt<'_>,
    ) -> anyhow::Result<ChunkDone> {
        let encoder = Mutex::new(Encoder::create(self.directory, task)?);
        thread::scope(|scope| {
            let (full, batches) = mpsc::sync_channel(BATCHES_MAX);
            let (empty, empties) = mpsc::channel();
            let encoder = &encoder;
            let writing = scope.spawn(move || write_batches(encoder, batches, &empty));
            let mut passing = Passing::new(encoder, full, empties);
            let read = reader
                .export_table::<anyhow::Error>(self.database, task.table, task.range, |record| {
                    passing.pass(record, halt)
                })
                .and_then(|_| passing.hand_over());
            drop(passing);
            let written = writing.join();
            // Why nobody takes the rows matters more than that nobody does.
            written
                .unwrap_or_else(|panic| resume_unwind(panic))
                .and(read)
        })?;
        halt.check()?;
        let encoder = encoder.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.rows
            .fetch_add(encoder.writer.records(), Ordering::Relaxed);
        encoder.finish(task)
    }
}

/// Records that go from one thread to the other together.
#[derive(Debug, Default)]
struct Batch {
    /// Those behind the first `used` are there for their buffers.
    records: Vec<Record>,
    used: usize,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, record: &Record) {
        if self.used == self.records.len() {
            self.records.push(Record::new());
        }
        self.records[self.used].copy_from(record);
        self.used += 1;
        self.bytes += record.byte_len() + FIELD_BYTES * record.len();
    }

    fn clear(&mut self) {
        for record in &mut self.records[..self.used] {
            if record.byte_len() > KEPT_BYTES {
                *record = Record::new();
            }
        }
        (self.used, self.bytes) = (0, 0);
    }
}

/// The side that has the rows.
struct Passing<'p> {
    encoder: &'p Mutex<Encoder>,
    full: SyncSender<Batch>,
    empties: Receiver<Batch>,
    batch: Batch,
    /// Batches that have not come back.
    under_way: usize,
    rows: u64,
}

impl<'p> Passing<'p> {
    fn new(encoder: &'p Mutex<Encoder>, full: SyncSender<Batch>, empties: Receiver<Batch>) -> Self {
        Self {
            encoder,
            full,
            empties,
            batch: Batch::default(),
            under_way: 0,
            rows: 0,
        }
    }

    fn pass(&mut self, record: &Record, halt: &Halt<'_>) -> anyhow::Result<()> {
        if self.rows.is_multiple_of(ROWS_BETWEEN_CHECKS) {
            halt.check()?;
        }
        self.rows += 1;
        if record.byte_len() > BATCH_BYTES {
            return self.write_alone(record);
        }
        self.batch.add(record);
        match self.batch.bytes < BATCH_BYTES && self.batch.used < BATCH_ROWS_MAX {
            true => Ok(()),
            false => self.hand_over(),
        }
    }

    /// A large row is not copied: it is written here, once all before it are.
    fn write_alone(&mut self, record: &Record) -> anyhow::Result<()> {
        self.hand_over()?;
        while self.under_way > 0 {
            self.batch = self.empties.recv().map_err(|_| NobodyWrites)?;
            self.under_way -= 1;
        }
        lock(self.encoder).write(record)
    }

    fn hand_over(&mut self) -> anyhow::Result<()> {
        let empty = match self.empties.try_recv() {
            Ok(empty) => {
                self.under_way -= 1;
                empty
            }
            Err(_) => Batch::default(),
        };
        let batch = mem::replace(&mut self.batch, empty);
        if batch.used > 0 {
            self.full.send(batch).map_err(|_| NobodyWrites)?;
            self.under_way += 1;
        }
        Ok(())
    }
}

/// The thread that writes has ended, and says why itself.
#[derive(Debug)]
struct NobodyWrites;

impl fmt::Display for NobodyWrites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody writes the rows")
    }
}

impl std::error::Error for NobodyWrites {}

fn write_batches(
    encoder: &Mutex<Encoder>,
    batches: Receiver<Batch>,
    empty: &Sender<Batch>,
) -> anyhow::Result<()> {
    for mut batch in batches {
        let mut encoder = lock(encoder);
        for record in &batch.records[..batch.used] {
            encoder.write(record)?;
        }
        drop(encoder);
        batch.clear();
        // Who reads has ended where this fails.
        let _ = empty.send(batch);
    }
    Ok(())
}

fn lock(encoder: &Mutex<Encoder>) -> MutexGuard<'_, Encoder> {
    encoder.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is being written, and what is known of it.
struct Encoder {
    name: String,
    path: PathBuf,
    writer: CsvWriter<PartialFile>,
    digest: TableDigest,
    keys: KeyEnds,
}

impl Encoder {
    fn create(directory: &Path, task: &Task<'_>) -> anyhow::Result<Self> {
        let name = chunk_file_name(&task.table.name, task.number, task.of);
        let path = directory.join(&name);
        let columns: Vec<&SourceColumn> = copied_columns(task.table).collect();
        let header = columns.iter().map(|column| column.name.as_str());
        let file = PartialFile::create(&path)?;
        let writer = CsvWriter::new(file, header);
        Ok(Self {
            writer: writer.with_context(|| format!("writing {}", path.display()))?,
            digest: TableDigest::default(),
            keys: KeyEnds::of(task.table, &columns),
            name,
            path,
        })
    }

    fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        self.digest.add(digest_fields(record.iter()));
        self.keys.see(record);
        let written = self.writer.write(record);
        written.with_context(|| format!("writing {}", self.path.display()))
    }

    fn finish(self, task: &Task<'_>) -> anyhow::Result<ChunkDone> {
        let rows = self.writer.records();
        let summary = self.writer.into_inner().finish()?;
        let (first_key, last_key) = self.keys.into_ends();
        Ok(ChunkDone {
            table: task.table.name.clone(),
            number: task.number,
            digest: self.digest.to_string(),
            file: FileEntry {
                name: self.name,
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
