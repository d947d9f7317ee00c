//! Where the versions of PostgreSQL differ: what a session of each is told. The only file here
//! that chooses by version.
//!
//! Asks nothing itself. Most differences need no choice, because one query reads all versions:
//! `pg_attribute.attgenerated` is empty or not, whichever kinds of generated columns there are
//! (virtual ones since 18), and a condition on rows that only newer versions have finds none in
//! older ones (`pg_constraint` has a row for each NOT NULL since 18, `sql/fingerprint.sql`).

use catalog::{Server, Version};

/// What a server understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    version: Version,
}

/// A session's setting and what it is set to, since when the server knows it.
type Setting = (Version, &'static str);

/// Limits that would end a session at work, and the question whether its client is still there.
///
/// Source: the appendix "Release Notes" of the PostgreSQL manual, for each version named.
const SETTINGS: [Setting; 4] = [
    (
        Version::new(9, 6, 0),
        "idle_in_transaction_session_timeout = 0",
    ),
    (
        Version::new(14, 0, 0),
        "client_connection_check_interval = '10s'",
    ),
    (Version::new(14, 0, 0), "idle_session_timeout = 0"),
    (Version::new(17, 0, 0), "transaction_timeout = 0"),
];

/// Reads the answer to `show server_version`, such as `17.5 (Debian 17.5-1)` or `19beta1`.
///
/// Source: PostgreSQL manual, "Preset Options".
pub(crate) fn server(version_text: &str) -> Server {
    Server {
        kind: catalog::ServerKind::Postgres,
        version: version_text
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

impl Dialect {
    pub(crate) fn of(server: &Server) -> Self {
        Self {
            version: server.number(),
        }
    }

    /// The statements for the settings that only some versions know, one on each line.
    ///
    /// A server that is too old for this tool is told what it knows, so that it is refused by
    /// its version and not by a setting.
    pub(crate) fn session_limits(self) -> String {
        SETTINGS
            .iter()
            .filter(|(since, _)| self.version >= *since)
            .map(|(_, setting)| format!("set {setting};\n"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_its_version_text() {
        for (text, version) in [
            ("17.5 (Debian 17.5-1.pgdg120+1)", "17.5"),
            ("18.1", "18.1"),
            ("19beta1", "19beta1"),
            ("", ""),
        ] {
            assert_eq!(server(text).version, version);
        }
    }

    #[test]
    fn a_session_is_told_what_its_server_knows() {
        for (version, settings) in [
            ("9.5.25", 0),
            ("13.20", 1),
            ("14.0", 3),
            ("16.9", 3),
            ("17.5", 4),
            ("18.1", 4),
        ] {
            let sql = Dialect::of(&server(version)).session_limits();
            assert_eq!(sql.lines().count(), settings, "{version}: {sql}");
        }
    }
}
