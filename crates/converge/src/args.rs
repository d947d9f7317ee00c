//! The command line, as it was typed.
//!
//! Nothing is read or decided here; `config.rs` makes of it what is needed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use verify::{Compared, Verdict};

use crate::console::OutputFormat;

/// Moves MySQL databases to PostgreSQL and proves that every row and column arrived.
#[derive(Debug, Parser)]
#[command(name = "converge", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check connections, versions, privileges, schemas and that the target is ready
    Doctor(CommonArgs),
    /// Generate the PostgreSQL schema, make it, or check that its owner has made it
    Baseline(BaselineArgs),
    /// Look at all data for what the target would refuse or change, before anything moves
    Assess(AssessArgs),
    /// Read the source into CSV files, all tables at one point in time
    Export(ExportArgs),
    /// Convert the exported files to what the target takes
    Transform(TransformArgs),
    /// Load the transformed files, all or nothing
    Import(ImportArgs),
    /// Compare every column of every row of source and target
    Verify(VerifyArgs),
    /// Assess, export, transform, import and verify
    Migrate(MigrateArgs),
    /// Bring the target back to the state before the import
    Rollback(RollbackArgs),
    /// Drop the ledger and the rows that it kept; no rollback after this
    Finalize(FinalizeArgs),
    /// Say what a run did and what comes next
    Status(CommonArgs),
    /// Doctor, assess, migrate, verify, roll back, prove it, migrate and verify again
    Rehearse(CommonArgs),
}

/// The configuration where none is named.
pub(crate) const DEFAULT_CONFIG: &str = "alkemio.yml";

/// Users of the source hardly notice a wait of this length.
const LOCK_WAIT_SECONDS: u16 = 5;

/// Options of all commands.
#[derive(Clone, Debug, Args)]
pub(crate) struct CommonArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(crate) config: PathBuf,
    /// Only this database of the configuration (repeatable; all by default)
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Vec<String>,
    /// Run directory (a new one below `runs`, or the newest for stages that continue a run)
    #[arg(long, value_name = "DIR")]
    pub(crate) run: Option<PathBuf>,
    /// Workers that read the source or convert files side by side (as many as there are processors
    /// by default)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Form of the output on stdout
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) output: OutputFormat,
    /// Answer questions with yes; never widens what is lost
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    #[command(subcommand)]
    pub(crate) action: BaselineAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineAction {
    /// Write the source's schema down as SQL of PostgreSQL
    Generate(GenerateArgs),
    /// Apply a baseline to an empty target, or check that the schema's owner has applied his
    Apply {
        #[command(flatten)]
        common: CommonArgs,
        /// Directory with `<database>/pre_data.sql` and `<database>/post_data.sql` (a run's by default)
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
    },
    /// Compare a live target with what is expected of it
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Directory for `<database>/pre_data.sql` and `<database>/post_data.sql` (a run's by default)
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// What to write
    #[arg(long, value_enum, default_value = "sql")]
    pub(crate) format: BaselineFormat,
    /// Write nothing; fail where the files of --out are not what would be written
    #[arg(long, requires = "out")]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Expect a baseline: directory with `<database>/pre_data.sql` and `post_data.sql` (by
    /// default the source's schema under the type map is expected)
    #[arg(long, value_name = "DIR", conflicts_with = "catalog")]
    pub(crate) from: Option<PathBuf>,
    /// Expect a catalogue: directory with `<database>/catalog.target.json`, such as a run's
    #[arg(long, value_name = "DIR")]
    pub(crate) catalog: Option<PathBuf>,
    /// Database in which a scratch schema is made and rolled back (the target by default);
    /// `${NAME}` is replaced from the environment
    #[arg(long, value_name = "URL")]
    pub(crate) scratch: Option<String>,
    /// Compare the names of constraints, indexes, sequences and types, too
    #[arg(long)]
    pub(crate) names: bool,
}

/// What `baseline generate` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BaselineFormat {
    /// `pre_data.sql` and `post_data.sql`.
    Sql,
    /// These, and a migration class of TypeORM.
    Typeorm,
}

#[derive(Debug, Args)]
pub(crate) struct AssessArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    /// Write the rules that an operator would have to accept into a new file, commented out
    #[arg(long, value_name = "FILE")]
    pub(crate) write_rules: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
}

