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
    Outcome::of(&export.wait_with_output().unwrap());
    assert!(
        since.elapsed() < Duration::from_secs(2),
        "{:?}",
        since.elapsed()
    );
}
