//! Reads a table through binary COPY OUT, for `verify` and for fingerprints.
//!
//! Hands the fields on as bytes; what they mean is the reader's business.

use std::io::Read;

use catalog::quote;

use crate::connection::Connection;
use crate::error::{Doing, Error, Kind};

/// The signature that opens binary COPY data (PostgreSQL manual, "COPY", "Binary Format").
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// By so much a buffer grows while a long field arrives.
const STEP: usize = 1 << 20;

/// The fields of a row, each `None` for NULL.
pub type TargetRow<'a> = [Option<&'a [u8]>];

impl Connection {
    /// About how many rows a table has, from the planner's statistics; 0 where there are none.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn estimated_rows(&mut self, schema: &str, table: &str) -> Result<u64, Error> {
        let sql = "select greatest(c.reltuples, 0)::bigint from pg_catalog.pg_class c \
                     join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                    where n.nspname = $1 and c.relname = $2";
        let row = self
            .client
            .query_opt(sql, &[&schema, &table])
            .doing(|| format!("reading the size of table `{table}`"))?;
        Ok(row.map_or(0, |row| {
            u64::try_from(row.get::<_, i64>(0)).unwrap_or_default()
        }))
    }

    /// Hands every row of a table to `visit`, in the server's cheapest order.
    ///
    /// Returns the number of rows.
    ///
    /// # Errors
    /// Those of the server and those of `visit`, after which the server's statement is ended.
    pub fn scan_table<E: From<Error>>(
        &mut self,
        schema: &str,
        table: &str,
        columns: &[&str],
        visit: impl FnMut(&TargetRow<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let columns_sql: Vec<String> = columns.iter().map(|c| quote::postgres(c)).collect();
        let query = format!(
            "select {} from {}",
            columns_sql.join(", "),
            quote::postgres_qualified(schema, table)
        );
        self.scan_query(&query, table, columns.len(), visit)
    }

    /// Hands every row of a query about a table, which has so many columns, to `visit`.
    pub(crate) fn scan_query<E: From<Error>>(
        &mut self,
        query: &str,
        table: &str,
        columns: usize,
        mut visit: impl FnMut(&TargetRow<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let sql = format!("copy ({query}) to stdout (format binary)");
        let doing = || format!("reading table `{table}`");
        let cancel = self.cancel();
        let reader = self.client.copy_out(&sql).doing(doing)?;
        let mut tuples = Tuples::new(reader, table, columns)?;
        let mut rows = 0;
        loop {
            match tuples.next_row() {
                Ok(Some(row)) => {
                    rows += 1;
                    if let Err(error) = visit(&row) {
                        // Dropping the reader would read all that is left.
                        cancel.cancel();
                        return Err(error);
                    }
                }
                Ok(None) => return Ok(rows),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A reader of binary COPY data.
struct Tuples<'t, R: Read> {
    reader: R,
    table: &'t str,
    buffer: Vec<u8>,
    fields: Vec<Option<(usize, usize)>>,
    /// Fields of each row.
    columns: usize,
}

impl<'t, R: Read> Tuples<'t, R> {
    fn new(reader: R, table: &'t str, columns: usize) -> Result<Self, Error> {
        let mut tuples = Self {
            reader,
            table,
            buffer: Vec::new(),
            fields: Vec::new(),
            columns,
        };
        let mut signature = [0; SIGNATURE.len()];
        tuples.read_exact(&mut signature)?;
        if &signature != SIGNATURE {
            return Err(tuples.malformed());
        }
        tuples.read_i32()?;
        let extension = tuples.read_i32()?;
        // No version of the server has one.
        match extension {
            0 => Ok(tuples),
            _ => Err(tuples.malformed()),
        }
    }

    fn next_row(&mut self) -> Result<Option<Vec<Option<&[u8]>>>, Error> {
        let mut count = [0; 2];
        self.read_exact(&mut count)?;
        let count = i16::from_be_bytes(count);
        if count == -1 {
            return Ok(None);
        }
        if usize::try_from(count) != Ok(self.columns) {
            return Err(self.malformed());
        }
        self.buffer.clear();
        self.fields.clear();
        for _ in 0..count {
            let length = self.read_i32()?;
            if length == -1 {
                self.fields.push(None);
                continue;
            }
            let length = usize::try_from(length).map_err(|_| self.malformed())?;
            let start = self.buffer.len();
            self.read_field(length)?;
            self.fields.push(Some((start, start + length)));
        }
        let buffer = &self.buffer;
        let fields = self.fields.iter();
        Ok(Some(
            fields
                .map(|f| f.map(|(start, end)| &buffer[start..end]))
                .collect(),
        ))
    }

    /// Takes memory for what has arrived, not for what is announced.
    fn read_field(&mut self, length: usize) -> Result<(), Error> {
        let (table, mut left) = (self.table, length);
        while left > 0 {
            let (start, step) = (self.buffer.len(), left.min(STEP));
            self.buffer.resize(start + step, 0);
            let read = self.reader.read_exact(&mut self.buffer[start..]);
            read.doing(|| format!("reading table `{table}`"))?;
            left -= step;
        }
        Ok(())
    }

    fn read_i32(&mut self) -> Result<i32, Error> {
        let mut bytes = [0; 4];
        self.read_exact(&mut bytes)?;
        Ok(i32::from_be_bytes(bytes))
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        let table = self.table;
        self.reader
            .read_exact(bytes)
            .doing(|| format!("reading table `{table}`"))
    }

    fn malformed(&self) -> Error {
        Error::new(
            Kind::State("the server sent something that is no binary COPY data".to_owned()),
            format!("reading table `{}`", self.table),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a stream for a table of two columns.
    fn rows(bytes: &[u8]) -> Result<u64, String> {
        let bytes = [&SIGNATURE[..], &[0; 8], bytes].concat();
        let read = || -> Result<u64, Error> {
            let mut tuples = Tuples::new(&bytes[..], "t", 2)?;
            let mut rows = 0;
            while tuples.next_row()?.is_some() {
                rows += 1;
            }
            assert!(tuples.buffer.capacity() <= 2 * STEP);
            Ok(rows)
        };
        read().map_err(|error| error.to_string())
    }

    #[test]
    fn a_stream_that_lies_is_an_error_and_costs_no_memory() {
        let row = [&[0, 2][..], &[0, 0, 0, 1, b'x'], &[0xff; 4]].concat();
        let end = [0xff, 0xff];
        assert_eq!(rows(&[&row[..], &row, &end].concat()), Ok(2));
        for lie in [
            // Rows of no, of three, and of a negative number of fields.
            &[0, 0][..],
            &[0, 3, 0, 0, 0, 0],
            &[0xff, 0xfe],
            // A field of two gigabytes, and of a negative length.
            &[0, 2, 0x7f, 0xff, 0xff, 0xff, b'x'],
            &[0, 2, 0xff, 0xff, 0xff, 0xfe],
            // An end that does not come.
            &[],
        ] {
            assert!(rows(&[&row[..], lie].concat()).is_err(), "{lie:?}");
        }
        // An announced extension.
        let bytes = [&SIGNATURE[..], &[0; 4], &[0x7f, 0xff, 0xff, 0xff]].concat();
        assert!(Tuples::new(&bytes[..], "t", 2).is_err());
    }
}
