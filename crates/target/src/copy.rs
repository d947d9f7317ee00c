//! Sends rows to the server: those of files as they stand, or encoded in another thread while the
//! server takes what is done, and those that come one by one.

use std::io::{self, Read, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use postgres::{CopyInWriter, Transaction};

use catalog::{TargetTable, quote};
use dataset::Record;

use crate::binary::{self, Encoded, Encoder, Failed, Tuples};
use crate::error::{Doing, Error, Kind};
use crate::row_key::RowKey;

/// The server keeps a message in one piece, and takes none of more than a gigabyte.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Larger buffers are given back to the system.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// How the files of a table are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyForm {
    pub(crate) form: Form,
    /// Names a row that the server refuses.
    pub(crate) row_key: RowKey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As CSV, because of this column.
    Csv { column: String },
    /// Each field in the binary form of its type.
    Binary(Vec<Encoder>),
}

impl CopyForm {
    /// Binary where each column's type has a binary form here.
    pub fn of(table: &TargetTable, columns: &[&str]) -> Self {
        let encoder = |name: &&str| {
            let column = table.column(name);
            let encoder = column.and_then(|column| Encoder::of(&column.data_type));
            encoder.ok_or_else(|| (*name).to_owned())
        };
        let encoders: Result<Vec<Encoder>, String> = columns.iter().map(encoder).collect();
        Self {
            form: encoders.map_or_else(|column| Form::Csv { column }, Form::Binary),
            row_key: RowKey::of(table),
        }
    }

    pub(crate) fn encoders(&self) -> Option<&[Encoder]> {
        match &self.form {
            Form::Csv { .. } => None,
            Form::Binary(encoders) => Some(encoders),
        }
    }

    /// The column for which the files are sent as CSV.
    pub fn csv_because_of(&self) -> Option<&str> {
        match &self.form {
            Form::Csv { column } => Some(column),
            Form::Binary(_) => None,
        }
    }
}

/// Few large messages instead of many small ones.
const MESSAGE_BYTES: usize = 256 * 1024;

/// Sends a CSV with its header to a table and returns the number of rows that the server took.
///
/// `proceed` is asked before every message; where it says no, the COPY is aborted.
pub(crate) fn copy_csv<E: From<Error>>(
    transaction: &mut Transaction<'_>,
    schema: &str,
    table: &str,
    (columns, row_key): (&[&str], &RowKey),
    mut csv: impl Read,
    mut proceed: impl FnMut(u64) -> Result<(), E>,
) -> Result<u64, E> {
    let columns: Vec<String> = columns.iter().map(|c| quote::postgres(c)).collect();
    let sql = format!(
        "copy {} ({}) from stdin (format csv, header)",
        quote::postgres_qualified(schema, table),
        columns.join(", ")
    );
    let doing = || format!("loading table `{table}`");
    let refused = |error: Error| error.of_row(row_key);
    let mut writer = transaction.copy_in(&sql).doing(doing)?;
    let mut buffer = vec![0; MESSAGE_BYTES];
    let mut sent = 0;
    loop {
        proceed(sent)?;
        let bytes = csv
            .read(&mut buffer)
            .map_err(|error| Error::new(Kind::Local(error), "reading the file to load"))?;
        if bytes == 0 {
            break;
        }
        let written = writer.write_all(&buffer[..bytes]).doing(doing);
        written.map_err(refused)?;
        sent += bytes as u64;
    }
    Ok(writer.finish().doing(doing).map_err(refused)?)
}

/// Sends a CSV with its header in binary form and returns the number of rows that the server
/// took.
///
/// `proceed` is asked before every message, with the records that are encoded; where it says no,
/// the COPY is aborted.
pub(crate) fn copy_binary<E: From<Error> + Send>(
    transaction: &mut Transaction<'_>,
    schema: &str,
    (table, file): (&str, &str),
    (columns, row_key): (&[&str], &RowKey),
    encoders: &[Encoder],
    csv: impl Read + Send,
    mut proceed: impl FnMut(u64) -> Result<(), E>,
) -> Result<u64, E> {
    let doing = || format!("loading table `{table}` from {file}");
    let refused = |error: Error| error.in_records().of_row(row_key);
    let sql = binary_sql(schema, table, columns);
    let mut writer = transaction.copy_in(&sql).doing(doing)?;
    thread::scope(|scope| {
        // One is sent, one waits, one is filled.
        let (full, pieces) = mpsc::sync_channel(1);
        let (empty, empties) = mpsc::channel::<Encoded>();
        let encoding = scope.spawn(move || {
            binary::encode(csv, columns, encoders, |piece| {
                full.send(piece).map_err(|_| NobodySends)?;
                Ok(empties.try_recv().unwrap_or_default())
            })
        });
        let sent = send(&mut writer, pieces, &empty, &mut proceed, &|error| {
            refused(Error::new(Kind::Io(error), doing()))
        });
        let encoded = encoding.join().unwrap_or_else(|panic| resume_unwind(panic));
        // Why nobody took the pieces matters more than that nobody did.
        sent?;
        encoded.map_err(|failed| in_file(&failed, (table, file), columns))?;
        Ok(())
    })
    .and_then(|()| Ok(writer.finish().doing(doing).map_err(refused)?))
}

