//! A CSV that appears under its name when it is complete, with that name in every error.

use std::path::PathBuf;

use anyhow::Context;

use dataset::{CsvWriter, FileSummary, PartialFile, Record};

/// A file in the making.
pub(super) struct Output {
    path: PathBuf,
    writer: CsvWriter<PartialFile>,
}

impl Output {
    pub(super) fn create(path: PathBuf, columns: &[&str]) -> anyhow::Result<Self> {
        let writer = CsvWriter::new(PartialFile::create(&path)?, columns.iter().copied());
        Ok(Self {
            writer: writer.with_context(|| format!("writing {}", path.display()))?,
            path,
        })
    }

    pub(super) fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        let written = self.writer.write(record);
        written.with_context(|| format!("writing {}", self.path.display()))
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> anyhow::Result<FileSummary> {
        Ok(self.writer.into_inner().finish()?)
    }
}
