//! The checks of meaning: each question is asked of both databases at the moment of the comparison.

use source::Snapshot;
use verify::Check;

use catalog::quote;

use crate::config::SemanticCheck;
use crate::console::counted;
use crate::exit::Failure;
use crate::run::StageRun;

/// Both spell names in double quotes while checks are asked, and join texts by `||`.
const SOURCE_MODE: &str = "set session sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'";
/// As every other reading of the source has it.
const PLAIN_MODE: &str = "set session sql_mode = ''";
/// An answer is held in memory.
const ANSWER_ROWS_MAX: usize = 100_000;

type Rows = Vec<Vec<Option<String>>>;

/// Asks all questions of a database, in the transactions of the comparison.
pub(super) fn ask(
    stage: &StageRun<'_>,
    snapshot: &mut Snapshot,
    target: &mut target::Connection,
) -> anyhow::Result<Vec<Check>> {
    let database = stage.database;
    if database.checks.is_empty() {
        return Ok(Vec::new());
    }
    let reader = snapshot.reader();
    let cancel = reader.cancel();
    let _source_cancelled = stage.interrupt.cancels_by(move || cancel.cancel());
    let _target_cancelled = stage.interrupt.cancels(target.cancel());
    // Questions name tables without their database; nothing comes after them in this transaction
    // of the target.
    let name = quote::mysql(database.source_name());
    reader.query_text(&format!("use {name}"))?;
    reader.query_text(SOURCE_MODE)?;
    let schema = quote::postgres(&database.target_schema);
    target.batch_execute(&format!("set local search_path = {schema}"))?;
    let mut checks = Vec::new();
    for check in &database.checks {
        let source = reader.query_text(&check.for_source);
        stage.interrupt.check()?;
        let source = source.map_err(|error| refused(check, "source", &error))?;
        let there = target.query_text(&check.for_target);
        stage.interrupt.check()?;
        let there = there.map_err(|error| refused(check, "target", &error))?;
        if source.len().max(there.len()) > ANSWER_ROWS_MAX {
            let message = format!(
                "check `{}: {}` has more than {ANSWER_ROWS_MAX} rows as its answer",
                check.group, check.name
            );
            return Err(Failure::usage(message)
                .hint("count or sum up in the query")
                .into());
        }
        let (passed, what) = compare(check, source, there);
        if let Some(what) = what {
            stage.console.line(&format!(
                "check      {} {}: {}: {what}",
                database.name, check.group, check.name
            ));
        }
        checks.push(Check {
            group: check.group.clone(),
            name: check.name.clone(),
            passed,
        });
    }
    reader.query_text(PLAIN_MODE)?;
    Ok(checks)
}

/// Whether both sides answer alike, and what there is to say; in which order rows come means
/// nothing.
fn compare(check: &SemanticCheck, mut source: Rows, mut target: Rows) -> (bool, Option<String>) {
    source.sort();
    target.sort();
    let rows = |rows: &Rows| counted(rows.len() as u64, "row");
    match (source == target, check.none) {
        // What was so before the move is not of its making.
        (true, true) if !target.is_empty() => {
            let note = format!("violated by {}, the same in the source", rows(&target));
            (true, Some(note))
        }
        (true, _) => (true, None),
        (false, true) => {
            let (source, target) = (rows(&source), rows(&target));
            let why = format!("FAILED: violated by {target}, and by {source} of the source");
            (false, Some(why))
        }
        (false, false) => (
            false,
            Some("FAILED: the source has another answer".to_owned()),
        ),
    }
}

fn refused(check: &SemanticCheck, side: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!(
        "check `{}: {}` is refused by the {side}: {error}",
        check.group, check.name
    ))
    .hint("a check has to be SQL that both servers understand; names stand in double quotes")
}
