//! `baseline generate`: writes the source's schema down as SQL of PostgreSQL.
//!
//! Needs the source alone; what becomes of each part of it is the crate `baseline`'s knowledge.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use ::baseline::{Baseline, NoteKind, PlanError, TypeMap, Wanted, sql};

use crate::args::{BaselineFormat, GenerateArgs};
use crate::call::Call;
use crate::clock;
use crate::command::baseline::scripts::DIRECTORY;
use crate::config::Database;
use crate::console::{counted, text_table};
use crate::exit::{DIFFERENT, Failure};
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task, Work};
use crate::plain_file;
use crate::run::Session;
use crate::run_dir::RunDirectory;
use crate::source_privileges;
use crate::text::Text;
use crate::versions;

const TASK: Task = Task {
    name: "baseline generate",
    sides: &[Side::Source],
    leaves: "nothing was changed on the source",
    is_kept: true,
};

/// The end of a migration's file name, behind its timestamp.
const MIGRATION: &str = "-baseline.ts";

/// What `baseline generate --output json` prints.
#[derive(Debug, Serialize)]
struct Document {
    schema_version: u32,
    databases: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    directory: PathBuf,
    files: Vec<String>,
    tables: usize,
    columns: usize,
    keys: usize,
    foreign_keys: usize,
    checks: usize,
    not_translated: usize,
    notes: Vec<NoteEntry>,
}

#[derive(Debug, Serialize)]
struct NoteEntry {
    kind: &'static str,
    reason: String,
    what: String,
}

/// A file as it is to be.
struct Wished {
    name: String,
    content: String,
}

pub(super) fn run(args: &GenerateArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let session = Session::open(&args.common, interrupt)?;
    let run = match args.out {
        Some(_) => None,
        None => Some(RunDirectory::open_or_create(
            args.common.run.as_deref(),
            &session.config,
        )?),
    };
    if let Some(run) = &run {
        run.check_config(&session.config, session.console)?;
    }
    let mut entries: Vec<Entry> = Vec::new();
    let mut differing = Vec::new();
    for database in &session.config.databases {
        session.interrupt.check()?;
        let done = entries.iter().map(|entry| &entry.name);
        let work = Work::outside(&TASK, &session.call, database).after(done);
        let baseline = work.watched(database, || plan(database))?;
        let directory = match (&args.out, &run) {
            (Some(out), _) => out.join(&database.name),
            (None, Some(run)) => run.database_dir(&database.name, DIRECTORY)?,
            (None, None) => unreachable!("a run was opened where there is no --out"),
        };
        let files = files(args, &directory, &baseline)?;
        match args.check {
            true => differing.extend(compare(&directory, &files)?),
            false => write(&directory, &files)?,
        }
        entries.push(entry(database, directory, &files, &baseline));
    }
    let human = human(&entries);
    let document = Document {
        schema_version: 1,
        databases: entries,
    };
    session.console.result(&human, &document)?;
    match differing.is_empty() {
        true => Ok(()),
        false => Err(stale(&session.call, args, &differing).into()),
    }
}

/// Reads the source and decides what becomes of it.
pub(super) fn plan(database: &Database) -> anyhow::Result<Baseline> {
    let mut source = source::Connection::open(&database.source)?;
    versions::support(source.server())?;
    source_privileges::check(database, &mut source)?;
    let catalog = source::discover(&mut source, database.source_name())?;
    let names = catalog.tables.iter().map(|table| &table.name);
    let excluded: BTreeSet<String> = names
        .filter(|name| !database.takes(name))
        .cloned()
        .collect();
    let map = TypeMap::new(&database.types);
    let wanted = Wanted {
        map: &map,
        options: database.baseline,
        schema: &database.target_schema,
        datetime_zone: database.datetime_zone.as_deref(),
        exclude_tables: &excluded,
    };
    ::baseline::plan(&catalog, &wanted).map_err(|error| unplanned(database, &error).into())
}

/// All columns and foreign keys for which the configuration has to decide.
fn unplanned(database: &Database, error: &PlanError) -> Failure {
    let mut lines = Text::from(format!("database `{}` has no baseline yet:", database.name));
    for column in &error.unsupported {
        let choices = match column.choices.is_empty() {
            true => String::new(),
            false => format!(" (it can be: {})", column.choices.join(", ")),
        };
        lines.line(format!("  {column}{choices}"));
    }
    let pairs = error.not_united.iter();
    lines.append(pairs.map(|pair| format!("  {pair}")).collect());
    Failure::blocked(lines).hint(format!(
        "choose types for these columns in databases.{}.types, or leave their tables out with exclude_tables",
        database.name
    ))
}

