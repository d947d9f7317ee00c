//! Becomes another program of this workspace, so that arguments, signals, terminal and exit code are its own.
//!
//! It does not look at the arguments.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::{
    db::state::{StateDir, URL_VARIABLES},
    workspace,
};

/// A program of this workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Package {
    /// Moves the data.
    Converge,
    /// Fixtures, generated files, benchmarks.
    Devtool,
}

impl Package {
    /// Its name for `cargo -p`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Package::Converge => "converge",
            Package::Devtool => "devtool",
        }
    }
}

/// Replaces this process by `package`, built first where needed.
///
/// Returns only when that could not be done.
pub(crate) fn become_program(package: Package, args: &[OsString]) -> Result<ExitCode> {
    let state = StateDir::locate(None)?;
    let mut command = command(package, args);
    use_local_servers(&mut command, &state);
    exec(command)
}

/// `cargo run` of `package`, in the caller's working directory.
pub(crate) fn command(package: Package, args: &[OsString]) -> Command {
    let mut command = workspace::cargo();
    command
        .args(["run", "--quiet", "--release", "--manifest-path"])
        .arg(workspace::root().join("Cargo.toml"))
        .args(["-p", package.name(), "--"])
        .args(args);
    command
}

/// The build that `cargo run` would do, but with its progress shown.
pub(crate) fn build(package: Package) -> Command {
    let mut command = workspace::cargo();
    command
        .args(["build", "--release", "--manifest-path"])
        .arg(workspace::root().join("Cargo.toml"))
        .args(["-p", package.name()]);
    command
}

/// Replaces this process; returns only when that failed.
pub(crate) fn exec(mut command: Command) -> Result<ExitCode> {
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// Points the configuration's variables to the servers of `db up`, where these are
/// up and the user has not set the variable.
fn use_local_servers(command: &mut Command, state: &StateDir) {
    if std::env::var_os("CONVERGE_DB_STATE").is_none() {
        command.env("CONVERGE_DB_STATE", state.path());
    }
    let Some(env) = state.env_of_running_servers() else {
        return;
    };
    let mut used = Vec::new();
    for (name, value) in env {
        if URL_VARIABLES.contains(&name.as_str()) && std::env::var_os(&name).is_none() {
            command.env(&name, value);
            used.push(name);
        }
    }
    if !used.is_empty() {
        eprintln!("xtask: local servers are up; set {}", used.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stay_as_typed() {
        let typed: Vec<OsString> = ["export", "--", "--help", "a b"].map(Into::into).into();
        let command = command(Package::Converge, &typed);
        let args: Vec<_> = command.get_args().collect();
        let separator = args.iter().position(|arg| *arg == "--").unwrap();
        assert_eq!(args[separator + 1..], typed[..]);
        assert_eq!(args[separator - 1], "converge");
        assert_eq!(command.get_current_dir(), None);
    }
}
