//! Cuts a table into ranges of its key that are about as large as wanted.
//!
//! Whether a key's values are dense and how wide they are plays no part. Reads no cells but keys
//! and lengths.

use catalog::{KeyKind, KeyPart, KeyTerm, MysqlType, SourceColumn, SourceTable, quote};
use dataset::KeyRange;

use crate::chunk::ChunkKey;
use crate::connection::Connection;
use crate::error::Error;
use crate::export::copied_columns;
use crate::reader::Reader;

/// Rows whose sizes are looked at where a chunk begins and where it is to end: few enough to cost
/// nothing beside a chunk, many enough that one long row among short ones does not decide alone.
const SAMPLED_ROWS: u64 = 8;
/// What a value takes that no text function is asked about, such as a vector's.
const OTHER_BYTES: u32 = 64;
/// Tables of fewer chunks are walked along: their statistics say too little.
const SAMPLED_CHUNKS_MIN: u64 = 4;
/// Keys of a sample that fall into one chunk: the sizes of chunks then vary by about an eighth.
const KEYS_PER_CHUNK: u64 = 64;
/// What the keys of a sample may take as text, by what their types may hold.
const SAMPLED_BYTES_MAX: u64 = 32 << 20;
/// A sample is good for distances of so many of its keys; shorter ones are counted.
const SAMPLED_STEPS_MIN: u64 = 8;

impl Reader {
    /// Cuts a table into ranges of about `bytes_max` bytes of its file, by the sizes of a few
    /// rows before each cut. One range where the table has no key to cut it by.
    ///
    /// `step` is called before each cut, and its error ends the walk.
    ///
    /// # Errors
    /// Those of the server and those of `step`.
    pub fn plan_chunks<E: From<Error>>(
        &mut self,
        database: &str,
        table: &SourceTable,
        bytes_max: u64,
        mut step: impl FnMut() -> Result<(), E>,
    ) -> Result<Vec<KeyRange>, E> {
        let Some(key) = ChunkKey::of(table) else {
            return Ok(vec![KeyRange::whole()]);
        };
        let bytes_max = bytes_max.saturating_mul(key.factor());
        let mut walk = Walk::begin(&mut self.connection, database, table, key, bytes_max);
        let mut ranges = Vec::new();
        let mut rest = KeyRange::whole();
        loop {
            step()?;
            match walk.next(&rest)? {
                Next::Nothing => {
                    // Behind the last cut, which therefore is none.
                    rest.after = ranges.pop().and_then(|last: KeyRange| last.after);
                    break;
                }
                Next::Rest => break,
                // Worth a sample, by which it is cut from the beginning.
                Next::UpTo(_) if ranges.is_empty() && walk.sample(database, table)? => {}
                Next::UpTo(cut) => ranges.push(KeyRange {
                    after: rest.after.replace(cut.clone()),
                    up_to: Some(cut),
                }),
            }
        }
        ranges.push(rest);
        Ok(ranges)
    }
}

/// A walk along a key.
struct Walk<'w> {
    connection: &'w mut Connection,
    key: ChunkKey<'w>,
    bytes_max: u64,
    /// Asks for the sizes of rows.
    sizes: String,
    /// Asks for keys alone: the server would read every long value that it passes over on the
    /// way to a cut if it were asked for the sizes, too.
    keys: String,
    density: Density,
    sample: Sample,
}

/// What a walk finds ahead.
enum Next {
    Nothing,
    /// All that is left is one chunk.
    Rest,
    /// A chunk up to this key.
    UpTo(Vec<String>),
}

impl<'w> Walk<'w> {
    fn begin(
        connection: &'w mut Connection,
        database: &str,
        table: &SourceTable,
        key: ChunkKey<'w>,
        bytes_max: u64,
    ) -> Self {
        let place = quote::mysql_qualified(database, &table.name);
        let from = format!(" from {place}{}", key.hint());
        Self {
            connection,
            bytes_max,
            sizes: format!("select {}{from}", row_bytes(table)),
            keys: format!("select {}{from}", key.values()),
            key,
            density: Density::default(),
            sample: Sample::default(),
        }
    }

    /// The next chunk. Rows may be longer where it is to end than where it begins: then it ends
    /// earlier, in half of the way each time, until they are not.
    fn next(&mut self, rest: &KeyRange) -> Result<Next, Error> {
        let first = self.sizes(rest, &self.key.order())?;
        if first.is_empty() {
            return Ok(Next::Nothing);
        }
        let mut rows = self.density.rows_within(self.bytes_max, &first);
        loop {
            let cut = self.cut(rest, rows)?;
            let chunk = KeyRange {
                after: rest.after.clone(),
                up_to: cut.clone(),
            };
            let last = self.sizes(&chunk, &self.key.order_from_end())?;
            if last.is_empty() && self.sample.has_steps_of(rows) {
                // The sample's key lies before the last cut.
                self.sample.passed += 1;
                continue;
            }
            let fitting = self.density.rows_within(self.bytes_max, &last);
            // Sizes that vary a little are no reason to look again.
            if fitting.saturating_add(fitting / 8) >= rows {
                self.density.add(&first);
                self.density.add(&last);
                self.sample.pass(rows);
                return Ok(cut.map_or(Next::Rest, Next::UpTo));
            }
            rows = fitting.max(rows / 2);
        }
    }

