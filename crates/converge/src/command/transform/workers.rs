//! Workers that convert the files of an export side by side, each one file after the other.
//!
//! A file becomes a file, so that what is written does not depend on who wrote it. What is entered
//! in events and counters is the first thread's.

use std::fmt;
use std::fs::File;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::Context;

use dataset::{
    Blake3Reader, CsvReader, CsvWriter, FileEntry, PartialFile, TableEntry, chunk_file_name,
};
use digest::TableDigest;
use transform::{Buffers, Failed, TablePlan, convert_records};

use crate::call::next;
use crate::command::transform::changes::Changes;
use crate::command::transform::{Places, changed};
use crate::console::{Pulse, thousands};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::run::StageRun;

/// Records between two looks at the signals and the other workers.
const RECORDS_BETWEEN_CHECKS: u64 = 256;
/// How often the first thread looks whether there is something to say.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A table to be converted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'t> {
    /// As the export left it.
    pub(super) entry: &'t TableEntry,
    pub(super) plan: &'t TablePlan,
}

/// A file that is complete.
#[derive(Debug)]
pub(super) struct Part {
    /// Which of the tables.
    pub(super) table: usize,
    /// Which of its files, from 1.
    pub(super) number: usize,
    pub(super) file: FileEntry,
    pub(super) digest: TableDigest,
    /// How many of its records each rule changed.
    pub(super) rules: Vec<(String, u64)>,
}

/// A file to be converted.
struct Task<'t> {
    table: Table<'t>,
    /// Which of the tables.
    index: usize,
    file: &'t FileEntry,
    /// From 1.
    number: usize,
}

/// What the workers share.
struct Shared<'s> {
    /// In the order of tables and files.
    tasks: &'s [Task<'s>],
    next: AtomicUsize,
    /// The first task that failed; those behind it are given up, those before it are not: the
    /// failure that is told does not depend on who was faster.
    failed: AtomicUsize,
    records: AtomicU64,
    interrupt: &'s Interrupt,
    places: &'s Places,
}

/// Converts all files; `done` is called for each that is complete.
///
/// # Errors
/// The failure of the first file, in the order of tables and files, that cannot be converted.
pub(super) fn convert(
    stage: &mut StageRun<'_>,
    workers: usize,
    tables: &[Table<'_>],
    places: &Places,
    mut done: impl FnMut(&mut StageRun<'_>, Part) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let tasks: Vec<Task<'_>> = tables.iter().enumerate().flat_map(tasks).collect();
    let shared = &Shared {
        tasks: &tasks,
        next: AtomicUsize::new(0),
        failed: AtomicUsize::new(usize::MAX),
        records: AtomicU64::new(0),
        interrupt: stage.interrupt,
        places,
    };
    let name = stage.database.name.clone();
    let mut pulse = Pulse::new(stage.console);
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..workers.min(tasks.len()) {
            let sender = sender.clone();
            scope.spawn(move || shared.work(&sender));
        }
        drop(sender);
        let mut first: Option<(usize, anyhow::Error)> = None;
        loop {
            let (task, result) = match results.recv_timeout(LOOK_EVERY) {
                Ok((task, result)) => (task, result.and_then(|part| done(stage, part))),
                Err(RecvTimeoutError::Timeout) => (0, Ok(())),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            pulse.beat(|| {
                let records = thousands(shared.records.load(Ordering::Relaxed));
                format!("transform  {name} {records} rows")
            });
            if let Err(error) = result {
                shared.failed.fetch_min(task, Ordering::Relaxed);
                let is_first = first.as_ref().is_none_or(|(other, _)| task < *other);
                if is_first && !error.is::<Stopped>() {
                    first = Some((task, error));
                }
            }
        }
        first.map_or(Ok(()), |(_, error)| Err(error))
    })
}

fn tasks<'t>((index, table): (usize, &Table<'t>)) -> impl Iterator<Item = Task<'t>> {
    let table = *table;
    let files = table.entry.files.iter().zip(1..);
    files.map(move |(file, number)| Task {
        table,
        index,
        file,
        number,
    })
}

