//! Loads CSV files as others would: plain COPY through the protocol, and `\copy` of psql.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Command;

use catalog::{Catalog, TargetTable, quote};
use target::{Fingerprint, Import, ImportTable};

use crate::databases::Databases;

/// Makes an empty schema `scratch` with a copy of a table, its keys and foreign keys left out.
///
/// # Panics
/// Where the server refuses.
pub fn scratch_like(databases: &Databases, table: &str) -> Catalog<catalog::PostgresType> {
    let mut connection = databases.postgres();
    let name = quote::postgres(table);
    connection
        .batch_execute(&format!(
            "drop schema if exists scratch cascade; create schema scratch; \
             create table scratch.{name} (like public.{name} including defaults including generated)"
        ))
        .expect("a table like another can be made");
    target::discover(&mut connection, "scratch").expect("the schema can be read")
}

/// Loads a file by `copy … from stdin (format csv, header)`.
///
/// # Panics
/// Where the server refuses.
pub fn copy_through_protocol(databases: &Databases, table: &str, columns: &[&str], file: &Path) {
    let catalog = scratch_like(databases, table);
    let mut connection = databases.postgres();
    let scratch: &TargetTable = catalog.table(table).expect("it was made just now");
    let tables = [ImportTable {
        table: scratch,
        replace: false,
    }];
    let mut import = Import::begin(
        &mut connection,
        "scratch_ledger",
        "copy",
        "copy",
        &catalog,
        &tables,
    )
    .expect("an import can begin");
    let csv = File::open(file).expect("the file is there");
    import
        .copy::<target::Error>(table, columns, csv, |_| Ok(()))
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    import.put_back().expect("there are no foreign keys");
    import
        .commit()
        .expect("an import without foreign keys can end");
    let ledger = target::LedgerRun::read(&mut connection, "scratch_ledger");
    let ledger = ledger
        .expect("the ledger can be read")
        .expect("it holds the run");
    target::finalize(&mut connection, "scratch_ledger", &ledger).expect("the ledger can go");
}

/// A digest of the rows of a table, by which two copies of it can be compared.
///
/// # Panics
/// Where the server refuses.
pub fn rows_digest(databases: &Databases, schema: &str, table: &str) -> String {
    let mut connection = databases.postgres();
    let fingerprint: Fingerprint =
        target::fingerprint(&mut connection, schema).expect("the schema can be read");
    fingerprint
        .rows_of(table)
        .expect("the table is there")
        .to_owned()
}

/// The psql of this machine.
pub struct Psql {
    /// Its major version.
    pub version: u32,
}

impl Psql {
    /// Asks psql for its version.
    ///
    /// # Panics
    /// Where there is no psql: it comes with the server that the tests need.
    pub fn find() -> Self {
        let output = Command::new("psql")
            .arg("--version")
            .output()
            .expect("psql is installed");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text
            .split_whitespace()
            .find_map(|word| word.split('.').next()?.parse().ok())
            .expect("psql says its version");
        Self { version }
    }

    /// Whether `\copy` of this psql reads the file to its end: before version 18 a line that
    /// is only `\.` ends it (PostgreSQL 18 release notes).
    pub fn can_copy(&self, content: &[u8]) -> bool {
        self.version >= 18
            || !content
                .split(|byte| *byte == b'\n')
                .any(|line| line == b"\\.")
    }

    /// Loads a file by `\copy`.
    ///
    /// # Panics
    /// Where psql or the server refuses.
    pub fn copy(&self, databases: &Databases, table: &str, columns: &[&str], file: &Path) {
        scratch_like(databases, table);
        let columns: Vec<String> = columns.iter().map(|c| quote::postgres(c)).collect();
        let command = format!(
            "\\copy scratch.{} ({}) from '{}' (format csv, header)",
            quote::postgres(table),
            columns.join(", "),
            file.display()
        );
        let endpoint = connection_variables(&databases.postgres_url());
        let output = Command::new("psql")
            .args([
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--command",
                &command,
            ])
            .envs(endpoint)
            .output()
            .expect("psql runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {stderr}", file.display());
    }
}

/// The parts of `postgres://user:password@host:port/database` as libpq's variables: a password
/// does not belong on a command line.
fn connection_variables(url: &str) -> BTreeMap<&'static str, String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (login, address) = rest.rsplit_once('@').expect("the test URL has a user");
    let (user, password) = login.split_once(':').expect("the test URL has a password");
    let (server, database) = address
        .split_once('/')
        .expect("the test URL has a database");
    let (host, port) = server.split_once(':').expect("the test URL has a port");
    BTreeMap::from([
        ("PGUSER", user.to_owned()),
        ("PGPASSWORD", password.to_owned()),
        ("PGHOST", host.to_owned()),
        ("PGPORT", port.to_owned()),
        ("PGDATABASE", database.to_owned()),
        ("PGCLIENTENCODING", "UTF8".to_owned()),
    ])
}
