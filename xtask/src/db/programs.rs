//! Where installed programs are.
//!
//! It runs nothing.

use std::{env, fs, os::unix::fs::PermissionsExt, path::PathBuf};

/// Folders that hold servers but are often missing from an ordinary user's path.
const SERVER_FOLDERS: [&str; 5] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/usr/libexec",
];

/// The first folder of the search path decides; within a folder, the first name.
pub(crate) fn search(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(SERVER_FOLDERS.map(PathBuf::from));
    for folder in folders {
        for name in names {
            let program = folder.join(name);
            let metadata = fs::metadata(&program);
            if metadata.is_ok_and(|metadata| {
                metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
            }) {
                return Some(program);
            }
        }
    }
    None
}
