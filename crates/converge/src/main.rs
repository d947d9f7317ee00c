//! `converge`: moves MySQL databases to PostgreSQL and proves that everything arrived.
//!
//! Reads the command line, runs one command, prints its error and sets the exit code.

mod args;
mod call;
mod clock;
mod command;
mod config;
mod connection_room;
mod console;
mod constraint_rules;
mod exit;
mod fence;
mod findings_file;
mod heartbeat;
mod held_run;
mod interrupt;
mod key_columns;
mod limits;
mod lock_room;
mod lost;
mod pairing;
mod plain_file;
mod report;
mod run;
mod run_dir;
mod secret;
mod security;
mod side_by_side;
mod source_obstacle;
mod source_privileges;
mod target_encoding;
mod target_obstacle;
mod target_privileges;
mod text;
mod versions;

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::interrupt::Interrupt;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tell_panics();
    let result = panic::catch_unwind(|| run(cli));
    match result.unwrap_or_else(|panic| Err(anyhow::anyhow!(what_happened(&*panic)))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(exit::report(&error)),
    }
}

/// How the driver's panic begins where a row has not the columns that it is asked for.
///
/// The statements are ours and name their columns, so the server has not answered them.
const OTHER_COLUMNS: &str = "error retrieving column";

/// What a panic means. Any other than that one is a fault of ours.
fn what_happened(panic: &(dyn Any + Send)) -> &'static str {
    let text = panic.downcast_ref::<String>().map_or("", String::as_str);
    match text.starts_with(OTHER_COLUMNS) {
        true => "target: it answers with other columns than it was asked for: this is no server",
        false => "this is a fault of converge",
    }
}

/// Prints a panic as any other line, since its message may repeat what a server said; that of an
/// answer with other columns is left to [`what_happened`].
fn tell_panics() {
    panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("without a message");
        if message.starts_with(OTHER_COLUMNS) {
            return;
        }
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(" at {place}"));
        console::line(&format!("panicked{place}: {message}"));
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            console::say(&trace.to_string().lines().collect());
        }
    }));
}

fn run(cli: Cli) -> anyhow::Result<()> {
    clock::check()?;
    let interrupt = Interrupt::install()?;
    match &cli.command {
        Command::Doctor(args) => command::doctor::run(args, interrupt),
        Command::Baseline(args) => command::baseline::run(args, interrupt),
        Command::Assess(args) => command::assess::run(args, interrupt),
        Command::Export(args) => command::export::run(args, interrupt),
        Command::Transform(args) => command::transform::run(args, interrupt),
        Command::Import(args) => command::import::run(args, interrupt),
        Command::Verify(args) => command::verify::run(args, interrupt),
        Command::Migrate(args) => command::migrate::run(args, interrupt),
        Command::Rollback(args) => command::rollback::run(args, interrupt),
        Command::Finalize(args) => command::finalize::run(args, interrupt),
        Command::Status(args) => command::status::run(args, interrupt),
        Command::Rehearse(args) => command::rehearse::run(args, interrupt),
    }
}
