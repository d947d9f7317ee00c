//! Where a set of servers lives: its directories and its ports.
//!
//! It starts nothing; it removes only what the record names.

use std::{
    fs::{self, DirBuilder, Permissions},
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, Result};

use super::{
    account, mysql,
    native::{Server, Set},
    postgres,
    process::{self, POLL},
    state::{Record, StateDir, remove_if_there, write_private},
};
use crate::{
    failure::{BLOCKED, Failure},
    workspace,
};

/// Attempts to remove a folder: a second in all.
const REMOVALS: u32 = 20;

/// Proves that the directory of the data belongs to the state directory.
pub(crate) const TOKEN_FILE: &str = "token";

/// Names the state directory, in the directory of the data.
const STATE_FILE: &str = "state-directory";

/// Makes the folder of this workspace for what servers read and write, where it is not there.
///
/// Root's servers run as accounts of their own, which enter neither a home of mode 0700 nor
/// every other place where a checkout may lie: theirs is outside, wherever the checkout is.
fn folder() -> Result<()> {
    if !account::is_root() {
        return Ok(());
    }
    make_shared_dir(&name_of_folder())
}

/// Makes a directory where everybody may make some, so that somebody else may have been first.
fn make_shared_dir(folder: &Path) -> Result<()> {
    make_open_dir(folder)?;
    let is_open = |metadata: fs::Metadata| metadata.mode() & 0o022 != 0;
    if is_own_dir(folder) && fs::symlink_metadata(folder).is_ok_and(|of| !is_open(of)) {
        return Ok(());
    }
    let message = format!(
        "{} is not a directory of this account that nobody else may write to",
        folder.display()
    );
    Err(Failure::new(BLOCKED, message)
        .hint(format!(
            "look at it, and remove it: rm -r {}",
            folder.display()
        ))
        .into())
}

/// Where that folder is.
pub(crate) fn name_of_folder() -> PathBuf {
    if account::is_root() {
        PathBuf::from(format!(
            "/var/tmp/converge-{}",
            short_name(workspace::root())
        ))
    } else {
        workspace::root().join("target")
    }
}

/// The folder for the data of one set of servers, made where it is not there.
pub(crate) fn make_home(state: &StateDir) -> Result<PathBuf> {
    let home = name_of_home(state);
    make_open_dir_in_folder(&home)?;
    refuse_used_home(state, &home)?;
    write_private(
        &home.join(STATE_FILE),
        &format!("{}\n", state.path().display()),
    )?;
    Ok(home)
}

/// Refuses a folder that is there already and was not made for this state directory: it is
/// going to be removed as a whole.
fn refuse_used_home(state: &StateDir, home: &Path) -> Result<()> {
    let made_here = fs::read_to_string(home.join(STATE_FILE))
        .is_ok_and(|named| Path::new(named.trim_end_matches('\n')) == state.path());
    let mut entries =
        fs::read_dir(home).with_context(|| format!("cannot list {}", home.display()))?;
    if made_here || entries.next().is_none() {
        return Ok(());
    }
    let message = format!(
        "{} is not empty, and was not made from here",
        home.display()
    );
    Err(Failure::new(BLOCKED, message)
        .hint("move it away, or name another state directory: --state-dir DIR")
        .into())
}

/// The folder of a set of servers, by its state directory.
fn name_of_home(state: &StateDir) -> PathBuf {
    if account::is_root() {
        name_of_folder().join(short_name(state.path()))
    } else {
        state.file("data")
    }
}

/// Makes a directory in the workspace's folder.
pub(crate) fn make_open_dir_in_folder(path: &Path) -> Result<()> {
    folder()?;
    // Another command may have removed the folder, which was empty until now, in between.
    make_open_dir(path).or_else(|_| folder().and_then(|_| make_open_dir(path)))
}

/// Makes a directory that every account may pass through, whatever the umask is.
fn make_open_dir(path: &Path) -> Result<()> {
    match make_dir(path, 0o711) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o711))
            .with_context(|| format!("cannot open {} to the servers", path.display())),
        Err(_) if path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether it is a directory, and no link to one, that belongs to us.
