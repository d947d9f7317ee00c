//! Reads a table through binary COPY OUT, for `verify` and for fingerprints.
//!
//! Hands the fields on as bytes; what they mean is the reader's business.

use std::io::Read;

use catalog::quote;

use crate::connection::Connection;
use crate::error::{Doing, Error, Kind};

/// The signature that opens binary COPY data (PostgreSQL manual, "COPY", "Binary Format").
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

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
        self.scan_query(&query, table, visit)
    }

    /// Hands every row of a query about a table to `visit`.
    pub(crate) fn scan_query<E: From<Error>>(
        &mut self,
        query: &str,
        table: &str,
        mut visit: impl FnMut(&TargetRow<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let sql = format!("copy ({query}) to stdout (format binary)");
        let doing = || format!("reading table `{table}`");
        let cancel = self.cancel();
        let reader = self.client.copy_out(&sql).doing(doing)?;
        let mut tuples = Tuples::new(reader, table)?;
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
}

impl<'t, R: Read> Tuples<'t, R> {
    fn new(reader: R, table: &'t str) -> Result<Self, Error> {
        let mut tuples = Self {
            reader,
            table,
            buffer: Vec::new(),
            fields: Vec::new(),
        };
        let mut signature = [0; SIGNATURE.len()];
        tuples.read_exact(&mut signature)?;
        if &signature != SIGNATURE {
            return Err(tuples.malformed());
        }
        tuples.read_i32()?;
        let extension = tuples.read_i32()?;
        let extension = usize::try_from(extension).map_err(|_| tuples.malformed())?;
        let mut skipped = vec![0; extension];
        tuples.read_exact(&mut skipped)?;
        Ok(tuples)
    }

    fn next_row(&mut self) -> Result<Option<Vec<Option<&[u8]>>>, Error> {
        let mut count = [0; 2];
        self.read_exact(&mut count)?;
        let count = i16::from_be_bytes(count);
        if count == -1 {
            return Ok(None);
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
            self.buffer.resize(start + length, 0);
            let table = self.table;
            self.reader
                .read_exact(&mut self.buffer[start..])
                .doing(|| format!("reading table `{table}`"))?;
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
