//! A connection whose session is fixed: encoding, zone, no time limits, no search path.
//!
//! Names are always qualified, so nothing depends on where the server would look.

use std::sync::atomic::Ordering;
use std::time::Duration;

use postgres::config::{SslMode, SslNegotiation};
use postgres::{CancelToken, Client, Config, SimpleQueryMessage};

use catalog::Server;

use crate::dialect::{self, Dialect};
use crate::endpoint::Endpoint;
use crate::error::{Doing, Error};
use crate::heartbeat::within_patience;
use crate::wire::Connector;

/// A server that was restarted after a power cut knows nothing of the old connection, and a
/// client that only waits would never learn it; three such questions without an answer end it.
/// They are the kernels' affair: a server that is busy for hours answers them.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// For each address that a host's name has, when work is to be done.
const TCP_WITHIN: Duration = Duration::from_secs(10);

/// An open session on the target.
pub struct Connection {
    pub(crate) client: Client,
    endpoint: Endpoint,
    server: Server,
    encrypted: bool,
}

/// Ends what a connection is busy with, from another thread.
pub struct Cancel {
    token: CancelToken,
    endpoint: Endpoint,
}

impl Connection {
    /// Connects and fixes the session.
    ///
    /// # Errors
    /// Where the server is not reached or refuses.
    pub fn open(endpoint: &Endpoint) -> Result<Self, Error> {
        let (doing, endpoint) = (format!("connecting to {endpoint}"), endpoint.clone());
        within_patience(doing, move || {
            let name = format!("target {endpoint}");
            let (mut client, encrypted) =
                catalog::retried(&name, || connect(&endpoint, TCP_WITHIN), Error::not_yet)?;
            let server = read_server(&mut client)?;
            let limits = Dialect::of(&server).session_limits();
            client
                .batch_execute(&format!("{}{limits}", include_str!("sql/session.sql")))
                .doing(|| "fixing the session's settings".to_owned())?;
            Ok(Self {
                client,
                endpoint,
                server,
                encrypted,
            })
        })
    }

    /// The server's version.
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

    /// A handle that can end this connection's statement.
    pub fn cancel(&self) -> Cancel {
        Cancel {
            token: self.client.cancel_token(),
            endpoint: self.endpoint.clone(),
        }
    }

    /// Runs a script.
    ///
    /// # Errors
    /// Those of the first statement that the server refuses.
    pub fn batch_execute(&mut self, sql: &str) -> Result<(), Error> {
        self.client.batch_execute(sql).doing(|| shorten(sql))
    }

    /// Runs a query and returns all of its rows as text; for small results.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn query_text(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        let messages = self.client.simple_query(sql).doing(|| shorten(sql))?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|index| row.get(index).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        });
        Ok(rows.collect())
    }
}

impl Cancel {
    /// Asks the server to end the statement; whether it was in time shows on the connection.
    pub fn cancel(&self) {
        // A request that fails leaves the statement running, and its own end decides.
        if let Ok(connector) = Connector::new(&self.endpoint) {
            let _ = self.token.cancel_query(connector);
        }
    }
}

/// Connects, with `tcp_within` for each address of the host; nothing bounds the time that a
/// silent server takes.
///
/// Returns whether the connection is encrypted, too.
pub(crate) fn connect(endpoint: &Endpoint, tcp_within: Duration) -> Result<(Client, bool), Error> {
    let doing = || format!("connecting to {endpoint}");
    let mut config = Config::new();
    config
        .host(&endpoint.url.host)
        .port(endpoint.url.port)
        .user(&endpoint.url.user)
        .application_name("converge")
        .connect_timeout(tcp_within)
        .keepalives_idle(KEEPALIVE)
        .keepalives_interval(KEEPALIVE)
        .keepalives_retries(3)
        // The connector asks for TLS itself, or does without.
        .ssl_mode(SslMode::Require)
        .ssl_negotiation(SslNegotiation::Direct);
    if let Some(password) = &endpoint.url.password {
        config.password(password);
    }
    if let Some(database) = &endpoint.url.database {
        config.dbname(database);
    }
    let connector = Connector::new(endpoint)?;
    let encrypted = connector.encrypted();
    let client = config.connect(connector).doing(doing)?;
    Ok((client, encrypted.load(Ordering::Relaxed)))
}

fn read_server(client: &mut Client) -> Result<Server, Error> {
    let version: String = client
        .query_one("select pg_catalog.current_setting('server_version')", &[])
        .doing(|| "asking for the version".to_owned())?
        .get(0);
    Ok(dialect::server(&version))
}

/// The first words of a statement.
fn shorten(sql: &str) -> String {
    const SHOWN_CHARACTERS: usize = 60;
    let line = sql.lines().next().unwrap_or("");
    let mut shown: String = line.chars().take(SHOWN_CHARACTERS).collect();
    if shown.len() < sql.len() {
        shown.push('…');
    }
    format!("running `{shown}`")
}
