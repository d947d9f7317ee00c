//! The rows of converted tables by their numbers, and what rules did to them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use dataset::{CsvReader, Record};

use crate::command::transform::{Parts, changed};
use crate::interrupt::Interrupt;

/// Records between two looks at the signals.
const RECORDS_BETWEEN_CHECKS: u64 = 256;

/// Where a record stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'r> {
    /// Among the rows of all files of the table, from 0.
    pub(super) number: u64,
    pub(super) file: &'r str,
    /// In the file, from 1.
    pub(super) record: u64,
}

/// Reads the files of a table from the first row to the last one.
pub(super) fn read(
    interrupt: &Interrupt,
    directory: &Path,
    parts: &Parts,
    mut visit: impl FnMut(Row<'_>, &Record) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut before = 0;
    for part in parts.0.values() {
        let name = &part.file.name;
        let rows = read_file(interrupt, directory, name, before, &mut visit)?;
        if rows != part.file.rows {
            return Err(changed(&directory.join(name)).into());
        }
        before += rows;
    }
    Ok(())
}

/// Reads one file, before which there are so many rows of its table; returns how many it has.
pub(super) fn read_file(
    interrupt: &Interrupt,
    directory: &Path,
    name: &str,
    before: u64,
    mut visit: impl FnMut(Row<'_>, &Record) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let path = directory.join(name);
    let file = dataset::open(&path).with_context(|| format!("opening {}", path.display()))?;
    let mut reader = CsvReader::new(file).map_err(|error| error.at(&path))?;
    let mut record = Record::new();
    while reader.read(&mut record).map_err(|error| error.at(&path))? {
        let number = reader.record_number();
        if number.is_multiple_of(RECORDS_BETWEEN_CHECKS) {
            interrupt.check()?;
        }
        let row = Row {
            number: before + number - 1,
            file: name,
            record: number,
        };
        visit(row, &record)?;
    }
    Ok(reader.record_number())
}

/// The record with some of its fields NULL.
pub(super) fn clear(record: &Record, fields: &[usize], cleared: &mut Record) {
    cleared.clear();
    for (index, field) in record.iter().enumerate() {
        cleared.push(field.filter(|_| !fields.contains(&index)));
    }
}

/// Numbers of rows, one bit each.
#[derive(Clone, Debug, Default)]
pub(super) struct RowSet(Vec<u64>);

impl RowSet {
    /// Takes a row in; whether it was not there before.
    pub(super) fn insert(&mut self, row: u64) -> bool {
        let (word, bit) = place(row);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    pub(super) fn has(&self, row: u64) -> bool {
        let (word, bit) = place(row);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn has_any(&self, mut rows: std::ops::Range<u64>) -> bool {
        rows.any(|row| self.has(row))
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Takes all rows of another set in.
    pub(super) fn add(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

fn place(row: u64) -> (usize, u64) {
    let word = usize::try_from(row / 64).expect("as many rows as fit into memory as bits");
    (word, 1 << (row % 64))
}

/// What rules did to the rows of a table.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) removed: RowSet,
    /// Rows whose reference is cleared, by the foreign key's number.
    cleared: BTreeMap<usize, RowSet>,
    /// Rows that leave with the level that is being looked at.
    pub(super) leaving: RowSet,
    /// References that are cleared with it.
    pub(super) clearing: BTreeMap<usize, RowSet>,
}

impl Marks {
    /// The foreign keys that a row lost.
    pub(super) fn cleared_by(&self, row: u64) -> impl Iterator<Item = usize> {
        let keys = self.cleared.iter();
        keys.filter(move |(_, rows)| rows.has(row))
            .map(|(key, _)| *key)
    }

    /// Whether anything was done to some rows.
    pub(super) fn touch(&self, rows: std::ops::Range<u64>) -> bool {
        let mut cleared = self.cleared.values();
        self.removed.has_any(rows.clone()) || cleared.any(|set| set.has_any(rows.clone()))
    }

    /// Ends the level; whether it changed anything.
    pub(super) fn commit(&mut self) -> bool {
        let leaving = std::mem::take(&mut self.leaving);
        let mut has_changed = !leaving.is_empty();
        self.removed.add(&leaving);
        for (key, rows) in std::mem::take(&mut self.clearing) {
            has_changed |= !rows.is_empty();
            self.cleared.entry(key).or_default().add(&rows);
        }
        has_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_rows_is_a_set() {
        let mut set = RowSet::default();
        assert!(set.insert(3) && set.insert(200) && !set.insert(3));
        assert!(set.has(200) && !set.has(199) && !set.has(100_000));
        assert!(set.has_any(190..201) && !set.has_any(4..200));
        let mut other = RowSet::default();
        other.insert(64);
        other.add(&set);
        assert_eq!((other.count(), set.count()), (3, 2));
        assert!(RowSet::default().is_empty() && !other.is_empty());
    }

    #[test]
    fn marks_hold_from_the_next_level_on() {
        let mut marks = Marks::default();
        assert!(!marks.commit());
        marks.leaving.insert(1);
        marks.clearing.entry(7).or_default().insert(2);
        assert!(!marks.touch(0..9));
        assert!(marks.commit());
        assert!(marks.touch(1..2) && marks.touch(2..3) && !marks.touch(3..9));
        assert_eq!(marks.cleared_by(2).collect::<Vec<_>>(), [7]);
        assert_eq!(marks.cleared_by(1).count(), 0);
    }
}