/// How the source is held at one moment.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LockArgs {
    /// How long to wait, three times, for the lock under which the snapshot is taken; writers of
    /// the source wait behind it
    #[arg(long, value_name = "SECONDS", default_value_t = LOCK_WAIT_SECONDS,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) lock_wait: u16,
}

impl Default for LockArgs {
    fn default() -> Self {
        Self {
            lock_wait: LOCK_WAIT_SECONDS,
        }
    }
}

/// How the source is read.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct ReadingArgs {
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    /// Begin anew where an export of this run ended early, instead of going on with it
    #[arg(long)]
    pub(crate) restart: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TransformArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Convert nothing: print how each column of each table is converted, as both servers have
    /// them now
    #[arg(long, conflicts_with = "run")]
    pub(crate) plan: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) samples: SampleArgs,
    /// Show the values that differ, too, which may be personal data; they are on stdout alone
    #[arg(long)]
    pub(crate) show_values: bool,
    /// Only these tables, as `table` or `database.table`; the verdict is then at best `partial`
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    pub(crate) tables: Vec<String>,
    /// Only about so many of a hundred rows of each table, chosen by their keys; the verdict is then
    /// at best `partial`
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "against")]
    pub(crate) sample: Option<f64>,
    /// What stands against what; with a manifest, the verdict is at best `partial`
    #[arg(long, value_name = "PAIR", value_enum, default_value = "source-target")]
    pub(crate) against: Against,
    /// Print what counts as equal although it is not spelled alike, and do nothing else
    #[arg(long)]
    pub(crate) equivalences: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Against {
    /// Both live databases
    SourceTarget,
    /// The live source and the manifest of the export: what differs changed after it was exported
    SourceManifest,
    /// The transformed files and the live target: what differs changed in the import or after it
    ManifestTarget,
}

impl From<Against> for Compared {
    fn from(against: Against) -> Self {
        match against {
            Against::SourceTarget => Self::SourceTarget,
            Against::SourceManifest => Self::SourceManifest,
            Against::ManifestTarget => Self::ManifestTarget,
        }
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).parse().ok();
    let within = percent.filter(|percent| *percent > 0.0 && *percent < 100.0);
    within.ok_or_else(|| "a number above 0 and below 100".to_owned())
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct SampleArgs {
    /// How many differing rows of a table are listed; all are counted
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) samples: usize,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) samples: SampleArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Write the rows as they were read, too, beside the transformed ones
    #[arg(long)]
    pub(crate) keep_export: bool,
    /// Fill materialised views anew that read the loaded tables
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Do not look at the data before; what the target refuses shows when it is met
    #[arg(long)]
    pub(crate) skip_assess: bool,
    /// Do not compare source and target afterwards; the verdict is then `partial`
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// This is the move that counts: fail where the source was written to before its end
    #[arg(long = "final", conflicts_with = "no_verify")]
    pub(crate) is_final: bool,
    /// Vouch that nobody writes to the source, where the server cannot say so
    #[arg(long, requires = "is_final")]
    pub(crate) source_frozen: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// End sessions that are left of this run on the target, instead of waiting for their end
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Fill materialised views anew that read the loaded tables
    #[arg(long)]
    pub(crate) refresh: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// End sessions that are left of the run on the target, instead of waiting for their end
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Throw away what was written to the loaded tables since the import
    #[arg(long)]
    pub(crate) discard_later_writes: bool,
    /// Write the rows that were written to the loaded tables since the import to CSV files in
    /// this new directory, and throw them away
    #[arg(long, value_name = "DIR", conflicts_with = "discard_later_writes")]
    pub(crate) export_later_writes: Option<PathBuf>,
}

/// A verdict with which `finalize` is refused unless it is named.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AcceptedVerdict {
    /// Source and target differ
    Different,
    /// The source was written to since the export
    #[value(name = "source_moved")]
    SourceMoved,
    /// Source and target were not compared as a whole since the import
    Partial,
}

impl From<AcceptedVerdict> for Verdict {
    fn from(accepted: AcceptedVerdict) -> Self {
        match accepted {
            AcceptedVerdict::Different => Self::Different,
            AcceptedVerdict::SourceMoved => Self::SourceMoved,
            AcceptedVerdict::Partial => Self::Partial,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct FinalizeArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Finalize although the last full comparison did not find source and target equal
    #[arg(long, value_name = "VERDICT", value_enum)]
    pub(crate) accept_verdict: Option<AcceptedVerdict>,
}