    /// The key of about the row of that number in the rest of the table, if it has as many.
    fn cut(&mut self, rest: &KeyRange, number: u64) -> Result<Option<Vec<String>>, Error> {
        if self.sample.has_steps_of(number) {
            return Ok(self.sample.key_of_row(number));
        }
        let (condition, order) = (self.key.condition(rest), self.key.order());
        let offset = number - 1;
        let sql = format!("{}{condition}{order} limit 1 offset {offset}", self.keys);
        let rows = self.connection.query_text(&sql)?;
        Ok(rows.into_iter().next().map(as_key))
    }

    /// The sizes of the first rows of a range in that order.
    fn sizes(&mut self, range: &KeyRange, order: &str) -> Result<Vec<u64>, Error> {
        let condition = self.key.condition(range);
        let sql = format!("{}{condition}{order} limit {SAMPLED_ROWS}", self.sizes);
        let rows = self.connection.query_text(&sql)?;
        let sizes = rows.into_iter().flatten().flatten();
        Ok(sizes.filter_map(|size| size.parse().ok()).collect())
    }

    /// Takes every so many keys at random from another index, where there is one: it is much
    /// smaller than the rows, among which the key itself is found (MySQL Reference Manual,
    /// "Clustered and Secondary Indexes"). By the key alone, finding the cuts would read the
    /// whole table once more.
    ///
    /// Whether that was done now.
    fn sample(&mut self, database: &str, table: &SourceTable) -> Result<bool, Error> {
        let other = other_index(table, self.key.name()).filter(|_| self.sample.step == 0);
        let (Some(index), Some((table_rows, bytes))) = (other, self.statistics(database, table)?)
        else {
            return Ok(false);
        };
        let chunks = bytes / self.bytes_max;
        if chunks < SAMPLED_CHUNKS_MIN {
            return Ok(false);
        }
        // The statistics may be of a time in which the table had half as many rows.
        let limit = SAMPLED_BYTES_MAX / self.key.text_bytes_max();
        let step =
            (table_rows / chunks.saturating_mul(KEYS_PER_CHUNK).min(limit / 2).max(1)).max(1);
        let place = quote::mysql_qualified(database, &table.name);
        let (columns, values) = (quoted(&self.key.columns()), self.key.values());
        // With a seed, so that the same table is cut the same way again. The limit also keeps
        // the order out of the inner query, where MariaDB would read the rows for it.
        let sql = format!(
            "select {values} from (select {columns} from {place} force index ({}) \
             where rand(1) * {step} < 1 limit {limit}) as sample{}",
            quote::mysql(index),
            self.key.order()
        );
        let keys = self.connection.query_text(&sql)?;
        if keys.len() as u64 == limit {
            // The statistics are of another time.
            return Ok(false);
        }
        self.sample = Sample {
            keys: keys.into_iter().map(as_key).collect(),
            step,
            passed: 0,
        };
        Ok(true)
    }

    /// About how many rows and bytes a table has.
    fn statistics(
        &mut self,
        database: &str,
        table: &SourceTable,
    ) -> Result<Option<(u64, u64)>, Error> {
        let sql = format!(
            "select table_rows, data_length from information_schema.tables \
             where table_schema = {} and table_name = {}",
            quote::mysql_literal(database),
            quote::mysql_literal(&table.name)
        );
        let rows = self.connection.query_text(&sql)?;
        let mut numbers = rows.into_iter().flatten().flatten();
        let mut number = || numbers.next()?.parse().ok();
        Ok(number().zip(number()))
    }
}

/// An index that has the values of the primary key of every row, beside that itself.
pub(crate) fn other_index<'t>(table: &'t SourceTable, key: &str) -> Option<&'t str> {
    // Other engines have the place of the row in its file.
    let is_primary = table
        .primary_key()
        .is_some_and(|primary| primary.name == key);
    let is_clustered = is_primary && table.engine.as_deref() == Some("InnoDB");
    let others = table.keys.iter().filter(|other| {
        let is_ordered = matches!(other.kind, KeyKind::Unique | KeyKind::Index);
        // One with an expression may have several entries for a row, or none.
        let is_column = |part: &KeyPart| matches!(part.term, KeyTerm::Column { .. });
        let is_plain = other.parts.iter().all(is_column);
        is_clustered && is_ordered && is_plain && other.visible && other.name != key
    });
    let smallest = others.min_by_key(|other| other.parts.len())?;
    Some(&smallest.name)
}

