//! `rehearse`: the whole way there, back, and there again, with proof at every turn.
//!
//! Starts no servers and makes no schemas: those that the configuration names are used.

use std::env;

use serde::Serialize;

use ::verify::Verdict;
use target::{Fingerprint, Leftovers};

use crate::args::{CommonArgs, LockArgs, ReadingArgs};
use crate::command::migrate::{self, Migration};
use crate::command::rollback::{self, Later, Loaded};
use crate::command::{assess, doctor, import, verify};
use crate::config::{Database, Environment};
use crate::console::{Console, bytes_text, text_table, thousands};
use crate::exit::{DIFFERENT, Failure};
use crate::interrupt::Interrupt;
use crate::lost::{REHEARSE, Side, Task, Work};
use crate::report;
use crate::run::{Run, Session};
use crate::text::Text;

/// How many differing rows are listed; a rehearsal that differs is looked into with `verify`.
const SAMPLES: usize = 20;
/// Text for the end of a rehearsal, whatever came of it: `cargo xtask rehearse` says here that
/// the servers it started keep running.
const AFTERWORD_VARIABLE: &str = "CONVERGE_REHEARSE_AFTERWORD";
const FINGERPRINT: Task = Task {
    name: REHEARSE,
    sides: &[Side::Target],
    leaves: "a fingerprint only reads: `{status}` says what the target holds",
    is_kept: false,
};

/// What `rehearse --output json` prints.
#[derive(Debug, Serialize)]
struct Document {
    schema_version: u32,
    run_id: String,
    verdict: Verdict,
    databases: Vec<Summary>,
}

/// A line of the table at the end.
#[derive(Debug, Serialize)]
struct Summary {
    database: String,
    tables: u64,
    rows: u64,
    bytes: u64,
    export_seconds: f64,
    transform_seconds: f64,
    import_seconds: f64,
    verify_seconds: f64,
    /// Rows that were compared and found equal.
    verified: u64,
    verdict: Verdict,
}

pub(crate) fn run(args: &CommonArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let rehearsed = rehearse(args, interrupt);
    if let Ok(text) = env::var(AFTERWORD_VARIABLE) {
        Console::new(args.output).line(&text);
    }
    rehearsed
}

fn rehearse(args: &CommonArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let session = Session::open(args, interrupt)?;
    if session.config.environment == Environment::Production {
        return Err(
            Failure::usage("a rehearsal loads and empties the target: not in production")
                .hint("rehearse on a copy, with `environment: staging`")
                .into(),
        );
    }
    let checks = doctor::examine(&session)?;
    let failed = doctor::failures(&checks);
    session.console.line(&format!(
        "doctor     {} checks, {failed} failed",
        checks.len()
    ));
    if failed > 0 {
        session.console.text(&doctor::human(&checks).and(""));
        return Err(doctor::blocked(failed).into());
    }
    let mut run = session.begin(args)?;
    let before = fingerprints(&run)?;
    assess::stage(&mut run, LockArgs::default())?;
    migrate_and_verify(&mut run)?;
    roll_back(&mut run)?;
    prove_as_before(&run, &before)?;
    let (migration, verified) = migrate_and_verify(&mut run)?;
    let document = summarize(&run, &migration, &verified);
    run.console.result(&human(&document), &document)?;
    Ok(())
}

fn migrate_and_verify(run: &mut Run) -> anyhow::Result<(Migration, verify::Verified)> {
    import::preflight(run)?;
    let migration = migrate::stages(run, &ReadingArgs::default(), (false, false))?;
    let look = verify::Look::at_all(SAMPLES);
    let verified = verify::stage(run, look)?;
    verified.record(run, look)?;
    if verified.report.verdict != Verdict::Equal {
        run.console.text(&report::human(&verified.report).and(""));
        return Err(verify::different(&verified).into());
    }
    Ok((migration, verified))
}

