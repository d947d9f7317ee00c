//! The chunks of an export that are complete, put together to tables.

use std::collections::BTreeMap;

use anyhow::Context;

use catalog::SourceTable;
use dataset::{ChunkDone, ExportPlan, PlannedTable, TableEntry};
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
        let files = || table.done.values().map(|chunk| &chunk.file);
        let rows = files().map(|file| file.rows).sum();
        let bytes = files().map(|file| file.bytes).sum();
        stage.table_done(&name, rows, bytes)
    }

    /// Whether a chunk is complete.
    pub(crate) fn has(&self, table: &str, number: usize) -> bool {
        let table = self.0.get(table);
        table.is_some_and(|table| table.done.contains_key(&number))
    }

    /// A table that has more than one chunk, once all of them are complete.
    pub(crate) fn in_parts<'t>(&self, table: &'t SourceTable) -> Option<Written<'t>> {
        let found = self.0.get(&table.name).filter(|found| found.planned > 1)?;
        let rows = found.done.values().map(|chunk| chunk.file.rows).sum();
        Some(Written { table, rows })
    }

    /// Takes a table of which all chunks are complete.
    pub(crate) fn take(&mut self, planned: &PlannedTable) -> anyhow::Result<TableEntry> {
        let table = self.0.remove(&planned.name).unwrap_or_default();
        anyhow::ensure!(
            table.done.len() == planned.chunks.len(),
            "`{}` has {} chunks of {}",
            planned.name,
            table.done.len(),
            planned.chunks.len()
        );
        let mut digest = TableDigest::default();
        let mut files = Vec::new();
        for chunk in table.done.into_values() {
            let part: TableDigest = chunk.digest.parse()?;
            anyhow::ensure!(part.count == chunk.file.rows, "a chunk miscounts its rows");
            digest.merge(part);
            files.push(chunk.file);
        }
        Ok(TableEntry {
            name: planned.name.clone(),
            columns: planned.columns.clone(),
            row_count: digest.count,
            left_out: 0,
            digest: digest.to_string(),
            auto_increment: planned.auto_increment,
            files,
        })
    }
}
