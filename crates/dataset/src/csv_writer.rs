//! Writes the CSV dialect that `copy t from … (format csv, header)` reads as it stands.
//!
//! NULL is the empty unquoted field, the empty string is `""`; values are never changed.

use std::io::{self, Write};

use crate::Record;
use crate::chunk_search::{append_until_quote, find_special};

/// Larger buffers are given back to the system.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// A writer of records; the header is written first.
#[derive(Debug)]
pub struct CsvWriter<W: Write> {
    inner: W,
    line: Vec<u8>,
    records: u64,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// Those of the writer beneath.
    pub fn new<'a>(inner: W, header: impl IntoIterator<Item = &'a str>) -> io::Result<Self> {
        let mut writer = Self {
            inner,
            line: Vec::new(),
            records: 0,
        };
        let mut names = Record::new();
        for name in header {
            names.push_bytes(name.as_bytes());
        }
        writer.write(&names)?;
        writer.records = 0;
        Ok(writer)
    }

    /// Writes a record.
    ///
    /// # Errors
    /// Those of the writer beneath.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        self.write_known(record, |_| None)
    }

    /// Writes a record some of whose fields are known as they stand in a file of this dialect:
    /// `in_file` returns these by number.
    ///
    /// # Errors
    /// Those of the writer beneath.
    pub fn write_known<'f>(
        &mut self,
        record: &Record,
        in_file: impl Fn(usize) -> Option<&'f [u8]>,
    ) -> io::Result<()> {
        self.line.clear();
        for (index, field) in record.iter().enumerate() {
            if index > 0 {
                self.line.push(b',');
            }
            if let Some(known) = in_file(index) {
                self.line.extend_from_slice(known);
            } else if let Some(bytes) = field {
                append_field(&mut self.line, bytes);
            }
        }
        self.line.push(b'\n');
        self.inner.write_all(&self.line)?;
        if self.line.capacity() > KEPT_BYTES_MAX {
            self.line = Vec::new();
        }
        self.records += 1;
        Ok(())
    }

    /// Records written so far, without the header.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Gives back the writer beneath, which the caller completes.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

fn append_field(line: &mut Vec<u8>, field: &[u8]) {
    if !needs_quotes(field) {
        line.extend_from_slice(field);
        return;
    }
    line.push(b'"');
    let mut rest = field;
    while let Some(quote) = append_until_quote(rest, line) {
        line.extend_from_slice(b"\"\"");
        rest = &rest[quote + 1..];
    }
    line.push(b'"');
}

/// A lone `\.` is PostgreSQL's end-of-data marker unless it is quoted (manual, "COPY").
fn needs_quotes(field: &[u8]) -> bool {
    field.is_empty() || field == b"\\." || find_special(field).is_some()
}