fn binary_sql(schema: &str, table: &str, columns: &[&str]) -> String {
    let names: Vec<String> = columns.iter().map(|c| quote::postgres(c)).collect();
    format!(
        "copy {} ({}) from stdin (format binary)",
        quote::postgres_qualified(schema, table),
        names.join(", ")
    )
}

/// Rows on their way to the server one by one, while the file that they belong to is written;
/// dropping it leaves nothing of them.
pub struct Rows<'t> {
    writer: CopyInWriter<'t>,
    tuples: Tuples<'t>,
    row_key: &'t RowKey,
    table: &'t str,
    file: &'t str,
    columns: &'t [&'t str],
}

impl<'t> Rows<'t> {
    pub(crate) fn begin(
        transaction: &'t mut Transaction<'_>,
        schema: &str,
        (table, file): (&'t str, &'t str),
        (columns, row_key): (&'t [&'t str], &'t RowKey),
        encoders: &'t [Encoder],
    ) -> Result<Self, Error> {
        let doing = || format!("loading table `{table}` from {file}");
        let tuples = Tuples::begin(encoders)
            .ok_or_else(|| in_file(&Failed::Columns, (table, file), columns))?;
        let sql = binary_sql(schema, table, columns);
        Ok(Self {
            writer: transaction.copy_in(&sql).doing(doing)?,
            tuples,
            row_key,
            table,
            file,
            columns,
        })
    }

    /// Sends a row, with those before it once they are many.
    ///
    /// # Errors
    /// Where a field is not in the spelling of its type, and where the server refuses one of the
    /// rows sent until now.
    pub fn send(&mut self, record: &Record) -> Result<(), Error> {
        let added = self.tuples.add(record);
        added.map_err(|failed| in_file(&failed, (self.table, self.file), self.columns))?;
        if !self.tuples.is_full() {
            return Ok(());
        }
        let bytes = self.tuples.take().bytes;
        self.write(&bytes)?;
        if bytes.capacity() <= KEPT_BYTES_MAX {
            self.tuples.reuse(bytes);
        }
        Ok(())
    }

    /// Sends what is left; returns how many rows were sent, and how many the server took.
    pub(crate) fn end(mut self) -> Result<(u64, u64), Error> {
        self.tuples.end();
        let last = self.tuples.take();
        self.write(&last.bytes)?;
        let doing = || format!("loading table `{}` from {}", self.table, self.file);
        let taken = self.writer.finish().doing(doing);
        Ok((
            last.records,
            taken.map_err(|error| error.in_records().of_row(self.row_key))?,
        ))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let doing = || format!("loading table `{}` from {}", self.table, self.file);
        for message in bytes.chunks(MESSAGE_BYTES_MAX) {
            let written = self.writer.write_all(message).doing(doing);
            written.map_err(|error| error.in_records().of_row(self.row_key))?;
        }
        Ok(())
    }
}

/// The thread that sends has ended, and says why itself.
struct NobodySends;

fn send<E: From<Error>>(
    writer: &mut CopyInWriter<'_>,
    pieces: Receiver<Encoded>,
    empty: &Sender<Encoded>,
    proceed: &mut impl FnMut(u64) -> Result<(), E>,
    refused: &dyn Fn(io::Error) -> Error,
) -> Result<(), E> {
    for piece in pieces {
        for message in piece.bytes.chunks(MESSAGE_BYTES_MAX) {
            proceed(piece.records)?;
            writer.write_all(message).map_err(refused)?;
        }
        // A long row's buffer is not kept. Whoever encodes has ended where this fails.
        if piece.bytes.capacity() <= KEPT_BYTES_MAX {
            let _ = empty.send(piece);
        }
    }
    Ok(())
}

fn in_file(failed: &Failed<NobodySends>, (table, file): (&str, &str), columns: &[&str]) -> Error {
    let text = match failed {
        Failed::Read(error) => error.to_string(),
        Failed::Columns => "its columns are not those of the manifest".to_owned(),
        Failed::Field { record, column } => format!(
            "column {}, record {record}: not in the spelling of its type",
            columns[*column]
        ),
        Failed::Send(NobodySends) => "nobody took what was read".to_owned(),
    };
    Error::new(
        Kind::File(text),
        format!("reading {file} for table `{table}`"),
    )
}
