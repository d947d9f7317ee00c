//! The chunks of an export that are complete, put together to tables.

use std::collections::BTreeMap;

use anyhow::Context;

use catalog::SourceTable;
use dataset::{ChunkDone, ConvertedChunk, ExportPlan, PlannedTable, TableEntry};
use digest::TableDigest;

use crate::command::export::witness::Written;
use crate::run::StageRun;

/// Complete chunks by number, for each table.
#[derive(Debug)]
pub(crate) struct Chunks(BTreeMap<String, Table>);

#[derive(Debug, Default)]
struct Table {
    planned: usize,
    done: BTreeMap<usize, ChunkDone>,
}

impl Chunks {
    /// None of a plan.
    pub(crate) fn of(plan: &ExportPlan) -> Self {
        let tables = plan.tables.iter().map(|table| {
            let none = Table {
                planned: table.chunks.len(),
                ..Table::default()
            };
            (table.name.clone(), none)
        });
        Self(tables.collect())
    }

    /// Enters a chunk, and its table where it is the last one.
    pub(crate) fn add(&mut self, stage: &mut StageRun<'_>, chunk: ChunkDone) -> anyhow::Result<()> {
        let name = chunk.table.clone();
        let table = self.0.get_mut(&name).context("a chunk of no table")?;
        table.done.insert(chunk.number, chunk);
        if table.done.len() < table.planned {
            return Ok(());
        }
        let bytes = table.done.values().map(bytes_of).sum();
        let rows = table.digest()?.count;
        stage.table_done(&name, rows, bytes)
    }

    /// Whether a chunk is complete.
    pub(crate) fn has(&self, table: &str, number: usize) -> bool {
        let table = self.0.get(table);
        table.is_some_and(|table| table.done.contains_key(&number))
    }

    /// A table that has more than one chunk, once all of them are complete.
    pub(crate) fn in_parts<'t>(
        &self,
        table: &'t SourceTable,
    ) -> anyhow::Result<Option<Written<'t>>> {
        let found = self.0.get(&table.name).filter(|found| found.planned > 1);
        let written = found.map(|found| {
            let rows = found.digest()?.count;
            Ok(Written { table, rows })
        });
        written.transpose()
    }

    /// Takes a table of which all chunks are complete, and what they were converted to, by number.
    pub(crate) fn take(
        &mut self,
        planned: &PlannedTable,
    ) -> anyhow::Result<(TableEntry, BTreeMap<usize, ConvertedChunk>)> {
        let table = self.0.remove(&planned.name).unwrap_or_default();
        anyhow::ensure!(
            table.done.len() == planned.chunks.len(),
            "`{}` has {} chunks of {}",
            planned.name,
            table.done.len(),
            planned.chunks.len()
        );
        let digest = table.digest()?;
        let (mut files, mut converted) = (Vec::new(), BTreeMap::new());
        for chunk in table.done.into_values() {
            files.extend(chunk.file);
            converted.extend(chunk.converted.map(|became| (chunk.number, became)));
        }
        let entry = TableEntry {
            name: planned.name.clone(),
            columns: planned.columns.clone(),
            row_count: digest.count,
            left_out: 0,
            digest: digest.to_string(),
            auto_increment: planned.auto_increment,
            files,
        };
        Ok((entry, converted))
    }
}

impl Table {
    /// Of the rows as they were read.
    fn digest(&self) -> anyhow::Result<TableDigest> {
        let mut digest = TableDigest::default();
        for chunk in self.done.values() {
            let part: TableDigest = chunk.digest.parse()?;
            let converted = chunk.converted.as_ref().map(|converted| &converted.file);
            let mut files = chunk.file.iter().chain(converted);
            anyhow::ensure!(
                files.all(|file| file.rows == part.count),
                "a chunk miscounts its rows"
            );
            anyhow::ensure!(
                digest.count.checked_add(part.count).is_some(),
                "the chunks have more rows than can be"
            );
            digest.merge(part);
        }
        Ok(digest)
    }
}

/// Bytes of a chunk's file, of that which is loaded where there are two.
fn bytes_of(chunk: &ChunkDone) -> u64 {
    let converted = chunk.converted.as_ref().map(|converted| &converted.file);
    let file = converted.or(chunk.file.as_ref());
    file.map_or(0, |file| file.bytes)
}
