//! `cargo xtask tidy`: the workspace's own rules, those that neither compiler nor clippy knows.
//!
//! Each finding is one line, `path:line: what, why`. Nothing is repaired.

mod edges;
mod manifest;
mod rehearsal;
pub(crate) mod snapshots;
mod sources;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};

use crate::workspace;

/// Checks the whole workspace; fails when there is a finding.
pub(crate) fn run() -> Result<ExitCode> {
    let findings = findings(workspace::root())?;
    for finding in &findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        eprintln!("tidy: no findings");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("tidy: {} findings", findings.len());
    Ok(ExitCode::FAILURE)
}

/// A rule that does not hold, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: PathBuf,
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &Path, line: usize, what: impl Into<String>) -> Finding {
        Finding {
            path: path.to_path_buf(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.what)
    }
}

/// A file, named relative to the workspace's root.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    text: String,
}

fn findings(root: &Path) -> Result<Vec<Finding>> {
    let paths = workspace::files(root)?;
    let relative: Vec<PathBuf> = paths
        .iter()
        .map(|path| {
            path.strip_prefix(root)
                .expect("files lie below the root")
                .to_path_buf()
        })
        .collect();
    let mut findings = sources::check_names(&relative);
    let texts = |extension: &str| -> Result<Vec<Source>> {
        let chosen = relative
            .iter()
            .filter(|path| path.extension().is_some_and(|found| found == extension));
        chosen.map(|path| read(root, path)).collect()
    };
    findings.extend(sources::check_rust(&texts("rs")?));
    let manifests: Vec<Source> = texts("toml")?
        .into_iter()
        .filter(|source| {
            source.path.ends_with("Cargo.toml") && source.path != Path::new("Cargo.toml")
        })
        .collect();
    findings.extend(manifest::check(&manifests));
    findings.extend(edges::check(&manifests));
    let architecture = Path::new("docs/architecture.md");
    if relative.iter().any(|path| path == architecture) {
        findings.extend(edges::check_documented(&read(root, architecture)?));
    }
    let configs = texts("yml")?;
    findings.extend(rehearsal::check(&configs));
    findings.extend(snapshots::check_sources(root, &texts("snap")?));
    findings.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
    Ok(findings)
}

fn read(root: &Path, path: &Path) -> Result<Source> {
    let full = root.join(path);
    let bytes = fs::read(&full).with_context(|| format!("cannot read {}", full.display()))?;
    Ok(Source {
        path: path.to_path_buf(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace in a temporary directory, with findings as text.
    fn check(files: &[(&str, &str)]) -> Vec<String> {
        let sh = xshell::Shell::new().unwrap();
        let dir = sh.create_temp_dir().unwrap();
        for (path, text) in files {
            sh.write_file(dir.path().join(path), text).unwrap();
        }
        findings(dir.path())
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    const MANIFEST: &str = "[package]\nname = \"digest\"\n[lints]\nworkspace = true\n";

    #[test]
    fn a_tidy_tree_has_no_findings() {
        let found = check(&[
            (
                "Cargo.toml",
                "[workspace]\n[workspace.dependencies]\ncsv = \"1\"\n",
            ),
            ("crates/digest/Cargo.toml", MANIFEST),
            ("crates/digest/src/lib.rs", "//! Digests of values.\n"),
            (".ci/run", "#!/bin/sh\nexec cargo xtask ci\n"),
            ("target/debug/utils.rs", ""),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn findings_of_all_checks_are_gathered_in_order() {
        let found = check(&[
            (
                "crates/digest/Cargo.toml",
                "[package]\nname = \"digest\"\n[dependencies]\nmysql.workspace = true\n",
            ),
            ("crates/digest/src/helpers.rs", "fn f() {}\n"),
            (
                "crates/digest/src/snapshots/a.snap",
                "---\nsource: gone.rs\n---\n",
            ),
            ("docs/architecture.md", "nothing\n"),
            ("run.sh", ""),
        ]);
        let starts = [
            "crates/digest/Cargo.toml:1: no `[lints]",
            "crates/digest/Cargo.toml:4: digest depends on mysql",
            "crates/digest/src/helpers.rs:1: ",
            "crates/digest/src/helpers.rs:1: ",
            "crates/digest/src/snapshots/a.snap:2: ",
            "docs/architecture.md:1: ",
        ];
        for (finding, start) in found.iter().zip(starts) {
            assert!(
                finding.starts_with(start),
                "{finding} does not start with {start}"
            );
        }
        assert!(found.last().unwrap().starts_with("run.sh:1: "), "{found:?}");
    }
}
