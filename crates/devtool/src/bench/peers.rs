//! What others need for the same move: DuckDB with its two extensions, and pgloader.
//!
//! Each is tuned as far as it takes without changing what arrives. Whether the same arrived, and
//! what did not, is what `converge verify` says afterwards.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use catalog::{ServerUrl, quote};
use dataset::Manifest;
use serde_json::{Value, json};

use super::child;
use super::converge::bytes_of_files;
use super::floor::Ground;
use super::measure::{Meter, Moved, Sample};
use super::plan::Peer;
use crate::system::System;

/// The extensions of DuckDB on PyPI, each of which asks for the DuckDB of the same version.
const DUCKDB_PACKAGES: [&str; 2] = [
    "duckdb-extension-mysql-scanner==1.5.5",
    "duckdb-extension-postgres-scanner==1.5.5",
];
const DUCKDB_SCRIPT: &str = include_str!("peers/move_by_duckdb.py");
/// pgloader's heap in megabytes: with the default one it ends in the largest table.
const PGLOADER_HEAP: &str = "4096";

/// The programs.
#[derive(Debug)]
pub(crate) struct Peers {
    /// Of the virtual environment that has DuckDB.
    python: PathBuf,
    script: PathBuf,
    /// By peer, as each of them says itself.
    pub(crate) versions: Vec<(Peer, String)>,
}

/// A database of the move.
struct Database {
    source: ServerUrl,
    target: ServerUrl,
    system: System,
    manifest: Manifest,
}

impl Peers {
    /// Finds pgloader, and makes a virtual environment for DuckDB, which stays for the next time.
    ///
    /// # Errors
    /// With what to install where something is missing.
    pub(crate) fn find(state: &Path, work: &Path) -> Result<Self> {
        let pgloader = first_line(Command::new("pgloader").arg("--version")).context(
            "there is no pgloader\nhint: install Debian's package: apt-get install pgloader",
        )?;
        let environment = state.join("bench-peers");
        let python = environment.join("bin/python");
        let script = work.join("move_by_duckdb.py");
        fs::write(&script, DUCKDB_SCRIPT).context("cannot write a script")?;
        let version = || first_line(Command::new(&python).arg(&script).arg("version"));
        let duckdb = match version() {
            Ok(version) => version,
            Err(_) => {
                install_duckdb(&environment)?;
                version()?
            }
        };
        Ok(Self {
            versions: vec![
                (Peer::DuckDb, format!("DuckDB {duckdb}")),
                (
                    Peer::Pgloader,
                    pgloader.replace(" version", "").replace('"', ""),
                ),
            ],
            python,
            script,
        })
    }

    /// Moves all databases once. The targets are as their owners made them.
    pub(crate) fn run(&self, peer: Peer, ground: Ground<'_>, config: &Path) -> Result<Sample> {
        let databases = databases(ground, config)?;
        let mut commands = match peer {
            Peer::DuckDb => vec![self.duckdb(ground, &databases)?],
            Peer::Pgloader => databases
                .iter()
                .map(|database| pgloader(ground, database))
                .collect::<Result<_>>()?,
        };
        let mut samples = Vec::new();
        for command in &mut commands {
            ground.interrupt.check()?;
            let messages = ground.place.work().join("peer.log");
            let log = File::create(&messages).context("cannot write a file")?;
            command
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log);
            let meter = Meter::start(ground.servers)?;
            let used = child::run(command)?;
            samples.push(meter.finish(&used)?);
            if !used.status.success() {
                let text = fs::read(&messages).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                bail!("{} ended with {}:\n{text}", peer.name(), used.status);
            }
        }
        let mut rows = 0;
        for database in &databases {
            rows += database.count_rows(ground)?;
        }
        let bytes = bytes_of_files(ground.place, "transformed")?;
        let sum = samples.into_iter().reduce(Sample::and_then);
        let sum = sum.context("there is no database")?;
        Ok(sum.moving(Moved { rows, bytes }))
    }

    fn duckdb(&self, ground: Ground<'_>, databases: &[Database]) -> Result<Command> {
        let mut jobs = Vec::new();
        for database in databases {
            let (before, after) = database.around(ground)?;
            let tables = database.manifest.tables.iter().map(|table| {
                let columns = table.columns.iter().map(|column| &column.name);
                json!({"name": table.name, "columns": columns.collect::<Vec<_>>()})
            });
            let (source, target) = (&database.source, &database.target);
            jobs.push(json!({
                "source": {
                    "host": source.host, "port": source.port, "user": source.user,
                    "password": source.password, "database": source.database,
                },
                "target": {
                    "host": target.host, "port": target.port, "user": target.user,
                    "password": target.password, "dbname": target.database,
                },
                "tables": tables.collect::<Vec<_>>(),
                "before": before,
                "after": after,
            }));
        }
        // In a directory that only its owner may enter.
        let job = ground.place.work().join("duckdb.json");
        fs::write(&job, Value::Array(jobs).to_string()).context("cannot write a job")?;
        let mut command = Command::new(&self.python);
        command.arg(&self.script).arg(job);
        Ok(command)
    }
}

