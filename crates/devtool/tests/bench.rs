//! The built `devtool bench` with the built `converge` beside it, on the live servers of `cargo xtask test`.
//!
//! It checks that the numbers are there and can be true, not how good they are.

#![expect(clippy::unwrap_used, reason = "the functions below are parts of tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const STEPS: [&str; 10] = [
    "assess",
    "export, 1 job",
    "export",
    "transform",
    "import",
    "verify",
    "rollback",
    "migrate",
    "drain",
    "load",
];

fn state_directory() -> PathBuf {
    let path = std::env::var_os("CONVERGE_DB_STATE");
    PathBuf::from(path.expect("live tests need servers: run them with `cargo xtask test`"))
}

fn bench(state: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_devtool"))
        .arg("bench")
        .args(args)
        .env("CONVERGE_DB_STATE", state)
        .output()
        .unwrap()
}

fn url(name: &str) -> String {
    let text = std::fs::read_to_string(state_directory().join("env")).unwrap();
    let start = format!("{name}=");
    text.lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap()
        .to_owned()
}

/// The databases on both sides that a benchmark would have made.
fn databases() -> Vec<String> {
    let endpoint = source::Endpoint::parse(&url("CONVERGE_DB_MYSQL_URL")).unwrap();
    let mut source = source::Connection::open(&endpoint).unwrap();
    let mut rows = source
        .query_text("show databases like 'bench\\_%'")
        .unwrap();
    let endpoint = target::Endpoint::parse(&url("CONVERGE_DB_POSTGRES_URL")).unwrap();
    let mut target = target::Connection::open(&endpoint).unwrap();
    let sql = "select datname from pg_catalog.pg_database where datname like 'bench\\_%'";
    rows.extend(target.query_text(sql).unwrap());
    rows.into_iter().flatten().flatten().collect()
}

fn number(value: &Value, pointer: &str) -> f64 {
    let found = value.pointer(pointer).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("no number at {pointer}: {value}"))
}

fn check_step(step: &Value, rows: f64) {
    assert_eq!(number(step, "/rows"), rows, "{step}");
    assert!(number(step, "/bytes") > 10e6, "{step}");
    for name in ["/median/seconds", "/median/client_processor_seconds"] {
        assert!(number(step, name) > 0.0, "{name}: {step}");
    }
    let rate = number(step, "/rows") / number(step, "/median/seconds");
    assert!(
        (number(step, "/rows_per_second") / rate - 1.0).abs() < 1e-6,
        "{step}"
    );
    let samples = step["samples"].as_array().unwrap();
    let executions = if step["name"] == "rollback" { 2 } else { 1 };
    assert_eq!(samples.len(), executions, "{step}");
    for sample in samples {
        assert_eq!(number(sample, "/rows"), rows, "{sample}");
        assert!(number(sample, "/seconds") > 0.0, "{sample}");
        assert!(number(sample, "/client/user_seconds") >= 0.0, "{sample}");
    }
    if step["kind"] == "floor" {
        assert_eq!(step["median"]["peak_memory_bytes"], Value::Null);
    } else {
        let peak = number(step, "/median/peak_memory_bytes");
        assert!((1e6..1e9).contains(&peak), "{step}");
    }
}

#[test]
fn all_stages_are_measured_and_nothing_is_left_behind() {
    let state = state_directory();
    let output = bench(
        &state,
        &["--scale", "1", "--rounds", "1", "--output", "json"],
    );
    let messages = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{messages}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema_version"], 1);
    assert_eq!(number(&report, "/scale"), 1.0);
    assert!(number(&report, "/machine/processors") >= 1.0);
    assert!(number(&report, "/machine/memory_bytes") > 1e8);
    assert!(
        report["converge"]
            .as_str()
            .unwrap()
            .starts_with("converge ")
    );
    let target = report["machine"]["target"].as_str().unwrap();
    assert!(target.starts_with("PostgreSQL 1"), "{target}");

    let steps = report["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, STEPS);
    let rows = number(&steps[0], "/rows");
    assert!((15_000.0..25_000.0).contains(&rows), "{rows}");
    for step in steps {
        check_step(step, rows);
    }
    let step = |name: &str| &steps[STEPS.iter().position(|step| *step == name).unwrap()];
    // Each server works for its own side, and sorting or indexing 30 MB takes more than a tick.
    assert!(number(step("drain"), "/median/source_processor_seconds") > 0.0);
    assert!(number(step("load"), "/median/target_processor_seconds") > 0.0);
    assert!(number(step("import"), "/median/target_processor_seconds") > 0.0);
    let floors = number(step("drain"), "/median/seconds") + number(step("load"), "/median/seconds");
    let ratio = number(step("migrate"), "/median/seconds") / floors;
    assert!((number(step("migrate"), "/ratio_to_floors") / ratio - 1.0).abs() < 1e-6);

    assert_eq!(databases(), Vec::<String>::new());
    assert!(!state.join("bench").exists());

    check_a_transformation_by_kind_of_table();
    assert_eq!(databases(), Vec::<String>::new());
}

/// Not a test of its own: there is one benchmark at a time.
fn check_a_transformation_by_kind_of_table() {
    let arguments = [
        "transform",
        "--scale",
        "1",
        "--rounds",
        "1",
        "--output",
        "json",
    ];
    let output = bench(&state_directory(), &arguments);
    let messages = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{messages}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let families = report["families"].as_array().unwrap();
    assert_eq!(families.len(), 3, "{report}");
    let rows: f64 = families.iter().map(|family| number(family, "/rows")).sum();
    assert_eq!(
        rows,
        number(&report, "/steps/0/rows"),
        "every row is of one"
    );
    for family in families {
        assert!(number(family, "/tables") >= 1.0, "{family}");
        let rates = ["/megabytes_per_second", "/csv_crate_megabytes_per_second"];
        let [ours, theirs] = rates.map(|name| number(family, name));
        assert!(ours > 0.0 && theirs > 0.0, "{family}");
        // A median of its own, so only about the quotient of the other two.
        let ratio = number(family, "/ratio_to_csv_crate") / (ours / theirs);
        assert!((0.2..5.0).contains(&ratio), "{family}");
    }
}

#[test]
fn servers_without_the_token_are_not_touched() {
    let state = tempfile::tempdir().unwrap();
    std::fs::copy(state_directory().join("env"), state.path().join("env")).unwrap();
    std::fs::write(state.path().join("token"), "00\n").unwrap();
    let output = bench(state.path(), &[]);
    let messages = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{messages}");
    assert!(messages.contains("does not hold the token"), "{messages}");
    assert!(output.stdout.is_empty());
    assert!(!state.path().join("bench").exists());
}
