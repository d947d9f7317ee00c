//! Sees the rows of a chunk and counts what is found in them.
//!
//! Reads nothing itself and decides nothing: what is looked at is in the table's plan.

use std::collections::BTreeMap;

use dataset::Record;
use memchr::memmem;
use transform::{Kind, Rejection, TablePlan};

use super::finding::{Count, RowKey};
use super::keys::{KeySets, Repeated};
use super::table::{Subject, WideKey};
use super::text::{self, Look};
use crate::key_columns::KeyOf;

/// What a btree of PostgreSQL takes for one entry: a third of a page, less its heads (`BTMaxItemSize`
/// of version 12 and later, pages of 8 kB).
const INDEX_ROW_BYTES_MAX: usize = 2704;
/// The largest value that PostgreSQL makes room for (`MaxAllocSize`).
const FIELD_BYTES_MAX: usize = 0x3fff_ffff;
/// The largest document of jsonb (`JENTRY_OFFLENMASK`).
const JSONB_BYTES_MAX: usize = 0x0fff_ffff;
/// Digests of duplicates that are kept for a look at their rows; beyond, they are only counted.
const REPEATED_MAX: usize = 100_000;

/// Something that is found in rows, with its place in the table's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    /// A value that no conversion takes.
    Refused(usize, Kind),
    /// A value beyond what a field holds.
    TooLarge(usize),
    /// A text that looks like something else.
    Look(usize, Look),
    /// A line that is only `\.`.
    DotLine(usize),
    /// An entry that an index does not take.
    WideKey(usize),
    /// A foreign key without its parent.
    Orphan(usize),
}

/// What the rows of a chunk, or of several, came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) found: BTreeMap<Found, Count>,
    /// Values of the counted columns that are not NULL.
    pub(crate) present: Vec<u64>,
    /// Rows of each unique key that came after another one with the same key.
    pub(crate) duplicates: Vec<u64>,
    /// Their keys.
    pub(crate) repeated: Vec<Repeated>,
    /// Records that a rule applied to.
    pub(crate) rules: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn of(subject: &Subject) -> Self {
        Self {
            present: vec![0; subject.counted.len()],
            duplicates: vec![0; subject.uniques.len()],
            repeated: vec![Repeated::new(); subject.uniques.len()],
            ..Self::default()
        }
    }

    /// Adds what the rows behind these came to.
    pub(crate) fn append(&mut self, later: Self) {
        self.rows += later.rows;
        self.bytes += later.bytes;
        for (found, count) in later.found {
            self.found.entry(found).or_default().append(count);
        }
        add(&mut self.present, &later.present);
        add(&mut self.duplicates, &later.duplicates);
        for (repeated, later) in self.repeated.iter_mut().zip(later.repeated) {
            let free = REPEATED_MAX.saturating_sub(repeated.len());
            repeated.extend(later.into_iter().take(free));
        }
        for (rule, records) in later.rules {
            *self.rules.entry(rule).or_default() += records;
        }
    }
}

fn add(sums: &mut [u64], more: &[u64]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

/// A look at one chunk.
pub(crate) struct Survey<'s> {
    subject: &'s Subject,
    sets: &'s KeySets,
    /// Whether values are looked at, and not keys alone.
    values: bool,
    plan: TablePlan,
    dot_line: memmem::Finder<'static>,
    converted: Record,
    tally: Tally,
}

impl<'s> Survey<'s> {
    /// Of a subject; rounds after the first look at its keys alone.
    pub(crate) fn new(subject: &'s Subject, sets: &'s KeySets, values: bool) -> Self {
        Self {
            subject,
            sets,
            values,
            plan: subject.plan.clone(),
            dot_line: memmem::Finder::new(text::DOT_LINE),
            converted: Record::new(),
            tally: Tally::of(subject),
        }
    }

    /// Looks at a row.
    ///
    /// # Errors
    /// Where the record is not one of the table.
    pub(crate) fn see(&mut self, record: &Record) -> Result<(), Rejection> {
        let (subject, values) = (self.subject, self.values);
        let found = &mut self.tally.found;
        self.tally.rows += 1;
        self.plan.survey(
            record,
            &mut self.converted,
            self.tally.rows,
            |column, kind| {
                if values {
                    let count = found.entry(Found::Refused(column, kind)).or_default();
                    count.add(|| row_key(&subject.key, record));
                }
            },
        )?;
        if values {
            self.tally.bytes += record.byte_len() as u64;
            self.see_values(record);
        }
        self.see_keys(record);
        Ok(())
    }

    /// The rows that were seen.
    pub(crate) fn rows(&self) -> u64 {
        self.tally.rows
    }

    /// What they came to.
    pub(crate) fn finish(mut self) -> Tally {
        if self.values {
            let rules = self.plan.rule_counts().filter(|(_, records)| *records > 0);
            self.tally.rules = rules.map(|(rule, n)| (rule.to_owned(), n)).collect();
        } else {
            self.tally.rows = 0;
        }
        self.tally
    }

    fn see_values(&mut self, record: &Record) {
        let subject = self.subject;
        for (place, column) in subject.counted.iter().enumerate() {
            let field = subject.plan.columns()[*column].field();
            self.tally.present[place] += u64::from(record.get(field).is_some());
        }
        for column in &subject.texts {
            let Some(value) = record.get(column.field) else {
                continue;
            };
            if column.is_undeclared
                && let Some(look) = text::look(value)
            {
                self.found(Found::Look(column.column, look), record);
            }
            if text::has_dot_line(value, &self.dot_line) {
                self.found(Found::DotLine(column.column), record);
            }
        }
        for (place, key) in subject.wide_keys.iter().enumerate() {
            if entry_bytes(key, &self.converted) > INDEX_ROW_BYTES_MAX {
                self.found(Found::WideKey(place), record);
            }
        }
        // Nearly no record has room for such a value.
        if record.byte_len().max(self.converted.byte_len()) > JSONB_BYTES_MAX {
            for column in 0..self.converted.len() {
                let data_type = subject.plan.columns()[column].target_type();
                let value = self.converted.get(column);
                if value.is_some_and(|value| is_too_large(value.len(), data_type)) {
                    self.found(Found::TooLarge(column), record);
                }
            }
        }
    }

