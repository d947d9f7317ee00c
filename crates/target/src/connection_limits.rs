//! How many connections the server gives to this role, and how many of them are taken.

use crate::connection::Connection;
use crate::error::{Doing, Error};

/// A limit that applies to this role in this database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLimit {
    /// What limits, such as `connection limit of role app`.
    pub name: String,
    /// Connections that it allows.
    pub connections: u64,
    /// Connections that others have.
    pub used: u64,
}

impl ConnectionLimit {
    /// Connections that can still be made, with the one that asks.
    pub fn free(&self) -> u64 {
        self.connections.saturating_sub(self.used)
    }
}

impl Connection {
    /// The encoding of the database, as the server spells it.
    pub fn encoding(&mut self) -> Result<String, Error> {
        let sql = "select pg_catalog.current_setting('server_encoding')";
        let row = self.client.query_one(sql, &[]);
        Ok(row.doing(|| "asking for the encoding".to_owned())?.get(0))
    }

    /// The limits of connections, the narrowest first.
    pub fn connection_limits(&mut self) -> Result<Vec<ConnectionLimit>, Error> {
        let rows = self
            .client
            .query(include_str!("sql/connection_limits.sql"), &[])
            .doing(|| "asking for the limits of connections".to_owned())?;
        let count = |row: &postgres::Row, index| {
            u64::try_from(row.get::<_, i64>(index)).unwrap_or_default()
        };
        let limits = rows.iter().map(|row| ConnectionLimit {
            name: row.get(0),
            connections: count(row, 1),
            used: count(row, 2),
        });
        Ok(limits.collect())
    }
}