fn files(
    args: &GenerateArgs,
    directory: &Path,
    baseline: &Baseline,
) -> anyhow::Result<Vec<Wished>> {
    let file = |name: &str, content: String| Wished {
        name: name.to_owned(),
        content,
    };
    let mut files = vec![
        file("pre_data.sql", sql::pre_data(baseline)),
        file("post_data.sql", sql::post_data(baseline)),
    ];
    if args.format == BaselineFormat::Typeorm {
        let now = u64::try_from(clock::now().as_millisecond()).unwrap_or(0);
        let timestamp = existing_timestamp(directory)?.unwrap_or(now);
        let name = format!("{timestamp}{MIGRATION}");
        files.push(file(&name, sql::typeorm::migration(baseline, timestamp)));
    }
    Ok(files)
}

/// The timestamp of the migration that is there: a new one would be another migration.
fn existing_timestamp(directory: &Path) -> anyhow::Result<Option<u64>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        entries => entries.with_context(|| format!("listing {}", directory.display()))?,
    };
    let mut found = None;
    for entry in entries {
        let name = entry?.file_name();
        let timestamp = name.to_str().and_then(|name| name.strip_suffix(MIGRATION));
        found = found.max(timestamp.and_then(|timestamp| timestamp.parse().ok()));
    }
    Ok(found)
}

fn write(directory: &Path, files: &[Wished]) -> anyhow::Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))?;
    for file in files {
        dataset::write_atomically(&directory.join(&file.name), file.content.as_bytes())?;
    }
    Ok(())
}

/// The files that are not what they should be.
fn compare(directory: &Path, files: &[Wished]) -> anyhow::Result<Vec<PathBuf>> {
    let mut differing = Vec::new();
    for file in files {
        let path = directory.join(&file.name);
        let same = match plain_file::read(&path) {
            Ok(content) => content == file.content.as_bytes(),
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(error).context(format!("reading {}", path.display())),
        };
        if !same {
            differing.push(path);
        }
    }
    Ok(differing)
}

fn stale(call: &Call, args: &GenerateArgs, differing: &[PathBuf]) -> Failure {
    let paths: Vec<String> = differing
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let out = args.out.as_deref().unwrap_or(Path::new(""));
    let mut words = vec!["generate", "--out"];
    let out = out.display().to_string();
    words.push(&out);
    if args.format == BaselineFormat::Typeorm {
        words.extend(["--format", "typeorm"]);
    }
    let message = format!(
        "not what the source's schema gives now: {}",
        paths.join(", ")
    );
    Failure::new(DIFFERENT, message).hint(format!("refresh: {}", call.with("baseline", &words)))
}

fn entry(database: &Database, directory: PathBuf, files: &[Wished], baseline: &Baseline) -> Entry {
    let tables = &baseline.catalog.tables;
    let count = |of: fn(&catalog::TargetTable) -> usize| tables.iter().map(of).sum();
    let notes = baseline.notes.iter();
    Entry {
        name: database.name.clone(),
        directory,
        files: files.iter().map(|file| file.name.clone()).collect(),
        tables: tables.len(),
        columns: count(|table| table.columns.len()),
        keys: count(|table| table.keys.len()),
        foreign_keys: count(|table| table.foreign_keys.len()),
        checks: count(|table| table.checks.len()),
        not_translated: notes
            .clone()
            .filter(|note| note.kind == NoteKind::NotTranslated)
            .count(),
        notes: notes
            .map(|note| NoteEntry {
                kind: note.kind.name(),
                reason: note.reason.clone(),
                what: note.what.clone(),
            })
            .collect(),
    }
}

fn human(entries: &[Entry]) -> Text {
    let header = [
        "database",
        "tables",
        "columns",
        "keys",
        "foreign keys",
        "checks",
        "not translated",
        "",
    ];
    let row = |entry: &Entry| {
        let numbers = [
            entry.tables,
            entry.columns,
            entry.keys,
            entry.foreign_keys,
            entry.checks,
            entry.not_translated,
        ];
        let mut row = vec![entry.name.clone()];
        row.extend(numbers.iter().map(ToString::to_string));
        row.push(entry.directory.display().to_string());
        row
    };
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    let mut text = text_table(&header, &rows);
    let notes: usize = entries.iter().map(|entry| entry.notes.len()).sum();
    if notes > 0 {
        let notes = counted(notes as u64, "note");
        text.line(format!("{notes}: look at the head of pre_data.sql"));
    }
    text
}
