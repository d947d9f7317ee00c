//! Takes the rows of a chunk from the source to its files.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fmt, mem, thread};

use catalog::{SourceColumn, SourceTable};
use dataset::{ChunkDone, KeyRange, Record, chunk_file_name};
use digest::{TableDigest, digest_fields};
use source::Reader;
use transform::TablePlan;

use super::chunk_csv::{ChunkCsv, KeyEnds};
use super::converting::Converting;
use crate::command::export::copied_columns;
use crate::command::transform::Places;
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
    /// How its rows are converted, where they are.
    pub(crate) plan: Option<&'t TablePlan>,
}

/// Where chunks are read and written.
#[derive(Debug)]
pub(crate) struct Place<'p> {
    /// The database on the source.
    pub(crate) database: &'p str,
    /// Where rows are kept as they are read.
    pub(crate) read: Option<&'p Path>,
    /// Where they are kept as the target takes them.
    pub(crate) converted: Option<&'p Places>,
    /// Rows of complete chunks.
    pub(crate) rows: AtomicU64,
}

impl Place<'_> {
    /// Reads a chunk and writes its files: one thread takes rows from the connection while
    /// another one writes them.
    pub(crate) fn write(
        &self,
        reader: &mut Reader,
        task: &Task<'_>,
        halt: &Halt<'_>,
    ) -> anyhow::Result<ChunkDone> {
        let encoder = Mutex::new(Encoder::create(self, task)?);
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
        self.rows.fetch_add(encoder.digest.count, Ordering::Relaxed);
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

/// What becomes of the rows of a chunk.
struct Encoder {
    digest: TableDigest,
    keys: KeyEnds,
    /// As they were read.
    read: Option<ChunkCsv>,
    /// As the target takes them.
    converting: Option<Converting>,
}

impl Encoder {
    fn create(place: &Place<'_>, task: &Task<'_>) -> anyhow::Result<Self> {
        let name = chunk_file_name(&task.table.name, task.number, task.of);
        let columns: Vec<&SourceColumn> = copied_columns(task.table).collect();
        let keys = KeyEnds::of(task.table, &columns);
        let header = columns.iter().map(|column| column.name.as_str());
        let read = place
            .read
            .map(|directory| ChunkCsv::create(directory, &name, header));
        let converting = task
            .plan
            .zip(place.converted)
            .map(|(plan, places)| Converting::create(plan, places, &name));
        Ok(Self {
            digest: TableDigest::default(),
            keys,
            read: read.transpose()?,
            converting: converting.transpose()?,
        })
    }

    fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        let digest = digest_fields(record.iter());
        self.digest.add(digest);
        self.keys.see(record);
        if let Some(csv) = &mut self.read {
            csv.write(record)?;
        }
        match &mut self.converting {
            Some(converting) => converting.write(record, self.digest.count, digest),
            None => Ok(()),
        }
    }

    fn finish(self, task: &Task<'_>) -> anyhow::Result<ChunkDone> {
        let keys = self.keys.into_ends();
        let file = self.read.map(|csv| csv.finish(&keys)).transpose()?;
        let converted = self.converting.map(|converting| converting.finish(&keys));
        Ok(ChunkDone {
            table: task.table.name.clone(),
            number: task.number,
            digest: self.digest.to_string(),
            file,
            converted: converted.transpose()?,
        })
    }
}
