//! A connection whose session is fixed: character set, zone, SQL mode, no time limits.
//!
//! Every setting is read back, since proxies and init files are known to change them.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use mysql::prelude::Queryable;
use mysql::{Conn, DriverError, OptsBuilder, SslOpts};

use catalog::Server;

use crate::dialect::{self, Dialect};
use crate::endpoint::{Endpoint, TlsMode};
use crate::error::{Doing, Error, Kind};
use crate::heartbeat::{SILENCE_MAX, within_patience};

/// The protocol's own limit; the server's `max_allowed_packet` decides what is really sent.
const PACKET_BYTES_MAX: usize = 1 << 30;
/// A slow target may leave the source's stream unread for long.
const NET_TIMEOUT_SECONDS: u32 = 3600;

/// A snapshot idles while another database is read; eight hours are MySQL's own default.
const IDLE_SECONDS_MAX: u32 = 28_800;

/// A server that was restarted after a power cut knows nothing of the old connection, and a
/// client that only reads would never learn it; three such questions without an answer end it.
/// They are the kernels' affair: a server that is busy for hours answers them.
const KEEPALIVE_SECONDS: u32 = 20;

/// MySQL's spelling of no limit; a smaller one in the server's settings would cut every table.
const ALL_ROWS: u64 = u64::MAX;

/// An open session on the source.
#[derive(Debug)]
pub struct Connection {
    pub(crate) conn: Conn,
    pub(crate) dialect: Dialect,
    endpoint: Endpoint,
    server: Server,
}

impl Connection {
    /// Connects and fixes the session.
    ///
    /// # Errors
    /// Where the server is not reached, refuses, or does not take a setting.
    pub fn open(endpoint: &Endpoint) -> Result<Self, Error> {
        let (doing, endpoint) = (connecting_to(endpoint), endpoint.clone());
        within_patience(doing, move || {
            let mut conn = connect(&endpoint, Patience::OF_WORK)?;
            let server = read_server(&mut conn)?;
            let dialect = Dialect::of(&server);
            fix_session(&mut conn, dialect)?;
            Ok(Self {
                conn,
                endpoint,
                server,
                dialect,
            })
        })
    }

    /// The server's kind and version.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Where this connection leads.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Runs a statement and forgets its rows.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn execute(&mut self, sql: &str) -> Result<(), Error> {
        self.conn.query_drop(sql).doing(|| shorten(sql))
    }

    /// Runs a script of several statements.
    ///
    /// # Errors
    /// Those of the first statement that the server refuses.
    pub fn execute_script(&mut self, sql: &str) -> Result<(), Error> {
        let mut result = self.conn.query_iter(sql).doing(|| shorten(sql))?;
        while let Some(set) = result.iter() {
            for row in set {
                row.doing(|| shorten(sql))?;
            }
        }
        Ok(())
    }

    /// Runs a query and returns all of its rows as text; for small results.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn query_text(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        let rows: Vec<mysql::Row> = self.conn.query(sql).doing(|| shorten(sql))?;
        Ok(rows.into_iter().map(row_to_text).collect())
    }

    /// How long a value may be that the server makes, such as text in another character set;
    /// stored values may be longer. A longer one becomes NULL with a warning, which is an error.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn packet_bytes_max(&mut self) -> Result<u64, Error> {
        let rows = self.query_text("select @@session.max_allowed_packet")?;
        let bytes = rows.into_iter().flatten().flatten().next();
        Ok(bytes.and_then(|b| b.parse().ok()).unwrap_or_default())
    }

    /// Makes a database the current one.
    ///
    /// # Errors
    /// Where there is no such database.
    pub fn select_database(&mut self, name: &str) -> Result<(), Error> {
        self.execute(&format!("use {}", catalog::quote::mysql(name)))
    }

    /// What ends this connection's statement.
    pub(crate) fn cancel(&self) -> Cancel {
        Cancel {
            endpoint: self.endpoint.clone(),
            connection_id: self.conn.connection_id(),
        }
    }

    /// Ends the statement that this connection is busy with, from a second connection.
    pub(crate) fn kill_query(endpoint: &Endpoint, connection_id: u32) {
        // Whether it works or not, the caller is about to fail with the reason that matters.
        if let Ok(mut other) = connect(endpoint, Patience::OF_QUESTIONS) {
            let _ = other.query_drop(format!("kill query {connection_id}"));
        }
    }
}

/// Ends the statement of a connection that is busy in another thread.
#[derive(Clone, Debug)]
pub struct Cancel {
    endpoint: Endpoint,
    connection_id: u32,
}

impl Cancel {
    /// Asks the server to end the statement, whatever it is.
    pub fn cancel(&self) {
        Connection::kill_query(&self.endpoint, self.connection_id);
    }
}

/// How long a connection waits for the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For each address that the host's name has.
    tcp: Duration,
    /// For every reading and writing; the work itself may honestly take for ever.
    silence: Option<Duration>,
}

impl Patience {
    const OF_WORK: Self = Self {
        tcp: Duration::from_secs(10),
        silence: None,
    };
    /// A host may have two addresses of which the first swallows everything: there must be
    /// time for the second while whoever asked still waits.
    pub(crate) const OF_QUESTIONS: Self = Self {
        tcp: Duration::from_secs(4),
        silence: Some(SILENCE_MAX),
    };
}

