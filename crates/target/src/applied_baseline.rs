//! What the ledger says of a baseline: which one a schema has, and how far it is.
//!
//! Written in the transaction of the statements that it speaks of.

use postgres::{GenericClient, Transaction};

use catalog::quote;

use crate::apply::Baseline;
use crate::connection::Connection;
use crate::error::{Doing, Error};
use crate::ledger;

/// A baseline that a schema has, as a whole or in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedBaseline {
    /// blake3 of its files, in hex.
    pub blake3: String,
    /// Its statements.
    pub statements: usize,
    /// Those that are applied.
    pub done: usize,
    /// Version of the tool that applied it last.
    pub tool_version: String,
    /// When it was begun, in UTC.
    pub started: String,
    /// When its last statement was applied, in UTC.
    pub applied: Option<String>,
}

impl AppliedBaseline {
    /// Reads what the ledger says of a schema.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn read(
        connection: &mut Connection,
        ledger: &str,
        schema: &str,
    ) -> Result<Option<Self>, Error> {
        read(&mut connection.client, ledger, schema)
    }
}

pub(crate) fn read(
    client: &mut impl GenericClient,
    ledger: &str,
    schema: &str,
) -> Result<Option<AppliedBaseline>, Error> {
    if !ledger::has_table(client, ledger, TABLE)? {
        return Ok(None);
    }
    let sql = in_ledger(include_str!("sql/baseline_read.sql"), ledger);
    let row = client
        .query_opt(&sql, &[&schema])
        .doing(|| format!("reading the baseline's entry in schema `{ledger}`"))?;
    Ok(row.map(|row| AppliedBaseline {
        blake3: row.get(0),
        statements: count(row.get(1)),
        done: count(row.get(2)),
        tool_version: row.get(3),
        started: row.get(4),
        applied: row.get(5),
    }))
}

/// Enters that the first `done` statements of a baseline are applied.
pub(crate) fn enter(
    transaction: &mut Transaction<'_>,
    baseline: &Baseline<'_>,
    done: usize,
) -> Result<(), Error> {
    let doing = || format!("entering the baseline in schema `{}`", baseline.ledger);
    let sql = in_ledger(include_str!("sql/baseline_progress.sql"), baseline.ledger);
    let number = |count: usize| i64::try_from(count).expect("a file has fewer statements");
    transaction
        .execute(
            &sql,
            &[
                &baseline.schema,
                &baseline.blake3,
                &number(baseline.statements.len()),
                &number(done),
                &baseline.tool_version,
            ],
        )
        .doing(doing)?;
    Ok(())
}

/// Makes what an entry needs, and takes away the one of a baseline that is gone.
pub(crate) fn begin(
    transaction: &mut Transaction<'_>,
    baseline: &Baseline<'_>,
) -> Result<(), Error> {
    let (ledger, schema) = (baseline.ledger, baseline.schema);
    let doing = || format!("making the baseline's entry in schema `{ledger}`");
    ledger::make_schema(transaction, ledger)?;
    if !ledger::has_table(transaction, ledger, TABLE)? {
        let sql = in_ledger(include_str!("sql/baseline.sql"), ledger);
        transaction.batch_execute(&sql).doing(doing)?;
        ledger::keep_private(transaction, ledger)?;
    }
    let sql = in_ledger(
        "delete from {schema}.baseline where target_schema = $1",
        ledger,
    );
    transaction.execute(&sql, &[&schema]).doing(doing)?;
    Ok(())
}

const TABLE: &str = "baseline";

fn in_ledger(sql: &str, ledger: &str) -> String {
    sql.replace("{schema}", &quote::postgres(ledger))
}

fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}
