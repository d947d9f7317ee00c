//! The load of one database: one transaction on one connection, so that all or nothing is
//! PostgreSQL's own promise.
//!
//! The caller brings the CSV and the numbers; the order of the steps is decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use postgres::Transaction;

use catalog::{TargetCatalog, TargetColumn, TargetTable, quote};

use crate::connection::Connection;
use crate::constraints::TakenOff;
use crate::copy::{CopyForm, Form, copy_binary, copy_csv};
use crate::error::{Doing, Error, Kind};
use crate::fingerprint::{Fingerprint, definitions};
use crate::keys::KeysOff;
use crate::ledger::{self, LedgerRun, LedgerTable};
use crate::sequences;

/// "converge" in ASCII: one import at a time in a database.
const LOCK_KEY: i64 = 0x636f_6e76_6572_6765;

/// A table that is going to be loaded.
#[derive(Clone, Debug)]
pub struct ImportTable<'a> {
    /// The table on the target.
    pub table: &'a TargetTable,
    /// Whether rows that it holds are kept aside and replaced; otherwise there must be none.
    pub replace: bool,
    /// Whether its indexes are built once it is filled: that pays where it gets many rows.
    pub index_later: bool,
}

/// What was loaded into a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOutcome {
    /// Rows that the server took.
    pub rows: u64,
    /// Rows that were there before and are kept aside.
    pub kept_rows: u64,
}

/// An open import; dropping it leaves the target as it was.
pub struct Import<'c> {
    transaction: Transaction<'c>,
    ledger: String,
    run: LedgerRun,
    before: Fingerprint,
    taken_off: TakenOff,
    keys_off: KeysOff,
    kept: BTreeMap<String, (String, u64)>,
    /// The next values that were asked for, by sequence.
    next_values: BTreeMap<String, i64>,
}

