//! One place for the data wherever the checkout is, and nothing left in it.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::support::{Said, Servers, Workspace, runs};

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[test]
fn servers_run_from_a_closed_checkout_with_a_strict_umask() {
    let servers = Servers::new("strict");
    let program = servers.command(&["up"]);
    let mut strict = Command::new("sh");
    strict
        .args(["-c", "umask 077 && exec \"$@\"", "sh"])
        .arg(program.get_program())
        .args(program.get_args())
        .stdin(Stdio::null());
    let said = Said::by(&mut strict);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(servers.psql("alkemio", "select 1"), "1");
    assert_eq!(servers.mysql("select token from token"), servers.token());
    // Only root has other accounts to run servers as.
    let is_outside = !servers.home().starts_with(&servers.state);
    assert_eq!(is_outside, is_root());
    servers.ok(&["reset"]);
    let home = servers.home();
    servers.ok(&["down", "--volumes"]);
    assert!(!home.exists());
}

#[test]
fn servers_whose_record_was_lost_are_replaced() {
    let servers = Servers::new("lost");
    servers.ok(&["up"]);
    let pids = ["mysql", "postgres"].map(|server| servers.pid(server));
    for name in ["state", "token", "env"] {
        fs::remove_file(servers.state.join(name)).unwrap();
    }
    servers.ok(&["up"]);
    assert!(pids.iter().all(|pid| !runs(pid)));
    assert_eq!(servers.mysql("select token from token"), servers.token());
}

/// Servers in a state directory of a killed command, with their home and a process.
fn abandoned(workspace: &Workspace, state: &str) -> (PathBuf, String) {
    let state = workspace.root.join("target").join(state);
    let mut command = workspace.command(&["db", "up", "--provider", "native", "--state-dir"]);
    let said = Said::by(command.arg(&state));
    assert_eq!(said.code, 0, "{said:?}");
    let servers = Servers { state };
    let found = (servers.home(), servers.pid("mysql"));
    // They stay, as after a kill.
    std::mem::forget(servers);
    found
}

#[test]
fn down_with_volumes_removes_what_killed_commands_left() {
    let workspace = Workspace::new("workspace");
    let of_tests = abandoned(&workspace, "db-test");
    let of_a_test = abandoned(&workspace, "tmp/closed/killed");
    let mut all = vec![of_tests.clone(), of_a_test];
    if is_root() {
        let forgotten = abandoned(&workspace, "tmp/forgotten");
        fs::remove_dir_all(workspace.root.join("target/tmp/forgotten")).unwrap();
        all.push(forgotten);
    }
    let lock = File::create(workspace.root.join("target/db-test/guard.lock")).unwrap();
    lock.lock().unwrap();
    let said = workspace.db(&["down", "--volumes"]).unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains("tests are running"), "{said:?}");
    assert!(all.iter().all(|(home, pid)| home.exists() && runs(pid)));

    drop(lock);
    let said = workspace.db(&["down", "--volumes"]).unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    for (home, pid) in &all {
        assert!(!runs(pid) && !home.exists(), "{}: {said:?}", home.display());
    }
    let folder = of_tests.0.parent().unwrap();
    assert_eq!(folder.exists(), !is_root(), "{}", folder.display());
    assert!(folder.starts_with("/var/tmp") || folder.starts_with(&workspace.root));
    fs::remove_dir_all(&workspace.root).unwrap();
}

#[test]
fn down_with_volumes_removes_releases_that_were_unpacked_elsewhere() {
    let workspace = Workspace::new("releases");
    let (home, _) = abandoned(&workspace, "db-test");
    let releases = home.parent().unwrap().join("servers");
    if is_root() {
        fs::create_dir_all(releases.join("postgres-18")).unwrap();
    }
    workspace.db(&["down", "--volumes"]).unwrap();
    assert!(!releases.exists() && !home.exists());
    fs::remove_dir_all(&workspace.root).unwrap();
}
