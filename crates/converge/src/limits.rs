//! What this machine lets the process have: open files and memory.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::console::bytes_text;
use crate::exit::Failure;

/// Open files besides those of the workers: connections of the command itself, the run directory,
/// what the runtime of a driver needs for each connection.
const FILES: u64 = 64;
/// Files and sockets of a worker: a connection on each side with the runtime of its driver, the
/// files that it reads and writes.
const FILES_OF_A_WORKER: u64 = 16;
/// What a run takes at most: for the process, and four times the largest row for each worker.
const MEMORY: u64 = 256 << 20;

fn files_needed(workers: usize) -> u64 {
    FILES + FILES_OF_A_WORKER * workers as u64
}

/// Raises the limit of open files as far as the hard one allows; fails where that is not enough.
pub(crate) fn make_room_for_files(workers: usize) -> Result<(), Failure> {
    let limit = getrlimit(Resource::Nofile);
    let needed = files_needed(workers);
    if limit.current.is_none_or(|files| files >= needed) {
        return Ok(());
    }
    if limit.maximum.is_none_or(|files| files >= needed) {
        let raised = Rlimit {
            current: Some(needed),
            maximum: limit.maximum,
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            return Ok(());
        }
    }
    let (has, jobs) = (limit.maximum.unwrap_or_default(), workers);
    let fewer = match has.saturating_sub(FILES) / FILES_OF_A_WORKER {
        0 => String::new(),
        fewer => format!("run with --jobs {fewer}, or "),
    };
    Err(Failure::blocked(format!(
        "this process may open {has} files, and needs {needed} with --jobs {jobs}"
    ))
    .hint(format!(
        "nothing was changed; {fewer}raise the limit: ulimit -n {needed} (the hard one: ulimit -Hn, \
         or LimitNOFILE of a service)"
    )))
}

/// What there is of both; fails where there is less memory than a run may take.
pub(crate) fn describe(workers: usize) -> Result<String, Failure> {
    let files = getrlimit(Resource::Nofile).current;
    let files = files.map_or("any number of".to_owned(), |files| files.to_string());
    let text = format!("{files} open files");
    let Some(memory) = memory_available() else {
        return Ok(text);
    };
    let available = bytes_text(memory);
    if memory >= MEMORY {
        return Ok(format!("{text}, {available} of memory are free"));
    }
    Err(Failure::blocked(format!(
        "{available} of memory are free, and a run may take {} and four times the largest row for \
         each of {workers} workers",
        bytes_text(MEMORY)
    ))
    .hint("free some memory, or use another machine"))
}

/// What the system says is free, or less where the process is limited to it.
///
/// Source: proc(5), `/proc/meminfo`; setrlimit(2), `RLIMIT_AS`.
fn memory_available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    let limit = getrlimit(Resource::As).current;
    Some((kilobytes << 10).min(limit.unwrap_or(u64::MAX)))
}
