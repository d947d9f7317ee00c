//! Where the source is and how to get in: `mysql://user:password@host:port/database`.
//!
//! Parsed once; never shows the password.

use std::fmt;
use std::path::PathBuf;

use url::Url;

/// The standard port.
const PORT: u16 = 3306;

/// A server, a user and a database.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) tls: TlsMode,
    pub(crate) ca_file: Option<PathBuf>,
}

/// How much TLS is wanted; the modes and their default are those of MySQL's own clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    Disabled,
    Preferred,
    Required,
    VerifyCa,
    VerifyIdentity,
}

/// What is wrong with a URL; never repeats it, since it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError(String);

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EndpointError {}

impl Endpoint {
    /// Parses `mysql://user:password@host:port/database?ssl-mode=…&ssl-ca=…`.
    ///
    /// Characters that mean something in a URL are written as `%XX`; a password file avoids that.
    ///
    /// # Errors
    /// Where it is no such URL.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text).map_err(|error| EndpointError(format!("not a URL: {error}")))?;
        if !matches!(url.scheme(), "mysql" | "mariadb") {
            return Err(EndpointError(
                "the URL does not begin with mysql://".to_owned(),
            ));
        }
        let mut endpoint = Self {
            host: url
                .host_str()
                .unwrap_or("127.0.0.1")
                .trim_matches(['[', ']'])
                .to_owned(),
            port: url.port().unwrap_or(PORT),
            user: decode(url.username())?,
            password: url.password().map(decode).transpose()?,
            database: Some(decode(url.path().trim_start_matches('/'))?).filter(|d| !d.is_empty()),
            tls: TlsMode::Preferred,
            ca_file: None,
        };
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "ssl-mode" => endpoint.tls = tls_mode(&value)?,
                "ssl-ca" => endpoint.ca_file = Some(PathBuf::from(value.as_ref())),
                other => {
                    return Err(EndpointError(format!(
                        "unknown option `{other}`; known: ssl-mode, ssl-ca"
                    )));
                }
            }
        }
        Ok(endpoint)
    }

    /// The same endpoint with another password.
    #[must_use]
    pub fn with_password(mut self, password: String) -> Self {
        self.password = Some(password);
        self
    }

    /// The same endpoint with another database.
    #[must_use]
    pub fn with_database(mut self, database: &str) -> Self {
        self.database = Some(database.to_owned());
        self
    }

    /// The database's name.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Whether one connection can serve both: the same address and the same user.
    pub fn same_login(&self, other: &Self) -> bool {
        (&self.host, self.port, &self.user) == (&other.host, other.port, &other.user)
    }
}

fn decode(text: &str) -> Result<String, EndpointError> {
    percent_decode(text).ok_or_else(|| {
        EndpointError(
            "the URL has a `%` that is not followed by two hex digits of UTF-8".to_owned(),
        )
    })
}

/// `%XX` to bytes; the `url` crate leaves user, password and path encoded.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

fn tls_mode(text: &str) -> Result<TlsMode, EndpointError> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "disabled" => TlsMode::Disabled,
        "preferred" => TlsMode::Preferred,
        "required" => TlsMode::Required,
        "verify_ca" => TlsMode::VerifyCa,
        "verify_identity" => TlsMode::VerifyIdentity,
        other => {
            return Err(EndpointError(format!(
                "unknown ssl-mode `{other}`; known: disabled, preferred, required, verify_ca, verify_identity"
            )));
        }
    })
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.database.as_deref().unwrap_or("");
        write!(
            f,
            "mysql://{}@{}:{}/{database}",
            self.user, self.host, self.port
        )
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_with_every_special_character_works_and_is_never_shown() {
        let endpoint =
            Endpoint::parse("mysql://ro%40ot:p%40%23%24%3A%2F%25w@db.example:3307/a%2Fb").unwrap();
        assert_eq!(endpoint.password.as_deref(), Some("p@#$:/%w"));
        assert_eq!(endpoint.user, "ro@ot");
        assert_eq!(endpoint.database(), Some("a/b"));
        let shown = format!("{endpoint} {endpoint:?}");
        assert_eq!(
            shown,
            "mysql://ro@ot@db.example:3307/a/b mysql://ro@ot@db.example:3307/a/b"
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_without_repeating_it() {
        for text in [
            "secret",
            "postgres://u:secret@h/d",
            "mysql://u:secret%@h/d",
            "mysql://u:secret@h/d?ssl-mode=x",
            "mysql://u:secret@h/d?compress=1",
        ] {
            let message = Endpoint::parse(text).unwrap_err().to_string();
            assert!(!message.contains("secret"), "{message}");
        }
    }
}
