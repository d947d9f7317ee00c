//! The two systems that the fixtures are made of, and where their files lie.
//!
//! It reads nothing: see `listing`.

use std::path::{Path, PathBuf};

/// A system with a folder of its own under `fixtures/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    /// The platform: 77 tables.
    Alkemio,
    /// Its identity service, Ory Kratos 1.3.1: 26 tables.
    Kratos,
}

/// The servers whose catalogues are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// Oracle's MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// PostgreSQL, always the target.
    Postgres,
}

impl System {
    /// Both, in the order in which they are loaded.
    pub(crate) const ALL: [Self; 2] = [Self::Alkemio, Self::Kratos];

    /// The name of its folder, of its databases on both sides and of their owner.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Alkemio => "alkemio",
            Self::Kratos => "kratos",
        }
    }

    /// Its folder under `fixtures/`.
    pub(crate) fn folder(self) -> PathBuf {
        workspace_root().join("fixtures").join(self.name())
    }
}

impl Server {
    /// The name that files about it carry.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
            Self::Postgres => "postgres",
        }
    }

    /// The name of the DDL file for this server: sources are MySQL's and MariaDB's.
    pub(crate) fn ddl_file_name(self) -> String {
        match self {
            Self::Mysql | Self::Mariadb => format!("source.{}.sql", self.name()),
            Self::Postgres => format!("target.{}.sql", self.name()),
        }
    }
}

/// The root of the workspace that this binary was built from, which is the only
/// one it serves.
pub(crate) fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the crate lies two folders below the root")
}
