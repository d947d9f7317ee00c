//! One moment for all readers, however it may be had; and schemas that change behind it.

use std::fs;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use catalog::ServerKind;
use dataset::{Manifest, SnapshotMethod};
use serde_json::Value;
use source::{Connection, Endpoint, Snapshot, SnapshotRequest, Waiting};
use testing::Databases;

use crate::own_servers::OwnServers;
use crate::support::{Outcome, Workplace, wait_for};

const SCHEMA: &str = "create table one (id int auto_increment primary key, n int); \
                      create table two (id int auto_increment primary key, n int); \
                      insert into one (n) values (0); insert into two (n) values (0)";
const TARGET: &str = "create table one (id serial primary key, n int); \
                      create table two (id serial primary key, n int)";
/// What a user may do besides reading, and the way that it opens.
const WAYS: [(&str, SnapshotMethod, &str); 3] = [
    (
        "reload on *.*",
        SnapshotMethod::GlobalReadLock,
        "under a lock of the server",
    ),
    (
        "lock tables on DATABASE.*",
        SnapshotMethod::TableLocks,
        "under locks of the tables",
    ),
    (
        "select on DATABASE.*",
        SnapshotMethod::OneConnection,
        "on one connection",
    ),
];

/// A user of the test's own, dropped at its end.
struct User<'d> {
    databases: &'d Databases,
    name: String,
}

impl<'d> User<'d> {
    fn with(databases: &'d Databases, number: usize, grant: &str) -> Self {
        let user = Self {
            databases,
            name: format!("u{number}_{}", databases.name()),
        };
        let (name, database) = (&user.name, databases.name());
        let script = format!(
            "create user {name} identified by 'pass-word'; \
             grant select on {database}.* to {name}; grant {} to {name}",
            grant.replace("DATABASE", database)
        );
        databases.mysql().execute_script(&script).unwrap();
        user
    }

    fn url(&self) -> String {
        self.databases.mysql_url_as(&self.name, "pass-word")
    }
}

impl Drop for User<'_> {
    fn drop(&mut self) {
        let drop = format!("drop user {}", self.name);
        self.databases.mysql().execute(&drop).unwrap();
    }
}

fn manifest(workplace: &Workplace) -> Manifest {
    Manifest::read(&workplace.run_directory().join("shop/export")).unwrap()
}

#[test]
fn the_way_follows_from_what_the_user_may_do_and_is_recorded() {
    for (number, (grant, method, said)) in WAYS.into_iter().enumerate() {
        let databases = Databases::create();
        databases.load(SCHEMA, TARGET);
        let user = User::with(&databases, number, grant);
        let workplace = Workplace::at(&[("shop", user.url(), databases.postgres_url(), "")]);
        let outcome = workplace
            .run(&["export", "--output", "json", "--lock-wait", "60"])
            .expect(0);
        assert!(outcome.stderr.contains(said), "{}", outcome.text());
        assert!(!outcome.text().contains("pass-word"), "{}", outcome.text());
        assert_eq!(manifest(&workplace).source.snapshot, method);
        let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let expected = serde_json::to_value(method).unwrap();
        assert_eq!(document["databases"][0]["snapshot"], expected);
    }
}

/// Ends the writers, also where the test fails.
struct Stop<'s>(&'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Adds to both tables in one transaction, again and again.
fn write_pairs(mut connection: Connection, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let pair = "begin; insert into one (n) values (1); do sleep(0.001); \
                    insert into two (n) values (1); commit";
        connection.execute_script(pair).unwrap();
    }
}

fn snapshot(databases: &Databases, url: &str) -> Snapshot {
    let table = |name: &str| (databases.name().to_owned(), name.to_owned());
    let request = SnapshotRequest {
        readers: 4,
        // Others write to this server, and not all of their statements are short.
        lock_wait: Duration::from_secs(60),
        tables: vec![table("one"), table("two")],
    };
    let endpoint = Endpoint::parse(url).unwrap();
    Snapshot::take_under_lock(&endpoint, &request, &mut Silent).unwrap()
}