impl Shared<'_> {
    /// Converts one file after the other until there is none left, or one before it failed.
    fn work(&self, results: &Sender<(usize, anyhow::Result<Part>)>) {
        let mut buffers = Buffers::default();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = self.tasks.get(number) else {
                return;
            };
            if number > self.failed.load(Ordering::Relaxed) {
                return;
            }
            let result = self.convert(number, task, &mut buffers);
            if result.is_err() {
                self.failed.fetch_min(number, Ordering::Relaxed);
            }
            // The first thread listens until all workers have ended.
            let _ = results.send((number, result));
        }
    }

    fn convert(
        &self,
        number: usize,
        task: &Task<'_>,
        buffers: &mut Buffers,
    ) -> anyhow::Result<Part> {
        let Table { entry, plan } = task.table;
        let mut plan = plan.clone();
        let name = chunk_file_name(&entry.name, task.number, entry.files.len());
        let path = self.places.transformed.join(&name);
        let writing = || format!("writing {}", path.display());
        let header = plan.columns().iter().map(|column| column.name());
        let file = PartialFile::create(&path)?;
        let mut writer = CsvWriter::new(file, header).with_context(writing)?;
        let mut changes = Changes::new(&self.places.rejected, &name);
        let digest = read(task, self.places, |reader| {
            convert_records(
                &mut plan,
                reader,
                &mut writer,
                buffers,
                |plan, input, at| {
                    if at.is_multiple_of(RECORDS_BETWEEN_CHECKS) {
                        self.check(number)?;
                    }
                    changes.see(plan, input, at)
                },
            )
        })?
        .map_err(|failed| match failed {
            Failed::Rejected(rejection) => rejected(&rejection).into(),
            Failed::Read(error) => damaged(error.at(&self.places.exported.join(&task.file.name))),
            Failed::Write(error) => anyhow::Error::new(error).context(writing()),
            Failed::Seen(error) => error,
        })?;
        self.check(number)?;
        self.records.fetch_add(digest.count, Ordering::Relaxed);
        changes.finish()?;
        let summary = writer.into_inner().finish()?;
        let rules = plan.rule_counts().filter(|(_, rows)| *rows > 0);
        Ok(Part {
            table: task.index,
            number: task.number,
            digest,
            rules: rules.map(|(rule, rows)| (rule.to_owned(), rows)).collect(),
            file: FileEntry {
                name,
                rows: digest.count,
                bytes: summary.bytes,
                blake3: summary.blake3,
                first_key: task.file.first_key.clone(),
                last_key: task.file.last_key.clone(),
            },
        })
    }

    fn check(&self, number: usize) -> anyhow::Result<()> {
        self.interrupt.check()?;
        match number > self.failed.load(Ordering::Relaxed) {
            true => Err(Stopped.into()),
            false => Ok(()),
        }
    }
}

/// Opens a file of the export, which must be the one that the manifest describes when it was
/// read to its end.
fn read<T, E>(
    task: &Task<'_>,
    places: &Places,
    convert: impl FnOnce(&mut CsvReader<&mut Blake3Reader<File>>) -> Result<T, E>,
) -> anyhow::Result<Result<T, E>> {
    let path = places.exported.join(&task.file.name);
    let input = dataset::open(&path).with_context(|| format!("opening {}", path.display()))?;
    let mut hashed = Blake3Reader::new(input);
    let mut reader = CsvReader::new(&mut hashed).map_err(|error| damaged(error.at(&path)))?;
    let names = task.table.entry.columns.iter().map(|column| &column.name);
    if !reader.header().iter().eq(names) {
        return Err(changed(&path).into());
    }
    let converted = convert(&mut reader);
    let records = reader.record_number();
    drop(reader);
    if converted.is_ok() && (hashed.blake3() != task.file.blake3 || records != task.file.rows) {
        return Err(changed(&path).into());
    }
    Ok(converted)
}

/// What it means that a value cannot be converted.
pub(crate) fn rejected(rejection: &transform::Rejection) -> Failure {
    let failure = Failure::refused(rejection.to_string());
    match rejection.hint() {
        Some(rule) => failure.hint(format!("add a rule to the configuration: {rule}")),
        None => failure,
    }
}

/// A file that is not in the dialect is a blocker; one that cannot be read is not expected.
fn damaged(error: dataset::Error) -> anyhow::Error {
    if error.is_damage() {
        Failure::blocked(error.to_string())
            .hint(format!("run `{}` again", next("export")))
            .into()
    } else {
        error.into()
    }
}

/// Ends a file because one before it failed.
#[derive(Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file before it failed")
    }
}

impl std::error::Error for Stopped {}
