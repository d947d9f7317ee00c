//! The moments at which the sources are read: one for each login of the run.
//!
//! Also the watch over their schemas, which a snapshot does not hold still.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use catalog::{SourceCatalog, SourceTable};
use dataset::SnapshotMethod;
use source::{Connection, Snapshot, SnapshotRequest, Waiting};

use crate::call::next;
use crate::config::Database;
use crate::console::Console;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task, Work};
use crate::pairing::TablePair;
use crate::run::Run;
use crate::versions;

/// Snapshots, and the schemas as they were just before.
#[derive(Debug)]
pub(crate) struct Moments {
    pub(crate) snapshots: Vec<Snapshot>,
    /// By the database's name in the configuration.
    schemas: BTreeMap<String, SourceCatalog>,
}

/// A snapshot for every login without a lock: databases that share one are read at one moment.
/// Where there is a table of so many bytes, and nothing is written to the source meanwhile, it has
/// as many connections as the run has workers.
pub(crate) fn without_lock(
    run: &Run,
    task: &Task,
    large: Option<u64>,
) -> anyhow::Result<Vec<Snapshot>> {
    for_every_login(run, task, |first| {
        let mut connection = source::Connection::open(&first.source)?;
        versions::support(connection.server())?;
        let mut readers = 1;
        let shares = |database: &&Database| database.source.same_login(&first.source);
        for database in run.config.databases.iter().filter(shares) {
            let bytes = connection.table_bytes(database.source_name())?;
            if large.is_some_and(|large| bytes.values().any(|bytes| *bytes >= large)) {
                readers = run.workers;
            }
        }
        let mut snapshot = Snapshot::take(connection, readers)?;
        if snapshot.readers().len() < readers {
            run.console.line(&format!(
                "snapshot   {}: the source is written to, or its binary log does not tell",
                describe(&snapshot)
            ));
        }
        Ok(snapshot)
    })
}

/// A snapshot of all tables of the run for every login, with `readers` connections each where
/// the server lets them see one moment.
pub(crate) fn under_lock(
    run: &Run,
    task: &Task,
    readers: usize,
    lock_wait: Duration,
) -> anyhow::Result<Moments> {
    let mut schemas = BTreeMap::new();
    let snapshots = for_every_login(run, task, |first| {
        let mut source = source::Connection::open(&first.source)?;
        versions::support(source.server())?;
        let shares = |database: &&Database| database.source.same_login(&first.source);
        let mut tables = Vec::new();
        for database in run.config.databases.iter().filter(shares) {
            let schema = source::discover(&mut source, database.source_name())?;
            tables.extend(wanted(database, &schema));
            schemas.insert(database.name.clone(), schema);
        }
        let request = SnapshotRequest {
            readers,
            lock_wait,
            tables,
        };
        let mut patience = Patience {
            console: run.console,
            interrupt: &run.interrupt,
        };
        let snapshot = Snapshot::take_under_lock(&first.source, &request, &mut patience)?;
        patience.say(describe(&snapshot));
        Ok(snapshot)
    })?;
    Ok(Moments { snapshots, schemas })
}

/// Waits for a lock until somebody wants the end.
struct Patience<'r> {
    console: Console,
    interrupt: &'r Interrupt,
}

impl Waiting<anyhow::Error> for Patience<'_> {
    fn say(&mut self, what: &str) {
        self.console.line(&format!("snapshot   {what}"));
    }

    fn step(&mut self) -> anyhow::Result<()> {
        Ok(self.interrupt.check()?)
    }
}

fn wanted<'s>(
    database: &'s Database,
    schema: &'s SourceCatalog,
) -> impl Iterator<Item = (String, String)> {
    let tables = schema.tables.iter();
    let tables = tables.filter(|table| database.takes(&table.name));
    tables.map(|table| (database.source_name().to_owned(), table.name.clone()))
}

fn describe(snapshot: &Snapshot) -> &'static str {
    match snapshot.method() {
        SnapshotMethod::GlobalReadLock => "of one moment, under a lock of the server",
        SnapshotMethod::TableLocks => "of one moment, under locks of the tables",
        SnapshotMethod::OneConnection => {
            "of one moment, on one connection: nothing is read side by side"
        }
    }
}

