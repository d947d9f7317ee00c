//! Servers that stop answering or die in the middle of a stage: the run ends within a minute,
//! says which side it was and what it left behind, and can be taken up again.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use testing::Databases;

use crate::own_servers::OwnServers;
use crate::support::{Outcome, Workplace, wait_for};

/// From the fault to the end of the command.
const END_WITHIN: Duration = Duration::from_secs(60);
/// Where the connection breaks, nothing has to be waited for.
const BROKEN_WITHIN: Duration = Duration::from_secs(20);

/// Servers of its own and a directory to work in.
struct Move {
    servers: OwnServers,
    workplace: Workplace,
}

impl Move {
    fn new(name: &str, source_sql: &str, target_sql: &str) -> Self {
        let servers = OwnServers::up(name);
        servers.source().execute_script(source_sql).unwrap();
        let mut target = servers.target();
        target.batch_execute("set search_path = public").unwrap();
        target.batch_execute(target_sql).unwrap();
        let (source, target) = (servers.source_url(), servers.target_url());
        let workplace = Workplace::at(&[("shop", source, target, "")]);
        Self { servers, workplace }
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.workplace.run(arguments)
    }

    /// Runs the commands of a hint as they are printed, in the working directory of the one
    /// that printed it.
    fn follow_the_hint(&self, outcome: &Outcome) -> Vec<Outcome> {
        let hint = outcome
            .stderr
            .lines()
            .find(|line| line.starts_with("hint: "));
        let quoted = hint.unwrap().split('`').skip(1).step_by(2);
        let commands = quoted.filter_map(|text| text.strip_prefix("converge "));
        let run = |command: &str| {
            let script = format!("{} {command}", env!("CARGO_BIN_EXE_converge"));
            let mut shell = Command::new("sh");
            shell.args(["-c", &script]);
            Outcome::of(&shell.current_dir(self.workplace.path()).output().unwrap()).expect(0)
        };
        commands.map(run).collect()
    }

    /// Does a stage of the run again.
    fn repeat(&self, stage: &str) -> Outcome {
        let directory = self.workplace.run_directory();
        self.run(&[stage, "--run", directory.to_str().unwrap()])
    }

    /// Begins a command that goes on in the background.
    fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.workplace.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Begins an export and returns while it writes the only table, which takes it a while.
    fn begin_export(&self) -> Child {
        let mut export = self.begin(&["export", "--output", "json"]);
        let runs = self.workplace.path().join("runs");
        wait_for("the table is being written", || {
            assert!(export.try_wait().unwrap().is_none(), "it ended too early");
            let run = fs::read_dir(&runs).ok()?.flatten().next()?;
            let mut files = fs::read_dir(run.path().join("shop/export")).ok()?;
            files.find_map(|file| {
                let name = file.ok()?.file_name();
                name.to_str()?.ends_with(".csv.partial").then_some(())
            })
        });
        export
    }

    /// Begins an import and returns while the server takes rows.
    fn begin_import(&self, command: &str) -> Child {
        let mut import = self.begin(&[command]);
        let copying = "select 1::text from pg_catalog.pg_stat_activity \
                        where application_name like 'converge/%' and query like 'copy %'";
        let mut target = self.servers.target();
        wait_for("rows are being copied", || {
            assert!(import.try_wait().unwrap().is_none(), "it ended too early");
            target.query_text(copying).unwrap().pop()
        });
        import
    }

    /// The address of a side as messages show it.
    fn address(&self, side: &str) -> String {
        match side {
            "source" => self.servers.source().endpoint().to_string(),
            _ => self.servers.target().endpoint().to_string(),
        }
    }

    /// Checks what a stage that lost a server said and left behind.
    fn check(&self, outcome: Outcome, stage: &str, message: &str, state: &str) -> Outcome {
        self.check_stage_of(stage, outcome, stage, message, state)
    }

