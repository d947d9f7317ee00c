//! Where a set of servers lives: its directories and its ports.
//!
//! It starts nothing; it removes only what the record names.

use std::{
    fs::{self, DirBuilder},
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, Result, bail};

use super::{
    account::{self, Account},
    mysql,
    native::{Server, Set},
    postgres,
    process::{self, POLL},
    state::{Record, StateDir, remove_if_there},
};
use crate::failure::{BLOCKED, Failure};

/// Attempts to remove a folder: a second in all.
const REMOVALS: u32 = 20;

/// The state directory, or a place under /var/tmp where the servers' accounts cannot
/// enter it, as in root's home.
pub(crate) fn choose_home(state: &StateDir, servers: &[&dyn Server]) -> Result<PathBuf> {
    let accounts = servers.iter().filter_map(|server| server.account());
    reachable(state.path(), accounts)
}

/// The folder, or one under /var/tmp in its stead where one of the accounts cannot enter it.
pub(crate) fn reachable(
    folder: &Path,
    mut accounts: impl Iterator<Item = Account>,
) -> Result<PathBuf> {
    if accounts.all(|account| account.enters(folder)) {
        return Ok(folder.to_path_buf());
    }
    let outside = outside(folder);
    if !outside.exists() {
        make_dir(&outside, 0o711)?;
    }
    let metadata = fs::symlink_metadata(&outside)
        .with_context(|| format!("cannot look at {}", outside.display()))?;
    // Everybody may write to /var/tmp, so that somebody else may have been first.
    if !metadata.is_dir() || metadata.uid() != 0 || !account::is_root() {
        bail!("{} is not a directory of root", outside.display());
    }
    Ok(outside)
}

/// The place for a folder that the servers' accounts cannot enter.
fn outside(folder: &Path) -> PathBuf {
    PathBuf::from(format!("/var/tmp/converge-{}", short_name(folder)))
}

/// A short name for a path, the same at every time.
pub(crate) fn short_name(path: &Path) -> String {
    format!("{:016x}", fnv1a(path.as_os_str().as_encoded_bytes()))
}

/// Refuses a recorded home that nothing proves to be ours: the record is a text file, and
/// what it names is going to be removed.
pub(crate) fn check_home(set: &Set) -> Result<()> {
    if is_our_home(&set.state, &set.record) {
        return Ok(());
    }
    let (record, home) = (set.state.file("state"), set.record.home.display());
    let message = format!(
        "{} says that the servers' data is in {home}, but nothing there proves that it was made from here",
        record.display()
    );
    let hint = format!(
        "look at both; once {} is removed, `cargo xtask db up` makes new servers and leaves {home} alone",
        record.display()
    );
    Err(Failure::new(BLOCKED, message).hint(hint).into())
}

/// Whether the home is gone, or holds our token, or lies in the state directory, or has
/// the name and the owner that [`choose_home`] gave it.
fn is_our_home(state: &StateDir, record: &Record) -> bool {
    let home = &record.home;
    let metadata = match fs::symlink_metadata(home) {
        Err(error) => return error.kind() == ErrorKind::NotFound,
        Ok(metadata) => metadata,
    };
    if !metadata.is_dir() {
        return false;
    }
    // Without the dots and links by which a path leads out of the directory it begins with.
    let inside = fs::canonicalize(home)
        .and_then(|home| Ok(home.starts_with(fs::canonicalize(state.path())?)))
        .unwrap_or(false);
    let named = *home == outside(state.path())
        && fs::metadata("/proc/self").is_ok_and(|own| own.uid() == metadata.uid());
    inside || named || holds_token(record)
}

/// Removes all that `create` made, the logs excepted. What proves that it is ours goes
/// last, so that a removal that was cut short can be done again.
pub(crate) fn remove_data(set: &Set) -> Result<()> {
    let home = &set.record.home;
    for folder in [mysql::NAME, mysql::TEMPORARY, mysql::FILES, postgres::NAME] {
        remove_folder(&home.join(folder))?;
    }
    for file in ["mysql-setup.sql", "postgres-password"] {
        remove_if_there(&home.join(file))?;
    }
    if home != set.state.path() {
        remove_if_there(home)?;
    }
    for file in ["mysql.cnf", "env", "state", "token"] {
        remove_if_there(&set.state.file(file))?;
    }
    Ok(())
}

/// Removes a folder in which a program that was killed with its caller may still make a
/// last file.
fn remove_folder(path: &Path) -> Result<()> {
    process::wait_until_unused(path)?;
    for _ in 0..REMOVALS {
        if remove_if_there(path).is_ok() {
            return Ok(());
        }
        thread::sleep(POLL);
    }
    remove_if_there(path)
}

/// Whether both data directories are there.
pub(crate) fn is_whole(set: &Set) -> bool {
    [mysql::NAME, postgres::NAME]
        .iter()
        .all(|name| set.data(name).is_dir())
}

