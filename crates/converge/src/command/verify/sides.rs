//! Both sides of one table, read at the same time.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use catalog::KeySample;
use digest::SourceValue;
use source::Reader;
use target::{Aside, Kept, TargetRow};
use verify::{
    Buckets, DetailSide, DrillDown, DrillLimits, Findings, SideSums, TablePlan, TableReport,
};

use crate::config::Database;
use crate::interrupt::Interrupt;
use crate::pairing::TablePair;

/// For readings that nothing but a signal stops.
pub(super) static NEVER: AtomicBool = AtomicBool::new(false);
/// Rows between two looks at the signals.
const ROWS_BETWEEN_CHECKS: u64 = 256;

/// Both sides of one table.
pub(super) struct Sides<'s> {
    pub(super) database: &'s Database,
    pub(super) interrupt: &'s Interrupt,
    pub(super) plan: &'s TablePlan,
    pub(super) pair: TablePair<'s>,
    pub(super) left: Left<'s>,
    pub(super) target: &'s mut target::Connection,
    /// What rules took away from the target.
    pub(super) aside: &'s Aside,
    /// The rows that are looked at, where it is not all of them.
    pub(super) sample: Option<&'s KeySample>,
}

/// What the target is held against.
pub(super) enum Left<'s> {
    /// The table of the source.
    Source(&'s mut Reader),
    /// The table's files, as another session of the target has read them.
    Files(&'s mut target::Connection, &'s Kept),
}

/// A row of what the target is held against.
#[derive(Clone, Copy)]
enum LeftRow<'r> {
    Source(&'r [SourceValue<'r>]),
    Files(&'r TargetRow<'r>),
}

impl LeftRow<'_> {
    fn add_to(self, sums: &mut SideSums<'_>) {
        match self {
            Self::Source(values) => sums.add_source(values),
            Self::Files(fields) => sums.add_target(fields),
        }
    }

    fn detail(self, side: &mut DetailSide<'_>) {
        match self {
            Self::Source(values) => side.add_source(values),
            Self::Files(fields) => side.add_target(fields),
        }
    }
}

impl Sides<'_> {
    pub(super) fn compare(&mut self, limits: DrillLimits) -> anyhow::Result<TableReport> {
        let estimate = self
            .target
            .estimated_rows(&self.database.target_schema, &self.pair.target.name)?;
        let buckets = Buckets::for_rows(estimate);
        let spelled = || self.plan.spelled_sums(buckets);
        if let (Some(source), Some(target)) = (spelled(), spelled()) {
            let (source, target) = self.sums(source, target)?;
            if verify::compare(&source, &target).is_equal() {
                return Ok(TableReport::new(&source, &target, Findings::default()));
            }
        }
        let empty = || self.plan.side_sums(buckets);
        let (source, target) = self.sums(empty(), empty())?;
        let difference = verify::compare(&source, &target);
        let findings = match difference.is_equal() {
            true => Findings::default(),
            false => {
                let mut drill = DrillDown::new(self.plan, &difference, limits);
                for pass in 0..drill.passes_needed() {
                    let (mut left, mut right) = (drill.side(pass), drill.side(pass));
                    self.read_both(
                        |row| row.detail(&mut left),
                        |fields| right.add_target(fields),
                    )?;
                    drill.settle(left, right);
                }
                drill.finish()
            }
        };
        Ok(TableReport::new(&source, &target, findings))
    }

    /// Adds the rows of both sides up.
    fn sums<'p>(
        &mut self,
        mut source: SideSums<'p>,
        mut target: SideSums<'p>,
    ) -> anyhow::Result<(SideSums<'p>, SideSums<'p>)> {
        self.read_both(
            |row| row.add_to(&mut source),
            |fields| target.add_target(fields),
        )?;
        Ok((source, target))
    }

    /// Reads both sides at the same time, each once.
    fn read_both(
        &mut self,
        see_left: impl FnMut(LeftRow<'_>) + Send,
        mut see_target: impl FnMut(&TargetRow<'_>) + Send,
    ) -> anyhow::Result<()> {
        let columns: Vec<&str> = self
            .plan
            .target_columns()
            .map(|column| column.name.as_str())
            .collect();
        let (pair, aside, sample) = (self.pair, self.aside, self.sample);
        let place = (
            self.database.target_schema.as_str(),
            pair.target.name.as_str(),
        );
        let database = self.database.source_name();
        let (left, target) = (&mut self.left, &mut *self.target);
        let stopped = &AtomicBool::new(false);
        let mut check = Checker::new(self.interrupt, stopped);
        let left_check = Checker::new(self.interrupt, stopped);
        thread::scope(|scope| {
            let columns = &columns;
            let left = scope.spawn(move || {
                let result = left.read((database, pair), columns, sample, left_check, see_left);
                stopped.fetch_or(result.is_err(), Ordering::Relaxed);
                result
            });
            let key = pair.target.primary_key_columns();
            let visit = |fields: &TargetRow<'_>| {
                check.row()?;
                see_target(fields);
                Ok(())
            };
            let target =
                target.scan_with::<anyhow::Error>(place, &key, columns, aside, sample, visit);
            stopped.fetch_or(target.is_err(), Ordering::Relaxed);
            let left = left.join().expect("reading a side does not panic");
            match (left, target) {
                (Ok(()), Ok(_)) => Ok(()),
                // The side that stopped because of the other has nothing to say of its own.
                (Err(error), Err(other)) if other.is::<OtherSideFailed>() => Err(error),
                (_, Err(error)) | (Err(error), Ok(_)) => Err(error),
            }
        })
    }
}

impl Left<'_> {
    fn read(
        &mut self,
        (database, pair): (&str, TablePair<'_>),
        columns: &[&str],
        sample: Option<&KeySample>,
        mut check: Checker<'_>,
        mut see: impl FnMut(LeftRow<'_>),
    ) -> anyhow::Result<()> {
        match self {
            Self::Source(reader) => reader.scan_table::<anyhow::Error>(
                database,
                pair.source,
                columns,
                sample,
                |values| {
                    check.row()?;
                    see(LeftRow::Source(values));
                    Ok(())
                },
            ),
            Self::Files(connection, kept) => {
                connection.scan_aside::<anyhow::Error>(kept, columns, |fields| {
                    check.row()?;
                    see(LeftRow::Files(fields));
                    Ok(())
                })
            }
        }?;
        Ok(())
    }
}

/// Ends the reading of one side.
#[derive(Debug)]
struct OtherSideFailed;

impl fmt::Display for OtherSideFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other side could not be read")
    }
}

impl std::error::Error for OtherSideFailed {}

/// Looks now and then whether the work is to stop.
pub(super) struct Checker<'i> {
    interrupt: &'i Interrupt,
    stopped: &'i AtomicBool,
    rows: u64,
}

impl<'i> Checker<'i> {
    pub(super) fn new(interrupt: &'i Interrupt, stopped: &'i AtomicBool) -> Self {
        Self {
            interrupt,
            stopped,
            rows: 0,
        }
    }

    pub(super) fn row(&mut self) -> anyhow::Result<()> {
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_BETWEEN_CHECKS) {
            self.interrupt.check()?;
            if self.stopped.load(Ordering::Relaxed) {
                return Err(OtherSideFailed.into());
            }
        }
        Ok(())
    }
}
