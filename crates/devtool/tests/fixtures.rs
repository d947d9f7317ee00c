//! The built `devtool` on the live servers of `cargo xtask test`: load, targets, check.
//!
//! Each test has databases of its own by a prefix of its own.

#![expect(clippy::unwrap_used, reason = "the functions below are parts of tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a run of `devtool` did.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn state_directory() -> PathBuf {
    let path = std::env::var_os("CONVERGE_DB_STATE");
    PathBuf::from(path.expect("live tests need servers: run them with `cargo xtask test`"))
}

fn fixtures_with_state(state: &Path, args: &[&str]) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_devtool"))
        .arg("fixtures")
        .args(args)
        .env("CONVERGE_DB_STATE", state)
        .output()
        .unwrap();
    Ran {
        code: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

fn fixtures(args: &[&str]) -> Ran {
    fixtures_with_state(&state_directory(), args)
}

fn succeeds(args: &[&str]) -> String {
    let ran = fixtures(args);
    assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

fn url(name: &str) -> String {
    let text = std::fs::read_to_string(state_directory().join("env")).unwrap();
    let start = format!("{name}=");
    text.lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap()
        .to_owned()
}

fn open_source(database: &str) -> source::Connection {
    let endpoint = source::Endpoint::parse(&url("CONVERGE_DB_MYSQL_URL")).unwrap();
    source::Connection::open(&endpoint.with_database(database)).unwrap()
}

fn open_target(database: &str) -> target::Connection {
    let endpoint = target::Endpoint::parse(&url("CONVERGE_DB_POSTGRES_URL")).unwrap();
    target::Connection::open(&endpoint.with_database(database)).unwrap()
}

/// The checksums of all tables with rows, one a line.
fn checksums(database: &str) -> Vec<String> {
    let mut source = open_source(database);
    let tables = source.query_text("show tables").unwrap();
    let names: Vec<String> = tables.into_iter().flatten().flatten().collect();
    assert!(names.len() > 20, "{names:?}");
    let list: Vec<String> = names
        .iter()
        .map(|name| catalog::quote::mysql(name))
        .collect();
    let sums = source
        .query_text(&format!("checksum table {}", list.join(", ")))
        .unwrap();
    sums.into_iter().map(|row| format!("{row:?}")).collect()
}

#[test]
fn what_is_loaded_and_made_passes_the_check_and_each_kind_of_damage_is_named() {
    let prefix = "devtool_circle_";
    let names = ["--prefix", prefix];
    assert!(succeeds(&[&["load"], &names[..]].concat()).starts_with("loaded 20"));
    let made = succeeds(&[&["targets"], &names[..]].concat());
    assert_eq!(
        made,
        "made target devtool_circle_alkemio\nmade target devtool_circle_kratos\n"
    );
    let checked = succeeds(&[&["check"], &names[..]].concat());
    assert_eq!(checked, "fixtures agree with their catalogues\n");

    let mut source = open_source("devtool_circle_alkemio");
    source
        .execute("alter table `user` modify `phone` varchar(127)")
        .unwrap();
    let mut kratos = open_source("devtool_circle_kratos");
    kratos.execute("set foreign_key_checks = 0").unwrap();
    kratos
        .execute("delete from identities order by id limit 1")
        .unwrap();
    let mut target = open_target("devtool_circle_kratos");
    target
        .batch_execute("alter table public.session_devices drop constraint unique_session_device")
        .unwrap();

    let ran = fixtures(&[&["check"], &names[..]].concat());
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    for expected in [
        "devtool_circle_alkemio: column user.phone: expected ordinal 13, type varchar(128)",
        "devtool_circle_kratos: table identities: expected 200 rows, found 199",
        "devtool_circle_kratos: foreign key identity_credentials.identity_credentials_ibfk_1: ",
        "postgres devtool_circle_kratos: unique key session_devices.unique_session_device: missing",
    ] {
        assert!(ran.stdout.contains(expected), "{expected}\n{}", ran.stdout);
    }
}

#[test]
fn the_same_scale_gives_the_same_rows() {
    let load = ["load", "--prefix", "devtool_twice_"];
    succeeds(&load);
    let databases = ["devtool_twice_alkemio", "devtool_twice_kratos"];
    let once = databases.map(checksums);
    succeeds(&load);
    assert_eq!(once, databases.map(checksums));
    succeeds(&["load", "--prefix", "devtool_twice_", "--dirt", "none"]);
    assert_ne!(once, databases.map(checksums));
}

#[test]
fn the_target_holds_the_rows_of_its_owners_and_no_others() {
    succeeds(&["targets", "--prefix", "devtool_owner_"]);
    let count = |database: &str, table: &str| {
        let sql = format!("select count(*) from public.{table}");
        open_target(database).query_text(&sql).unwrap()[0][0]
            .clone()
            .unwrap()
    };
    assert_eq!(count("devtool_owner_alkemio", "migrations_typeorm"), "1");
    assert_eq!(count("devtool_owner_alkemio", "authorization_policy"), "0");
    assert_eq!(count("devtool_owner_kratos", "schema_migration"), "3");
    assert_eq!(count("devtool_owner_kratos", "networks"), "1");
    assert_eq!(
        count("devtool_owner_kratos", "identity_credential_types"),
        "10"
    );
}

#[test]
fn servers_without_the_token_are_not_touched() {
    succeeds(&["load", "--prefix", "devtool_token_"]);
    succeeds(&["targets", "--prefix", "devtool_token_"]);
    let state = tempfile::tempdir().unwrap();
    std::fs::copy(state_directory().join("env"), state.path().join("env")).unwrap();
    std::fs::write(state.path().join("token"), "00\n").unwrap();
    for command in ["load", "targets", "check"] {
        let ran = fixtures_with_state(state.path(), &[command, "--prefix", "devtool_token_"]);
        assert_eq!(ran.code, 3, "{command}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("does not hold the token"),
            "{command}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "");
    }
    // Everything is still there.
    succeeds(&["check", "--prefix", "devtool_token_"]);
}

#[test]
fn what_cannot_be_understood_is_a_usage_error() {
    for args in [
        ["load", "--dirt", "dust"],
        ["load", "--scale", "0"],
        ["load", "--prefix", "a-b"],
    ] {
        let ran = fixtures(&args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
    }
    let ran = fixtures(&["load", "--dirt", "dust"]);
    assert!(
        ran.stderr
            .contains("known are all, none, production, empty_uuid"),
        "{}",
        ran.stderr
    );
}
