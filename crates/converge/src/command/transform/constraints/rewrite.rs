//! Writes the files anew of which rows are left out or lose a reference.
//!
//! What is taken away is kept: whole rows in `rejected/user.csv`, the values of references beside
//! the row's primary key in `rejected/user.cleared.csv`. `verify` counts both in.

use std::path::Path;

use dataset::Record;
use digest::{TableDigest, digest_fields};

use super::Converted;
use super::keys::Reference;
use super::output::Output;
use super::rows::{self, Marks};
use crate::command::transform::Parts;
use crate::command::transform::workers::Part;
use crate::constraint_rules::{CLEARED, LEFT_OUT, kept_file};
use crate::interrupt::Interrupt;

/// Writes what is left of a table; `references` are those of all tables.
pub(super) fn table(
    interrupt: &Interrupt,
    converted: &Converted<'_>,
    index: usize,
    marks: &Marks,
    references: &[Reference<'_>],
    parts: &mut Parts,
) -> anyhow::Result<()> {
    let directory = &converted.places.transformed;
    let mut kept = Kept::new(converted, index, references);
    let mut before = 0;
    for part in parts.0.values_mut() {
        let rows = before..before + part.file.rows;
        before = rows.end;
        if !marks.touch(rows.clone()) {
            continue;
        }
        let mut rewriting = Rewriting {
            marks,
            references,
            writer: Output::create(directory.join(&part.file.name), &kept.columns)?,
            kept: &mut kept,
            digest: TableDigest::default(),
            cleared: Record::new(),
        };
        let name = &part.file.name;
        rows::read_file(interrupt, directory, name, rows.start, |row, record| {
            rewriting.row(row.number, record)
        })?;
        rewriting.finish(part)?;
    }
    kept.finish()
}

/// A file that is written anew.
struct Rewriting<'r, 'k> {
    marks: &'r Marks,
    references: &'r [Reference<'r>],
    writer: Output,
    kept: &'r mut Kept<'k>,
    digest: TableDigest,
    cleared: Record,
}

impl Rewriting<'_, '_> {
    fn row(&mut self, number: u64, record: &Record) -> anyhow::Result<()> {
        if self.marks.removed.has(number) {
            return self.kept.left_out(record);
        }
        let keys = self.marks.cleared_by(number);
        let fields: Vec<usize> = keys
            .flat_map(|key| self.references[key].clears.iter().copied())
            .collect();
        let record = match fields.is_empty() {
            true => record,
            false => {
                self.kept.cleared(record, &fields)?;
                rows::clear(record, &fields, &mut self.cleared);
                &self.cleared
            }
        };
        self.digest.add(digest_fields(record.iter()));
        self.writer.write(record)
    }

    fn finish(self, part: &mut Part) -> anyhow::Result<()> {
        let summary = self.writer.finish()?;
        part.file.rows = self.digest.count;
        part.file.bytes = summary.bytes;
        part.file.blake3 = summary.blake3;
        part.digest = self.digest;
        Ok(())
    }
}

/// What is taken away from a table.
struct Kept<'k> {
    rejected: &'k Path,
    table: &'k str,
    columns: Vec<&'k str>,
    /// Fields that name a row: the target's primary key.
    key: Vec<usize>,
    /// Fields that some rule clears.
    clearable: Vec<usize>,
    left_out: Option<Output>,
    cleared: Option<Output>,
    line: Record,
}

impl<'k> Kept<'k> {
    fn new(converted: &'k Converted<'k>, index: usize, references: &[Reference<'_>]) -> Self {
        let plan = converted.tables[index].plan;
        let columns: Vec<&str> = plan.columns().iter().map(|column| column.name()).collect();
        let primary = converted.pairs[index].target.primary_key_columns();
        let position = |name: &&str| columns.iter().position(|column| column == name);
        let own = references
            .iter()
            .filter(|reference| reference.child == index);
        let mut clearable: Vec<usize> = own.flat_map(|r| r.clears.iter().copied()).collect();
        clearable.sort_unstable();
        clearable.dedup();
        Self {
            rejected: &converted.places.rejected,
            table: &converted.tables[index].entry.name,
            key: primary.iter().filter_map(position).collect(),
            clearable,
            columns,
            left_out: None,
            cleared: None,
            line: Record::new(),
        }
    }

    fn left_out(&mut self, record: &Record) -> anyhow::Result<()> {
        let output = match &mut self.left_out {
            Some(output) => output,
            empty => {
                let path = kept_file(self.rejected, self.table, LEFT_OUT);
                empty.insert(Output::create(path, &self.columns)?)
            }
        };
        output.write(record)
    }

    /// Keeps some fields of a record beside its key.
    fn cleared(&mut self, record: &Record, fields: &[usize]) -> anyhow::Result<()> {
        let output = match &mut self.cleared {
            Some(output) => output,
            empty => {
                let path = kept_file(self.rejected, self.table, CLEARED);
                let fields = self.key.iter().chain(&self.clearable);
                let columns: Vec<&str> = fields.map(|field| self.columns[*field]).collect();
                empty.insert(Output::create(path, &columns)?)
            }
        };
        self.line.clear();
        for field in &self.key {
            self.line.push(record.get(*field));
        }
        for field in &self.clearable {
            let value = record.get(*field).filter(|_| fields.contains(field));
            self.line.push(value);
        }
        output.write(&self.line)
    }

    fn finish(self) -> anyhow::Result<()> {
        for output in self.left_out.into_iter().chain(self.cleared) {
            output.finish()?;
        }
        Ok(())
    }
}
