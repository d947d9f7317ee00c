//! Both systems' fixtures, clean and dirty, through the built `converge assess`.

#![expect(clippy::unwrap_used, reason = "the functions below are parts of tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testing::workspace_root;

const PREFIX: &str = "assessed_";

/// A line for each finding: what, where, how many rows, which keys; with how often it stands there.
type Lines = BTreeMap<String, u32>;

fn devtool(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_devtool"))
        .arg("fixtures")
        .args(arguments)
        .args(["--prefix", PREFIX])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A URL of the local servers, with the database of the prefix.
fn url(name: &str) -> String {
    let state = std::env::var_os("CONVERGE_DB_STATE");
    let state = PathBuf::from(state.expect("live tests need servers: run `cargo xtask test`"));
    let text = fs::read_to_string(state.join("env")).unwrap();
    let start = format!("{name}=");
    let url = text
        .lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap();
    let (server, database) = url.rsplit_once('/').unwrap();
    format!("{server}/{PREFIX}{database}")
}

/// The findings of both systems under the committed configuration, with its rules or without.
fn findings(directory: &Path, with_rules: bool, code: i32) -> Vec<Value> {
    let text = fs::read_to_string(workspace_root().join("alkemio.yml")).unwrap();
    let rule = |line: &&str| line.trim_start().starts_with("- {column:");
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| with_rules || !(rule(line) || line.trim() == "rules:"))
        .collect();
    assert_eq!(kept.len() < text.lines().count(), !with_rules);
    let checks = format!("checks: {}/", workspace_root().join("fixtures").display());
    let text = kept.join("\n").replace("checks: fixtures/", &checks);
    fs::write(directory.join("config.yml"), text).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_devtool")).with_file_name("converge");
    let mut command = Command::new(&program);
    command
        .current_dir(directory)
        .args(["assess", "--output", "json", "--config", "config.yml"]);
    for name in [
        "ALKEMIO_MYSQL_URL",
        "ALKEMIO_POSTGRES_URL",
        "KRATOS_MYSQL_URL",
        "KRATOS_POSTGRES_URL",
    ] {
        command.env(name, url(name));
    }
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo build --release -p converge` makes it",
            program.display()
        )
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["findings"].as_array().unwrap().clone()
}

fn lines(findings: &[Value], keys: &str) -> Lines {
    let mut lines = Lines::new();
    for finding in findings {
        let text = |name: &str| finding[name].as_str().unwrap_or("-").to_owned();
        let place = ["database", "table", "column", "constraint"].map(text);
        let line = format!(
            "{} {} rows {} keys {}",
            text("kind"),
            place.join(" "),
            finding["rows"],
            finding[keys]
        );
        *lines.entry(line).or_default() += 1;
    }
    lines
}

/// What stands in one of them alone.
fn without(lines: &Lines, others: &Lines) -> Vec<String> {
    let alone = lines
        .iter()
        .filter(|(line, n)| others.get(*line) != Some(n));
    alone.map(|(line, _)| line.clone()).collect()
}

/// The notes on clean fixtures: each of them is a difference between the two schemas, or one
/// that docs/fixtures.md describes. Moments without a zone are too many to be listed.
fn summary(findings: &[Value]) -> String {
    let mut text = String::new();
    let mut zone_less: BTreeMap<String, u32> = BTreeMap::new();
    for finding in findings {
        let field = |name: &str| finding[name].as_str().unwrap_or_default();
        if field("kind") == "zone_less" {
            *zone_less.entry(field("database").to_owned()).or_default() += 1;
            continue;
        }
        let place = ["database", "table", "column", "constraint"].map(field);
        let place: Vec<&str> = place.into_iter().filter(|name| !name.is_empty()).collect();
        text.push_str(&format!(
            "{} {} rows {} {}\n",
            field("kind"),
            place.join("."),
            finding["rows"],
            field("detail")
        ));
    }
    for (database, columns) in zone_less {
        text.push_str(&format!("zone_less {database}: {columns} columns\n"));
    }
    text
}

#[test]
fn clean_fixtures_have_their_known_differences_and_dirty_ones_what_was_planted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    devtool(&["load", "--dirt", "none"]);
    devtool(&["targets"]);
    let clean = findings(path, false, 0);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // The two families name their collations differently.
    settings.add_filter(r"collation utf8mb4_\w+", "collation [ci]");
    settings.bind(|| insta::assert_snapshot!("clean_fixtures", summary(&clean)));

    let list = path.join("planted.json");
    let list_argument = list.to_str().unwrap();
    devtool(&["load", "--dirt", "all", "--planted", list_argument]);
    let mut planted: Vec<Value> = serde_json::from_slice(&fs::read(&list).unwrap()).unwrap();
    // Both servers take what violates a check of meaning.
    planted.retain(|dirt| dirt["kind"] != "violated_check");
    let dirty = findings(path, false, 3);
    let (clean, dirty) = (lines(&clean, "sample_keys"), lines(&dirty, "sample_keys"));
    assert_eq!(
        without(&dirty, &clean),
        without(&lines(&planted, "keys"), &Lines::new())
    );
    assert_eq!(without(&clean, &dirty), Vec::<String>::new());
    assert_eq!(
        devtool(&["check"]),
        "fixtures agree with their catalogues\n"
    );

    devtool(&["load", "--dirt", "production"]);
    let production = findings(path, true, 0);
    assert_eq!(
        without(&lines(&production, "sample_keys"), &clean),
        Vec::<String>::new()
    );
}

#[test]
fn the_third_database_holds_what_neither_system_has_a_place_for() {
    let load = |dirt: &str| {
        let status = Command::new(env!("CARGO_BIN_EXE_devtool"))
            .args([
                "fixtures",
                "load",
                "--prefix",
                "assessed_too_",
                "--dirt",
                dirt,
            ])
            .output()
            .unwrap();
        assert!(
            status.status.success(),
            "{}",
            String::from_utf8_lossy(&status.stderr)
        );
    };
    load("others");
    let url = url("ALKEMIO_MYSQL_URL").replace("assessed_alkemio", "assessed_too_dirt");
    let endpoint = source::Endpoint::parse(&url).unwrap();
    let count = "select count(*) from wide";
    let rows = source::Connection::open(&endpoint)
        .unwrap()
        .query_text(count);
    assert_eq!(rows.unwrap(), [[Some("2".to_owned())]]);
    load("none");
    assert!(
        source::Connection::open(&endpoint).is_err(),
        "it goes with the next load"
    );
}
