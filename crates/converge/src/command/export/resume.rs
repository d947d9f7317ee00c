//! Goes on with an export that ended early, where the source is still what it was.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use anyhow::Context;

use dataset::{Blake3Reader, ChunkDone, Coordinates, ExportPlan, FileEntry, Manifest, SourceEntry};

use crate::command::export::snapshots::{Moments, snapshot_of};
use crate::command::export::{DIRECTORY, Form};
use crate::command::transform::Places;
use crate::config::Database;
use crate::exit::Failure;
use crate::run::{Run, StageRun};

/// What an earlier export left of a database.
#[derive(Debug)]
pub(crate) enum Before {
    /// All of its files.
    Complete(Manifest),
    /// A plan, and perhaps some of its chunks.
    Begun(ExportPlan),
}

impl Before {
    fn source(&self) -> &SourceEntry {
        match self {
            Self::Complete(manifest) => &manifest.source,
            Self::Begun(plan) => &plan.source,
        }
    }
}

/// An export that ended early, and can be taken up.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) export_id: String,
    databases: BTreeMap<String, Before>,
}

impl Begun {
    /// The export that is to be taken up; `None` where there is none, or where it is complete.
    ///
    /// Fails where the source is not known to be as it was.
    pub(crate) fn find(run: &Run, moments: &mut Moments) -> anyhow::Result<Option<Self>> {
        let mut databases = BTreeMap::new();
        let mut missing = false;
        for database in &run.config.databases {
            let directory = run.directory.database_dir(&database.name, DIRECTORY)?;
            let before = match run.directory.is_complete(&database.name, DIRECTORY) {
                true => Some(Before::Complete(
                    Manifest::read(&directory).map_err(damaged)?,
                )),
                false => ExportPlan::read(&directory)
                    .map_err(damaged)?
                    .map(Before::Begun),
            };
            missing |= !matches!(before, Some(Before::Complete(_)));
            databases.extend(before.map(|before| (database.name.clone(), before)));
        }
        let sources = databases.values().map(Before::source);
        let Some(export_id) = sources
            .map(|s| s.export_id.clone())
            .next()
            .filter(|_| missing)
        else {
            return Ok(None);
        };
        let begun = Self {
            export_id,
            databases,
        };
        for database in &run.config.databases {
            begun.check_source(run, moments, database)?;
        }
        run.console
            .line("export     goes on where it ended: the source has not moved");
        Ok(Some(begun))
    }

    /// What was left of a database.
    pub(crate) fn of(&self, database: &Database) -> Option<&Before> {
        self.databases.get(&database.name)
    }

    fn check_source(
        &self,
        run: &Run,
        moments: &mut Moments,
        database: &Database,
    ) -> anyhow::Result<()> {
        let Some(before) = self.of(database).map(Before::source) else {
            return Ok(());
        };
        let snapshot = snapshot_of(&mut moments.snapshots, database);
        let name = &database.name;
        let why = if before.export_id != self.export_id {
            format!("`{name}` was exported at another time than the others")
        } else {
            match (&before.coordinates, snapshot.coordinates().cloned()) {
                (Some(before), Some(now)) => {
                    if snapshot.is_unmoved_since(before)? {
                        return Ok(());
                    }
                    format!(
                        "the source of `{name}` moved from {} to {}",
                        position(before),
                        position(&now)
                    )
                }
                _ => format!(
                    "whether the source of `{name}` moved is not known: it shows no binary log \
                     that has all that is written to it"
                ),
            }
        };
        let restart = format!("{} --restart", run.call.again());
        Err(
            Failure::blocked(format!("this export ended early, and cannot go on: {why}"))
                .hint(format!(
                    "nothing was changed; begin it anew with `{restart}`"
                ))
                .into(),
        )
    }
}

/// What an earlier export left is not what one leaves.
pub(crate) fn damaged(error: dataset::Error) -> anyhow::Error {
    if !error.is_damage() {
        return error.into();
    }
    Failure::blocked(error.to_string())
        .hint("nothing was changed; start the export again with --restart")
        .into()
}

fn position(coordinates: &Coordinates) -> String {
    let Coordinates {
        file,
        position,
        gtid,
    } = coordinates;
    match gtid {
        Some(gtid) => gtid.replace(['\n', ' '], ""),
        None => format!("{file}:{position}"),
    }
}

/// The plan, where rows become what they became before, and both schemas are those that it was
/// made for.
pub(crate) fn same_plan<'p>(
    stage: &StageRun<'_>,
    plan: &'p ExportPlan,
    (form, schema_digest): (Form, &str),
) -> Result<&'p ExportPlan, Failure> {
    let name = &stage.database.name;
    let changed = match (plan.converts, form.converted) {
        (true, true) => {
            format!("a schema of `{name}`, the choice of its tables, or a rule, has changed")
        }
        (false, false) => format!("a schema of `{name}`, or the choice of its tables, has changed"),
        (true, false) => {
            format!("`migrate` converted the rows of `{name}` as it read them, and goes on itself")
        }
        (false, true) => format!("the rows of `{name}` were only exported: `export` goes on"),
    };
    if plan.converts == form.converted && plan.schema_digest == schema_digest {
        return Ok(plan);
    }
    Err(Failure::blocked(format!(
        "this export ended early, and cannot go on: {changed}"
    ))
    .hint("nothing was changed; begin it anew with --restart"))
}

/// Keeps the files of a database that is complete; false where one is lost or damaged, and all
/// are to be read again.
pub(crate) fn keep(
    stage: &mut StageRun<'_>,
    manifest: &Manifest,
    directory: &Path,
) -> anyhow::Result<bool> {
    for table in &manifest.tables {
        // A table without rows has a file, too: `migrate` kept none.
        let mut damaged = table.files.is_empty().then(|| directory.to_owned());
        for file in &table.files {
            stage.interrupt.check()?;
            if !is_file(file, directory)? {
                damaged = Some(directory.join(&file.name));
            }
        }
        if let Some(path) = damaged {
            stage.console.line(&format!(
                "export     {} is not what it was: `{}` is read again",
                path.display(),
                stage.database.name
            ));
            return Ok(false);
        }
    }
    for table in &manifest.tables {
        let bytes = table.files.iter().map(|file| file.bytes).sum();
        stage.table_done(&table.name, table.row_count, bytes)?;
    }
    stage.outcome.snapshot = Some(manifest.source.snapshot);
    Ok(true)
}

/// Whether the files of a chunk are there, and are those that were entered.
pub(crate) fn is_intact(chunk: &ChunkDone, places: &Places, form: Form) -> anyhow::Result<bool> {
    let converted = chunk.converted.as_ref().map(|converted| &converted.file);
    for (is_wanted, file, directory) in [
        (form.as_read, chunk.file.as_ref(), &places.exported),
        (form.converted, converted, &places.transformed),
    ] {
        let is_there = file.map(|file| is_file(file, directory)).transpose()?;
        if is_wanted && is_there != Some(true) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_file(file: &FileEntry, directory: &Path) -> anyhow::Result<bool> {
    let path = directory.join(&file.name);
    let reading = || format!("reading {}", path.display());
    let content = match dataset::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        content => content.with_context(reading)?,
    };
    let mut hashed = Blake3Reader::new(content);
    let bytes = io::copy(&mut hashed, &mut io::sink()).with_context(reading)?;
    Ok(bytes == file.bytes && hashed.blake3() == file.blake3)
}
