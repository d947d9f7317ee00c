//! `cargo xtask db`: local servers for development and tests, a MySQL or MariaDB and a PostgreSQL.
//!
//! Whatever destroys data here first proves by a token that the servers are its own.

mod account;
mod apt;
mod guard;
mod mysql;
pub(crate) mod native;
mod place;
mod postgres;
mod process;
mod programs;
pub(crate) mod state;

use std::{
    ffi::{OsStr, OsString},
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, Result};

pub(crate) use self::guard::Guard;
use self::{
    native::{Programs, Set},
    state::StateDir,
};
use crate::{
    failure::{BLOCKED, Failure, USAGE},
    flags::{Client, Db, DbCommand, Provider},
    passthrough,
};

/// The database that a client opens where none is named.
const DEFAULT_DATABASE: &str = "alkemio";

/// Databases with an owner of the same name, who is logged in there: what a developer
/// makes by hand then belongs to whom it would belong in production.
const OWNED_DATABASES: [&str; 2] = ["alkemio", "kratos"];

pub(crate) fn run(flags: Db) -> Result<ExitCode> {
    check_provider(flags.provider)?;
    let state = StateDir::locate(flags.state_dir)?;
    match flags.command {
        DbCommand::Up { yes } => show(&native::up(&state, yes)?),
        DbCommand::Reset { yes } => show(&native::reset(&state, yes)?),
        DbCommand::Down { volumes: false } => native::down(&state)?,
        DbCommand::Down { volumes: true } => native::remove(&state)?,
        DbCommand::Status => return status(&state),
        DbCommand::Logs { lines } => logs(&state, lines)?,
        DbCommand::Psql(client) => return psql(&state, client),
        DbCommand::Mysql(client) => return mysql(&state, client),
        DbCommand::Guard => guard::run(&state)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses what is not there yet; `auto` is `native` until there is a choice.
pub(crate) fn check_provider(provider: Provider) -> Result<()> {
    match provider {
        Provider::Auto | Provider::Native => Ok(()),
        Provider::Docker => Err(
            Failure::new(USAGE, "the provider docker is not available yet")
                .hint("--provider native runs installed servers as private processes")
                .into(),
        ),
    }
}

fn show(set: &Set) {
    let record = &set.record;
    println!(
        "mysql     {} on 127.0.0.1:{}",
        record.mysql_version, record.mysql_port
    );
    println!(
        "postgres  {} on 127.0.0.1:{}",
        record.postgres_version, record.postgres_port
    );
    println!("urls      {}", set.state.file("env").display());
}

fn status(state: &StateDir) -> Result<ExitCode> {
    let set = Set::open(state)?.filter(|set| set.record.complete);
    let Some(set) = set else {
        println!("down: no servers in {}", state.path().display());
        return Ok(ExitCode::FAILURE);
    };
    let programs = Programs::find(state)?.context("cannot find the programs of the servers")?;
    let mut all_up = true;
    let mut table = format!(
        "{:<10}{:<10}{:<20}{:<18}{:<9}data\n",
        "server", "state", "version", "address", "pid"
    );
    for (server, version) in programs
        .each()
        .into_iter()
        .zip([&set.record.mysql_version, &set.record.postgres_version])
    {
        let pid = set.pid(server.name());
        let condition = match pid {
            None => "down",
            Some(_) => match native::has_token(server, &set) {
                Ok(true) => "up",
                Ok(false) => "not ours",
                Err(_) => "no answer",
            },
        };
        all_up &= condition == "up";
        let address = format!("127.0.0.1:{}", set.port(server.name()));
        let pid = pid.map_or("-".to_owned(), |pid| pid.to_string());
        let data = set.data(server.name());
        let name = server.name();
        table += &format!(
            "{name:<10}{condition:<10}{version:<20}{address:<18}{pid:<9}{}\n",
            data.display()
        );
    }
    io::stdout()
        .write_all(table.as_bytes())
        .context("cannot write")?;
    Ok(if all_up {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn logs(state: &StateDir, lines: usize) -> Result<()> {
    for name in [mysql::NAME, postgres::NAME] {
        let log = state.log(name);
        let text = format!(
            "==> {} <==\n{}\n",
            log.display(),
            process::tail(&log, lines)
        );
        io::stdout()
            .write_all(text.as_bytes())
            .context("cannot write")?;
    }
    Ok(())
}

fn psql(state: &StateDir, client: Client) -> Result<ExitCode> {
    let (set, programs) = running(state)?;
    let (database, args) = split_database(client.args);
    let owner = OWNED_DATABASES.iter().find(|name| database == **name);
    let Some(name) = database.to_str() else {
        return Err(Failure::new(USAGE, "the database's name is not text").into());
    };
    let mut command = programs
        .postgres
        .client(&set.record, owner.unwrap_or(&"postgres"), name);
    command.args(args);
    passthrough::exec(command)
}

fn mysql(state: &StateDir, client: Client) -> Result<ExitCode> {
    let (set, programs) = running(state)?;
    let (database, args) = split_database(client.args);
    let mut command = programs.mysql.client(&set.state);
    let mut option = OsString::from("--database=");
    option.push(database);
    command.arg(option).args(args);
    passthrough::exec(command)
}

fn running(state: &StateDir) -> Result<(Set, Programs)> {
    let set = Set::open(state)?.filter(|set| set.record.complete);
    let programs = Programs::find(state)?;
    set.zip(programs)
        .filter(|(set, programs)| {
            programs
                .each()
                .iter()
                .all(|server| set.pid(server.name()).is_some())
        })
        .ok_or_else(|| {
            Failure::new(BLOCKED, "the local servers are not up")
                .hint("cargo xtask db up")
                .into()
        })
}

/// The database is the first argument, where that is no option.
fn split_database(mut args: Vec<OsString>) -> (OsString, Vec<OsString>) {
    let named = args
        .first()
        .is_some_and(|first| !first.as_encoded_bytes().starts_with(b"-"));
    if named {
        let rest = args.split_off(1);
        return (args.remove(0), rest);
    }
    (OsStr::new(DEFAULT_DATABASE).to_owned(), args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_argument_is_the_database_unless_an_option() {
        let split = |args: &[&str]| split_database(args.iter().map(Into::into).collect());
        assert_eq!(
            split(&["kratos", "-c", "x"]),
            ("kratos".into(), vec!["-c".into(), "x".into()])
        );
        assert_eq!(
            split(&["-c", "x"]),
            ("alkemio".into(), vec!["-c".into(), "x".into()])
        );
        assert_eq!(split(&[]), ("alkemio".into(), vec![]));
    }
}
