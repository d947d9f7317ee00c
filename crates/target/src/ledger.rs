//! The run's state in the target database itself, in a schema of its own.
//!
//! Written in the transaction of the rows that it speaks of, so the two cannot disagree.

use postgres::{GenericClient, Transaction};

use catalog::quote;

use crate::connection::Connection;
use crate::error::{Doing, Error, Kind};
use crate::sequences::SequenceState;

/// A run that has loaded rows into this database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRun {
    /// Its id.
    pub run_id: String,
    /// The schema that was loaded.
    pub target_schema: String,
    /// When it was loaded, as the server prints it in UTC.
    pub loaded: Option<String>,
    /// Its tables, by name.
    pub tables: Vec<LedgerTable>,
    pub(crate) loaded_by: i64,
    pub(crate) made_schema: bool,
}

/// A table that a run has loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerTable {
    /// Its name.
    pub name: String,
    /// Rows loaded.
    pub rows: u64,
    /// Digest of the records that were loaded.
    pub digest: String,
    /// Table of the ledger's schema with the rows that were replaced.
    pub(crate) kept_rows_in: Option<String>,
}

impl LedgerRun {
    /// Reads the run that the ledger holds, where there is one.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn read(connection: &mut Connection, ledger: &str) -> Result<Option<Self>, Error> {
        read(&mut connection.client, ledger)
    }
}

impl Connection {
    /// Whether this role may make the ledger, or use the one that is there.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn may_keep_ledger(&mut self, ledger: &str) -> Result<bool, Error> {
        let sql = "select case when n.oid is null \
                          then pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create') \
                          else pg_catalog.has_schema_privilege(n.oid, 'create') \
                           and pg_catalog.has_schema_privilege(n.oid, 'usage') end \
                     from (select) one \
                     left join pg_catalog.pg_namespace n on n.nspname = $1";
        let row = self
            .client
            .query_one(sql, &[&ledger])
            .doing(|| format!("looking for the rights on schema `{ledger}`"))?;
        Ok(row.get(0))
    }
}

/// Makes the ledger's schema and tables as far as they are missing; says whether it made the schema.
pub(crate) fn prepare(transaction: &mut Transaction<'_>, ledger: &str) -> Result<bool, Error> {
    let made = make_schema(transaction, ledger)?;
    if !has_table(transaction, ledger, "run")? {
        let sql = include_str!("sql/ledger.sql").replace("{schema}", &quote::postgres(ledger));
        transaction
            .batch_execute(&sql)
            .doing(|| format!("making the ledger in schema `{ledger}`"))?;
    }
    Ok(made)
}

/// Makes the ledger's schema where it is missing, and says whether it did.
pub(crate) fn make_schema(transaction: &mut Transaction<'_>, ledger: &str) -> Result<bool, Error> {
    let doing = || format!("making the ledger's schema `{ledger}`");
    let sql = "select from pg_catalog.pg_namespace where nspname = $1";
    let exists = transaction.query_opt(sql, &[&ledger]).doing(doing)?;
    if exists.is_some() {
        return Ok(false);
    }
    let sql = format!("create schema {}", quote::postgres(ledger));
    transaction.batch_execute(&sql).doing(doing)?;
    Ok(true)
}

/// Whether the ledger has a table of that name.
pub(crate) fn has_table(
    client: &mut impl GenericClient,
    ledger: &str,
    table: &str,
) -> Result<bool, Error> {
    let sql = "select from pg_catalog.pg_class c \
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                where n.nspname = $1 and c.relname = $2 and c.relkind = 'r'";
    let found = client
        .query_opt(sql, &[&ledger, &table])
        .doing(|| format!("looking for the ledger in schema `{ledger}`"))?;
    Ok(found.is_some())
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
        "select run_id, target_schema, loaded::text, loaded_by, made_schema \
           from {schema}.run order by started desc limit 1"
    );
    let Some(row) = client.query_opt(&sql, &[]).doing(doing)? else {
        return Ok(None);
    };
    let mut run = LedgerRun {
        run_id: row.get(0),
        target_schema: row.get(1),
        loaded: row.get(2),
        loaded_by: row.get(3),
        made_schema: row.get(4),
        tables: Vec::new(),
    };
    let sql = format!(
        "select table_name, rows, digest, kept_rows_in from {schema}.loaded_table \
          where run_id = $1 order by table_name collate \"C\""
    );
    for row in client.query(&sql, &[&run.run_id]).doing(doing)? {
        run.tables.push(LedgerTable {
            name: row.get(0),
            rows: u64::try_from(row.get::<_, i64>(1)).unwrap_or_default(),
            digest: row.get(2),
            kept_rows_in: row.get(3),
        });
    }
    Ok(Some(run))
}

/// Enters a run and what its sequences were before.
pub(crate) fn insert_run(
    transaction: &mut Transaction<'_>,
    ledger: &str,
    run: &LedgerRun,
    database: &str,
    sequences: &[SequenceState],
) -> Result<(), Error> {
    let doing = || "writing the ledger".to_owned();
    let schema = quote::postgres(ledger);
    let sql = format!(
        "insert into {schema}.run (run_id, database, target_schema, loaded_by, made_schema) \
         values ($1, $2, $3, $4, $5)"
    );
    transaction
        .execute(
            &sql,
            &[
                &run.run_id,
                &database,
                &run.target_schema,
                &run.loaded_by,
                &run.made_schema,
            ],
        )
        .doing(doing)?;
    let sql = format!("insert into {schema}.sequence_before values ($1, $2, $3, $4)");
    for state in sequences {
        transaction
            .execute(
                &sql,
                &[
                    &run.run_id,
                    &state.name,
                    &state.last_value,
                    &state.is_called,
                ],
            )
            .doing(doing)?;
    }
    Ok(())
}

/// Enters a loaded table.
pub(crate) fn insert_table(
    transaction: &mut Transaction<'_>,
    ledger: &str,
    run_id: &str,
    table: &LedgerTable,
) -> Result<(), Error> {
    let sql = format!(
        "insert into {}.loaded_table values ($1, $2, $3, $4, $5)",
        quote::postgres(ledger)
    );
    let rows = i64::try_from(table.rows).map_err(|_| {
        Error::new(
            Kind::State("more rows than a ledger can count".to_owned()),
            "writing the ledger",
        )
    })?;
    transaction
        .execute(
            &sql,
            &[
                &run_id,
                &table.name,
                &rows,
                &table.digest,
                &table.kept_rows_in,
            ],
        )
        .doing(|| "writing the ledger".to_owned())?;
    Ok(())
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
        "select sequence, last_value, is_called from {}.sequence_before where run_id = $1",
        quote::postgres(ledger)
    );
    let rows = transaction
        .query(&sql, &[&run_id])
        .doing(|| "reading the ledger".to_owned())?;
    let states = rows.iter().map(|row| SequenceState {
        name: row.get(0),
        last_value: row.get(1),
        is_called: row.get(2),
    });
    Ok(states.collect())
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
        "drop table {schema}.sequence_before, {schema}.loaded_table, {schema}.run;\n"
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
