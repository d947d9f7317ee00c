//! Processor time of this process, its children and the two servers, and the fields of /proc.
//!
//! Linux only, as are the local servers. It reads; it starts and ends nothing.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use serde::Serialize;

/// Ticks in a second in /proc: 100 on every Linux, whatever the kernel's own clock does.
const TICKS_PER_SECOND: f64 = 100.0;
/// A session that ends between two readings makes them disagree; ten in a row do not.
const READINGS: usize = 10;

/// Processor time in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct ProcessorTime {
    pub(crate) user_seconds: f64,
    pub(crate) system_seconds: f64,
}

impl ProcessorTime {
    /// What this process has used.
    pub(crate) fn own() -> Result<Self> {
        Self::of(UsageWho::RUSAGE_SELF)
    }

    /// What the children have used that this process has waited for.
    pub(crate) fn of_children() -> Result<Self> {
        Self::of(UsageWho::RUSAGE_CHILDREN)
    }

    fn of(who: UsageWho) -> Result<Self> {
        let usage = getrusage(who).context("cannot read the processor time")?;
        Ok(Self {
            user_seconds: seconds(usage.user_time()),
            system_seconds: seconds(usage.system_time()),
        })
    }

    /// What was used since an earlier reading.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            user_seconds: self.user_seconds - before.user_seconds,
            system_seconds: self.system_seconds - before.system_seconds,
        }
    }

    /// Together with another one.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            user_seconds: self.user_seconds + other.user_seconds,
            system_seconds: self.system_seconds + other.system_seconds,
        }
    }

    /// In all.
    pub(crate) fn seconds(self) -> f64 {
        self.user_seconds + self.system_seconds
    }
}

fn seconds(time: TimeVal) -> f64 {
    time.num_microseconds() as f64 / 1e6
}

/// The first processes of the two servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Servers {
    source: u32,
    target: u32,
}

/// Processor time of the servers, in ticks since they were started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerTicks {
    source: u64,
    target: u64,
}

impl Servers {
    /// Finds them by the pid files beside their data directories.
    pub(crate) fn find(home: &Path) -> Result<Self> {
        Ok(Self {
            source: pid(home, "mysql")?,
            target: pid(home, "postgres")?,
        })
    }

    /// What both have used since they were started.
    pub(crate) fn ticks(self) -> Result<ServerTicks> {
        Ok(ServerTicks {
            source: tree_ticks(self.source)?,
            target: tree_ticks(self.target)?,
        })
    }
}

impl ServerTicks {
    /// Seconds of the source and of the target since an earlier reading.
    pub(crate) fn seconds_since(self, before: Self) -> (f64, f64) {
        let seconds = |now: u64, then: u64| now.saturating_sub(then) as f64 / TICKS_PER_SECOND;
        (
            seconds(self.source, before.source),
            seconds(self.target, before.target),
        )
    }
}

/// The pid in a server's pid file, if that process works on the data beside the file.
fn pid(home: &Path, server: &str) -> Result<u32> {
    let file = home.join(format!("{server}.pid"));
    let text = fs::read_to_string(&file)
        .with_context(|| format!("cannot read the pid file {}", file.display()))?;
    let pid: u32 = text
        .trim()
        .parse()
        .with_context(|| format!("{} holds no pid", file.display()))?;
    let data = home.join(server);
    let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let names_data = |argument: &[u8]| argument.ends_with(data.as_os_str().as_encoded_bytes());
    // A pid alone may have been given to somebody else's process since.
    if !command_line.split(|byte| *byte == 0).any(names_data) {
        bail!(
            "process {pid} is not the server on {}, so its processor time means nothing",
            data.display()
        );
    }
    Ok(pid)
}