/// Whether the directory of the data has the token of the state directory, or no data.
pub(crate) fn has_token(set: &Set) -> bool {
    let home = &set.record.home;
    let holds_data = [mysql::NAME, postgres::NAME]
        .iter()
        .any(|name| home.join(name).exists());
    !holds_data || holds_token(&set.record)
}

fn holds_token(record: &Record) -> bool {
    let token = fs::read_to_string(record.home.join("token")).unwrap_or_default();
    // An empty file is no proof, even where the state directory's is empty as well.
    !record.token.is_empty() && token.trim() == record.token
}

/// Deals with data directories that nothing is recorded about.
///
/// In the place under /var/tmp they are what is left of a state directory that was
/// removed by hand; anywhere else they are not known to be ours.
pub(crate) fn refuse_foreign_data(set: &Set, servers: &[&dyn Server]) -> Result<()> {
    if set.record.home != set.state.path() {
        for (name, signals) in [
            (mysql::NAME, mysql::STOP_SIGNALS),
            (postgres::NAME, postgres::STOP_SIGNALS),
        ] {
            if let Some(pid) = set.pid(name) {
                process::stop(pid, &set.data(name), &signals)?;
            }
            remove_folder(&set.data(name))?;
        }
    }
    for server in servers {
        let data = set.data(server.name());
        if data.exists() {
            let message = format!(
                "{} exists, but nothing is recorded about it",
                data.display()
            );
            let failure = Failure::new(BLOCKED, message)
                .hint("stop the server that uses it, if any, and remove it");
            return Err(failure.into());
        }
        for pid in process::serving(&data) {
            eprintln!(
                "db: process {pid} still serves {}, which was removed",
                data.display()
            );
        }
    }
    Ok(())
}

/// Makes a directory with exactly these rights at most.
pub(crate) fn make_dir(path: &Path, mode: u32) -> Result<()> {
    DirBuilder::new()
        .mode(mode)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))
}

/// Two different ports on loopback that nobody listens on now.
pub(crate) fn free_ports() -> Result<[u16; 2]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port");
    // Both are held until both are known, or they could be the same.
    let (one, other) = (bind()?, bind()?);
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}

/// Whether nobody listens on the port now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The FNV-1a hash: a short, stable name for a path, where collisions are harmless.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::{db::state::write_private, flags::Provider};

    const TOKEN: &str = "5eed";

    fn record(home: PathBuf, token: &str) -> Record {
        Record {
            provider: Provider::Native,
            complete: false,
            home,
            project: String::new(),
            mysql_from: String::new(),
            postgres_from: String::new(),
            mysql_version: String::new(),
            mysql_port: 1,
            postgres_version: String::new(),
            postgres_port: 2,
            postgres_password: String::new(),
            token: token.to_owned(),
        }
    }

    /// Whether `home` below a new directory is ours, for the state directory `state` in it.
    fn ours(home: &str, token: &str, prepare: impl FnOnce(&Path)) -> bool {
        let sh = xshell::Shell::new().unwrap();
        let dir = sh.create_temp_dir().unwrap();
        fs::create_dir_all(dir.path().join("state/inner")).unwrap();
        fs::create_dir(dir.path().join("outside")).unwrap();
        prepare(dir.path());
        let state = StateDir::locate(Some(dir.path().join("state"))).unwrap();
        is_our_home(&state, &record(dir.path().join(home), token))
    }

    #[test]
    fn a_home_in_the_state_directory_or_nowhere_is_ours() {
        for home in ["state", "state/inner", "outside/../state", "outside/gone"] {
            assert!(ours(home, TOKEN, |_| ()), "{home}");
        }
    }

    #[test]
    fn a_home_elsewhere_needs_the_token() {
        let with = |text: &'static str| {
            move |dir: &Path| write_private(&dir.join("outside/token"), text).unwrap()
        };
        assert!(ours("outside", TOKEN, with("5eed\n")));
        assert!(!ours("outside", TOKEN, with("other")));
        assert!(!ours("outside", "", with("")));
        for home in ["outside", "state/../outside", "state/.."] {
            assert!(!ours(home, TOKEN, |_| ()), "{home}");
        }
    }

    #[test]
    fn a_link_does_not_lie_where_its_name_does() {
        let link = |dir: &Path| symlink(dir.join("outside"), dir.join("state/link")).unwrap();
        assert!(!ours("state/link", TOKEN, link));
        assert!(!ours("state/link/.", TOKEN, link));
    }

    #[test]
    fn the_place_of_another_state_directory_is_not_ours() {
        let sh = xshell::Shell::new().unwrap();
        let dir = sh.create_temp_dir().unwrap();
        let state = |name: &str| StateDir::locate(Some(dir.path().join(name))).unwrap();
        let place = outside(state("one").path());
        make_dir(&place, 0o700).unwrap();
        let record = record(place.clone(), TOKEN);
        let found = ["one", "other"].map(|name| is_our_home(&state(name), &record));
        fs::remove_dir(&place).unwrap();
        assert_eq!(found, [true, false]);
    }
}
