//! The load of one database, whose state is in the ledger at any time: constraints off, files
//! loaded, constraints back, sealed.
//!
//! What is decided here is the order; the sessions that do the long work side by side are in
//! `load`. Whatever ends a load, a next one goes on with it, or a rollback takes it back.

use std::collections::{BTreeMap, BTreeSet};

use postgres::{GenericClient, Transaction};

use catalog::{TargetCatalog, TargetColumn, TargetTable, quote};

use crate::connection::{Cancel, Connection};
use crate::constraints;
use crate::error::{Doing, Error, Kind};
use crate::fingerprint::{Fingerprint, definitions};
use crate::keys;
use crate::ledger::{self, LedgerRun, LedgerTable};
use crate::load::{LOCK_TIMEOUT, Loader};
use crate::off::{Off, OffKind, OffState};
use crate::rollback::{LaterWrites, read_later_writes};
use crate::sequences;

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

/// A load that has begun; where it is dropped, the next one goes on with it.
pub struct Import<'c> {
    connection: &'c mut Connection,
    ledger: String,
    run: LedgerRun,
}

/// The end of a load; dropping it leaves the load as it was before.
pub struct Seal<'s> {
    transaction: Transaction<'s>,
    ledger: &'s str,
    run: LedgerRun,
    /// The next values that were asked for, by sequence.
    next_values: BTreeMap<String, i128>,
}

impl<'c> Import<'c> {
    /// Takes foreign keys, triggers and indexes off, sets rows aside that are to be replaced, and
    /// enters all of that in the ledger, in one transaction.
    ///
    /// `known` are the definitions as they were before the catalogue was read. Wants the lock of
    /// [`Connection::lock_for_run`], and leaves the load for [`Import::resume`] to go on with.
    ///
    /// Returns the rows that were set aside, by table.
    ///
    /// # Errors
    /// Where another run has not been finalized, where a table holds rows that may not be
    /// replaced, where something would not come back as it was, or where the server refuses;
    /// nothing was changed then.
    pub fn begin(
        connection: &mut Connection,
        ledger: &str,
        (run_id, database): (&str, &str),
        (catalog, known): (&TargetCatalog, &Fingerprint),
        tables: &[ImportTable<'_>],
    ) -> Result<Vec<(String, u64)>, Error> {
        let doing = || "beginning the import".to_owned();
        let mut transaction = connection.client.transaction().doing(doing)?;
        if let Some(other) = ledger::read(&mut transaction, ledger)? {
            return Err(state(format!(
                "run {} is loaded and not finalized",
                other.run_id
            )));
        }
        let made_schema = ledger::prepare(&mut transaction, ledger)?;
        let schema = &catalog.schema;
        let names: Vec<&str> = tables.iter().map(|t| t.table.name.as_str()).collect();
        lock_tables(&mut transaction, schema, &names)?;
        let before = definitions(&mut transaction, schema)?;
        // A column of another type might take the bytes of the one that was there.
        let differences = known.differences(&before);
        if !differences.is_empty() {
            return Err(state(format!(
                "the schema was changed meanwhile: {}",
                differences.join(", ")
            )));
        }
        let sequences = sequences::read_states(&mut transaction, &sequences_of(tables))?;
        let constraints = constraints::read(&mut transaction, schema, &names)?;
        constraints::take_off(&mut transaction, schema, (&constraints, &before))?;
        let mut aside = Aside::default();
        let occupied = occupied(&mut transaction, schema, &names)?;
        for table in tables {
            if occupied.contains(&table.table.name) {
                aside.set_rows_aside(&mut transaction, (ledger, schema), table)?;
            }
        }
        let later = tables.iter().filter(|table| table.index_later);
        let later: Vec<&str> = later.map(|table| table.table.name.as_str()).collect();
        let mut off = keys::removable(&mut transaction, schema, &later)?;
        for key in &off {
            key.take_off(&mut transaction)?;
        }
        // Foreign keys come back after the keys that they refer to.
        off.extend(constraints);
        for (number, off) in (1..).zip(&mut off) {
            off.number = number;
        }
        let meanwhile = definitions(&mut transaction, schema)?;
        let run = LedgerRun {
            run_id: run_id.to_owned(),
            database: database.to_owned(),
            target_schema: schema.clone(),
            loaded: None,
            tables: tables.iter().map(|table| aside.entry(table)).collect(),
            made_schema,
        };
        ledger::insert_run(&mut transaction, ledger, &run, &sequences)?;
        let place = (ledger, run_id);
        ledger::insert_off(&mut transaction, place, &off, (&before, &meanwhile))?;
        transaction.commit().doing(doing)?;
        Ok(aside.rows)
    }

    /// Goes on with a load that has begun. Wants the lock of [`Connection::lock_for_run`].
    ///
    /// # Errors
    /// Where the schema was changed since, or where the server refuses.
    pub fn resume(
        connection: &'c mut Connection,
        ledger: &str,
        run: LedgerRun,
    ) -> Result<Self, Error> {
        let place = (ledger, run.run_id.as_str());
        let client = &mut connection.client;
        let (before, meanwhile) = ledger::read_definitions(client, place)?;
        let half = ledger::read_off(client, place, OffKind::ForeignKey, OffState::Unvalidated)?;
        let half: BTreeSet<String> = half
            .iter()
            .map(|off| format!("constraint {}.{}", off.table, off.name))
            .collect();
        let now = definitions(client, &run.target_schema)?;
        let differs = |object: &String| {
            let state = now.state(object);
            state != meanwhile.state(object) && !half.contains(object)
        };
        let changed: Vec<String> = before
            .differences(&now)
            .into_iter()
            .filter(differs)
            .collect();
        if !changed.is_empty() {
            return Err(state(format!(
                "the schema was changed since the load began: {}",
                changed.join(", ")
            )));
        }
        connection.share_lock()?;
        Ok(Self {
            connection,
            ledger: ledger.to_owned(),
            run,
        })
    }

    /// What the ledger knew when the load began or went on.
    pub fn run(&self) -> &LedgerRun {
        &self.run
    }

    /// Opens a session that works on this load.
    ///
    /// # Errors
    /// Where the server is not reached or refuses.
    pub fn loader(&self, number: usize) -> Result<Loader, Error> {
        let endpoint = self.connection.endpoint();
        Loader::open(endpoint, (&self.ledger, &self.run), number)
    }

    /// A handle that can end the statement of the first session.
    pub fn cancel(&self) -> Cancel {
        self.connection.cancel()
    }

    /// The indexes that are still off, once all files are loaded.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn keys_to_build(&mut self) -> Result<Vec<Off>, Error> {
        self.off(OffKind::Key, OffState::Off)
    }

