//! The records of a file, one after the other through a plan: the loop that all time is spent in.
//!
//! Knows no files: where the bytes come from and go to is the caller's.

use std::fmt;
use std::io::{self, Read, Write};

use dataset::{CsvReader, CsvWriter, Record};
use digest::{TableDigest, digest_fields};

use crate::plan::TablePlan;
use crate::rejection::Rejection;

/// Buffers that are kept from record to record and from file to file.
#[derive(Debug, Default)]
pub struct Buffers {
    record: Record,
    converted: Record,
}

/// Converts every record and writes it; returns the number of records and the digest of what was
/// written. `seen` is called for each with the record as it came in and its number: the plan then
/// knows what its rules changed.
///
/// # Errors
/// Where a record cannot be read, converted or written, and those of `seen`.
pub fn convert_records<R: Read, W: Write, E>(
    plan: &mut TablePlan,
    reader: &mut CsvReader<R>,
    writer: &mut CsvWriter<W>,
    buffers: &mut Buffers,
    mut seen: impl FnMut(&TablePlan, &Record, u64) -> Result<(), E>,
) -> Result<TableDigest, Failed<E>> {
    let Buffers { record, converted } = buffers;
    let mut digest = TableDigest::default();
    while reader.read(record).map_err(Failed::Read)? {
        let number = reader.record_number();
        plan.convert(record, converted, number)
            .map_err(Failed::Rejected)?;
        seen(plan, record, number).map_err(Failed::Seen)?;
        digest.add(digest_fields(converted.iter()));
        // What was not changed stands in the file as it is to be written, quotes and all.
        let in_file = |index: usize| {
            let field = plan.columns()[index].field();
            let is_unchanged = record.get(field) == converted.get(index);
            is_unchanged.then(|| reader.field_in_file(field))
        };
        writer
            .write_known(converted, in_file)
            .map_err(Failed::Write)?;
    }
    Ok(digest)
}

/// Why not all records were converted.
#[derive(Debug)]
pub enum Failed<E> {
    /// A record could not be read.
    Read(dataset::Error),
    /// A record could not be converted.
    Rejected(Rejection),
    /// A record could not be written.
    Write(io::Error),
    /// The caller stopped it.
    Seen(E),
}

impl<E: fmt::Display> fmt::Display for Failed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Rejected(rejection) => rejection.fmt(f),
            Self::Write(error) => error.fmt(f),
            Self::Seen(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Failed<E> {}
