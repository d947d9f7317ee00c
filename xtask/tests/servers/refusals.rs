//! Data and files that are not touched.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use crate::support::{Servers, runs};

#[test]
fn data_is_kept_when_a_server_has_another_token() {
    let servers = Servers::new("foreign");
    servers.ok(&["up"]);
    let token = servers.token();
    servers.mysql("update token set token = 'of somebody else'");
    for args in [&["reset"][..], &["down", "--volumes"]] {
        let said = servers.run(args);
        assert_eq!(said.code, 3, "{said:?}");
        assert!(said.stderr.contains("does not have the token"), "{said:?}");
    }
    assert_eq!(servers.run(&["status"]).code, 1);
    servers.mysql(&format!("update token set token = '{token}'"));
    servers.psql("converge_local", "drop table token");
    assert_eq!(servers.run(&["reset"]).code, 3);
    assert_eq!(servers.mysql("select token from token"), token);
}

#[test]
fn data_directories_that_nobody_recorded_are_not_touched() {
    let servers = Servers::new("unrecorded");
    servers.ok(&["up"]);
    let home = servers.home();
    servers.ok(&["down", "--volumes"]);
    let precious = home.join("mysql/precious");
    fs::create_dir_all(precious.parent().unwrap()).unwrap();
    fs::write(&precious, "kept").unwrap();
    let said = servers.run(&["up"]);
    let kept = fs::read_to_string(&precious);
    // Nothing records it, so nothing else removes it.
    fs::remove_dir_all(&home).unwrap();
    let _ = fs::remove_dir(home.parent().unwrap());
    assert_eq!(said.code, 3, "{said:?}");
    assert_eq!(kept.unwrap(), "kept");
}

#[test]
fn a_copied_state_directory_has_no_servers() {
    let (original, copy) = (Servers::new("original"), Servers::new("copy"));
    original.ok(&["up"]);
    let (pid, token) = (original.pid("postgres"), original.token());
    let mysql = original.pid("mysql");
    let copied = Command::new("cp")
        .arg("-R")
        .args([&original.state, &copy.state])
        .status();
    assert!(copied.unwrap().success());
    copy.ok(&["down", "--volumes"]);
    assert!(runs(&pid));
    assert_eq!(copy.run(&["status"]).code, 1);
    assert_eq!(
        original.psql("converge_local", "select token from token"),
        token
    );
    drop(copy);
    original.ok(&["down", "--volumes"]);
    assert!(!runs(&pid) && !runs(&mysql), "both servers are stopped");
}

#[test]
fn clients_reach_no_file_of_the_server() {
    let servers = Servers::new("files");
    servers.ok(&["up"]);
    let file = servers.state.join("secret");
    fs::write(&file, "secret").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    for path in ["/etc/passwd", file.to_str().unwrap()] {
        let sql = format!("select load_file('{path}') is null");
        assert_eq!(servers.mysql(&sql), "1", "{path}");
    }
    let written = format!("/tmp/converge-{}", std::process::id());
    let sql = format!("select 1 into outfile '{written}'");
    let said = servers.run(&["mysql", "converge_local", "-e", &sql]);
    assert_ne!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains("--secure-file-priv"), "{said:?}");
    let allowed = servers.mysql("select @@secure_file_priv");
    if allowed != "NULL" {
        // Nothing lies in the one folder that a MariaDB may use.
        let folder = servers.home().join("mysql-files");
        assert_eq!(Path::new(&allowed), folder.canonicalize().unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
    servers.ok(&["down", "--volumes"]);
}

#[test]
fn a_recorded_place_that_is_not_ours_is_not_removed() {
    let servers = Servers::new("misled");
    servers.ok(&["up"]);
    servers.ok(&["down"]);
    let foreign = Path::new(env!("CARGO_TARGET_TMPDIR")).join("of somebody else");
    let precious = [foreign.join("mysql/precious"), foreign.join("precious")];
    fs::create_dir_all(foreign.join("mysql")).unwrap();
    for path in &precious {
        fs::write(path, "kept").unwrap();
    }
    let state = servers.state.join("state");
    let recorded = servers.read("state");
    let lines = recorded.lines().map(|line| match line.split_once('=') {
        Some(("home", _)) => format!("home={}\n", foreign.display()),
        Some(("complete", _)) => "complete=false\n".to_owned(),
        _ => format!("{line}\n"),
    });
    fs::write(&state, lines.collect::<String>()).unwrap();
    for args in [&["up"][..], &["reset"], &["down", "--volumes"]] {
        let said = servers.run(args);
        assert_eq!(said.code, 3, "{said:?}");
        assert!(said.stderr.contains("nothing there proves"), "{said:?}");
        assert!(said.stderr.contains("\nhint: "), "{said:?}");
        for path in &precious {
            assert_eq!(fs::read_to_string(path).unwrap(), "kept", "{args:?}");
        }
    }
    fs::write(&state, recorded + "\n").unwrap();
    servers.ok(&["down", "--volumes"]);
    fs::remove_dir_all(&foreign).unwrap();
}