    /// The same where another command begins the stage again.
    fn check_stage_of(
        &self,
        command: &str,
        outcome: Outcome,
        stage: &str,
        message: &str,
        state: &str,
    ) -> Outcome {
        let outcome = outcome.expect(1);
        let directory = self.workplace.run_directory();
        let run = directory.file_name().unwrap().to_str().unwrap();
        let again = format!(
            "`converge {command} --run runs/{run} --config config.yml` begins this stage again"
        );
        for part in [&format!("error: {message}"), state, again.as_str()] {
            assert!(outcome.stderr.contains(part), "{part}: {}", outcome.text());
        }
        assert_eq!(outcome.stdout, "", "nothing half goes to stdout");
        let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
        let state: Value = serde_json::from_str(&read("run.json")).unwrap();
        let entry = state["stages"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&entry["stage"], &entry["outcome"]),
            (&stage.into(), &"failed".into())
        );
        let recorded = entry["message"].as_str().unwrap();
        assert!(recorded.starts_with(message), "{recorded}");
        let events = read("events.jsonl");
        let events: Vec<Value> = events
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event["seq"], index as u64 + 1);
        }
        assert_eq!(events.last().unwrap()["event"], "failed");
        outcome
    }

    /// Rows of a table of the target.
    fn target_rows(&self, table: &str) -> String {
        let sql = format!("select count(*)::text from public.{table}");
        let mut rows = self.servers.target().query_text(&sql).unwrap();
        rows.remove(0).remove(0).unwrap()
    }

    /// Waits until the server has thrown away what a lost connection had begun.
    fn wait_until_nobody_works(&self) {
        let at_work = "select 1::text from pg_catalog.pg_stat_activity \
                        where application_name like 'converge/%'";
        let mut target = self.servers.target();
        wait_for("the lost connection's end", || {
            target.query_text(at_work).unwrap().is_empty().then_some(())
        });
    }
}

fn finish(child: Child) -> Outcome {
    Outcome::of(&child.wait_with_output().unwrap())
}

/// 64 MB, which no buffer on the way holds.
fn big_table() -> (String, &'static str) {
    let rows = vec![format!("('{}')", "x".repeat(500)); 1000].join(", ");
    let double = "insert into big (body) select body from big; ".repeat(7);
    let source = format!(
        "create table big (id int auto_increment primary key, body text); \
         insert into big (body) values {rows}; {double}"
    );
    (
        source,
        "create table big (id serial primary key, body text)",
    )
}

/// A table whose target takes a tenth of a second for each row until [`QUICK`].
fn slow_table() -> (String, &'static str) {
    let rows: Vec<String> = (1..=2000).map(|id| format!("({id})")).collect();
    let source = format!(
        "create table t (id int primary key); insert into t values {}",
        rows.join(", ")
    );
    let target = "create function slow(integer) returns boolean language plpgsql as \
                      $$ begin perform pg_catalog.pg_sleep(0.1); return true; end $$; \
                  create table t (id integer primary key check (public.slow(id)))";
    (source, target)
}

const QUICK: &str = "create or replace function public.slow(integer) returns boolean \
                     language plpgsql as $$ begin return true; end $$";

#[test]
fn servers_that_stop_answering_end_the_run_within_a_minute() {
    // Each waits for most of a minute, so they wait together.
    thread::scope(|scope| {
        for case in [
            source_frozen_during_export,
            target_frozen_during_import,
            target_frozen_during_verify,
            target_frozen_during_doctor,
        ] {
            scope.spawn(case);
        }
    });
}

fn source_frozen_during_export() {
    let (source, target) = big_table();
    let moved = Move::new("lost-frozen-source", &source, target);
    let address = moved.address("source");
    let export = moved.begin_export();
    let frozen = moved.servers.freeze_source();
    let fault = Instant::now();
    let outcome = thread::scope(|scope| {
        // Others that come meanwhile do not wait for ever either.
        let doctor = scope.spawn(|| (moved.run(&["doctor"]), fault.elapsed()));
        let outcome = finish(export);
        assert!(fault.elapsed() < END_WITHIN, "{:?}", fault.elapsed());
        let (doctor, elapsed) = doctor.join().unwrap();
        let doctor = doctor.expect(3).stdout;
        assert!(doctor.contains("no answer within 30 s"), "{doctor}");
        assert!(elapsed < END_WITHIN, "{elapsed:?}");
        outcome
    });
    let message = format!("the source ({address}) does not answer: 3 tries in ");
    moved.check(outcome, "export", &message, "the source was only read");
    frozen.thaw();
    moved.repeat("export").expect(0);
}

