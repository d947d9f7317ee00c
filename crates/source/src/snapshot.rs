//! One point in time for all databases of a run on one server.
//!
//! One connection's transaction; it takes no lock, so production writes never wait for it.

use std::collections::BTreeMap;

use dataset::{Coordinates, SnapshotMethod};

use catalog::Server;

use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::error::Error;

/// A write between reading the coordinates and opening the transaction is noticed by
/// reading them again; on a busy server a few tries are needed.
const COORDINATE_TRIES: usize = 20;

/// A read-only transaction that sees the moment in which it was opened.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) connection: Connection,
    coordinates: Option<Coordinates>,
}

impl Snapshot {
    /// Opens the transaction.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn take(mut connection: Connection) -> Result<Self, Error> {
        connection.execute("set session transaction isolation level repeatable read")?;
        let mut coordinates = None;
        for _ in 0..COORDINATE_TRIES {
            let before = read_coordinates(&mut connection)?;
            connection.execute("start transaction with consistent snapshot, read only")?;
            if read_coordinates(&mut connection)? == before {
                coordinates = before;
                break;
            }
            connection.execute("rollback")?;
        }
        if coordinates.is_none() {
            // Without a binary log, or on one that never rests: the data are of one moment
            // all the same, only its name in the log is not known.
            connection.execute("start transaction with consistent snapshot, read only")?;
        }
        Ok(Self {
            connection,
            coordinates,
        })
    }

    /// Where it was taken.
    pub fn endpoint(&self) -> &Endpoint {
        self.connection.endpoint()
    }

    /// How it was taken.
    pub fn method(&self) -> SnapshotMethod {
        SnapshotMethod::OneConnection
    }

    /// Where the binary log stood at that moment, where the server says so.
    pub fn coordinates(&self) -> Option<&Coordinates> {
        self.coordinates.as_ref()
    }

    /// The server's kind and version.
    pub fn server(&self) -> &Server {
        self.connection.server()
    }

    /// The next AUTO_INCREMENT value of each table of a database that has one.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn auto_increments(&mut self, database: &str) -> Result<BTreeMap<String, u64>, Error> {
        let sql = format!(
            "select table_name, auto_increment, table_schema from information_schema.tables \
              where table_schema = {} and auto_increment is not null",
            catalog::quote::mysql_literal(database)
        );
        let mut rows = self.connection.query_text(&sql)?;
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
}

/// `None` where there is no binary log or the user may not see it.
fn read_coordinates(connection: &mut Connection) -> Result<Option<Coordinates>, Error> {
    /// "Access denied; you need … privilege".
    const SPECIFIC_ACCESS_DENIED: u16 = 1227;
    let statement = connection.dialect.binary_log_status();
    let rows = match connection.query_text(statement) {
        Err(error) if error.code() == Some(SPECIFIC_ACCESS_DENIED) => return Ok(None),
        rows => rows?,
    };
    let gtid = read_gtid(connection)?;
    Ok(rows.into_iter().next().and_then(|row| {
        let mut row = row.into_iter().flatten();
        Some(Coordinates {
            file: row.next()?,
            position: row.next()?.parse().ok()?,
            gtid,
        })
    }))
}

fn read_gtid(connection: &mut Connection) -> Result<Option<String>, Error> {
    let variable = connection.dialect.gtid_variable();
    let rows = connection.query_text(&format!("select {variable}"))?;
    let gtid = rows.into_iter().flatten().flatten().next();
    Ok(gtid.filter(|text| !text.is_empty()))
}
