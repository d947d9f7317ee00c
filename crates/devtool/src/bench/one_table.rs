//! The largest table alone: `import` with its constraints at the end, against `\copy` by psql of
//! the same files into the same empty table with its constraints in place.
//!
//! Both by the clock, one after the other in each round. `\copy` is measured with the server's own
//! compression and with lz4, which the import takes where it can.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use catalog::{ServerUrl, quote};
use dataset::{Manifest, TableEntry};
use serde::Serialize;

use super::child;
use super::family::LARGEST;
use super::floor::Ground;
use super::report::median;
use crate::system::System;

/// What both took, in seconds: medians over the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct OneTable {
    pub(crate) table: &'static str,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) import_seconds: f64,
    pub(crate) copy_seconds: f64,
    pub(crate) copy_lz4_seconds: f64,
    /// The first by the second.
    pub(crate) ratio: f64,
}

/// The table's own run.
struct Run<'g> {
    ground: Ground<'g>,
    converge: &'g Path,
    config: PathBuf,
    /// Of the transformed files.
    directory: PathBuf,
    target: ServerUrl,
}

/// Exports and transforms the table alone, and measures the rounds.
pub(crate) fn measure(
    ground: Ground<'_>,
    converge: &Path,
    config: &Path,
    rounds: u32,
) -> Result<OneTable> {
    let run = Run::prepare(ground, converge, config)?;
    let entry = run.entry()?;
    let (mut import, mut copy, mut copy_lz4) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        copy.push(run.copy(&entry, "")?);
        copy_lz4.push(run.copy(&entry, "-c default_toast_compression=lz4")?);
        import.push(run.converge("import")?);
        run.converge("rollback")?;
    }
    let (import, copy, copy_lz4) = (median(import), median(copy), median(copy_lz4));
    Ok(OneTable {
        table: LARGEST,
        rows: entry.row_count,
        bytes: entry.files.iter().map(|file| file.bytes).sum(),
        import_seconds: import,
        copy_seconds: copy,
        copy_lz4_seconds: copy_lz4,
        ratio: import / copy,
    })
}

impl<'g> Run<'g> {
    fn prepare(ground: Ground<'g>, converge: &'g Path, config: &Path) -> Result<Self> {
        let all = Manifest::read(&ground.place.files_of(System::Alkemio, "transformed"))?;
        let others = all.tables.iter().filter(|table| table.name != LARGEST);
        let excluded: Vec<String> = others.map(|table| format!("\"{}\"", table.name)).collect();
        let text = fs::read_to_string(config).context("cannot read the configuration")?;
        let address = |side: &str| {
            let line = format!("    {side}: ");
            let found = text.lines().find_map(|text| text.strip_prefix(&line));
            found.with_context(|| format!("the configuration has no {side}"))
        };
        let (source, target) = (address("source")?, address("target")?);
        let work = ground.place.work().join("one_table");
        fs::create_dir(&work).context("cannot make a directory")?;
        let config = work.join("one_table.yml");
        let excluded_too = "migrations_typeorm, query-result-cache";
        let text = format!(
            "version: 1\nenvironment: scratch\ndatabases:\n  alkemio:\n    source: {source}\n    \
             target: {target}\n    exclude_tables: [{excluded_too}, {}]\n",
            excluded.join(", ")
        );
        fs::write(&config, text).context("cannot write a configuration")?;
        let run = Self {
            ground,
            converge,
            config,
            directory: work.join("run/alkemio/transformed"),
            target: ServerUrl::parse(target, &["postgres"], 5432).map_err(anyhow::Error::msg)?,
        };
        run.converge("export")?;
        run.converge("transform")?;
        Ok(run)
    }

    fn entry(&self) -> Result<TableEntry> {
        let manifest = Manifest::read(&self.directory)?;
        let entry = manifest.table(LARGEST).cloned();
        entry.with_context(|| format!("`{LARGEST}` was not exported"))
    }

    /// Runs a command of converge and returns the seconds that it took.
    fn converge(&self, verb: &str) -> Result<f64> {
        let work = self.ground.place.work().join("one_table");
        let mut command = Command::new(self.converge);
        command
            .args([verb, "--run", "run", "--config"])
            .arg(&self.config)
            .current_dir(&work);
        self.measured(command, verb)
    }

    /// One `\copy` of all files, since a row may refer to one of a later file; the table is empty
    /// before and after.
    fn copy(&self, entry: &TableEntry, options: &str) -> Result<f64> {
        let (first, rest) = entry.files.split_first().context("there are no files")?;
        let mut program = format!("cat {}", first.name);
        if !rest.is_empty() {
            let names: Vec<&str> = rest.iter().map(|file| file.name.as_str()).collect();
            program += &format!(" && tail -q -n +2 {}", names.join(" "));
        }
        let columns = entry
            .columns
            .iter()
            .map(|column| quote::postgres(&column.name));
        let columns: Vec<String> = columns.collect();
        let table = quote::postgres_qualified("public", LARGEST);
        let copy = format!(
            "\\copy {table} ({}) from program '{program}' (format csv, header)",
            columns.join(", ")
        );
        let seconds = self.measured(self.psql(&copy, options), "\\copy")?;
        let mut target = self.ground.local.open_target_owner(System::Alkemio)?;
        let counted = target.query_text(&format!("select count(*)::text from {table}"))?;
        if counted[0][0].as_deref() != Some(&entry.row_count.to_string()) {
            bail!("\\copy loaded another number of rows than the manifest has");
        }
        // All other tables are empty.
        target.batch_execute(&format!("truncate {table} cascade"))?;
        Ok(seconds)
    }

    fn psql(&self, sql: &str, options: &str) -> Command {
        let url = &self.target;
        let mut command = Command::new("psql");
        command
            .args([
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--command",
                sql,
            ])
            .env("PGUSER", &url.user)
            .env("PGPASSWORD", url.password.as_deref().unwrap_or_default())
            .env("PGHOST", &url.host)
            .env("PGPORT", url.port.to_string())
            .env("PGDATABASE", url.database.as_deref().unwrap_or_default())
            .env("PGCLIENTENCODING", "UTF8")
            .env("PGOPTIONS", options)
            .current_dir(&self.directory);
        command
    }

    fn measured(&self, mut command: Command, name: &str) -> Result<f64> {
        self.ground.interrupt.check()?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let used = child::run(&mut command)?;
        if !used.status.success() {
            bail!("`{name}` of `{LARGEST}` alone ended with {}", used.status);
        }
        eprintln!("bench: {LARGEST} alone: {name} {:.2} s", used.seconds);
        Ok(used.seconds)
    }
}
