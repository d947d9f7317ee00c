//! What of the target's objects is not as it has to be after a move.

use std::collections::BTreeMap;

use target::LedgerRun;
use verify::CatalogFinding;

use crate::config::Database;
use crate::pairing::TablePair;

/// The kind of what a sequence gives next.
pub(super) const SEQUENCE: &str = "sequence";

/// The values that the target's sequences are to give next: AUTO_INCREMENT's, and the highest
/// where several columns take their numbers from one sequence.
pub(super) fn expected_values(
    pairs: &[TablePair<'_>],
    auto_increments: &BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    let mut expected = BTreeMap::new();
    for pair in pairs {
        let Some(next) = auto_increments.get(&pair.source.name) else {
            continue;
        };
        for column in &pair.target.columns {
            let numbered = pair
                .source
                .column(&column.name)
                .is_some_and(|c| c.auto_increment);
            if let (Some(sequence), true) = (column.sequence_name(), numbered) {
                let highest = expected.entry(sequence.to_owned()).or_insert(*next);
                *highest = (*highest).max(*next);
            }
        }
    }
    expected
}

/// Sequences that would give another value next.
pub(super) fn sequence_findings(
    target: &mut target::Connection,
    expected: BTreeMap<String, u64>,
) -> anyhow::Result<Vec<CatalogFinding>> {
    let mut findings = Vec::new();
    for (sequence, next) in expected {
        let found = target.next_value(&sequence)?;
        if found != i128::from(next) {
            findings.push(CatalogFinding {
                kind: SEQUENCE.to_owned(),
                detail: format!("gives {found} next where the source gives {next}"),
                object: sequence,
            });
        }
    }
    Ok(findings)
}

/// Objects that the import did not leave as they were; where the ledger does not know what they
/// were, those that are not in force.
pub(super) fn object_findings(
    database: &Database,
    target: &mut target::Connection,
    run: Option<&LedgerRun>,
    pairs: &[TablePair<'_>],
) -> anyhow::Result<Vec<CatalogFinding>> {
    let found = match run {
        Some(run) => target.changed_since(&database.ledger, run)?,
        None => {
            let tables = pairs.iter().map(|pair| pair.target.name.as_str());
            let tables: Vec<&str> = tables.collect();
            target.not_in_force(&database.target_schema, &tables)?
        }
    };
    let findings = found.into_iter().map(|found| CatalogFinding {
        kind: found.kind,
        object: found.object,
        detail: found.detail.to_owned(),
    });
    Ok(findings.collect())
}