fn install_duckdb(environment: &Path) -> Result<()> {
    let hint = "DuckDB was not installed\n\
         hint: it needs python3 with venv (Debian: apt-get install python3-venv) and PyPI";
    let run = |command: &mut Command| {
        let status = command
            .stdin(Stdio::null())
            .stdout(std::io::stderr())
            .status();
        match status.context(hint)?.success() {
            true => Ok(()),
            false => bail!(hint),
        }
    };
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(environment))?;
    run(Command::new(environment.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet"])
        .args(DUCKDB_PACKAGES))
}

fn first_line(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("cannot start it")?;
    let text = String::from_utf8_lossy(&output.stdout);
    match (output.status.success(), text.lines().next()) {
        (true, Some(line)) => Ok(line.trim().to_owned()),
        _ => bail!("it ended with {}", output.status),
    }
}

fn pgloader(ground: Ground<'_>, database: &Database) -> Result<Command> {
    let target_schema = "public";
    let (source, target) = (&database.source, &database.target);
    let address = |scheme: &str, url: &ServerUrl| {
        format!(
            "{scheme}://{}:{}@{}:{}/{}",
            url.user,
            url.password.as_deref().unwrap_or_default(),
            url.host,
            url.port,
            url.database.as_deref().unwrap_or_default()
        )
    };
    let mut text = format!(
        "load database\n  from {}\n  into {}\n\
         with data only, truncate, drop indexes, reset no sequences, quote identifiers,\n     \
         workers = 2, concurrency = 1, prefetch rows = 500, batch rows = 1000, batch size = 16 MB\n",
        address("mysql", source),
        address("postgresql", target),
    );
    let tables = database.manifest.tables.iter();
    let tables: Vec<String> = tables.map(|table| format!("'{}'", table.name)).collect();
    let _ = writeln!(
        text,
        "including only table names matching {}",
        tables.join(", ")
    );
    let schema = source.database.as_deref().unwrap_or_default();
    let _ = writeln!(text, "alter schema '{schema}' rename to '{target_schema}';");
    let work = ground.place.work();
    let script = work.join(format!("{}.load", database.system.name()));
    fs::write(&script, text).context("cannot write a script")?;
    let mut command = Command::new("pgloader");
    command
        .args(["--dynamic-space-size", PGLOADER_HEAP, "--root-dir"])
        .arg(work)
        .arg(script);
    Ok(command)
}

