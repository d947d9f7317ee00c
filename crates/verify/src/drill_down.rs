//! The second pass: rows of differing buckets, read again, down to key and column.
//!
//! Holds digests of rows within a memory limit and, for the findings that are listed, keys and
//! columns. What exceeds the limit is read in further passes.

mod side;

use digest::describe;

use crate::plan::TablePlan;
use crate::report::{Sample, SampleKind};
use crate::sums::{Buckets, Difference, DifferingBucket};
use side::{BucketUse, Row};

pub use side::DetailSide;

/// What a drill-down may take and shall list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrillLimits {
    /// Findings that are listed with key and columns; all are counted.
    pub samples: usize,
    /// Bytes for the rows of both sides. At least one bucket is held, whatever its size.
    pub memory_bytes: u64,
    /// Whether listed findings have the values that differ: whoever asks for them wants personal
    /// data to be shown.
    pub show_values: bool,
}

impl Default for DrillLimits {
    /// Twenty findings and 64 MiB, in which 800,000 rows of each side fit.
    fn default() -> Self {
        Self {
            samples: 20,
            memory_bytes: 64 * 1024 * 1024,
            show_values: false,
        }
    }
}

/// What differs between the rows of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Rows in the source only.
    pub missing: u64,
    /// Rows in the target only.
    pub unexpected: u64,
    /// Rows whose keys are equal and whose other columns are not.
    pub different: u64,
    /// The first findings.
    pub samples: Vec<Sample>,
}

impl Findings {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.missing + self.unexpected + self.different == 0
    }
}

/// The way from differing buckets to findings.
///
/// For each number below [`DrillDown::passes_needed`], both sides are read again into
/// [`DrillDown::side`] and given to [`DrillDown::settle`].
#[derive(Debug)]
pub struct DrillDown<'p> {
    plan: &'p TablePlan,
    buckets: Buckets,
    limits: DrillLimits,
    passes: Vec<Pass>,
    findings: Findings,
}

#[derive(Debug, Default)]
struct Pass {
    buckets: Vec<(usize, BucketUse)>,
    bytes: u64,
}

impl<'p> DrillDown<'p> {
    /// Plans the passes.
    pub fn new(plan: &'p TablePlan, difference: &Difference, limits: DrillLimits) -> Self {
        let passes = plan_passes(plan, &difference.differing, limits);
        Self {
            plan,
            buckets: difference.buckets,
            limits,
            passes,
            findings: Findings::default(),
        }
    }

    /// How often both sides are to be read again; 0 where nothing differs.
    pub fn passes_needed(&self) -> usize {
        self.passes.len()
    }

    /// An empty side for a pass.
    ///
    /// # Panics
    /// Where there is no such pass.
    pub fn side(&self, pass: usize) -> DetailSide<'p> {
        let buckets = &self.passes[pass].buckets;
        DetailSide::new(self.plan, self.buckets, buckets, self.limits.show_values)
    }

    /// Compares both sides of one pass and keeps the findings.
    pub fn settle(&mut self, source: DetailSide<'p>, target: DetailSide<'p>) {
        let (source, target) = (source.into_rows(), target.into_rows());
        let (mut left, mut right) = (source.as_slice(), target.as_slice());
        while let Some(key) = first_key(left, right) {
            let (source_group, source_rest) = split_group(left, key);
            let (target_group, target_rest) = split_group(right, key);
            self.settle_key(source_group, target_group);
            (left, right) = (source_rest, target_rest);
        }
    }

    /// The findings of all passes, samples ordered by kind and key.
    pub fn finish(mut self) -> Findings {
        self.findings.samples.sort();
        self.findings
    }

    /// Rows of one key, sorted by digest: equal ones go in pairs, then different ones.
    fn settle_key(&mut self, source: &[Row], target: &[Row]) {
        let (left, right) = without_equals(source, target);
        let different = left.len().min(right.len());
        for (source, target) in left.iter().zip(&right) {
            self.findings.different += 1;
            self.list(SampleKind::Different, source, Some(target));
        }
        for row in &left[different..] {
            self.findings.missing += 1;
            self.list(SampleKind::Missing, row, None);
        }
        for row in &right[different..] {
            self.findings.unexpected += 1;
            self.list(SampleKind::Unexpected, row, None);
        }
    }

    fn list(&mut self, kind: SampleKind, row: &Row, partner: Option<&Row>) {
        let Some(detail) = &row.detail else {
            return;
        };
        if self.findings.samples.len() >= self.limits.samples {
            return;
        }
        let key_columns = self.plan.key_columns().zip(&detail.key);
        let key = key_columns
            .map(|(column, encoded)| (column.to_owned(), describe(encoded)))
            .collect();
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        if let Some(partner) = partner.and_then(|partner| partner.detail.as_ref()) {
            let pairs = detail.columns.iter().zip(&partner.columns).enumerate();
            for (index, _) in pairs.filter(|(_, (source, target))| source != target) {
                let name = self.plan.column_name(index).to_owned();
                if let (Some(source), Some(target)) =
                    (detail.values.get(index), partner.values.get(index))
                {
                    values.push((name.clone(), [source.clone(), target.clone()]));
                }
                columns.push(name);
            }
        }
        self.findings.samples.push(Sample {
            kind,
            key,
            columns,
            values,
        });
    }
}

/// Fills passes up to the limit. Each differing bucket has at least one finding, so that
/// listing the first few buckets is enough for the samples.
fn plan_passes(plan: &TablePlan, differing: &[DifferingBucket], limits: DrillLimits) -> Vec<Pass> {
    let mut passes = vec![Pass::default()];
    for (number, bucket) in differing.iter().enumerate() {
        let rows = bucket.source_rows + bucket.target_rows;
        let (purpose, row_bytes) = match number < limits.samples {
            true => (BucketUse::List, Row::listed_bytes(plan, limits.show_values)),
            false => (BucketUse::Count, Row::counted_bytes()),
        };
        let bytes = rows * row_bytes;
        let pass = passes.last_mut().expect("there is always a pass");
        if !pass.buckets.is_empty() && pass.bytes + bytes > limits.memory_bytes {
            passes.push(Pass::default());
        }
        let pass = passes.last_mut().expect("there is always a pass");
        pass.buckets.push((bucket.index, purpose));
        pass.bytes += bytes;
    }
    passes.retain(|pass| !pass.buckets.is_empty());
    passes
}

fn first_key(left: &[Row], right: &[Row]) -> Option<u128> {
    let keys = [left.first(), right.first()];
    keys.into_iter().flatten().map(Row::key).min()
}

fn split_group(rows: &[Row], key: u128) -> (&[Row], &[Row]) {
    let end = rows.iter().take_while(|row| row.key() == key).count();
    rows.split_at(end)
}

/// The rows that have no equal on the other side; both are sorted by digest.
fn without_equals<'r>(source: &'r [Row], target: &'r [Row]) -> (Vec<&'r Row>, Vec<&'r Row>) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let (mut source, mut target) = (source.iter().peekable(), target.iter().peekable());
    loop {
        match (source.peek(), target.peek()) {
            (Some(a), Some(b)) if a.digest() == b.digest() => {
                source.next();
                target.next();
            }
            (Some(a), Some(b)) if a.digest() < b.digest() => left.extend(source.next()),
            (_, Some(_)) => right.extend(target.next()),
            (Some(_), None) => left.extend(source.next()),
            (None, None) => return (left, right),
        }
    }
}
