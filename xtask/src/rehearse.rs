//! `cargo xtask rehearse`: the main job on fixtures and local servers, from nothing.
//!
//! With `--config` the servers are the user's, and everything is converge's.

use std::{
    ffi::{OsStr, OsString},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::{
    db::{self, Set, Wanted, state::StateDir},
    failure::{Failure, USAGE},
    flags::Provider,
    passthrough::{self, Package},
    programs,
    ticker::Ticker,
    workspace,
};

/// The configuration of a rehearsal on fixtures: no address stands in it, whatever an
/// operator wrote into `alkemio.yml`. `tidy` holds the two against each other.
pub(crate) const CONFIG: &str = "fixtures/rehearse.yml";

/// Text that `converge rehearse` prints when it ends, however it ends.
const AFTERWORD_VARIABLE: &str = "CONVERGE_REHEARSE_AFTERWORD";

/// What all of it costs the first time, measured on two processors.
const FIRST_TIME: &str = "the first rehearsal takes about 5 minutes on two processors, \
    and 3 GB of disk; later ones take one minute";

const HELP: &str = "\
Without --config, `cargo xtask rehearse` starts local servers, loads the fixtures and rehearses on them:
  --scale N        size of the fixtures: 1 is about 20,000 rows [default: 1]
  --provider NAME  where the servers come from: auto, docker, native [default: auto]
All other options are those of converge:
";

/// Rehearses; `args` are the command's name and what was typed after it.
pub(crate) fn run(args: &[OsString]) -> Result<ExitCode> {
    let typed = Typed::read(args)?;
    if typed.help {
        eprintln!("{HELP}");
        return passthrough::become_program(Package::Converge, args);
    }
    if typed.config {
        return passthrough::become_program(Package::Converge, args);
    }
    on_fixtures(&typed)
}

/// What was typed, apart from what converge reads itself.
#[derive(Debug)]
struct Typed {
    scale: OsString,
    provider: Provider,
    config: bool,
    help: bool,
    yes: bool,
    rest: Vec<OsString>,
}

impl Typed {
    /// Takes our options out; clap cannot leave unknown ones where they are.
    fn read(args: &[OsString]) -> Result<Typed> {
        let mut typed = Typed {
            scale: "1".into(),
            provider: Provider::Auto,
            config: false,
            help: false,
            yes: false,
            rest: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let (name, joined) = split_value(arg);
            match name {
                "--scale" => typed.scale = value(name, joined, &mut args)?,
                "--provider" => typed.provider = provider(&value(name, joined, &mut args)?)?,
                _ => {
                    typed.config |= name == "--config";
                    typed.help |= ["--help", "-h"].contains(&name);
                    typed.yes |= name == "--yes";
                    typed.rest.push(arg.clone());
                }
            }
        }
        Ok(typed)
    }
}

fn split_value(arg: &OsStr) -> (&str, Option<&str>) {
    let text = arg.to_str().unwrap_or_default();
    match text.split_once('=') {
        Some((name, value)) if name.starts_with("--") => (name, Some(value)),
        _ => (text, None),
    }
}

fn value<'a>(
    name: &str,
    joined: Option<&str>,
    args: &mut impl Iterator<Item = &'a OsString>,
) -> Result<OsString> {
    let value = joined.map(Into::into).or_else(|| args.next().cloned());
    value.ok_or_else(|| Failure::new(USAGE, format!("a value is required for `{name}`")).into())
}

fn provider(name: &OsStr) -> Result<Provider> {
    Provider::named(name).ok_or_else(|| {
        let message = format!("`--provider` does not know `{}`", name.display());
        Failure::new(USAGE, message)
            .hint("auto, docker, native")
            .into()
    })
}

