//! The plan of an export: which chunks each table has, the largest table first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use dataset::{ExportPlan, PlannedTable, SourceEntry};
use source::Snapshot;

use crate::command::export::columns;
use crate::config::Database;
use crate::pairing::TablePair;
use crate::run::StageRun;

/// Large enough that a file costs nothing beside its bytes, small enough that a lost one is soon
/// read again.
const CHUNK_BYTES_MAX: u64 = 16 << 20;

/// Cuts all tables into chunks; `estimates` are about how many bytes each has.
pub(crate) fn make(
    stage: &StageRun<'_>,
    snapshot: &mut Snapshot,
    (pairs, estimates): (&[TablePair<'_>], &BTreeMap<String, u64>),
    (converts, schema_digest): (bool, String),
    export_id: &str,
) -> anyhow::Result<ExportPlan> {
    let (name, interrupt) = (stage.database.source_name(), stage.interrupt);
    let auto_increments = snapshot.auto_increments(name)?;
    let source = SourceEntry {
        server: snapshot.server().clone(),
        export_id: export_id.to_owned(),
        snapshot: snapshot.method(),
        coordinates: snapshot.coordinates().cloned(),
    };
    let reader = snapshot.reader();
    let mut tables = Vec::new();
    for pair in pairs {
        let check = || Ok::<_, anyhow::Error>(interrupt.check()?);
        tables.push(PlannedTable {
            name: pair.source.name.clone(),
            columns: columns(*pair),
            auto_increment: auto_increments.get(&pair.source.name).copied(),
            chunks: reader.plan_chunks(name, pair.source, CHUNK_BYTES_MAX, check)?,
        });
    }
    // What is begun last holds up the end, so that is something small. The server's estimate
    // may be of yesterday, and is all that there is of a table without a key.
    tables.sort_by_key(|table| {
        let cut = (table.chunks.len() as u64 - 1) * CHUNK_BYTES_MAX;
        Reverse(cut.max(estimates.get(&table.name).copied().unwrap_or_default()))
    });
    Ok(ExportPlan::new(source, (converts, schema_digest), tables))
}

/// Stands for the definitions of all tables on both sides, without what moves with the rows; and
/// for the rules, where rows are converted.
pub(crate) fn schema_digest(
    database: &Database,
    pairs: &[TablePair<'_>],
    converts: bool,
) -> anyhow::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for pair in pairs {
        let mut source = pair.source.clone();
        source.auto_increment = None;
        hasher.update(&serde_json::to_vec(&(source, pair.target))?);
    }
    if converts {
        let rules = (&database.rules, &database.datetime_zone);
        hasher.update(format!("{} {rules:?}", env!("CARGO_PKG_VERSION")).as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}
