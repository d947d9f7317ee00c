//! Tables that another session has locked, and who may have locked them.

use catalog::quote;

use crate::connection::Connection;
use crate::error::Error;

/// What is known of a lock that was waited for in vain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockWait {
    /// Tables of the database that other sessions use or have locked.
    pub tables: Vec<String>,
    /// Sessions of others in the database, the oldest first; those alone that this login may see.
    pub sessions: Vec<String>,
    /// Whether the login sees the sessions of others.
    pub sees_sessions: bool,
}

impl Connection {
    /// Asks who may hold a lock on a table of a database.
    ///
    /// Sources: MySQL Reference Manual, "SHOW OPEN TABLES Statement", "SHOW PROCESSLIST
    /// Statement"; MariaDB documentation, the pages of the same names.
    pub fn lock_wait(&mut self, database: &str) -> Result<LockWait, Error> {
        let name = quote::mysql(database);
        let open = self.query_text(&format!("show open tables from {name} where in_use > 0"))?;
        let tables = open.into_iter().filter_map(|row| row.into_iter().nth(1)?);
        let own = self.conn.connection_id().to_string();
        let mut sessions = Vec::new();
        for row in self.query_text("show processlist")? {
            // Id, user, host, database, command, time.
            let cells: Vec<&str> = row
                .iter()
                .map(|cell| cell.as_deref().unwrap_or(""))
                .collect();
            let [id, user, _, of, command, seconds, ..] = cells[..] else {
                continue;
            };
            if id == own || !of.eq_ignore_ascii_case(database) || user == "system user" {
                continue;
            }
            let seconds: u64 = seconds.parse().unwrap_or_default();
            let text = format!("process {id} of user {user} ({command}, {seconds} s)");
            sessions.push((seconds, text));
        }
        sessions.sort_by_key(|(seconds, _)| std::cmp::Reverse(*seconds));
        Ok(LockWait {
            tables: tables.collect(),
            sessions: sessions.into_iter().map(|(_, text)| text).collect(),
            sees_sessions: self.privileges()?.on_server("PROCESS"),
        })
    }
}