    fn see_keys(&mut self, record: &Record) {
        let subject = self.subject;
        for (place, unique) in subject.uniques.iter().enumerate() {
            let key = unique
                .columns
                .digest(&self.converted, unique.nulls_not_distinct);
            if let KeyOf::Digest(digest) = key
                && self.sets.insert(unique.set, digest)
            {
                self.tally.duplicates[place] += 1;
                let repeated = &mut self.tally.repeated[place];
                if repeated.len() < REPEATED_MAX {
                    repeated.insert(digest);
                }
            }
        }
        for (place, reference) in subject.references.iter().enumerate() {
            let is_orphan = match reference.columns.digest(&self.converted, false) {
                KeyOf::Digest(digest) => self.sets.is_missing(reference.set, digest),
                KeyOf::PartlyNull => {
                    self.values && reference.match_full && !self.has_refused(reference, record)
                }
                KeyOf::Null => false,
            };
            if is_orphan {
                self.found(Found::Orphan(place), record);
            }
        }
    }

    /// Whether a part of the key is NULL only because its value is refused.
    fn has_refused(&self, reference: &super::keys::Reference, record: &Record) -> bool {
        reference.columns.positions().any(|at| {
            let field = self.subject.plan.columns()[at].field();
            self.converted.get(at).is_none() && record.get(field).is_some()
        })
    }

    fn found(&mut self, found: Found, record: &Record) {
        let subject = self.subject;
        let count = self.tally.found.entry(found).or_default();
        count.add(|| row_key(&subject.key, record));
    }
}

/// The key of a row, where the table has one.
pub(crate) fn row_key(key: &[(String, usize)], record: &Record) -> Option<RowKey> {
    let parts = key.iter().map(|(name, field)| {
        let value = record.get(*field).map_or("NULL".into(), printable);
        (name.clone(), value)
    });
    let parts: Vec<(String, String)> = parts.collect();
    (!parts.is_empty()).then_some(RowKey(parts))
}

/// A key's value: on one line, and not a page of it.
fn printable(value: &[u8]) -> String {
    /// Two uuids and a hyphen fit.
    const CHARACTERS_MAX: usize = 80;
    let text = String::from_utf8_lossy(value);
    let mut printable = String::new();
    for character in text.chars().take(CHARACTERS_MAX) {
        match character.is_control() {
            true => printable.extend(character.escape_default()),
            false => printable.push(character),
        }
    }
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        printable.push('…');
    }
    printable
}

/// About the bytes that a row's entry takes in an index, its head included, before the server
/// compresses it.
fn entry_bytes(key: &WideKey, record: &Record) -> usize {
    const HEAD_BYTES: usize = 8;
    let long = key.long.iter().map(|(at, is_hex)| {
        let bytes = record.get(*at).map_or(0, <[u8]>::len);
        let bytes = if *is_hex { bytes / 2 } else { bytes };
        // Short values have a length of one byte before them, others one of four, aligned.
        if bytes < 127 { bytes + 1 } else { bytes + 4 }
    });
    let bytes: usize = long.sum::<usize>() + key.fixed_bytes + HEAD_BYTES;
    bytes.next_multiple_of(8)
}

fn is_too_large(bytes: usize, data_type: &catalog::PostgresType) -> bool {
    match data_type {
        catalog::PostgresType::Jsonb => bytes > JSONB_BYTES_MAX,
        catalog::PostgresType::Bytea => bytes / 2 > FIELD_BYTES_MAX,
        _ => bytes > FIELD_BYTES_MAX,
    }
}

#[cfg(test)]
mod tests {
    use catalog::PostgresType;

    use super::*;

    #[test]
    fn an_entry_of_an_index_ends_at_a_third_of_a_page() {
        let mut record = Record::new();
        record.push_bytes(&[b'x'; 2692]);
        let mut key = WideKey {
            name: "k".to_owned(),
            is_unique: false,
            digests: None,
            columns: Vec::new(),
            long: vec![(0, false)],
            fixed_bytes: 0,
        };
        assert_eq!(entry_bytes(&key, &record), INDEX_ROW_BYTES_MAX);
        key.fixed_bytes = 1;
        assert!(entry_bytes(&key, &record) > INDEX_ROW_BYTES_MAX);
        key.long[0].1 = true;
        assert!(entry_bytes(&key, &record) < INDEX_ROW_BYTES_MAX);
    }

    #[test]
    fn each_type_has_its_largest_value() {
        for (data_type, bytes) in [
            (PostgresType::Jsonb, 0x0fff_ffff),
            (PostgresType::Text, 0x3fff_ffff),
            (PostgresType::Bytea, 2 * 0x3fff_ffff + 1),
        ] {
            assert!(!is_too_large(bytes, &data_type), "{data_type}");
            assert!(is_too_large(bytes + 1, &data_type), "{data_type}");
        }
    }

    #[test]
    fn a_key_stays_on_its_line() {
        assert_eq!(printable(b"a\nb"), "a\\nb");
        assert_eq!(printable("ä".repeat(81).as_bytes()).chars().count(), 81);
    }
}
