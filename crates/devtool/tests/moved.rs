//! Both systems' fixtures through the built `converge`, and each of its files through plain COPY
//! and `\copy`.

#![expect(clippy::unwrap_used, reason = "the functions below are parts of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dataset::Manifest;
use serde_json::Value;
use testing::{loads_as_it_stands, workspace_root};

/// The databases of one test, by their prefix, and a folder for its runs.
struct Fixtures {
    prefix: &'static str,
    directory: tempfile::TempDir,
}

impl Fixtures {
    fn new(prefix: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { prefix, directory }
    }

    fn devtool(&self, arguments: &[&str]) {
        let status = Command::new(env!("CARGO_BIN_EXE_devtool"))
            .arg("fixtures")
            .args(arguments)
            .args(["--prefix", self.prefix])
            .status()
            .unwrap();
        assert!(status.success(), "{arguments:?}");
    }

    /// A URL of the local servers, with the database of the prefix.
    fn url(&self, name: &str) -> String {
        let state = std::env::var_os("CONVERGE_DB_STATE");
        let state = PathBuf::from(state.expect("live tests need servers: run `cargo xtask test`"));
        let text = fs::read_to_string(state.join("env")).unwrap();
        let start = format!("{name}=");
        let url = text
            .lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap();
        let (server, database) = url.rsplit_once('/').unwrap();
        format!("{server}/{}{database}", self.prefix)
    }

    /// Runs `converge` on both systems; stdout and stderr.
    fn converge(&self, arguments: &[&str], code: i32) -> [String; 2] {
        let program = Path::new(env!("CARGO_BIN_EXE_devtool")).with_file_name("converge");
        let mut command = Command::new(&program);
        command.current_dir(self.path()).args(arguments);
        command
            .arg("--config")
            .arg(workspace_root().join("alkemio.yml"));
        for name in [
            "ALKEMIO_MYSQL_URL",
            "ALKEMIO_POSTGRES_URL",
            "KRATOS_MYSQL_URL",
            "KRATOS_POSTGRES_URL",
        ] {
            command.env(name, self.url(name));
        }
        let output = command.output().unwrap_or_else(|error| {
            panic!(
                "{}: {error}; `cargo build --release -p converge` makes it",
                program.display()
            )
        });
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        [stdout, stderr]
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Tables whose exported files a person can read: uuids, numbers, times, enums, texts with what
/// is hard, NULL and empty texts. None has JSON, which the two families spell in their own ways.
const READABLE: [(&str, &[&str]); 2] = [
    (
        "alkemio",
        &[
            "calendar",
            "discussion",
            "innovation_hub",
            "innovation_pack",
            "knowledge_base",
            "license_plan",
            "organization_verification",
            "platform_invitation",
            "template_default",
            "user_group",
            "vc_interaction",
        ],
    ),
    (
        "kratos",
        &[
            "identity_recovery_codes",
            "identity_registration_codes",
            "session_token_exchanges",
        ],
    ),
];

fn check_exported(run: &Path) {
    for (system, tables) in READABLE {
        let mut settings = insta::Settings::clone_current();
        let expected = format!("fixtures/{system}/expected/export");
        settings.set_snapshot_path(workspace_root().join(expected));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| {
            for table in tables {
                let name = format!("{table}.csv");
                let bytes = fs::read(run.join(system).join("export").join(&name)).unwrap();
                insta::assert_binary_snapshot!(&name, bytes);
            }
        });
    }
}

#[test]
fn every_file_of_both_systems_loads_without_this_tool() {
    let fixtures = Fixtures::new("moved_");
    fixtures.devtool(&["load", "--scale", "1"]);
    fixtures.devtool(&["targets"]);
    fixtures.converge(&["migrate", "--run", "run", "--keep-export"], 0);
    let run = fixtures.path().join("run");
    check_exported(&run);
    let (mut files, mut by_psql) = (0, 0);
    for (system, variable) in [
        ("alkemio", "ALKEMIO_POSTGRES_URL"),
        ("kratos", "KRATOS_POSTGRES_URL"),
    ] {
        let transformed = run.join(system).join("transformed");
        for table in &Manifest::read(&transformed).unwrap().tables {
            files += 1;
            by_psql += u32::from(loads_as_it_stands(
                &fixtures.url(variable),
                table,
                &transformed,
            ));
        }
    }
    assert_eq!(files, 100, "75 tables of Alkemio and 25 of Kratos");
    assert!(
        by_psql >= 99,
        "one file alone holds a line that an older psql cannot read: {by_psql}"
    );
}

/// The checks that `verify` lists, as `database group: name`: all of them, and those that failed.
fn checks(document: &str) -> [BTreeSet<String>; 2] {
    let document: Value = serde_json::from_str(document).unwrap();
    let [mut all, mut failed] = [BTreeSet::new(), BTreeSet::new()];
    for database in document["databases"].as_array().unwrap() {
        for check in database["checks"].as_array().unwrap() {
            let [system, group, name] = [&database["name"], &check["group"], &check["name"]]
                .map(|value| value.as_str().unwrap());
            let line = format!("{system} {group}: {name}");
            if check["passed"] == false {
                failed.insert(line.clone());
            }
            all.insert(line);
        }
    }
    [all, failed]
}

#[test]
fn clean_rows_violate_no_check_and_each_planted_violation_is_found_by_its_own() {
    let fixtures = Fixtures::new("checked_");
    fixtures.devtool(&["load"]);
    fixtures.devtool(&["targets"]);
    let [_, clean] = fixtures.converge(&["migrate", "--run", "clean"], 0);
    assert!(!clean.contains("violate"), "{clean}");
    let verify = ["verify", "--output", "json", "--run", "clean"];
    let [all, failed] = checks(&fixtures.converge(&verify, 0)[0]);
    assert_eq!(all.len(), 74);
    assert_eq!(failed, BTreeSet::new());

    // What the source violates as well is not of the move's making.
    let list = fixtures.path().join("planted.json");
    let list_argument = list.to_str().unwrap();
    let dirt = "empty_uuid,binary_whiteboard,violated_check";
    fixtures.devtool(&["load", "--dirt", dirt, "--planted", list_argument]);
    fixtures.devtool(&["targets"]);
    let [_, moved] = fixtures.converge(&["migrate", "--run", "violated"], 0);
    let planted: Vec<Value> = serde_json::from_slice(&fs::read(&list).unwrap()).unwrap();
    let planted = planted
        .iter()
        .filter(|dirt| dirt["kind"] == "violated_check");
    let planted: BTreeSet<String> = planted
        .map(|dirt| [&dirt["database"], &dirt["check"]].map(|value| value.as_str().unwrap()))
        .map(|[database, check]| format!("{database} {check}"))
        .collect();
    for (database, of) in [("alkemio", 52), ("kratos", 22)] {
        let start = format!("{database} ");
        let violated = planted.iter().filter(|check| check.starts_with(&start));
        let note = format!("violate {} of {of} checks", violated.count());
        assert!(moved.contains(&note), "{note}: {moved}");
    }

    // With a source that never violated them, each is a failure of its own.
    fixtures.devtool(&["load"]);
    let verify = ["verify", "--output", "json", "--run", "violated"];
    let [_, failed] = checks(&fixtures.converge(&verify, 5)[0]);
    let is_count = |check: &String| check.contains(": as many ");
    let (_, failed): (BTreeSet<String>, _) = failed.into_iter().partition(is_count);
    assert_eq!(failed, planted);
}