fn target_frozen_during_import() {
    let (source, target) = slow_table();
    let moved = Move::new("lost-frozen-import", &source, target);
    let address = moved.address("target");
    moved.run(&["export"]).expect(0);
    moved.run(&["transform"]).expect(0);
    let import = moved.begin_import("import");
    let frozen = moved.servers.freeze_target();
    let fault = Instant::now();
    let outcome = finish(import);
    assert!(fault.elapsed() < END_WITHIN, "{:?}", fault.elapsed());
    let message = format!("the target ({address}) does not answer: 3 tries in ");
    moved.check(
        outcome,
        "import",
        &message,
        "what this import has loaded is kept",
    );
    frozen.thaw();
    moved.wait_until_nobody_works();
    assert_eq!(moved.target_rows("t"), "0");
    moved.servers.target().batch_execute(QUICK).unwrap();
    moved.repeat("import").expect(0);
    moved.repeat("verify").expect(0);
}

fn target_frozen_during_verify() {
    let moved = Move::new(
        "lost-frozen-verify",
        "create table a (id int primary key); insert into a values (1); \
         create table b (id int primary key); insert into b values (2)",
        "create table a (id integer primary key); create table b (id integer primary key)",
    );
    let address = moved.address("target");
    moved.run(&["migrate"]).expect(0);
    let mut other = moved.servers.target();
    other
        .batch_execute("begin; lock table public.b in access exclusive mode")
        .unwrap();
    let waiting = "select 1::text from pg_catalog.pg_locks where not granted";
    let mut target = moved.servers.target();
    let mut verify = moved.begin(&["verify"]);
    wait_for("the second table is about to be read", || {
        assert!(verify.try_wait().unwrap().is_none(), "it ended too early");
        target.query_text(waiting).unwrap().pop()
    });
    let frozen = moved.servers.freeze_target();
    let fault = Instant::now();
    let outcome = finish(verify);
    assert!(fault.elapsed() < END_WITHIN, "{:?}", fault.elapsed());
    let message = format!("the target ({address}) does not answer: 3 tries in ");
    moved.check(outcome, "verify", &message, "a comparison only reads");
    frozen.thaw();
    other.batch_execute("rollback").unwrap();
    moved.repeat("verify").expect(0);
}

fn target_frozen_during_doctor() {
    let moved = Move::new(
        "lost-frozen-doctor",
        "create table a (id int primary key)",
        "create table a (id integer primary key)",
    );
    let address = moved.address("target");
    let mut other = moved.servers.target();
    other
        .batch_execute("begin; lock table public.a in access exclusive mode")
        .unwrap();
    let waiting = "select 1::text from pg_catalog.pg_locks where not granted";
    let mut target = moved.servers.target();
    let mut doctor = moved.begin(&["doctor"]);
    wait_for("the table is about to be looked into", || {
        assert!(doctor.try_wait().unwrap().is_none(), "it ended too early");
        target.query_text(waiting).unwrap().pop()
    });
    let frozen = moved.servers.freeze_target();
    let fault = Instant::now();
    let outcome = finish(doctor).expect(1);
    assert!(fault.elapsed() < END_WITHIN, "{:?}", fault.elapsed());
    let message = format!("error: the target ({address}) does not answer: 3 tries in ");
    assert!(outcome.stderr.contains(&message), "{}", outcome.text());
    frozen.thaw();
    other.batch_execute("rollback").unwrap();
    moved.follow_the_hint(&outcome);
}

