//! Servers that end with the command that wanted them, however that command ends.
//!
//! The guard is a second process of this program that waits on a pipe: it ends when the
//! command closes it or dies, by Ctrl-C or worse, and then takes the servers away.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{
    native::{self, Set},
    origin::Wanted,
    process,
    state::StateDir,
};

/// Holds the servers of a state directory; see [`Guard::finish`].
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    state: StateDir,
    /// Keeps a second command of this kind waiting.
    _lock: File,
}

impl Guard {
    /// Starts the guard, then servers with empty databases.
    pub(crate) fn up(state: &StateDir, wanted: &Wanted) -> Result<(Guard, Set)> {
        let lock = state.lock("guard.lock")?;
        let path = state.log("guard");
        let log =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let child = Command::new("/proc/self/exe")
            .args(["db", "guard", "--state-dir"])
            .arg(state.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            // Away from the terminal's Ctrl-C.
            .process_group(0)
            .spawn()
            .context("cannot start a guard for the servers")?;
        let guard = Guard {
            child,
            state: state.clone(),
            _lock: lock,
        };
        let set = native::reset(state, wanted, false)?;
        Ok((guard, set))
    }

    /// Takes the servers and their data away.
    pub(crate) fn finish(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self
            .child
            .wait()
            .context("cannot wait for the servers' guard")?;
        if !status.success() {
            let log = self.state.log("guard");
            bail!("cannot take the servers away:\n{}", process::tail(&log, 20));
        }
        Ok(())
    }
}

/// The guard's own process.
pub(crate) fn run(state: &StateDir) -> Result<()> {
    io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink())
        .context("cannot wait for the end of a command")?;
    super::down(state, true)
}
