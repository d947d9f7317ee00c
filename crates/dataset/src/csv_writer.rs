//! Writes the CSV dialect that `copy t from … (format csv, header)` reads as it stands.
//!
//! NULL is the empty unquoted field, the empty string is `""`; values are never changed.

use std::io::{self, Write};

use memchr::{memchr, memchr3};

use crate::Record;

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
        writer.write_line(&names)?;
        Ok(writer)
    }

    /// Writes a record.
    ///
    /// # Errors
    /// Those of the writer beneath.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        self.write_line(record)?;
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

    fn write_line(&mut self, record: &Record) -> io::Result<()> {
        self.line.clear();
        for (index, field) in record.iter().enumerate() {
            if index > 0 {
                self.line.push(b',');
            }
            if let Some(bytes) = field {
                append_field(&mut self.line, bytes);
            }
        }
        self.line.push(b'\n');
        self.inner.write_all(&self.line)
    }
}

fn append_field(line: &mut Vec<u8>, field: &[u8]) {
    if !needs_quotes(field) {
        line.extend_from_slice(field);
        return;
    }
    line.push(b'"');
    let mut rest = field;
    while let Some(quote) = memchr(b'"', rest) {
        line.extend_from_slice(&rest[..=quote]);
        line.push(b'"');
        rest = &rest[quote + 1..];
    }
    line.extend_from_slice(rest);
    line.push(b'"');
}

/// A lone `\.` is PostgreSQL's end-of-data marker unless it is quoted (manual, "COPY").
fn needs_quotes(field: &[u8]) -> bool {
    field.is_empty()
        || field == b"\\."
        || memchr3(b',', b'"', b'\n', field).is_some()
        || memchr(b'\r', field).is_some()
}
