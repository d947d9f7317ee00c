//! Stages that are killed at random moments, and what they come to when they go on.

use std::env;
use std::thread;
use std::time::Instant;

use dataset::Manifest;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::import::Load;
use crate::resume::{Export, check, files};
use crate::support::{signal, wait_for};

/// How often a stage is killed; the long rounds of CI ask for more.
fn kills() -> u32 {
    let rounds = env::var("CONVERGE_TEST_KILLS").ok();
    rounds.map_or(3, |rounds| rounds.parse().unwrap())
}

#[test]
fn an_export_goes_on_to_the_same_files() {
    let export = Export::new("resume-kills");
    let start = Instant::now();
    export.run(&["export", "--run", "calm"]).expect(0);
    let calm_takes = start.elapsed();
    let calm = files(&export.directory("calm"));
    let mut random = TestRunner::default();
    for round in 0..kills() {
        let run = format!("killed{round}");
        // Twice, since going on may be killed as well.
        for _ in 0..2 {
            let mut running = export.begin(&["export", "--run", &run]);
            let share = (0.0..1.0_f64).new_tree(&mut random).unwrap().current();
            thread::sleep(calm_takes.mul_f64(share));
            signal("KILL", running.id());
            running.wait().unwrap();
        }
        let directory = export.directory(&run);
        // A manifest is complete, whenever it was written.
        let before = files(&directory);
        let resumed = export.run(&["export", "--run", &run]).expect(0);
        assert!(
            before.keys().all(|name| calm.contains_key(name)),
            "{}",
            resumed.text()
        );
        check(&export, &run, &calm, &before);
    }
}

#[test]
fn a_migration_goes_on_to_the_same_files() {
    let export = Export::new("migrate-kills");
    let migrate = ["migrate", "--skip-assess", "--no-verify", "--run"];
    let run = |name: &str| export.run(&[&migrate[..], &[name]].concat());
    let start = Instant::now();
    run("calm").expect(0);
    let calm_takes = start.elapsed();
    let transformed = |name: &str| export.directory(name).with_file_name("transformed");
    let calm = files(&transformed("calm"));
    assert!(calm.len() > 5, "{:?}", calm.keys());
    export.run(&["rollback"]).expect(0);
    let mut random = TestRunner::default();
    for round in 0..kills() {
        let name = format!("killed{round}");
        for _ in 0..2 {
            let mut running = export.begin(&[&migrate[..], &[&name]].concat());
            let share = (0.0..1.0_f64).new_tree(&mut random).unwrap().current();
            thread::sleep(calm_takes.mul_f64(share));
            signal("KILL", running.id());
            running.wait().unwrap();
        }
        // A session that the kill left works to the end of its statement.
        wait_for("the migration goes on", || {
            let resumed = run(&name);
            let is_waited_for = resumed.code == 3 && resumed.stderr.contains("converge/");
            (!is_waited_for).then(|| resumed.expect(0))
        });
        assert!(files(&transformed(&name)) == calm, "{name}");
        let tables = |name| Manifest::read(&export.directory(name)).unwrap().tables;
        assert_eq!(tables(&name), tables("calm"));
        export.run(&["verify", "--run", &name]).expect(0);
        export.run(&["rollback"]).expect(0);
    }
}

#[test]
fn an_import_goes_on_to_the_same_rows_or_is_taken_back() {
    let load = Load::new();
    let start = Instant::now();
    load.run(&["import"]).expect(0);
    let calm_takes = start.elapsed();
    let calm = load.target();
    load.run(&["rollback"]).expect(0);
    load.check_taken_back();
    let mut random = TestRunner::default();
    for round in 0..kills() {
        // Twice, since going on may be killed as well.
        for _ in 0..2 {
            let mut running = load.begin();
            let share = (0.0..1.0_f64).new_tree(&mut random).unwrap().current();
            thread::sleep(calm_takes.mul_f64(share));
            signal("KILL", running.id());
            running.wait().unwrap();
        }
        // Some are taken back as they are.
        if round % 2 == 0 {
            load.run(&["import"]).expect(0);
            assert_eq!(calm.differences(&load.target()), Vec::<String>::new());
        }
        load.run(&["rollback"]).expect(0);
        load.check_taken_back();
    }
}
