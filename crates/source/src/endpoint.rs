//! Where the source is, how to get in, and how much TLS is wanted.
//!
//! Parsed once; never shows the password.

use std::fmt;
use std::path::PathBuf;

use catalog::{ServerUrl, UrlError};

/// The standard port.
const PORT: u16 = 3306;

/// A server, a user and a database.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) url: ServerUrl,
    pub(crate) tls: TlsMode,
    pub(crate) ca_file: Option<PathBuf>,
    /// The server's public key, for passwords without TLS.
    pub(crate) server_key_file: Option<PathBuf>,
}

/// How much TLS is wanted; the modes and their default are those of MySQL's own clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    Disabled,
    Preferred,
    Required,
    VerifyIdentity,
}

impl Endpoint {
    /// Parses `mysql://user:password@host:port/database?ssl-mode=…&ssl-ca=…`.
    ///
    /// # Errors
    /// Where it is no such URL, or has an option that is not known.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let url = ServerUrl::parse(text, &["mysql", "mariadb"], PORT)?;
        let mut endpoint = Self {
            tls: TlsMode::Preferred,
            ca_file: None,
            server_key_file: None,
            url,
        };
        for (name, value) in &endpoint.url.options {
            match name.as_str() {
                "ssl-mode" => endpoint.tls = TlsMode::parse(value)?,
                "ssl-ca" => endpoint.ca_file = Some(PathBuf::from(value)),
                "server_public_key" => endpoint.server_key_file = Some(PathBuf::from(value)),
                _ => {
                    return Err(UrlError::unknown_option(
                        "ssl-mode, ssl-ca, server_public_key",
                    ));
                }
            }
        }
        // MySQL's clients take such an authority for a wish to verify, or say nothing and do not.
        if endpoint.ca_file.is_some()
            && matches!(endpoint.tls, TlsMode::Preferred | TlsMode::Required)
        {
            return Err(UrlError::new(
                "ssl-ca needs ssl-mode=verify_identity: `preferred`, the default, and `required` \
                 verify nothing",
            ));
        }
        Ok(endpoint)
    }

    /// Whether it is on this machine, so that nothing crosses a network.
    pub fn is_local(&self) -> bool {
        self.url.is_loopback()
    }

    /// Whether nobody can pass for this server: its certificate and its name are checked.
    pub fn verifies_server(&self) -> bool {
        self.tls == TlsMode::VerifyIdentity
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

    /// The database's name.
    pub fn database(&self) -> Option<&str> {
        self.url.database.as_deref()
    }

    /// The name that it logs in with.
    pub fn user(&self) -> &str {
        &self.url.user
    }

    /// Whether one connection can serve both: the same address and the same user.
    pub fn same_login(&self, other: &Self) -> bool {
        let login = |endpoint: &Self| {
            let url = &endpoint.url;
            (url.host.clone(), url.port, url.user.clone())
        };
        login(self) == login(other)
    }
}

impl TlsMode {
    fn parse(text: &str) -> Result<Self, UrlError> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "disabled" => Self::Disabled,
            "preferred" => Self::Preferred,
            "required" => Self::Required,
            // The driver adds the public authorities to the given one, and without a check of
            // the name any certificate of theirs would do.
            "verify_ca" => {
                return Err(UrlError::new(
                    "ssl-mode `verify_ca` is not offered; use verify_identity",
                ));
            }
            "verify_identity" => Self::VerifyIdentity,
            _ => {
                return Err(UrlError::new(
                    "unknown ssl-mode; known: disabled, preferred, required, verify_identity",
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
        let endpoint = Endpoint::parse("mysql://u@h/d").unwrap();
        assert_eq!(endpoint.tls, TlsMode::Preferred);
        let text = "mysql://u@h/d?ssl-mode=verify_identity&ssl-ca=/ca.pem";
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!(endpoint.tls, TlsMode::VerifyIdentity);
        assert_eq!(endpoint.ca_file, Some(PathBuf::from("/ca.pem")));
        for text in ["ssl-ca=/ca.pem", "ssl-mode=required&ssl-ca=/ca.pem"] {
            let text = format!("mysql://u:secret@h/d?{text}");
            let message = Endpoint::parse(&text).unwrap_err().to_string();
            assert!(message.contains("verify_identity"), "{message}");
        }
        for text in [
            "mysql://u:secret@h/d?ssl-mode=x",
            "mysql://u:secret@h/d?compress=1",
        ] {
            let message = Endpoint::parse(text).unwrap_err().to_string();
            assert!(
                message.contains("known: ") && !message.contains("secret"),
                "{message}"
            );
        }
    }
}
