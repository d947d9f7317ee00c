//! Servers that take no connection yet: they are waited for, up to a bound, and said so.

use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::own_servers::OwnServers;
use crate::support::{Outcome, Workplace, interrupt};

const SOURCE: &str = "create table t (id int primary key); insert into t values (1), (2)";
const TARGET: &str = "create table public.t (id integer primary key)";

#[test]
fn servers_that_come_back_within_seconds_are_waited_for() {
    let servers = OwnServers::up("retries");
    servers.source().execute_script(SOURCE).unwrap();
    servers.target().batch_execute(TARGET).unwrap();
    let workplace = Workplace::at(&[("shop", servers.source_url(), servers.target_url(), "")]);
    for (command, side) in [("doctor", "source"), ("migrate", "target")] {
        match side {
            "source" => servers.kill_source(),
            _ => servers.kill_target(),
        }
        let mut started = workplace.command(&[command]);
        let started = started
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let started = started.unwrap();
        thread::sleep(Duration::from_secs(2));
        servers.start();
        let outcome = Outcome::of(&started.wait_with_output().unwrap()).expect(0);
        let said = "takes no connection yet, trying for 10 s: ";
        let line = outcome.stderr.lines().find(|line| line.starts_with(side));
        assert!(
            line.is_some_and(|line| line.contains(said)),
            "{}",
            outcome.text()
        );
    }
}

#[test]
fn a_server_that_says_that_it_shuts_down_is_waited_for_until_it_is_back() {
    let servers = OwnServers::up("shutdown");
    servers.source().execute_script(SOURCE).unwrap();
    servers.target().batch_execute(TARGET).unwrap();
    let workplace = Workplace::at(&[("shop", servers.source_url(), servers.target_url(), "")]);
    // It waits for this session to end, and takes no other.
    let session = servers.target();
    servers.shut_target_down();
    let mut doctor = workplace.command(&["doctor"]);
    let doctor = doctor.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let doctor = doctor.unwrap();
    thread::sleep(Duration::from_secs(2));
    drop(session);
    thread::sleep(Duration::from_secs(1));
    servers.start();
    let outcome = Outcome::of(&doctor.wait_with_output().unwrap()).expect(0);
    for part in ["trying for 25 s: ", "(SQLSTATE 57P03)"] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.text());
    }
}

/// A port at which nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn nowhere() -> Workplace {
    let port = closed_port();
    let (source, target) = (
        format!("mysql://u:p@127.0.0.1:{port}/d"),
        format!("postgres://u:p@127.0.0.1:{port}/d"),
    );
    Workplace::at(&[("shop", source, target, "")])
}

#[test]
fn a_port_where_nobody_listens_is_given_up_soon() {
    let since = Instant::now();
    let outcome = nowhere().run(&["export"]).expect(1);
    assert!(
        since.elapsed() < Duration::from_secs(15),
        "{:?}",
        since.elapsed()
    );
    assert!(
        outcome.stderr.contains("no connection to the source"),
        "{}",
        outcome.text()
    );
    assert_eq!(outcome.stderr.matches("takes no connection yet").count(), 1);
}

#[test]
fn an_interrupt_ends_the_wait_for_a_server() {
    let workplace = nowhere();
    let mut export = workplace.command(&["export"]);
    let export = export.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let export = export.unwrap();
    thread::sleep(Duration::from_secs(2));
    let since = Instant::now();
    interrupt(export.id());
    Outcome::of(&export.wait_with_output().unwrap()).expect(6);
    assert!(
        since.elapsed() < Duration::from_secs(2),
        "{:?}",
        since.elapsed()
    );
}
