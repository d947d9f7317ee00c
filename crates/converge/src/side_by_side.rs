//! Work on a server side by side, each worker on a connection of its own.
//!
//! What comes of it is handed to the first thread: journal, events and counters are its own.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;
use std::{fmt, thread};

use crate::console::Pulse;
use crate::interrupt::Interrupt;
use crate::run::StageRun;

/// How often the first thread looks whether there is something to say, or to end.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Somebody who works on a connection.
pub(crate) trait Worker: Send {
    /// What ends the statement that the server is at work on for this worker.
    fn cancel(&self) -> Box<dyn Fn()>;
}

impl Worker for source::Reader {
    fn cancel(&self) -> Box<dyn Fn()> {
        let cancel = self.cancel();
        Box::new(move || cancel.cancel())
    }
}

impl Worker for target::Loader {
    fn cancel(&self) -> Box<dyn Fn()> {
        let cancel = self.cancel();
        Box::new(move || cancel.cancel())
    }
}

/// Whether a worker may go on.
pub(crate) struct Halt<'s> {
    stopped: AtomicBool,
    interrupt: &'s Interrupt,
}

impl Halt<'_> {
    /// Fails where somebody wants the end, or another worker failed.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.interrupt.check()?;
        match self.stopped.load(Ordering::Relaxed) {
            true => Err(Stopped.into()),
            false => Ok(()),
        }
    }
}

/// Does all tasks, in their order; `done` is called in the first thread with the number of each,
/// from 0, and what came of it.
/// `progress` is said now and then.
///
/// # Errors
/// The first error of a worker or of `done`, after which no task is begun, and statements that
/// a server is at work on are ended.
pub(crate) fn side_by_side<W: Worker, T: Sync, R: Send>(
    stage: &mut StageRun<'_>,
    workers: &mut [W],
    tasks: &[T],
    work: impl Fn(&mut W, &T, &Halt<'_>) -> anyhow::Result<R> + Sync,
    progress: impl Fn() -> String,
    mut done: impl FnMut(&mut StageRun<'_>, usize, R) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let halt = &Halt {
        stopped: AtomicBool::new(false),
        interrupt: stage.interrupt,
    };
    let next = &AtomicUsize::new(0);
    let cancels: Vec<Box<dyn Fn()>> = workers.iter().map(W::cancel).collect();
    let mut pulse = Pulse::new(stage.console);
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for worker in workers {
            let (sender, work) = (sender.clone(), &work);
            scope.spawn(move || one_after_the_other(worker, tasks, next, halt, work, &sender));
        }
        drop(sender);
        let mut first_error = None;
        loop {
            let result = match results.recv_timeout(LOOK_EVERY) {
                Ok((number, result)) => result.and_then(|result| done(stage, number, result)),
                // Somebody may wait for the first row of many.
                Err(RecvTimeoutError::Timeout) if first_error.is_some() => {
                    cancels.iter().for_each(|cancel| cancel());
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => halt.check(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            pulse.beat(&progress);
            if let Err(error) = result {
                halt.stopped.store(true, Ordering::Relaxed);
                if !error.is::<Stopped>() {
                    first_error.get_or_insert(error);
                }
            }
        }
        // Workers leave their tasks without a word where somebody wants the end.
        first_error.map_or_else(|| halt.check(), Err)
    })
}

/// Does one task after the other until there is none left, or somebody failed.
fn one_after_the_other<W, T, R>(
    worker: &mut W,
    tasks: &[T],
    next: &AtomicUsize,
    halt: &Halt<'_>,
    work: impl Fn(&mut W, &T, &Halt<'_>) -> anyhow::Result<R>,
    results: &Sender<(usize, anyhow::Result<R>)>,
) {
    while halt.check().is_ok() {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(task) = tasks.get(number) else {
            return;
        };
        let result = work(worker, task, halt);
        let failed = result.is_err();
        // The first thread listens until all workers have ended.
        let _ = results.send((number, result));
        if failed {
            return;
        }
    }
}

/// Ends a worker because another one failed.
#[derive(Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another worker failed")
    }
}

impl std::error::Error for Stopped {}
