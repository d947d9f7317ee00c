//! One connection's read-only transaction, which sees one moment.
//!
//! What it reads is in `export.rs`, `scan.rs` and `chunk.rs`; how several of them come to see
//! the same moment is in `snapshot.rs`.

use std::collections::BTreeMap;

use crate::connection::{Cancel, Connection};
use crate::endpoint::Endpoint;
use crate::error::Error;

/// A connection that reads.
#[derive(Debug)]
pub struct Reader {
    pub(crate) connection: Connection,
}

impl Reader {
    /// A reader whose transaction has not begun.
    pub(crate) fn new(mut connection: Connection) -> Result<Self, Error> {
        connection.execute("set session transaction isolation level repeatable read")?;
        Ok(Self { connection })
    }

    /// Opens a connection for it.
    pub(crate) fn open(endpoint: &Endpoint) -> Result<Self, Error> {
        Self::new(Connection::open(endpoint)?)
    }

    /// What ends the statement that it is busy with.
    pub fn cancel(&self) -> Cancel {
        self.connection.cancel()
    }

    /// Begins the transaction: from here on it sees this moment.
    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        self.connection
            .execute("start transaction with consistent snapshot, read only")
    }

    /// Ends the transaction.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.connection.execute("rollback")
    }

    /// Runs a query that only reads, at this moment, and returns all of its rows as text; for
    /// small results.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn query_text(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        self.connection.query_text(sql)
    }

    /// [`Connection::table_bytes`].
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn table_bytes(&mut self, database: &str) -> Result<BTreeMap<String, u64>, Error> {
        self.connection.table_bytes(database)
    }
}

impl Connection {
    /// About how many bytes each table of a database has on the server; an estimate, for the
    /// order of the work alone.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn table_bytes(&mut self, database: &str) -> Result<BTreeMap<String, u64>, Error> {
        let sql = format!(
            "select table_name, data_length from information_schema.tables where table_schema = {}",
            catalog::quote::mysql_literal(database)
        );
        let rows = self.query_text(&sql)?.into_iter();
        let pairs = rows.filter_map(|row| {
            let mut row = row.into_iter().flatten();
            Some((row.next()?, row.next()?.parse().ok()?))
        });
        Ok(pairs.collect())
    }
}
