//! `devtool`: what this workspace needs for its own development, called by `cargo xtask`.
//!
//! It never acts on a server that `cargo xtask db up` did not start, and is no
//! part of what an operator installs.

mod args;
mod bench;
mod codegen;
mod ddl;
mod fixtures;
mod generate;
mod listing;
mod local;
mod mariadb;
mod read_back;
mod system;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command, Fixtures};
use crate::local::LocalServers;

/// Done, and nothing is left to look at.
const EXIT_DONE: u8 = 0;
/// Something unexpected went wrong, or a generated file is out of date.
const EXIT_FAILURE: u8 = 1;
/// The local servers are not there or not ours: nothing was changed.
const EXIT_REFUSED: u8 = 3;
/// A check found differences.
const EXIT_DIFFERENT: u8 = 5;

// Wrong arguments are exit code 2, which is clap's own.
fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            if let Some(interrupted) = error.downcast_ref::<bench::Interrupted>() {
                return ExitCode::from(interrupted.exit_code());
            }
            let is_refusal = error.downcast_ref::<local::Refused>().is_some();
            ExitCode::from(if is_refusal {
                EXIT_REFUSED
            } else {
                EXIT_FAILURE
            })
        }
    }
}

fn run(args: Args) -> anyhow::Result<u8> {
    match args.command {
        Command::Codegen { check: false } => codegen::write().map(|()| EXIT_DONE),
        Command::Codegen { check: true } => {
            codegen::check().map(|is_current| if is_current { EXIT_DONE } else { EXIT_FAILURE })
        }
        Command::Fixtures(command) => run_fixtures(command),
        Command::Bench(options) => bench::run(&options).map(|()| EXIT_DONE),
    }
}

fn run_fixtures(command: Fixtures) -> anyhow::Result<u8> {
    match command {
        Fixtures::Load {
            scale,
            dirt,
            planted,
            names,
        } => {
            let servers = LocalServers::find(names.prefix)?;
            fixtures::load::run(&servers, scale, &dirt, planted.as_deref())?;
        }
        Fixtures::Targets(names) => fixtures::targets::run(&LocalServers::find(names.prefix)?)?,
        Fixtures::Check(names) => {
            if !fixtures::check::run(&LocalServers::find(names.prefix)?)? {
                return Ok(EXIT_DIFFERENT);
            }
        }
    }
    Ok(EXIT_DONE)
}
