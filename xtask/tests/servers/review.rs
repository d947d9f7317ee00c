//! The commands with which docs/fixtures.md has snapshots reviewed, with and without cargo-nextest.

use std::{fs, path::Path};

use crate::support::{Said, Workspace, cargo_that};

/// What a program in cargo's place was called with, and the setting of insta.
const RECORD: &str = "echo \"$INSTA_UPDATE: $*\" >> \"$0.log\"";

/// The words after `cargo xtask` of the command for a review, and its setting of insta.
fn documented() -> (String, Vec<String>) {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/fixtures.md");
    let text = fs::read_to_string(document).expect("the document is there");
    let mut lines = text.lines();
    let line = lines.find(|line| line.starts_with("INSTA_UPDATE="));
    let line = line.expect("the document has a command for a review");
    let (setting, words) = line.split_once(" cargo xtask ").expect("xtask runs it");
    let words = words.split_whitespace().map(str::to_owned).collect();
    (setting.replace("INSTA_UPDATE=", ""), words)
}

#[test]
fn the_documented_review_runs_with_both_runners() {
    let (setting, words) = documented();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (command, chosen) = (words[0], words[1..].join(" "));
    assert_eq!(command, "test");
    // What only one of the runners understands.
    assert!(!chosen.contains(" -E ") && !chosen.contains(" -- "));
    let workspace = Workspace::new("review");
    let without = format!("{RECORD}; test \"$1\" != nextest");
    for (runner, script) in [
        ("nextest run --cargo-profile release", RECORD),
        ("test --release --no-fail-fast", &without),
    ] {
        let cargo = cargo_that("cargo-that-reviews", script);
        let log = cargo.with_extension("log");
        let _ = fs::remove_file(&log);
        let mut command = workspace.command(&words);
        command.env("CARGO", &cargo).env("INSTA_UPDATE", &setting);
        let said = Said::by(&mut command);
        assert_eq!(said.code, 0, "{said:?}");
        let log = fs::read_to_string(log).expect("cargo was called");
        let last = log.lines().last();
        assert_eq!(last, Some(&*format!("always: {runner} {chosen}")), "{log}");
    }
    fs::remove_dir_all(&workspace.root).expect("the workspace is ours");
}

#[test]
fn the_documented_review_names_the_tests_of_the_cases() {
    let (_, words) = documented();
    let filter = words.last().expect("there is a filter");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/converge/tests/live");
    for name in ["cases.rs", "baseline.rs"] {
        let text = fs::read_to_string(tests.join(name)).expect("the tests are there");
        assert!(text.contains(&format!("fn {filter}_")), "{name}: {filter}");
    }
}
