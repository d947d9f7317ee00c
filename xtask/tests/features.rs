//! The features with which crates are built: the same for programs, tests and CI, or a `doctor`
//! after a `test` would build a hundred crates for the second time.

use std::{collections::BTreeSet, path::Path, process::Command};

/// A line for each crate with its features, as cargo resolves them for some packages.
fn crates(selection: &[&str]) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let output = Command::new(env!("CARGO"))
        .args([
            "tree", "--locked", "--prefix", "none", "--format", "{p} {f}",
        ])
        .args(selection)
        .current_dir(root.expect("xtask lies in the workspace"))
        .output()
        .expect("cargo starts");
    let text = String::from_utf8(output.stdout).expect("output is text");
    assert!(output.status.success(), "{selection:?}");
    let lines = text.lines().map(|line| line.trim_end_matches(" (*)"));
    lines.map(str::to_owned).collect()
}

#[test]
fn no_crate_is_built_twice() {
    const TESTS: &str = "normal,build,dev";
    let all = crates(&["--workspace", "--edges", TESTS]);
    assert!(all.iter().any(|line| line.starts_with("mysql v")));
    for selection in [
        &["-p", "converge", "-p", "devtool", "--edges", "no-dev"][..],
        &["-p", "converge", "--edges", "no-dev"],
        &["-p", "devtool", "--edges", "no-dev"],
        &["-p", "converge", "--edges", TESTS],
        &["-p", "devtool", "--edges", TESTS],
    ] {
        let others: Vec<String> = crates(selection).difference(&all).cloned().collect();
        assert!(
            others.is_empty(),
            "{selection:?} builds these for the second time; \
            the end of crates/source/Cargo.toml has the remedy: {others:#?}"
        );
    }
}
