//! A child process measured: time, processor time, and the most memory that it held.
//!
//! One at a time: the kernel sums the processor time of all children.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::processor::{ProcessorTime, kilobytes_field};

/// How often the memory is read. The kernel keeps the high-water mark, so that only what
/// was added in the last moment before the end can be missed.
const POLL: Duration = Duration::from_millis(5);
/// Longer than any /proc/PID/status.
const STATUS_BYTES: usize = 8192;

/// What a child used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) status: ExitStatus,
    pub(crate) seconds: f64,
    pub(crate) processor: ProcessorTime,
    pub(crate) peak_memory_bytes: u64,
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result<Used> {
    let before = ProcessorTime::of_children()?;
    let started = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let path = format!("/proc/{}/status", child.id());
    let memory = File::open(&path).with_context(|| format!("cannot read {path}"))?;
    let watch = thread::spawn(move || peak_memory(&memory));
    let status = child.wait().context("cannot wait for a child")?;
    let seconds = started.elapsed().as_secs_f64();
    let processor = ProcessorTime::of_children()?.since(before);
    let peak_memory_bytes = watch.join().expect("reading a file does not panic");
    Ok(Used {
        status,
        seconds,
        processor,
        peak_memory_bytes,
    })
}

/// Reads the high-water mark of a process until it ends.
///
/// The maximum that the kernel reports to a waiting parent will not do: it begins with the
/// parent's own, because the child was a copy of it before it became another program.
/// The open file belongs to the process, so that another one with its pid is never read.
fn peak_memory(status: &File) -> u64 {
    let mut peak = 0;
    let mut buffer = [0; STATUS_BYTES];
    loop {
        // First of all, so that the child has become the other program when it is read.
        thread::sleep(POLL);
        let bytes = status.read_at(&mut buffer, 0).unwrap_or(0);
        let text = String::from_utf8_lossy(&buffer[..bytes]);
        // A process that has ended has no memory and no such line.
        match kilobytes_field(&text, "VmHWM") {
            Some(mark) => peak = peak.max(mark),
            None => return peak,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEBIBYTE: u64 = 1 << 20;

    fn shell(script: &str) -> Used {
        run(Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn peaks_of_children_do_not_hide_each_other() {
        // A shell variable of 64 MiB, kept a moment longer than it takes to be seen.
        let large = shell("x=$(head -c 67108864 /dev/zero | tr '\\0' x); sleep 0.1");
        let small = shell("sleep 0.1");
        assert!(large.status.success() && small.status.success());
        assert!(large.peak_memory_bytes > 64 * MEBIBYTE, "{large:?}");
        assert!(small.peak_memory_bytes < 16 * MEBIBYTE, "{small:?}");
        assert!(small.peak_memory_bytes > 0, "{small:?}");
    }

    #[test]
    fn the_exit_code_and_the_time_are_those_of_the_child() {
        let used = shell("sleep 0.2; exit 3");
        assert_eq!(used.status.code(), Some(3));
        assert!((0.2..60.0).contains(&used.seconds), "{used:?}");
    }
}
