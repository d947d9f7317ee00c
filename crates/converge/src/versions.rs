//! Which versions of the servers this tool is made for, and on which of them it is proven.
//!
//! Judges a version, and nothing else; what a version understands is known to the `dialect.rs`
//! of each edge.

use std::fmt;

use catalog::{Server, ServerKind, Version};

use crate::exit::Failure;

/// The versions of one family of servers that this tool is made for.
struct Range {
    kind: ServerKind,
    oldest: Version,
    /// With everything that follows within it.
    newest_major: u32,
    /// The series on which all tests run.
    proven: &'static [&'static str],
}

const RANGES: [Range; 3] = [
    Range {
        kind: ServerKind::Mysql,
        oldest: Version::new(8, 0, 0),
        newest_major: 9,
        proven: &["9.7"],
    },
    Range {
        kind: ServerKind::Mariadb,
        oldest: Version::new(10, 6, 0),
        newest_major: 12,
        proven: &["10.11", "11.8"],
    },
    Range {
        kind: ServerKind::Postgres,
        oldest: Version::new(14, 0, 0),
        newest_major: 18,
        proven: &["15", "17", "18"],
    },
];

/// How much is known of a version that is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    /// All tests run on its series.
    Proven,
    /// Nothing speaks against it, but the tests run on these series of its family.
    Expected(&'static [&'static str]),
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proven => f.write_str("proven"),
            Self::Expected(tested) => write!(
                f,
                "expected to work, the tests run on {}",
                tested.join(", ")
            ),
        }
    }
}

/// What is known of a server's version.
///
/// Releases that are newer than the newest known one are refused, since nobody has looked at
/// what they changed. A version before its release, such as `18beta1`, is never proven.
///
/// # Errors
/// Where this tool is not made for it.
pub(crate) fn support(server: &Server) -> Result<Support, Failure> {
    let version = server.number();
    let range = RANGES
        .iter()
        .find(|range| range.kind == server.kind)
        .expect("every kind has its range");
    if version < range.oldest || version.major > range.newest_major {
        return Err(Failure::blocked(format!("{server} is not supported"))
            .hint(format!("supported are {}", ranges_text())));
    }
    let released = !server.version.contains(|c: char| c.is_ascii_alphabetic());
    let series = series(server.kind, version);
    match released && range.proven.contains(&series.as_str()) {
        true => Ok(Support::Proven),
        false => Ok(Support::Expected(range.proven)),
    }
}

/// The part of a version that makes its series: versions of one series behave alike.
fn series(kind: ServerKind, version: Version) -> String {
    match kind {
        ServerKind::Postgres => version.major.to_string(),
        _ => format!("{}.{}", version.major, version.minor),
    }
}

fn ranges_text() -> String {
    let ranges = RANGES.map(|range| {
        let oldest = series(range.kind, range.oldest);
        format!("{} {oldest} to {}", range.kind.label(), range.newest_major)
    });
    ranges.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::BLOCKED;

    fn server(kind: ServerKind, version: &str) -> Server {
        Server {
            kind,
            version: version.to_owned(),
        }
    }

    #[test]
    fn each_version_is_proven_or_expected_or_refused() {
        use ServerKind::{Mariadb, Mysql, Postgres};
        const PROVEN: &str = "proven";
        const EXPECTED: &str = "expected";
        const REFUSED: &str = "refused";
        for (kind, version, verdict) in [
            (Mysql, "5.7.44", REFUSED),
            (Mysql, "8.0.0", EXPECTED),
            (Mysql, "8.0.36", EXPECTED),
            (Mysql, "8.4.5", EXPECTED),
            (Mysql, "9.0.1", EXPECTED),
            (Mysql, "9.7.0", PROVEN),
            (Mysql, "9.7.4", PROVEN),
            (Mysql, "9.70.0", EXPECTED),
            (Mysql, "10.0.0", REFUSED),
            (Mysql, "10.11.6", REFUSED),
            (Mysql, "", REFUSED),
            (Mariadb, "5.5.5", REFUSED),
            (Mariadb, "10.3.1", REFUSED),
            (Mariadb, "10.5.29", REFUSED),
            (Mariadb, "10.6.0", EXPECTED),
            (Mariadb, "10.11.6", PROVEN),
            (Mariadb, "11.4.5", EXPECTED),
            (Mariadb, "11.8.6", PROVEN),
            (Mariadb, "12.3.1", EXPECTED),
            (Mariadb, "13.0.0", REFUSED),
            (Postgres, "9.6.24", REFUSED),
            (Postgres, "13.20", REFUSED),
            (Postgres, "14.0", EXPECTED),
            (Postgres, "15.18", PROVEN),
            (Postgres, "16.9", EXPECTED),
            (Postgres, "17.5", PROVEN),
            (Postgres, "18beta1", EXPECTED),
            (Postgres, "18.1", PROVEN),
            (Postgres, "19beta1", REFUSED),
            (Postgres, "19.0", REFUSED),
        ] {
            let server = server(kind, version);
            let found = match support(&server) {
                Ok(Support::Proven) => PROVEN,
                Ok(Support::Expected(_)) => EXPECTED,
                Err(_) => REFUSED,
            };
            assert_eq!(found, verdict, "{server}");
        }
    }

    #[test]
    fn what_is_said_names_the_versions_that_are_tested_or_supported() {
        let support = |kind, version| support(&server(kind, version));
        for (kind, version, text) in [
            (ServerKind::Mariadb, "10.11.6", "proven"),
            (
                ServerKind::Mysql,
                "8.0.36",
                "expected to work, the tests run on 9.7",
            ),
            (
                ServerKind::Postgres,
                "16.9",
                "expected to work, the tests run on 15, 17, 18",
            ),
        ] {
            assert_eq!(support(kind, version).unwrap().to_string(), text);
        }
        let failure = support(ServerKind::Postgres, "13.20").unwrap_err();
        assert_eq!(failure.code, BLOCKED);
        assert_eq!(failure.to_string(), "PostgreSQL 13.20 is not supported");
        assert_eq!(
            failure.next_step(),
            Some("supported are MySQL 8.0 to 9, MariaDB 10.6 to 12, PostgreSQL 14 to 18")
        );
    }

    #[test]
    fn proven_is_what_the_document_of_the_last_run_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/versions.md");
        let document = std::fs::read_to_string(path).unwrap();
        let mut documented: Vec<&str> = document
            .lines()
            .filter(|line| line.ends_with("| proven |"))
            .collect();
        documented.sort_unstable();
        let mut known: Vec<String> = RANGES
            .iter()
            .flat_map(|range| {
                range
                    .proven
                    .iter()
                    .map(|series| (range.kind.label(), series))
            })
            .map(|(product, series)| format!("| {product} | {series} | proven |"))
            .collect();
        known.sort_unstable();
        assert_eq!(documented, known);
    }

    #[test]
    fn every_proven_series_is_supported() {
        for range in RANGES {
            for series in range.proven {
                let found = support(&server(range.kind, series)).unwrap();
                assert_eq!(found, Support::Proven, "{series}");
            }
        }
    }
}
