//! What a schema is, as a list of objects and their states, to tell whether it is as before.
//!
//! Rows count by their digests, without order; OIDs, statistics and storage do not count.

use std::collections::{BTreeMap, BTreeSet};

use postgres::GenericClient;

use catalog::TargetTable;
use digest::{TableDigest, digest_fields};

use crate::connection::Connection;
use crate::error::{Doing, Error};

/// Objects of a schema and their states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    objects: BTreeMap<String, String>,
}

impl FromIterator<(String, String)> for Fingerprint {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(states: I) -> Self {
        Self {
            objects: states.into_iter().collect(),
        }
    }
}

impl Fingerprint {
    /// The state of an object, where there is one of that name.
    pub(crate) fn state(&self, object: &str) -> Option<&str> {
        self.objects.get(object).map(String::as_str)
    }

    /// The names of the objects of both.
    pub(crate) fn union<'f>(&'f self, other: &'f Self) -> Vec<&'f str> {
        let names: BTreeSet<&str> = [self, other]
            .into_iter()
            .flat_map(|side| side.objects.keys().map(String::as_str))
            .collect();
        names.into_iter().collect()
    }

    /// Number of objects.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether the schema has no object.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The objects that are not the same on both sides, by name.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names = self.union(other).into_iter();
        names
            .filter(|name| self.state(name) != other.state(name))
            .map(str::to_owned)
            .collect()
    }
}

/// Reads the definitions of a schema, all rows of its tables and the states of its sequences.
///
/// # Errors
/// Where the server refuses.
pub fn fingerprint(connection: &mut Connection, schema: &str) -> Result<Fingerprint, Error> {
    let mut fingerprint = definitions(&mut connection.client, schema)?;
    for table in crate::discover(connection, schema)?.tables {
        let rows = rows_digest(connection, schema, &table)?;
        fingerprint
            .objects
            .insert(format!("rows of {}", table.name), rows);
    }
    let sequences: BTreeSet<String> = fingerprint
        .objects
        .keys()
        .filter_map(|name| name.strip_prefix("sequence definition ").map(str::to_owned))
        .collect();
    for name in sequences {
        let row = connection
            .client
            .query_one(&format!("select last_value, is_called from {name}"), &[])
            .doing(|| format!("reading sequence {name}"))?;
        let (last_value, is_called): (i64, bool) = (row.get(0), row.get(1));
        let state = format!("{last_value} {is_called}");
        fingerprint
            .objects
            .insert(format!("sequence {name}"), state);
    }
    Ok(fingerprint)
}

/// Number and digest of a table's rows, by which two copies of it can be compared.
///
/// # Errors
/// Where the server refuses.
pub fn rows_digest(
    connection: &mut Connection,
    schema: &str,
    table: &TargetTable,
) -> Result<String, Error> {
    let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    let mut digest = TableDigest::default();
    connection.scan_table::<Error>(schema, &table.name, &columns, |row| {
        digest.add(digest_fields(row.iter().copied()));
        Ok(())
    })?;
    Ok(digest.to_string())
}

impl Connection {
    /// The definitions of a schema without its rows: what a load is planned for, and is held
    /// against once the tables are locked.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn definitions(&mut self, schema: &str) -> Result<Fingerprint, Error> {
        definitions(&mut self.client, schema)
    }
}

/// The definitions alone.
pub(crate) fn definitions(
    client: &mut impl GenericClient,
    schema: &str,
) -> Result<Fingerprint, Error> {
    let rows = client
        .query(include_str!("sql/fingerprint.sql"), &[&schema])
        .doing(|| format!("reading the definitions of schema `{schema}`"))?;
    let states = rows.iter().map(|row| {
        let state: Option<String> = row.get(1);
        (row.get(0), state.unwrap_or_default())
    });
    Ok(states.collect())
}
