//! What `cargo xtask` does with its command line, as a user sees it.
//!
//! No server is started here.

use std::{
    path::Path,
    process::{Command, Output},
};

fn xtask(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(args);
    // A state directory without servers, so that a developer's own have no say.
    command.env("CONVERGE_DB_STATE", "/nonexistent/state");
    command
}

fn run(mut command: Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("xtask starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
    (
        status.code().expect("no signal"),
        text(stdout),
        text(stderr),
    )
}

#[test]
fn help_lists_every_command() {
    let (code, stdout, _) = run(xtask(&["--help"]));
    assert_eq!(code, 0);
    let listed: Vec<&str> = stdout
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // A long description goes on in a line that is indented further.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let expected = "rehearse doctor baseline assess export transform import verify migrate rollback finalize status \
        db fixtures images test ci tidy codegen bench";
    assert_eq!(listed.join(" "), expected);
}

#[test]
fn data_commands_become_converge_with_their_arguments_as_typed() {
    let mut command = xtask(&["export", "--help", "--", "-x", "a b"]);
    // In cargo's place, a program that shows how it was called.
    command.env("CARGO", "/bin/echo");
    let (code, stdout, _) = run(command);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("Cargo.toml");
    let expected = format!(
        "run --quiet --release --manifest-path {} -p converge -- export --help -- -x a b\n",
        manifest.display()
    );
    assert_eq!((code, stdout), (0, expected));
}

#[test]
fn fixture_commands_become_devtool() {
    for name in ["fixtures", "codegen", "bench"] {
        let mut command = xtask(&[name, "--check"]);
        command.env("CARGO", "/bin/echo");
        let (_, stdout, _) = run(command);
        assert!(
            stdout.ends_with(&format!("-p devtool -- {name} --check\n")),
            "{stdout}"
        );
    }
}

#[test]
fn rehearse_with_a_config_is_all_of_converge() {
    let mut command = xtask(&["rehearse", "--config", "mine.yml", "--yes"]);
    command.env("CARGO", "/bin/echo");
    let (code, stdout, stderr) = run(command);
    assert_eq!(code, 0);
    assert!(
        stdout.ends_with("-p converge -- rehearse --config mine.yml --yes\n"),
        "{stdout}"
    );
    assert_eq!(stderr, "");
}

#[test]
fn the_exit_code_is_that_of_the_program_we_became() {
    let mut command = xtask(&["verify"]);
    command.env("CARGO", "/bin/false");
    assert_eq!(run(command).0, 1);
}

#[test]
fn usage_errors_have_exit_code_two() {
    for args in [
        &["nonsense"][..],
        &["db"],
        &["db", "up", "--provider", "podman"],
        &["db", "up", "--provider", "native", "--mysql", "oracle"],
        &["db", "up", "--provider", "native", "--mysql", "postgres-18"],
        &["test", "--matrix", "--mysql", "mysql-9.7"],
        &["rehearse", "--scale"],
    ] {
        let (code, stdout, stderr) = run(xtask(args));
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
        assert!(!stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn clients_without_servers_say_how_to_start_them() {
    let (code, _, stderr) = run(xtask(&["db", "psql"]));
    assert_eq!(code, 3);
    assert_eq!(
        stderr,
        "error: the local servers are not up\nhint: cargo xtask db up\n"
    );
}
