//! Whether the source answers at all: a question on a new connection, and the patience with a
//! connection that is being made.
//!
//! When to ask, and what silence means, is decided by the caller.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::connection::{Patience, connect};
use crate::driver;
use crate::endpoint::Endpoint;
use crate::error::{Error, Kind};

/// A server that accepts connections but never greets (stopped, or a proxy before one that is
/// gone) would hold a command up for ever. Three times what a slow network takes for each of
/// name, connection, TLS and session.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// Ends what waits for a silent server in the background; longer than whoever asked waits.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Asks the server something trivial on a new connection.
///
/// An error message is an answer too: a server that refuses (too many connections, wrong
/// password, still starting) is there. May wait for long where the server is silent.
///
/// # Errors
/// Where no answer came: not reached, not greeted, cut off.
pub fn probe(endpoint: &Endpoint) -> Result<(), Error> {
    let answer = connect(endpoint, Patience::OF_QUESTIONS).and_then(|(mut conn, _)| {
        let doing = || "asking on a new connection".to_owned();
        driver::rows(&mut conn, "select 1", doing)
    });
    match answer {
        Err(error) if !error.is_answer() => Err(error),
        _ => Ok(()),
    }
}

/// Does `work` in the background and waits for it, but not for ever; `doing` says what for.
///
/// The driver's read timeout would stay with the connection and later end a statement that
/// honestly takes long, so the waiting is bounded from outside.
pub(crate) fn within_patience<T: Send + 'static>(
    doing: String,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || {
        // Nobody listens any more where the patience is over.
        let _ = sender.send(work());
    });
    match receiver.recv_timeout(CONNECT_WITHIN) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => {
            let seconds = CONNECT_WITHIN.as_secs();
            Err(Error::new(Kind::NoAnswer { seconds }, doing))
        }
        Err(RecvTimeoutError::Disconnected) => match worker.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("it sends before it ends"),
        },
    }
}
