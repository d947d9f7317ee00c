//! The Docker engine and its Compose tool, as found on this machine.
//!
//! It knows how to call them and why they cannot be called, not what for.

use std::{
    env, fs,
    io::{self, ErrorKind},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    failure::{BLOCKED, Failure},
    ticker::Ticker,
};

/// An engine on this machine answers at once; one that was woken takes some seconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at the client: short against the time that it takes itself.
const POLL: Duration = Duration::from_millis(10);

/// An engine that answers, with Compose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Engine {
    compose: Compose,
}

/// How Compose is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compose {
    /// `docker compose`, a plugin of the client.
    Plugin,
    /// `docker-compose`, a program of its own.
    Program,
}

/// Why containers cannot be used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    NoClient,
    NoCompose,
    NotRunning,
    NoPermission,
    /// What the client said, where it is none of these.
    Other(String),
}

impl Absence {
    /// Read from what `docker version` says on stderr.
    fn read(said: &str) -> Absence {
        let lower = said.to_lowercase();
        if lower.contains("permission denied") {
            Absence::NoPermission
        } else if lower.contains("cannot connect")
            || lower.contains("connection refused")
            || lower.contains("no such file")
            || lower.contains("failed to connect")
        {
            Absence::NotRunning
        } else {
            let line = said.lines().find(|line| !line.trim().is_empty());
            Absence::Other(line.unwrap_or("it said nothing").trim().to_owned())
        }
    }

    /// One line that says what is missing.
    pub(crate) fn reason(&self) -> String {
        match self {
            Absence::NoClient => "docker is not installed".to_owned(),
            Absence::NoCompose => {
                "neither `docker compose` nor `docker-compose` is installed".to_owned()
            }
            Absence::NotRunning => "the Docker engine is not running".to_owned(),
            Absence::NoPermission => {
                "this user may not use the socket of the Docker engine".to_owned()
            }
            Absence::Other(said) => format!("the Docker engine does not answer: {said}"),
        }
    }

    /// The failure of a command that needs containers; `without` says how to go on without.
    pub(crate) fn failure(&self, without: &str) -> Failure {
        let hint = match self {
            Absence::NoClient => {
                "install Docker, on Debian: apt-get install docker.io docker-compose"
            }
            Absence::NoCompose => "install Compose, on Debian: apt-get install docker-compose",
            Absence::NotRunning => "start it: sudo systemctl start docker",
            Absence::NoPermission => {
                "sudo usermod --append --groups docker $USER, then log in again"
            }
            Absence::Other(_) => "try `docker version`",
        };
        Failure::new(BLOCKED, self.reason()).hint(format!("{hint}\n{without}"))
    }
}

impl Engine {
    /// One that nobody has looked for.
    #[cfg(test)]
    pub(super) fn assumed() -> Engine {
        Engine {
            compose: Compose::Plugin,
        }
    }

    /// The engine, or why there is none.
    pub(crate) fn find() -> Result<Engine, Absence> {
        let answer = Command::new("docker")
            .args(["version", "--format", "{{.Server.Version}}"])
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .and_then(answer_within);
        match answer {
            Ok(output) if output.status.success() => {}
            Ok(output) => return Err(Absence::read(&String::from_utf8_lossy(&output.stderr))),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Absence::NoClient),
            Err(error) => return Err(Absence::Other(error.to_string())),
        }
        let candidates = [Compose::Plugin, Compose::Program];
        let compose = candidates.into_iter().find(|compose| compose.answers());
        compose
            .map(|compose| Engine { compose })
            .ok_or(Absence::NoCompose)
    }

    /// Why this engine's ports and folders are not those of this machine, if so.
    pub(crate) fn is_elsewhere(self) -> Option<String> {
        // In a container, the engine may be that of the machine around it.
        if Path::new("/.dockerenv").exists() {
            let own = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let engine = self.ask(&["info", "--format", "{{.Name}}"])?;
            if engine != own.trim() {
                return Some(format!(
                    "this is a container, and the engine is outside, on {engine}"
                ));
            }
        }
        let format = "{{.Endpoints.docker.Host}}";
        let host = self.ask(&["context", "inspect", "--format", format])?;
        let is_local = host.starts_with("unix://") || host.starts_with("npipe://");
        (!is_local).then(|| format!("the Docker engine is on another machine, {host}"))
    }

    /// `docker` with these words.
    pub(crate) fn docker(self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(words);
        command
    }

    /// Compose, without the user's own settings for other projects.
    pub(crate) fn compose(self) -> Command {
        let mut command = self.compose.command();
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"COMPOSE_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// What `docker` prints with these words; nothing where it fails.
    pub(crate) fn ask(self, words: &[&str]) -> Option<String> {
        let output = self.docker(words).stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    }

    /// Runs a command silently; what it said is in the error when it fails.
    pub(crate) fn run(self, mut command: Command, what: &str) -> Result<()> {
        let _ticker = Ticker::start(format!("db: running {what}"));
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        if !status.success() {
            let said = [stdout, stderr].concat();
            bail!("{what} failed: {}", String::from_utf8_lossy(&said).trim());
        }
        Ok(())
    }
}

/// Waits for a client that may talk to an engine far away, or to nobody.
fn answer_within(mut client: Child) -> io::Result<Output> {
    let start = Instant::now();
    while client.try_wait()?.is_none() {
        if start.elapsed() > PATIENCE {
            client.kill()?;
            client.wait()?;
            let seconds = PATIENCE.as_secs();
            return Err(io::Error::other(format!("no answer within {seconds} s")));
        }
        thread::sleep(POLL);
    }
    client.wait_with_output()
}

impl Compose {
    fn command(self) -> Command {
        match self {
            Compose::Plugin => {
                let mut command = Command::new("docker");
                command.arg("compose");
                command
            }
            Compose::Program => Command::new("docker-compose"),
        }
    }

    fn answers(self) -> bool {
        let mut command = self.command();
        command
            .arg("version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_says_is_told_apart() {
        let stopped = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
        let refused = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get \"http://%2Fvar%2Frun%2Fdocker.sock/v1.41/version\": dial unix /var/run/docker.sock: connect: permission denied";
        assert_eq!(Absence::read(stopped), Absence::NotRunning);
        assert_eq!(Absence::read(refused), Absence::NoPermission);
        assert_eq!(
            Absence::read("\nclient version is too new\n"),
            Absence::Other("client version is too new".to_owned())
        );
        let all = [
            Absence::NoClient,
            Absence::NoCompose,
            Absence::NotRunning,
            Absence::NoPermission,
            Absence::read("x"),
        ];
        let mut reasons: Vec<String> = all.iter().map(Absence::reason).collect();
        reasons.sort_unstable();
        reasons.dedup();
        assert_eq!(reasons.len(), all.len());
    }
}
