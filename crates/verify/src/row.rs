//! One row at a time as canonical bytes, with its key, its columns and their digests.
//!
//! Owns the buffers, which are reused from row to row; keeps no row.

use digest::{Decimal, JsonCanonicalizer, SourceValue, digest_encoded};

use crate::plan::TablePlan;

/// Buffers above this size are given back after the row that needed them: rows of 64 MB are
/// rare, and their memory is wanted elsewhere.
const KEPT_CAPACITY_MAX: usize = 8 * 1024 * 1024;

/// What conversions need beside their input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    /// Whether JSON stands as it is spelled, where the target keeps that: the same spelling is
    /// the same document, and takes no parser.
    pub(crate) json_as_spelled: bool,
    pub(crate) json: JsonCanonicalizer,
    pub(crate) decimal: Decimal,
    pub(crate) text: Vec<u8>,
    /// Numbers of the rules that were applied to the row, some perhaps more than once.
    pub(crate) applied: Vec<usize>,
}

/// Turns rows of either side into canonical bytes.
#[derive(Clone, Debug)]
pub(crate) struct RowEncoder<'p> {
    plan: &'p TablePlan,
    bytes: Vec<u8>,
    /// Where each column ends in `bytes`.
    ends: Vec<usize>,
    scratch: Scratch,
}

impl<'p> RowEncoder<'p> {
    pub(crate) fn new(plan: &'p TablePlan) -> Self {
        Self {
            plan,
            bytes: Vec::new(),
            ends: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// The same with JSON as it is spelled.
    pub(crate) fn spelled(plan: &'p TablePlan) -> Self {
        let mut encoder = Self::new(plan);
        encoder.scratch.json_as_spelled = true;
        encoder
    }

    pub(crate) fn plan(&self) -> &'p TablePlan {
        self.plan
    }

    /// Takes a row of the source, its values in the order of `TablePlan::source_columns`.
    pub(crate) fn encode_source(&mut self, values: &[SourceValue<'_>]) {
        self.begin(values.len());
        for (pair, value) in self.plan.pairs.iter().zip(values) {
            pair.source_projection
                .project(*value, &mut self.scratch, &mut self.bytes);
            self.ends.push(self.bytes.len());
        }
    }

    /// Takes a row of the target, its fields in the order of `TablePlan::target_columns`.
    pub(crate) fn encode_target(&mut self, fields: &[Option<&[u8]>]) {
        self.begin(fields.len());
        for (pair, field) in self.plan.pairs.iter().zip(fields) {
            pair.target_projection
                .project(*field, &mut self.scratch, &mut self.bytes);
            self.ends.push(self.bytes.len());
        }
    }

    fn begin(&mut self, values: usize) {
        assert_eq!(
            values,
            self.plan.pairs.len(),
            "a row has one value for each column of its plan"
        );
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_CAPACITY_MAX);
        self.scratch.text.clear();
        self.scratch.text.shrink_to(KEPT_CAPACITY_MAX);
        self.ends.clear();
        self.scratch.applied.clear();
    }

    /// The digest of the whole row.
    pub(crate) fn digest(&self) -> u128 {
        digest_encoded(&self.bytes)
    }

    /// The digest of the key; of the whole row where there is none.
    pub(crate) fn key_digest(&self, row_digest: u128) -> u128 {
        match self.plan.key.as_slice() {
            [] => row_digest,
            [column] => digest_encoded(self.column(*column)),
            columns => {
                let parts: Vec<&[u8]> = columns.iter().map(|c| self.column(*c)).collect();
                digest_encoded(&parts.concat())
            }
        }
    }

    /// A quick number of the key, equal on both sides, for choosing a bucket.
    pub(crate) fn key_hash(&self, row_digest: u128) -> u64 {
        if self.plan.key.is_empty() {
            return (row_digest >> 64) as u64;
        }
        let columns = self.plan.key.iter();
        columns.fold(0, |hash, column| mix_bytes(hash, self.column(*column)))
    }

    /// The canonical bytes of one column.
    pub(crate) fn column(&self, index: usize) -> &[u8] {
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1],
        };
        &self.bytes[start..self.ends[index]]
    }

    /// Numbers of the rules that were applied to the row.
    pub(crate) fn applied_rules(&self) -> &[usize] {
        &self.scratch.applied
    }
}

/// Multiplies and folds, as wyhash does; spreads keys over buckets and proves nothing.
fn mix_bytes(hash: u64, bytes: &[u8]) -> u64 {
    let mut chunks = bytes.chunks_exact(8);
    let hash = chunks.by_ref().fold(hash, |hash, chunk| {
        let chunk = chunk.try_into().expect("chunks of eight bytes");
        mix(hash, u64::from_le_bytes(chunk))
    });
    let mut last = [0; 8];
    let rest = chunks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    mix(hash ^ bytes.len() as u64, u64::from_le_bytes(last))
}

fn mix(hash: u64, word: u64) -> u64 {
    // The fractional part of the golden ratio, and an odd number without a pattern.
    let product = u128::from(hash ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
    ((product >> 64) as u64) ^ (product as u64)
}