    /// Brings the foreign keys back, for new rows only, once all indexes are there, and returns
    /// those that wait for a look at all rows.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn keys_to_validate(&mut self) -> Result<Vec<Off>, Error> {
        let off = self.off(OffKind::ForeignKey, OffState::Off)?;
        let doing = || "bringing foreign keys back".to_owned();
        let mut transaction = self.connection.client.transaction().doing(doing)?;
        let limit = format!("set local {LOCK_TIMEOUT}");
        transaction.batch_execute(&limit).doing(doing)?;
        let place = (self.ledger.as_str(), self.run.run_id.as_str());
        let (mut half, mut whole) = (Vec::new(), Vec::new());
        for off in &off {
            match off.put_back(&mut transaction)? {
                OffState::On => whole.push(off),
                OffState::Off | OffState::Unvalidated => half.push(off),
            }
        }
        ledger::mark(&mut transaction, place, &half, OffState::Unvalidated)?;
        ledger::mark(&mut transaction, place, &whole, OffState::On)?;
        transaction.commit().doing(doing)?;
        self.off(OffKind::ForeignKey, OffState::Unvalidated)
    }

    fn off(&mut self, kind: OffKind, state: OffState) -> Result<Vec<Off>, Error> {
        let place = (self.ledger.as_str(), self.run.run_id.as_str());
        ledger::read_off(&mut self.connection.client, place, kind, state)
    }

    /// Begins the end of the load: nobody else may write from here on, and nobody may have.
    ///
    /// # Errors
    /// Where others have written to the tables, or where the server refuses.
    pub fn seal(&mut self) -> Result<Seal<'_>, Error> {
        let doing = || "ending the import".to_owned();
        let mut transaction = self.connection.client.transaction().doing(doing)?;
        let run = ledger::read(&mut transaction, &self.ledger)?
            .ok_or_else(|| state("the ledger is gone".to_owned()))?;
        lock_tables(&mut transaction, &run.target_schema, &run.table_names())?;
        let later = read_later_writes(&mut transaction, &run)?;
        if !later.is_empty() {
            let text = format!(
                "others have written to the tables during the load: {}",
                LaterWrites::list(&later)
            );
            return Err(Error::new(Kind::State(text), doing()));
        }
        Ok(Seal {
            transaction,
            ledger: &self.ledger,
            run,
            next_values: BTreeMap::new(),
        })
    }
}

/// Rows that were there before.
#[derive(Default)]
struct Aside {
    /// Tables of the ledger's schema, by the table whose rows they keep.
    kept: BTreeMap<String, String>,
    rows: Vec<(String, u64)>,
}

