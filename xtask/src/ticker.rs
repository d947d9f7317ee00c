//! Words on stderr while something takes long and says nothing by itself.

use std::{
    io::{self, IsTerminal, Read, Write},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

/// The longest silence on stderr: longer ones look as if the command hung.
const SILENCE_MAX: Duration = Duration::from_secs(4);

/// Says what is going on, and for how long, until it and its copies are dropped.
#[derive(Clone, Debug)]
pub(crate) struct Ticker {
    words: Sender<()>,
}

impl Ticker {
    /// Starts to count the time.
    pub(crate) fn start(what: impl Into<String>) -> Ticker {
        let (what, start) = (what.into(), Instant::now());
        let (words, heard) = mpsc::channel();
        thread::spawn(move || {
            loop {
                match heard.recv_timeout(SILENCE_MAX) {
                    Ok(()) => {}
                    Err(RecvTimeoutError::Timeout) => {
                        eprintln!("{what}, {} s so far", start.elapsed().as_secs());
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        Ticker { words }
    }

    /// A notice that somebody else just printed something.
    pub(crate) fn spoke(&self) {
        // The thread lives as long as the ticker.
        let _ = self.words.send(());
    }
}

/// Runs a command with all that it prints on our stderr; where it prints nothing for long, says
/// that it runs. On a terminal the command shows its own progress.
pub(crate) fn run(mut command: Command, what: &str) -> io::Result<ExitStatus> {
    command.stdin(Stdio::null());
    if io::stderr().is_terminal() {
        return command.stdout(io::stderr()).status();
    }
    let ticker = Ticker::start(what);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        scope.spawn(|| copy(stdout.expect("stdout is piped"), &ticker));
        scope.spawn(|| copy(stderr.expect("stderr is piped"), &ticker));
    });
    child.wait()
}

fn copy(mut from: impl Read, ticker: &Ticker) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        // The command goes on when nobody reads what it prints.
        let _ = io::stderr().write_all(&buffer[..length]);
        ticker.spoke();
    }
}
