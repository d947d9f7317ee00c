//! The files of one table on their way to the target.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

use catalog::TargetTable;
use dataset::{Blake3Reader, FileEntry, TableEntry};
use target::{CopyForm, Import};

use super::explain;
use crate::command::transform::changed;
use crate::console::{Pulse, bytes_text};
use crate::exit::Failure;
use crate::run::StageRun;

/// Loads all files of a table; returns the rows that the server took.
pub(super) fn load_table(
    stage: &StageRun<'_>,
    import: &mut Import<'_>,
    table: &TargetTable,
    entry: &TableEntry,
    directory: &Path,
) -> anyhow::Result<u64> {
    let columns: Vec<&str> = entry
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let form = CopyForm::of(table, &columns);
    if let Some(column) = form.csv_because_of() {
        stage.console.line(&format!(
            "import     {}.{} is sent as CSV: column {column} has a type without a binary form here",
            stage.database.name, entry.name
        ));
    }
    let mut rows = 0;
    for file in &entry.files {
        let source = FileToLoad {
            table: &entry.name,
            columns: &columns,
            form: &form,
            path: directory.join(&file.name),
            file,
        };
        rows += source.load(stage, import)?;
    }
    if rows != entry.row_count {
        return Err(Failure::refused(format!(
            "table `{}.{}` took {rows} rows of {}",
            stage.database.name, entry.name, entry.row_count
        ))
        .hint("nothing was changed; look for triggers or rules that drop rows")
        .into());
    }
    Ok(rows)
}

/// A file of the transformed ones.
struct FileToLoad<'f> {
    table: &'f str,
    columns: &'f [&'f str],
    form: &'f CopyForm,
    path: PathBuf,
    file: &'f FileEntry,
}

impl FileToLoad<'_> {
    fn load(&self, stage: &StageRun<'_>, import: &mut Import<'_>) -> anyhow::Result<u64> {
        let path = &self.path;
        let input = File::open(path).map_err(|error| {
            Failure::blocked(format!("{}: {error}", path.display()))
                .hint("run `cargo xtask transform` again")
        })?;
        let read = AtomicU64::new(0);
        let mut hashed = Blake3Reader::new(Counted {
            inner: input,
            bytes: &read,
        });
        let mut pulse = Pulse::new(stage.console);
        let proceed = || {
            stage.interrupt.check()?;
            pulse.beat(|| {
                let done = bytes_text(read.load(Ordering::Relaxed));
                let (all, name) = (bytes_text(self.file.bytes), &stage.database.name);
                format!("import     {name}.{} {done} of {all}", self.table)
            });
            Ok(())
        };
        let (form, columns) = (self.form, self.columns);
        let place = (self.table, self.file.name.as_str());
        let result = import.copy_as::<anyhow::Error>(form, place, columns, &mut hashed, proceed);
        // Where the server refused a row, the file itself may be the reason.
        stage.interrupt.check()?;
        let lost = |error: &target::Error| error.is_lost_connection();
        if !result
            .as_ref()
            .is_err_and(|error| error.downcast_ref().is_some_and(lost))
        {
            io::copy(&mut hashed.by_ref(), &mut io::sink())
                .with_context(|| format!("reading {}", path.display()))?;
            if hashed.blake3() != self.file.blake3 {
                return Err(changed(path).into());
            }
        }
        result.map_err(|error| match error.downcast::<target::Error>() {
            Ok(error) => explain(error, stage),
            Err(error) => error,
        })
    }
}

/// Says how many bytes have been read.
struct Counted<'c, R> {
    inner: R,
    bytes: &'c AtomicU64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