/// Waits for any lock without a word.
struct Silent;

impl Waiting<source::Error> for Silent {
    fn say(&mut self, _what: &str) {}

    fn step(&mut self) -> Result<(), source::Error> {
        Ok(())
    }
}

#[test]
fn all_readers_see_one_moment_and_the_numbers_that_come_next() {
    for (number, (grant, method, _)) in WAYS.into_iter().enumerate() {
        let databases = Databases::create();
        databases.load(SCHEMA, TARGET);
        let user = User::with(&databases, number, grant);
        let stop = AtomicBool::new(false);
        let catalog = source::discover(&mut databases.mysql(), databases.name()).unwrap();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| write_pairs(databases.mysql(), &stop));
            }
            let _at_the_end = Stop(&stop);
            for _ in 0..5 {
                let mut snapshot = snapshot(&databases, &user.url());
                assert_eq!(snapshot.method(), method);
                let next = snapshot.auto_increments(databases.name()).unwrap();
                let readers = snapshot.readers();
                let expected = if method == SnapshotMethod::OneConnection {
                    1
                } else {
                    4
                };
                assert_eq!(readers.len(), expected);
                let mut counts = Vec::new();
                for reader in readers {
                    thread::sleep(Duration::from_millis(5));
                    for name in ["one", "two"] {
                        let table = catalog.table(name).unwrap();
                        counts.push(reader.count_rows(databases.name(), table).unwrap());
                    }
                }
                assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
                let ahead = next["one"] - counts[0];
                match method {
                    // Nobody is within a transaction.
                    SnapshotMethod::TableLocks => assert_eq!(ahead, 1),
                    // Two writers may have taken numbers for rows that are not committed.
                    SnapshotMethod::GlobalReadLock => assert!((1..=3).contains(&ahead), "{ahead}"),
                    // Rows come between the snapshot and the question.
                    SnapshotMethod::OneConnection => assert!(ahead >= 1, "{ahead}"),
                }
            }
        });
    }
}

#[test]
fn no_lock_is_asked_for_behind_a_long_statement() {
    let servers = OwnServers::up("snapshot-behind-a-query");
    servers.source().execute_script(SCHEMA).unwrap();
    let mut target = servers.target();
    target.batch_execute("set search_path = public").unwrap();
    target.batch_execute(TARGET).unwrap();
    let (source, target) = (servers.source_url(), servers.target_url());
    let workplace = Workplace::at(&[("shop", source, target, "")]);
    let mut busy = servers.source();
    let ids = busy.query_text("select connection_id()").unwrap();
    let id = ids[0][0].clone().unwrap();
    let export = thread::scope(|scope| {
        scope.spawn(|| busy.execute("select sleep(600) from one"));
        let mut other = servers.source();
        let at_work =
            format!("select 1 from information_schema.processlist where id = {id} and time > 1");
        wait_for("the statement runs for a while", || {
            other.query_text(&at_work).unwrap().pop()
        });
        let outcome = workplace.run(&["export", "--lock-wait", "1"]);
        other.execute(&format!("kill {id}")).unwrap();
        outcome.expect(0)
    });
    let named = format!("waiting for process {id} of user root, at work for ");
    assert_eq!(
        export.stderr.matches(&named).count(),
        6,
        "{}",
        export.text()
    );
    assert!(!export.stderr.contains("sleep"), "{}", export.text());
    assert_eq!(
        manifest(&workplace).source.snapshot,
        SnapshotMethod::OneConnection
    );
    let run = workplace.run_directory();
    workplace
        .run(&["export", "--run", run.to_str().unwrap()])
        .expect(0);
    assert_eq!(
        manifest(&workplace).source.snapshot,
        SnapshotMethod::GlobalReadLock
    );
}

