//! Who listens on a port of loopback: a container, or a process.
//!
//! It only looks; what cannot be seen without more rights is said to be somebody's.

use std::{fmt, fs};

use super::engine::Engine;

/// The state of a listening socket in `/proc/net/tcp` (the kernel's `TCP_LISTEN`).
const LISTENING: &str = "0A";

/// Who holds a port.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Container(String),
    Process { pid: u32, name: String },
    Unknown,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Container(name) => write!(f, "the container {name}"),
            Holder::Process { pid, name } => write!(f, "{name} (process {pid})"),
            Holder::Unknown => f.write_str("a process of another user"),
        }
    }
}

/// Who listens on `port`.
pub(crate) fn of_port(engine: Engine, port: u16) -> Holder {
    let filter = format!("publish={port}");
    let names = engine.ask(&["ps", "--filter", &filter, "--format", "{{.Names}}"]);
    let container = names.and_then(|names| names.lines().next().map(str::to_owned));
    container
        .map(Holder::Container)
        .or_else(|| process(port))
        .unwrap_or(Holder::Unknown)
}

fn process(port: u16) -> Option<Holder> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let inode = tables.iter().find_map(|table| {
        let text = fs::read_to_string(table).ok()?;
        text.lines().find_map(|line| listening_inode(line, port))
    })?;
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.find(|pid| holds(*pid, inode))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(Holder::Process {
        pid,
        name: name.trim().to_owned(),
    })
}

/// The socket's number in a line of `/proc/net/tcp` (proc(5)), if it listens on the port.
fn listening_inode(line: &str, port: u16) -> Option<u64> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let local = fields.get(1)?.rsplit_once(':')?.1;
    let listens = fields.get(3) == Some(&LISTENING);
    let same = u16::from_str_radix(local, 16) == Ok(port);
    (listens && same).then(|| fields.get(9)?.parse().ok())?
}

fn holds(pid: u32, inode: u64) -> bool {
    let folder = format!("/proc/{pid}/fd");
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let socket = format!("socket:[{inode}]");
    files
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|target| target.as_os_str() == socket.as_str())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn own_listener_is_found() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let Some(Holder::Process { pid, name }) = process(port) else {
            panic!("nobody holds port {port}");
        };
        assert_eq!(pid, std::process::id());
        assert!(!name.is_empty());
        drop(listener);
        assert_eq!(process(port), None);
    }
}
