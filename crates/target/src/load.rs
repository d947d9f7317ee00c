//! What the sessions of a load do side by side: a file, a table's keys, each in a transaction that
//! also enters it in the ledger.

use std::io::Read;

use postgres::Transaction;

use catalog::quote;

use crate::connection::{Cancel, Connection};
use crate::copy::{CopyForm, Form, Rows, copy_binary, copy_csv};
use crate::endpoint::Endpoint;
use crate::error::{Doing, Error, Kind};
use crate::ledger::{self, LedgerRun};
use crate::off::{Off, OffState};
use crate::row_key::RowKey;

/// Without a limit, a forgotten session of somebody else would hold up the run without a word.
pub(crate) const LOCK_TIMEOUT: &str = "lock_timeout = '30s'";

/// A file that is to be loaded.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'c> {
    /// Its table.
    pub table: &'c str,
    /// Its name, by which the ledger knows it.
    pub file: &'c str,
    /// BLAKE3 of its bytes, in hex.
    pub blake3: &'c str,
    /// Records in it.
    pub rows: u64,
}

impl Chunk<'_> {
    /// Fails where the server took another number of rows than there are.
    fn check_taken(&self, taken: u64) -> Result<(), Error> {
        let Chunk {
            table, file, rows, ..
        } = self;
        if taken == *rows {
            return Ok(());
        }
        let text = format!(
            "the server took {taken} rows of {rows}; look for triggers or rules that drop rows"
        );
        let doing = format!("loading table `{table}` from {file}");
        Err(Error::new(Kind::Count(text), doing))
    }
}

/// A session of a run that loads files and brings back what was off.
pub struct Loader {
    connection: Connection,
    ledger: String,
    run_id: String,
    schema: String,
}

/// A file on its way; dropping it leaves nothing of it.
pub struct ChunkLoad<'l> {
    transaction: Transaction<'l>,
    schema: &'l str,
    chunk: Chunk<'l>,
}

impl Loader {
    /// Opens a session for a run at work; `number` tells it from the others.
    pub(crate) fn open(
        endpoint: &Endpoint,
        (ledger, run): (&str, &LedgerRun),
        number: usize,
    ) -> Result<Self, Error> {
        let mut connection = Connection::open(endpoint)?;
        connection.join_run(&run.run_id, number)?;
        // A quarter less time for wide rows than the default takes; not every server has it. And
        // memory for building indexes, where there is less: one of some millions of rows is then
        // sorted without files. Nobody waits for the disk but the last transaction of the load,
        // by which all before it are there too: one that a crash takes has its row of the ledger
        // in it, so that the load goes on from there.
        let settings = "select pg_catalog.set_config(name, 'lz4', false) \
               from pg_catalog.pg_settings \
              where name = 'default_toast_compression' and 'lz4' = any (enumvals) \
             union all \
             select pg_catalog.set_config('maintenance_work_mem', '256MB', false) \
              where pg_catalog.pg_size_bytes( \
                      pg_catalog.current_setting('maintenance_work_mem')) < 256 * 1024 * 1024 \
             union all \
             select pg_catalog.set_config('synchronous_commit', 'off', false)";
        let doing = || "fixing the session's settings".to_owned();
        connection.client.query(settings, &[]).doing(doing)?;
        let limit = format!("set {LOCK_TIMEOUT}");
        connection.client.batch_execute(&limit).doing(doing)?;
        Ok(Self {
            connection,
            ledger: ledger.to_owned(),
            run_id: run.run_id.clone(),
            schema: run.target_schema.clone(),
        })
    }

    /// A handle that can end this session's statement.
    pub fn cancel(&self) -> Cancel {
        self.connection.cancel()
    }

