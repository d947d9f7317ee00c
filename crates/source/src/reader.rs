//! One connection's read-only transaction, which sees one moment.
//!
//! What it reads is in `export.rs`, `scan.rs` and `chunk.rs`; how several of them come to see
//! the same moment is in `snapshot.rs`.

use crate::connection::Connection;
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

    /// Begins the transaction: from here on it sees this moment.
    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        self.connection
            .execute("start transaction with consistent snapshot, read only")
    }

    /// Ends the transaction.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.connection.execute("rollback")
    }
}