fn on_fixtures(typed: &Typed) -> Result<ExitCode> {
    if !programs::is_built() {
        step(FIRST_TIME);
    }
    let state = StateDir::locate(None)?;
    step("looking for servers");
    let wanted = Wanted::default();
    let provider = db::prepare(&state, typed.provider, &wanted, typed.yes)?;
    programs::build()?;
    step("starting servers");
    let set = db::up(&state, provider, &wanted, typed.yes)?;
    if let Some(failed) = fill(typed, &state)? {
        eprintln!("{}", afterword(&set));
        return Ok(failed);
    }
    step("rehearsing");
    let mut args = typed.rest.clone();
    args.extend(["--config".into(), workspace::root().join(CONFIG).into()]);
    let mut command = passthrough::command(Package::Converge, &args);
    use_only_local_servers(&mut command, &state)?;
    // The last word is that of the program that we become.
    command.env(AFTERWORD_VARIABLE, afterword(&set));
    passthrough::exec(command)
}

/// Loads the fixtures and makes the target's schemas; the exit code of what failed.
fn fill(typed: &Typed, state: &StateDir) -> Result<Option<ExitCode>> {
    let scale = typed.scale.as_os_str();
    let load = ["fixtures", "load", "--scale"].map(OsStr::new);
    let targets = ["fixtures", "targets"].map(OsStr::new);
    for (words, args) in [
        (
            format!("loading fixtures at scale {}", scale.display()),
            [&load[..], &[scale]].concat(),
        ),
        ("making the target's schemas".to_owned(), targets.to_vec()),
    ] {
        step(&words);
        let _ticker = Ticker::start(format!("rehearse: {words}"));
        if let Some(failed) = failed(devtool(state, &args)?)? {
            return Ok(Some(failed));
        }
    }
    Ok(None)
}

/// What is left when a rehearsal ends, and the command against it.
fn afterword(set: &Set) -> String {
    let record = &set.record;
    format!(
        "note: two servers keep running: {} on 127.0.0.1:{} and {} on 127.0.0.1:{}\n\
         hint: `cargo xtask db down --volumes` stops them and removes their data",
        record.mysql_version, record.mysql_port, record.postgres_version, record.postgres_port
    )
}

fn devtool(state: &StateDir, args: &[&OsStr]) -> Result<Command> {
    let args: Vec<OsString> = args.iter().map(Into::into).collect();
    let mut command = passthrough::command(Package::Devtool, &args);
    use_only_local_servers(&mut command, state)?;
    Ok(command)
}

/// Sets the URLs of the local servers over whatever the user has set: what comes now
/// destroys data.
fn use_only_local_servers(command: &mut Command, state: &StateDir) -> Result<()> {
    command
        .env("CONVERGE_DB_STATE", state.path())
        .envs(state.published()?);
    Ok(())
}

/// Runs a child; its exit code when it failed.
fn failed(mut command: Command) -> Result<Option<ExitCode>> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if status.success() {
        return Ok(None);
    }
    // A child that a signal ended has no code.
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(Some(ExitCode::from(code)))
}

fn step(what: &str) {
    eprintln!("rehearse: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Typed> {
        let args: Vec<OsString> = args.iter().map(Into::into).collect();
        Typed::read(&args)
    }

    #[test]
    fn own_options_are_taken_out() {
        let typed = read(&[
            "rehearse",
            "--jobs",
            "2",
            "--scale=20",
            "--provider",
            "native",
            "--yes",
        ])
        .unwrap();
        assert_eq!(typed.scale, "20");
        assert_eq!(typed.provider, Provider::Native);
        assert_eq!(typed.rest, ["rehearse", "--jobs", "2", "--yes"]);
        assert!(typed.yes && !typed.config && !typed.help);
    }

    #[test]
    fn config_is_seen_in_both_spellings() {
        assert!(read(&["rehearse", "--config", "x.yml"]).unwrap().config);
        assert!(read(&["rehearse", "--config=x.yml"]).unwrap().config);
    }

    #[test]
    fn a_missing_value_is_an_error() {
        let error = read(&["rehearse", "--scale"]).unwrap_err().to_string();
        assert_eq!(error, "a value is required for `--scale`");
        assert!(read(&["rehearse", "--provider", "podman"]).is_err());
    }
}
