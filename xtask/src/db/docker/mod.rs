//! The provider `docker`: the servers of compose.yml as containers, from the first start to the removal of their volumes.
//!
//! A set has a project of its own, named after its state directory, so that two workspaces
//! live side by side.

pub(crate) mod engine;
mod holder;
mod images;
mod project;

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use self::{
    engine::Engine,
    project::{Project, Service},
};
use super::{
    native::{Set, say_known_passwords},
    origin::Wanted,
    place,
    state::{Record, StateDir, random_hex, remove_if_there},
};
use crate::{
    failure::{BLOCKED, Failure, USAGE},
    flags::Provider,
    ticker::Ticker,
};

/// How long the servers may take to be healthy: fifteen seconds are usual, and a slow disk
/// with an image that was just pulled takes a minute or two.
const START_PATIENCE: Duration = Duration::from_secs(240);
/// Between two looks at a container's health, which is itself asked every two seconds.
const POLL: Duration = Duration::from_millis(300);
/// Lines of a container's log that are shown when it fails.
const LOG_LINES: usize = 30;

/// Why this provider cannot be used, in one line; none where it can.
pub(crate) fn obstacle(wanted: &Wanted) -> Option<String> {
    match Engine::find() {
        Err(absence) => Some(absence.reason()),
        Ok(engine) => engine.is_elsewhere().or_else(|| {
            let images = images::choose(engine, wanted, None);
            images.err().map(|error| error.to_string())
        }),
    }
}

/// Makes the containers where there are none, starts what is not running, and proves that
/// both are ours.
pub(crate) fn up(state: &StateDir, wanted: &Wanted) -> Result<Set> {
    let engine = find_engine()?;
    let _lock = state.lock("lock")?;
    let Some(set) = Set::open_as(state, Provider::Docker)? else {
        return create(engine, state, wanted, None);
    };
    let project = Project::new(engine, &set);
    if !set.record.complete {
        eprintln!("db: an earlier start was cut short; making the servers anew");
        remove_ours(&project)?;
        return create(engine, state, wanted, Some(&set.record));
    }
    images::check_same(wanted, &set)?;
    if project.volumes()?.len() < Service::BOTH.len() {
        let message = "a volume of these servers is gone, or they are of another engine";
        return Err(Failure::new(BLOCKED, message)
            .hint("`cargo xtask db reset` makes both servers anew")
            .into());
    }
    resume(engine, set)
}

/// Stops the containers; their volumes stay.
pub(crate) fn down(set: &Set) -> Result<()> {
    let project = Project::new(engine_of(set)?, set);
    remove_if_there(&set.state.file("env"))?;
    project.stop()?;
    eprintln!("db: down; `cargo xtask db up` brings the same data back");
    Ok(())
}

/// Removes containers and volumes, once they are proven to be ours.
pub(crate) fn remove(set: &Set) -> Result<()> {
    let project = Project::new(engine_of(set)?, set);
    check_ours(&project)?;
    remove_if_there(&set.state.file("env"))?;
    project.remove()?;
    place::remove_data(set)?;
    eprintln!("db: down, data removed");
    Ok(())
}

/// Replaces the volumes by those of a first start, on the same ports.
pub(crate) fn reset(state: &StateDir, wanted: &Wanted) -> Result<Set> {
    let engine = find_engine()?;
    let _lock = state.lock("lock")?;
    let Some(set) = Set::open_as(state, Provider::Docker)? else {
        return create(engine, state, wanted, None);
    };
    let project = Project::new(engine, &set);
    check_ours(&project)?;
    remove_if_there(&set.state.file("env"))?;
    project.remove()?;
    create(engine, state, wanted, Some(&set.record))
}

/// A server's name, condition, version, port and container.
pub(crate) fn conditions(set: &Set) -> Result<Vec<[String; 2]>> {
    let project = Project::new(engine_of(set)?, set);
    let conditions = Service::BOTH.map(|service| {
        let Some(container) = project.container(service) else {
            return ["down".to_owned(), "-".to_owned()];
        };
        let condition = match project.state(&container).as_str() {
            "running healthy" => match project.has_token(service) {
                Ok(true) => "up",
                Ok(false) => "not ours",
                Err(_) => "no answer",
            },
            "running unhealthy" => "no answer",
            "running starting" => "starting",
            "paused unhealthy" | "paused healthy" => "paused",
            _ => "down",
        };
        [
            condition.to_owned(),
            container[..12.min(container.len())].to_owned(),
        ]
    });
    Ok(conditions.into())
}

