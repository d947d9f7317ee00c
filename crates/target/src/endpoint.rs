//! Where the target is, how to get in, and how much TLS is wanted.
//!
//! Parsed once; never shows the password.

use std::fmt;
use std::path::PathBuf;

use catalog::{ServerUrl, UrlError};

use crate::wire::auth::RequireAuth;

/// The standard port.
const PORT: u16 = 5432;

/// A server, a user and a database.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) url: ServerUrl,
    pub(crate) tls: TlsMode,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) require_auth: Option<RequireAuth>,
}

/// How much TLS is wanted; the modes and their default are those of libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Endpoint {
    /// Parses `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`.
    ///
    /// # Errors
    /// Where it is no such URL, or has an option that is not known.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let url = ServerUrl::parse(text, &["postgres", "postgresql"], PORT)?;
        let mut endpoint = Self {
            tls: TlsMode::Prefer,
            ca_file: None,
            require_auth: None,
            url,
        };
        for (name, value) in &endpoint.url.options {
            match name.as_str() {
                "sslmode" => endpoint.tls = TlsMode::parse(value)?,
                "sslrootcert" => endpoint.ca_file = Some(PathBuf::from(value)),
                "require_auth" => endpoint.require_auth = Some(RequireAuth::parse(value)?),
                _ => {
                    return Err(UrlError::unknown_option(
                        "sslmode, sslrootcert, require_auth",
                    ));
                }
            }
        }
        endpoint.tls = match (endpoint.tls, &endpoint.ca_file) {
            // As libpq has it: who names an authority wants it to be asked.
            (TlsMode::Require, Some(_)) => TlsMode::VerifyCa,
            (TlsMode::Prefer, Some(_)) => {
                return Err(UrlError::new(
                    "sslrootcert needs sslmode=verify-full, verify-ca or require: `prefer`, the \
                     default, verifies nothing",
                ));
            }
            (mode, _) => mode,
        };
        Ok(endpoint)
    }

    /// Whether it is on this machine, so that nothing crosses a network.
    pub fn is_local(&self) -> bool {
        self.url.is_loopback()
    }

    /// Whether nobody can pass for this server: its certificate and its name are checked, or its
    /// certificate by an authority of one's own. One of the public ones signs for everybody.
    pub fn verifies_server(&self) -> bool {
        match self.tls {
            TlsMode::VerifyFull => true,
            TlsMode::VerifyCa => self.ca_file.is_some(),
            TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => false,
        }
    }

    /// The same endpoint with another password.
    #[must_use]
    pub fn with_password(mut self, password: String) -> Self {
        self.url.password = Some(password);
        self
    }

    /// The same endpoint with another database.
    #[must_use]
    pub fn with_database(mut self, database: &str) -> Self {
        self.url.database = Some(database.to_owned());
        self
    }

    /// The role's name.
    pub fn user(&self) -> &str {
        &self.url.user
    }

    /// The database's name.
    pub fn database(&self) -> Option<&str> {
        self.url.database.as_deref()
    }
}

impl Endpoint {
    /// Whether both are one database, as far as the addresses say.
    pub fn same_database(&self, other: &Self) -> bool {
        let place = |endpoint: &Self| {
            let url = &endpoint.url;
            (url.host.clone(), url.port, url.database.clone())
        };
        place(self) == place(other)
    }
}

impl TlsMode {
    fn parse(text: &str) -> Result<Self, UrlError> {
        Ok(match text {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                return Err(UrlError::new(
                    "unknown sslmode; known: disable, prefer, require, verify-ca, verify-full",
                ));
            }
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_the_clients_own_and_others_are_refused() {
        let endpoint = Endpoint::parse("postgres://u@h/d").unwrap();
        assert_eq!(endpoint.tls, TlsMode::Prefer);
        let text = "postgres://u@h/d?sslmode=verify-full&sslrootcert=/ca.pem";
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!(endpoint.tls, TlsMode::VerifyFull);
        assert_eq!(endpoint.ca_file, Some(PathBuf::from("/ca.pem")));
        let text = "postgres://u@h/d?sslmode=require&sslrootcert=/ca.pem&require_auth=!md5";
        assert_eq!(Endpoint::parse(text).unwrap().tls, TlsMode::VerifyCa);
        let text = "postgres://u@h/d?sslrootcert=/ca.pem";
        assert!(
            Endpoint::parse(text).is_err(),
            "an authority that is never asked"
        );
        for text in [
            "postgres://u:secret@h/d?require_auth=x",
            "postgres://u:secret@h/d?sslmode=x",
            "postgres://u:secret@h/d?compress=1",
        ] {
            let message = Endpoint::parse(text).unwrap_err().to_string();
            assert!(
                message.contains("known: ") && !message.contains("secret"),
                "{message}"
            );
        }
    }
}
