//! Back to the state before the import, or the end of that possibility.
//!
//! Everything that is needed lies in the target itself: no run directory is read.

use postgres::Transaction;

use catalog::quote;

use crate::connection::Connection;
use crate::constraints::TakenOff;
use crate::error::{Doing, Error, Kind};
use crate::import::{lock, lock_tables};
use crate::ledger::{self, LedgerRun};
use crate::sequences;

/// What others did to a table after it was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaterWrites {
    /// The table.
    pub table: String,
    /// Rows inserted or changed since.
    pub written: u64,
    /// Loaded rows that are changed or gone.
    pub lost: u64,
}

/// Compares the tables with what was loaded; only tables that were written to are returned.
///
/// Every row carries the transaction that wrote it (`xmin`), so the rows of the load are known.
///
/// # Errors
/// Where the server refuses.
pub fn later_writes(
    connection: &mut Connection,
    run: &LedgerRun,
) -> Result<Vec<LaterWrites>, Error> {
    let doing = || "comparing the target with what was loaded".to_owned();
    let mut transaction = connection.client.transaction().doing(doing)?;
    read_later_writes(&mut transaction, run)
}

fn read_later_writes(
    transaction: &mut Transaction<'_>,
    run: &LedgerRun,
) -> Result<Vec<LaterWrites>, Error> {
    // A row shows the lower 32 bits of the transaction's number.
    let xmin = run.loaded_by & 0xffff_ffff;
    let mut found = Vec::new();
    for table in &run.tables {
        let sql = format!(
            "select count(*) filter (where xmin::text::bigint <> $1), \
                    count(*) filter (where xmin::text::bigint = $1) from {}",
            quote::postgres_qualified(&run.target_schema, &table.name)
        );
        let row = transaction
            .query_one(&sql, &[&xmin])
            .doing(|| format!("comparing table `{}` with what was loaded", table.name))?;
        let count = |index| u64::try_from(row.get::<_, i64>(index)).unwrap_or_default();
        let (written, still_there) = (count(0), count(1));
        let lost = table.rows.saturating_sub(still_there);
        if written > 0 || lost > 0 {
            found.push(LaterWrites {
                table: table.name.clone(),
                written,
                lost,
            });
        }
    }
    Ok(found)
}

/// Brings rows and sequences back to what they were and removes the ledger, in one transaction.
///
/// Returns what others wrote since the load: where that is not empty and `discard` is not set,
/// nothing is changed.
///
/// # Errors
/// Where another run is at work, or where the server refuses; nothing is changed then.
pub fn roll_back(
    connection: &mut Connection,
    ledger: &str,
    run: &LedgerRun,
    discard: bool,
) -> Result<Vec<LaterWrites>, Error> {
    let doing = || format!("rolling back run {}", run.run_id);
    let schema = &run.target_schema;
    let columns = restorable_columns(connection, run)?;
    let mut transaction = connection.client.transaction().doing(doing)?;
    lock(&mut transaction)?;
    still_holds(&mut transaction, ledger, run)?;
    let names: Vec<&str> = run.tables.iter().map(|table| table.name.as_str()).collect();
    lock_tables(&mut transaction, schema, &names)?;
    let later = read_later_writes(&mut transaction, run)?;
    if !later.is_empty() && !discard {
        return Ok(later);
    }
    let taken_off = TakenOff::take_off(&mut transaction, schema, &names)?;
    for (table, columns) in run.tables.iter().zip(&columns) {
        let qualified = quote::postgres_qualified(schema, &table.name);
        let mut sql = format!("truncate {qualified};\n");
        if let Some(kept) = &table.kept_rows_in {
            sql.push_str(&format!(
                "insert into {qualified} ({columns}) overriding system value \
                 select {columns} from {};\n",
                quote::postgres_qualified(ledger, kept)
            ));
        }
        transaction
            .batch_execute(&sql)
            .doing(|| format!("restoring table `{}`", table.name))?;
    }
    taken_off.put_back(&mut transaction)?;
    for state in ledger::read_sequences(&mut transaction, ledger, &run.run_id)? {
        sequences::set_state(&mut transaction, &state)?;
    }
    ledger::remove_run(&mut transaction, ledger, run)?;
    transaction.commit().doing(doing)?;
    Ok(later)
}

/// The run was read before the lock was taken: in between, another may have taken its place.
fn still_holds(
    transaction: &mut Transaction<'_>,
    ledger: &str,
    run: &LedgerRun,
) -> Result<(), Error> {
    if ledger::read(transaction, ledger)?.as_ref() == Some(run) {
        return Ok(());
    }
    let text = format!("the target does not hold run {} any more", run.run_id);
    Err(Error::new(Kind::State(text), "reading the ledger"))
}

/// For each table of the run its columns that are not generated, quoted and joined.
fn restorable_columns(connection: &mut Connection, run: &LedgerRun) -> Result<Vec<String>, Error> {
    let catalog = crate::discover(connection, &run.target_schema)?;
    let columns = run.tables.iter().map(|table| {
        let columns = catalog
            .table(&table.name)
            .map(|t| t.columns.as_slice())
            .unwrap_or_default();
        let names: Vec<String> = columns
            .iter()
            .filter(|column| column.generated.is_none())
            .map(|column| quote::postgres(&column.name))
            .collect();
        names.join(", ")
    });
    Ok(columns.collect())
}

/// Removes the ledger and the rows that it kept; the run can then not be rolled back any more.
///
/// # Errors
/// Where another run is at work, or where the server refuses.
pub fn finalize(connection: &mut Connection, ledger: &str, run: &LedgerRun) -> Result<(), Error> {
    let doing = || format!("finalizing run {}", run.run_id);
    let mut transaction = connection.client.transaction().doing(doing)?;
    lock(&mut transaction)?;
    still_holds(&mut transaction, ledger, run)?;
    ledger::remove_run(&mut transaction, ledger, run)?;
    transaction.commit().doing(doing)
}
