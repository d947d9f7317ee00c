//! `cargo xtask` becomes converge: arguments, exit codes and signals are converge's own.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testing::{Databases, workspace_root};

use crate::support::{Outcome, Workplace, interrupt};

const SOURCE: &str = "create table t (id int primary key, word varchar(20)); \
                      insert into t values (1, 'one');";
const TARGET: &str = "create table t (id integer primary key, word varchar(20))";

/// `cargo xtask` with a command line, in the directory of a workplace.
fn xtask(workplace: &Workplace, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(workplace.path())
        .args(["run", "--quiet", "--manifest-path"])
        .arg(workspace_root().join("Cargo.toml"))
        .args(["--package", "xtask", "--"])
        .args(arguments)
        .args(["--config", "config.yml"]);
    command
}

fn run(workplace: &Workplace, arguments: &[&str]) -> Outcome {
    Outcome::of(&xtask(workplace, arguments).output().unwrap())
}

#[test]
fn exit_codes_arrive() {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let workplace = Workplace::new(&[("one", &databases, "")]);
    run(&workplace, &["doctor", "--no-such-option"]).expect(2);
    run(&workplace, &["migrate"]).expect(0);
    databases
        .postgres()
        .batch_execute("update t set word = 'two'")
        .unwrap();
    let outcome = run(&workplace, &["verify"]).expect(5);
    assert!(
        outcome.stdout.contains("one.t id 1: word"),
        "{}",
        outcome.text()
    );
    run(&workplace, &["doctor"]).expect(3);
    let help = run(&workplace, &["export", "--help"]).expect(0);
    assert!(
        help.stdout.contains("Usage: converge export"),
        "{}",
        help.text()
    );
}

#[test]
fn an_interrupt_arrives() {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let workplace = Workplace::new(&[("one", &databases, "")]);
    // Builds what is to be built, so that the wait below is for the import alone.
    run(&workplace, &["status"]).expect(0);
    let mut other = databases.postgres();
    other
        .batch_execute("begin; lock table t in row exclusive mode")
        .unwrap();
    let mut child = xtask(&workplace, &["migrate"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let waits = "select count(*)::text from pg_catalog.pg_locks l \
                   join pg_catalog.pg_stat_activity a on a.pid = l.pid \
                  where not l.granted and a.datname = pg_catalog.current_database()";
    let deadline = Instant::now() + Duration::from_secs(60);
    while databases.postgres().query_text(waits).unwrap()[0][0].as_deref() == Some("0") {
        assert!(
            Instant::now() < deadline,
            "the import never came to the lock"
        );
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before the lock"
        );
        thread::sleep(Duration::from_millis(50));
    }
    let name = fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap();
    assert_eq!(
        name.trim(),
        "converge",
        "the process itself became converge"
    );
    interrupt(child.id());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(6), "{stderr}");
    assert!(stderr.contains("error: interrupted"), "{stderr}");
    other.batch_execute("rollback").unwrap();
}
