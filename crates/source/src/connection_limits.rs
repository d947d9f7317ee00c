//! How many connections the server gives to this user, and how many of them are taken.

use crate::connection::Connection;
use crate::error::Error;

/// A limit that applies to this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLimit {
    /// The setting that limits.
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
    /// The limits of connections, the narrowest first.
    ///
    /// The session's `max_user_connections` is the account's own limit where it has one, else the
    /// server's; 0 is none (MySQL Reference Manual and MariaDB documentation,
    /// `max_user_connections`).
    pub fn connection_limits(&mut self) -> Result<Vec<ConnectionLimit>, Error> {
        let sql = "select @@session.max_user_connections, @@global.max_connections, user(), \
                   connection_id()";
        let row = self.query_text(sql)?.pop().unwrap_or_default();
        let text = |index: usize| row.get(index).cloned().flatten().unwrap_or_default();
        let (of_user, of_server) = (text(0).parse().unwrap_or(0), text(1).parse().unwrap_or(0));
        let (login, own) = (text(2), text(3));
        let user = login.rsplit_once('@').map_or("", |(user, _)| user);
        let mut limits = Vec::new();
        if of_user > 0 {
            // One's own sessions are seen without any privilege.
            let sessions = self.query_text("show processlist")?;
            let is_other = |row: &&Vec<Option<String>>| {
                let cell = |index: usize| row.get(index).and_then(Option::as_deref);
                cell(0) != Some(&own) && cell(1) == Some(user)
            };
            limits.push(ConnectionLimit {
                name: "max_user_connections".to_owned(),
                connections: of_user,
                used: sessions.iter().filter(is_other).count() as u64,
            });
        }
        let status = self.query_text("show global status like 'Threads_connected'")?;
        let connected = status.into_iter().flatten().nth(1).flatten();
        let connected: u64 = connected.and_then(|text| text.parse().ok()).unwrap_or(1);
        limits.push(ConnectionLimit {
            name: "max_connections".to_owned(),
            connections: of_server,
            used: connected.saturating_sub(1),
        });
        limits.sort_by_key(ConnectionLimit::free);
        Ok(limits)
    }
}
