//! Snapshot files that no test compares with any more.
//!
//! A part is seen at rest (the test's source file is gone); the whole only after a full
//! test run, for which insta notes each file that it compared with.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::{Finding, Source};
use crate::workspace;

/// Snapshots whose test file does not exist.
pub(super) fn check_sources(root: &Path, snapshots: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for snapshot in snapshots {
        for (index, line) in snapshot.text.lines().enumerate().skip(1) {
            if line == "---" {
                break;
            }
            let Some(source) = line.strip_prefix("source: ") else {
                continue;
            };
            let source = source.trim_matches('"');
            if !root.join(source).is_file() {
                let what = format!("its test `{source}` is gone, so nothing compares with it");
                findings.push(Finding::new(&snapshot.path, index + 1, what));
            }
        }
    }
    findings
}

/// Snapshot files of the workspace that are not among those that tests used.
pub(crate) fn unreferenced(root: &Path, used: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let used: BTreeSet<PathBuf> = used.iter().map(|path| real(&root.join(path))).collect();
    let files = workspace::files(root)?;
    let unused = files
        .into_iter()
        .filter(|path| snapshot(path).is_some_and(|text| !used.contains(&real(&text))));
    Ok(unused
        .map(|path| path.strip_prefix(root).unwrap_or(&path).to_path_buf())
        .collect())
}

/// The text file of a snapshot; a binary one has its bytes in `NAME.snap.EXT` beside.
fn snapshot(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    if name.ends_with(".snap") {
        return Some(path.to_path_buf());
    }
    let (start, _) = name.rsplit_once(".snap.")?;
    Some(path.with_file_name(format!("{start}.snap")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_without_its_test_is_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let snapshot = |source: &str| Source {
            path: "a.snap".into(),
            text: format!("---\nsource: {source}\nexpression: x\n---\nsource: body\n"),
        };
        assert!(check_sources(root, &[snapshot("src/main.rs")]).is_empty());
        let found = check_sources(root, &[snapshot("src/gone.rs")]);
        assert_eq!(found[0].line, 2);
    }

    #[test]
    fn unused_snapshots_and_their_bytes_are_found() {
        let sh = xshell::Shell::new().unwrap();
        let dir = sh.create_temp_dir().unwrap();
        for name in [
            "s/used.snap",
            "s/used.snap.csv",
            "s/lost.snap",
            "s/lost.snap.csv",
            "s/x.csv",
        ] {
            sh.write_file(dir.path().join(name), "").unwrap();
        }
        let used = [dir.path().join("s/../s/used.snap")];
        let found = unreferenced(dir.path(), &used).unwrap();
        assert_eq!(
            found,
            [Path::new("s/lost.snap"), Path::new("s/lost.snap.csv")]
        );
    }
}
