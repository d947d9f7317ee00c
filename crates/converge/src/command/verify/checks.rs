//! The checks of meaning: each question is asked of both databases at the moment of the comparison.

use source::Snapshot;
use verify::Check;

use catalog::quote;

use crate::config::SemanticCheck;
use crate::console::{counted, first_of};
use crate::exit::Failure;
use crate::run::StageRun;

/// Both spell names in double quotes while checks are asked, and join texts by `||`.
const SOURCE_MODE: &str = "set session sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'";
/// As every other reading of the source has it.
const PLAIN_MODE: &str = "set session sql_mode = ''";
/// Enough to know what to ask the source about.
const VIOLATED_SHOWN: usize = 3;
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
    let (mut checks, mut in_both) = (Vec::new(), Vec::new());
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
        let rows = there.len() as u64;
        let failed = compare(check, source, there).err();
        if let Some(why) = &failed {
            stage.console.line(&format!(
                "check      {} {}: {}: FAILED: {why}",
                database.name, check.group, check.name
            ));
        } else if check.none && rows > 0 {
            // What was so before the move is not of its making.
            let rows = counted(rows, "row");
            in_both.push(format!("{}: {} ({rows})", check.group, check.name));
        }
        checks.push(Check {
            group: check.group.clone(),
            name: check.name.clone(),
            passed: failed.is_none(),
        });
    }
    if !in_both.is_empty() {
        stage.console.line(&format!(
            "note: the rows of `{}` violate {} of {} on both sides alike: {}",
            database.name,
            in_both.len(),
            counted(database.checks.len() as u64, "check"),
            first_of(&in_both, VIOLATED_SHOWN)
        ));
    }
    reader.query_text(PLAIN_MODE)?;
    Ok(checks)
}

/// Why a check has failed, where the sides do not answer alike; in which order rows come means
/// nothing.
fn compare(check: &SemanticCheck, mut source: Rows, mut target: Rows) -> Result<(), String> {
    source.sort();
    target.sort();
    let rows = |rows: &Rows| counted(rows.len() as u64, "row");
    match (source == target, check.none) {
        (true, _) => Ok(()),
        (false, true) => Err(format!(
            "violated by {}, and by {} of the source",
            rows(&target),
            rows(&source)
        )),
        (false, false) => Err("the source has another answer".to_owned()),
    }
}

fn refused(check: &SemanticCheck, side: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!(
        "check `{}: {}` is refused by the {side}: {error}",
        check.group, check.name
    ))
    .hint("a check has to be SQL that both servers understand; names stand in double quotes")
}
