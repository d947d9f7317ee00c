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
    /// The series on which all tests run.
    proven: &'static [&'static str],
}

const RANGES: [Range; 3] = [
    Range {
        kind: ServerKind::Mysql,
        oldest: Version::new(8, 0, 0),
        proven: &["9.7"],
    },
    Range {
        kind: ServerKind::Mariadb,
        oldest: Version::new(10, 6, 0),
        proven: &["10.11", "11.8"],
    },
    Range {
        kind: ServerKind::Postgres,
        oldest: Version::new(14, 0, 0),
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
    /// Newer than all series of its family that the tests run on.
    Unproven(&'static [&'static str]),
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
            Self::Unproven(tested) => write!(
                f,
                "unproven: newer than {}, on which the tests run; `verify` decides",
                tested.join(", ")
            ),
        }
    }
}

/// What is known of a server's version.
///
/// A release that is newer than those of the tests is unproven: what it changed is not known, and
/// the comparison shows whether it matters. A version before its release, such as `18beta1`, is
/// never proven.
///
/// # Errors
/// Where the version is too old.
pub(crate) fn support(server: &Server) -> Result<Support, Failure> {
    let version = server.number();
    let range = RANGES
        .iter()
        .find(|range| range.kind == server.kind)
        .expect("every kind has its range");
    if version < range.oldest {
        return Err(Failure::blocked(format!("{server} is not supported"))
            .hint(format!("supported are {}", ranges_text())));
    }
    let released = !server.version.contains(|c: char| c.is_ascii_alphabetic());
    let series = series(server.kind, version);
    let is_newer = |tested: &&str| Version::parse(tested) > Version::parse(&series);
    Ok(if released && range.proven.contains(&series.as_str()) {
        Support::Proven
    } else if range.proven.iter().any(is_newer) || range.proven.contains(&series.as_str()) {
        Support::Expected(range.proven)
    } else {
        Support::Unproven(range.proven)
    })
}

/// A line for each server that is newer than the tests, for a run's output.
pub(crate) fn unproven(servers: [&Server; 2]) -> Vec<String> {
    let of = |server: &Server| match support(server) {
        Ok(support @ Support::Unproven(_)) => Some(format!("note: {server} is {support}")),
        _ => None,
    };
    servers.into_iter().filter_map(of).collect()
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
        format!("{} {oldest} and newer", range.kind.label())
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
    fn each_version_is_proven_expected_unproven_or_too_old() {
        use ServerKind::{Mariadb, Mysql, Postgres};
        const PROVEN: &str = "proven";
        const EXPECTED: &str = "expected";
        const UNPROVEN: &str = "unproven";
        const REFUSED: &str = "refused";
        for (kind, version, verdict) in [
            (Mysql, "5.7.44", REFUSED),
            (Mysql, "8.0.0", EXPECTED),
            (Mysql, "8.0.36", EXPECTED),
            (Mysql, "8.4.5", EXPECTED),
            (Mysql, "9.0.1", EXPECTED),
            (Mysql, "9.7.0", PROVEN),
            (Mysql, "9.7.4", PROVEN),
            (Mysql, "9.70.0", UNPROVEN),
            (Mysql, "26.7.0", UNPROVEN),
            (Mysql, "", REFUSED),
            (Mariadb, "5.5.5", REFUSED),
            (Mariadb, "10.3.1", REFUSED),
            (Mariadb, "10.5.29", REFUSED),
            (Mariadb, "10.6.0", EXPECTED),
            (Mariadb, "10.11.6", PROVEN),
            (Mariadb, "11.4.5", EXPECTED),
            (Mariadb, "11.8.6", PROVEN),
            (Mariadb, "12.3.1", UNPROVEN),
            (Mariadb, "13.0.0", UNPROVEN),
            (Postgres, "9.6.24", REFUSED),
            (Postgres, "13.20", REFUSED),
            (Postgres, "14.0", EXPECTED),
            (Postgres, "15.18", PROVEN),
            (Postgres, "16.9", EXPECTED),
            (Postgres, "17.5", PROVEN),
            (Postgres, "18beta1", EXPECTED),
            (Postgres, "18.1", PROVEN),
            (Postgres, "19beta1", UNPROVEN),
            (Postgres, "19.0", UNPROVEN),
        ] {
            let server = server(kind, version);
            let found = match support(&server) {
                Ok(Support::Proven) => PROVEN,
                Ok(Support::Expected(_)) => EXPECTED,
                Ok(Support::Unproven(_)) => UNPROVEN,
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
            (
                ServerKind::Mysql,
                "26.7.1",
                "unproven: newer than 9.7, on which the tests run; `verify` decides",
            ),
        ] {
            assert_eq!(support(kind, version).unwrap().to_string(), text);
        }
        let failure = support(ServerKind::Postgres, "13.20").unwrap_err();
        assert_eq!(failure.code, BLOCKED);
        assert_eq!(failure.to_string(), "PostgreSQL 13.20 is not supported");
        assert_eq!(
            failure.next_step().map(ToString::to_string).as_deref(),
            Some(
                "supported are MySQL 8.0 and newer, MariaDB 10.6 and newer, PostgreSQL 14 and newer"
            )
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