    /// Begins to load a file, which the ledger must not know yet.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn begin<'l>(&'l mut self, chunk: &Chunk<'l>) -> Result<ChunkLoad<'l>, Error> {
        let doing = || format!("loading table `{}` from {}", chunk.table, chunk.file);
        let mut transaction = self.connection.client.transaction().doing(doing)?;
        ledger::insert_chunk(&mut transaction, (&self.ledger, &self.run_id), chunk)?;
        Ok(ChunkLoad {
            transaction,
            schema: &self.schema,
            chunk: *chunk,
        })
    }

    /// Loads a file while it is being written, which the ledger must not know yet: `write` sends
    /// its rows, and returns BLAKE3 of its bytes with what it made.
    ///
    /// Wants a table whose columns all have a binary form.
    ///
    /// # Errors
    /// Where the server refuses a row, and those of `write`; nothing is loaded then. Where the
    /// connection is lost, only the ledger can say whether it took the commit.
    pub fn load_rows<T, E: From<Error>>(
        &mut self,
        (table, file): (&str, &str),
        (form, columns): (&CopyForm, &[&str]),
        write: impl FnOnce(&mut Rows<'_>) -> Result<(String, T), E>,
    ) -> Result<T, E> {
        let doing = || format!("loading table `{table}` from {file}");
        let encoders = form.encoders().ok_or_else(|| {
            let text = "a column has a type without a binary form here";
            Error::new(Kind::State(text.to_owned()), doing())
        })?;
        let mut transaction = self.connection.client.transaction().doing(doing)?;
        let place = (table, file);
        let columns = (columns, &form.row_key);
        let mut rows = Rows::begin(&mut transaction, &self.schema, place, columns, encoders)?;
        let (blake3, written) = write(&mut rows)?;
        let (sent, taken) = rows.end()?;
        let chunk = Chunk {
            table,
            file,
            blake3: &blake3,
            rows: sent,
        };
        chunk.check_taken(taken)?;
        ledger::insert_chunk(&mut transaction, (&self.ledger, &self.run_id), &chunk)?;
        transaction.commit().doing(doing)?;
        Ok(written)
    }

    /// Brings things back, one after the other, each for good.
    ///
    /// # Errors
    /// Where a row violates a key, or where the server refuses; what came before is back.
    pub fn put_back(&mut self, off: &[&Off]) -> Result<(), Error> {
        for off in off {
            self.step(off, Off::put_back)?;
        }
        Ok(())
    }

    /// Checks foreign keys against all rows, each for good.
    ///
    /// # Errors
    /// Where a row violates one, or where the server refuses.
    pub fn validate(&mut self, off: &[&Off]) -> Result<(), Error> {
        for off in off {
            self.step(off, |off, transaction| {
                off.validate(transaction)?;
                Ok(OffState::On)
            })?;
        }
        Ok(())
    }

    /// Gathers the statistics of a table.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn analyze(&mut self, table: &str) -> Result<(), Error> {
        let table = quote::postgres_qualified(&self.schema, table);
        self.connection.batch_execute(&format!("analyze {table}"))
    }

    fn step(
        &mut self,
        off: &Off,
        step: impl FnOnce(&Off, &mut Transaction<'_>) -> Result<OffState, Error>,
    ) -> Result<(), Error> {
        let doing = || format!("bringing `{}` of {} back", off.name(), off.table());
        let mut transaction = self.connection.client.transaction().doing(doing)?;
        let state = step(off, &mut transaction)?;
        let place = (self.ledger.as_str(), self.run_id.as_str());
        ledger::mark(&mut transaction, place, &[off], state)?;
        transaction.commit().doing(doing)
    }
}

impl ChunkLoad<'_> {
    /// Sends the file, header included, in the form that its table has.
    ///
    /// # Errors
    /// Where the server refuses a row, where the file is damaged, and those of `proceed`, which
    /// is asked now and then.
    pub fn copy<E: From<Error> + Send>(
        &mut self,
        form: &CopyForm,
        columns: &[&str],
        csv: impl Read + Send,
        mut proceed: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let (transaction, Chunk { table, file, .. }) = (&mut self.transaction, self.chunk);
        let columns = (columns, &form.row_key);
        let rows = match &form.form {
            Form::Csv { .. } => {
                copy_csv(transaction, self.schema, table, columns, csv, |_| proceed())
            }
            Form::Binary(encoders) => copy_binary(
                transaction,
                self.schema,
                (table, file),
                columns,
                encoders,
                csv,
                |_| proceed(),
            ),
        }?;
        Ok(self.chunk.check_taken(rows)?)
    }

    /// Makes the file's rows, and its entry in the ledger, final.
    ///
    /// # Errors
    /// Where the server refuses. Where the connection is lost, only the ledger can say
    /// whether it took the commit.
    pub fn commit(self) -> Result<(), Error> {
        let Chunk { table, file, .. } = self.chunk;
        self.transaction
            .commit()
            .doing(|| format!("committing table `{table}` from {file}"))
    }
}

impl Connection {
    /// Loads a CSV, header included, into a table, and returns the number of rows that the server
    /// took; without a ledger, for what no run speaks of.
    ///
    /// # Errors
    /// Where the server refuses a row, and those of `proceed`, which is asked before every
    /// message with the bytes sent so far.
    pub fn load_csv<E: From<Error>>(
        &mut self,
        (schema, table): (&str, &str),
        columns: &[&str],
        csv: impl Read,
        proceed: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<u64, E> {
        let doing = || format!("loading table `{table}`");
        let mut transaction = self.client.transaction().doing(doing)?;
        let columns = (columns, &RowKey::default());
        let rows = copy_csv(&mut transaction, schema, table, columns, csv, proceed)?;
        transaction.commit().doing(doing)?;
        Ok(rows)
    }
}
