//! Which server it is: its family and its version, as it reports them and as numbers.
//!
//! What a version can do is said elsewhere: in the `dialect.rs` of each edge.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A server's kind and version, as it reports them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Which family.
    pub kind: ServerKind,
    /// Such as `10.11.6`, `17.5` or `19beta1`.
    pub version: String,
}

impl Server {
    /// The version as numbers, which can be compared.
    pub fn number(&self) -> Version {
        Version::parse(&self.version)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.label(), self.version)
    }
}

/// Families of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerKind {
    /// Oracle MySQL or Percona Server.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// PostgreSQL.
    Postgres,
}

impl ServerKind {
    /// The name that people write.
    pub fn label(self) -> &'static str {
        match self {
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A version as numbers, the most significant first.
///
/// PostgreSQL has two of them since version 10: its second is `minor`, and `patch` is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// `10` of `10.11.6`.
    pub major: u32,
    /// `11` of `10.11.6`.
    pub minor: u32,
    /// `6` of `10.11.6`.
    pub patch: u32,
}

impl Version {
    /// A version to compare with.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// Reads the numbers at the beginning of a text; what is missing is 0.
    ///
    /// A text without a number becomes 0.0.0, which is older than everything.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split('.').map(|part| {
            let end = part.find(|c: char| !c.is_ascii_digit());
            part[..end.unwrap_or(part.len())].parse().unwrap_or(0)
        });
        let mut next = || parts.next().unwrap_or(0);
        Self::new(next(), next(), next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        for (text, version) in [
            ("10.11.6", Version::new(10, 11, 6)),
            ("9.7.4-2", Version::new(9, 7, 4)),
            ("17.5", Version::new(17, 5, 0)),
            ("9.6.24", Version::new(9, 6, 24)),
            ("18", Version::new(18, 0, 0)),
            ("19beta1", Version::new(19, 0, 0)),
            ("19devel", Version::new(19, 0, 0)),
            ("8.0.36-28.1", Version::new(8, 0, 36)),
            ("", Version::new(0, 0, 0)),
            ("unknown", Version::new(0, 0, 0)),
            ("99999999999.1", Version::new(0, 1, 0)),
        ] {
            assert_eq!(Version::parse(text), version, "{text}");
        }
    }

    #[test]
    fn versions_are_ordered_by_number_and_not_by_text() {
        let ascending = ["5.7.44", "8.0.9", "8.0.13", "8.4.0", "9.7.1", "10.6.0"];
        for pair in ascending.windows(2) {
            assert!(Version::parse(pair[0]) < Version::parse(pair[1]));
        }
    }
}
