//! Where this workspace lies and how its cargo is called.
//!
//! It knows nothing about what is built.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context, Result};

/// The folder of the workspace's root manifest.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let package = package_dir(
            env::var_os("CARGO_PKG_NAME"),
            env::var_os("CARGO_MANIFEST_DIR"),
        );
        let root = package.parent();
        root.expect("xtask lies in a folder of the workspace")
            .to_path_buf()
    })
}

/// The folder of cargo's output, two above this program.
pub(crate) fn target() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let target = program.parent().and_then(Path::parent);
    target.map_or_else(|| root().join("target"), Path::to_path_buf)
}

/// The folder of xtask, as the cargo that runs us names it: two clones with one target
/// directory share a program. Inside a test of another package the variables are of that
/// package; what the compiler knew is right then.
fn package_dir(name: Option<OsString>, manifest_dir: Option<OsString>) -> PathBuf {
    let ours = name.is_some_and(|name| name == env!("CARGO_PKG_NAME"));
    let named = manifest_dir.filter(|_| ours);
    named.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// The cargo that started us, so that nested calls use the same toolchain.
///
/// It does not see the variables by which our own cargo described xtask: build scripts
/// that look at them (ring's does) would run again after every change between
/// `cargo xtask` and a plain `cargo build`, and so would all that depends on them.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let describes_package = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "OUT_DIR"]
            .iter()
            .any(|start| name.as_encoded_bytes().starts_with(start.as_bytes()));
        if describes_package {
            command.env_remove(name);
        }
    }
    command
}

/// All files of the workspace in a stable order, without build output, run
/// directories and the folders of other tools.
pub(crate) fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        let entries =
            fs::read_dir(&dir).with_context(|| format!("cannot list {}", dir.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", dir.display()))?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                if !skipped(root, &path) {
                    open.push(path);
                }
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn skipped(root: &Path, dir: &Path) -> bool {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let ours = [".cargo", ".config", ".ci"];
    let hidden = name.starts_with('.') && !ours.contains(&&*name);
    let output = dir.parent() == Some(root) && ["target", "runs"].contains(&&*name);
    hidden || output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clone_that_is_run_counts_not_the_one_that_was_built() {
        let dir = |name: &str| package_dir(Some(name.into()), Some("/elsewhere/x".into()));
        assert_eq!(dir("xtask"), Path::new("/elsewhere/x"));
        assert_eq!(dir("converge"), Path::new(env!("CARGO_MANIFEST_DIR")));
        assert_eq!(
            package_dir(None, None),
            Path::new(env!("CARGO_MANIFEST_DIR"))
        );
    }

    #[test]
    fn nested_cargo_does_not_see_which_package_runs() {
        // Set by cargo for this test.
        assert!(env::var_os("CARGO_PKG_NAME").is_some());
        let command = cargo();
        let removed: Vec<_> = command
            .get_envs()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        assert!(removed.contains(&("CARGO_PKG_NAME".into(), None)));
        assert!(removed.contains(&("CARGO_MANIFEST_DIR".into(), None)));
    }
}