fn quoted(columns: &[&str]) -> String {
    let columns: Vec<String> = columns.iter().map(|name| quote::mysql(name)).collect();
    columns.join(", ")
}

fn as_key(row: Vec<Option<String>>) -> Vec<String> {
    row.into_iter().flatten().collect()
}

/// Keys taken at random, in order.
///
/// They only propose cuts: a range that such a key ends is looked at before it is taken, so that
/// neither their order nor how many there are decides which rows are read.
#[derive(Debug, Default)]
struct Sample {
    keys: Vec<Vec<String>>,
    /// About how many rows each stands for; none were taken where it is 0.
    step: u64,
    /// How many lie before the last cut.
    passed: usize,
}

impl Sample {
    fn has_steps_of(&self, rows: u64) -> bool {
        self.step > 0 && rows / self.step >= SAMPLED_STEPS_MIN
    }

    fn steps(&self, rows: u64) -> usize {
        let steps = rows.checked_div(self.step).unwrap_or_default();
        usize::try_from(steps).unwrap_or(usize::MAX)
    }

    fn key_of_row(&self, number: u64) -> Option<Vec<String>> {
        let index = self.passed.saturating_add(self.steps(number)) - 1;
        self.keys.get(index).cloned()
    }

    fn pass(&mut self, rows: u64) {
        self.passed = self.passed.saturating_add(self.steps(rows));
    }
}

/// Bytes of the sampled rows of all chunks so far.
#[derive(Debug, Default)]
struct Density {
    bytes: u64,
    rows: u64,
}

impl Density {
    /// How many rows like the sampled ones have that many bytes. The larger of two averages
    /// counts, here and so far: too small a chunk costs nothing.
    fn rows_within(&self, bytes_max: u64, seen: &[u64]) -> u64 {
        let mut here = Self::default();
        here.add(seen);
        let average = here.average().max(self.average()).max(1);
        (bytes_max / average).max(1)
    }

    fn add(&mut self, seen: &[u64]) {
        let sum = seen
            .iter()
            .fold(0, |sum: u64, size| sum.saturating_add(*size));
        self.bytes = self.bytes.saturating_add(sum);
        self.rows += seen.len() as u64;
    }

    fn average(&self) -> u64 {
        self.bytes / self.rows.max(1)
    }
}

/// About the bytes that a row takes in a file.
fn row_bytes(table: &SourceTable) -> String {
    let columns = copied_columns(table);
    let sizes: Vec<String> = columns.iter().map(|column| bytes_of(column)).collect();
    sum(&sizes)
}

/// The sum of terms, in halves of halves: MariaDB's parser goes one level down for each term of a
/// plain sum, and has no stack for a thousand.
fn sum(terms: &[String]) -> String {
    match terms {
        [] => "0".to_owned(),
        [term] => term.clone(),
        _ => {
            let (left, right) = terms.split_at(terms.len() / 2);
            format!("({} + {})", sum(left), sum(right))
        }
    }
}

fn bytes_of(column: &SourceColumn) -> String {
    let name = quote::mysql(&column.name);
    match &column.data_type {
        binary if binary.is_binary() => format!("coalesce(2 * octet_length({name}), 0) + 3"),
        MysqlType::Other(_) => OTHER_BYTES.to_string(),
        _ => format!("coalesce(octet_length({name}), 0) + 1"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sum_is_not_deep() {
        let terms: Vec<String> = (0..1017).map(|number| number.to_string()).collect();
        let mut depths = sum(&terms).chars().collect::<Vec<char>>();
        depths.retain(|character| "()".contains(*character));
        let mut depth = 0;
        let deepest = depths.iter().map(|character| {
            depth += if *character == '(' { 1 } else { -1 };
            depth
        });
        assert_eq!(deepest.max(), Some(10));
        assert_eq!(sum(&terms[..3]), "(0 + (1 + 2))");
        assert_eq!(sum(&[]), "0");
    }

    #[test]
    fn the_larger_average_counts() {
        let mut density = Density::default();
        assert_eq!(density.rows_within(10, &[0]), 10);
        assert_eq!(density.rows_within(1000, &[100, 100]), 10);
        density.add(&[100, 100]);
        assert_eq!(density.rows_within(1000, &[300, 300]), 3);
        density.add(&[300, 300]);
        assert_eq!(density.rows_within(1000, &[2, 2]), 5);
        assert_eq!(density.rows_within(1000, &[9_000_000]), 1);
    }
}
