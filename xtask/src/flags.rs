//! Every command line that `cargo xtask` understands, as clap structs.
//!
//! Nothing is done or looked up here: this is what was typed.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Moves MySQL databases to PostgreSQL, and develops the tool that does it.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
pub(crate) struct Xtask {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands, in the order in which `--help` lists them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The main job: the whole move on fixtures and local servers, or with --config on a staging copy
    #[command(disable_help_flag = true)]
    Rehearse(Verbatim),
    /// Checks connections, versions, privileges and the emptiness of the target
    #[command(disable_help_flag = true)]
    Doctor(Verbatim),
    /// Generates, applies or checks the PostgreSQL schema
    #[command(disable_help_flag = true)]
    Baseline(Verbatim),
    /// Looks at all data for what the target would refuse or change, before anything moves
    #[command(disable_help_flag = true)]
    Assess(Verbatim),
    /// Reads the source into CSV files and a manifest
    #[command(disable_help_flag = true)]
    Export(Verbatim),
    /// Converts exported CSV files to what the target's columns take
    #[command(disable_help_flag = true)]
    Transform(Verbatim),
    /// Loads transformed CSV files into the target
    #[command(disable_help_flag = true)]
    Import(Verbatim),
    /// Compares every row and column of source and target
    #[command(disable_help_flag = true)]
    Verify(Verbatim),
    /// All stages from assess to verify
    #[command(disable_help_flag = true)]
    Migrate(Verbatim),
    /// Brings the target back to the state before the import
    #[command(disable_help_flag = true)]
    Rollback(Verbatim),
    /// Ends a run for good: drops the ledger and what it kept
    #[command(disable_help_flag = true)]
    Finalize(Verbatim),
    /// Says what a run did and how to go on
    #[command(disable_help_flag = true)]
    Status(Verbatim),
    /// Local servers: MySQL or MariaDB, and PostgreSQL
    Db(Db),
    /// Fills the local source, checks it, makes the owners' target schemas
    #[command(disable_help_flag = true)]
    Fixtures(Verbatim),
    /// Images of servers from Debian's packages, where no registry is reached
    Images(Images),
    /// Runs all tests, on servers of their own
    Test(Test),
    /// Everything that must hold before a change is merged
    Ci(Ci),
    /// Checks the workspace's own rules: edges between crates, heads of files, names, snapshots
    Tidy,
    /// Writes the generated files, or checks them with --check
    #[command(disable_help_flag = true)]
    Codegen(Verbatim),
    /// Measures the stages
    #[command(disable_help_flag = true)]
    Bench(Verbatim),
}

/// Arguments that belong to another program.
///
/// clap only has to accept them; what is passed on is [`verbatim`], because clap
/// would swallow a `--`.
#[derive(Args, Debug)]
pub(crate) struct Verbatim {
    /// Passed on as they are; try `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _args: Vec<OsString>,
}

/// The command and its arguments, exactly as typed.
///
/// The command is always the second word of the process, because `cargo xtask`
/// has no options before it.
pub(crate) fn verbatim() -> Vec<OsString> {
    std::env::args_os().skip(1).collect()
}

#[derive(Args, Debug)]
pub(crate) struct Db {
    #[command(subcommand)]
    pub(crate) command: DbCommand,
    /// Where the servers come from
    #[arg(long, global = true, value_enum, default_value_t = Provider::Auto)]
    pub(crate) provider: Provider,
    /// MySQL or MariaDB: `installed`, a release such as mysql-9.7, or an image
    #[arg(long, global = true, value_name = "SERVER")]
    pub(crate) mysql: Option<String>,
    /// PostgreSQL: `installed`, a release such as postgres-18, or an image
    #[arg(long, global = true, value_name = "SERVER")]
    pub(crate) postgres: Option<String>,
    /// Where data, ports and logs are kept
    #[arg(
        long,
        global = true,
        hide = true,
        env = "CONVERGE_DB_STATE",
        hide_env = true
    )]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    /// The best one that works here
    Auto,
    /// Installed server programs, as private processes
    Native,
    /// Containers
    Docker,
}

impl Provider {
    /// As it is typed, and recorded.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Provider::Auto => "auto",
            Provider::Native => "native",
            Provider::Docker => "docker",
        }
    }

    /// The provider of that name.
    pub(crate) fn named(name: &OsStr) -> Option<Provider> {
        <Provider as ValueEnum>::from_str(name.to_str()?, false).ok()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Starts the servers, making them first where there are none
    Up {
        /// Installs missing server programs without asking
        #[arg(long)]
        yes: bool,
    },
    /// Stops the servers and keeps their data
    Down {
        /// Removes their data too, and what tests and killed commands left
        #[arg(long)]
        volumes: bool,
    },
    /// Replaces the servers' data by empty databases
    Reset {
        /// Installs missing server programs without asking
        #[arg(long)]
        yes: bool,
    },
    /// Says which servers are up, and where; exit code 1 when they are not
    Status,
    /// Shows the ends of the servers' logs
    Logs {
        /// Lines of each log
        #[arg(long, default_value_t = 50)]
        lines: usize,
    },
    /// Opens psql: [database] [arguments of psql]
    #[command(disable_help_flag = true)]
    Psql(Client),
    /// Opens the MySQL client: [database] [arguments of the client]
    #[command(disable_help_flag = true)]
    Mysql(Client),
    /// Stops the servers and removes their data when its standard input ends
    #[command(hide = true)]
    Guard,
}

#[derive(Args, Debug)]
pub(crate) struct Client {
    /// A database (default: alkemio), then the client's own arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct Images {
    #[command(subcommand)]
    pub(crate) command: ImagesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImagesCommand {
    /// Builds images and prints the settings with which compose.yml uses them
    Build {
        /// mysql, mariadb, postgres, or a release such as postgres-18 [default: mysql postgres]
        names: Vec<String>,
        /// Builds anew what is there, with the packages of today
        #[arg(long)]
        fresh: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Test {
    /// The live tests on every pair of releases; writes docs/versions.md
    #[arg(long, conflicts_with_all = ["mysql", "postgres", "args"])]
    pub(crate) matrix: bool,
    /// MySQL or MariaDB: `installed`, or a release such as mysql-9.7
    #[arg(long, value_name = "SERVER", default_value = "installed")]
    pub(crate) mysql: String,
    /// PostgreSQL: `installed`, or a release such as postgres-18
    #[arg(long, value_name = "SERVER", default_value = "installed")]
    pub(crate) postgres: String,
    /// Passed to the test runner: cargo-nextest where installed, else `cargo test`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct Ci {
    /// Also the long rounds: a rehearsal at scale 20, and the live tests on every pair of versions
    #[arg(long)]
    pub(crate) deep: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Xtask::command().debug_assert();
        assert_eq!(
            Provider::named(OsStr::new("native")),
            Some(Provider::Native)
        );
        assert_eq!(Provider::named(OsStr::new("nativ")), None);
    }
}
