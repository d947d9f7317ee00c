//! Loads CSV files as others would: plain COPY through the protocol, and `\copy` of psql.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use catalog::{TargetCatalog, quote};
use dataset::TableEntry;

/// Schema of the copies.
const SCRATCH: &str = "scratch";

/// Loads the transformed files of a table into copies of it, by plain COPY and by `\copy`, and
/// fails where the rows are not those of the table itself.
///
/// `\copy` of psql before version 18 takes a line that is only `\.` for the end of the data
/// (PostgreSQL 18 release notes); such files are loaded by plain COPY alone there. Returns
/// whether `\copy` was tried.
///
/// # Panics
/// Where a load fails or differs.
pub fn loads_as_it_stands(postgres_url: &str, table: &TableEntry, directory: &Path) -> bool {
    let mut copies = Copies::of(postgres_url, table);
    let files = table.files.iter().map(|file| directory.join(&file.name));
    let files: Vec<PathBuf> = files.collect();
    let expected = copies.digest("public");
    copies.empty();
    copies.copy_through_protocol(&files);
    assert_eq!(
        copies.digest(SCRATCH),
        expected,
        "plain COPY of {}",
        table.name
    );
    let ends_early = |file: &PathBuf| {
        let content = fs::read(file).expect("the file is there");
        let mut lines = content.split(|byte| *byte == b'\n');
        lines.any(|line| line == b"\\.")
    };
    if psql_version() < 18 && files.iter().any(ends_early) {
        return false;
    }
    copies.empty();
    files.iter().for_each(|file| copies.copy_by_psql(file));
    assert_eq!(copies.digest(SCRATCH), expected, "\\copy of {}", table.name);
    true
}

/// A copy of a table, without its keys and foreign keys.
struct Copies<'t> {
    postgres_url: &'t str,
    connection: target::Connection,
    table: &'t TableEntry,
}

impl<'t> Copies<'t> {
    fn of(postgres_url: &'t str, table: &'t TableEntry) -> Self {
        let endpoint = target::Endpoint::parse(postgres_url).expect("a URL of ours");
        let connection = target::Connection::open(&endpoint).expect("the test server answers");
        Self {
            postgres_url,
            connection,
            table,
        }
    }

    fn empty(&mut self) {
        let name = quote::postgres(&self.table.name);
        self.connection
            .batch_execute(&format!(
                "drop schema if exists {SCRATCH} cascade; create schema {SCRATCH}; \
                 create table {SCRATCH}.{name} \
                     (like public.{name} including defaults including generated)"
            ))
            .expect("a table like another can be made");
    }

    fn catalog(&mut self, schema: &str) -> TargetCatalog {
        target::discover(&mut self.connection, schema).expect("the schema can be read")
    }

    fn digest(&mut self, schema: &str) -> String {
        let catalog = self.catalog(schema);
        let table = catalog.table(&self.table.name).expect("the table is there");
        target::rows_digest(&mut self.connection, schema, table).expect("the rows can be read")
    }

    fn columns(&self) -> Vec<&'t str> {
        self.table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect()
    }

    fn copy_through_protocol(&mut self, files: &[PathBuf]) {
        let (name, columns) = (&self.table.name, self.columns());
        for file in files {
            let csv = File::open(file).expect("the file is there");
            self.connection
                .load_csv::<target::Error>((SCRATCH, name), &columns, csv, |_| Ok(()))
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
    }

    fn copy_by_psql(&self, file: &Path) {
        let columns: Vec<String> = self.columns().into_iter().map(quote::postgres).collect();
        let command = format!(
            "\\copy {SCRATCH}.{} ({}) from '{}' (format csv, header)",
            quote::postgres(&self.table.name),
            columns.join(", "),
            file.display()
        );
        let output = Command::new("psql")
            .args([
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--command",
                &command,
            ])
            .envs(connection_variables(self.postgres_url))
            .output()
            .expect("psql runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {stderr}", file.display());
    }
}

/// The major version of this machine's psql, which comes with the server that the tests need.
fn psql_version() -> u32 {
    let output = Command::new("psql")
        .arg("--version")
        .output()
        .expect("psql is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace()
        .find_map(|word| word.split('.').next()?.parse().ok())
        .expect("psql says its version")
}

/// The parts of `postgres://user:password@host:port/database` as libpq's variables: a password
/// does not belong on a command line.
fn connection_variables(url: &str) -> BTreeMap<&'static str, String> {
    let url = catalog::ServerUrl::parse(url, &["postgres"], 5432).expect("a URL of ours");
    BTreeMap::from([
        ("PGUSER", url.user),
        ("PGPASSWORD", url.password.unwrap_or_default()),
        ("PGHOST", url.host),
        ("PGPORT", url.port.to_string()),
        ("PGDATABASE", url.database.unwrap_or_default()),
        ("PGCLIENTENCODING", "UTF8".to_owned()),
    ])
}
