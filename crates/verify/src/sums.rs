//! The first pass: each side read once in any order, row digests summed into buckets by key.
//!
//! Memory depends on the number of buckets alone. Says which buckets differ, not which rows.

use digest::{SourceValue, TableDigest};

use crate::plan::TablePlan;
use crate::report::RuleCount;
use crate::row::RowEncoder;

/// Rows that a bucket is to hold: few, so that little is read into memory again where one
/// differs; not so few that the sums outgrow the processor's cache.
const ROWS_PER_BUCKET: u64 = 64;
/// Below this, buckets cost nothing.
const BUCKETS_MIN: u64 = 256;
/// Two sides of this many take 4 MiB.
const BUCKETS_MAX: u64 = 65_536;

/// How many buckets the rows are spread over, the same for both sides of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// A power of two.
    count: usize,
}

impl Buckets {
    /// As many as suit a table of so many rows, by estimate.
    pub fn for_rows(estimate: u64) -> Self {
        let wanted = (estimate / ROWS_PER_BUCKET).clamp(BUCKETS_MIN, BUCKETS_MAX);
        let count = wanted.next_power_of_two();
        Self {
            count: usize::try_from(count).expect("at most 65,536"),
        }
    }

    pub(crate) fn count(self) -> usize {
        self.count
    }

    pub(crate) fn of(self, key_hash: u64) -> usize {
        // The high bits are those that the hash mixes best.
        let bits = self.count.trailing_zeros();
        usize::try_from(key_hash >> (64 - bits)).expect("fewer than the buckets")
    }
}

/// The sums of one side, or of a part of it.
#[derive(Clone, Debug)]
pub struct SideSums<'p> {
    encoder: RowEncoder<'p>,
    buckets: Buckets,
    sums: Vec<TableDigest>,
    /// Rows to which each of the plan's rules was applied.
    rule_rows: Vec<u64>,
}

impl<'p> SideSums<'p> {
    pub(crate) fn new(encoder: RowEncoder<'p>, buckets: Buckets) -> Self {
        Self {
            rule_rows: vec![0; encoder.plan().rules.len()],
            encoder,
            buckets,
            sums: vec![TableDigest::default(); buckets.count()],
        }
    }

    /// Adds a row of the source: one value for each of [`TablePlan::source_columns`].
    ///
    /// # Panics
    /// Where the number of values is another.
    pub fn add_source(&mut self, values: &[SourceValue<'_>]) {
        self.encoder.encode_source(values);
        let applied = self.encoder.applied_rules();
        for (index, rule) in applied.iter().enumerate() {
            // A rule is counted once for a row, however many of its columns it changed.
            if !applied[..index].contains(rule) {
                self.rule_rows[*rule] += 1;
            }
        }
        self.add();
    }

    /// Adds a row of the target: one binary COPY field for each of
    /// [`TablePlan::target_columns`], `None` for NULL.
    ///
    /// # Panics
    /// Where the number of fields is another.
    pub fn add_target(&mut self, fields: &[Option<&[u8]>]) {
        self.encoder.encode_target(fields);
        self.add();
    }

    fn add(&mut self) {
        let digest = self.encoder.digest();
        let bucket = self.buckets.of(self.encoder.key_hash(digest));
        self.sums[bucket].add(digest);
    }

    /// Adds another part of the same side.
    ///
    /// # Panics
    /// Where the other part has another number of buckets.
    pub fn merge(&mut self, other: &SideSums<'_>) {
        assert_eq!(
            self.buckets, other.buckets,
            "one table, one number of buckets"
        );
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            sum.merge(*other);
        }
        for (rows, other) in self.rule_rows.iter_mut().zip(&other.rule_rows) {
            *rows += other;
        }
    }

    /// The digest of the whole side in canonical form.
    pub fn total(&self) -> TableDigest {
        let mut total = TableDigest::default();
        self.sums.iter().for_each(|sum| total.merge(*sum));
        total
    }

    pub(crate) fn plan(&self) -> &'p TablePlan {
        self.encoder.plan()
    }

    /// Rows added.
    pub fn rows(&self) -> u64 {
        self.total().count
    }

    /// The rules that changed rows of the source, with the number of rows.
    pub fn rules(&self) -> Vec<RuleCount> {
        let rules = self.plan().rules.iter().zip(&self.rule_rows);
        rules
            .filter(|(_, rows)| **rows > 0)
            .map(|(rule, rows)| RuleCount {
                rule: rule.to_string(),
                rows: *rows,
            })
            .collect()
    }
}

/// The buckets in which two sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub(crate) buckets: Buckets,
    pub(crate) differing: Vec<DifferingBucket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DifferingBucket {
    pub(crate) index: usize,
    pub(crate) source_rows: u64,
    pub(crate) target_rows: u64,
}

impl Difference {
    /// Whether every row of each side has its equal on the other.
    pub fn is_equal(&self) -> bool {
        self.differing.is_empty()
    }
}

/// Compares both sides of one table, bucket by bucket.
///
/// # Panics
/// Where the sides have another number of buckets each.
pub fn compare(source: &SideSums<'_>, target: &SideSums<'_>) -> Difference {
    assert_eq!(
        source.buckets, target.buckets,
        "one table, one number of buckets"
    );
    let pairs = source.sums.iter().zip(&target.sums).enumerate();
    let differing = pairs
        .filter(|(_, (source, target))| source != target)
        .map(|(index, (source, target))| DifferingBucket {
            index,
            source_rows: source.count,
            target_rows: target.count,
        })
        .collect();
    Difference {
        buckets: source.buckets,
        differing,
    }
}
