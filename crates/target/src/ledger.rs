//! The run's state in the target database itself, in a schema of its own.
//!
//! Written in the transactions of what it speaks of, rows and definitions, so that it cannot
//! disagree with them.

mod taken_off;
mod trust;

use postgres::{GenericClient, Transaction};

use catalog::quote;

use crate::connection::Connection;
use crate::error::{Doing, Error, Kind};
use crate::load::Chunk;
use crate::sequences::SequenceState;

pub(crate) use trust::keep_private;

pub(crate) use taken_off::{insert_off, mark, read_definitions, read_off};

/// A run that has loaded rows into this database, or is about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRun {
    /// Its id.
    pub run_id: String,
    /// The database of the configuration that it moved.
    pub database: String,
    /// The schema that is loaded.
    pub target_schema: String,
    /// When everything was loaded, as the server prints it in UTC; `None` until then.
    pub loaded: Option<String>,
    /// Its tables, by name.
    pub tables: Vec<LedgerTable>,
    pub(crate) made_schema: bool,
}

/// A table of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerTable {
    /// Its name.
    pub name: String,
    /// What of it is loaded, by file.
    pub chunks: Vec<LedgerChunk>,
    /// Table of the ledger's schema with the rows that were replaced.
    pub(crate) kept_rows_in: Option<String>,
}

/// A file that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerChunk {
    /// Its name.
    pub file: String,
    /// BLAKE3 of its bytes, in hex.
    pub blake3: String,
    /// Rows loaded.
    pub rows: u64,
    pub(crate) loaded_by: i64,
}

impl LedgerTable {
    /// Rows loaded.
    pub fn rows(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.rows).sum()
    }
}

impl Connection {
    /// Fails if there is a ledger that cannot be trusted.
    ///
    /// # Errors
    /// Where that is so, and where the server refuses.
    pub fn check_ledger(&mut self, ledger: &str) -> Result<(), Error> {
        trust::look(&mut self.client, ledger).map(drop)
    }
}

impl LedgerRun {
    /// Reads the run that the ledger holds, where there is one.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn read(connection: &mut Connection, ledger: &str) -> Result<Option<Self>, Error> {
        read(&mut connection.client, ledger)
    }

    /// Rows loaded.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(LedgerTable::rows).sum()
    }

    /// Names of its tables.
    pub(crate) fn table_names(&self) -> Vec<&str> {
        self.tables
            .iter()
            .map(|table| table.name.as_str())
            .collect()
    }
}

/// Makes the ledger's schema and tables as far as they are missing; says whether it made the schema.
pub(crate) fn prepare(transaction: &mut Transaction<'_>, ledger: &str) -> Result<bool, Error> {
    let made = make_schema(transaction, ledger)?;
    if !has_table(transaction, ledger, "run")? {
        let sql = include_str!("sql/ledger.sql").replace("{schema}", &quote::postgres(ledger));
        let made = transaction.batch_execute(&sql);
        let made = made.doing(|| format!("making the ledger in schema `{ledger}`"));
        made.map_err(|error| error.in_definition("create table"))?;
        keep_private(transaction, ledger)?;
    }
    Ok(made)
}

/// Makes the ledger's schema where it is missing, and says whether it did.
pub(crate) fn make_schema(transaction: &mut Transaction<'_>, ledger: &str) -> Result<bool, Error> {
    if trust::look(transaction, ledger)?.is_some() {
        return Ok(false);
    }
    let doing = || format!("making the ledger's schema `{ledger}`");
    let sql = format!("create schema {}", quote::postgres(ledger));
    let made = transaction.batch_execute(&sql).doing(doing);
    made.map_err(|error| error.in_definition(&sql))?;
    keep_private(transaction, ledger)?;
    Ok(true)
}

/// Whether the ledger has a table of that name; fails if it cannot be trusted.
pub(crate) fn has_table(
    client: &mut impl GenericClient,
    ledger: &str,
    table: &str,
) -> Result<bool, Error> {
    let tables = trust::look(client, ledger)?.unwrap_or_default();
    Ok(tables.iter().any(|name| name == table))
}