fn for_every_login(
    run: &Run,
    task: &Task,
    mut take: impl FnMut(&Database) -> anyhow::Result<Snapshot>,
) -> anyhow::Result<Vec<Snapshot>> {
    let task = Task {
        sides: &[Side::Source],
        ..*task
    };
    let mut snapshots: Vec<Snapshot> = Vec::new();
    for database in &run.config.databases {
        if !snapshots
            .iter()
            .any(|s| s.endpoint().same_login(&database.source))
        {
            run.interrupt.check()?;
            let work = Work::before_a_stage(&task, &run.call, database, &run.directory);
            let snapshot = work.watched(database, || take(database));
            snapshots.push(snapshot.map_err(|error| explain(database, error))?);
        }
    }
    if snapshots.len() > 1 {
        run.console.line(&format!(
            "snapshot   {} points in time: the databases are on different servers or logins",
            snapshots.len()
        ));
    }
    Ok(snapshots)
}

/// The snapshot in which a database is read.
pub(crate) fn snapshot_of<'s>(
    snapshots: &'s mut [Snapshot],
    database: &Database,
) -> &'s mut Snapshot {
    snapshots
        .iter_mut()
        .find(|snapshot| snapshot.endpoint().same_login(&database.source))
        .expect("a snapshot was taken for every login")
}

impl Moments {
    /// Fails where a table of the run is not what it was before the snapshot.
    pub(crate) fn check_schema(
        &self,
        database: &Database,
        pairs: &[TablePair<'_>],
        now: &SourceCatalog,
    ) -> Result<(), Failure> {
        let before = &self.schemas[&database.name];
        let names = pairs.iter().map(|pair| pair.source.name.as_str());
        let names: BTreeSet<&str> = names.collect();
        let definition = |schema: &SourceCatalog, name: &str| schema.table(name).map(without_rows);
        let changed = names
            .into_iter()
            .filter(|name| definition(before, name) != definition(now, name));
        let changed: Vec<&str> = changed.collect();
        match changed.is_empty() {
            true => Ok(()),
            false => Err(schema_changed(database, &changed.join(", "))),
        }
    }

    /// Fails where a table of the run was made anew since the snapshot, with whatever definition:
    /// what was read of it may be of two tables.
    pub(crate) fn check_tables(
        &mut self,
        database: &Database,
        pairs: &[TablePair<'_>],
        source: &mut Connection,
    ) -> anyhow::Result<()> {
        let snapshot = snapshot_of(&mut self.snapshots, database);
        let mut anew = snapshot.tables_made_anew(source, database.source_name())?;
        anew.retain(|name| pairs.iter().any(|pair| pair.source.name == *name));
        match anew.is_empty() {
            true => Ok(()),
            false => Err(schema_changed(database, &anew.join(", ")).into()),
        }
    }
}

/// A table's definition, without the number that moves with its rows.
fn without_rows(table: &SourceTable) -> SourceTable {
    SourceTable {
        auto_increment: None,
        ..table.clone()
    }
}

fn schema_changed(database: &Database, what: &str) -> Failure {
    Failure::blocked(format!(
        "the schema of source `{}` was changed while it was exported: {what}",
        database.name
    ))
    .hint(format!(
        "pause schema migrations, then run `{}` again",
        next("export")
    ))
}

/// What the server says of a table that was changed or dropped behind a snapshot, in words.
pub(crate) fn explain(database: &Database, error: anyhow::Error) -> anyhow::Error {
    let Some(found) = error.downcast_ref::<source::Error>() else {
        return error;
    };
    if found.is_about_a_value() {
        return Failure::refused(found.to_string())
            .hint(
                "the source was only read, the target was not touched; look at the bytes with \
                 `select hex(…)` and repair them on the source",
            )
            .into();
    }
    match found.code() {
        // "Unknown column", "Table doesn't exist", "Table definition has changed".
        Some(1054 | 1146 | 1412) => schema_changed(database, found.doing()).into(),
        _ => error,
    }
}
