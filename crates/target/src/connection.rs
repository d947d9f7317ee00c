//! A connection whose session is fixed: encoding, zone, no time limits, no search path.
//!
//! Names are always qualified, so nothing depends on where the server would look.

use std::time::Duration;

use postgres::config::SslMode;
use postgres::{CancelToken, Client, Config, NoTls, SimpleQueryMessage};

use catalog::{Server, ServerKind};

use crate::endpoint::{Endpoint, TlsMode};
use crate::error::{Doing, Error};
use crate::tls;

/// An open session on the target.
pub struct Connection {
    pub(crate) client: Client,
    endpoint: Endpoint,
    server: Server,
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
        let doing = || format!("connecting to {endpoint}");
        let mut config = Config::new();
        config
            .host(&endpoint.url.host)
            .port(endpoint.url.port)
            .user(&endpoint.url.user)
            .application_name("converge")
            .connect_timeout(Duration::from_secs(10))
            .ssl_mode(match endpoint.tls {
                TlsMode::Disable => SslMode::Disable,
                TlsMode::Prefer => SslMode::Prefer,
                _ => SslMode::Require,
            });
        if let Some(password) = &endpoint.url.password {
            config.password(password);
        }
        if let Some(database) = &endpoint.url.database {
            config.dbname(database);
        }
        let mut client = match endpoint.tls {
            TlsMode::Disable => config.connect(NoTls).doing(doing)?,
            _ => config.connect(tls::connector(endpoint)?).doing(doing)?,
        };
        client
            .batch_execute(include_str!("sql/session.sql"))
            .doing(|| "fixing the session's settings".to_owned())?;
        let version: String = client
            .query_one("select pg_catalog.current_setting('server_version')", &[])
            .doing(|| "asking for the version".to_owned())?
            .get(0);
        let version = version
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        let kind = ServerKind::Postgres;
        Ok(Self {
            client,
            endpoint: endpoint.clone(),
            server: Server { kind, version },
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
        let _ = match self.endpoint.tls {
            TlsMode::Disable => self.token.cancel_query(NoTls),
            _ => match tls::connector(&self.endpoint) {
                Ok(connector) => self.token.cancel_query(connector),
                Err(_) => return,
            },
        };
    }
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
