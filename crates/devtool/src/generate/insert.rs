//! `insert` statements of many rows each, made one at a time.
//!
//! Memory is bounded by one statement, whatever the number of rows.

use std::ops::Range;

use catalog::quote;

use super::plan::TablePlan;

/// A statement ends after the row that passes this size: large enough that the
/// round trip is noise, and well below the least `max_allowed_packet` in use (16 MiB).
const STATEMENT_BYTES: usize = 512 * 1024;

/// The statements for a range of one table's rows.
pub(crate) struct Inserts<'a> {
    plan: &'a TablePlan,
    head: String,
    rows: Range<u64>,
}

impl<'a> Inserts<'a> {
    /// The statements for `rows` of `plan`'s table in `database`.
    pub(crate) fn new(database: &str, plan: &'a TablePlan, rows: Range<u64>) -> Self {
        let columns: Vec<String> = plan.columns.iter().map(|c| quote::mysql(&c.name)).collect();
        let table = quote::mysql_qualified(database, &plan.name);
        let head = format!("insert into {table} ({}) values\n", columns.join(", "));
        Self { plan, head, rows }
    }
}

impl Iterator for Inserts<'_> {
    type Item = String;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rows.is_empty() {
            return None;
        }
        let first = self.rows.start;
        let mut sql = String::with_capacity(STATEMENT_BYTES + STATEMENT_BYTES / 8);
        sql.push_str(&self.head);
        while sql.len() < STATEMENT_BYTES {
            let Some(row) = self.rows.next() else { break };
            if row > first {
                sql.push_str(",\n");
            }
            write_row(self.plan, row, &mut sql);
        }
        Some(sql)
    }
}

fn write_row(plan: &TablePlan, row: u64, sql: &mut String) {
    for (number, column) in plan.columns.iter().enumerate() {
        sql.push(if number == 0 { '(' } else { ',' });
        column.value(row).write_literal(sql);
    }
    sql.push(')');
}