fn is_own_dir(path: &Path) -> bool {
    let own = fs::metadata("/proc/self").map(|metadata| metadata.uid());
    fs::symlink_metadata(path)
        .is_ok_and(|metadata| metadata.is_dir() && own.is_ok_and(|own| own == metadata.uid()))
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
/// the name and the owner that [`make_home`] gave it.
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
    let named = *home == name_of_home(state) && is_own_dir(home);
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
    // One of an older version is the state directory itself.
    if home != set.state.path() {
        remove_if_there(home)?;
        remove_empty_folder();
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
    let token = fs::read_to_string(record.home.join(TOKEN_FILE)).unwrap_or_default();
    // An empty file is no proof, even where the state directory's is empty as well.
    !record.token.is_empty() && token.trim() == record.token
}

/// Deals with data directories that nothing is recorded about: those beside a token of
/// ours are left of a state directory that was removed by hand, others are refused.
pub(crate) fn refuse_foreign_data(set: &Set, servers: &[&dyn Server]) -> Result<()> {
    if is_own_dir(&set.record.home) && set.record.home.join(TOKEN_FILE).is_file() {
        remove_home(&set.record.home)?;
        make_home(&set.state)?;
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

/// Stops what serves the data in a home of ours, and removes it.
pub(super) fn remove_home(home: &Path) -> Result<()> {
    for (name, signals) in [
        (mysql::NAME, mysql::STOP_SIGNALS),
        (postgres::NAME, postgres::STOP_SIGNALS),
    ] {
        let data = home.join(name);
        // The first process of PostgreSQL alone names the data, and ends the others.
        for pid in process::serving(&data) {
            process::stop(pid, &data, &signals)?;
        }
        remove_folder(&data)?;
    }
    remove_if_there(home)
}

/// The workspace's folder, where it is there and ours.
pub(super) fn existing_folder() -> Option<PathBuf> {
    Some(name_of_folder()).filter(|folder| is_own_dir(folder))
}

/// The state directory whose record names this home.
pub(super) fn user_of(home: &Path) -> Option<StateDir> {
    let state = state_of_home(home)?;
    let record = state.record().ok()??;
    (record.home == home).then_some(state)
}

/// The state directory for which a home was made.
pub(super) fn state_of_home(home: &Path) -> Option<StateDir> {
    let text = fs::read_to_string(home.join(STATE_FILE)).ok()?;
    StateDir::locate(Some(text.trim_end_matches('\n').into())).ok()
}

/// Removes the workspace's folder outside of it, once nothing is in it.
pub(super) fn remove_empty_folder() {
    if account::is_root() {
        // Another set of servers, or unpacked releases, keep it.
        let _ = fs::remove_dir(name_of_folder());
    }
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
    use std::os::unix::fs::{chown, symlink};

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
            mysql_password: String::new(),
            postgres_password: String::new(),
            owner_password: String::new(),
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
    fn a_folder_that_somebody_else_made_or_may_write_to_is_refused() {
        let sh = xshell::Shell::new().unwrap();
        let dir = sh.create_temp_dir().unwrap();
        let path = |name: &str| dir.path().join(name);
        make_shared_dir(&path("ours")).unwrap();
        make_shared_dir(&path("ours")).unwrap();
        assert_eq!(fs::metadata(path("ours")).unwrap().mode() & 0o777, 0o711);
        symlink(path("ours"), path("link")).unwrap();
        make_dir(&path("open"), 0o700).unwrap();
        fs::set_permissions(path("open"), Permissions::from_mode(0o777)).unwrap();
        let mut refused = vec!["link", "open"];
        if account::is_root() {
            make_dir(&path("foreign"), 0o700).unwrap();
            chown(path("foreign"), Some(65_534), None).unwrap();
            refused.push("foreign");
        }
        for name in refused {
            let error = make_shared_dir(&path(name)).unwrap_err();
            assert!(error.to_string().contains("nobody else"), "{name}: {error}");
        }
    }

    #[test]
    fn the_home_of_another_state_directory_is_not_ours() {
        let sh = xshell::Shell::new().unwrap();
        let dir = sh.create_temp_dir().unwrap();
        let [one, other] = ["one", "other"].map(|name| {
            fs::create_dir(dir.path().join(name)).unwrap();
            StateDir::locate(Some(dir.path().join(name))).unwrap()
        });
        let home = make_home(&one).unwrap();
        let record = record(home.clone(), TOKEN);
        let found = [&one, &other].map(|state| is_our_home(state, &record));
        let named = state_of_home(&home).map(|state| state.path().to_path_buf());
        fs::remove_dir_all(&home).unwrap();
        remove_empty_folder();
        assert_eq!(found, [true, false]);
        assert_eq!(named.as_deref(), Some(one.path()));
    }
}
