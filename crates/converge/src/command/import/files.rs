//! One file on its way to the target.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

use catalog::TargetTable;
use dataset::{Blake3Reader, FileEntry, TableEntry};
use target::{Chunk, CopyForm, Loader};

use crate::call::next;
use crate::command::transform::changed;
use crate::exit::Failure;
use crate::run::StageRun;
use crate::side_by_side::Halt;

/// How the files of a table are loaded.
pub(super) struct Route<'f> {
    table: &'f str,
    columns: Vec<&'f str>,
    form: CopyForm,
    directory: &'f Path,
}

impl<'f> Route<'f> {
    pub(super) fn of(
        stage: &StageRun<'_>,
        table: &TargetTable,
        entry: &'f TableEntry,
        directory: &'f Path,
    ) -> Self {
        let columns = entry.columns.iter().map(|column| column.name.as_str());
        let columns: Vec<&str> = columns.collect();
        let form = CopyForm::of(table, &columns);
        if let Some(column) = form.csv_because_of() {
            stage.console.line(&format!(
                "import     {}.{} is sent as CSV: column {column} has a type without a binary form here",
                stage.database.name, entry.name
            ));
        }
        Self {
            table: &entry.name,
            columns,
            form,
            directory,
        }
    }
}

/// Loads a file that is as its manifest says, in a transaction of its own.
pub(super) fn load_file(
    loader: &mut Loader,
    route: &Route<'_>,
    file: &FileEntry,
    halt: &Halt<'_>,
    read: &AtomicU64,
) -> anyhow::Result<()> {
    let path = &route.directory.join(&file.name);
    let input = dataset::open(path).map_err(|error| {
        Failure::blocked(format!("{}: {error}", path.display()))
            .hint(format!("run `{}` again", next("transform")))
    })?;
    let mut hashed = Blake3Reader::new(Counted { inner: input, read });
    let chunk = Chunk {
        table: route.table,
        file: &file.name,
        blake3: &file.blake3,
        rows: file.rows,
    };
    let mut load = loader.begin(&chunk)?;
    let proceed = || halt.check();
    let result = load.copy::<anyhow::Error>(&route.form, &route.columns, &mut hashed, proceed);
    halt.check()?;
    let lost = |error: &target::Error| error.is_lost_connection();
    if result
        .as_ref()
        .is_err_and(|error| error.downcast_ref().is_some_and(lost))
    {
        return result;
    }
    // Where the server refused a row, the file itself may be the reason.
    io::copy(&mut hashed.by_ref(), &mut io::sink())
        .with_context(|| format!("reading {}", path.display()))?;
    if hashed.blake3() != file.blake3 {
        return Err(changed(path).into());
    }
    result?;
    Ok(load.commit()?)
}

/// Says how many bytes have been read.
struct Counted<'c, R> {
    inner: R,
    read: &'c AtomicU64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
