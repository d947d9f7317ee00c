//! A listing: the columns and keys of one system as one kind of server reports them.
//!
//! It reads and compares listings; it neither writes DDL nor asks a server.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::mariadb;
use crate::system::{Server, System};

/// What a catalogue file says where a column has no default.
pub(crate) const NO_DEFAULT: &str = "\\N";

/// All columns and keys of one system on one kind of server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// In the order of table name and ordinal.
    pub(crate) columns: Vec<ListedColumn>,
    /// In the order of table name, kind and constraint.
    pub(crate) keys: Vec<ListedKey>,
}

/// One line of `*.columns.csv`, in the server's own words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ListedColumn {
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) ordinal: String,
    #[serde(rename = "type")]
    pub(crate) data_type: String,
    pub(crate) nullable: String,
    pub(crate) default: String,
    pub(crate) extra: String,
    pub(crate) collation: String,
    pub(crate) comment: String,
}

/// One line of `*.keys.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ListedKey {
    pub(crate) table: String,
    pub(crate) constraint: String,
    pub(crate) kind: String,
    pub(crate) columns: String,
    pub(crate) ref_table: String,
    pub(crate) ref_columns: String,
    pub(crate) on_delete: String,
    pub(crate) on_update: String,
    pub(crate) note: String,
}

impl Listing {
    /// The expected listing of `system` on `server`.
    ///
    /// Kratos was never read from a MariaDB server: its listing there is derived
    /// from MySQL's, see `mariadb::derive`.
    pub(crate) fn expected(system: System, server: Server) -> Result<Self> {
        match (system, server) {
            (System::Kratos, Server::Mariadb) => {
                Self::read(system, Server::Mysql).map(|listing| mariadb::derive(&listing))
            }
            _ => Self::read(system, server),
        }
    }

    /// Reads the two committed files of `system` and `server`.
    pub(crate) fn read(system: System, server: Server) -> Result<Self> {
        let folder = system.folder().join("catalog");
        Ok(Self {
            columns: read_csv(&folder.join(format!("{}.columns.csv", server.name())))?,
            keys: read_csv(&folder.join(format!("{}.keys.csv", server.name())))?,
        })
    }

    /// The names of all tables, sorted.
    pub(crate) fn table_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.columns.iter().map(|c| c.table.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The columns of one table in their order.
    pub(crate) fn columns_of<'a>(
        &'a self,
        table: &'a str,
    ) -> impl Iterator<Item = &'a ListedColumn> {
        self.columns.iter().filter(move |c| c.table == table)
    }

    /// The keys of one table in their order.
    pub(crate) fn keys_of<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a ListedKey> {
        self.keys.iter().filter(move |k| k.table == table)
    }

    /// All foreign keys.
    pub(crate) fn foreign_keys(&self) -> impl Iterator<Item = &ListedKey> {
        self.keys.iter().filter(|k| k.kind == "foreign")
    }
}

impl ListedColumn {
    pub(crate) fn is_nullable(&self) -> bool {
        self.nullable == "YES"
    }
}

impl ListedKey {
    /// The key's columns, each with ` DESC` behind it where it descends.
    pub(crate) fn column_names(&self) -> Vec<&str> {
        self.columns.split('|').filter(|c| !c.is_empty()).collect()
    }
}

/// One line per difference between what is expected and what was found.
pub(crate) fn differences(expected: &Listing, found: &Listing) -> Vec<String> {
    let mut lines = compare(&described_columns(expected), &described_columns(found));
    lines.extend(compare(&described_keys(expected), &described_keys(found)));
    lines
}

fn compare(expected: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, want) in expected {
        match found.get(name) {
            None => lines.push(format!("{name}: missing, expected {want}")),
            Some(have) if have != want => {
                lines.push(format!("{name}: expected {want}, found {have}"));
            }
            Some(_) => {}
        }
    }
    let strays = found
        .iter()
        .filter(|(name, _)| !expected.contains_key(*name));
    lines.extend(strays.map(|(name, have)| format!("{name}: not expected, found {have}")));
    lines
}

fn described_columns(listing: &Listing) -> BTreeMap<String, String> {
    let describe = |c: &ListedColumn| {
        format!(
            "ordinal {}, type {}, nullable {}, default {}, extra [{}], collation [{}], comment [{}]",
            c.ordinal, c.data_type, c.nullable, c.default, c.extra, c.collation, c.comment
        )
    };
    let entry = |c: &ListedColumn| (format!("column {}.{}", c.table, c.column), describe(c));
    listing.columns.iter().map(entry).collect()
}

fn described_keys(listing: &Listing) -> BTreeMap<String, String> {
    let describe = |k: &ListedKey| {
        format!(
            "columns ({}), references [{} ({})], on delete [{}], on update [{}], note [{}]",
            k.columns, k.ref_table, k.ref_columns, k.on_delete, k.on_update, k.note
        )
    };
    let entry = |k: &ListedKey| {
        (
            format!("{} key {}.{}", k.kind, k.table, k.constraint),
            describe(k),
        )
    };
    listing.keys.iter().map(entry).collect()
}

fn read_csv<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let mut reader = csv::Reader::from_path(path)
        .with_context(|| format!("cannot open catalogue {}", path.display()))?;
    let records: Result<Vec<T>, csv::Error> = reader.deserialize().collect();
    records.with_context(|| format!("cannot read catalogue {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_catalogue_has_the_counts_that_its_readme_names() {
        let counts = |system, server| {
            let listing = Listing::expected(system, server).unwrap();
            (
                listing.table_names().len(),
                listing.columns.len(),
                listing.foreign_keys().count(),
            )
        };
        for server in [Server::Mysql, Server::Mariadb, Server::Postgres] {
            assert_eq!(
                counts(System::Alkemio, server),
                (77, 755, 201),
                "{server:?}"
            );
            assert_eq!(counts(System::Kratos, server), (26, 266, 47), "{server:?}");
        }
    }

    #[test]
    fn a_changed_a_missing_and_a_stray_column_are_each_reported() {
        let expected = Listing::read(System::Kratos, Server::Mysql).unwrap();
        assert_eq!(differences(&expected, &expected), Vec::<String>::new());

        let mut found = expected.clone();
        found.columns[0].data_type = "char(35)".to_owned();
        found.columns[1].column = "stray".to_owned();
        found.keys[0].columns = "nid".to_owned();
        let lines = differences(&expected, &found);
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(
            lines[0].contains("found ordinal 1, type char(35)"),
            "{}",
            lines[0]
        );
        assert!(lines[1].contains("missing"), "{}", lines[1]);
        assert!(
            lines[2].contains("continuity_containers.stray: not expected"),
            "{}",
            lines[2]
        );
        assert!(
            lines[3].starts_with("primary key continuity_containers.PRIMARY"),
            "{}",
            lines[3]
        );
    }
}
