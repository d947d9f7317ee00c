//! Exports that end early and are taken up again: the files are those of an undisturbed run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use dataset::{ExportPlan, Manifest};

use crate::own_servers::OwnServers;
use crate::support::{Outcome, Workplace, signal, wait_for};

/// Kills in a round: early, in the middle and late.
const KILLS: [usize; 3] = [0, 2, 4];

/// A source with tables of several chunks, and a place to export it to.
pub(crate) struct Export {
    servers: OwnServers,
    workplace: Workplace,
}

impl Export {
    pub(crate) fn new(name: &str) -> Self {
        let servers = OwnServers::up(name);
        // 120 MB, so that there is time to end an export in its middle.
        let source = "create table big (id int auto_increment primary key, body longtext); \
             insert into big (body) with recursive n (seq) as \
                 (select 1 union all select seq + 1 from n where seq < 625) \
                 select repeat(char(65 + seq % 26), 3000) from n; \
             DOUBLE create table small (a int, b text, primary key (a)); \
             insert into small values (1, 'x'), (4000000, ''), (-3, null); \
             create table bare (a int); insert into bare values (1), (1), (2)";
        let double = "insert into big (body) select body from big; ".repeat(6);
        let source = source.replace("DOUBLE", &double);
        servers.source().execute_script(&source).unwrap();
        let mut target = servers.target();
        target.batch_execute("set search_path = public").unwrap();
        let schema = "create table big (id serial primary key, body text); \
                      create table small (a int primary key, b text); create table bare (a int)";
        target.batch_execute(schema).unwrap();
        let (source, target) = (servers.source_url(), servers.target_url());
        let workplace = Workplace::at(&[("shop", source, target, "")]);
        Self { servers, workplace }
    }

    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.workplace.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.workplace.run(arguments)
    }

    pub(crate) fn directory(&self, run: &str) -> std::path::PathBuf {
        self.workplace.path().join(run).join("shop/export")
    }

    /// Begins an export and sends it a signal once it has written some files.
    fn end_early(&self, run: &str, how: &str, after: usize) -> Outcome {
        self.end_command_early(&["export", "--run", run], (run, "export"), (how, after))
    }

    fn end_command_early(
        &self,
        arguments: &[&str],
        (run, stage): (&str, &str),
        (how, after): (&str, usize),
    ) -> Outcome {
        let mut export = self.begin(arguments);
        let directory = self.directory(run);
        let written = directory.with_file_name(stage);
        wait_for("some chunks are written", || {
            let ended = export.try_wait().unwrap().is_some();
            assert!(!ended, "it ended too early");
            let plan = ExportPlan::read(&directory).unwrap();
            (plan.is_some() && names(&written).len() >= after).then_some(())
        });
        assert!(signal(how, export.id()));
        Outcome::of(&export.wait_with_output().unwrap())
    }
}

/// The names of the files that are complete.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.ends_with(".csv")).collect()
}

/// The same with their bytes.
pub(crate) fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = names(directory).into_iter();
    let files = names.map(|name| {
        let content = fs::read(directory.join(&name)).unwrap();
        (name, content)
    });
    files.collect()
}

#[test]
fn an_export_that_was_ended_goes_on_to_the_same_files() {
    let export = Export::new("resume");
    export.run(&["export", "--run", "calm"]).expect(0);
    let calm = files(&export.directory("calm"));
    assert!(calm.len() > 5, "{:?}", calm.keys());
    assert!(calm.contains_key("big.0001.csv") && calm.contains_key("small.csv"));
    for (index, after) in KILLS.into_iter().enumerate() {
        for (how, code) in [("KILL", -1), ("INT", 6), ("TERM", 6)] {
            let run = format!("{how}{index}");
            let outcome = export.end_early(&run, how, after).expect(code);
            let directory = export.directory(&run);
            assert!(Manifest::read(&directory).is_err(), "{}", outcome.text());
            let plan = ExportPlan::read(&directory).unwrap().expect("a plan");
            assert_eq!(plan.tables[0].name, "big", "the largest first");
            let partial = |name: &str| name.ends_with(".partial");
            let names = fs::read_dir(&directory).unwrap().flatten();
            let mut names = names.map(|entry| entry.file_name().into_string().unwrap());
            assert!(how == "KILL" || !names.any(|name| partial(&name)), "{how}");
            let before = files(&directory);
            let resumed = export.run(&["export", "--run", &run]).expect(0);
            let said = "goes on where it ended: the source has not moved";
            assert!(resumed.stderr.contains(said), "{}", resumed.text());
            check(&export, &run, &calm, &before);
        }
    }
}

