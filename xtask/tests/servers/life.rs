//! Up, found again after a stop or a kill, down, removed.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::support::{Servers, runs};

#[test]
fn data_survives_down_and_up_and_is_removed_on_demand() {
    let servers = Servers::new("life");
    assert_eq!(servers.run(&["status"]).code, 1);
    servers.ok(&["up"]);
    let status = servers.ok(&["status"]).stdout;
    assert_eq!(status.matches(" up ").count(), 2, "{status}");
    assert_eq!(servers.mysql("select token from token"), servers.token());
    assert_eq!(
        servers.psql("converge_local", "select token from token"),
        servers.token()
    );

    let pid = servers.pid("mysql");
    let again = servers.ok(&["up"]);
    assert!(again.stderr.contains("already up"), "{again:?}");
    assert_eq!(servers.pid("mysql"), pid);

    servers.mysql("create table alkemio.kept (id int primary key)");
    servers.psql("alkemio", "create table kept (id int primary key)");
    let env = fs::read_to_string(servers.state.join("env")).unwrap();
    servers.ok(&["down"]);
    assert_eq!(servers.run(&["status"]).code, 1);
    assert_eq!(servers.run(&["psql"]).code, 3);
    assert!(!runs(&pid));

    servers.ok(&["up"]);
    assert_eq!(fs::read_to_string(servers.state.join("env")).unwrap(), env);
    assert_eq!(servers.mysql("select count(*) from alkemio.kept"), "0");
    assert_eq!(servers.psql("alkemio", "select count(*) from kept"), "0");

    let token = servers.token();
    servers.ok(&["reset"]);
    assert_ne!(servers.token(), token);
    assert_eq!(
        servers.psql("alkemio", "select to_regclass('kept') is null"),
        "t"
    );

    let home = servers.home();
    servers.ok(&["down", "--volumes"]);
    assert!(!home.exists());
    for name in ["env", "token", "state", "mysql.cnf"] {
        assert!(!servers.state.join(name).exists(), "{name}");
    }
}

#[test]
fn servers_start_again_after_they_were_killed() {
    let servers = Servers::new("killed");
    servers.ok(&["up"]);
    servers.psql("alkemio", "create table kept (id int primary key)");
    for server in ["mysql", "postgres"] {
        let killed = Command::new("sh")
            .args(["-c", "kill -s KILL \"$1\"", "sh", &servers.pid(server)])
            .status()
            .unwrap();
        assert!(killed.success());
    }
    assert_eq!(servers.run(&["status"]).code, 1);
    let up = servers.ok(&["up"]);
    assert!(up.stderr.contains("up again"), "{up:?}");
    assert_eq!(servers.psql("alkemio", "select count(*) from kept"), "0");
}

#[test]
fn an_unfinished_start_is_made_anew() {
    let servers = Servers::new("unfinished");
    servers.ok(&["up"]);
    let state = servers.state.join("state");
    let text = fs::read_to_string(&state).unwrap();
    fs::write(&state, text.replace("complete=true", "complete=false")).unwrap();
    let pid = servers.pid("postgres");
    servers.ok(&["up"]);
    assert_ne!(servers.pid("postgres"), pid);
    assert!(!runs(&pid));
    assert_eq!(servers.ok(&["status"]).stdout.matches(" up ").count(), 2);
}

#[test]
fn servers_whose_data_was_swept_away_are_made_anew() {
    let servers = Servers::new("swept");
    servers.ok(&["up"]);
    servers.ok(&["down"]);
    fs::remove_dir_all(servers.home().join("postgres")).unwrap();
    servers.ok(&["up"]);
    assert_eq!(
        servers.psql("converge_local", "select token from token"),
        servers.token()
    );
}

#[test]
fn paths_may_be_long_and_hold_quotes_and_blanks() {
    let name = format!("it's a \"state\" of ${{HOME}} {}", "long".repeat(30));
    let servers = Servers::new(&name);
    servers.ok(&["up"]);
    assert_eq!(servers.mysql("select 1"), "1");
    servers.ok(&["reset"]);
    assert_eq!(servers.psql("kratos", "select current_user"), "kratos");
    servers.ok(&["down", "--volumes"]);
}

#[test]
fn two_sets_do_not_know_each_other() {
    let (one, other) = (Servers::new("one"), Servers::new("other"));
    one.ok(&["up"]);
    other.ok(&["up"]);
    assert_ne!(one.mysql("select @@port"), other.mysql("select @@port"));
    one.ok(&["down", "--volumes"]);
    assert_eq!(other.ok(&["status"]).stdout.matches(" up ").count(), 2);
    assert_eq!(other.mysql("select token from token"), other.token());
}

#[test]
fn the_guard_takes_servers_away_when_its_command_ends() {
    let servers = Servers::new("guarded");
    servers.ok(&["up"]);
    let pid = servers.pid("mysql");
    let mut guard = servers
        .command(&["guard"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let home = servers.home();
    assert!(runs(&pid));
    drop(guard.stdin.take());
    assert!(guard.wait().unwrap().success());
    assert!(!runs(&pid));
    assert!(!home.exists());
}

#[test]
fn no_pipe_of_the_caller_stays_open() {
    let servers = Servers::new("pipes");
    // `output` returns when both pipes are closed, which a server would prevent.
    let said = servers.ok(&["up"]);
    assert_eq!(said.stdout.lines().count(), 3, "{said:?}");
    for server in ["mysql", "postgres"] {
        for stream in 0..3 {
            let open = fs::read_link(format!("/proc/{}/fd/{stream}", servers.pid(server))).unwrap();
            assert!(
                open.is_absolute() && !open.starts_with("/dev/pts"),
                "{}",
                open.display()
            );
        }
    }
}
