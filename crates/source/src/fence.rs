//! Whether the source is as it was: where its binary log stands, who may write, and which tables
//! were made anew.
//!
//! None of it is a proof of what the rows are; that is a comparison's business.

use std::collections::BTreeMap;

use catalog::quote;
use dataset::Coordinates;

use crate::connection::{Connection, row_to_text};
use crate::driver;
use crate::error::Error;

/// "Access denied; you need … privilege".
const SPECIFIC_ACCESS_DENIED: u16 = 1227;
/// Events that are looked at in a file of the log: those with which files begin and end are fewer.
const EVENTS_MAX: usize = 50;
/// What servers write into the log for themselves when a file begins or ends.
/// Sources: MySQL internals, "Binary Log Event Types"; MariaDB documentation, "2-Binlog Event
/// Header".
const EVENTS_OF_A_FILE: [&str; 7] = [
    "Format_desc",
    "Previous_gtids",
    "Gtid_list",
    "Binlog_checkpoint",
    "Start_encryption",
    "Rotate",
    "Stop",
];

/// When each table was made, as the server says it, by name.
pub(crate) type TableVersions = BTreeMap<String, Option<String>>;

/// A server that the source follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Its host and port.
    pub server: String,
    /// How far behind it the source is; `None` where the server does not know, as where nothing is
    /// applied.
    pub behind_seconds: Option<u64>,
    /// Whether what it writes is applied here.
    pub is_applied: bool,
}

impl Connection {
    /// The servers that this one is a replica of; `None` where the user may not see it.
    pub fn followed(&mut self) -> Result<Option<Vec<Followed>>, Error> {
        let statement = self.dialect.replica_status();
        let rows = driver::rows(&mut self.conn, statement, || {
            format!("running `{statement}`")
        });
        let rows = allowed(rows)?;
        let followed = |row: mysql::Row| {
            let names = row.columns();
            let names = names.iter().map(|column| column.name_str().into_owned());
            let row: BTreeMap<String, Option<String>> = names.zip(row_to_text(row)).collect();
            // MySQL calls since 8.0.22 source and replica what was master and slave.
            let cell = |words: [&str; 2]| {
                let cells = words.iter().filter_map(|word| row.get(*word));
                cells.flatten().next().cloned().unwrap_or_default()
            };
            Followed {
                server: format!(
                    "{}:{}",
                    cell(["Source_Host", "Master_Host"]),
                    cell(["Source_Port", "Master_Port"])
                ),
                behind_seconds: cell(["Seconds_Behind_Source", "Seconds_Behind_Master"])
                    .parse()
                    .ok(),
                is_applied: cell(["Replica_SQL_Running", "Slave_SQL_Running"]) == "Yes",
            }
        };
        Ok(rows.map(|rows| rows.into_iter().map(followed).collect()))
    }

    /// Whether the server writes a binary log at all.
    pub fn has_binary_log(&mut self) -> Result<bool, Error> {
        let rows = self.query_text("select @@global.log_bin")?;
        let value = rows.into_iter().flatten().flatten().next();
        Ok(value.is_some_and(|value| value != "0"))
    }

    /// Where the binary log stands, if all that is written to the server goes into it.
    ///
    /// # Errors
    /// Where the server refuses anything but the look itself.
    pub fn coordinates(&mut self) -> Result<Option<Coordinates>, Error> {
        coordinates(self)
    }

    /// Whether something was written since those coordinates; `None` where that is not known.
    ///
    /// # Errors
    /// Where the server refuses anything but the look itself.
    pub fn has_moved_since(&mut self, before: &Coordinates) -> Result<Option<bool>, Error> {
        match coordinates(self)? {
            Some(now) => Ok(Some(!is_unmoved(self, before, &now)?)),
            None => Ok(None),
        }
    }

    /// Whether the server takes no writes: neither from users nor from a server that it follows.
    ///
    /// MariaDB lets users with the privilege `read only admin` write all the same.
    /// Sources: MySQL Reference Manual, `super_read_only`; MariaDB documentation, `read_only`.
    ///
    /// # Errors
    /// Where the server refuses anything but the look at its replication.
    pub fn is_read_only(&mut self) -> Result<bool, Error> {
        let variable = self.dialect.read_only_variable();
        let rows = self.query_text(&format!("select {variable}"))?;
        let value = rows.into_iter().flatten().flatten().next();
        let takes_none = value.is_some_and(|value| !matches!(value.as_str(), "0" | "OFF"));
        Ok(takes_none && servers_followed(self)? == Some(0))
    }
}