/// Both databases with the addresses of the configuration, and the tables of the last run.
fn databases(ground: Ground<'_>, config: &Path) -> Result<Vec<Database>> {
    let text = fs::read_to_string(config).context("cannot read the configuration")?;
    let url = |side: &str, system: System, schemes: &[&'static str], port| {
        let name = ground.local.database(system);
        let prefix = format!("    {side}: ");
        let urls = text.lines().filter_map(|line| line.strip_prefix(&prefix));
        let mut urls = urls.filter_map(|url| ServerUrl::parse(url, schemes, port).ok());
        let found = urls.find(|url| url.database.as_ref() == Some(&name));
        found.with_context(|| format!("the configuration has no {side} `{name}`"))
    };
    let database = |system| {
        Ok(Database {
            source: url("source", system, &["mysql"], 3306)?,
            target: url("target", system, &["postgres"], 5432)?,
            manifest: Manifest::read(&ground.place.files_of(system, "transformed"))?,
            system,
        })
    };
    System::ALL.into_iter().map(database).collect()
}

impl Database {
    /// What DuckDB cannot load beside: foreign keys, which are made anew and so checked at the
    /// end, and rows that the target's owner has put there.
    fn around(&self, ground: Ground<'_>) -> Result<(Vec<String>, Vec<String>)> {
        let mut target = ground.local.open_target_owner(self.system)?;
        let keys = target.query_text(
            "select format('alter table %s drop constraint %I', conrelid::regclass, conname), \
             format('alter table %s add constraint %I %s', conrelid::regclass, conname, \
             pg_get_constraintdef(oid)) from pg_constraint \
             where contype = 'f' and connamespace = 'public'::regnamespace",
        )?;
        let column = |number: usize| {
            let cells = keys.iter().map(move |row| row[number].clone());
            cells
                .collect::<Option<Vec<String>>>()
                .context("a definition is missing")
        };
        let (mut before, after) = (column(0)?, column(1)?);
        let tables = self.manifest.tables.iter();
        let tables: Vec<String> = tables
            .map(|table| quote::postgres_qualified("public", &table.name))
            .collect();
        before.push(format!("truncate {}", tables.join(", ")));
        Ok((before, after))
    }

    fn count_rows(&self, ground: Ground<'_>) -> Result<u64> {
        let mut target = ground.local.open_target_owner(self.system)?;
        let mut rows = 0;
        for table in &self.manifest.tables {
            let name = quote::postgres_qualified("public", &table.name);
            let counted = target.query_text(&format!("select count(*)::text from {name}"))?;
            let counted = counted[0][0].as_deref().context("a count is NULL")?;
            rows += counted.parse::<u64>()?;
        }
        Ok(rows)
    }
}

/// What a document of `verify` says is not as it has to be, in words.
pub(crate) fn differences(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let databases = document["databases"].as_array().into_iter().flatten();
    for database in databases {
        let name = database["name"].as_str().unwrap_or_default();
        let list = |key: &str| database[key].as_array().into_iter().flatten();
        for table in list("tables").filter(|table| table["equal"] != true) {
            found.push(format!(
                "rows of {name}.{}",
                table["name"].as_str().unwrap_or_default()
            ));
        }
        let mut kinds: Vec<(&str, u64)> = Vec::new();
        for difference in list("catalog") {
            let kind = difference["kind"].as_str().unwrap_or_default();
            match kinds.iter_mut().find(|(other, _)| *other == kind) {
                Some((_, count)) => *count += 1,
                None => kinds.push((kind, 1)),
            }
        }
        found.extend(
            kinds
                .iter()
                .map(|(kind, count)| format!("{name}: {kind} ({count})")),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_tables_and_count_what_the_catalogue_lacks() {
        let catalog = json!([{"kind": "sequence"}, {"kind": "index"}, {"kind": "sequence"}]);
        let tables = json!([{"name": "a", "equal": true}, {"name": "b", "equal": false}]);
        let document = json!({"databases": [
            {"name": "one", "tables": tables, "catalog": catalog},
            {"name": "two", "tables": [{"name": "a", "equal": true}], "catalog": []},
        ]});
        assert_eq!(
            differences(&document),
            ["rows of one.b", "one: sequence (2)", "one: index (1)"]
        );
        // A document that is not understood is not taken for one without differences.
        assert_eq!(
            differences(&json!({"databases": [{"name": "one", "tables": [{"name": "a"}]}]})),
            ["rows of one.a"]
        );
    }
}
