//! The programs of this workspace, built before they are started, where a user can see it.
//!
//! All of them are built by one command line, whoever wants one, so that nothing is built twice.

use std::{
    fs,
    io::{self, IsTerminal, Read, Write},
    process::{ChildStderr, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{
    failure::{Failure, UNEXPECTED},
    ticker::Ticker,
    workspace,
};

/// How long a build may take before it is mentioned: cargo finds within a fraction of a second
/// that there is nothing to do.
const UNMENTIONED_MAX: Duration = Duration::from_millis(1500);

/// What a first build costs, measured on two processors.
const FIRST_BUILD: &str = "about 4 minutes on two processors, and 1.5 GB of disk";

/// Builds converge and devtool, in the profile in which they are run, tested and shipped.
pub(crate) fn build() -> Result<()> {
    let mut command = workspace::cargo();
    command
        .args(["build", "--release", "--manifest-path"])
        .arg(workspace::root().join("Cargo.toml"))
        .args(["-p", "converge", "-p", "devtool"])
        .stdin(Stdio::null())
        // A data command's stdout is its own; what cargo says is on stderr.
        .stdout(Stdio::null());
    let is_first = !is_built();
    if is_first {
        eprintln!("xtask: building converge and devtool for the first time: {FIRST_BUILD}");
    }
    let status = if is_first && io::stderr().is_terminal() {
        command.status().context("cannot start cargo")?
    } else {
        watch(command, is_first)?
    };
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(
        UNEXPECTED,
        "cannot build converge and devtool; cargo says why above",
    )
    .into())
}

/// Whether there are programs of some earlier sources.
pub(crate) fn is_built() -> bool {
    fs::exists(workspace::target().join("release/converge")).unwrap_or_default()
}

/// Runs cargo, whose words are held back until it is clear that it has something to do.
fn watch(mut command: Command, mut shown: bool) -> Result<ExitStatus> {
    let start = Instant::now();
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let words = words_of(child.stderr.take().expect("stderr is piped"));
    let mut ticker = shown.then(|| Ticker::start("xtask: building"));
    let mut held = Vec::new();
    loop {
        let patience = UNMENTIONED_MAX.saturating_sub(start.elapsed());
        let word = match words.recv_timeout(if shown { Duration::MAX } else { patience }) {
            Ok(word) => word,
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        held.extend(word);
        if !shown && start.elapsed() >= UNMENTIONED_MAX {
            eprintln!("xtask: building converge and devtool, since sources changed");
            ticker = Some(Ticker::start("xtask: building"));
            shown = true;
        }
        if let Some(ticker) = &ticker {
            io::stderr().write_all(&held).context("cannot write")?;
            held.clear();
            ticker.spoke();
        }
    }
    let status = child.wait().context("cannot wait for cargo")?;
    if !status.success() {
        io::stderr().write_all(&held).context("cannot write")?;
    }
    Ok(status)
}

/// What a child says, as it says it.
fn words_of(mut stderr: ChildStderr) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stderr.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}
