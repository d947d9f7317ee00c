//! Stages that are killed at random moments, and what they come to when they go on.

use std::env;
use std::thread;
use std::time::Instant;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::import::Load;
use crate::resume::{Export, check, files};
use crate::support::signal;

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
            let mut running = export.begin(&run);
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
