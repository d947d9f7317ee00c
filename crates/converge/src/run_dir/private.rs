//! Whether a run directory is this account's alone: what others can write is not read, and is not
//! written to.
//!
//! All below it is looked at once, when it is opened. That is enough: it holds plain files and
//! directories alone, and only their owner can change them from then on. An account that can write
//! to a directory above can put another one in its place, so that others must not.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::call::shell_word;
use crate::exit::Failure;

const GROUP_OR_OTHERS_WRITE: u32 = 0o022;
const OTHERS_WRITE: u32 = 0o002;
/// In such a directory, only the owner of a file can rename it.
const STICKY: u32 = 0o1000;

/// Fails where the directory, or anything below it, is of another account, can be written by
/// another one, or is neither a file nor a directory.
pub(super) fn check(directory: &Path) -> Result<(), Failure> {
    check_as(directory, rustix::process::geteuid().as_raw())
}

fn check_as(directory: &Path, uid: u32) -> Result<(), Failure> {
    check_above(directory, uid)?;
    // Behind a slash, a link would be followed.
    let directory: PathBuf = directory.components().collect();
    let metadata = fs::symlink_metadata(&directory).map_err(|e| unreadable(&directory, &e))?;
    check_one(&directory, &directory, &metadata, uid)?;
    let mut left = match metadata.is_dir() {
        true => vec![directory.clone()],
        false => Vec::new(),
    };
    while let Some(inner) = left.pop() {
        let entries = fs::read_dir(&inner).map_err(|e| unreadable(&inner, &e))?;
        for entry in entries {
            let path = entry.map_err(|e| unreadable(&inner, &e))?.path();
            let metadata = match fs::symlink_metadata(&path) {
                // Another command of ours is at work there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata.map_err(|e| unreadable(&path, &e))?,
            };
            check_one(&directory, &path, &metadata, uid)?;
            if metadata.is_dir() {
                left.push(path);
            }
        }
    }
    Ok(())
}

/// Fails if another account can put something else in the place of the directory, by what it may
/// do in the directories above: all of them, since renaming one of them is enough.
///
/// A directory above that belongs to another account, which only that account can write to, is one
/// that the operator has chosen to work in.
fn check_above(directory: &Path, uid: u32) -> Result<(), Failure> {
    let absolute = std::path::absolute(directory).map_err(|e| unreadable(directory, &e))?;
    let above: Vec<&Path> = absolute.ancestors().skip(1).collect();
    for place in above.into_iter().rev() {
        let Ok(metadata) = fs::symlink_metadata(place) else {
            // What is not there yet is made by this account.
            return Ok(());
        };
        let is_trusted = |metadata: &Metadata| [0, uid].contains(&metadata.uid());
        if metadata.is_symlink() && !is_trusted(&metadata) {
            return Err(exchangeable(
                directory,
                place,
                "it is a link of another account",
            ));
        }
        let metadata = fs::metadata(place).map_err(|e| unreadable(place, &e))?;
        if metadata.mode() & OTHERS_WRITE == 0 {
            continue;
        }
        if metadata.mode() & STICKY == 0 {
            return Err(exchangeable(
                directory,
                place,
                "all accounts can write to it",
            ));
        }
        if !is_trusted(&metadata) {
            return Err(exchangeable(
                directory,
                place,
                "it belongs to another account",
            ));
        }
    }
    Ok(())
}

fn exchangeable(directory: &Path, place: &Path, why: &str) -> Failure {
    let message = format!(
        "other accounts can put something else in the place of {}: {}, and {why}",
        directory.display(),
        place.display()
    );
    let command = format!("chmod o-w {}", shell_word(&place.display().to_string()));
    Failure::blocked(message).hint(format!(
        "work in a directory of your own, or, where it is yours: {command}"
    ))
}

fn check_one(run: &Path, path: &Path, metadata: &Metadata, uid: u32) -> Result<(), Failure> {
    let shown = path.display();
    let directory = shell_word(&run.display().to_string());
    if metadata.uid() != uid {
        let message = format!(
            "{shown} belongs to another account (uid {}, and this is uid {uid})",
            metadata.uid()
        );
        let sudo = if uid == 0 { "" } else { "sudo " };
        return Err(Failure::blocked(message).hint(format!(
            "run this as that account, or make the run your own where you trust what it holds: \
             {sudo}chown -hR {uid} {directory}"
        )));
    }
    if !metadata.is_file() && !metadata.is_dir() {
        let message = format!(
            "{shown} is {}, and a run has files and directories alone",
            kind(metadata)
        );
        return Err(Failure::blocked(message).hint(
            "take it away, and put in its place what it stands for, or name another run with --run",
        ));
    }
    if metadata.mode() & GROUP_OR_OTHERS_WRITE != 0 {
        let message = format!(
            "other accounts can write to {shown} (its mode is {:o})",
            metadata.mode() & 0o7777
        );
        return Err(Failure::blocked(message).hint(format!(
            "take that away where you trust what it holds: chmod -R go-w {directory}"
        )));
    }
    Ok(())
}

fn kind(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        "a link"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::blocked(format!("{}: {error}", path.display()))
        .hint("a run that cannot be read as a whole is not used: name another one with --run")
}

#[cfg(test)]
mod tests;
