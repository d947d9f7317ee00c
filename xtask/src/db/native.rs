//! The provider `native`: installed server programs as private processes, from the first start to the removal of their data.
//!
//! What differs between the two servers is in `mysql` and `postgres`.

use std::{
    ffi::OsString,
    fs::File,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    account::Account,
    mysql,
    origin::{Origins, Programs, Wanted},
    place, postgres,
    process::{self, Launch, POLL},
    state::{Record, StateDir, random_hex, remove_if_there, write_private},
};
use crate::{
    failure::{BLOCKED, Failure},
    flags::Provider,
    ticker::Ticker,
};

/// How long a server may take to answer: a start takes a second, recovery after a
/// power cut with 4 GB of log a minute or two.
const START_PATIENCE: Duration = Duration::from_secs(180);

/// Starts that may meet a port that somebody else took in the meantime.
const PORT_ATTEMPTS: u32 = 3;

/// What one of the two servers has of its own.
pub(crate) trait Server {
    /// Its folder, log and pid file.
    fn name(&self) -> &'static str;
    /// Product and version, such as `MariaDB 10.11.19`.
    fn version(&self) -> &str;
    fn program(&self) -> PathBuf;
    /// The account it runs as, where that is not ours.
    fn account(&self) -> Option<Account>;
    /// Whether it can serve data that the recorded version wrote.
    fn accepts(&self, recorded: &str) -> bool;
    /// Fills the empty data directory.
    fn initialise(&self, set: &Set) -> Result<()>;
    fn arguments(&self, set: &Set) -> Vec<OsString>;
    /// Puts right, before every start, what a killed server left behind or what was
    /// lost since.
    fn prepare(&self, set: &Set) -> Result<()>;
    /// Makes accounts, databases and the token, after the first start.
    fn set_up(&self, set: &Set) -> Result<()>;
    /// A command that succeeds when the server answers to its password.
    fn answers(&self, set: &Set) -> Result<Command>;
    /// A command that prints the server's token.
    fn reads_token(&self, set: &Set) -> Result<Command>;
}

/// A state directory and what is recorded in it.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) state: StateDir,
    pub(crate) record: Record,
}

impl Set {
    /// The set of servers in `state`, if one was ever made.
    pub(crate) fn open(state: &StateDir) -> Result<Option<Set>> {
        let record = state.record()?;
        Ok(record.map(|record| Set {
            state: state.clone(),
            record,
        }))
    }

    /// The same for a command that works with one provider: another command may have made
    /// servers of the other one, since this one looked.
    pub(crate) fn open_as(state: &StateDir, provider: Provider) -> Result<Option<Set>> {
        let set = Set::open(state)?;
        if let Some(set) = &set
            && set.record.provider != provider
        {
            let message = format!(
                "the servers of {} are of the provider {}",
                state.path().display(),
                set.record.provider.name()
            );
            return Err(Failure::new(BLOCKED, message)
                .hint("`cargo xtask db down --volumes` removes them and their data")
                .into());
        }
        Ok(set)
    }

    /// The data directory of a server.
    pub(crate) fn data(&self, server: &str) -> PathBuf {
        self.record.home.join(server)
    }

    /// The process of a server, if it runs.
    pub(crate) fn pid(&self, server: &str) -> Option<u32> {
        process::running(
            &self.state.pid_file(&self.record, server),
            &self.data(server),
        )
    }

    pub(crate) fn port(&self, server: &str) -> u16 {
        if server == mysql::NAME {
            self.record.mysql_port
        } else {
            self.record.postgres_port
        }
    }

    pub(crate) fn set_port(&mut self, server: &str, port: u16) {
        if server == mysql::NAME {
            self.record.mysql_port = port;
        } else {
            self.record.postgres_port = port;
        }
    }
}

/// Finds the servers' programs, or installs or fetches them.
pub(crate) fn prepare(state: &StateDir, wanted: &Wanted, yes: bool) -> Result<()> {
    let set = Set::open(state)?;
    let origins = Origins::choose(wanted, set.as_ref())?;
    let data = set.map(|set| set.data(postgres::NAME));
    Programs::find_or_get(origins, data.as_deref(), yes).map(drop)
}

