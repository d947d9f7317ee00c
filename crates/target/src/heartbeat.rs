//! Whether the target answers at all: a question on a new connection, and the patience with a
//! connection that is being made.
//!
//! When to ask, and what silence means, is decided by the caller.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::connection::connect;
use crate::endpoint::Endpoint;
use crate::error::{Doing, Error, Kind};

/// A server that accepts connections but never answers (stopped, or a proxy before one that is
/// gone) would hold a command up for ever. Three times what a slow network takes for each of
/// name, connection, TLS and session.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// A host may have two addresses of which the first swallows everything: there must be time for
/// the second while whoever asked still waits.
const QUESTION_TCP_WITHIN: Duration = Duration::from_secs(4);

/// Asks the server something trivial on a new connection.
///
/// An error message is an answer too: a server that refuses (too many connections, wrong
/// password, still starting) is there. The driver has no read timeout, so this waits for ever
/// where the server is silent: call it in the background.
///
/// # Errors
/// Where no answer came: not reached, not greeted, cut off.
pub fn probe(endpoint: &Endpoint) -> Result<(), Error> {
    let answer = connect(endpoint, QUESTION_TCP_WITHIN).and_then(|(mut client, _)| {
        client
            .batch_execute("select 1")
            .doing(|| "asking on a new connection".to_owned())
    });
    match answer {
        Err(error) if !error.is_answer() => Err(error),
        _ => Ok(()),
    }
}

/// Does `work` in the background and waits for it, but not for ever; `doing` says what for.
///
/// The driver's connect timeout ends with the TCP connection; greeting, TLS and login have none.
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