/// Ticks of a process, of its ended children and of its living ones.
///
/// PostgreSQL has a process for each session: while it lives, its time is its own; when it
/// ends, it becomes the postmaster's. A session that ends in between would be counted twice
/// or not at all, so the postmaster is read before and after.
fn tree_ticks(pid: u32) -> Result<u64> {
    for _ in 0..READINGS {
        let before = read_stat(pid)?;
        let children: u64 = children_ticks(pid);
        let after = read_stat(pid)?;
        if before.ended_children == after.ended_children {
            return Ok(after.own + after.ended_children + children);
        }
    }
    bail!("the sessions of server process {pid} come and go too fast to be measured")
}

fn children_ticks(parent: u32) -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    // One that ends while we look has become the parent's, which the caller notices.
    pids.filter_map(|pid| read_stat(pid).ok())
        .filter(|stat| stat.parent == parent)
        .map(|stat| stat.own + stat.ended_children)
        .sum()
}

/// What is needed of /proc/PID/stat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// utime and stime, in ticks.
    own: u64,
    /// cutime and cstime: those of children that were waited for.
    ended_children: u64,
}

fn read_stat(pid: u32) -> Result<Stat> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read(&path).with_context(|| format!("cannot read {path}"))?;
    let text = String::from_utf8_lossy(&text);
    Stat::parse(&text).with_context(|| format!("{path} is not understood"))
}

impl Stat {
    /// Fields as numbered in proc(5): 4 is the parent, 14 to 17 are the times.
    fn parse(text: &str) -> Option<Self> {
        // The program's name, which may hold anything, ends with the last parenthesis.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            parent: u32::try_from(field(4)?).ok()?,
            own: field(14)? + field(15)?,
            ended_children: field(16)? + field(17)?,
        })
    }
}

/// A field of /proc/meminfo or /proc/PID/status that is given in kB, in bytes.
pub(crate) fn kilobytes_field(text: &str, name: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_program_is_called() {
        let times = "105 7 54 1931 20 0 1 0 197942 369684480 9809";
        for name in ["postgres", "a b", "a) S 9 (b", ") "] {
            let line =
                format!("19877 ({name}) S 12 19877 19877 0 -1 4194560 19474 1276216 0 5 {times}\n");
            let expected = Stat {
                parent: 12,
                own: 105 + 7,
                ended_children: 54 + 1931,
            };
            assert_eq!(Stat::parse(&line), Some(expected), "{name}");
        }
    }

    #[test]
    fn a_cut_stat_line_is_not_understood() {
        for line in [
            "",
            "1 (a) S 12 3",
            "1 a S 1 2 3",
            "1 (a) S x 1 1 0 -1 4 1 1 0 5 1 2 3 4",
        ] {
            assert_eq!(Stat::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_field_in_kilobytes_is_read_as_bytes() {
        let text = "Name:\tVmHWM: 5 kB\nVmHWM:\t    1234 kB\nThreads:\t3\n";
        assert_eq!(kilobytes_field(text, "VmHWM"), Some(1234 * 1024));
        assert_eq!(kilobytes_field(text, "Threads"), None);
        assert_eq!(kilobytes_field(text, "Vm"), None);
    }

    #[test]
    fn own_stat_agrees_with_getrusage_and_children_count_once_waited_for() {
        let before = ProcessorTime::of_children().unwrap();
        let status = Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"])
            .status()
            .unwrap();
        assert!(status.success());
        let used = ProcessorTime::of_children().unwrap().since(before);
        assert!(used.seconds() > 0.01, "{used:?}");
        let stat = read_stat(std::process::id()).unwrap();
        let ticks = stat.own as f64 / TICKS_PER_SECOND;
        let own = ProcessorTime::own().unwrap().seconds();
        assert!((own - ticks).abs() < 0.5, "{own} {ticks}");
        assert!(stat.ended_children as f64 / TICKS_PER_SECOND >= used.seconds() - 0.03);
    }

    #[test]
    fn a_pid_file_of_another_process_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("mysql.pid");
        fs::write(&file, format!("{}\n", std::process::id())).unwrap();
        let error = Servers::find(home.path()).unwrap_err().to_string();
        assert!(error.contains("is not the server on"), "{error}");
    }
}