#[test]
fn a_schema_that_changes_during_the_export_stops_it_or_has_to_wait() {
    let databases = Databases::create();
    let rows = vec![format!("('{}')", "x".repeat(500)); 1000].join(", ");
    let source = format!(
        "create table big (id int auto_increment primary key, body text); \
         create table last (n int); insert into last values (1); \
         insert into big (body) values {rows}; {}",
        "insert into big (body) select body from big; ".repeat(8)
    );
    databases.load(
        &source,
        "create table big (id serial primary key, body text); \
         create table last (n int)",
    );
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    let mut other = databases.mysql();
    other.execute("set session lock_wait_timeout = 1").unwrap();
    // One worker, so that the small table is not read yet; a table with a key has been cut into
    // chunks by then, and the server keeps it as it is for as long as its reader lives.
    let mut export = workplace.command(&["export", "--jobs", "1"]);
    export.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut export = export.spawn().unwrap();
    let runs = workplace.path().join("runs");
    wait_for("rows are being read", || {
        assert!(export.try_wait().unwrap().is_none(), "it ended too early");
        let run = fs::read_dir(&runs).ok()?.flatten().next()?;
        let mut files = fs::read_dir(run.path().join("shop/export")).ok()?.flatten();
        files.next()
    });
    let altered = other.execute("alter table last alter column n set default 5");
    let outcome = Outcome::of(&export.wait_with_output().unwrap());
    match other.server().kind {
        ServerKind::Mariadb => {
            altered.unwrap();
            let outcome = outcome.expect(3);
            let said = "the schema of source `shop` was changed while it was exported: ";
            assert!(outcome.stderr.contains(said), "{}", outcome.text());
            assert!(outcome.stderr.contains("last"), "{}", outcome.text());
            assert!(
                !workplace
                    .run_directory()
                    .join("shop/export/migration_manifest.json")
                    .exists()
            );
        }
        _ => {
            outcome.expect(0);
            // The export may have ended within the second for which the other waited.
            assert!(altered.is_ok() || altered.unwrap_err().code() == Some(1205));
        }
    }
}

#[test]
fn a_table_that_is_exchanged_for_one_of_the_same_kind_stops_the_export() {
    let databases = Databases::create();
    let rows = vec![format!("('{}')", "x".repeat(500)); 1000].join(", ");
    let source = format!(
        "create table big (id int auto_increment primary key, body text); \
         create table last (n int); insert into last values (1); \
         insert into big (body) values {rows}; {} \
         create table shadow like last; insert into shadow values (2)",
        "insert into big (body) select body from big; ".repeat(8)
    );
    let target = "create table big (id serial primary key, body text); create table last (n int)";
    databases.load(&source, target);
    let excluded = "exclude_tables: [shadow]";
    let workplace = Workplace::new(&[("shop", &databases, excluded)]);
    let mut other = databases.mysql();
    other.execute("set session lock_wait_timeout = 1").unwrap();
    // When a table was made is known to the second.
    thread::sleep(Duration::from_millis(1100));
    let mut export = workplace.command(&["export", "--jobs", "1"]);
    export.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut export = export.spawn().unwrap();
    let runs = workplace.path().join("runs");
    wait_for("rows are being read", || {
        assert!(export.try_wait().unwrap().is_none(), "it ended too early");
        let run = fs::read_dir(&runs).ok()?.flatten().next()?;
        let mut files = fs::read_dir(run.path().join("shop/export")).ok()?.flatten();
        files.next()
    });
    let exchanged = other.execute("rename table last to old, shadow to last");
    let outcome = Outcome::of(&export.wait_with_output().unwrap());
    match other.server().kind {
        ServerKind::Mariadb => {
            exchanged.unwrap();
            let outcome = outcome.expect(3);
            let said = "the schema of source `shop` was changed while it was exported: ";
            assert!(outcome.stderr.contains(said), "{}", outcome.text());
        }
        // The server holds the schema still for as long as it is read.
        _ => drop(outcome.expect(0)),
    }
}