/// The end of a server's log.
pub(crate) fn log(set: &Set, service: &str, lines: usize) -> Result<String> {
    let project = Project::new(engine_of(set)?, set);
    Ok(project.log(Service::named(service), lines))
}

/// The MySQL client in its container, logged in as root.
pub(crate) fn mysql_client(set: &Set) -> Result<Command> {
    Project::new(engine_of(set)?, set).client(Service::Mysql, "root", None, true)
}

/// psql in its container.
pub(crate) fn postgres_client(set: &Set, user: &str, database: &str) -> Result<Command> {
    Project::new(engine_of(set)?, set).client(Service::Postgres, user, Some(database), true)
}

fn find_engine() -> Result<Engine> {
    let without = "without containers: --provider native";
    Engine::find().map_err(|absence| absence.failure(without).into())
}

/// The engine that a set needs which is there.
fn engine_of(set: &Set) -> Result<Engine> {
    let state = set.state.file("state");
    let without = format!(
        "without it: remove {}, and the servers' volumes stay behind",
        state.display()
    );
    Engine::find().map_err(|absence| absence.failure(&without).into())
}

/// Removes containers and volumes, once the volumes are proven to be ours.
fn remove_ours(project: &Project<'_>) -> Result<()> {
    if !project.volumes_have_token()? {
        return Err(Failure::new(BLOCKED, project.not_ours()).into());
    }
    project.remove()
}

/// Starts what is not running of a complete set.
fn resume(engine: Engine, mut set: Set) -> Result<Set> {
    let before = Project::new(engine, &set).is_healthy();
    if !before {
        check_ours(&Project::new(engine, &set))?;
        Project::new(engine, &set).unpause();
        for service in Service::BOTH {
            let project = Project::new(engine, &set);
            let is_ours = project.runs(service);
            let name = service.name();
            if !is_ours && !place::is_free(set.port(name)) {
                let port = place::free_ports()?[0];
                eprintln!(
                    "db: port {} is held by {}; {name} gets {port}",
                    set.port(name),
                    holder::of_port(engine, set.port(name))
                );
                set.set_port(name, port);
            }
        }
        set.state.save(&set.record)?;
        let project = Project::new(engine, &set);
        project.start()?;
        wait_until_healthy(&project)?;
    }
    check_ours(&Project::new(engine, &set))?;
    remember_versions(engine, &mut set)?;
    set.state.save(&set.record)?;
    set.state.publish(&set.record)?;
    say_known_passwords(&set);
    eprintln!(
        "db: {}",
        if before {
            "already up"
        } else {
            "up again, with the data of before"
        }
    );
    Ok(set)
}

/// Makes a new set of containers, or nothing.
fn create(
    engine: Engine,
    state: &StateDir,
    wanted: &Wanted,
    former: Option<&Record>,
) -> Result<Set> {
    let [mysql_from, postgres_from] = images::choose(engine, wanted, former)?;
    let mut set = Set {
        state: state.clone(),
        record: Record {
            provider: Provider::Docker,
            complete: false,
            home: state.path().to_path_buf(),
            project: project::name_for(state.path()),
            mysql_from,
            postgres_from,
            mysql_version: String::new(),
            mysql_port: port(engine, "MYSQL_PORT", former.map(|record| record.mysql_port))?,
            postgres_version: String::new(),
            postgres_port: port(
                engine,
                "POSTGRES_PORT",
                former.map(|record| record.postgres_port),
            )?,
            mysql_password: random_hex(16)?,
            postgres_password: random_hex(16)?,
            owner_password: random_hex(16)?,
            token: random_hex(32)?,
        },
    };
    refuse_foreign_volumes(&Project::new(engine, &set))?;
    state.save(&set.record)?;
    if let Err(error) = fill(engine, &mut set) {
        // What was made so far is of no use, and a server must not stay behind.
        remove_ours(&Project::new(engine, &set)).context(format!("{error:#}"))?;
        place::remove_data(&set)?;
        return Err(error);
    }
    Ok(set)
}

fn fill(engine: Engine, set: &mut Set) -> Result<()> {
    let project = Project::new(engine, set);
    eprintln!(
        "db: starting {} and {}",
        set.record.mysql_from, set.record.postgres_from
    );
    project.start()?;
    wait_until_healthy(&project)?;
    let token = |sql: &str| sql.replace("TOKEN", &set.record.token);
    project.script(
        Service::Mysql,
        &token(include_str!("../sql/mysql_token.sql")),
    )?;
    project.script(
        Service::Postgres,
        &token(include_str!("../sql/postgres_token.sql")),
    )?;
    check_ours(&project)?;
    remember_versions(engine, set)?;
    set.record.complete = true;
    set.state.save(&set.record)?;
    set.state.publish(&set.record)?;
    eprintln!("db: up");
    Ok(())
}

