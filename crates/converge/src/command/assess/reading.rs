//! Reads the tables of a database, in rounds where their keys are too many for one.

use std::cell::Cell;

use dataset::{KeyRange, Record};
use source::Reader;

use super::finding::{Count, SAMPLES_MAX};
use super::keys::{KeySets, Repeated, Unique};
use super::survey::{Survey, Tally, row_key};
use super::table::{Subject, key_fields};
use crate::config::Database;
use crate::console::thousands;
use crate::key_columns::{KeyColumns, KeyOf};
use crate::run::StageRun;
use crate::side_by_side::{Halt, side_by_side};

/// Rows between two looks at the signals and the other workers.
const ROWS_BETWEEN_CHECKS: u64 = 256;
/// As in an export: small enough that all readers have work to the end.
const CHUNK_BYTES_MAX: u64 = 16 << 20;

/// A part of a table.
struct Piece {
    subject: usize,
    range: KeyRange,
}

/// Looks at all rows of all subjects; one tally for each.
pub(crate) fn read(
    stage: &mut StageRun<'_>,
    readers: &mut [Reader],
    subjects: &[Subject],
    sets: &mut KeySets,
) -> anyhow::Result<Vec<Tally>> {
    let pieces = cut(stage, readers, subjects)?;
    let mut tallies: Vec<Tally> = subjects.iter().map(Tally::of).collect();
    sets.next_round();
    let mut values = true;
    loop {
        read_parents(stage, readers, subjects, sets)?;
        let wanted = |piece: &&Piece| values || subjects[piece.subject].has_keys_in(sets);
        let of_round: Vec<&Piece> = pieces.iter().filter(wanted).collect();
        read_round(
            stage,
            readers,
            subjects,
            sets,
            &of_round,
            values,
            &mut tallies,
        )?;
        values = false;
        if !sets.next_round() {
            return Ok(tallies);
        }
    }
}

impl Subject {
    /// Whether a round has to do with this table.
    fn has_keys_in(&self, sets: &KeySets) -> bool {
        let uniques = self.uniques.iter().map(|unique| unique.set);
        let references = self.references.iter().map(|reference| reference.set);
        uniques.chain(references).any(|set| sets.has(set))
    }
}

/// Cuts all tables into pieces; what is begun last holds up the end, so that is something small.
fn cut(
    stage: &StageRun<'_>,
    readers: &mut [Reader],
    subjects: &[Subject],
) -> anyhow::Result<Vec<Piece>> {
    let name = stage.database.source_name();
    let reader = &mut readers[0];
    let bytes = reader.table_bytes(name)?;
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    order.sort_by_key(|subject| {
        let bytes = bytes.get(&subjects[*subject].source.name);
        std::cmp::Reverse(bytes.copied().unwrap_or_default())
    });
    let mut pieces = Vec::new();
    for subject in order {
        let check = || Ok::<_, anyhow::Error>(stage.interrupt.check()?);
        let table = &subjects[subject].source;
        let ranges = reader.plan_chunks(name, table, CHUNK_BYTES_MAX, check)?;
        pieces.extend(ranges.into_iter().map(|range| Piece { subject, range }));
    }
    Ok(pieces)
}

fn read_round(
    stage: &mut StageRun<'_>,
    readers: &mut [Reader],
    subjects: &[Subject],
    sets: &KeySets,
    pieces: &[&Piece],
    values: bool,
    tallies: &mut [Tally],
) -> anyhow::Result<()> {
    let database = stage.database;
    let mut left = vec![0usize; subjects.len()];
    pieces.iter().for_each(|piece| left[piece.subject] += 1);
    let mut done: Vec<Option<Tally>> = pieces.iter().map(|_| None).collect();
    let seen = Cell::new(0);
    side_by_side(
        stage,
        readers,
        pieces,
        |reader, piece, halt| {
            let mut survey = Survey::new(&subjects[piece.subject], sets, values);
            see(reader, database, piece, subjects, halt, &mut survey)?;
            Ok(survey.finish())
        },
        || {
            format!(
                "assess     {} {} rows",
                database.name,
                thousands(seen.get())
            )
        },
        |stage, number, tally| {
            let subject = pieces[number].subject;
            seen.set(seen.get() + tally.rows);
            done[number] = Some(tally);
            left[subject] -= 1;
            if left[subject] == 0 && values {
                let of_subject = pieces.iter().zip(&done);
                let tallies = of_subject.filter(|(piece, _)| piece.subject == subject);
                let tallies = tallies.filter_map(|(_, tally)| tally.as_ref());
                let (rows, bytes) = tallies.fold((0, 0), |(rows, bytes), tally| {
                    (rows + tally.rows, bytes + tally.bytes)
                });
                stage.table_done(&subjects[subject].source.name, rows, bytes)?;
            }
            Ok(())
        },
    )?;
    // In the order of the keys, so that the samples are the first ones.
    for (piece, tally) in pieces.iter().zip(done) {
        tallies[piece.subject].append(tally.unwrap_or_default());
    }
    Ok(())
}