#[test]
fn a_lock_that_cannot_be_had_is_let_go_between_two_tries() {
    let servers = OwnServers::up("snapshot-lock");
    servers.source().execute_script(SCHEMA).unwrap();
    let mut target = servers.target();
    target.batch_execute("set search_path = public").unwrap();
    target.batch_execute(TARGET).unwrap();
    let (source, target) = (servers.source_url(), servers.target_url());
    let workplace = Workplace::at(&[("shop", source, target, "")]);
    let mut busy = servers.source();
    let stop = AtomicBool::new(false);
    let longest = thread::scope(|scope| {
        // Too young to be taken for a long statement, and too long for the lock.
        scope.spawn(|| busy.execute("select sleep(9) from one"));
        let writing = scope.spawn(|| {
            let mut writer = servers.source();
            let mut longest = Duration::ZERO;
            while !stop.load(Ordering::Relaxed) {
                let start = Instant::now();
                writer.execute("insert into two (n) values (1)").unwrap();
                longest = longest.max(start.elapsed());
                thread::sleep(Duration::from_millis(20));
            }
            longest
        });
        let _at_the_end = Stop(&stop);
        workplace.run(&["export", "--lock-wait", "2"]).expect(0);
        stop.store(true, Ordering::Relaxed);
        writing.join().unwrap()
    });
    // Two seconds, and what a busy machine adds; without a pause it would be six.
    assert!(longest < Duration::from_secs(5), "{longest:?}");
}

#[test]
fn a_final_move_wants_a_source_that_stands_still() {
    let servers = OwnServers::up("final");
    servers.source().execute_script(SCHEMA).unwrap();
    let mut target = servers.target();
    target.batch_execute("set search_path = public").unwrap();
    target.batch_execute(TARGET).unwrap();
    let workplace = Workplace::at(&[("shop", servers.source_url(), servers.target_url(), "")]);
    let calm = workplace.run(&["migrate", "--final"]).expect(0);
    assert!(calm.stdout.contains("verdict: equal"), "{}", calm.text());
    // New files of the log are no writes.
    servers.source().execute("flush binary logs").unwrap();
    workplace.run(&["rollback"]).expect(0);
    let stop = AtomicBool::new(false);
    let moved = thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = servers.source();
            writer.execute("create database elsewhere").unwrap();
            writer.execute("create table elsewhere.t (n int)").unwrap();
            while !stop.load(Ordering::Relaxed) {
                writer
                    .execute("insert into elsewhere.t values (1)")
                    .unwrap();
                thread::sleep(Duration::from_millis(5));
            }
        });
        let _at_the_end = Stop(&stop);
        workplace.run(&["migrate", "--final"])
    });
    let moved = moved.expect(5);
    assert!(
        moved.stdout.contains("verdict: source_moved"),
        "{}",
        moved.text()
    );
    let said = "error: the source was written to since the export: shop";
    assert!(moved.stderr.contains(said), "{}", moved.text());
    workplace.run(&["rollback"]).expect(0);

    // A user who does not see the log: nobody can tell, unless somebody vouches for it.
    let script = "create user quiet identified by 'pass-word'; \
                  grant select, lock tables on alkemio.* to quiet";
    servers.source().execute_script(script).unwrap();
    let login = format!("root:{}", servers.source_password());
    let url = servers.source_url().replace(&login, "quiet:pass-word");
    let workplace = Workplace::at(&[("shop", url, servers.target_url(), "")]);
    let refused = workplace.run(&["migrate", "--final"]).expect(3);
    assert!(
        refused.stderr.contains("--source-frozen"),
        "{}",
        refused.text()
    );
    workplace
        .run(&["migrate", "--final", "--source-frozen"])
        .expect(0);
}

