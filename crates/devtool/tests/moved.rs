//! Both systems' fixtures through the built `converge`, and each of its files through plain COPY
//! and `\copy`.

#![expect(clippy::unwrap_used, reason = "the functions below are parts of tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dataset::Manifest;
use testing::{loads_as_it_stands, workspace_root};

const PREFIX: &str = "moved_";

fn devtool(arguments: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_devtool"))
        .arg("fixtures")
        .args(arguments)
        .args(["--prefix", PREFIX])
        .status()
        .unwrap();
    assert!(status.success(), "{arguments:?}");
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

fn converge(directory: &Path, arguments: &[&str]) {
    let program = Path::new(env!("CARGO_BIN_EXE_devtool")).with_file_name("converge");
    let mut command = Command::new(&program);
    command.current_dir(directory).args(arguments);
    command
        .arg("--config")
        .arg(workspace_root().join("alkemio.yml"));
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
    assert!(output.status.success(), "{arguments:?}: {stderr}");
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
    devtool(&["load", "--scale", "1"]);
    devtool(&["targets"]);
    let directory = tempfile::tempdir().unwrap();
    converge(
        directory.path(),
        &["migrate", "--run", "run", "--keep-export"],
    );
    check_exported(&directory.path().join("run"));
    let (mut files, mut by_psql) = (0, 0);
    for (system, variable) in [
        ("alkemio", "ALKEMIO_POSTGRES_URL"),
        ("kratos", "KRATOS_POSTGRES_URL"),
    ] {
        let transformed = directory
            .path()
            .join("run")
            .join(system)
            .join("transformed");
        for table in &Manifest::read(&transformed).unwrap().tables {
            files += 1;
            by_psql += u32::from(loads_as_it_stands(&url(variable), table, &transformed));
        }
    }
    assert_eq!(files, 100, "75 tables of Alkemio and 25 of Kratos");
    assert!(
        by_psql >= 99,
        "one file alone holds a line that an older psql cannot read: {by_psql}"
    );
}
