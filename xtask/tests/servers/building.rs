//! What is seen while the programs are built, with a program in cargo's place.

use std::{fs, path::Path};

use crate::support::{Said, Workspace, cargo_that};

/// A cargo that takes `seconds` for a build, says two words about it, and runs nothing.
fn cargo_that_builds(seconds: u32, code: u8) -> String {
    format!(
        "test \"$1\" = build || {{ echo \"run: $*\"; exit 0; }}\n\
         echo compiling >&2; sleep {seconds}; echo finished >&2; exit {code}"
    )
}

fn doctor(workspace: &Workspace, cargo: &Path) -> Said {
    Said::by(workspace.command(&["doctor"]).env("CARGO", cargo))
}

#[test]
fn a_build_is_never_silent_and_nothing_is_said_where_there_is_none() {
    let workspace = Workspace::new("building");
    let slow = cargo_that("cargo-that-is-slow", &cargo_that_builds(6, 0));
    let quick = cargo_that("cargo-that-is-quick", &cargo_that_builds(0, 0));
    let failing = cargo_that("cargo-that-cannot", &cargo_that_builds(0, 101));

    let first = doctor(&workspace, &slow);
    let lines: Vec<&str> = first.stderr.lines().collect();
    let start = "xtask: building converge and devtool for the first time: about ";
    assert!(lines[0].starts_with(start), "{first:?}");
    let rest = ["compiling", "xtask: building, 4 s so far", "finished"];
    assert_eq!(lines[1..], rest, "{first:?}");
    assert!(first.stdout.starts_with("run: run --quiet "), "{first:?}");

    let converge = workspace.program().with_file_name("converge");
    fs::write(converge, "").expect("the folder is ours");
    let changed = doctor(&workspace, &slow);
    let lines: Vec<&str> = changed.stderr.lines().collect();
    let start = "xtask: building converge and devtool, since sources changed";
    assert_eq!(lines[..2], [start, "compiling"], "{changed:?}");
    assert!(lines.contains(&"finished"), "{changed:?}");

    let fresh = doctor(&workspace, &quick);
    assert_eq!((fresh.code, &*fresh.stderr), (0, ""), "{fresh:?}");

    let failed = doctor(&workspace, &failing);
    assert_eq!((failed.code, &*failed.stdout), (1, ""), "{failed:?}");
    assert!(
        failed.stderr.starts_with("compiling\nfinished\nerror: "),
        "{failed:?}"
    );
    fs::remove_dir_all(&workspace.root).expect("the workspace is ours");
}
