//! The rows of one side that a pass looks at.
//!
//! Keeps digests; keys and columns only where findings are to be listed.

use digest::{SourceValue, describe, digest_encoded, is_null};

use crate::plan::TablePlan;
use crate::row::RowEncoder;
use crate::sums::Buckets;

/// What a pass wants of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BucketUse {
    /// Nothing.
    Skip,
    /// The number of findings.
    Count,
    /// Keys and columns of findings, too.
    List,
}

/// Collects the rows of one side for one pass.
#[derive(Debug)]
pub struct DetailSide<'p> {
    encoder: RowEncoder<'p>,
    buckets: Buckets,
    purposes: Vec<BucketUse>,
    show_values: bool,
    rows: Vec<Row>,
}

/// A row; digests in halves, so that no space is lost to alignment.
#[derive(Debug)]
pub(super) struct Row {
    key: [u64; 2],
    digest: [u64; 2],
    pub(super) detail: Option<Box<Detail>>,
}

/// What a listed finding shows.
#[derive(Debug)]
pub(super) struct Detail {
    /// Canonical bytes of the key's columns.
    pub(super) key: Vec<Box<[u8]>>,
    /// Digests of all columns.
    pub(super) columns: Box<[u128]>,
    /// Texts of all columns, where they are to be shown; none for NULL.
    pub(super) values: Box<[Option<String>]>,
}

/// What the key of a listed row takes, by guess: two uuids with their allocations.
const LISTED_KEY_BYTES: u64 = 128;
/// What the text of a value takes at most: two digits for each of 256 bytes, and its allocation.
const SHOWN_VALUE_BYTES: u64 = 560;

impl<'p> DetailSide<'p> {
    pub(super) fn new(
        plan: &'p TablePlan,
        buckets: Buckets,
        wanted: &[(usize, BucketUse)],
        show_values: bool,
    ) -> Self {
        let mut purposes = vec![BucketUse::Skip; buckets.count()];
        for (index, purpose) in wanted {
            purposes[*index] = *purpose;
        }
        Self {
            encoder: RowEncoder::new(plan),
            buckets,
            purposes,
            show_values,
            rows: Vec::new(),
        }
    }

    /// Adds a row of the source: one value for each of [`TablePlan::source_columns`].
    ///
    /// # Panics
    /// Where the number of values is another.
    pub fn add_source(&mut self, values: &[SourceValue<'_>]) {
        self.encoder.encode_source(values);
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

    /// Adds another part of the same side.
    pub fn merge(&mut self, mut other: Self) {
        self.rows.append(&mut other.rows);
    }

    fn add(&mut self) {
        // Only tables without a key need the digest to find their bucket.
        let keyless = self.encoder.plan().key.is_empty();
        let early = if keyless { self.encoder.digest() } else { 0 };
        let bucket = self.buckets.of(self.encoder.key_hash(early));
        let purpose = self.purposes[bucket];
        if purpose == BucketUse::Skip {
            return;
        }
        let digest = if keyless {
            early
        } else {
            self.encoder.digest()
        };
        let key = self.encoder.key_digest(digest);
        let detail = (purpose == BucketUse::List).then(|| Box::new(self.detail()));
        self.rows.push(Row {
            key: halves(key),
            digest: halves(digest),
            detail,
        });
    }

    fn detail(&self) -> Detail {
        let plan = self.encoder.plan();
        let column = |index: &usize| Box::from(self.encoder.column(*index));
        let shown = if self.show_values {
            plan.pairs.len()
        } else {
            0
        };
        Detail {
            key: plan.key.iter().map(column).collect(),
            columns: (0..plan.pairs.len())
                .map(|index| digest_encoded(self.encoder.column(index)))
                .collect(),
            values: (0..shown)
                .map(|index| self.encoder.column(index))
                .map(|value| (!is_null(value)).then(|| describe(value)))
                .collect(),
        }
    }

    /// The rows, sorted by key, then by digest.
    pub(super) fn into_rows(mut self) -> Vec<Row> {
        self.rows.sort_unstable_by_key(|row| (row.key, row.digest));
        self.rows
    }
}

impl Row {
    pub(super) fn key(&self) -> u128 {
        whole(self.key)
    }

    pub(super) fn digest(&self) -> u128 {
        whole(self.digest)
    }

    /// Bytes of a row that is only counted.
    pub(super) fn counted_bytes() -> u64 {
        size_of::<Self>() as u64
    }

    /// Bytes of a row that may be listed.
    pub(super) fn listed_bytes(plan: &TablePlan, show_values: bool) -> u64 {
        let value = if show_values { SHOWN_VALUE_BYTES } else { 0 };
        let columns = plan.pairs.len() as u64 * (size_of::<u128>() as u64 + value);
        Self::counted_bytes() + size_of::<Detail>() as u64 + columns + LISTED_KEY_BYTES
    }
}

fn halves(digest: u128) -> [u64; 2] {
    [(digest >> 64) as u64, digest as u64]
}

fn whole([high, low]: [u64; 2]) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}
