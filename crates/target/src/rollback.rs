//! Back to the state before the import, or the end of that possibility.
//!
//! Everything that is needed lies in the target itself: no run directory is read.

use std::io::{self, Read};

use postgres::Transaction;

use catalog::quote;

use crate::connection::Connection;
use crate::constraints;
use crate::error::{Doing, Error, Kind};
use crate::fingerprint::definitions;
use crate::import::lock_tables;
use crate::ledger::{self, LedgerRun, LedgerTable};
use crate::load::LOCK_TIMEOUT;
use crate::off::{Off, OffKind, OffState};
use crate::run_lock::{Leftovers, lock};
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

pub(crate) fn read_later_writes(
    transaction: &mut Transaction<'_>,
    run: &LedgerRun,
) -> Result<Vec<LaterWrites>, Error> {
    let mut found = Vec::new();
    for table in &run.tables {
        let loaded_by = table.transactions();
        let sql = format!(
            "select count(*), count(*) filter (where xmin::text::bigint = any ($1)) from {}",
            quote::postgres_qualified(&run.target_schema, &table.name)
        );
        let row = transaction
            .query_one(&sql, &[&loaded_by])
            .doing(|| format!("comparing table `{}` with what was loaded", table.name))?;
        let count = |index| u64::try_from(row.get::<_, i64>(index)).unwrap_or_default();
        let (all, still_there) = (count(0), count(1));
        let written = all - still_there;
        let lost = table.rows().saturating_sub(still_there);
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

impl LedgerTable {
    /// The transactions that loaded it, as its rows show them: the lower 32 bits.
    fn transactions(&self) -> Vec<i64> {
        let chunks = self.chunks.iter();
        chunks.map(|chunk| chunk.loaded_by & 0xffff_ffff).collect()
    }
}

/// Hands the rows over that others wrote, table by table.
fn write_later_rows(
    transaction: &mut Transaction<'_>,
    run: &LedgerRun,
    later: &[LaterWrites],
    write: &mut WriteRows<'_>,
) -> Result<(), Error> {
    let written = later.iter().filter(|later| later.written > 0);
    for later in written {
        let table = run.tables.iter().find(|table| table.name == later.table);
        let loaded_by = table.map(LedgerTable::transactions).unwrap_or_default();
        let loaded_by: Vec<String> = loaded_by.iter().map(i64::to_string).collect();
        let sql = format!(
            "copy (select * from {} where xmin::text::bigint <> all ('{{{}}}'::bigint[])) \
             to stdout (format csv, header)",
            quote::postgres_qualified(&run.target_schema, &later.table),
            loaded_by.join(",")
        );
        let doing = || format!("writing the later rows of table `{}`", later.table);
        let mut rows = transaction.copy_out(&sql).doing(doing)?;
        write(&later.table, &mut rows).map_err(|error| match error.get_ref() {
            Some(inner) if inner.is::<postgres::Error>() => Error::new(Kind::Io(error), doing()),
            _ => Error::new(Kind::Local(error), doing()),
        })?;
    }
    Ok(())
}

impl LaterWrites {
    /// All of them on one line.
    pub fn list(later: &[Self]) -> String {
        let tables = later.iter().map(|later| {
            let rows = |count: u64, what: &str| match count {
                1 => format!("1 {what}row"),
                _ => format!("{count} {what}rows"),
            };
            format!(
                "{}: {} inserted or changed, {} changed or gone",
                later.table,
                rows(later.written, ""),
                rows(later.lost, "loaded ")
            )
        });
        tables.collect::<Vec<_>>().join("; ")
    }
}

/// What becomes of rows that others wrote since the load.
pub enum LaterRows<'w> {
    /// They stop the rollback.
    Kept,
    /// They are thrown away.
    Discarded,
    /// As are these, once each table's are written: as CSV with a header, from the reader.
    Written(&'w mut WriteRows<'w>),
}

/// Writes the rows of a table somewhere.
pub type WriteRows<'w> = dyn FnMut(&str, &mut dyn Read) -> io::Result<()> + 'w;

/// What a rollback came to.
#[derive(Debug)]
pub struct RolledBack {
    /// The run as the ledger had it at the end.
    pub run: LedgerRun,
    /// What others wrote since the load: where that is not empty and was to be kept, nothing is
    /// changed.
    pub later: Vec<LaterWrites>,
}

/// Brings rows, sequences and what was off back to what they were and removes the ledger, in one
/// transaction, however far the load has come.
///
/// # Errors
/// Where another run is at work, or where the server refuses; nothing is changed then.
pub fn roll_back(
    connection: &mut Connection,
    ledger: &str,
    (run, later_rows): (&LedgerRun, LaterRows<'_>),
    leftovers: Leftovers,
) -> Result<RolledBack, Error> {
    let doing = || format!("rolling back run {}", run.run_id);
    let schema = &run.target_schema;
    // A look at the catalogue may wait for a lock, too.
    connection.batch_execute(&format!("set {LOCK_TIMEOUT}"))?;
    let columns = restorable_columns(connection, run)?;
    let mut transaction = connection.client.transaction().doing(doing)?;
    lock(&mut transaction, Some((&run.run_id, leftovers)))?;
    let run = still_holds(&mut transaction, ledger, run)?;
    let names = run.table_names();
    lock_tables(&mut transaction, schema, &names)?;
    let later = read_later_writes(&mut transaction, &run)?;
    match later_rows {
        LaterRows::Kept if !later.is_empty() => return Ok(RolledBack { run, later }),
        LaterRows::Written(write) => write_later_rows(&mut transaction, &run, &later, write)?,
        LaterRows::Kept | LaterRows::Discarded => {}
    }
    let place = (ledger, run.run_id.as_str());
    let still_off = StillOff::read(&mut transaction, place)?;
    let mut on = constraints::read(&mut transaction, schema, &names)?;
    for off in &on {
        off.take_off(&mut transaction)?;
    }
    // Those come back as the ledger has them.
    on.retain(|off| !still_off.half.iter().any(|half| half.is_same(off)));
    for (table, columns) in run.tables.iter().zip(&columns) {
        restore_rows(&mut transaction, (ledger, schema), table, columns)?;
    }
    for off in still_off.in_order(on) {
        off.put_back_whole(&mut transaction)?;
    }
    check_restored(&mut transaction, place, schema)?;
    for view in ledger::read_refreshed(&mut transaction, place)? {
        let sql = format!("refresh materialized view {view}");
        transaction
            .batch_execute(&sql)
            .doing(|| format!("refreshing materialised view {view}"))?;
    }
    for state in ledger::read_sequences(&mut transaction, ledger, &run.run_id)? {
        sequences::set_state(&mut transaction, &state)?;
    }
    ledger::remove_run(&mut transaction, ledger, &run)?;
    transaction.commit().doing(doing)?;
    Ok(RolledBack { run, later })
}

/// What a load has not brought back.
struct StillOff {
    keys: Vec<Off>,
    foreign_keys: Vec<Off>,
    /// Foreign keys that are back for new rows only.
    half: Vec<Off>,
    triggers: Vec<Off>,
}

impl StillOff {
    fn read(transaction: &mut Transaction<'_>, place: (&str, &str)) -> Result<Self, Error> {
        let mut read = |kind, state| ledger::read_off(transaction, place, kind, state);
        Ok(Self {
            keys: read(OffKind::Key, OffState::Off)?,
            foreign_keys: read(OffKind::ForeignKey, OffState::Off)?,
            half: read(OffKind::ForeignKey, OffState::Unvalidated)?,
            triggers: read(OffKind::Trigger, OffState::Off)?,
        })
    }

    /// All of it and what was on until now, each behind what it needs.
    fn in_order(self, on: Vec<Off>) -> impl Iterator<Item = Off> {
        let (keys, rest) = (self.keys.into_iter(), self.foreign_keys.into_iter());
        keys.chain(rest)
            .chain(self.half)
            .chain(on)
            .chain(self.triggers)
    }
}

fn restore_rows(
    transaction: &mut Transaction<'_>,
    (ledger, schema): (&str, &str),
    table: &LedgerTable,
    columns: &str,
) -> Result<(), Error> {
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
        .doing(|| format!("restoring table `{}`", table.name))
}

/// What the load took off must be as it was before; what others changed since is their affair.
fn check_restored(
    transaction: &mut Transaction<'_>,
    place: (&str, &str),
    schema: &str,
) -> Result<(), Error> {
    let (before, meanwhile) = ledger::read_definitions(transaction, place)?;
    let now = definitions(transaction, schema)?;
    let taken_off = before.differences(&meanwhile).into_iter();
    let still = taken_off.filter(|object| now.state(object) == meanwhile.state(object));
    let still: Vec<String> = still.collect();
    if still.is_empty() {
        return Ok(());
    }
    let text = format!("these definitions did not come back: {}", still.join(", "));
    Err(Error::new(Kind::State(text), "rolling back"))
}

/// The run was read before the lock was taken: in between, it may have gone on, or another may
/// have taken its place.
fn still_holds(
    transaction: &mut Transaction<'_>,
    ledger: &str,
    run: &LedgerRun,
) -> Result<LedgerRun, Error> {
    let now = ledger::read(transaction, ledger)?;
    let place = |run: &LedgerRun| {
        let run = run.clone();
        (run.run_id, run.database, run.target_schema)
    };
    now.filter(|now| place(now) == place(run)).ok_or_else(|| {
        let text = format!("the target does not hold run {} any more", run.run_id);
        Error::new(Kind::State(text), "reading the ledger")
    })
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
/// Where another run is at work, where the load has not ended, or where the server refuses.
pub fn finalize(connection: &mut Connection, ledger: &str, run: &LedgerRun) -> Result<(), Error> {
    let doing = || format!("finalizing run {}", run.run_id);
    let mut transaction = connection.client.transaction().doing(doing)?;
    lock(&mut transaction, None)?;
    let run = still_holds(&mut transaction, ledger, run)?;
    if run.loaded.is_none() {
        let text = format!("run {} is not loaded to its end", run.run_id);
        return Err(Error::new(Kind::State(text), doing()));
    }
    ledger::remove_run(&mut transaction, ledger, &run)?;
    transaction.commit().doing(doing)
}