/// Makes the servers where there are none, starts what is not running, and proves
/// that both are ours.
pub(crate) fn up(state: &StateDir, wanted: &Wanted, yes: bool) -> Result<Set> {
    // A name that is not known is refused before anything is made.
    Origins::choose(wanted, None)?;
    let _lock = state.lock("lock")?;
    let set = Set::open_as(state, Provider::Native)?;
    let origins = Origins::choose(wanted, set.as_ref())?;
    let data = set.as_ref().map(|set| set.data(postgres::NAME));
    match set {
        Some(set) if set.record.complete && place::is_whole(&set) => {
            origins.check_same(&set)?;
            let programs = Programs::find_or_get(origins, data.as_deref(), yes)?;
            resume(set, &programs)
        }
        unusable => {
            if let Some(set) = unusable {
                // An earlier start was cut short, or something swept the data away.
                place::check_home(&set)?;
                eprintln!("db: the servers' data is not whole; making them anew");
                stop_all(&set)?;
                place::remove_data(&set)?;
            }
            create(state, origins, yes, None)
        }
    }
}

/// Stops the servers; their data stays.
pub(crate) fn down(set: &Set) -> Result<()> {
    stop_all(set)?;
    eprintln!("db: down; `cargo xtask db up` brings the same data back");
    Ok(())
}

/// Stops the servers and removes their data, once both are proven to be ours.
pub(crate) fn remove(set: &Set) -> Result<()> {
    let runs = [mysql::NAME, postgres::NAME].map(|name| set.pid(name).is_some());
    if runs.contains(&true) {
        check_ours(set, &programs_of(&set.state)?.each())?;
    } else {
        // The programs may be gone by now, and nothing has to be asked.
        check_ours(set, &[])?;
    }
    stop_all(set)?;
    place::remove_data(set)?;
    eprintln!("db: down, data removed");
    Ok(())
}

/// Condition and process of each server.
pub(crate) fn conditions(set: &Set) -> Result<Vec<[String; 2]>> {
    let programs = programs_of(&set.state)?;
    let conditions = programs.each().map(|server| {
        let pid = set.pid(server.name());
        let condition = match pid.map(|_| has_token(server, set)) {
            None => "down",
            Some(Ok(true)) => "up",
            Some(Ok(false)) => "not ours",
            Some(Err(_)) => "no answer",
        };
        let pid = pid.map_or("-".to_owned(), |pid| format!("process {pid}"));
        [condition.to_owned(), pid]
    });
    Ok(conditions.into())
}

/// Replaces the servers' data by that of a first start, on the same ports.
pub(crate) fn reset(state: &StateDir, wanted: &Wanted, yes: bool) -> Result<Set> {
    let _lock = state.lock("lock")?;
    let set = Set::open_as(state, Provider::Native)?;
    let origins = Origins::choose(wanted, set.as_ref())?;
    let Some(set) = set else {
        return create(state, origins, yes, None);
    };
    let programs = programs_of(state)?;
    check_ours(&set, &programs.each())?;
    stop_all(&set)?;
    place::remove_data(&set)?;
    create(state, origins, yes, Some(&set.record))
}

/// Whether the server has the token of its state directory.
///
/// # Errors
/// When it does not answer at all.
fn has_token(server: &dyn Server, set: &Set) -> Result<bool> {
    let output = server
        .reads_token(set)?
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start the client of {}", server.name()))?;
    let errors = String::from_utf8_lossy(&output.stderr).to_lowercase();
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim() == set.record.token);
    }
    // A server that knows no such table or database answered, and is not ours.
    if ["doesn't exist", "does not exist", "unknown database"]
        .iter()
        .any(|text| errors.contains(text))
    {
        return Ok(false);
    }
    bail!(
        "{} on port {} does not answer: {}",
        server.name(),
        set.port(server.name()),
        errors.trim()
    )
}