fn see(
    reader: &mut Reader,
    database: &Database,
    piece: &Piece,
    subjects: &[Subject],
    halt: &Halt<'_>,
    survey: &mut Survey<'_>,
) -> anyhow::Result<()> {
    let table = &subjects[piece.subject].source;
    reader.survey_table::<anyhow::Error>(
        database.source_name(),
        table,
        &piece.range,
        |record| {
            if survey.rows().is_multiple_of(ROWS_BETWEEN_CHECKS) {
                halt.check()?;
            }
            Ok(survey.see(record)?)
        },
    )?;
    Ok(())
}

/// Reads the keys of all parents of a round into its sets.
fn read_parents(
    stage: &mut StageRun<'_>,
    readers: &mut [Reader],
    subjects: &[Subject],
    sets: &KeySets,
) -> anyhow::Result<()> {
    let database = stage.database;
    let parents: Vec<(usize, &str, &[String])> = sets.parents().collect();
    side_by_side(
        stage,
        readers,
        &parents,
        |reader, (set, table, columns), halt| {
            let parent = subjects
                .iter()
                .find(|subject| subject.source.name == *table);
            let Some(parent) = parent else {
                return Ok(());
            };
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let keys = Keys::of(database, parent, &columns, false)?;
            keys.read(reader, database, halt, |digest, _| {
                sets.insert(*set, digest);
            })
        },
        || format!("assess     {}: keys", database.name),
        |_, _, ()| Ok(()),
    )
}

/// Counts the duplicates of each unique key of a table, and finds the rows whose key an earlier
/// row has: the lowest primary key is the first.
pub(crate) fn duplicates(
    stage: &mut StageRun<'_>,
    readers: &mut [Reader],
    subject: &Subject,
    tally: &Tally,
) -> anyhow::Result<Vec<Count>> {
    let counted = tally.duplicates.iter().map(|rows| Count {
        rows: *rows,
        ..Count::default()
    });
    let mut counts: Vec<Count> = counted.collect();
    let found: Vec<usize> = (0..counts.len())
        .filter(|at| counts[*at].rows > 0)
        .collect();
    let database = stage.database;
    side_by_side(
        stage,
        readers,
        &found,
        |reader, at, halt| {
            let (unique, repeated) = (&subject.uniques[*at], &tally.repeated[*at]);
            samples(reader, database, subject, unique, repeated, halt)
        },
        || format!("assess     {}: duplicates", database.name),
        |_, number, samples| {
            counts[found[number]].keys = samples.keys;
            Ok(())
        },
    )?;
    Ok(counts)
}

fn samples(
    reader: &mut Reader,
    database: &Database,
    subject: &Subject,
    unique: &Unique,
    repeated: &Repeated,
    halt: &Halt<'_>,
) -> anyhow::Result<Count> {
    let columns = unique.columns.positions();
    let mut columns: Vec<&str> = columns.map(|at| subject.column_name(at)).collect();
    let mut keys = Keys::of(database, subject, &columns, true)?;
    keys.columns = keys.columns.compared_as(&unique.columns);
    keys.null_is_a_value = unique.nulls_not_distinct;
    columns.clear();
    let (mut seen, mut count) = (Repeated::new(), Count::default());
    keys.read(reader, database, halt, |digest, record| {
        let is_later = repeated.contains(&digest) && !seen.insert(digest);
        if is_later && count.keys.len() < SAMPLES_MAX {
            count.add(|| row_key(&keys.row_key, record));
        }
    })?;
    Ok(count)
}

/// The keys of a table alone.
struct Keys {
    table: catalog::SourceTable,
    plan: transform::TablePlan,
    columns: KeyColumns,
    row_key: Vec<(String, usize)>,
    null_is_a_value: bool,
}

impl Keys {
    /// Of some columns; `ordered` where rows are to come by their key, and to be named by it.
    fn of(
        database: &Database,
        subject: &Subject,
        columns: &[&str],
        ordered: bool,
    ) -> anyhow::Result<Self> {
        let mut read = columns.to_vec();
        if ordered {
            read.extend(subject.key.iter().map(|(name, _)| name.as_str()));
        }
        let (table, plan) = subject.narrowed(database, &read, ordered)?;
        let found = KeyColumns::find(&plan, columns);
        Ok(Self {
            columns: found.ok_or_else(|| anyhow::anyhow!("a key lost its columns"))?,
            row_key: key_fields(&table),
            table,
            plan,
            null_is_a_value: false,
        })
    }

    /// Hands the digest of each row's key over, with the row.
    fn read(
        &self,
        reader: &mut Reader,
        database: &Database,
        halt: &Halt<'_>,
        mut visit: impl FnMut(u128, &Record),
    ) -> anyhow::Result<()> {
        let (mut plan, mut converted, mut rows) = (self.plan.clone(), Record::new(), 0);
        let (name, whole) = (database.source_name(), KeyRange::whole());
        reader.survey_table::<anyhow::Error>(name, &self.table, &whole, |record| {
            rows += 1;
            if rows % ROWS_BETWEEN_CHECKS == 0 {
                halt.check()?;
            }
            plan.survey(record, &mut converted, rows, |_, _| {})?;
            if let KeyOf::Digest(digest) = self.columns.digest(&converted, self.null_is_a_value) {
                visit(digest, record);
            }
            Ok(())
        })?;
        Ok(())
    }
}
