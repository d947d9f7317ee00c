//! The way back is kept until source and target were found equal, or the operator has named what
//! was found instead; and commands speak of the run that the target holds.

use serde_json::Value;
use testing::Databases;

use crate::support::Workplace;

const SOURCE: &str = "create table t (id int primary key); insert into t values (1), (2)";
const TARGET: &str = "create table t (id integer primary key)";

fn loaded(databases: &Databases) -> Workplace {
    databases.load(SOURCE, TARGET);
    Workplace::new(&[("shop", databases, "")])
}

fn refused(workplace: &Workplace, words: &[&str], why: &str) {
    let arguments = [&["finalize", "--yes"], words].concat();
    let text = workplace.run(&arguments).expect(3).text();
    assert!(text.contains("can still be rolled back"), "{text}");
    assert!(text.contains(why), "{text}");
    let status = workplace.run(&["status"]).expect(0);
    assert!(status.stdout.contains("holds run"), "{}", status.text());
}

#[test]
fn a_run_that_differs_is_final_only_where_that_is_accepted_by_name() {
    let databases = Databases::create();
    let workplace = loaded(&databases);
    workplace.run(&["migrate"]).expect(0);
    let mut target = databases.postgres();
    target.batch_execute("insert into t values (3)").unwrap();
    workplace.run(&["verify"]).expect(5);
    let why = "the last comparison of source and target found differences";
    refused(&workplace, &[], why);
    refused(&workplace, &["--accept-verdict", "partial"], why);
    let outcome = workplace
        .run(&["finalize", "--yes", "--accept-verdict", "different"])
        .expect(0);
    // What goes is said before it goes.
    for part in ["shop: run ", "1 tables, 2 rows in ", "verdict different"] {
        assert!(outcome.stderr.contains(part), "{}", outcome.text());
    }
}

#[test]
fn a_difference_that_a_look_at_a_part_finds_counts_too() {
    let databases = Databases::create();
    let workplace = loaded(&databases);
    workplace.run(&["migrate"]).expect(0);
    let mut target = databases.postgres();
    target
        .batch_execute("update t set id = 7 where id = 1")
        .unwrap();
    workplace.run(&["verify", "--tables", "t"]).expect(5);
    refused(&workplace, &[], "found differences");
    target
        .batch_execute("update t set id = 1 where id = 7")
        .unwrap();
    // And one that finds none proves nothing of the rest.
    workplace.run(&["verify", "--tables", "t"]).expect(0);
    refused(&workplace, &[], "found differences");
    workplace.run(&["verify"]).expect(0);
    workplace.run(&["finalize", "--yes"]).expect(0);
}

#[test]
fn a_run_that_was_not_compared_since_its_import_is_not_final() {
    let databases = Databases::create();
    let workplace = loaded(&databases);
    let why = "no full comparison of this load is recorded in the run directories here";
    workplace.run(&["migrate", "--no-verify"]).expect(0);
    refused(&workplace, &[], why);
    workplace.run(&["verify"]).expect(0);
    // Equal, but of rows that are gone.
    workplace.run(&["rollback"]).expect(0);
    workplace.run(&["import"]).expect(0);
    refused(&workplace, &[], why);
    workplace.run(&["verify"]).expect(0);
    // Another directory knows nothing of it.
    let elsewhere = Workplace::new(&[("shop", &databases, "")]);
    refused(&elsewhere, &[], why);
    let run = workplace.run_directory().display().to_string();
    elsewhere
        .run(&["finalize", "--yes", "--run", &run])
        .expect(0);
}

#[test]
fn a_source_that_moved_is_no_equal_one() {
    let databases = Databases::create();
    let workplace = loaded(&databases);
    workplace.run(&["export"]).expect(0);
    databases
        .mysql()
        .execute("insert into t values (9)")
        .unwrap();
    workplace.run(&["transform"]).expect(0);
    workplace.run(&["import"]).expect(0);
    workplace.run(&["verify"]).expect(5);
    refused(
        &workplace,
        &[],
        "the source was written to since it was exported",
    );
    let status = workplace.run(&["status"]).expect(0).stdout;
    assert!(status.contains("rollback"), "{status}");
    workplace
        .run(&["finalize", "--yes", "--accept-verdict", "source_moved"])
        .expect(0);
}

#[test]
fn verify_and_status_speak_of_the_run_that_the_target_holds() {
    let databases = Databases::create();
    let workplace = loaded(&databases);
    workplace.run(&["migrate"]).expect(0);
    let first = workplace.run_directory();
    let name = first.file_name().unwrap().to_str().unwrap();
    workplace.run(&["export"]).expect(0);
    let runs = std::fs::read_dir(first.parent().unwrap()).unwrap();
    assert_eq!(runs.count(), 2, "the export is a newer run");
    let status = workplace.run(&["status", "--output", "json"]).expect(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["run"]["run_id"], name);
    workplace.run(&["verify"]).expect(0);
    let state = std::fs::read_to_string(first.join("run.json")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    let stages = state["stages"].as_array().unwrap();
    let verified = stages.iter().filter(|entry| entry["stage"] == "verify");
    assert_eq!(verified.count(), 2, "{state}");
    workplace.run(&["finalize", "--yes"]).expect(0);
}

#[test]
fn a_comparison_of_fewer_tables_than_were_loaded_proves_nothing_of_the_run() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key); create table u (id int primary key); \
         insert into t values (1); insert into u values (1)",
        "create table t (id integer primary key); create table u (id integer primary key)",
    );
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    workplace.run(&["migrate"]).expect(0);
    let mut target = databases.postgres();
    target.batch_execute("insert into u values (2)").unwrap();
    workplace.run(&["verify"]).expect(5);
    let config = std::fs::read_to_string(workplace.path().join("config.yml")).unwrap();
    workplace.write("config.yml", &format!("{config}    exclude_tables: [u]\n"));
    workplace.run(&["verify"]).expect(0);
    refused(&workplace, &[], "found differences");
}

#[test]
fn databases_that_two_runs_have_moved_are_judged_each_by_its_own_comparison() {
    let (one, two) = (Databases::create(), Databases::create());
    one.load(SOURCE, TARGET);
    two.load(SOURCE, TARGET);
    let workplace = Workplace::new(&[("one", &one, ""), ("two", &two, "")]);
    workplace
        .run(&["migrate", "--no-verify", "--database", "one"])
        .expect(0);
    workplace
        .run(&["migrate", "--no-verify", "--database", "two"])
        .expect(0);
    let mut target = two.postgres();
    target.batch_execute("insert into t values (9)").unwrap();
    workplace.run(&["verify"]).expect(5);
    workplace
        .run(&["finalize", "--yes", "--database", "one"])
        .expect(0);
    refused(&workplace, &[], "found differences");
    target.batch_execute("delete from t where id = 9").unwrap();
    workplace.run(&["verify", "--database", "two"]).expect(0);
    workplace.run(&["finalize", "--yes"]).expect(0);
}
