//! Takes the rows of a chunk from the source to its files.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

use catalog::{SourceColumn, SourceTable};
use dataset::{ChunkDone, KeyRange, Record, chunk_file_name};
use digest::{TableDigest, digest_fields};
use source::Reader;
use target::{Loader, Rows};
use transform::TablePlan;

use super::chunk_csv::{ChunkCsv, KeyEnds};
use super::converting::Converting;
use crate::command::export::copied_columns;
use crate::command::import::ahead::Columns;
use crate::command::transform::Places;
use crate::side_by_side::{Halt, Worker};

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
    /// How its rows are converted, where they are.
    pub(crate) plan: Option<&'t TablePlan>,
    /// How they are sent, where they can be loaded at once.
    pub(crate) columns: Option<&'t Columns<'t>>,
}

/// Who reads chunks, and loads them where that has begun.
pub(crate) struct Hand<'r> {
    pub(crate) reader: &'r mut Reader,
    pub(crate) loader: Option<&'r mut Loader>,
}

impl Worker for Hand<'_> {
    fn cancel(&self) -> Box<dyn Fn()> {
        let reads = self.reader.cancel();
        let loads = self.loader.as_ref().map(|loader| loader.cancel());
        Box::new(move || {
            reads.cancel();
            loads.iter().for_each(|loads| loads.cancel());
        })
    }
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
    /// Reads a chunk, writes its files, and loads it where that has begun.
    pub(crate) fn write(
        &self,
        hand: &mut Hand<'_>,
        task: &Task<'_>,
        halt: &Halt<'_>,
    ) -> anyhow::Result<ChunkDone> {
        let name = chunk_file_name(&task.table.name, task.number, task.of);
        let (Some(loader), Some(columns)) = (&mut hand.loader, task.columns) else {
            return self.write_files(hand.reader, (task, &name), None, halt);
        };
        let reader = &mut *hand.reader;
        columns.load(loader, (&task.table.name, &name), |rows| {
            let done = self.write_files(reader, (task, &name), Some(rows), halt)?;
            let converted = done.converted.as_ref();
            let file = &converted
                .context("rows are loaded as they are converted")?
                .file;
            Ok((file.blake3.clone(), done))
        })
    }

    fn write_files(
        &self,
        reader: &mut Reader,
        (task, name): (&Task<'_>, &str),
        rows: Option<&mut Rows<'_>>,
        halt: &Halt<'_>,
    ) -> anyhow::Result<ChunkDone> {
        let mut encoder = Encoder::create(self, (task, name), rows)?;
        reader.export_table::<anyhow::Error>(self.database, task.table, task.range, |record| {
            if encoder.digest.count.is_multiple_of(ROWS_BETWEEN_CHECKS) {
                halt.check()?;
            }
            encoder.write(record)
        })?;
        halt.check()?;
        self.rows.fetch_add(encoder.digest.count, Ordering::Relaxed);
        encoder.finish(task)
    }
}

/// What becomes of the rows of a chunk.
struct Encoder<'r, 't> {
    digest: TableDigest,
    keys: KeyEnds,
    /// As they were read.
    read: Option<ChunkCsv>,
    /// As the target takes them.
    converting: Option<Converting<'r, 't>>,
}

impl<'r, 't> Encoder<'r, 't> {
    fn create(
        place: &Place<'_>,
        (task, name): (&Task<'_>, &str),
        rows: Option<&'r mut Rows<'t>>,
    ) -> anyhow::Result<Self> {
        let columns: Vec<&SourceColumn> = copied_columns(task.table).collect();
        let keys = KeyEnds::of(task.table, &columns);
        let header = columns.iter().map(|column| column.name.as_str());
        let read = place
            .read
            .map(|directory| ChunkCsv::create(directory, name, header));
        let converting = task
            .plan
            .zip(place.converted)
            .map(|(plan, places)| Converting::create(plan, places, name, rows));
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
