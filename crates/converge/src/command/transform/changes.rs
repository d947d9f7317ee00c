//! The list of what rules changed in one file: which record, by its key, which columns, which rule.
//!
//! Holds keys, never other values; a file without a change has no list.

use std::path::{Path, PathBuf};

use anyhow::Context;

use dataset::{CsvWriter, PartialFile, Record};
use transform::TablePlan;

/// A list in the making.
#[derive(Debug)]
pub(crate) struct Changes {
    path: PathBuf,
    /// Made with the first change.
    writer: Option<CsvWriter<PartialFile>>,
    line: Record,
}

impl Changes {
    /// The list that belongs to a file of `transformed/`: `user.csv` has `user.changed.csv`.
    pub(crate) fn new(directory: &Path, file_name: &str) -> Self {
        Self {
            path: directory.join(file_name).with_extension("changed.csv"),
            writer: None,
            line: Record::new(),
        }
    }

    /// Adds what was changed in the record that the plan converted last: a line for each rule.
    #[inline]
    pub(crate) fn see(
        &mut self,
        plan: &TablePlan,
        input: &Record,
        record_number: u64,
    ) -> anyhow::Result<()> {
        match plan.changes().next() {
            None => Ok(()),
            Some(_) => self.add(plan, input, record_number),
        }
    }

    fn add(&mut self, plan: &TablePlan, input: &Record, number: u64) -> anyhow::Result<()> {
        let writing = || format!("writing {}", self.path.display());
        let writer = match &mut self.writer {
            Some(writer) => writer,
            empty => empty.insert(begin(&self.path, plan)?),
        };
        for (rule, columns) in plan.changes() {
            self.line.clear();
            self.line.push_bytes(number.to_string().as_bytes());
            plan.key_fields(input).for_each(|key| self.line.push(key));
            self.line.push_bytes(columns.join(", ").as_bytes());
            self.line.push_bytes(rule.as_bytes());
            writer.write(&self.line).with_context(writing)?;
        }
        Ok(())
    }

    /// Gives the list its name.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        if let Some(writer) = self.writer {
            writer.into_inner().finish()?;
        }
        Ok(())
    }
}

fn begin(path: &Path, plan: &TablePlan) -> anyhow::Result<CsvWriter<PartialFile>> {
    let file = PartialFile::create(path)?;
    let keys = plan.key_columns().map(|name| format!("key.{name}"));
    let names = ["record".to_owned()].into_iter().chain(keys);
    let names: Vec<String> = names
        .chain(["columns", "rule"].map(str::to_owned))
        .collect();
    CsvWriter::new(file, names.iter().map(String::as_str))
        .with_context(|| format!("writing {}", path.display()))
}