/// The recorded servers, with nobody else at work on them.
pub(crate) fn open_locked(state: &StateDir) -> Result<Option<(Set, File)>> {
    // Looked at first without the lock, which would make the directory.
    if Set::open(state)?.is_some() {
        let lock = state.lock("lock")?;
        if let Some(set) = Set::open(state)? {
            return Ok(Some((set, lock)));
        }
    }
    eprintln!("db: no servers in {}", state.path().display());
    Ok(None)
}

/// The programs, by which it is proven what they started.
fn programs_of(state: &StateDir) -> Result<Programs> {
    Programs::of(state)?
        .context("cannot find the programs of the servers, which were here when `db up` ran")
}

/// Starts what is not running of a complete set.
fn resume(mut set: Set, programs: &Programs) -> Result<Set> {
    let servers = programs.each();
    let mut started = 0;
    for server in servers {
        if set.pid(server.name()).is_none() {
            check_version(server, &set)?;
            let starting = format!("db: starting {}", server.name());
            eprintln!("{starting}");
            let _ticker = Ticker::start(starting);
            start(server, &mut set)?;
            started += 1;
        }
    }
    check_ours(&set, &servers)?;
    remember_versions(&mut set, programs);
    set.state.save(&set.record)?;
    set.state.publish(&set.record)?;
    say_known_passwords(&set);
    match started {
        0 => eprintln!("db: already up"),
        _ => eprintln!("db: up again, with the data of before"),
    }
    Ok(set)
}

/// Servers of before are what they are until they are made anew.
pub(super) fn say_known_passwords(set: &Set) {
    if !set.record.has_own_passwords() {
        eprintln!(
            "db: note: every account of this machine knows the passwords of these servers, which \
             are older than the random ones: `cargo xtask db reset` makes them anew"
        );
    }
}

/// Makes a new set of servers, or nothing.
fn create(state: &StateDir, origins: Origins, yes: bool, former: Option<&Record>) -> Result<Set> {
    let programs = Programs::find_or_get(origins, None, yes)?;
    let servers = programs.each();
    let home = place::make_home(state)?;
    let [mysql_port, postgres_port] = match former {
        Some(record) => [record.mysql_port, record.postgres_port],
        None => place::free_ports()?,
    };
    let [mysql_from, postgres_from] = origins.names();
    let mut set = Set {
        state: state.clone(),
        record: Record {
            provider: Provider::Native,
            complete: false,
            home,
            project: String::new(),
            mysql_from,
            postgres_from,
            mysql_version: String::new(),
            mysql_port,
            postgres_version: String::new(),
            postgres_port,
            mysql_password: random_hex(16)?,
            postgres_password: random_hex(16)?,
            owner_password: random_hex(16)?,
            token: random_hex(32)?,
        },
    };
    remember_versions(&mut set, &programs);
    place::refuse_foreign_data(&set, &servers)?;
    write_private(&set.record.home.join(place::TOKEN_FILE), &set.record.token)?;
    state.save(&set.record)?;
    if let Err(error) = fill(&mut set, &servers) {
        // What was made so far is of no use, and a server must not stay behind.
        stop_all(&set)?;
        place::remove_data(&set)?;
        return Err(error);
    }
    Ok(set)
}

fn fill(set: &mut Set, servers: &[&dyn Server]) -> Result<()> {
    for server in servers {
        let making = format!("db: making {} ({})", server.name(), server.version());
        eprintln!("{making}");
        let _ticker = Ticker::start(making);
        let data = set.data(server.name());
        place::make_dir(&data, 0o700)?;
        if let Some(account) = server.account() {
            account.own(&data)?;
        }
        server.initialise(set)?;
        start(*server, set)?;
        server.set_up(set)?;
    }
    check_ours(set, servers)?;
    set.record.complete = true;
    set.state.save(&set.record)?;
    set.state.publish(&set.record)?;
    eprintln!("db: up");
    Ok(())
}