pub(crate) fn read(
    client: &mut impl GenericClient,
    ledger: &str,
) -> Result<Option<LedgerRun>, Error> {
    if !has_table(client, ledger, "run")? {
        return Ok(None);
    }
    let doing = || format!("reading the ledger in schema `{ledger}`");
    let schema = quote::postgres(ledger);
    let sql = format!(
        "select run_id, target_schema, loaded::text, made_schema, database \
           from {schema}.run order by started desc limit 1"
    );
    let Some(row) = client.query_opt(&sql, &[]).doing(doing)? else {
        return Ok(None);
    };
    let mut run = LedgerRun {
        run_id: row.get(0),
        target_schema: row.get(1),
        loaded: row.get(2),
        made_schema: row.get(3),
        database: row.get(4),
        tables: Vec::new(),
    };
    let sql = format!(
        "select table_name, kept_rows_in from {schema}.run_table \
          where run_id = $1 order by table_name collate \"C\""
    );
    for row in client.query(&sql, &[&run.run_id]).doing(doing)? {
        run.tables.push(LedgerTable {
            name: row.get(0),
            kept_rows_in: row.get(1),
            chunks: Vec::new(),
        });
    }
    let sql = format!(
        "select table_name, file, blake3, rows, loaded_by from {schema}.chunk \
          where run_id = $1 order by file collate \"C\""
    );
    for row in client.query(&sql, &[&run.run_id]).doing(doing)? {
        let table: &str = row.get(0);
        let table = run.tables.iter_mut().find(|known| known.name == table);
        if let Some(table) = table {
            table.chunks.push(LedgerChunk {
                file: row.get(1),
                blake3: row.get(2),
                rows: u64::try_from(row.get::<_, i64>(3)).unwrap_or_default(),
                loaded_by: row.get(4),
            });
        }
    }
    Ok(Some(run))
}

/// Enters a run with its tables, and what its sequences were before.
pub(crate) fn insert_run(
    transaction: &mut Transaction<'_>,
    ledger: &str,
    run: &LedgerRun,
    sequences: &[SequenceState],
) -> Result<(), Error> {
    let doing = || "writing the ledger".to_owned();
    let schema = quote::postgres(ledger);
    let (run_id, target_schema, made) = (&run.run_id, &run.target_schema, &run.made_schema);
    let sql = format!(
        "insert into {schema}.run (run_id, database, target_schema, made_schema) \
         values ($1, $2, $3, $4)"
    );
    transaction
        .execute(&sql, &[run_id, &run.database, target_schema, made])
        .doing(doing)?;
    let sql = format!("insert into {schema}.run_table values ($1, $2, $3)");
    for table in &run.tables {
        transaction
            .execute(&sql, &[run_id, &table.name, &table.kept_rows_in])
            .doing(doing)?;
    }
    let sql = format!("insert into {schema}.sequence_before values ($1, $2, $3, $4)");
    for state in sequences {
        transaction
            .execute(
                &sql,
                &[run_id, &state.name, &state.last_value, &state.is_called],
            )
            .doing(doing)?;
    }
    Ok(())
}

/// Enters a file as loaded by this transaction; there can be one entry of it alone.
pub(crate) fn insert_chunk(
    transaction: &mut Transaction<'_>,
    (ledger, run_id): (&str, &str),
    chunk: &Chunk<'_>,
) -> Result<(), Error> {
    let sql = format!(
        "insert into {}.chunk \
         values ($1, $2, $3, $4, $5, pg_catalog.pg_current_xact_id()::text::bigint)",
        quote::postgres(ledger)
    );
    let rows = i64::try_from(chunk.rows).map_err(|_| {
        Error::new(
            Kind::State("more rows than a ledger can count".to_owned()),
            "writing the ledger",
        )
    })?;
    let Chunk {
        table,
        file,
        blake3,
        ..
    } = chunk;
    transaction
        .execute(&sql, &[&run_id, table, file, blake3, &rows])
        .doing(|| "writing the ledger".to_owned())?;
    Ok(())
}

