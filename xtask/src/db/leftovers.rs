//! Servers and data that tests and killed commands of this workspace left behind.
//!
//! It leaves alone what a test run is using, and sets of servers elsewhere that are recorded.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{
    account, docker,
    native::{self, Set},
    place,
    state::{StateDir, remove_if_there},
};
use crate::{failure, flags::Provider, servers, workspace};

/// State directories of commands that bring servers of their own.
const OWN_STATES: [&str; 2] = ["db-test", "db-deep"];

/// How deep below the folder of the tests a state directory lies: `closed/NAME` is the deepest.
const DEPTH: usize = 2;

/// Removes them, unless tests are running.
pub(super) fn remove() -> Result<()> {
    let own = OWN_STATES.map(StateDir::own);
    let mut locks = Vec::new();
    for state in &own {
        match idle(state)? {
            Some(lock) => locks.push(lock),
            None => {
                let state = state.path().display();
                eprintln!("db: tests are running on the servers of {state}; these stay");
                return Ok(());
            }
        }
    }
    let mut failed = 0;
    let states = own.into_iter().chain(states_of_tests());
    for error in states.filter_map(|state| remove_set(&state).err()) {
        failure::report(&error);
        failed += 1;
    }
    if account::is_root() {
        remove_outside()?;
    }
    if failed > 0 {
        bail!("{failed} sets of servers of tests are not removed");
    }
    Ok(())
}

/// The lock of a state directory's guard, held; none while a command holds it. A directory
/// that is not there has nobody at work.
fn idle(state: &StateDir) -> Result<Option<Option<File>>> {
    let path = state.file("guard.lock");
    if !path.exists() {
        return Ok(Some(None));
    }
    let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(file.try_lock().is_ok().then_some(Some(file)))
}

/// The state directories below the folder that cargo gives to tests.
fn states_of_tests() -> Vec<StateDir> {
    let mut found = Vec::new();
    let mut open = vec![(workspace::target().join("tmp"), 0)];
    while let Some((folder, depth)) = open.pop() {
        if folder.join("state").is_file() {
            found.extend(StateDir::locate(Some(folder)));
            continue;
        }
        if depth < DEPTH {
            open.extend(folders_in(&folder).map(|folder| (folder, depth + 1)));
        }
    }
    found
}

fn folders_in(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path())
}

fn remove_set(state: &StateDir) -> Result<()> {
    if Set::open(state)?.is_none() {
        return Ok(());
    }
    eprintln!("db: removing the servers of {}", state.path().display());
    let Some((set, _lock)) = native::open_locked(state)? else {
        return Ok(());
    };
    match set.record.provider {
        Provider::Docker => docker::remove(&set),
        _ => native::remove(&set),
    }
}

/// Empties the workspace's folder outside of it: data whose state directory is gone, and
/// unpacked releases, unless servers that are recorded elsewhere may run from them.
fn remove_outside() -> Result<()> {
    let Some(folder) = place::existing_folder() else {
        return Ok(());
    };
    let mut others = false;
    for home in folders_in(&folder).filter(|home| *home != servers::name_of_folder()) {
        match place::user_of(&home) {
            Some(state) => {
                let state = state.path().display();
                eprintln!("db: the servers of {state} stay; `--state-dir {state}` names them");
                others = true;
            }
            None => {
                eprintln!(
                    "db: removing {}, which nothing uses any more",
                    home.display()
                );
                place::remove_home(&home)?;
            }
        }
    }
    if !others {
        remove_if_there(&servers::name_of_folder())?;
    }
    place::remove_empty_folder();
    Ok(())
}