#[test]
fn new_files_of_a_log_without_transaction_numbers_are_no_writes() {
    let servers = OwnServers::up("rotations");
    let mut source = servers.source();
    source.execute_script(SCHEMA).unwrap();
    let forget = match source.server().kind {
        // Its numbers begin with the first transaction.
        ServerKind::Mariadb => "reset master",
        _ => {
            "set global gtid_mode = on_permissive; set global gtid_mode = off_permissive; \
             set global gtid_mode = off"
        }
    };
    source.execute_script(forget).unwrap();
    let before = source.coordinates().unwrap().unwrap();
    assert_eq!(before.gtid, None);
    assert_eq!(source.has_moved_since(&before).unwrap(), Some(false));
    for _ in 0..3 {
        source.execute("flush binary logs").unwrap();
    }
    assert_ne!(source.coordinates().unwrap().unwrap().file, before.file);
    assert_eq!(source.has_moved_since(&before).unwrap(), Some(false));
    source.execute("insert into one (n) values (5)").unwrap();
    source.execute("flush binary logs").unwrap();
    assert_eq!(source.has_moved_since(&before).unwrap(), Some(true));
}

#[test]
fn a_large_table_is_compared_over_several_connections_where_nothing_is_written() {
    let servers = OwnServers::up("large-table");
    let mut source = servers.source();
    source
        .execute_script(
            "create table big (id int primary key, body longtext); \
             insert into big with recursive n (id) as \
                 (select 1 union all select id + 1 from n where id < 80) \
                 select id, repeat(char(65 + id % 26), 1000000) from n; \
             create database elsewhere; create table elsewhere.one (n int)",
        )
        .unwrap();
    source.query_text("analyze table big").unwrap();
    let mut target = servers.target();
    target.batch_execute("set search_path = public").unwrap();
    target
        .batch_execute("create table big (id int primary key, body text)")
        .unwrap();
    let (source_url, target_url) = (servers.source_url(), servers.target_url());
    let workplace = Workplace::at(&[("shop", source_url, target_url, "")]);
    workplace
        .run(&["migrate", "--skip-assess", "--no-verify"])
        .expect(0);

    source
        .execute_script("set global log_output = 'TABLE'; set global general_log = 1")
        .unwrap();
    let verify = workplace.run(&["verify", "--jobs", "3"]);
    source.execute("set global general_log = 0").unwrap();
    let said = verify.expect(0).text();
    assert!(!said.contains("one connection"), "{said}");
    let by = "select count(distinct thread_id) from mysql.general_log \
              where command_type = 'Execute' \
                and convert(argument using utf8mb4) like 'select%`big` force index%'";
    let connections = source.query_text(by).unwrap().remove(0).remove(0);
    let connections: u32 = connections.unwrap().parse().unwrap();
    assert!((2..=3).contains(&connections), "{connections}");

    target
        .batch_execute(
            "update big set body = overlay(body placing '-' from 500000) where id in (3, 78); \
             delete from big where id = 40",
        )
        .unwrap();
    let verify = workplace.run(&["verify", "--jobs", "3", "--output", "json"]);
    let report: Value = serde_json::from_str(&verify.expect(5).stdout).unwrap();
    let table = &report["databases"][0]["tables"][0];
    let rows = [&table["source_rows"], &table["target_rows"]];
    assert_eq!(rows, [80, 79], "{table}");
    let found = [&table["missing"], &table["unexpected"], &table["different"]];
    assert_eq!(found, [1, 0, 2], "{table}");

    // Nothing that this run reads, and a line in the log all the same.
    let done = AtomicBool::new(false);
    let verify = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                source
                    .execute("insert into elsewhere.one values (1)")
                    .unwrap();
            }
        });
        let verify = workplace.run(&["verify", "--jobs", "3"]);
        done.store(true, Ordering::Relaxed);
        verify
    });
    let said = verify.expect(5).text();
    assert!(said.contains("on one connection"), "{said}");
}