/// Whether a run has the files of the undisturbed one, and the same manifest.
pub(crate) fn check(
    export: &Export,
    run: &str,
    calm: &BTreeMap<String, Vec<u8>>,
    before: &BTreeMap<String, Vec<u8>>,
) {
    let directory = export.directory(run);
    let found = files(&directory);
    assert!(&found == calm, "{run}: {:?}", found.keys());
    assert!(before.keys().all(|name| calm.contains_key(name)));
    let [expected, found] =
        [&export.directory("calm"), &directory].map(|directory| Manifest::read(directory).unwrap());
    assert_eq!(found.tables, expected.tables);
    let names: Vec<String> = fs::read_dir(&directory)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".csv"))
        .collect();
    assert_eq!(names, ["migration_manifest.json"]);
}

#[test]
fn a_damaged_chunk_is_read_again_and_a_source_that_moved_begins_anew() {
    let export = Export::new("resume-moved");
    export.run(&["export", "--run", "calm"]).expect(0);
    let calm = files(&export.directory("calm"));
    export.end_early("damaged", "INT", 3).expect(6);
    let directory = export.directory("damaged");
    let (name, content) = files(&directory).pop_first().unwrap();
    fs::write(directory.join(&name), &content[..content.len() / 2]).unwrap();
    export.run(&["export", "--run", "damaged"]).expect(0);
    check(&export, "damaged", &calm, &BTreeMap::new());

    export.end_early("moved", "TERM", 3).expect(6);
    let mut source = export.servers.source();
    source
        .execute("insert into small values (7, 'later')")
        .unwrap();
    let refused = export.run(&["export", "--run", "moved"]).expect(3);
    assert!(
        refused.stderr.contains("the source of `shop` moved from "),
        "{}",
        refused.text()
    );
    assert!(
        refused
            .stderr
            .contains("export --run moved --config config.yml --restart`"),
        "{}",
        refused.text()
    );
    assert!(Manifest::read(&export.directory("moved")).is_err());
    export
        .run(&["export", "--run", "moved", "--restart"])
        .expect(0);
    let tables = Manifest::read(&export.directory("moved")).unwrap().tables;
    let small = tables.iter().find(|table| table.name == "small").unwrap();
    assert_eq!(small.row_count, 4);
}

#[test]
fn a_migration_that_was_ended_goes_on_as_itself_under_the_same_rules() {
    let export = Export::new("resume-migrate");
    let migrate = ["migrate", "--skip-assess", "--run", "ended"];
    let ended = export.end_command_early(&migrate, ("ended", "transformed"), ("INT", 2));
    ended.expect(6);
    let status = export.run(&["status", "--run", "ended"]).expect(0);
    let next = "next: converge migrate --run";
    assert!(status.stdout.contains(next), "{}", status.text());
    let other = export.run(&["export", "--run", "ended"]).expect(3);
    let why = "`migrate` converted the rows of `shop` as it read them";
    assert!(other.stderr.contains(why), "{}", other.text());

    let config = fs::read_to_string(export.workplace.path().join("config.yml")).unwrap();
    let rule = "    rules: [{column: small.b, when: any, then: trim}]\n";
    export
        .workplace
        .write("config.yml", &(config.clone() + rule));
    let changed = export.run(&migrate).expect(3);
    let why = "or a rule, has changed";
    assert!(changed.stderr.contains(why), "{}", changed.text());

    export.workplace.write("config.yml", &config);
    let resumed = export.run(&migrate).expect(0);
    let said = "goes on where it ended: the source has not moved";
    assert!(resumed.stderr.contains(said), "{}", resumed.text());
    assert!(resumed.stdout.contains("verdict: equal"));
}

#[test]
fn a_killed_connection_ends_the_export_and_what_it_wrote_is_kept() {
    let export = Export::new("resume-connection");
    export.run(&["export", "--run", "calm"]).expect(0);
    let mut running = export.begin(&["export", "--run", "killed"]);
    let directory = export.directory("killed");
    let mut source = export.servers.source();
    let reading = "select id from information_schema.processlist \
                    where command in ('Query', 'Execute') and info like '%from `alkemio`.`big`%' \
                      and id <> connection_id()";
    let id = wait_for("a worker reads", || {
        assert!(running.try_wait().unwrap().is_none(), "it ended too early");
        let some = !names(&directory).is_empty();
        some.then(|| source.query_text(reading).unwrap().pop())
            .flatten()
    });
    let id = id[0].clone().unwrap();
    source.execute(&format!("kill {id}")).unwrap();
    let outcome = Outcome::of(&running.wait_with_output().unwrap()).expect(1);
    assert!(
        outcome.stderr.contains("begins this stage again"),
        "{}",
        outcome.text()
    );
    thread::sleep(Duration::from_millis(100));
    export.run(&["export", "--run", "killed"]).expect(0);
    check(
        &export,
        "killed",
        &files(&export.directory("calm")),
        &BTreeMap::new(),
    );
    // The other stages take a table of many files.
    export.run(&["transform", "--run", "killed"]).expect(0);
    export.run(&["import", "--run", "killed"]).expect(0);
    export.run(&["verify", "--run", "killed"]).expect(0);
}
