//! A connection to the source, whose session has the settings of `session.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder, SslOpts};

use catalog::Server;

use crate::dialect::{self, Dialect};
use crate::driver;
use crate::endpoint::{Endpoint, TlsMode};
use crate::error::{Doing, Error, Kind};
use crate::heartbeat::{SILENCE_MAX, within_patience};
use crate::session;

/// The protocol's own limit; the server's `max_allowed_packet` decides what is really sent.
const PACKET_BYTES_MAX: usize = 1 << 30;
/// A server that was restarted after a power cut knows nothing of the old connection, and a
/// client that only reads would never learn it; three such questions without an answer end it.
/// They are the kernels' affair: a server that is busy for hours answers them.
const KEEPALIVE_SECONDS: u32 = 20;

/// An open session on the source.
#[derive(Debug)]
pub struct Connection {
    pub(crate) conn: Conn,
    pub(crate) dialect: Dialect,
    endpoint: Endpoint,
    server: Server,
    encrypted: bool,
}

impl Connection {
    /// Connects and fixes the session.
    ///
    /// # Errors
    /// Where the server is not reached, refuses, or does not take a setting.
    pub fn open(endpoint: &Endpoint) -> Result<Self, Error> {
        let (doing, endpoint) = (connecting_to(endpoint), endpoint.clone());
        within_patience(doing, move || {
            let name = format!("source {endpoint}");
            let attempt = || connect(&endpoint, Patience::OF_WORK);
            let (mut conn, encrypted) = catalog::retried(&name, attempt, Error::not_yet)?;
            let server = read_server(&mut conn)?;
            let dialect = Dialect::of(&server);
            session::fix(&mut conn, dialect)?;
            Ok(Self {
                conn,
                endpoint,
                server,
                dialect,
                encrypted,
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

    /// Whether it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Runs a statement and forgets its rows.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn execute(&mut self, sql: &str) -> Result<(), Error> {
        let _question = Question::asked(self);
        driver::rows(&mut self.conn, sql, || shorten(sql)).map(drop)
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
        let _question = Question::asked(self);
        let rows = driver::rows(&mut self.conn, sql, || shorten(sql))?;
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

    /// This connection's account as SQL, such as `'converge'@'%'`.
    pub fn account(&mut self) -> Result<String, Error> {
        let rows = self.query_text("select current_user()")?;
        let account = rows.into_iter().flatten().flatten().next();
        let account = account.unwrap_or_default();
        let (user, host) = account.rsplit_once('@').unwrap_or((&account, "%"));
        let literal = catalog::quote::mysql_literal;
        Ok(format!("{}@{}", literal(user), literal(host)))
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
        if let Ok((mut other, _)) = connect(endpoint, Patience::OF_QUESTIONS) {
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

/// Statements that wait for their answer now, in all connections of the process, but for those
/// that read the rows of tables.
static QUESTIONS: Mutex<BTreeMap<u64, (Instant, Cancel)>> = Mutex::new(BTreeMap::new());
static QUESTIONS_ASKED: AtomicU64 = AtomicU64::new(0);
/// What takes no longer comes to its end by itself.
const QUESTION_SHORT: Duration = Duration::from_millis(500);

/// Keeps a statement in [`QUESTIONS`] while it lives.
pub(crate) struct Question(u64);

impl Question {
    pub(crate) fn asked(connection: &Connection) -> Self {
        let number = QUESTIONS_ASKED.fetch_add(1, Ordering::Relaxed);
        let question = (Instant::now(), connection.cancel());
        questions().insert(number, question);
        Self(number)
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        questions().remove(&self.0);
    }
}

fn questions() -> MutexGuard<'static, BTreeMap<u64, (Instant, Cancel)>> {
    QUESTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the statements of this process on the source that have waited for long, but for those
/// that read rows: for a process that was asked to stop.
pub fn cancel_questions() {
    let long = |(since, cancel): &(Instant, Cancel)| {
        (since.elapsed() > QUESTION_SHORT).then(|| cancel.clone())
    };
    let waiting: Vec<Cancel> = questions().values().filter_map(long).collect();
    waiting.iter().for_each(Cancel::cancel);
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

/// Connects, and says whether the connection is encrypted.
pub(crate) fn connect(endpoint: &Endpoint, patience: Patience) -> Result<(Conn, bool), Error> {
    let doing = || connecting_to(endpoint);
    check_files(endpoint).map_err(|kind| Error::new(kind, doing()))?;
    let open = |tls| {
        let options = options(endpoint, tls)
            .tcp_connect_timeout(Some(patience.tcp))
            .read_timeout(patience.silence)
            .write_timeout(patience.silence);
        driver::guarded(doing, || Conn::new(options))
    };
    if endpoint.tls == TlsMode::Disabled {
        return Ok((open(false)?, false));
    }
    match open(true) {
        Err(error) if endpoint.tls == TlsMode::Preferred && error.is_tls_not_supported() => {
            Ok((open(false)?, false))
        }
        other => Ok((other?, true)),
    }
}

fn connecting_to(endpoint: &Endpoint) -> String {
    format!("connecting to {endpoint}")
}

/// The driver reads the files in the middle of its handshake, and what it then says looks like
/// a connection that broke.
fn check_files(endpoint: &Endpoint) -> Result<(), Kind> {
    let used = |_: &&PathBuf| endpoint.tls != TlsMode::Disabled;
    let ca_file = endpoint.ca_file.as_ref().filter(used);
    let read = |path: &PathBuf| {
        let path = path.clone();
        fs::read(&path).map_err(|error| Kind::Local { path, error })
    };
    ca_file.map(read).transpose()?;
    let Some(path) = &endpoint.server_key_file else {
        return Ok(());
    };
    let key = read(path)?;
    match key.starts_with(b"-----BEGIN PUBLIC KEY-----") {
        true => Ok(()),
        false => Err(Kind::Local {
            path: path.clone(),
            error: io::Error::other("this is no public key in PEM"),
        }),
    }
}

/// Where the driver finds the key with which a password is encrypted that goes over a connection
/// without TLS. Without a file it would take any key that the network hands it, and whoever made
/// that key could read the password; so it gets a name that no file has.
fn server_key_file(endpoint: &Endpoint) -> Option<PathBuf> {
    match &endpoint.server_key_file {
        None if !endpoint.is_local() => Some(PathBuf::from(NO_KEY_FILE)),
        file => file.clone(),
    }
}

/// No path has a NUL byte, so what is said of it is not said of any other file.
const NO_KEY_FILE: &str = "no key from the network\0";

fn options(endpoint: &Endpoint, tls: bool) -> OptsBuilder {
    let ssl = tls.then(|| {
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
        .server_key_path(server_key_file(endpoint))
        .ssl_opts(ssl)
}

fn read_server(conn: &mut Conn) -> Result<Server, Error> {
    let doing = || "asking for the version".to_owned();
    let rows = driver::rows(conn, "select version()", doing)?;
    let version = rows.into_iter().flat_map(row_to_text).flatten().next();
    Ok(dialect::server(&version.unwrap_or_default()))
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
