//! Where this workspace lies and how its cargo is called.
//!
//! It knows nothing about what is built.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The folder of the workspace's root manifest.
///
/// Taken from the compiler, not from the environment: inside a test the variable
/// `CARGO_MANIFEST_DIR` names the tested package.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in a folder of the workspace")
}

/// The cargo that started us, so that nested calls use the same toolchain.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
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