#[test]
fn a_source_that_dies_during_the_export_is_named_at_once() {
    let (source, target) = big_table();
    let moved = Move::new("lost-killed-source", &source, target);
    let address = moved.address("source");
    let export = moved.begin_export();
    moved.servers.kill_source();
    let fault = Instant::now();
    let outcome = finish(export);
    assert!(fault.elapsed() < BROKEN_WITHIN, "{:?}", fault.elapsed());
    let message = format!("no connection to the source ({address}): reading table ");
    moved.check(outcome, "export", &message, "the source was only read");
    moved.servers.start();
    moved.repeat("export").expect(0);
}

#[test]
fn a_target_that_dies_during_the_import_is_named_at_once() {
    let (source, target) = slow_table();
    let moved = Move::new("lost-killed-target", &source, target);
    let address = moved.address("target");
    for stage in ["export", "transform"] {
        moved.run(&[stage]).expect(0);
    }
    let import = moved.begin_import("import");
    moved.servers.kill_target();
    let fault = Instant::now();
    let outcome = finish(import);
    assert!(fault.elapsed() < BROKEN_WITHIN, "{:?}", fault.elapsed());
    let message =
        format!("no connection to the target ({address}): loading table `t` from t.csv: ");
    let outcome = moved.check(
        outcome,
        "import",
        &message,
        "what this import has loaded is kept",
    );
    moved.servers.start();
    assert_eq!(moved.target_rows("t"), "0");
    moved.servers.target().batch_execute(QUICK).unwrap();
    let followed = moved.follow_the_hint(&outcome);
    let said = &followed[0].stdout;
    assert!(said.starts_with("imported\n"), "{said}");
    moved.repeat("verify").expect(0);
}

#[test]
fn a_target_that_dies_while_a_migration_reads_keeps_what_the_next_takes_back() {
    let (source, target) = slow_table();
    let moved = Move::new("lost-killed-ahead", &source, target);
    let address = moved.address("target");
    let migrate = moved.begin_import("migrate");
    moved.servers.kill_target();
    let fault = Instant::now();
    let outcome = finish(migrate);
    assert!(fault.elapsed() < BROKEN_WITHIN, "{:?}", fault.elapsed());
    let message =
        format!("no connection to the target ({address}): loading table `t` from t.csv: ");
    let state = "where the target holds a part of this run, `converge status";
    let outcome = moved.check_stage_of("migrate", outcome, "export", &message, state);
    moved.servers.start();
    moved.servers.target().batch_execute(QUICK).unwrap();
    let followed = moved.follow_the_hint(&outcome);
    let [status, migrate] = &followed[..] else {
        panic!("{} commands in {}", followed.len(), outcome.text());
    };
    let holds = "holds an unfinished load of run";
    assert!(status.stdout.contains(holds), "{}", status.text());
    assert!(
        migrate.stderr.contains("shop: taken back\n"),
        "{}",
        migrate.text()
    );
    assert!(
        migrate.stdout.contains("verdict: equal"),
        "{}",
        migrate.text()
    );
}

#[test]
fn what_a_lost_connection_still_holds_is_named_and_not_waited_for() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key); insert into t values (1)",
        "create table t (id integer primary key)",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    workplace.run(&["export"]).expect(0);
    workplace.run(&["transform"]).expect(0);
    let mut lost = databases.postgres();
    lost.batch_execute(
        "set application_name = 'converge/lost/0'; begin; \
         select pg_advisory_xact_lock(x'636f6e7665726765'::bit(64)::bigint); \
         lock table t in access exclusive mode",
    )
    .unwrap();
    for command in ["import", "migrate", "doctor", "rehearse"] {
        let begun = Instant::now();
        let outcome = workplace.run(&[command]).expect(3);
        assert!(
            outcome.text().contains("converge/lost/0"),
            "{}",
            outcome.text()
        );
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
    }
    workplace.run(&["status"]).expect(0);
    lost.batch_execute("rollback").unwrap();
    // `migrate` began a run of its own, which is the newest now.
    workplace.run(&["migrate"]).expect(0);
}