/// Enters a materialised view that is filled anew.
pub(crate) fn insert_refreshed(
    transaction: &mut Transaction<'_>,
    (ledger, run_id): (&str, &str),
    view: &str,
) -> Result<(), Error> {
    let sql = format!(
        "insert into {}.refreshed (run_id, view) values ($1, $2) on conflict do nothing",
        quote::postgres(ledger)
    );
    transaction
        .execute(&sql, &[&run_id, &view])
        .doing(|| "writing the ledger".to_owned())?;
    Ok(())
}

/// Materialised views that a run filled anew and that are still there, in their order.
pub(crate) fn read_refreshed(
    transaction: &mut Transaction<'_>,
    (ledger, run_id): (&str, &str),
) -> Result<Vec<String>, Error> {
    let sql = format!(
        "select pg_catalog.to_regclass(view)::text from {}.refreshed \
          where run_id = $1 and pg_catalog.to_regclass(view) is not null order by number",
        quote::postgres(ledger)
    );
    let rows = transaction
        .query(&sql, &[&run_id])
        .doing(|| "reading the ledger".to_owned())?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Notes the time at which a run was loaded.
pub(crate) fn mark_loaded(
    transaction: &mut Transaction<'_>,
    ledger: &str,
    run_id: &str,
) -> Result<(), Error> {
    let sql = format!(
        "update {}.run set loaded = pg_catalog.clock_timestamp() where run_id = $1",
        quote::postgres(ledger)
    );
    transaction
        .execute(&sql, &[&run_id])
        .doing(|| "writing the ledger".to_owned())?;
    Ok(())
}

/// What the sequences were before a run.
pub(crate) fn read_sequences(
    transaction: &mut Transaction<'_>,
    ledger: &str,
    run_id: &str,
) -> Result<Vec<SequenceState>, Error> {
    let sql = format!(
        "select coalesce(pg_catalog.to_regclass(sequence)::text, sequence), last_value, is_called, \
                pg_catalog.to_regclass(sequence) is not null \
           from {}.sequence_before where run_id = $1",
        quote::postgres(ledger)
    );
    let rows = transaction
        .query(&sql, &[&run_id])
        .doing(|| "reading the ledger".to_owned())?;
    let states = rows.iter().map(|row| {
        let name: String = row.get(0);
        // Its name becomes part of a statement.
        if !row.get::<_, bool>(3) {
            let text = format!("there is no sequence {name} any more");
            return Err(Error::new(Kind::State(text), "reading the ledger"));
        }
        Ok(SequenceState {
            name,
            last_value: row.get(1),
            is_called: row.get(2),
        })
    });
    states.collect()
}

/// Removes a run with the rows that were kept for it, and the ledger with its last run.
pub(crate) fn remove_run(
    transaction: &mut Transaction<'_>,
    ledger: &str,
    run: &LedgerRun,
) -> Result<(), Error> {
    let schema = quote::postgres(ledger);
    let mut sql = String::new();
    for kept in run
        .tables
        .iter()
        .filter_map(|table| table.kept_rows_in.as_ref())
    {
        sql.push_str(&format!("drop table {schema}.{};\n", quote::postgres(kept)));
    }
    // A database holds one run at a time, so its ledger goes with it.
    sql.push_str(&format!(
        "drop table {schema}.sequence_before, {schema}.refreshed, {schema}.definition, {schema}.taken_off, \
                    {schema}.chunk, {schema}.run_table, {schema}.run;\n"
    ));
    let doing = || format!("removing the ledger in schema `{ledger}`");
    transaction.batch_execute(&sql).doing(doing)?;
    // A baseline's entry outlives the runs, and what others keep here is not ours to drop.
    if run.made_schema && is_empty(transaction, ledger)? {
        let sql = format!("drop schema {schema}");
        transaction.batch_execute(&sql).doing(doing)?;
    }
    Ok(())
}

/// Whether nothing depends on a schema, which is what `drop schema` asks too.
fn is_empty(transaction: &mut Transaction<'_>, schema: &str) -> Result<bool, Error> {
    let row = transaction
        .query_one(include_str!("sql/schema_is_empty.sql"), &[&schema])
        .doing(|| format!("looking for what is left in schema `{schema}`"))?;
    Ok(row.get(0))
}
