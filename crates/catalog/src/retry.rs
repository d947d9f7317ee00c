//! Connections that a server does not take yet: how often and how long they are tried again.
//!
//! One retry policy for both sides; it makes no connections itself.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::visible::visible;

/// Why a connection may be made a little later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotYet {
    /// The server answers that it is starting, restarting or shutting down.
    Starting,
    /// No answer: the port is closed, or a proxy cannot reach its server.
    Unreachable,
}

impl NotYet {
    /// From the first attempt to the last.
    fn bound(self) -> Duration {
        match self {
            // Below the 30 s after which a connection is given up as silent, so that the server's
            // own reason is told.
            Self::Starting => Duration::from_secs(25),
            // As long as a server takes to stop and to listen again. A port that was mistyped looks
            // the same, and must not be waited for any longer; the first wait says what is tried.
            Self::Unreachable => Duration::from_secs(10),
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Short enough that a person who interrupts the process does not notice the wait.
const STEP: Duration = Duration::from_millis(50);

static STOPPED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Names what says that the process is asked to stop: nothing is tried again from then on.
pub fn stop_retries_when(asked: Arc<AtomicBool>) {
    // The first one of a process stays.
    let _ = STOPPED.set(asked);
}

/// Makes a connection, and tries again while `not_yet` says so of the error, up to a bound.
/// `server` names the server in the line on stderr that the first wait is worth.
pub fn retried<T, E: Display>(
    server: &str,
    mut attempt: impl FnMut() -> Result<T, E>,
    not_yet: impl Fn(&E) -> Option<NotYet>,
) -> Result<T, E> {
    let since = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut bound = Duration::ZERO;
    loop {
        let error = match attempt() {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let Some(why) = not_yet(&error) else {
            return Err(error);
        };
        // A server that shuts down closes its port before it starts again.
        bound = bound.max(why.bound());
        if is_stopped() || since.elapsed() + pause >= bound {
            return Err(error);
        }
        if pause == FIRST_PAUSE {
            let seconds = bound.as_secs();
            let line = format!("{server} takes no connection yet, trying for {seconds} s: {error}");
            // A closed stderr does not end the wait; what a server says is not for the terminal.
            let _ = writeln!(io::stderr().lock(), "{}", visible(&line));
        }
        wait(pause);
        pause = PAUSE_MAX.min(pause * 2);
    }
}

fn is_stopped() -> bool {
    let asked = STOPPED.get();
    asked.is_some_and(|asked| asked.load(Ordering::Relaxed))
}

fn wait(pause: Duration) {
    let since = Instant::now();
    while since.elapsed() < pause && !is_stopped() {
        thread::sleep(STEP.min(pause));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_comes_later_is_waited_for_and_what_is_refused_is_not() {
        let tries = Cell::new(0);
        let after = |count: u32, of: Option<NotYet>| {
            tries.set(0);
            let attempt = || {
                tries.set(tries.get() + 1);
                if tries.get() > count {
                    Ok(())
                } else {
                    Err("no")
                }
            };
            retried("the test", attempt, |_| of)
        };
        assert_eq!(after(3, Some(NotYet::Starting)), Ok(()));
        assert_eq!(tries.get(), 4);
        assert_eq!(after(3, None), Err("no"));
        assert_eq!(tries.get(), 1);
    }

    #[test]
    fn a_port_that_closes_while_a_server_shuts_down_is_waited_for_like_the_server() {
        let since = Instant::now();
        let is_open = || since.elapsed() > NotYet::Unreachable.bound() + PAUSE_MAX;
        let tries = Cell::new(0);
        let attempt = || {
            tries.set(tries.get() + 1);
            if is_open() { Ok(()) } else { Err(tries.get()) }
        };
        let not_yet = |tried: &i32| match tried {
            1 => Some(NotYet::Starting),
            _ => Some(NotYet::Unreachable),
        };
        assert_eq!(retried("the test", attempt, not_yet), Ok(()));
    }

    #[test]
    fn a_closed_port_is_given_up_within_its_bound() {
        let since = Instant::now();
        let result: Result<(), &str> =
            retried("the test", || Err("refused"), |_| Some(NotYet::Unreachable));
        assert_eq!(result, Err("refused"));
        assert!(since.elapsed() <= NotYet::Unreachable.bound());
        assert!(since.elapsed() > NotYet::Unreachable.bound() / 2);
    }
}
