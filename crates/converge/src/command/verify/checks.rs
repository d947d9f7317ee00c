//! The checks of meaning: each question is asked of both databases at the moment of the comparison.

use source::Snapshot;
use verify::Check;

use catalog::quote;

use crate::config::{Database, SemanticCheck};
use crate::console::{counted, first_of};
use crate::exit::Failure;
use crate::findings_file;
use crate::run::StageRun;

/// Both spell names in double quotes while checks are asked, and join texts by `||`.
const SOURCE_MODE: &str =
    "set session sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'";
/// As every other reading of the source has it.
const PLAIN_MODE: &str = "set session sql_mode = ''";
/// Enough to know what to ask the source about.
const VIOLATED_SHOWN: usize = 3;
/// An answer is held in memory.
const ANSWER_ROWS_MAX: usize = 100_000;

type Rows = Vec<Vec<Option<String>>>;

/// The questions of a database; none where it names no directory.
pub(super) fn of_database(database: &Database) -> Result<Vec<SemanticCheck>, Failure> {
    match &database.checks {
        Some(directory) => SemanticCheck::read(directory),
        None => Ok(Vec::new()),
    }
}

/// Asks all questions of a database, in the transactions of the comparison.
pub(super) fn ask(
    stage: &StageRun<'_>,
    snapshot: &mut Snapshot,
    target: &mut target::Connection,
) -> anyhow::Result<Vec<Check>> {
    let database = stage.database;
    let questions = of_database(database)?;
    if questions.is_empty() {
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
    let schema = database.target_schema.as_str();
    let texts = questions.iter().map(|check| check.for_target.as_str());
    target
        .check_shadows(&[schema], texts)
        .map_err(|error| strange_code(database, &error))?;
    let schema = quote::postgres(schema);
    target.batch_execute(&format!("set local search_path = {schema}"))?;
    let (mut checks, mut in_both) = (Vec::new(), Vec::new());
    for check in &questions {
        let source = reader.query_text(&check.for_source);
        stage.interrupt.check()?;
        // The server that is gone ends the comparison; one that refuses fails the check alone.
        let source = match source {
            Err(error) if error.is_lost_connection() => return Err(error.into()),
            answer => answer.map_err(|error| format!("refused by the source: {error}")),
        };
        target.batch_execute("savepoint question")?;
        let there = target.query_text(&check.for_target);
        stage.interrupt.check()?;
        let there = match there {
            Err(error) if error.is_lost_connection() => return Err(error.into()),
            answer => answer.map_err(|error| format!("refused by the target: {error}")),
        };
        target.batch_execute("rollback to savepoint question")?;
        let mut violations = 0;
        let rows = there.as_ref().map_or(0, Vec::len) as u64;
        let failed = compare(check, source, there).err();
        if let Some(why) = &failed {
            stage.console.line(&format!(
                "check      {} {}: {}: FAILED: {why}",
                database.name, check.group, check.name
            ));
        } else if check.none && rows > 0 {
            // What was so before the move is not of its making.
            violations = rows;
            let rows = counted(rows, "row");
            in_both.push(format!("{}: {} ({rows})", check.group, check.name));
        }
        checks.push(Check {
            group: check.group.clone(),
            name: check.name.clone(),
            passed: failed.is_none(),
            violations,
        });
    }
    if !in_both.is_empty() {
        let list = match in_both.len() > VIOLATED_SHOWN {
            true => {
                let directory = stage.directory.database_dir(&database.name, "")?;
                let file = directory.join(findings_file::FILE);
                format!("; {} has all `violations`", file.display())
            }
            false => String::new(),
        };
        stage.console.line(&format!(
            "note: the rows of `{}` violate {} of {}, and violated them in the source: {}{list}",
            database.name,
            in_both.len(),
            counted(questions.len() as u64, "check"),
            first_of(&in_both, VIOLATED_SHOWN)
        ));
    }
    reader.query_text(PLAIN_MODE)?;
    Ok(checks)
}

/// A question must not run what another role has put into the schema.
fn strange_code(database: &Database, error: &target::Error) -> anyhow::Error {
    let message = format!("the checks of `{}` are not asked: {error}", database.name);
    Failure::blocked(message)
        .hint(
            "nothing was changed; in the checks, write `pg_catalog.` before PostgreSQL's functions",
        )
        .into()
}

/// Why a check has failed, where the sides do not answer alike; in which order rows come means
/// nothing.
fn compare(
    check: &SemanticCheck,
    source: Result<Rows, String>,
    target: Result<Rows, String>,
) -> Result<(), String> {
    let (mut source, mut target) = (source?, target?);
    if source.len().max(target.len()) > ANSWER_ROWS_MAX {
        return Err(format!("an answer has more than {ANSWER_ROWS_MAX} rows"));
    }
    source.sort();
    target.sort();
    let rows = |rows: &Rows| counted(rows.len() as u64, "row");
    match check.none {
        // What was violated before is not of the move's making, and may have been mended by it.
        true if is_part(&target, &source) => Ok(()),
        true => Err(format!(
            "violated by {}, and by {} of the source",
            rows(&target),
            rows(&source)
        )),
        false if source == target => Ok(()),
        false => Err("the source has another answer".to_owned()),
    }
}

/// Whether all rows of the first are among the others, as often; both are sorted.
fn is_part(rows: &Rows, others: &Rows) -> bool {
    let mut others = others.iter();
    rows.iter().all(|row| others.any(|other| other == row))
}