impl<'c> Import<'c> {
    /// `known` are the definitions as they were before the catalogue was read.
    ///
    /// Locks the target against other runs, writes the ledger, takes foreign keys, triggers and
    /// indexes off, and sets rows aside that are to be replaced.
    ///
    /// # Errors
    /// Where another run is at work or has not been finalized, where a table holds rows that
    /// may not be replaced, or where the server refuses.
    pub fn begin(
        connection: &'c mut Connection,
        ledger: &str,
        run_id: &str,
        database: &str,
        (catalog, known): (&TargetCatalog, &Fingerprint),
        tables: &[ImportTable<'_>],
    ) -> Result<Self, Error> {
        let doing = || "beginning the import".to_owned();
        let name = format!("converge/{run_id}/0");
        connection
            .client
            .execute(
                "select pg_catalog.set_config('application_name', $1, false)",
                &[&name],
            )
            .doing(doing)?;
        let mut transaction = connection.client.transaction().doing(doing)?;
        // A quarter less time for wide rows than the default takes; not every server has it.
        let lz4 = "select pg_catalog.set_config(name, 'lz4', true) from pg_catalog.pg_settings \
                    where name = 'default_toast_compression' and 'lz4' = any (enumvals)";
        transaction.query(lz4, &[]).doing(doing)?;
        lock(&mut transaction)?;
        if let Some(other) = ledger::read(&mut transaction, ledger)? {
            return Err(state(format!(
                "run {} is loaded and not finalized",
                other.run_id
            )));
        }
        let made_schema = ledger::prepare(&mut transaction, ledger)?;
        let loaded_by: i64 = transaction
            .query_one("select pg_catalog.pg_current_xact_id()::text::bigint", &[])
            .doing(doing)?
            .get(0);
        // Two columns may take their numbers from one sequence.
        let sequences: BTreeSet<&str> = tables
            .iter()
            .flat_map(|t| &t.table.columns)
            .filter_map(TargetColumn::sequence_name)
            .collect();
        let sequences: Vec<&str> = sequences.into_iter().collect();
        let states = sequences::read_states(&mut transaction, &sequences)?;
        let run = LedgerRun {
            run_id: run_id.to_owned(),
            target_schema: catalog.schema.clone(),
            loaded: None,
            tables: Vec::new(),
            loaded_by,
            made_schema,
        };
        ledger::insert_run(&mut transaction, ledger, &run, database, &states)?;
        let names: Vec<&str> = tables.iter().map(|t| t.table.name.as_str()).collect();
        lock_tables(&mut transaction, &catalog.schema, &names)?;
        let before = definitions(&mut transaction, &catalog.schema)?;
        // A column of another type might take the bytes of the one that was there.
        let differences = known.differences(&before);
        if !differences.is_empty() {
            return Err(state(format!(
                "the schema was changed meanwhile: {}",
                differences.join(", ")
            )));
        }
        let taken_off = TakenOff::take_off(&mut transaction, &catalog.schema, &names)?;
        let mut import = Self {
            transaction,
            ledger: ledger.to_owned(),
            run,
            before,
            taken_off,
            keys_off: KeysOff::default(),
            kept: BTreeMap::new(),
            next_values: BTreeMap::new(),
        };
        for table in tables {
            import.set_rows_aside(table)?;
        }
        let later = tables.iter().filter(|table| table.index_later);
        let later: Vec<&str> = later.map(|table| table.table.name.as_str()).collect();
        import.keys_off = KeysOff::take_off(&mut import.transaction, &catalog.schema, &later)?;
        Ok(import)
    }

    /// Empties a table that holds rows, after copying them into the ledger's schema.
    fn set_rows_aside(&mut self, table: &ImportTable<'_>) -> Result<(), Error> {
        let name = &table.table.name;
        let qualified = quote::postgres_qualified(&self.run.target_schema, name);
        let doing = || format!("looking for rows in table `{name}`");
        let occupied: bool = self
            .transaction
            .query_one(&format!("select exists (select from {qualified})"), &[])
            .doing(doing)?
            .get(0);
        if !occupied {
            return Ok(());
        }
        if !table.replace {
            return Err(state(format!("table `{name}` holds rows")));
        }
        let kept = format!("kept_{}", self.kept.len() + 1);
        let doing = || format!("setting the rows of table `{name}` aside");
        let sql = format!(
            "create table {} as table {qualified}",
            quote::postgres_qualified(&self.ledger, &kept)
        );
        let rows = self.transaction.execute(&sql, &[]).doing(doing)?;
        self.transaction
            .batch_execute(&format!("truncate {qualified}"))
            .doing(doing)?;
        self.kept.insert(name.clone(), (kept, rows));
        Ok(())
    }

    /// Loads a CSV file, header included, and returns the number of rows that the server took.
    ///
    /// # Errors
    /// Where the server refuses a row, and those of `proceed`, which is asked before every
    /// message with the bytes sent so far.
    pub fn copy<E: From<Error>>(
        &mut self,
        table: &str,
        columns: &[&str],
        csv: impl Read,
        proceed: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<u64, E> {
        copy_csv(
            &mut self.transaction,
            &self.run.target_schema,
            table,
            columns,
            csv,
            proceed,
        )
    }

    /// Loads a CSV file, header included, in the form that its table has, and returns the number
    /// of rows that the server took.
    ///
    /// # Errors
    /// Where the server refuses a row, where the file is damaged, and those of `proceed`, which
    /// is asked now and then.
    pub fn copy_as<E: From<Error> + Send>(
        &mut self,
        form: &CopyForm,
        (table, file): (&str, &str),
        columns: &[&str],
        csv: impl Read + Send,
        mut proceed: impl FnMut() -> Result<(), E>,
    ) -> Result<u64, E> {
        match &form.0 {
            Form::Csv { .. } => self.copy(table, columns, csv, |_| proceed()),
            Form::Binary(encoders) => copy_binary(
                &mut self.transaction,
                &self.run.target_schema,
                (table, file),
                columns,
                encoders,
                csv,
                |_| proceed(),
            ),
        }
    }

    /// Enters a table that is loaded into the ledger.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn table_done(
        &mut self,
        table: &str,
        rows: u64,
        digest: &str,
    ) -> Result<TableOutcome, Error> {
        let kept = self.kept.get(table);
        let entry = LedgerTable {
            name: table.to_owned(),
            rows,
            digest: digest.to_owned(),
            kept_rows_in: kept.map(|(name, _)| name.clone()),
        };
        let kept_rows = kept.map_or(0, |(_, rows)| *rows);
        ledger::insert_table(
            &mut self.transaction,
            &self.ledger,
            &self.run.run_id,
            &entry,
        )?;
        Ok(TableOutcome { rows, kept_rows })
    }

    /// Makes a sequence give `next`, or one more than the column's largest value, next.
    ///
    /// # Errors
    /// Where the value is beyond the sequence's range.
    pub fn set_sequence(
        &mut self,
        table: &TargetTable,
        column: &str,
        next: Option<u64>,
    ) -> Result<(), Error> {
        let Some(sequence) = table.column(column).and_then(|c| c.sequence_name()) else {
            return Ok(());
        };
        let next = match next {
            Some(next) => i64::try_from(next)
                .map_err(|_| state(format!("sequence {sequence} cannot reach {next}")))?,
            None => sequences::after_largest(
                &mut self.transaction,
                &self.run.target_schema,
                &table.name,
                column,
            )?,
        };
        // Where two columns share a sequence, the higher number serves both.
        let next = *self
            .next_values
            .entry(sequence.to_owned())
            .and_modify(|known| *known = next.max(*known))
            .or_insert(next);
        sequences::restart(&mut self.transaction, sequence, next)
    }

    /// Puts indexes, foreign keys and triggers back and proves that all definitions are as they were.
    ///
    /// # Errors
    /// Where a row violates a unique or a foreign key, where a definition differs, or where the server
    /// refuses.
    pub fn put_back(&mut self) -> Result<(), Error> {
        // What is checked at the end of a transaction would forbid to change its table before.
        self.transaction
            .batch_execute("set constraints all immediate")
            .doing(|| "checking deferred constraints".to_owned())?;
        self.keys_off.put_back(&mut self.transaction)?;
        self.taken_off.put_back(&mut self.transaction)?;
        let after = definitions(&mut self.transaction, &self.run.target_schema)?;
        let differences = self.before.differences(&after);
        if !differences.is_empty() {
            return Err(state(format!(
                "these definitions would not be as they were: {}",
                differences.join(", ")
            )));
        }
        ledger::mark_loaded(&mut self.transaction, &self.ledger, &self.run.run_id)
    }

    /// Makes the load final, after [`Import::put_back`].
    ///
    /// # Errors
    /// Where the server refuses. Where the connection is lost, only the ledger can say
    /// whether it took the commit.
    pub fn commit(self) -> Result<(), Error> {
        self.transaction
            .commit()
            .doing(|| "committing the import".to_owned())
    }
}

/// Takes the lock that all runs on this database want, or says who holds it.
pub(crate) fn lock(transaction: &mut Transaction<'_>) -> Result<(), Error> {
    let doing = || "asking for the lock of this tool".to_owned();
    let locked: bool = transaction
        .query_one(
            "select pg_catalog.pg_try_advisory_xact_lock($1)",
            &[&LOCK_KEY],
        )
        .doing(doing)?
        .get(0);
    if locked {
        return Ok(());
    }
    let holder = transaction
        .query_opt(include_str!("sql/lock_holder.sql"), &[&LOCK_KEY])
        .doing(doing)?
        .map_or_else(|| "unknown".to_owned(), |row| row.get(0));
    Err(state(format!("another run is at work here: {holder}")))
}

/// Keeps others from writing to the tables until the transaction ends.
pub(crate) fn lock_tables(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<(), Error> {
    if tables.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = tables
        .iter()
        .map(|t| quote::postgres_qualified(schema, t))
        .collect();
    // Without a limit, a forgotten session would hold up the run without a word.
    let sql = format!(
        "set local lock_timeout = '30s'; lock table {} in access exclusive mode",
        names.join(", ")
    );
    transaction
        .batch_execute(&sql)
        .doing(|| "locking the tables (another session may hold them)".to_owned())
}

fn state(text: String) -> Error {
    Error::new(Kind::State(text), "beginning the import")
}

impl Connection {
    /// Fails where another run is at work on this database, and says which.
    ///
    /// To be asked first: a run at work has its tables locked, and even a look at the catalogue
    /// would wait for its end without a word.
    ///
    /// # Errors
    /// Where there is one, or where the server refuses.
    pub fn check_nobody_at_work(&mut self) -> Result<(), Error> {
        let doing = || "looking for another run".to_owned();
        // Its end gives the lock back.
        lock(&mut self.client.transaction().doing(doing)?)
    }

    /// Those of the tables that hold a row.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn occupied_tables(&mut self, schema: &str, tables: &[&str]) -> Result<Vec<String>, Error> {
        let mut occupied = Vec::new();
        for table in tables {
            let name = quote::postgres_qualified(schema, table);
            let row = self
                .client
                .query_one(&format!("select exists (select from {name})"), &[])
                .doing(|| format!("looking for rows in table `{table}`"))?;
            if row.get(0) {
                occupied.push((*table).to_owned());
            }
        }
        Ok(occupied)
    }

    /// Runs `analyze` on tables.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn analyze(&mut self, schema: &str, tables: &[&str]) -> Result<(), Error> {
        for table in tables {
            let sql = format!("analyze {}", quote::postgres_qualified(schema, table));
            self.batch_execute(&sql)?;
        }
        Ok(())
    }
}