/// `None` where there is no binary log, where it leaves out some of what is written, and where
/// the user may not see it.
pub(crate) fn coordinates(connection: &mut Connection) -> Result<Option<Coordinates>, Error> {
    let statement = connection.dialect.binary_log_status();
    let Some(row) = allowed(connection.query_text(statement))?.and_then(|mut rows| rows.pop())
    else {
        return Ok(None);
    };
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    let mut next = || cells.next().unwrap_or_default();
    let (file, position) = (next(), next().parse().ok());
    let has_filter = !next().is_empty() || !next().is_empty();
    let gtid = gtid(connection)?;
    let counts_all = gtid.is_some() && connection.dialect.counts_what_it_follows();
    let knows_all = !has_filter
        && (counts_all || logs_what_it_follows(connection)? || follows_nobody(connection)?);
    Ok(position.filter(|_| knows_all).map(|position| Coordinates {
        file,
        position,
        gtid,
    }))
}

/// The transactions that the server counts; `None` where it counts none, or not all.
fn gtid(connection: &mut Connection) -> Result<Option<String>, Error> {
    let expression = connection.dialect.gtid_expression();
    let rows = connection.query_text(&format!("select {expression}"))?;
    let gtid = rows.into_iter().flatten().flatten().next();
    Ok(gtid.filter(|text| text.chars().any(|c| c.is_ascii_alphanumeric())))
}

/// Whether what a replica applies goes into its own log, too.
fn logs_what_it_follows(connection: &mut Connection) -> Result<bool, Error> {
    let rows = connection.query_text(
        "show global variables where variable_name in ('log_replica_updates', 'log_slave_updates')",
    )?;
    let is_off =
        |row: &Vec<Option<String>>| row.get(1).is_some_and(|v| v.as_deref() == Some("OFF"));
    Ok(!rows.iter().any(is_off))
}

/// Whether the server is no replica, as far as the user may see. Who may not is believed on
/// MariaDB, where the right to see the log does not include this one.
fn follows_nobody(connection: &mut Connection) -> Result<bool, Error> {
    let believed = !connection.dialect.counts_what_it_follows();
    Ok(servers_followed(connection)?.map_or(believed, |servers| servers == 0))
}

/// `None` where the user may not see it.
fn servers_followed(connection: &mut Connection) -> Result<Option<usize>, Error> {
    Ok(connection.followed()?.map(|servers| servers.len()))
}

/// Whether nothing was written between two readings of the coordinates: the same transactions,
/// or no event but those with which the log's files begin and end, as a restart or `flush logs`
/// writes them.
pub(crate) fn is_unmoved(
    connection: &mut Connection,
    before: &Coordinates,
    now: &Coordinates,
) -> Result<bool, Error> {
    match (&before.gtid, &now.gtid) {
        (Some(before), Some(now)) => Ok(before == now),
        _ if before == now => Ok(true),
        (None, None) => is_only_rotated(connection, before, now),
        _ => Ok(false),
    }
}

fn is_only_rotated(
    connection: &mut Connection,
    before: &Coordinates,
    now: &Coordinates,
) -> Result<bool, Error> {
    let Some(rows) = allowed(connection.query_text("show binary logs"))? else {
        return Ok(false);
    };
    let files = rows.into_iter().filter_map(|row| row.into_iter().next()?);
    let mut files = files.skip_while(|file| *file != before.file).peekable();
    if files.peek().is_none() {
        return Ok(false);
    }
    for file in files {
        let from = if file == before.file {
            before.position
        } else {
            4
        };
        let sql = format!(
            "show binlog events in {} from {from} limit {EVENTS_MAX}",
            quote::mysql_literal(&file)
        );
        let Some(events) = allowed(connection.query_text(&sql))? else {
            return Ok(false);
        };
        // Log_name, Pos, Event_type, …
        let of_the_file = |event: &Vec<Option<String>>| {
            let kind = event.get(2).and_then(Option::as_deref).unwrap_or_default();
            EVENTS_OF_A_FILE.contains(&kind)
        };
        if events.len() == EVENTS_MAX || !events.iter().all(of_the_file) {
            return Ok(false);
        }
        if file == now.file {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `None` where the user may not look.
fn allowed<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(error) if error.code() == Some(SPECIFIC_ACCESS_DENIED) => Ok(None),
        result => result.map(Some),
    }
}

/// A table that is rebuilt, renamed into place or truncated has another time.
///
/// Source: MySQL Reference Manual, "The INFORMATION_SCHEMA TABLES Table", `CREATE_TIME`.
pub(crate) fn table_versions(
    connection: &mut Connection,
    database: &str,
) -> Result<TableVersions, Error> {
    let sql = format!(
        "select table_name, create_time, table_schema from information_schema.tables \
          where table_schema = {} and table_type <> 'VIEW'",
        quote::mysql_literal(database)
    );
    let mut rows = connection.query_text(&sql)?;
    // Names are compared without case there, and another database may differ in case alone.
    rows.retain(|row| row[2].as_deref() == Some(database));
    let pairs = rows.into_iter().filter_map(|row| {
        let mut row = row.into_iter();
        Some((row.next()??, row.next()?))
    });
    Ok(pairs.collect())
}