/// The port that the environment names, or `former`, or that of the settings file; another
/// one where the last two are busy.
fn port(engine: Engine, variable: &str, former: Option<u16>) -> Result<u16> {
    let chosen = images::setting_of_user(variable);
    let text = match (&chosen, former) {
        (Some(text), _) => text.clone(),
        (None, Some(port)) => port.to_string(),
        (None, None) => images::setting_of_file(variable)?,
    };
    let port: u16 =
        text.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
            Failure::new(USAGE, format!("{variable} is `{text}`, which is no port"))
        })?;
    if place::is_free(port) {
        return Ok(port);
    }
    let holder = holder::of_port(engine, port);
    if chosen.is_some() {
        return Err(
            Failure::new(BLOCKED, format!("port {port} is held by {holder}"))
                .hint(format!(
                    "set {variable} to another one, or leave it out and any free port is taken"
                ))
                .into(),
        );
    }
    let other = place::free_ports()?[0];
    eprintln!("db: port {port} is held by {holder}; taking {other}");
    Ok(other)
}

/// Volumes of this project without a record are not known to be ours to use or remove.
fn refuse_foreign_volumes(project: &Project<'_>) -> Result<()> {
    let volumes = project.volumes()?;
    if volumes.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the volumes {} exist, but nothing is recorded about them",
        volumes.join(" and ")
    );
    Err(Failure::new(BLOCKED, message)
        .hint(format!(
            "they are of a state directory that was removed; if their data is not wanted:\n  {}",
            project.words_to_remove(&volumes)
        ))
        .into())
}

/// Waits until both servers are healthy.
fn wait_until_healthy(project: &Project<'_>) -> Result<()> {
    let start = Instant::now();
    let _ticker = Ticker::start("db: waiting until both containers are healthy");
    for service in Service::BOTH {
        loop {
            let container = project.container(service);
            let state = container.map_or_else(String::new, |id| project.state(&id));
            if state == "running healthy" {
                break;
            }
            let ended = ["exited", "dead", "removing"]
                .iter()
                .any(|word| state.starts_with(word));
            if ended || state.ends_with("unhealthy") || start.elapsed() > START_PATIENCE {
                bail!(
                    "the container of {} is `{state}` after {} s; the end of its log:\n{}",
                    service.name(),
                    start.elapsed().as_secs(),
                    project.log(service, LOG_LINES)
                );
            }
            thread::sleep(POLL);
        }
    }
    Ok(())
}

/// Refuses to go on unless every running server has our token, and every volume its label.
fn check_ours(project: &Project<'_>) -> Result<()> {
    let mut ours = project.volumes_have_token()?;
    // Where one is gone, its server was made anew behind our back, without a token.
    let is_whole = project.volumes()?.len() == Service::BOTH.len();
    for service in Service::BOTH {
        if is_whole && project.runs(service) && project.is_complete() {
            ours &= project.has_token(service)?;
        }
    }
    if ours {
        return Ok(());
    }
    Err(Failure::new(BLOCKED, project.not_ours()).into())
}

fn remember_versions(engine: Engine, set: &mut Set) -> Result<()> {
    let project = Project::new(engine, set);
    let mysql = project.query(Service::Mysql, None, "select version()")?;
    let postgres = project.query(Service::Postgres, Some("postgres"), "show server_version")?;
    let number = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let product = if mysql.contains("MariaDB") {
        "MariaDB"
    } else {
        "MySQL"
    };
    set.record.mysql_version = format!("{product} {}", number(&mysql));
    set.record.postgres_version = format!("PostgreSQL {}", number(&postgres));
    Ok(())
}

/// Whether all containers of a project run, asked in the quickest way.
pub(crate) fn run_now(project: &str) -> bool {
    let filter = format!("label=com.docker.compose.project={project}");
    let words = ["ps", "--quiet", "--filter", "status=running", "--filter"];
    let output = Command::new("docker").args(words).arg(filter).output();
    output.is_ok_and(|output| {
        let ids = String::from_utf8_lossy(&output.stdout);
        ids.lines().count() == Service::BOTH.len()
    })
}

/// Whether both containers run.
pub(crate) fn running(set: &Set) -> Result<bool> {
    let project = Project::new(engine_of(set)?, set);
    Ok(Service::BOTH
        .into_iter()
        .all(|service| project.runs(service)))
}
