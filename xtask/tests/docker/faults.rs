//! A database container that is killed, paused or cut off while data moves: the run ends
//! within a minute, with the right code, and says which side is gone.

use std::{
    fs,
    process::{Child, Command},
    time::{Duration, Instant},
};

use crate::support::{Containers, Said, begin, docker, finish, wait_for};

/// From the fault to the end of the command.
const END_WITHIN: Duration = Duration::from_secs(60);

/// 64 MB, which no buffer on the way holds.
const BIG_SOURCE: &str = "create table big (id int auto_increment primary key, body text); \
    insert into big (body) select repeat('x', 500) from \
      (with recursive n as (select 1 i union all select i + 1 from n where i < 1000) \
       select i from n) n; \
    insert into big (body) select body from big; insert into big (body) select body from big; \
    insert into big (body) select body from big; insert into big (body) select body from big; \
    insert into big (body) select body from big; insert into big (body) select body from big; \
    insert into big (body) select body from big";
const BIG_TARGET: &str = "create table big (id serial primary key, body text)";

/// A table whose target takes a tenth of a second for each row until [`QUICK`].
const SLOW_SOURCE: &str = "create table t (id int primary key); insert into t \
    with recursive n as (select 1 i union all select i + 1 from n where i < 1000) \
    select i from n";
const SLOW_TARGET: &str = "create function slow(integer) returns boolean language plpgsql as \
    $$ begin perform pg_catalog.pg_sleep(0.1); return true; end $$; \
    create table t (id integer primary key check (slow(id)))";
const QUICK: &str = "create or replace function slow(integer) returns boolean \
    language plpgsql as $$ begin return true; end $$";

/// How a server is taken away, and brought back.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill,
    Pause,
    /// The engine takes the container off its network.
    Disconnect,
    /// Every packet to the server is dropped, and nobody is told.
    Silence,
}

impl Fault {
    fn inject(self, servers: &Containers, service: &str) {
        let container = servers.container(service);
        match self {
            Fault::Kill => drop(docker(&["kill", &container])),
            Fault::Pause => drop(docker(&["pause", &container])),
            Fault::Disconnect => {
                let network = format!("{}_default", servers.project());
                docker(&["network", "disconnect", &network, &container]);
            }
            Fault::Silence => firewall(&container, "--append"),
        }
    }

    fn end(self, servers: &Containers, service: &str) {
        let container = servers.container(service);
        match self {
            Fault::Kill => drop(servers.db(&["up"]).expect(0)),
            Fault::Pause => drop(docker(&["unpause", &container])),
            Fault::Disconnect => {
                let network = format!("{}_default", servers.project());
                docker(&["network", "connect", &network, &container]);
            }
            Fault::Silence => firewall(&container, "--delete"),
        }
    }
}

/// Drops, or lets through again, what comes to a container's network.
fn firewall(container: &str, change: &str) {
    let pid = docker(&["inspect", "--format", "{{.State.Pid}}", container]);
    let output = Command::new("nsenter")
        .args(["--net", "--target", &pid, "iptables", change, "INPUT"])
        .args([
            "--protocol",
            "tcp",
            "--in-interface",
            "eth0",
            "--jump",
            "DROP",
        ])
        .output()
        .expect("nsenter starts");
    assert!(output.status.success(), "this needs root: {output:?}");
}

fn begin_export(servers: &Containers) -> Child {
    let mut export = begin(servers.converge(&["export"]));
    wait_for("the table is being written", || {
        assert!(export.try_wait().unwrap().is_none(), "it ended too early");
        let run = fs::read_dir(servers.state.join("runs"))
            .ok()?
            .flatten()
            .next()?;
        let files = fs::read_dir(run.path().join("alkemio/export")).ok()?;
        let mut names = files.flatten().map(|file| file.file_name().into_string());
        let is_partial = |name: String| name.starts_with("big.") && name.ends_with(".partial");
        names.any(|name| name.is_ok_and(is_partial)).then_some(())
    });
    export
}

fn begin_import(servers: &Containers) -> Child {
    let mut import = begin(servers.converge(&["import"]));
    let copying = "select 1 from pg_catalog.pg_stat_activity where query like 'copy %'";
    wait_for("rows are being copied", || {
        assert!(import.try_wait().unwrap().is_none(), "it ended too early");
        (servers.psql(copying) == "1").then_some(())
    });
    import
}

/// Checks what a stage said that lost a side, and what it left behind.
fn check(servers: &Containers, said: Said, since: Instant, side: &str, stage: &str) {
    assert!(since.elapsed() < END_WITHIN, "{:?}", since.elapsed());
    let said = said.expect(1);
    assert!(said.stderr.contains(&format!("the {side} (")), "{said:?}");
    let directory = servers.run_directory();
    let again = format!("cargo xtask {stage} --run {}", directory.display());
    assert!(said.stderr.contains(&again), "{said:?}");
    let run = fs::read_to_string(servers.state.join(directory).join("run.json")).unwrap();
    assert!(run.contains("\"outcome\": \"failed\""), "{run}");
}

/// The stage again, on the run that lost a server.
fn repeat(servers: &Containers, stage: &str) {
    let run = servers.run_directory();
    let mut command = servers.converge(&[stage, "--run", run.to_str().unwrap()]);
    Said::of(command.output().unwrap()).expect(0);
}

fn source_is_lost(name: &str, fault: Fault) {
    let servers = Containers::up(name);
    servers.mysql(BIG_SOURCE);
    servers.psql(BIG_TARGET);
    servers.write_config();
    let export = begin_export(&servers);
    let since = Instant::now();
    fault.inject(&servers, "mysql");
    check(&servers, finish(export), since, "source", "export");
    fault.end(&servers, "mysql");
    repeat(&servers, "export");
}

fn target_is_lost(name: &str, fault: Fault) {
    let servers = Containers::up(name);
    servers.mysql(SLOW_SOURCE);
    servers.psql(SLOW_TARGET);
    servers.write_config();
    for stage in ["export", "transform"] {
        Said::of(servers.converge(&[stage]).output().unwrap()).expect(0);
    }
    let import = begin_import(&servers);
    let since = Instant::now();
    fault.inject(&servers, "postgres");
    check(&servers, finish(import), since, "target", "import");
    fault.end(&servers, "postgres");
    servers.psql(QUICK);
    wait_for("the lost connection's end", || {
        let at_work = "select count(*) from pg_catalog.pg_stat_activity \
                        where application_name like 'converge/%'";
        (servers.psql(at_work) == "0").then_some(())
    });
    assert_eq!(servers.psql("select count(*) from t"), "0");
    repeat(&servers, "import");
    repeat(&servers, "verify");
}

#[test]
fn a_killed_source_is_noticed() {
    source_is_lost("kill-source", Fault::Kill);
}

#[test]
fn a_paused_source_is_noticed() {
    source_is_lost("pause-source", Fault::Pause);
}

#[test]
fn a_source_that_is_silently_cut_off_is_noticed() {
    source_is_lost("silent-source", Fault::Silence);
}

#[test]
fn a_killed_target_is_noticed() {
    target_is_lost("kill-target", Fault::Kill);
}

#[test]
fn a_paused_target_is_noticed() {
    target_is_lost("pause-target", Fault::Pause);
}

#[test]
fn a_target_that_is_taken_off_the_network_is_noticed() {
    target_is_lost("cut-target", Fault::Disconnect);
}

#[test]
fn a_target_that_is_silently_cut_off_is_noticed() {
    target_is_lost("silent-target", Fault::Silence);
}
