//! SIGINT, SIGTERM and SIGHUP (a lost terminal): the first asks the work to stop at the next safe point, the second
//! ends the process at once, whose open transactions the servers then throw away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::call::next;
use crate::exit::{Failure, INTERRUPTED};

/// Short enough that a person does not notice the wait.
const CANCEL_AGAIN: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(50);

/// The one of this process, once its handlers are installed.
static INTERRUPT: OnceLock<Interrupt> = OnceLock::new();

/// Whether the process was asked to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Installs the signal handlers.
    pub(crate) fn install() -> std::io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            // In this order: the second signal finds the flag set by the first.
            flag::register_conditional_shutdown(
                signal,
                i32::from(INTERRUPTED),
                Arc::clone(&asked),
            )?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        catalog::stop_retries_when(Arc::clone(&asked));
        let interrupt = Self(asked);
        let _ = INTERRUPT.set(interrupt.clone());
        interrupt.cancels_questions();
        Ok(interrupt)
    }

    /// Ends questions to the source that wait, such as for a table that others have locked.
    fn cancels_questions(&self) {
        let asked = self.clone();
        thread::spawn(move || {
            loop {
                if asked.is_set() {
                    source::cancel_questions();
                    // What began in between is cancelled, too, and nothing is hammered.
                    thread::sleep(CANCEL_AGAIN);
                }
                thread::sleep(POLL);
            }
        });
    }

    /// Fails where this process was asked to stop; for code that is handed no interrupt.
    pub(crate) fn check_process() -> Result<(), Failure> {
        INTERRUPT.get().map_or(Ok(()), Self::check)
    }

    /// Fails where the process was asked to stop.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.is_set() {
            return Err(Failure::new(INTERRUPTED, "interrupted")
                .hint(format!("`{}` says how to resume", next("status"))));
        }
        Ok(())
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Ends the statement of `cancel`'s connection when the process is asked to stop, for as
    /// long as the returned guard lives: an index or key check can take minutes.
    pub(crate) fn cancels(&self, cancel: target::Cancel) -> CancelGuard {
        self.cancels_by(move || cancel.cancel())
    }

    /// The same by whatever ends the statement.
    pub(crate) fn cancels_by(&self, cancel: impl Fn() + Send + 'static) -> CancelGuard {
        let asked = self.clone();
        let done = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&done);
        thread::spawn(move || {
            while !watched.load(Ordering::Relaxed) {
                match asked.is_set() {
                    // Again and again: between two statements it ends none.
                    true => {
                        cancel();
                        thread::sleep(CANCEL_AGAIN);
                    }
                    false => thread::sleep(POLL),
                }
            }
        });
        CancelGuard(done)
    }
}

/// Ends the watch when it is dropped.
pub(crate) struct CancelGuard(Arc<AtomicBool>);

impl Drop for CancelGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
