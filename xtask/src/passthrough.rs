//! Becomes another program of this workspace, so that arguments, signals, terminal and exit code are its own.
//!
//! It does not change the arguments, and looks at them for `--config` alone.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::{
    db::state::{StateDir, URL_VARIABLES},
    programs, workspace,
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
    programs::build()?;
    let mut command = command(package, args);
    match package {
        Package::Converge => use_local_servers(&mut command, args, &state),
        // It takes addresses from the state directory alone.
        Package::Devtool => {
            command.env("CONVERGE_DB_STATE", state.path());
        }
    }
    exec(command)
}

/// `cargo run` of `package`, which was built, in the caller's working directory.
pub(crate) fn command(package: Package, args: &[OsString]) -> Command {
    let mut command = workspace::cargo();
    command
        .args(["run", "--quiet", "--release", "--manifest-path"])
        .arg(workspace::root().join("Cargo.toml"))
        .args(["-p", package.name(), "--"])
        .args(args)
        // What its hints say to type.
        .env("CONVERGE_CALLED_AS", "cargo xtask");
    command
}

/// Replaces this process; returns only when that failed.
pub(crate) fn exec(mut command: Command) -> Result<ExitCode> {
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// Points the configuration's variables to the servers of `db up`, where these are up
/// and the user said nothing about databases.
///
/// All or none: with one address of the user's and one of ours, half of a production
/// move would go to a local server.
fn use_local_servers(command: &mut Command, args: &[OsString], state: &StateDir) {
    if names_databases(args, |name| std::env::var_os(name).is_some()) {
        return;
    }
    let Some(mut env) = state.env_of_running_servers() else {
        return;
    };
    env.retain(|(name, _)| URL_VARIABLES.contains(&name.as_str()));
    if env.len() == URL_VARIABLES.len() {
        eprintln!(
            "xtask: local servers are up; set {}",
            URL_VARIABLES.join(", ")
        );
        command.envs(env);
    }
}

/// Whether the user chose a configuration, or has set one of its variables, be it to
/// nothing, in either of its forms.
fn names_databases(args: &[OsString], is_set: impl Fn(&str) -> bool) -> bool {
    let config = args
        .iter()
        .any(|arg| arg == "--config" || arg.as_encoded_bytes().starts_with(b"--config="));
    config
        || URL_VARIABLES
            .iter()
            .any(|name| is_set(name) || is_set(&format!("{name}_FILE")))
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

    #[test]
    fn one_address_or_a_configuration_of_the_user_is_enough() {
        let chosen = |args: &[&str], set: &str| {
            let args: Vec<OsString> = args.iter().map(Into::into).collect();
            names_databases(&args, |name| name == set)
        };
        assert!(!chosen(&["migrate", "--jobs", "2"], "PATH"));
        assert!(!chosen(
            &["migrate", "--configure"],
            "ALKEMIO_MYSQL_URL_FILES"
        ));
        for name in URL_VARIABLES {
            assert!(chosen(&["migrate"], name), "{name}");
            assert!(chosen(&["migrate"], &format!("{name}_FILE")), "{name}");
        }
        assert!(chosen(&["migrate", "--config", "mine.yml"], ""));
        assert!(chosen(&["migrate", "--config=mine.yml"], ""));
    }
}
