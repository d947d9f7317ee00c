//! Server processes that outlive this one: starting them detached, finding them again, stopping them.
//!
//! A process is found only by its pid file, and only when its command line names the
//! data directory that the pid file belongs to: a pid alone may have been given to
//! somebody else's process since.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::account::{Account, run_as};

/// How often a wait looks again: short against the second that a server takes.
pub(crate) const POLL: Duration = Duration::from_millis(50);

/// Lines of a server's log that are shown when it fails: MariaDB's installer says why
/// at the start, and 40 lines of advice after it.
pub(crate) const LOG_LINES: usize = 60;

/// Writes its pid to stdout and becomes the program in its arguments.
const LAUNCHER: &str = "echo $$ && exec \"$@\" >&2 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-";

/// A server process to be started.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) program: &'a Path,
    pub(crate) data: PathBuf,
    /// One of them names the data directory.
    pub(crate) args: Vec<OsString>,
    pub(crate) account: Option<Account>,
    pub(crate) pid_file: PathBuf,
    pub(crate) log: PathBuf,
}

impl Launch<'_> {
    /// Starts the server in a session of its own, so that neither Ctrl-C nor the end
    /// of the terminal reaches it, and with no pipe of ours.
    pub(crate) fn start(self) -> Result<Child> {
        let create = |path: &Path| {
            File::create(path).with_context(|| format!("cannot write {}", path.display()))
        };
        let (pid_file, log) = (create(&self.pid_file)?, create(&self.log)?);
        let mut command = Command::new("setsid");
        // The shell writes the pid before it becomes the server: were we killed in
        // between, the pid file would still name the process. It also closes what the
        // caller's caller may have left open, or that would wait for the server's end.
        command
            .args(["sh", "-c", LAUNCHER, "sh"])
            .arg(self.program)
            .args(self.args)
            .stdin(Stdio::null())
            .stdout(pid_file)
            .stderr(log)
            .current_dir(self.data);
        forget_client_variables(&mut command);
        run_as(&mut command, self.account);
        command
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))
    }
}

/// Runs a program of a server with its output in the server's log, of which the end is
/// shown when the program fails.
pub(crate) fn run_logged(mut command: Command, log: &Path) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command
        .stdin(Stdio::null())
        .stderr(file.try_clone()?)
        .stdout(file);
    let status = command
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!(
            "{name} failed ({status}); the end of {}:\n{}",
            log.display(),
            tail(log, LOG_LINES)
        );
    }
    Ok(())
}

/// Removes the variables by which users set defaults of the servers' clients: they
/// would send us to another server.
pub(crate) fn forget_client_variables(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let bytes = name.as_bytes();
        if bytes.starts_with(b"PG")
            || bytes.starts_with(b"MYSQL_")
            || bytes.starts_with(b"MARIADB_")
        {
            command.env_remove(name);
        }
    }
}

/// The pid in the pid file, if it is that of a process on this data directory.
pub(crate) fn running(pid_file: &Path, data: &Path) -> Option<u32> {
    let pid = fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
    serves(pid, data).then_some(pid)
}

/// Asks the process to stop by each of the signals in turn, and waits until it is gone.
///
/// # Errors
/// When it is still there after the last signal's time.
pub(crate) fn stop(pid: u32, data: &Path, signals: &[(&str, Duration)]) -> Result<()> {
    for (signal, patience) in signals {
        if !serves(pid, data) {
            return Ok(());
        }
        send(pid, signal)?;
        let start = Instant::now();
        while start.elapsed() < *patience {
            if !serves(pid, data) {
                return Ok(());
            }
            thread::sleep(POLL);
        }
    }
    bail!("process {pid} on {} does not stop", data.display())
}

/// Waits until no process works in the directory: the children of a killed server live
/// a moment longer than it, and hold its locks.
pub(crate) fn wait_until_unused(data: &Path) -> Result<()> {
    let start = Instant::now();
    while is_working_directory(data) {
        if start.elapsed() > Duration::from_secs(30) {
            bail!(
                "a process that was not started from here uses {}",
                data.display()
            );
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// Processes on this data directory, however they were started.
pub(crate) fn serving(data: &Path) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    pids.filter(|pid| serves(*pid, data)).collect()
}

/// Whether the process ended, but its parent has not noticed.
pub(crate) fn is_zombie(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name, which may hold anything, stands in parentheses before.
    stat.rsplit_once(") ")
        .is_some_and(|(_, state)| state.starts_with('Z'))
}

/// The last lines of a text file; nothing where it cannot be read.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Whether the process exists and one of its arguments names the data directory.
///
/// A process that ended but was not waited for has an empty command line.
fn serves(pid: u32, data: &Path) -> bool {
    let Ok(command_line) = fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    let data = data.as_os_str().as_bytes();
    let names_data = |arg: &[u8]| arg == data || arg.strip_prefix(b"--datadir=") == Some(data);
    command_line.split(|byte| *byte == 0).any(names_data)
}

/// Whether it is the working directory of a process, as every server's data directory is.
fn is_working_directory(dir: &Path) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut directories =
        processes.filter_map(|process| fs::read_link(process.path().join("cwd")).ok());
    directories.any(|found| found == dir)
}

/// Sends a signal through the shell's own `kill`: a small system may lack the
/// program, and the system call would need unsafe code.
fn send(pid: u32, signal: &str) -> Result<()> {
    let status = Command::new("sh")
        .args([
            "-c",
            "kill -s \"$1\" \"$2\"",
            "sh",
            signal,
            &pid.to_string(),
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("cannot run sh")?;
    // A process that ended in the meantime is what was wanted.
    if !status.success() && Path::new(&format!("/proc/{pid}")).exists() {
        bail!("cannot send signal {signal} to process {pid}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_of_another_process_is_not_ours() {
        let pid = std::process::id();
        assert!(!serves(pid, Path::new("/nonexistent/data")));
        let program = env::args_os().next().unwrap();
        assert!(serves(pid, Path::new(&program)));
    }

    #[test]
    fn an_ended_child_is_a_zombie_until_waited_for() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        let start = Instant::now();
        while !is_zombie(pid) && start.elapsed() < Duration::from_secs(10) {
            thread::sleep(POLL);
        }
        assert!(is_zombie(pid));
        child.wait().unwrap();
        assert!(!is_zombie(pid) && !is_zombie(std::process::id()));
    }

    #[test]
    fn own_working_directory_is_in_use() {
        assert!(is_working_directory(&env::current_dir().unwrap()));
        assert!(!is_working_directory(Path::new("/nonexistent/data")));
    }

    #[test]
    fn tail_of_a_missing_file_is_empty() {
        assert_eq!(tail(Path::new("/nonexistent/log"), 3), "");
    }
}
