//! The workspace's own command line: every job of a developer, of CI and of the operator starts here.
//!
//! It does no work on data: the data commands become `converge`, the fixture commands become
//! `devtool`, and only local servers, tests and checks are done in this program.

mod ci;
mod db;
mod failure;
mod flags;
mod images;
mod matrix;
mod passthrough;
mod programs;
mod rehearse;
mod servers;
mod test;
mod ticker;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    flags::{Command, Xtask},
    passthrough::Package::{Converge, Devtool},
};

fn main() -> ExitCode {
    match run(Xtask::parse().command) {
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Rehearse(_) => rehearse::run(&flags::verbatim()),
        Command::Doctor(_)
        | Command::Baseline(_)
        | Command::Assess(_)
        | Command::Export(_)
        | Command::Transform(_)
        | Command::Import(_)
        | Command::Verify(_)
        | Command::Migrate(_)
        | Command::Rollback(_)
        | Command::Finalize(_)
        | Command::Status(_) => passthrough::become_program(Converge, &flags::verbatim()),
        Command::Fixtures(_) | Command::Codegen(_) | Command::Bench(_) => {
            passthrough::become_program(Devtool, &flags::verbatim())
        }
        Command::Db(flags) => db::run(flags),
        Command::Images(flags) => images::run(flags),
        Command::Test(flags) => test::run(flags),
        Command::Ci(flags) => ci::run(&flags),
        Command::Tidy => tidy::run(),
    }
}
