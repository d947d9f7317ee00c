//! What can be typed after `devtool`.
//!
//! It parses and does nothing.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::bench::{OutputFormat, Stage};
use crate::generate::DirtKinds;
use crate::local::Prefix;

/// Fixtures and generated files of this workspace.
#[derive(Debug, Parser)]
#[command(name = "devtool", disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One variant a command of `cargo xtask`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the generated files of this workspace.
    Codegen {
        /// Compare only: exit code 1 and a list of files where one is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Fill, check and make the databases that rehearsals use, on local servers only.
    #[command(subcommand)]
    Fixtures(Fixtures),
    /// Measure the stages of the built converge, and their floors, on local servers only.
    Bench(Bench),
}

/// What is to be measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Only this stage, and what it needs (all stages by default)
    #[arg(value_enum, value_name = "STAGE")]
    pub(crate) stage: Option<Stage>,
    /// How much, as in `fixtures load`
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) scale: u64,
    /// How often; the report has the medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Measure at this scale, at twice and at four times it, and fail where the time of a stage
    /// grows faster than the rows
    #[arg(long)]
    pub(crate) growth: bool,
    /// Measure pgloader (an installed one) and DuckDB (from PyPI) beside it, on rows without dirt
    #[arg(long, conflicts_with_all = ["stage", "growth"])]
    pub(crate) peers: bool,
    /// Form of the report on stdout
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) output: OutputFormat,
}

/// The commands on fixtures.
#[derive(Debug, Subcommand)]
pub(crate) enum Fixtures {
    /// Make the databases alkemio and kratos anew on the local source and fill them.
    Load {
        /// How much: 1 is about 20,000 rows, 175 is production (3.5 million rows, 5 GB).
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
        scale: u64,
        /// What to plant that the target refuses without a rule: a comma-separated
        /// list of kinds, or all, none, production.
        #[arg(long, value_name = "KINDS", default_value = "production", value_parser = DirtKinds::parse)]
        dirt: DirtKinds,
        /// Write a list of what was planted where, as `converge assess` has to find it.
        #[arg(long, value_name = "FILE")]
        planted: Option<PathBuf>,
        #[command(flatten)]
        names: Names,
    },
    /// Compare the local servers with the catalogues: exit code 5 where they differ.
    Check(Names),
    /// Make the databases alkemio and kratos anew on the local target, as their owners do.
    Targets(Names),
}

/// Which databases are meant.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Names {
    /// Put this before the names of all databases, so that tests can run side by side.
    #[arg(long, default_value = "", value_parser = Prefix::parse)]
    pub(crate) prefix: Prefix,
}
