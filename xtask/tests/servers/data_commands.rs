//! The data commands and `rehearse` on local servers, with a program in cargo's place.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::support::{Said, Servers, Workspace, cargo_that, cargo_that_prints};

const URL_VARIABLES: [&str; 4] = [
    "ALKEMIO_MYSQL_URL",
    "ALKEMIO_POSTGRES_URL",
    "KRATOS_MYSQL_URL",
    "KRATOS_POSTGRES_URL",
];

#[test]
fn data_commands_get_all_local_addresses_or_none() {
    let servers = Servers::new("addresses");
    servers.ok(&["up"]);
    let shown = URL_VARIABLES.map(|name| format!("${name}")).join("|");
    let cargo = cargo_that_prints("cargo-that-prints-addresses", &shown);
    let addresses = |args: &[&str], set: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(args)
            .env("CARGO", &cargo)
            .env("CONVERGE_DB_STATE", &servers.state);
        for name in URL_VARIABLES {
            command.env_remove(name).env_remove(format!("{name}_FILE"));
        }
        let output = command.envs(set.iter().copied()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().trim().to_owned();
        (text(output.stdout), text(output.stderr))
    };
    let env = servers.read("env");
    let local = URL_VARIABLES.map(|name| {
        let start = format!("{name}=");
        env.lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap()
    });
    let (stdout, stderr) = addresses(&["migrate"], &[]);
    assert_eq!(stdout, local.join("|"));
    assert!(stderr.contains("local servers are up"), "{stderr}");
    for (args, set, expected) in [
        (
            &["migrate"][..],
            &[("ALKEMIO_POSTGRES_URL", "postgres://db/")][..],
            "|postgres://db/||",
        ),
        (
            &["verify"],
            &[("KRATOS_MYSQL_URL_FILE", "/run/secret")],
            "|||",
        ),
        (&["export", "--config", "mine.yml"], &[], "|||"),
        (&["rehearse", "--config=mine.yml"], &[], "|||"),
    ] {
        let said = addresses(args, set);
        assert_eq!(said, (expected.to_owned(), String::new()), "{args:?}");
    }
}

#[test]
fn rehearse_on_fixtures_never_uses_the_users_databases() {
    let servers = Servers::new("rehearse");
    let cargo = cargo_that_prints("cargo-that-tells", "$ALKEMIO_MYSQL_URL $*");
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["rehearse", "--scale", "3", "--jobs", "1"])
        .args(["--provider", "native"])
        .env("CARGO", &cargo)
        .env("CONVERGE_DB_STATE", &servers.state)
        .env("ALKEMIO_MYSQL_URL", "mysql://production/")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let env = servers.read("env");
    let url = env
        .lines()
        .next()
        .unwrap()
        .strip_prefix("ALKEMIO_MYSQL_URL=")
        .unwrap();
    let ends = [
        "-p devtool -- fixtures load --scale 3",
        "-p devtool -- fixtures targets",
        "/fixtures/rehearse.yml",
    ];
    assert_eq!(stdout.lines().count(), ends.len(), "{stdout}");
    for (line, end) in stdout.lines().zip(ends) {
        assert!(line.ends_with(end) && line.starts_with(url), "{line}");
    }
    assert!(
        stdout.contains("-p converge -- rehearse --jobs 1 --config "),
        "{stdout}"
    );
}

/// Where each of the words is first found.
fn places_of(text: &str, words: &[&str]) -> Vec<usize> {
    let place = |word: &&str| text.find(*word).unwrap_or_else(|| panic!("{word}: {text}"));
    words.iter().map(place).collect()
}

#[test]
fn a_first_rehearsal_asks_for_servers_before_it_builds_everything_once() {
    let workspace = Workspace::new("first");
    let cargo = cargo_that_prints("cargo-that-remembers", "$*");
    let mut command = workspace.command(&["rehearse", "--provider", "native"]);
    let said = Said::by(command.env("CARGO", &cargo));
    assert_eq!(said.code, 0, "{said:?}");
    let steps = [
        "the first rehearsal takes about",
        "rehearse: looking for servers",
        "xtask: building converge and devtool for the first time: about",
        "rehearse: starting servers",
        "rehearse: rehearsing",
    ];
    assert!(places_of(&said.stderr, &steps).is_sorted(), "{said:?}");
    let log = fs::read_to_string(cargo.with_extension("log")).unwrap();
    let builds = log.lines().filter(|line| line.starts_with("build "));
    let builds: Vec<&str> = builds.collect();
    assert_eq!(builds.len(), 1, "{log}");
    assert!(
        builds[0].ends_with("/Cargo.toml -p converge -p devtool"),
        "{log}"
    );
    workspace.db(&["down", "--volumes"]);
    fs::remove_dir_all(&workspace.root).unwrap();
}

#[test]
fn a_rehearsal_hands_on_how_its_servers_are_stopped() {
    let servers = Servers::new("afterword");
    let cargo = cargo_that_prints("cargo-that-ends", "$CONVERGE_REHEARSE_AFTERWORD");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(["rehearse", "--provider", "native"])
        .env("CARGO", &cargo)
        .env("CONVERGE_DB_STATE", &servers.state)
        .stdin(Stdio::null());
    let said = Said::by(&mut command);
    let last: Vec<&str> = said.stdout.trim().lines().rev().take(2).collect();
    assert_eq!(
        last[0],
        "hint: `cargo xtask db down --volumes` stops them and removes their data"
    );
    assert!(
        last[1].starts_with("note: two servers keep running: M"),
        "{said:?}"
    );

    // Where it ends before it rehearses, it says the same.
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(["rehearse", "--provider", "native"])
        .env(
            "CARGO",
            cargo_that("cargo-that-fails", "test \"$1\" = build || exit 9"),
        )
        .env("CONVERGE_DB_STATE", &servers.state)
        .stdin(Stdio::null());
    let said = Said::by(&mut command);
    assert_eq!(said.code, 9, "{said:?}");
    assert!(said.stderr.trim().ends_with(last[0]), "{said:?}");
}