pub(crate) fn connect(endpoint: &Endpoint, patience: Patience) -> Result<Conn, Error> {
    let doing = || connecting_to(endpoint);
    check_ca_file(endpoint).map_err(|kind| Error::new(kind, doing()))?;
    let options = |tls| {
        options(endpoint, tls)
            .tcp_connect_timeout(Some(patience.tcp))
            .read_timeout(patience.silence)
            .write_timeout(patience.silence)
    };
    let conn = match Conn::new(options(true)) {
        Err(mysql::Error::DriverError(DriverError::TlsNotSupported))
            if endpoint.tls == TlsMode::Preferred =>
        {
            Conn::new(options(false))
        }
        other => other,
    };
    conn.doing(doing)
}

fn connecting_to(endpoint: &Endpoint) -> String {
    format!("connecting to {endpoint}")
}

/// The driver reads the file in the middle of its handshake, and what it then says looks like
/// a connection that broke.
fn check_ca_file(endpoint: &Endpoint) -> Result<(), Kind> {
    let used = |_: &&PathBuf| endpoint.tls != TlsMode::Disabled;
    let Some(path) = endpoint.ca_file.as_ref().filter(used) else {
        return Ok(());
    };
    fs::read(path).map(drop).map_err(|error| Kind::Local {
        path: path.clone(),
        error,
    })
}

fn options(endpoint: &Endpoint, tls: bool) -> OptsBuilder {
    let ssl = (tls && endpoint.tls != TlsMode::Disabled).then(|| {
        let verified = endpoint.tls == TlsMode::VerifyIdentity;
        SslOpts::default()
            .with_danger_accept_invalid_certs(!verified)
            .with_danger_skip_domain_validation(!verified)
            .with_root_cert_path(endpoint.ca_file.clone())
    });
    OptsBuilder::new()
        .ip_or_hostname(Some(endpoint.url.host.clone()))
        .tcp_port(endpoint.url.port)
        .user(Some(endpoint.url.user.clone()))
        .pass(endpoint.url.password.clone())
        .db_name(endpoint.url.database.clone())
        // A switch to the server's socket would leave the host that the operator named.
        .prefer_socket(false)
        .tcp_keepalive_time_ms(Some(KEEPALIVE_SECONDS * 1000))
        .tcp_keepalive_probe_interval_secs(Some(KEEPALIVE_SECONDS))
        .tcp_keepalive_probe_count(Some(3))
        .max_allowed_packet(Some(PACKET_BYTES_MAX))
        .ssl_opts(ssl)
}

fn read_server(conn: &mut Conn) -> Result<Server, Error> {
    let version: Option<String> = conn
        .query_first("select version()")
        .doing(|| "asking for the version".to_owned())?;
    Ok(dialect::server(&version.unwrap_or_default()))
}

fn fix_session(conn: &mut Conn, dialect: Dialect) -> Result<(), Error> {
    conn.query_drop("set names utf8mb4")
        .doing(|| "set names utf8mb4".to_owned())?;
    let mut settings = vec![
        "time_zone = '+00:00'".to_owned(),
        "sql_mode = ''".to_owned(),
        format!("net_write_timeout = {NET_TIMEOUT_SECONDS}"),
        format!("net_read_timeout = {NET_TIMEOUT_SECONDS}"),
        format!("wait_timeout = {IDLE_SECONDS_MAX}"),
        format!("sql_select_limit = {ALL_ROWS}"),
    ];
    settings.extend(
        dialect
            .session_limits()
            .iter()
            .map(|&limit| limit.to_owned()),
    );
    conn.query_drop(format!("set session {}", settings.join(", ")))
        .doing(|| "fixing the session's settings".to_owned())?;
    let read_back: Option<(String, String, String, u64)> = conn
        .query_first(
            "select @@session.character_set_results, @@session.time_zone, @@session.sql_mode, \
             @@session.sql_select_limit",
        )
        .doing(|| "reading the session's settings back".to_owned())?;
    let (charset, zone, mode, limit) = read_back.unwrap_or_default();
    for (name, holds) in [
        ("character_set_results", charset == "utf8mb4"),
        ("time_zone", zone == "+00:00"),
        ("sql_mode", mode.is_empty()),
        ("sql_select_limit", limit == ALL_ROWS),
    ] {
        if !holds {
            return Err(Error::new(
                Kind::Setting { name },
                "fixing the session's settings",
            ));
        }
    }
    Ok(())
}

/// A row as text; numbers and times as SQL spells them.
pub(crate) fn row_to_text(row: mysql::Row) -> Vec<Option<String>> {
    row.unwrap()
        .into_iter()
        .map(|value| match value {
            mysql::Value::NULL => None,
            mysql::Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            other => Some(other.as_sql(true)),
        })
        .collect()
}

/// The first words of a statement: the fixtures' inserts are long and hold values.
fn shorten(sql: &str) -> String {
    const SHOWN_CHARACTERS: usize = 60;
    let line = sql.lines().next().unwrap_or("");
    let mut shown: String = line.chars().take(SHOWN_CHARACTERS).collect();
    if shown.len() < sql.len() {
        shown.push('…');
    }
    format!("running `{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_that_cannot_be_read_says_nothing_of_the_server() {
        // Nobody listens there, which must not matter.
        let url = |mode: &str| format!("mysql://u@127.0.0.1:1/d?ssl-mode={mode}&ssl-ca=/no/ca.pem");
        let endpoint = Endpoint::parse(&url("verify_identity")).unwrap();
        let error = Connection::open(&endpoint).unwrap_err();
        assert!(error.to_string().contains("/no/ca.pem: "), "{error}");
        assert!(!error.is_lost_connection() && error.is_answer());
        let unused = Endpoint::parse(&url("disabled")).unwrap();
        let error = Connection::open(&unused).unwrap_err();
        assert!(error.is_lost_connection(), "{error}");
    }
}