impl Aside {
    /// Empties a table that holds rows, after copying them into the ledger's schema.
    fn set_rows_aside(
        &mut self,
        transaction: &mut Transaction<'_>,
        (ledger, schema): (&str, &str),
        table: &ImportTable<'_>,
    ) -> Result<(), Error> {
        let name = &table.table.name;
        let qualified = quote::postgres_qualified(schema, name);
        if !table.replace {
            return Err(state(format!("table `{name}` holds rows")));
        }
        let kept = format!("kept_{}", self.kept.len() + 1);
        let doing = || format!("setting the rows of table `{name}` aside");
        let sql = format!(
            "create table {} as table {qualified}",
            quote::postgres_qualified(ledger, &kept)
        );
        let rows = transaction.execute(&sql, &[]).doing(doing)?;
        ledger::keep_private(transaction, ledger)?;
        let truncate = format!("truncate {qualified}");
        transaction.batch_execute(&truncate).doing(doing)?;
        self.kept.insert(name.clone(), kept);
        self.rows.push((name.clone(), rows));
        Ok(())
    }

    fn entry(&self, table: &ImportTable<'_>) -> LedgerTable {
        let name = &table.table.name;
        LedgerTable {
            name: name.clone(),
            chunks: Vec::new(),
            kept_rows_in: self.kept.get(name).cloned(),
        }
    }
}

impl Seal<'_> {
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
            Some(next) => i128::from(next),
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

    /// Enables triggers, proves that all definitions are as they were before the load, and ends
    /// it.
    ///
    /// # Errors
    /// Where a definition differs, or where the server refuses. Where the connection is lost,
    /// only the ledger can say whether it took the commit.
    pub fn commit(mut self) -> Result<(), Error> {
        let doing = || "ending the import".to_owned();
        let place = (self.ledger, self.run.run_id.as_str());
        let transaction = &mut self.transaction;
        for off in ledger::read_off(transaction, place, OffKind::Trigger, OffState::Off)? {
            let state = off.put_back(transaction)?;
            ledger::mark(transaction, place, &[&off], state)?;
        }
        let (before, _) = ledger::read_definitions(transaction, place)?;
        let after = definitions(transaction, &self.run.target_schema)?;
        let differences = before.differences(&after);
        if !differences.is_empty() {
            let text = format!(
                "these definitions are not as they were: {}",
                differences.join(", ")
            );
            return Err(Error::new(Kind::State(text), doing()));
        }
        ledger::mark_loaded(transaction, self.ledger, &self.run.run_id)?;
        self.transaction.commit().doing(doing)
    }
}

/// The sequences of the tables; two columns may take their numbers from one.
fn sequences_of<'t>(tables: &[ImportTable<'t>]) -> Vec<&'t str> {
    let columns = tables.iter().flat_map(|table| &table.table.columns);
    let names: BTreeSet<&str> = columns.filter_map(TargetColumn::sequence_name).collect();
    names.into_iter().collect()
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
    let sql = format!(
        "set local {LOCK_TIMEOUT}; lock table {} in access exclusive mode",
        names.join(", ")
    );
    transaction
        .batch_execute(&sql)
        .doing(|| "locking the tables".to_owned())
}

fn state(text: String) -> Error {
    Error::new(Kind::State(text), "beginning the import")
}

/// Those of the tables that hold a row.
fn occupied(
    client: &mut impl GenericClient,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<String>, Error> {
    // A table without a page has no row, unless its rows are in others.
    let sql = "select c.relname::text from pg_catalog.pg_class c \
        where c.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1) \
          and c.relname = any ($2) \
          and (c.relkind <> 'r' or c.relhassubclass or pg_catalog.pg_relation_size(c.oid) > 0) \
        order by c.relname";
    let doing = || "looking for tables that hold rows".to_owned();
    let candidates = client.query(sql, &[&schema, &tables]).doing(doing)?;
    let mut occupied = Vec::new();
    for row in candidates {
        let table: String = row.get(0);
        let name = quote::postgres_qualified(schema, &table);
        let sql = format!("select exists (select from {name})");
        let doing = || format!("looking for rows in table `{table}`");
        if client.query_one(&sql, &[]).doing(doing)?.get(0) {
            occupied.push(table);
        }
    }
    Ok(occupied)
}

impl Connection {
    /// Those of the tables that hold a row, by name.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn occupied_tables(&mut self, schema: &str, tables: &[&str]) -> Result<Vec<String>, Error> {
        occupied(&mut self.client, schema, tables)
    }

    /// Sessions of others that hold locks on tables of a schema, the first few.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn lock_owners(&mut self, schema: &str) -> Result<Vec<String>, Error> {
        let rows = self
            .client
            .query(include_str!("sql/lock_owners.sql"), &[&schema])
            .doing(|| "looking for those who hold locks".to_owned())?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