/// Starts one server on its recorded port, or on another one where that is taken.
fn start(server: &dyn Server, set: &mut Set) -> Result<()> {
    let name = server.name();
    process::wait_until_unused(&set.data(name))?;
    server.prepare(set)?;
    for _ in 0..PORT_ATTEMPTS {
        if !place::is_free(set.port(name)) {
            set.set_port(name, place::free_ports()?[0]);
            set.state.save(&set.record)?;
        }
        let launch = Launch {
            program: &server.program(),
            data: set.data(name),
            args: server.arguments(set),
            account: server.account(),
            pid_file: set.state.pid_file(&set.record, name),
            log: set.state.log(name),
        };
        let mut child = launch.start()?;
        if wait_until_up(server, set, &mut child)? {
            return Ok(());
        }
        if place::is_free(set.port(name)) {
            break;
        }
    }
    let log = set.state.log(name);
    bail!(
        "{name} did not start; the end of {}:\n{}",
        log.display(),
        process::tail(&log, process::LOG_LINES)
    )
}

/// Waits until the server answers; false when its process ended instead.
fn wait_until_up(server: &dyn Server, set: &Set, child: &mut Child) -> Result<bool> {
    let start = Instant::now();
    while start.elapsed() < START_PATIENCE {
        if child
            .try_wait()
            .context("cannot look after a server")?
            .is_some()
        {
            return Ok(false);
        }
        let mut probe = server.answers(set)?;
        probe
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // A connection first: a client costs more time than the server's start.
        if !place::is_free(set.port(server.name()))
            && probe.status().is_ok_and(|status| status.success())
        {
            return Ok(true);
        }
        thread::sleep(POLL);
    }
    let log = set.state.log(server.name());
    bail!(
        "{} does not answer within {} s; the end of {}:\n{}",
        server.name(),
        START_PATIENCE.as_secs(),
        log.display(),
        process::tail(&log, process::LOG_LINES)
    )
}

fn stop_all(set: &Set) -> Result<()> {
    let _ticker = Ticker::start("db: stopping the servers");
    remove_if_there(&set.state.file("env"))?;
    for (name, signals) in [
        (mysql::NAME, mysql::STOP_SIGNALS),
        (postgres::NAME, postgres::STOP_SIGNALS),
    ] {
        if let Some(pid) = set.pid(name) {
            process::stop(pid, &set.data(name), &signals)?;
        }
        remove_if_there(&set.state.pid_file(&set.record, name))?;
    }
    Ok(())
}

/// Refuses to go on unless every running server has our token, and so has the
/// directory of the data.
fn check_ours(set: &Set, servers: &[&dyn Server]) -> Result<()> {
    place::check_home(set)?;
    for server in servers {
        let name = server.name();
        if set.pid(name).is_some() && set.record.complete && !has_token(*server, set)? {
            let message = format!(
                "{name} on port {} does not have the token of {}: it is not a server that `db up` made",
                set.port(name),
                set.state.path().display()
            );
            return Err(Failure::new(BLOCKED, message).into());
        }
    }
    if !place::has_token(set) {
        let (home, state) = (&set.record.home, set.state.path());
        let message = format!(
            "{} does not have the token of {}",
            home.display(),
            state.display()
        );
        return Err(Failure::new(BLOCKED, message).into());
    }
    Ok(())
}

fn check_version(server: &dyn Server, set: &Set) -> Result<()> {
    let recorded = if server.name() == mysql::NAME {
        &set.record.mysql_version
    } else {
        &set.record.postgres_version
    };
    if server.accepts(recorded) {
        return Ok(());
    }
    let message = format!(
        "the data of {} is from {recorded}, installed is {}",
        server.name(),
        server.version()
    );
    Err(Failure::new(BLOCKED, message)
        .hint("`cargo xtask db down --volumes` removes the data")
        .into())
}

fn remember_versions(set: &mut Set, programs: &Programs) {
    set.record.mysql_version = programs.mysql.version().to_owned();
    set.record.postgres_version = programs.postgres.version().to_owned();
}
