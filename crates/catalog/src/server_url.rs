//! `scheme://user:password@host:port/database?option=value`, as both sides are addressed.
//!
//! Knows what a URL says, not which options a side has; never shows the password.

use std::fmt;
use std::net::IpAddr;

use url::Url;

/// A parsed URL.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    scheme: &'static str,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User; empty where the URL names none.
    pub user: String,
    /// Password.
    pub password: Option<String>,
    /// Database.
    pub database: Option<String>,
    /// Options after the question mark, in order.
    pub options: Vec<(String, String)>,
}

/// What is wrong with a URL; never repeats it, since it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlError(String);

impl UrlError {
    /// An error with that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An option that is not among the known ones. It is not repeated: a password with a `?` in
    /// it ends up here.
    pub fn unknown_option(known: &str) -> Self {
        Self(format!(
            "an option after the `?` is not known; known: {known}"
        ))
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UrlError {}

impl ServerUrl {
    /// Parses a URL whose scheme is one of `schemes`, the first being the one that is shown.
    ///
    /// Characters that mean something in a URL are written as `%XX`.
    ///
    /// # Errors
    /// Where it is no such URL.
    pub fn parse(text: &str, schemes: &[&'static str], port: u16) -> Result<Self, UrlError> {
        let url = Url::parse(text).map_err(|error| UrlError(format!("not a URL: {error}")))?;
        if !schemes.contains(&url.scheme()) {
            return Err(UrlError(format!(
                "the URL does not begin with {}://",
                schemes[0]
            )));
        }
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .unwrap_or("127.0.0.1");
        Ok(Self {
            scheme: schemes[0],
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(port),
            user: decode(url.username())?,
            password: url.password().map(decode).transpose()?,
            database: Some(decode(url.path().trim_start_matches('/'))?)
                .filter(|name| !name.is_empty()),
            options: url
                .query_pairs()
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        })
    }
}

impl ServerUrl {
    /// Whether the host is this machine: what is sent there crosses no network.
    pub fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        address.map_or(self.host.eq_ignore_ascii_case("localhost"), |address| {
            address.to_canonical().is_loopback()
        })
    }
}

fn decode(text: &str) -> Result<String, UrlError> {
    percent_decode(text).ok_or_else(|| {
        UrlError("the URL has a `%` that is not followed by two hex digits of UTF-8".to_owned())
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

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.database.as_deref().unwrap_or("");
        let Self {
            scheme, user, host, ..
        } = self;
        write!(f, "{scheme}://{user}@{host}:{}/{database}", self.port)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_with_every_special_character_works_and_is_never_shown() {
        let text = "mysql://ro%40ot:p%40%23%24%3A%2F%25w@db.example:3307/a%2Fb?x=1";
        let url = ServerUrl::parse(text, &["mysql", "mariadb"], 3306).unwrap();
        assert_eq!(url.password.as_deref(), Some("p@#$:/%w"));
        assert_eq!(url.user, "ro@ot");
        assert_eq!(url.database.as_deref(), Some("a/b"));
        assert_eq!(url.options, [("x".to_owned(), "1".to_owned())]);
        let shown = "mysql://ro@ot@db.example:3307/a/b";
        assert_eq!(format!("{url} {url:?}"), format!("{shown} {shown}"));
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let url = ServerUrl::parse("postgres://[::1]", &["postgres"], 5432).unwrap();
        assert_eq!(
            (url.host.as_str(), url.port, url.database),
            ("::1", 5432, None)
        );
    }

    #[test]
    fn loopback_is_known_by_its_address_or_its_name() {
        let is_loopback = |host: &str| {
            let url = ServerUrl::parse(&format!("mysql://{host}/d"), &["mysql"], 1);
            url.unwrap().is_loopback()
        };
        for host in [
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "10.0.0.1",
            "[fe80::1]",
            "localhost.example",
            "127.0.0.1.example",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_without_repeating_it() {
        for text in [
            "secret",
            "http://u:secret@h/d",
            "mysql://u:secret%@h/d",
            "mysql://u:s%ffecret@h/d",
        ] {
            let message = ServerUrl::parse(text, &["mysql"], 1)
                .unwrap_err()
                .to_string();
            assert!(!message.contains("secret"), "{message}");
        }
    }
}
