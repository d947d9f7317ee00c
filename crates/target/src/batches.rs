//! How many transactions a baseline takes: one, unless the server's table of locks is too small.
//!
//! A transaction holds a lock on everything that it makes until it ends; the table for them is of
//! a fixed size for the whole server (PostgreSQL manual, section 20.12).

use std::ops::Range;

use crate::connection::Connection;
use crate::error::{Doing, Error};

/// The transactions of a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    /// Statements of each, by their numbers.
    pub ranges: Vec<Range<usize>>,
    /// Locks that one transaction for all of it would need, estimated.
    pub locks_needed: u64,
    /// Locks that a transaction may take.
    pub locks_room: u64,
}

impl Batches {
    /// Divides the statements from number `from` on.
    ///
    /// # Errors
    /// Where the server refuses to name its limits.
    pub fn plan(
        connection: &mut Connection,
        statements: &[&str],
        from: usize,
    ) -> Result<Self, Error> {
        let row = connection
            .client
            .query_one(
                "select current_setting('max_locks_per_transaction')::bigint \
                      * (current_setting('max_connections')::bigint \
                         + current_setting('max_prepared_transactions')::bigint)",
                &[],
            )
            .doing(|| "asking for the number of locks".to_owned())?;
        let locks = u64::try_from(row.get::<_, i64>(0)).unwrap_or_default();
        // The other half is for other sessions, and for what the estimate overlooks.
        Ok(Self::divide(statements, from, locks / 2))
    }

    fn divide(statements: &[&str], from: usize, locks_room: u64) -> Self {
        let locks_needed = statements.iter().map(|sql| locks_together(sql)).sum();
        let mut ranges = Vec::new();
        if from == 0 && locks_needed <= locks_room {
            ranges.push(0..statements.len());
        } else {
            let (mut start, mut locks) = (from, 0);
            for (index, sql) in statements.iter().enumerate().skip(from) {
                let more = locks_apart(sql);
                if index > start && locks + more > locks_room {
                    ranges.push(start..index);
                    (start, locks) = (index, 0);
                }
                locks += more;
            }
            ranges.push(start..statements.len());
        }
        Self {
            ranges,
            locks_needed,
            locks_room,
        }
    }
}

/// The table itself, its TOAST table and the index of that, the index of a primary key and the
/// sequence of an identity column: 5.02 a table were measured, 1.02 for one of numbers alone.
const LOCKS_OF_TABLE: u64 = 5;

/// A statement's locks where its tables are made in the same transaction, which holds theirs
/// already: a new index or sequence is 1, a foreign key, a check or a comment is none. Measured:
/// 7.9 for a table with the nine statements that belong to it, which are taken for 14.
fn locks_together(sql: &str) -> u64 {
    match Kind::of(sql) {
        Kind::Table => LOCKS_OF_TABLE,
        Kind::ForeignKey | Kind::Other => 1,
    }
}

/// The same where the tables come from an earlier transaction: a key or an index is 2.01 with
/// its table, a foreign key 5.9, because both tables are locked with the indexes by which the
/// server looks for violations.
fn locks_apart(sql: &str) -> u64 {
    match Kind::of(sql) {
        Kind::Table => LOCKS_OF_TABLE,
        Kind::ForeignKey => 6,
        Kind::Other => 2,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Table,
    ForeignKey,
    Other,
}

impl Kind {
    fn of(sql: &str) -> Self {
        let mut words = sql.split_ascii_whitespace().map(str::to_ascii_lowercase);
        let (first, second) = (words.next(), words.next());
        match (
            first.as_deref().unwrap_or_default(),
            second.as_deref().unwrap_or_default(),
        ) {
            ("create", "table" | "unlogged") => Self::Table,
            ("alter", "table") if words.any(|word| word == "references") => Self::ForeignKey,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "create table a (id int)";
    const INDEX: &str = "CREATE INDEX on a (id)";
    const KEY: &str =
        "ALTER TABLE \"a\"\n  add constraint f foreign key (id)\n  references \"b\" (id)";

    fn ranges(statements: &[&str], from: usize, room: u64) -> Vec<(usize, usize)> {
        let ranges = Batches::divide(statements, from, room).ranges;
        ranges
            .iter()
            .map(|range| (range.start, range.end))
            .collect()
    }

    #[test]
    fn what_fits_is_one_transaction() {
        let statements = [TABLE, INDEX, KEY];
        let batches = Batches::divide(&statements, 0, 7);
        assert_eq!(ranges(&statements, 0, 7), [(0, 3)]);
        assert_eq!((batches.locks_needed, batches.locks_room), (7, 7));
        assert_eq!(ranges(&[], 0, 7), [(0, 0)]);
    }

    #[test]
    fn what_does_not_fit_is_cut_where_the_room_ends() {
        let statements = [TABLE, TABLE, INDEX, INDEX, INDEX, KEY];
        assert_eq!(ranges(&statements, 0, 10), [(0, 2), (2, 5), (5, 6)]);
        assert_eq!(ranges(&statements, 2, 10), [(2, 5), (5, 6)]);
        assert_eq!(ranges(&statements, 3, 100), [(3, 6)]);
    }

    #[test]
    fn a_statement_that_never_fits_is_tried_alone() {
        assert_eq!(ranges(&[TABLE, KEY], 0, 1), [(0, 1), (1, 2)]);
    }
}
