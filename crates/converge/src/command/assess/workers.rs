//! Work on several readers side by side: whoever is free takes the next piece.
//!
//! Knows nothing of the pieces; what comes of them is the first thread's.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use source::Reader;

use crate::interrupt::Interrupt;

/// How often the first thread looks whether there is something to say.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Says whether a piece of work is to be given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check<'c> {
    interrupt: &'c Interrupt,
    stopped: &'c AtomicBool,
}

impl Check<'_> {
    /// Fails after a signal, and where another piece has failed.
    pub(crate) fn go_on(&self) -> anyhow::Result<()> {
        self.interrupt.check()?;
        anyhow::ensure!(
            !self.stopped.load(Ordering::Relaxed),
            "another worker failed"
        );
        Ok(())
    }
}

/// Does `work` for each piece; `done` gets the number of the piece and what came of it, and
/// `beat` is called now and then.
///
/// # Errors
/// The first error, after which no piece is begun.
pub(crate) fn side_by_side<P: Sync, T: Send>(
    readers: &mut [Reader],
    interrupt: &Interrupt,
    pieces: &[P],
    work: impl Fn(&mut Reader, &P, Check<'_>) -> anyhow::Result<T> + Sync,
    mut done: impl FnMut(usize, T) -> anyhow::Result<()>,
    mut beat: impl FnMut(),
) -> anyhow::Result<()> {
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let check = Check {
        interrupt,
        stopped: &stopped,
    };
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for reader in readers {
            let (sender, work, next) = (sender.clone(), &work, &next);
            scope.spawn(move || {
                while check.go_on().is_ok() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(piece) = pieces.get(number) else {
                        return;
                    };
                    // The first thread listens until all workers have ended.
                    let _ = sender.send((number, work(reader, piece, check)));
                }
            });
        }
        drop(sender);
        let mut first_error = None;
        loop {
            let result = match results.recv_timeout(LOOK_EVERY) {
                Ok((number, result)) => result.and_then(|result| done(number, result)),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            beat();
            if let Err(error) = result {
                // The others stop because of it, and have nothing to say of their own.
                stopped.store(true, Ordering::Relaxed);
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or_else(|| Ok(interrupt.check()?), Err)
    })
}
