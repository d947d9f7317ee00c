//! `migrate`: assess, export, transform, import and verify; rows are converted, and loaded, as
//! they are read.

use serde::Serialize;

use target::Leftovers;

use ::verify::{Verdict, VerifyReport};

use crate::args::{MigrateArgs, ReadingArgs};
use crate::call::next;
use crate::command::assess::AssessmentSummary;
use crate::command::import::{Manner, ahead};
use crate::command::{assess, export, import, transform, verify};
use crate::fence::Fence;
use crate::interrupt::Interrupt;
use crate::report;
use crate::run::{Run, Session, StageOutcome};
use crate::text::Text;

/// What `migrate --output json` prints.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema_version: u32,
    run_id: &'a str,
    /// `partial` with `--no-verify`.
    verdict: Verdict,
    /// `null` with `--skip-assess`.
    assess: Option<AssessmentSummary>,
    export: &'a [StageOutcome],
    transform: &'a [StageOutcome],
    import: &'a [StageOutcome],
    /// `null` with `--no-verify`.
    verify: Option<&'a VerifyReport>,
}

/// What the stages of a migration did.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) export: Vec<StageOutcome>,
    pub(crate) transform: Vec<StageOutcome>,
    pub(crate) import: Vec<StageOutcome>,
}

pub(crate) fn run(args: &MigrateArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let mut run = Session::open(&args.common, interrupt)?.begin(&args.common)?;
    ahead::take_back(&mut run)?;
    import::preflight(&run)?;
    let fence = match args.is_final {
        true => Some(Fence::raise(&run, args.source_frozen)?),
        false => None,
    };
    let assessed = match args.skip_assess {
        true => {
            run.console
                .line("assess     skipped: nothing is known of what the target refuses");
            None
        }
        false => Some(assess::stage(&mut run, args.reading.lock)?.summary()),
    };
    let migration = stages(&mut run, &args.reading, (args.keep_export, args.refresh))?;
    let mut verified = match args.no_verify {
        true => None,
        false => Some(verify::stage(
            &mut run,
            verify::Look::at_all(args.samples.samples),
        )?),
    };
    if let (Some(fence), Some(verified)) = (&fence, &mut verified) {
        verified.have_moved(fence.moved(&run)?);
    }
    if let Some(verified) = &verified {
        let look = verify::Look::at_all(args.samples.samples);
        verified.record(&mut run, look)?;
    }
    let report = verified.as_ref().map(|verified| &verified.report);
    let mut human = Text::new();
    if assessed.is_none() {
        human.line("not assessed (--skip-assess)");
    }
    human.append(match report {
        None => {
            Text::from("verdict: partial (not verified)").and(format!("next: {}", next("verify")))
        }
        Some(report) if report.verdict == Verdict::Equal => report::human(report).and(format!(
            "next: {}, or {}",
            next("finalize"),
            next("rollback")
        )),
        Some(report) => report::human(report),
    });
    let document = Document {
        schema_version: 1,
        run_id: run.directory.run_id(),
        verdict: report.map_or(Verdict::Partial, |report| report.verdict),
        assess: assessed,
        export: &migration.export,
        transform: &migration.transform,
        import: &migration.import,
        verify: report,
    };
    run.console.result(&human, &document)?;
    match &verified {
        Some(verified) if verified.report.verdict != Verdict::Equal => {
            Err(verify::different(verified).into())
        }
        _ => Ok(()),
    }
}

/// Everything from the export to the import.
pub(crate) fn stages(
    run: &mut Run,
    reading: &ReadingArgs,
    (keep_export, refresh): (bool, bool),
) -> anyhow::Result<Migration> {
    let read = read(run, reading, keep_export).map_err(|error| ahead::taken_back(run, error))?;
    let manner = Manner {
        leftovers: Leftovers::WaitedFor,
        refresh,
        ahead: &read.ahead,
    };
    let import =
        import::stage(run, manner).map_err(|error| ahead::taken_back_with_the_last(run, error))?;
    Ok(Migration {
        export: read.export,
        transform: read.transform,
        import,
    })
}

/// What was done before the import.
struct Read {
    export: Vec<StageOutcome>,
    transform: Vec<StageOutcome>,
    /// Databases of which rows are loaded already.
    ahead: Vec<String>,
}

/// Reads the source, converts its rows, and loads them as far as that does not depend on all.
fn read(run: &mut Run, reading: &ReadingArgs, keep_export: bool) -> anyhow::Result<Read> {
    let (export, exported) = export::converting_stage(run, reading, keep_export)?;
    let ahead = exported.iter().filter(|(_, exported)| exported.is_loading);
    let ahead = ahead.map(|(name, _)| name.clone()).collect();
    let transform = transform::stage_of_exported(run, exported)?;
    Ok(Read {
        export,
        transform,
        ahead,
    })
}
