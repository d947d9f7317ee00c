//! Converts the rows of a chunk as they are read, so that they are written once.

use dataset::{ConvertedChunk, Record};
use digest::{TableDigest, digest_fields};
use target::Rows;
use transform::TablePlan;

use super::chunk_csv::ChunkCsv;
use crate::command::transform::{Changes, Places, rejected};

/// A chunk on its way to what the target takes.
pub(super) struct Converting<'r, 't> {
    plan: TablePlan,
    converted: Record,
    csv: ChunkCsv,
    changes: Changes,
    digest: TableDigest,
    /// Where they are loaded at once.
    rows: Option<&'r mut Rows<'t>>,
}

impl<'r, 't> Converting<'r, 't> {
    pub(super) fn create(
        plan: &TablePlan,
        places: &Places,
        name: &str,
        rows: Option<&'r mut Rows<'t>>,
    ) -> anyhow::Result<Self> {
        let header = plan.columns().iter().map(|column| column.name());
        Ok(Self {
            csv: ChunkCsv::create(&places.transformed, name, header)?,
            plan: plan.clone(),
            converted: Record::new(),
            changes: Changes::new(&places.rejected, name),
            digest: TableDigest::default(),
            rows,
        })
    }

    /// Takes a row as it was read, with its number within the chunk and its digest.
    ///
    /// # Errors
    /// Where a value cannot be converted, those of the file system, and where the target refuses
    /// a row.
    pub(super) fn write(&mut self, read: &Record, number: u64, digest: u128) -> anyhow::Result<()> {
        let converted = self.plan.convert(read, &mut self.converted, number);
        converted.map_err(|rejection| rejected(&rejection))?;
        self.changes.see(&self.plan, read, number)?;
        // Most rows come through as they were.
        self.digest.add(match self.converted == *read {
            true => digest,
            false => digest_fields(self.converted.iter()),
        });
        self.csv.write(&self.converted)?;
        match &mut self.rows {
            Some(rows) => Ok(rows.send(&self.converted)?),
            None => Ok(()),
        }
    }

    pub(super) fn finish(
        self,
        keys: &(Vec<String>, Vec<String>),
    ) -> anyhow::Result<ConvertedChunk> {
        self.changes.finish()?;
        let rules = self.plan.rule_counts().filter(|(_, rows)| *rows > 0);
        Ok(ConvertedChunk {
            digest: self.digest.to_string(),
            rules: rules.map(|(rule, rows)| (rule.to_owned(), rows)).collect(),
            file: self.csv.finish(keys)?,
        })
    }
}
