//! One point in time for all databases of a run on one server, however many connections read it.
//!
//! The lock under which the transactions begin is in `lock.rs`; without one there is a single
//! transaction, which is of one moment by itself.

use std::collections::BTreeMap;
use std::iter;
use std::thread;
use std::time::Duration;

use dataset::{Coordinates, SnapshotMethod};

use catalog::Server;

use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::fence::{self, TableVersions};
use crate::lock::{self, Waiting};
use crate::reader::Reader;

/// A write between reading the coordinates and opening the transaction is noticed by
/// reading them again; on a busy server a few tries are needed.
const COORDINATE_TRIES: usize = 20;

/// A server that is written to all the time is read by one connection.
const REST_TRIES: usize = 3;

/// Longer than a server takes from writing a transaction to its log to committing it.
const SETTLE: Duration = Duration::from_millis(200);

/// The next AUTO_INCREMENT values of tables by name.
type AutoIncrements = BTreeMap<String, u64>;

/// What a snapshot is to be like.
#[derive(Clone, Debug)]
pub struct SnapshotRequest {
    /// How many connections are to read.
    pub readers: usize,
    /// How long writers of the source may have to wait for a lock that this tool waits for.
    pub lock_wait: Duration,
    /// All tables that are to be read, each with its database before it.
    pub tables: Vec<(String, String)>,
}

/// Read-only transactions that see one moment.
#[derive(Debug)]
pub struct Snapshot {
    readers: Vec<Reader>,
    method: SnapshotMethod,
    coordinates: Option<Coordinates>,
    /// By database; empty where nobody asked for them at that moment.
    auto_increments: BTreeMap<String, AutoIncrements>,
    /// By database; empty where nobody asked for them at that moment.
    versions: BTreeMap<String, TableVersions>,
    /// While it lives, nobody changes the schema, where the server can do that.
    _schema_lock: Option<Connection>,
}

impl Snapshot {
    /// As many transactions as are wanted where nothing is written while they begin, as the
    /// binary log tells; else one. Takes no lock, so production writes never wait for it.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn take(connection: Connection, readers: usize) -> Result<Self, Error> {
        let endpoint = connection.endpoint().clone();
        let mut readers = iter::once(Reader::new(connection))
            .chain((1..readers).map(|_| Reader::open(&endpoint)))
            .collect::<Result<Vec<_>, _>>()?;
        let coordinates = match begin_at_rest(&mut readers)? {
            Some(coordinates) => Some(coordinates),
            None => {
                readers.truncate(1);
                begin_alone(&mut readers[0])?
            }
        };
        Ok(Self {
            readers,
            method: SnapshotMethod::OneConnection,
            coordinates,
            auto_increments: BTreeMap::new(),
            versions: BTreeMap::new(),
            _schema_lock: None,
        })
    }

    /// As many transactions as are wanted, begun under a lock of the server or of the tables;
    /// only one where neither can be had.
    ///
    /// # Errors
    /// Where the server refuses anything but a lock, and those of `waiting`.
    pub fn take_under_lock<E: From<Error>>(
        endpoint: &Endpoint,
        request: &SnapshotRequest,
        waiting: &mut dyn Waiting<E>,
    ) -> Result<Self, E> {
        let mut connection = Connection::open(endpoint)?;
        // Before the lock, since others wait while it is held.
        let readers = (0..request.readers.max(1)).map(|_| Reader::open(endpoint));
        let mut readers = readers.collect::<Result<Vec<_>, _>>()?;
        let keeper = Connection::open(endpoint)?;
        let mut databases: Vec<&String> = request.tables.iter().map(|(d, _)| d).collect();
        databases.dedup();
        let held = lock::acquire(&mut connection, &request.tables, request.lock_wait, waiting)?;
        // Before the transactions begin: a table that is exchanged in between counts as changed.
        let mut versions = BTreeMap::new();
        for database in &databases {
            let found = fence::table_versions(&mut readers[0].connection, database)?;
            versions.insert((*database).clone(), found);
        }
        let coordinates = match held {
            Some(_) => {
                readers.iter_mut().try_for_each(Reader::begin)?;
                fence::coordinates(&mut connection)?
            }
            None => {
                readers.truncate(1);
                begin_alone(&mut readers[0])?
            }
        };
        // Behind the lock: a change of the schema that waits for this one would hold that one up.
        let schema_lock = lock::hold_schema(keeper)?;
        let mut auto_increments = BTreeMap::new();
        for database in databases {
            let found = read_auto_increments(&mut readers[0].connection, database)?;
            auto_increments.insert(database.clone(), found);
        }
        connection.execute("unlock tables")?;
        Ok(Self {
            readers,
            method: held.unwrap_or(SnapshotMethod::OneConnection),
            coordinates,
            auto_increments,
            versions,
            _schema_lock: schema_lock,
        })
    }

    /// Where it was taken.
    pub fn endpoint(&self) -> &Endpoint {
        self.readers[0].connection.endpoint()
    }

    /// How it was taken; without a lock, it counts as that of one connection.
    pub fn method(&self) -> SnapshotMethod {
        self.method
    }

    /// Where the binary log stood at that moment, where the server says so.
    pub fn coordinates(&self) -> Option<&Coordinates> {
        self.coordinates.as_ref()
    }

    /// Whether the source is as it was at other coordinates: nothing was written between them
    /// and this snapshot.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn is_unmoved_since(&mut self, before: &Coordinates) -> Result<bool, Error> {
        let Some(now) = &self.coordinates else {
            return Ok(false);
        };
        fence::is_unmoved(&mut self.readers[0].connection, before, now)
    }

    /// Tables of a database that somebody made anew since the snapshot, with the same definition
    /// or another: a rebuild, a rename or `truncate`.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn tables_made_anew(
        &self,
        connection: &mut Connection,
        database: &str,
    ) -> Result<Vec<String>, Error> {
        let Some(before) = self.versions.get(database) else {
            return Ok(Vec::new());
        };
        let now = fence::table_versions(connection, database)?;
        let anew = before
            .iter()
            .filter(|(name, version)| now.get(*name) != Some(*version));
        Ok(anew.map(|(name, _)| name.clone()).collect())
    }

    /// The server's kind and version.
    pub fn server(&self) -> &Server {
        self.readers[0].connection.server()
    }

    /// All readers; at least one.
    pub fn readers(&mut self) -> &mut [Reader] {
        &mut self.readers
    }

    /// The reader for whoever needs only one.
    pub fn reader(&mut self) -> &mut Reader {
        &mut self.readers[0]
    }

    /// The next AUTO_INCREMENT value of each table of a database that has one, as it was under
    /// the lock where one was held.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn auto_increments(&mut self, database: &str) -> Result<AutoIncrements, Error> {
        match self.auto_increments.get(database) {
            Some(found) => Ok(found.clone()),
            None => read_auto_increments(&mut self.readers[0].connection, database),
        }
    }
}

