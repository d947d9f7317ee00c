//! The built `converge`, run as an operator runs it: one command after the other, measured.
//!
//! What it says about its work is read from its JSON; nothing of its code is used here.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use dataset::Manifest;
use serde_json::Value;

use super::child;
use super::measure::{Meter, Moved, Sample};
use super::place::Place;
use super::plan::Verb;
use super::processor::Servers;
use crate::system::System;

/// Lines of the command's own messages that are shown when it fails.
const MESSAGE_LINES: usize = 20;
/// The exit code of a verdict that is not `equal`.
const EXIT_DIFFERENT: i32 = 5;

/// The program with its configuration.
#[derive(Debug)]
pub(crate) struct Converge {
    program: PathBuf,
    config: PathBuf,
}

impl Converge {
    /// The program beside this one, with a configuration.
    ///
    /// # Errors
    /// Where it was not built.
    pub(crate) fn find(config: PathBuf) -> Result<Self> {
        let own = std::env::current_exe().context("cannot tell where this program lies")?;
        let program = own.with_file_name("converge");
        if !program.is_file() {
            bail!(
                "there is no {}\nhint: run `cargo build --release -p converge`",
                program.display()
            );
        }
        Ok(Self { program, config })
    }

    /// The program and its configuration.
    pub(crate) fn program_and_config(&self) -> (&Path, &Path) {
        (&self.program, &self.config)
    }

    /// What `converge --version` says.
    pub(crate) fn version(&self) -> Result<String> {
        let output = Command::new(&self.program)
            .arg("--version")
            .output()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// What `verify` says about the run and its targets, whatever its verdict.
    ///
    /// # Errors
    /// Where it comes to none.
    pub(crate) fn verify(&self, place: &Place) -> Result<Value> {
        let output = Command::new(&self.program)
            .args(["verify", "--output", "json", "--config"])
            .arg(&self.config)
            .arg("--run")
            .arg(place.run_directory())
            .current_dir(place.work())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        match output.status.code() {
            Some(0 | EXIT_DIFFERENT) => {
                serde_json::from_slice(&output.stdout).context("`converge verify` printed no JSON")
            }
            _ => bail!("`converge verify` ended with {}", output.status),
        }
    }

    /// Runs a command and measures it.
    ///
    /// # Errors
    /// Where it ends with another exit code than 0, with the end of its messages.
    pub(crate) fn run(&self, verb: Verb, place: &Place, servers: Servers) -> Result<Sample> {
        if verb.begins_a_run() {
            place.remove_run()?;
        }
        let (document, messages) = (place.work().join("stdout"), place.work().join("stderr"));
        let mut command = Command::new(&self.program);
        command
            .args([verb.name(), "--output", "json", "--config"])
            .arg(&self.config)
            .arg("--run")
            .arg(place.run_directory())
            .args(verb.options())
            .current_dir(place.work())
            .stdin(Stdio::null())
            // Files, because a pipe would have to be emptied by this process meanwhile.
            .stdout(create(&document)?)
            .stderr(create(&messages)?);
        let meter = Meter::start(servers)?;
        let used = child::run(&mut command)?;
        let sample = meter.finish(&used)?;
        if !used.status.success() {
            bail!(
                "`converge {}` ended with {}:\n{}",
                verb.name(),
                used.status,
                last_lines(&messages)
            );
        }
        let document = read_document(verb, &document)?;
        let rows = rows(verb, &document)
            .with_context(|| format!("`converge {}` does not say how many rows", verb.name()))?;
        let bytes = match verb {
            // It writes no files, and says itself how much it looked at.
            Verb::Assess => bytes_looked_at(&document).context("`assess` names no bytes")?,
            _ => bytes_of_files(place, files_of(verb))?,
        };
        Ok(sample.moving(Moved { rows, bytes }))
    }
}

fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

fn last_lines(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(MESSAGE_LINES)..].join("\n")
}

/// The stage whose files have the size of what the command moves.
fn files_of(verb: Verb) -> &'static str {
    match verb {
        Verb::Export | Verb::ExportAlone => "export",
        _ => "transformed",
    }
}

/// The size of a stage's files in all databases, as its manifests have it.
pub(crate) fn bytes_of_files(place: &Place, stage: &str) -> Result<u64> {
    let mut bytes = 0;
    for system in System::ALL {
        let manifest = Manifest::read(&place.files_of(system, stage))?;
        let files = manifest.tables.iter().flat_map(|table| &table.files);
        bytes += files.map(|file| file.bytes).sum::<u64>();
    }
    Ok(bytes)
}

fn read_document(verb: Verb, path: &Path) -> Result<Value> {
    let text = fs::read(path).context("cannot read what converge printed")?;
    serde_json::from_slice(&text)
        .with_context(|| format!("`converge {}` printed no JSON", verb.name()))
}

fn bytes_looked_at(document: &Value) -> Option<u64> {
    sum(document.get("databases")?, |database| {
        database["bytes"].as_u64()
    })
}

/// The rows that the command says it moved, compared or took back.
fn rows(verb: Verb, document: &Value) -> Option<u64> {
    match verb {
        Verb::Migrate | Verb::MigrateAlone => sum(document.get("import")?, |database| {
            database["rows"].as_u64()
        }),
        Verb::Verify => sum(document.get("databases")?, |database| {
            sum(&database["tables"], |table| table["source_rows"].as_u64())
        }),
        Verb::Assess
        | Verb::Export
        | Verb::ExportAlone
        | Verb::Transform
        | Verb::Import
        | Verb::Rollback => sum(document.get("databases")?, |database| {
            database["rows"].as_u64()
        }),
    }
}

fn sum(list: &Value, number: impl FnMut(&Value) -> Option<u64>) -> Option<u64> {
    list.as_array()?.iter().map(number).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_read_from_each_kind_of_document() {
        let stage = json!({"databases": [{"rows": 2}, {"rows": 3}]});
        assert_eq!(rows(Verb::Export, &stage), Some(5));
        assert_eq!(rows(Verb::Rollback, &stage), Some(5));
        let tables = json!([{"source_rows": 4}, {"source_rows": 1}]);
        let verify = json!({"databases": [{"tables": tables}, {"tables": []}]});
        assert_eq!(rows(Verb::Verify, &verify), Some(5));
        let migrate = json!({"import": [{"rows": 5}], "export": [{"rows": 9}]});
        assert_eq!(rows(Verb::Migrate, &migrate), Some(5));
    }

    #[test]
    fn a_document_without_rows_is_not_taken_for_none_moved() {
        for document in [json!({}), json!({"databases": [{"rows": "2"}]}), json!([])] {
            for verb in [Verb::Import, Verb::Verify, Verb::Migrate] {
                assert_eq!(rows(verb, &document), None, "{document}");
            }
        }
    }
}
