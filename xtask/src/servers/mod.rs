//! Servers of other versions than the installed ones, from Debian's packages.
//!
//! A release is fetched by apt into a folder of the build output and unpacked there; nothing
//! is installed, and no right of root is needed. What runs from it is decided in `db`.

mod archive;
mod tree;

use anyhow::Result;

pub(crate) use self::{
    archive::{Suite, obstacle},
    tree::{Tree, find_pgbouncer, folder, name_of_folder, pgbouncer, unpack},
};
use crate::failure::{Failure, USAGE};

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Mysql,
    Mariadb,
    Postgres,
}

impl Family {
    /// Its name in the names of releases, images and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Family::Mysql => "mysql",
            Family::Mariadb => "mariadb",
            Family::Postgres => "postgres",
        }
    }
}

/// A series of a server that a Debian suite has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// Such as `mysql-9.7`: family and series.
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    pub(crate) suite: Suite,
    /// The server and its client.
    pub(crate) packages: &'static [&'static str],
}

impl Release {
    const fn new(
        name: &'static str,
        family: Family,
        suite: Suite,
        packages: &'static [&'static str],
    ) -> Release {
        Release {
            name,
            family,
            suite,
            packages,
        }
    }

    /// Such as `9.7`.
    pub(crate) fn series(&self) -> &'static str {
        self.name.rsplit('-').next().unwrap_or_default()
    }

    /// The release of that name, or the one that a family's bare name stands for.
    pub(crate) fn named(name: &str) -> Result<&'static Release> {
        let found = RELEASES.iter().find(|release| release.name == name);
        let found = found.or_else(|| {
            let mut family = RELEASES
                .iter()
                .filter(|release| release.family.name() == name);
            family.next()
        });
        found.ok_or_else(|| {
            let known: Vec<&str> = RELEASES.iter().map(|release| release.name).collect();
            Failure::new(USAGE, format!("there is no release `{name}`"))
                .hint(format!("known: {}", known.join(", ")))
                .into()
        })
    }
}

const MARIADB_PACKAGES: &[&str] = &["mariadb-server-core", "mariadb-client-core"];

/// All that can be had; of each family, the first is meant where only the family is named.
pub(crate) const RELEASES: [Release; 6] = [
    Release::new(
        "mysql-9.7",
        Family::Mysql,
        Suite::Sid,
        &["mysql-server-core", "mysql-client-core"],
    ),
    Release::new(
        "mariadb-11.8",
        Family::Mariadb,
        Suite::Trixie,
        MARIADB_PACKAGES,
    ),
    Release::new(
        "mariadb-10.11",
        Family::Mariadb,
        Suite::Bookworm,
        MARIADB_PACKAGES,
    ),
    Release::new(
        "postgres-17",
        Family::Postgres,
        Suite::Trixie,
        &["postgresql-17"],
    ),
    Release::new(
        "postgres-18",
        Family::Postgres,
        Suite::Sid,
        &["postgresql-18"],
    ),
    Release::new(
        "postgres-15",
        Family::Postgres,
        Suite::Bookworm,
        &["postgresql-15"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_stands_for_its_first_release() {
        let name = |name: &str| Release::named(name).map(|release| release.name);
        assert_eq!(name("mariadb").unwrap(), "mariadb-11.8");
        assert_eq!(name("mariadb-10.11").unwrap(), "mariadb-10.11");
        assert_eq!(name("postgres").unwrap(), "postgres-17");
        assert!(name("postgres-9").is_err());
        for release in &RELEASES {
            let (family, series) = (release.family.name(), release.series());
            assert_eq!(release.name, format!("{family}-{series}"));
        }
    }
}