fn fingerprints(run: &Run) -> anyhow::Result<Vec<Fingerprint>> {
    let databases = run.config.databases.iter();
    databases
        .map(|database| fingerprint(run, database))
        .collect()
}

fn fingerprint(run: &Run, database: &Database) -> anyhow::Result<Fingerprint> {
    run.interrupt.check()?;
    Work::outside(&FINGERPRINT, &run.call, database).watched(database, || {
        let mut connection = target::Connection::open(&database.target)?;
        let schema = &database.target_schema;
        Ok(target::fingerprint(&mut connection, schema)?)
    })
}

fn roll_back(run: &mut Run) -> anyhow::Result<()> {
    let databases = &run.config.databases;
    for (index, database) in databases.iter().enumerate() {
        let name = &database.name;
        let mut loaded = Loaded::find(&rollback::TASK, &run.call, database)?;
        let done = databases[..index].iter().map(|database| &database.name);
        loaded.roll_back(&Later::Kept, Leftovers::WaitedFor, done)?;
        let Some(ledger) = loaded.run() else {
            anyhow::bail!("the ledger of `{name}` lost its run");
        };
        let tables = ledger.tables.len();
        run.directory.add_target_stage("rollback", name, ledger)?;
        run.console
            .line(&format!("rollback   {name:<12} {tables:>3} tables"));
    }
    Ok(())
}

/// Compares rows, definitions and sequences of the targets with those before the first import.
fn prove_as_before(run: &Run, before: &[Fingerprint]) -> anyhow::Result<()> {
    for (database, before) in run.config.databases.iter().zip(before) {
        let differences = before.differences(&fingerprint(run, database)?);
        let name = &database.name;
        if !differences.is_empty() {
            return Err(Failure::new(
                DIFFERENT,
                format!(
                    "target `{name}` is not as it was before the import: {}",
                    differences.join(", ")
                ),
            )
            .hint("this is a fault of the tool: please report it with this line")
            .into());
        }
        let objects = before.len();
        run.console.line(&format!(
            "as before  {name:<12} {objects:>3} objects compared"
        ));
    }
    Ok(())
}

fn summarize(run: &Run, migration: &Migration, verified: &verify::Verified) -> Document {
    let mut databases = Vec::new();
    for (index, outcome) in migration.import.iter().enumerate() {
        let report = &verified.report.databases[index];
        let equal = report.tables.iter().filter(|table| table.equal);
        databases.push(Summary {
            database: outcome.database.clone(),
            tables: outcome.tables,
            rows: outcome.rows,
            bytes: outcome.bytes,
            export_seconds: migration.export[index].seconds,
            transform_seconds: migration.transform[index].seconds,
            import_seconds: outcome.seconds,
            verify_seconds: verified.outcomes[index].seconds,
            verified: equal.map(|table| table.target_rows).sum(),
            verdict: verified.report.verdict,
        });
    }
    Document {
        schema_version: 1,
        run_id: run.directory.run_id().to_owned(),
        verdict: verified.report.verdict,
        databases,
    }
}

fn human(document: &Document) -> Text {
    let seconds = |value: f64| format!("{value:.1} s");
    let rows: Vec<Vec<String>> = document
        .databases
        .iter()
        .map(|summary| {
            vec![
                summary.database.clone(),
                summary.tables.to_string(),
                thousands(summary.rows),
                bytes_text(summary.bytes),
                seconds(summary.export_seconds),
                seconds(summary.transform_seconds),
                seconds(summary.import_seconds),
                seconds(summary.verify_seconds),
                summary.verdict.name().to_owned(),
            ]
        })
        .collect();
    let header = [
        "database",
        "tables",
        "rows",
        "bytes",
        "export",
        "transform",
        "import",
        "verify",
        "",
    ];
    let mut text = Text::from("");
    text.append(text_table(&header, &rows));
    text.line("");
    text.and("moved, verified, rolled back, proven as before, moved and verified again")
}
