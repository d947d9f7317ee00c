//! Both sides of one table, read at the same time.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};

use catalog::KeySample;
use dataset::KeyRange;
use digest::SourceValue;
use source::{Reader, Rows};
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
    /// The table of the source, in ranges that as many connections read as there are.
    Source(&'s mut [Reader], &'s [KeyRange]),
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
        if let Some(empty) = self.plan.spelled_sums(buckets) {
            let (source, target) = self.sums(&empty)?;
            if verify::compare(&source, &target).is_equal() {
                return Ok(TableReport::new(&source, &target, Findings::default()));
            }
        }
        let (source, target) = self.sums(&self.plan.side_sums(buckets))?;
        let difference = verify::compare(&source, &target);
        let findings = match difference.is_equal() {
            true => Findings::default(),
            false => {
                let mut drill = DrillDown::new(self.plan, &difference, limits);
                for pass in 0..drill.passes_needed() {
                    let (mut left, mut right) = (drill.side(pass), drill.side(pass));
                    self.read_both(vec![|row: LeftRow<'_>| row.detail(&mut left)], |fields| {
                        right.add_target(fields)
                    })?;
                    drill.settle(left, right);
                }
                drill.finish()
            }
        };
        Ok(TableReport::new(&source, &target, findings))
    }

    /// Adds the rows of both sides up, beginning with nothing.
    fn sums<'p>(&mut self, empty: &SideSums<'p>) -> anyhow::Result<(SideSums<'p>, SideSums<'p>)> {
        let connections = match &self.left {
            Left::Source(readers, ranges) if self.sample.is_none() => {
                readers.len().min(ranges.len())
            }
            _ => 1,
        };
        let mut parts = vec![empty.clone(); connections];
        let mut target = empty.clone();
        let takers = parts.iter_mut();
        let takers = takers.map(|sums| move |row: LeftRow<'_>| row.add_to(&mut *sums));
        self.read_both(takers.collect(), |fields| target.add_target(fields))?;
        let mut source = empty.clone();
        parts.iter().for_each(|part| source.merge(part));
        Ok((source, target))
    }

    /// Reads both sides at the same time, each once; the left one over as many connections as
    /// there are takers of its rows.
    fn read_both<L: FnMut(LeftRow<'_>) + Send>(
        &mut self,
        see_left: Vec<L>,
        mut see_target: impl FnMut(&TargetRow<'_>) + Send,
    ) -> anyhow::Result<()> {
        let columns: Vec<&str> = self
            .plan
            .target_columns()
            .map(|column| column.name.as_str())
            .collect();
        let place = (
            self.database.target_schema.as_str(),
            self.pair.target.name.as_str(),
        );
        let stopped = &AtomicBool::new(false);
        let reading = &Reading {
            database: self.database.source_name(),
            pair: self.pair,
            columns: &columns,
            sample: self.sample,
            interrupt: self.interrupt,
            stopped,
            next: AtomicUsize::new(0),
        };
        let (left, target) = (&mut self.left, &mut *self.target);
        let key = self.pair.target.primary_key_columns();
        let (aside, sample) = (self.aside, self.sample);
        thread::scope(|scope| {
            let left = left.read(scope, reading, see_left);
            let mut check = Checker::new(reading.interrupt, stopped);
            let visit = |fields: &TargetRow<'_>| {
                check.row()?;
                see_target(fields);
                Ok(())
            };
            let target =
                target.scan_with::<anyhow::Error>(place, &key, &columns, aside, sample, visit);
            stopped.fetch_or(target.is_err(), Ordering::Relaxed);
            let mut ends: Vec<anyhow::Result<()>> = left.into_iter().map(joined).collect();
            ends.push(target.map(drop));
            // What stopped because of another has nothing to say of its own.
            let errors = ends.into_iter().filter_map(Result::err);
            match errors.min_by_key(|error| error.is::<OtherFailed>()) {
                None => Ok(()),
                Some(error) => Err(error),
            }
        })
    }
}

fn joined(thread: ScopedJoinHandle<'_, anyhow::Result<()>>) -> anyhow::Result<()> {
    thread.join().expect("reading a side does not panic")
}

impl Left<'_> {
    /// Begins to read with one thread for each taker of rows.
    fn read<'scope, L: FnMut(LeftRow<'_>) + Send + 'scope>(
        &'scope mut self,
        scope: &'scope Scope<'scope, '_>,
        reading: &'scope Reading<'scope>,
        takers: Vec<L>,
    ) -> Vec<ScopedJoinHandle<'scope, anyhow::Result<()>>> {
        match self {
            Self::Source(readers, ranges) => {
                let ranges: &[KeyRange] = ranges;
                let readers = readers.iter_mut().zip(takers);
                let threads = readers.map(|(reader, see)| {
                    scope.spawn(move || reading.ended(reading.source(reader, ranges, see)))
                });
                threads.collect()
            }
            Self::Files(connection, kept) => {
                let files: (&mut target::Connection, &Kept) = (connection, kept);
                let thread = |(see, (connection, kept))| {
                    scope.spawn(move || reading.ended(reading.files(connection, kept, see)))
                };
                takers.into_iter().zip([files]).map(thread).collect()
            }
        }
    }
}

/// What the threads that read one side have in common.
struct Reading<'r> {
    database: &'r str,
    pair: TablePair<'r>,
    columns: &'r [&'r str],
    sample: Option<&'r KeySample>,
    interrupt: &'r Interrupt,
    stopped: &'r AtomicBool,
    /// The range that is read next.
    next: AtomicUsize,
}

impl Reading<'_> {
    /// Reads ranges of the source's table until there is none left.
    fn source(
        &self,
        reader: &mut Reader,
        ranges: &[KeyRange],
        mut see: impl FnMut(LeftRow<'_>),
    ) -> anyhow::Result<()> {
        let mut check = Checker::new(self.interrupt, self.stopped);
        let mut read = |rows: Rows<'_>| {
            let table = self.pair.source;
            let visit = |values: &[SourceValue<'_>]| {
                check.row()?;
                see(LeftRow::Source(values));
                Ok(())
            };
            reader.scan_table::<anyhow::Error>(self.database, table, self.columns, rows, visit)
        };
        if let Some(sample) = self.sample {
            read(Rows::Sample(sample))?;
            return Ok(());
        }
        while let Some(range) = ranges.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            read(Rows::Range(range))?;
        }
        Ok(())
    }

    fn files(
        &self,
        connection: &mut target::Connection,
        kept: &Kept,
        mut see: impl FnMut(LeftRow<'_>),
    ) -> anyhow::Result<()> {
        let mut check = Checker::new(self.interrupt, self.stopped);
        connection.scan_aside::<anyhow::Error>(kept, self.columns, |fields| {
            check.row()?;
            see(LeftRow::Files(fields));
            Ok(())
        })?;
        Ok(())
    }

    /// Stops the others where one cannot go on.
    fn ended(&self, end: anyhow::Result<()>) -> anyhow::Result<()> {
        self.stopped.fetch_or(end.is_err(), Ordering::Relaxed);
        end
    }
}

/// Ends a reading whose result nobody needs any more.
#[derive(Debug)]
struct OtherFailed;

impl fmt::Display for OtherFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something else could not be read")
    }
}

impl std::error::Error for OtherFailed {}

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
                return Err(OtherFailed.into());
            }
        }
        Ok(())
    }
}
