//! The life of containers: up, found again, down, removed, and a rehearsal on them.

use std::fs;

use crate::support::{Containers, Said, docker};

#[test]
fn data_survives_down_and_up_and_is_removed_on_demand() {
    let servers = Containers::new("life");
    assert_eq!(servers.db(&["status"]).code, 1);
    let up = servers.db(&["up"]).expect(0);
    assert!(up.stdout.contains("MySQL 9.7"), "{up:?}");
    assert!(up.stdout.contains("PostgreSQL 18"), "{up:?}");
    let status = servers.db(&["status"]).expect(0).stdout;
    assert_eq!(status.matches(" up ").count(), 2, "{status}");
    let again = servers.db(&["up"]).expect(0);
    assert!(again.stderr.contains("already up"), "{again:?}");
    for service in ["mysql", "postgres"] {
        let ports = docker(&["port", &servers.container(service)]);
        assert!(
            ports.contains("127.0.0.1:") && !ports.contains("0.0.0.0:"),
            "{ports}"
        );
    }
    let logs = servers.db(&["logs", "--lines", "3"]).expect(0).stdout;
    assert!(
        logs.contains("==> mysql <==") && logs.lines().count() >= 4,
        "{logs}"
    );

    servers.mysql("create table kept (id int primary key)");
    servers.psql("create table kept (id int primary key)");
    assert_eq!(servers.psql("select current_user"), "alkemio");
    servers.db(&["down"]).expect(0);
    assert_eq!(servers.db(&["status"]).code, 1);
    assert_eq!(servers.db(&["psql"]).code, 3);
    servers.db(&["up"]).expect(0);
    assert_eq!(servers.mysql("select count(*) from kept"), "0");
    assert_eq!(servers.psql("select count(*) from kept"), "0");

    let token = fs::read_to_string(servers.state.join("token")).unwrap();
    servers.db(&["reset"]).expect(0);
    assert_ne!(
        fs::read_to_string(servers.state.join("token")).unwrap(),
        token
    );
    assert_eq!(servers.psql("select to_regclass('kept') is null"), "t");

    let project = format!("label=com.docker.compose.project={}", servers.project());
    servers.db(&["down", "--volumes"]).expect(0);
    for kind in [&["ps", "--all"][..], &["volume", "ls"], &["network", "ls"]] {
        let words = [kind, &["--quiet", "--filter", &project]].concat();
        assert_eq!(docker(&words), "", "{kind:?}");
    }
    assert!(!servers.state.join("env").exists());
}

#[test]
fn two_workspaces_live_side_by_side() {
    let (one, other) = (Containers::up("one"), Containers::up("other"));
    assert_ne!(one.project(), other.project());
    one.mysql("create table t (id int primary key)");
    assert_eq!(other.mysql("show tables"), "");
    one.db(&["down", "--volumes"]).expect(0);
    let status = other.db(&["status"]).expect(0).stdout;
    assert_eq!(status.matches(" up ").count(), 2, "{status}");
}

#[test]
fn data_is_kept_when_a_server_has_another_token() {
    let servers = Containers::up("foreign");
    let token = servers.mysql("select token from converge_local.token");
    servers.mysql("update converge_local.token set token = 'of somebody else'");
    for words in [&["reset"][..], &["down", "--volumes"]] {
        let said = servers.db(words).expect(3);
        assert!(said.stderr.contains("do not have the token"), "{said:?}");
    }
    assert_eq!(servers.db(&["status"]).code, 1);
    servers.mysql(&format!(
        "update converge_local.token set token = '{token}'"
    ));
    servers.db(&["status"]).expect(0);
}

#[test]
fn the_main_job_runs_on_containers() {
    let servers = Containers::new("rehearse");
    let mut rehearse = servers.xtask(&["rehearse", "--provider", "docker"]);
    let said = Said::of(rehearse.output().unwrap()).expect(0);
    assert!(said.stdout.contains("moved and verified again"), "{said:?}");
    let run = fs::read_to_string(servers.state.join(servers.run_directory()).join("run.json"));
    let run = run.unwrap();
    assert!(run.contains("\"9.7.") && run.contains("\"18."), "{run}");
}