/// Begins all transactions without a lock, and finds out where the binary log stood meanwhile;
/// `None` where that is not known, and none has begun.
fn begin_at_rest(readers: &mut [Reader]) -> Result<Option<Coordinates>, Error> {
    let coordinates = |readers: &mut [Reader]| fence::coordinates(&mut readers[0].connection);
    for _ in 0..REST_TRIES {
        let before = coordinates(readers)?;
        if readers.len() == 1 || before.is_none() {
            return Ok(None);
        }
        // What the log has may not be seen yet, and what is seen may not be counted yet.
        thread::sleep(SETTLE);
        readers.iter_mut().try_for_each(Reader::begin)?;
        thread::sleep(SETTLE);
        if coordinates(readers)? == before {
            return Ok(before);
        }
        readers.iter_mut().try_for_each(Reader::end)?;
    }
    Ok(None)
}

/// Begins a transaction without a lock, and finds out where the binary log stood.
fn begin_alone(reader: &mut Reader) -> Result<Option<Coordinates>, Error> {
    for _ in 0..COORDINATE_TRIES {
        let before = fence::coordinates(&mut reader.connection)?;
        if before.as_ref().is_some_and(|before| before.gtid.is_none()) {
            // A transaction is in the log a moment before it can be seen.
            thread::sleep(SETTLE);
            if fence::coordinates(&mut reader.connection)? != before {
                continue;
            }
        }
        reader.begin()?;
        if before.is_some() && fence::coordinates(&mut reader.connection)? == before {
            return Ok(before);
        }
        reader.end()?;
    }
    // Without a binary log, or on one that never rests: the data are of one moment all the
    // same, only its name in the log is not known.
    reader.begin()?;
    Ok(None)
}

fn read_auto_increments(
    connection: &mut Connection,
    database: &str,
) -> Result<AutoIncrements, Error> {
    let sql = format!(
        "select table_name, auto_increment, table_schema from information_schema.tables \
          where table_schema = {} and auto_increment is not null",
        catalog::quote::mysql_literal(database)
    );
    let mut rows = connection.query_text(&sql)?;
    // Names are compared without case there, and another database may differ in case alone.
    let exact = |row: &Vec<Option<String>>| row[2].as_deref() == Some(database);
    if rows.iter().any(exact) {
        rows.retain(exact);
    }
    let pairs = rows.into_iter().filter_map(|row| {
        let mut row = row.into_iter().flatten();
        Some((row.next()?, row.next()?.parse().ok()?))
    });
    Ok(pairs.collect())
}
