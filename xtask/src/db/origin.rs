//! Which programs a set of native servers runs: the installed ones, or those of a release.
//!
//! What is wanted stands on the command line, what was chosen in the record.

use std::path::Path;

use anyhow::{Context, Result};

use super::{
    apt,
    mysql::Mysql,
    native::{Server, Set},
    postgres::{self, Postgres},
    state::StateDir,
};
use crate::{
    failure::{BLOCKED, Failure, USAGE},
    servers::{Family, Release, Tree},
};

/// The word for the programs that are installed on this machine.
pub(crate) const INSTALLED: &str = "installed";

/// What is said where a release is of the wrong family.
pub(crate) const FAMILIES: &str =
    "--mysql takes a release of mysql or mariadb, --postgres one of postgres";

/// What was asked for: the names of releases, or of images where servers are containers.
/// Nothing means what is there, else what is usual.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) mysql: Option<String>,
    pub(crate) postgres: Option<String>,
}

impl Wanted {
    /// The installed servers, whatever was there before.
    pub(crate) fn installed() -> Wanted {
        Wanted {
            mysql: Some(INSTALLED.to_owned()),
            postgres: Some(INSTALLED.to_owned()),
        }
    }
}

/// Where each server's programs come from; none for the installed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origins {
    pub(crate) mysql: Option<&'static Release>,
    pub(crate) postgres: Option<&'static Release>,
}

impl Origins {
    /// What is wanted, else what the servers of `set` have.
    pub(crate) fn choose(wanted: &Wanted, set: Option<&Set>) -> Result<Origins> {
        let recorded = set.map(|set| &set.record);
        let choose = |wanted: &Option<String>, recorded: Option<&String>| {
            wanted
                .as_ref()
                .or(recorded)
                .map_or(Ok(None), |name| named(name))
        };
        let origins = Origins {
            mysql: choose(&wanted.mysql, recorded.map(|record| &record.mysql_from))?,
            postgres: choose(
                &wanted.postgres,
                recorded.map(|record| &record.postgres_from),
            )?,
        };
        let is_postgres = |release: &Release| release.family == Family::Postgres;
        if origins.mysql.is_some_and(is_postgres) || !origins.postgres.is_none_or(is_postgres) {
            return Err(Failure::new(USAGE, FAMILIES).into());
        }
        Ok(origins)
    }

    /// How the record spells them.
    pub(crate) fn names(self) -> [String; 2] {
        [self.mysql, self.postgres]
            .map(|release| release.map_or(INSTALLED, |release| release.name).to_owned())
    }

    /// Fails where the servers that are there are of another kind.
    pub(crate) fn check_same(self, set: &Set) -> Result<()> {
        let recorded = [&set.record.mysql_from, &set.record.postgres_from];
        if self.names().iter().eq(recorded) {
            return Ok(());
        }
        let [mysql, postgres] = recorded;
        let message = format!(
            "the servers of {} are {mysql} and {postgres}, not those that are asked for",
            set.state.path().display()
        );
        Err(Failure::new(BLOCKED, message)
            .hint("`cargo xtask db reset` with the same options replaces them, and their data")
            .into())
    }
}

fn named(name: &str) -> Result<Option<&'static Release>> {
    match name {
        INSTALLED => Ok(None),
        name => Release::named(name).map(Some),
    }
}

/// Both servers' programs.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) mysql: Mysql,
    pub(crate) postgres: Postgres,
}

impl Programs {
    /// The programs, installed or fetched where they are missing and that can be done.
    ///
    /// `data` is the directory of a PostgreSQL that was there before.
    pub(crate) fn find_or_get(
        origins: Origins,
        data: Option<&Path>,
        yes: bool,
    ) -> Result<Programs> {
        for release in [origins.mysql, origins.postgres].into_iter().flatten() {
            Tree::prepare(release)?;
        }
        if let Some(programs) = Programs::find(origins, data)? {
            programs.check_series(origins)?;
            return Ok(programs);
        }
        let missing_mysql = origins.mysql.is_none() && Mysql::find().is_none();
        let missing_postgres = origins.postgres.is_none() && Postgres::find(data).is_none();
        apt::install(missing_mysql, missing_postgres, yes)?;
        Programs::find(origins, data)?.context("cannot find the servers that were just installed")
    }

    /// Fails where the archive had another version than the release is named for.
    fn check_series(&self, origins: Origins) -> Result<()> {
        let versions = [self.mysql.version(), self.postgres.version()];
        for (release, version) in [origins.mysql, origins.postgres].into_iter().zip(versions) {
            let Some(release) = release else { continue };
            let number = version.rsplit(' ').next().unwrap_or_default();
            let rest = number.strip_prefix(release.series());
            if !rest.is_some_and(|rest| rest.starts_with('.')) {
                let message = format!(
                    "{} is not to be had: the archive has {version}",
                    release.name
                );
                return Err(Failure::new(BLOCKED, message).into());
            }
        }
        Ok(())
    }

    /// The programs, if both servers are there.
    pub(crate) fn find(origins: Origins, data: Option<&Path>) -> Result<Option<Programs>> {
        let mysql = match origins.mysql {
            None => Mysql::find(),
            Some(release) => Tree::find(release)?.and_then(|tree| Mysql::in_tree(&tree)),
        };
        let postgres = match origins.postgres {
            None => Postgres::find(data),
            Some(release) => Tree::find(release)?.and_then(|tree| Postgres::in_tree(&tree)),
        };
        Ok(mysql
            .zip(postgres)
            .map(|(mysql, postgres)| Programs { mysql, postgres }))
    }

    /// The programs that the servers of `state` were made with, or the installed ones.
    pub(crate) fn of(state: &StateDir) -> Result<Option<Programs>> {
        let set = Set::open(state)?;
        let origins = Origins::choose(&Wanted::default(), set.as_ref())?;
        let data = set.map(|set| set.data(postgres::NAME));
        Programs::find(origins, data.as_deref())
    }

    /// Both, in the order in which they start.
    pub(crate) fn each(&self) -> [&dyn Server; 2] {
        [&self.mysql, &self.postgres]
    }
}
