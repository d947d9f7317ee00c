//! `cargo xtask db`: local servers for development and tests, a MySQL or MariaDB and a PostgreSQL.
//!
//! Whatever destroys data here first proves by a token that the servers are its own.

pub(crate) mod account;
mod apt;
mod docker;
mod guard;
mod leftovers;
mod mysql;
mod native;
mod origin;
pub(crate) mod place;
mod postgres;
mod process;
pub(crate) mod programs;
pub(crate) mod state;

use std::{
    ffi::{OsStr, OsString},
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, Result};

pub(crate) use self::{docker::engine, guard::Guard, native::Set, origin::Wanted};
use self::{origin::Programs, state::StateDir};
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
    let is_default = flags.state_dir.is_none();
    let state = StateDir::locate(flags.state_dir)?;
    let wanted = Wanted {
        mysql: flags.mysql,
        postgres: flags.postgres,
    };
    match flags.command {
        DbCommand::Up { yes } => show(&up(&state, flags.provider, &wanted, yes)?),
        DbCommand::Reset { yes } => show(&reset(&state, flags.provider, &wanted, yes)?),
        DbCommand::Down { volumes } => {
            down(&state, volumes)?;
            if volumes && is_default {
                leftovers::remove()?;
            }
        }
        DbCommand::Status => return status(&state),
        DbCommand::Logs { lines } => logs(&state, lines)?,
        DbCommand::Psql(client) => return psql(&state, client),
        DbCommand::Mysql(client) => return mysql(&state, client),
        DbCommand::Guard => guard::run(&state)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Finds the programs of the servers, or installs them after asking, so that no question
/// comes after a long build. Returns the provider that [`up`] is going to take.
pub(crate) fn prepare(
    state: &StateDir,
    provider: Provider,
    wanted: &Wanted,
    yes: bool,
) -> Result<Provider> {
    let provider = choose_provider(state, provider, wanted)?;
    if provider != Provider::Docker {
        native::prepare(state, wanted, yes)?;
    }
    Ok(provider)
}

/// Makes the servers where there are none, starts what is not running, and proves that both
/// are ours.
pub(crate) fn up(state: &StateDir, provider: Provider, wanted: &Wanted, yes: bool) -> Result<Set> {
    match choose_provider(state, provider, wanted)? {
        Provider::Docker => docker::up(state, wanted),
        _ => native::up(state, wanted, yes),
    }
}

fn reset(state: &StateDir, provider: Provider, wanted: &Wanted, yes: bool) -> Result<Set> {
    match choose_provider(state, provider, wanted)? {
        Provider::Docker => docker::reset(state, wanted),
        _ => native::reset(state, wanted, yes),
    }
}

/// The provider of the servers that are there; for new ones, containers where there is an
/// engine with images.
fn choose_provider(state: &StateDir, asked: Provider, wanted: &Wanted) -> Result<Provider> {
    let recorded = Set::open(state)?.map(|set| set.record.provider);
    if let Some(recorded) = recorded {
        // Another one that is asked for is refused once nobody else is at work here.
        return Ok(match asked {
            Provider::Auto => recorded,
            asked => asked,
        });
    }
    if asked != Provider::Auto {
        return Ok(asked);
    }
    // Only processes can be of what is installed.
    if [&wanted.mysql, &wanted.postgres].contains(&&Some(origin::INSTALLED.to_owned())) {
        return Ok(Provider::Native);
    }
    let obstacle = docker::obstacle(wanted);
    if let Some(reason) = &obstacle {
        eprintln!("db: servers as processes, not as containers: {reason}");
    }
    Ok(obstacle.map_or(Provider::Docker, |_| Provider::Native))
}

fn down(state: &StateDir, volumes: bool) -> Result<()> {
    let Some((set, _lock)) = native::open_locked(state)? else {
        return Ok(());
    };
    match (set.record.provider, volumes) {
        (Provider::Docker, false) => docker::down(&set),
        (Provider::Docker, true) => docker::remove(&set),
        (_, false) => native::down(&set),
        (_, true) => native::remove(&set),
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
    let conditions = match set.record.provider {
        Provider::Docker => docker::conditions(&set)?,
        _ => native::conditions(&set)?,
    };
    let mut table = format!(
        "{:<10}{:<10}{:<20}{:<18}{:<14}from\n",
        "server", "state", "version", "address", "runs as"
    );
    let record = &set.record;
    let servers = [
        (mysql::NAME, &record.mysql_version, &record.mysql_from),
        (
            postgres::NAME,
            &record.postgres_version,
            &record.postgres_from,
        ),
    ];
    for ((name, version, from), [condition, runs_as]) in servers.into_iter().zip(&conditions) {
        let address = format!("127.0.0.1:{}", set.port(name));
        table +=
            &format!("{name:<10}{condition:<10}{version:<20}{address:<18}{runs_as:<14}{from}\n");
    }
    io::stdout()
        .write_all(table.as_bytes())
        .context("cannot write")?;
    let all_up = conditions.iter().all(|[condition, _]| condition == "up");
    Ok(if all_up {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn logs(state: &StateDir, lines: usize) -> Result<()> {
    let containers = Set::open(state)?.filter(|set| set.record.provider == Provider::Docker);
    for name in [mysql::NAME, postgres::NAME] {
        let (title, text) = match &containers {
            Some(set) => (name.to_owned(), docker::log(set, name, lines)?),
            None => {
                let log = state.log(name);
                (log.display().to_string(), process::tail(&log, lines))
            }
        };
        io::stdout()
            .write_all(format!("==> {title} <==\n{text}\n").as_bytes())
            .context("cannot write")?;
    }
    Ok(())
}

fn psql(state: &StateDir, client: Client) -> Result<ExitCode> {
    let set = running(state)?;
    let (database, args) = split_database(client.args);
    let Some(name) = database.to_str() else {
        return Err(Failure::new(USAGE, "the database's name is not text").into());
    };
    let owner = OWNED_DATABASES.iter().find(|owned| name == **owned);
    let user = owner.copied().unwrap_or("postgres");
    let mut command = match set.record.provider {
        Provider::Docker => docker::postgres_client(&set, user, name)?,
        _ => programs(state)?.postgres.client(&set.record, user, name),
    };
    command.args(args);
    passthrough::exec(command)
}

fn mysql(state: &StateDir, client: Client) -> Result<ExitCode> {
    let set = running(state)?;
    let (database, args) = split_database(client.args);
    let mut command = match set.record.provider {
        Provider::Docker => docker::mysql_client(&set)?,
        _ => programs(state)?.mysql.client(&set.state),
    };
    let mut option = OsString::from("--database=");
    option.push(database);
    command.arg(option).args(args);
    passthrough::exec(command)
}

fn programs(state: &StateDir) -> Result<Programs> {
    Programs::of(state)?.context("cannot find the programs of the servers")
}

/// The servers, which must be up.
fn running(state: &StateDir) -> Result<Set> {
    let set = Set::open(state)?.filter(|set| set.record.complete);
    let up = match &set {
        None => false,
        Some(set) if set.record.provider == Provider::Docker => docker::running(set)?,
        Some(set) => [mysql::NAME, postgres::NAME]
            .iter()
            .all(|name| set.pid(name).is_some()),
    };
    set.filter(|_| up).ok_or_else(|| {
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
