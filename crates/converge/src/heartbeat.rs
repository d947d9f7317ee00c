//! Notices a server that stopped answering while a command works with it, and ends the process.
//!
//! Asks on a new connection every time, since the command's own may be silent for hours and
//! well: an index is built, foreign keys are checked. What silence means for the work is in
//! `lost.rs`.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::config::Database;
use crate::exit::{self, turn};
use crate::lost::{Side, Work};

/// From the beginning of one try to that of the next: no load for a server, and three of them
/// fit into the time for which an operator would wait before looking himself.
const EVERY: Duration = Duration::from_secs(10);
/// Longer than a login takes on the busiest server that still does its work.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// One may be lost to a hiccup of the network, two to a restart of a proxy.
const FAILURES_MAX: u32 = 3;
/// A command whose connection broke has its own error to tell, which says more.
const GRACE: Duration = Duration::from_secs(1);
/// Tries that may still wait for an answer when the next one begins. Beyond it a try has failed
/// before it begins, so that a server which leaves some callers hanging fills no memory.
const WAITING_MAX: usize = 8;

/// A watch over servers; dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    over: Arc<AtomicBool>,
    /// One for each thread, which ends when this is dropped.
    _threads: Vec<Sender<()>>,
}

impl Heartbeat {
    /// Watches the servers of a database until the guard is dropped; where one of them does not
    /// answer, the process ends, and `work` knows what is to be recorded and said.
    pub(crate) fn watch(database: &Database, sides: &[Side], work: &Work) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let threads = sides.iter().map(|side| {
            let (sender, ended) = mpsc::channel();
            let watch = Watch {
                server: Server::of(database, *side),
                work: work.clone(),
                over: Arc::clone(&over),
                ended,
                waiting: Arc::default(),
            };
            thread::spawn(move || watch.run());
            sender
        });
        Self {
            _threads: threads.collect(),
            over,
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        // Where the process is being ended just now, this waits for the end: the work must not
        // be said to be done after it was recorded as failed.
        let _turn = turn();
        self.over.store(true, Ordering::Relaxed);
    }
}

/// A server and the way in.
#[derive(Clone, Debug)]
enum Server {
    Source(source::Endpoint),
    Target(target::Endpoint),
}

impl Server {
    fn of(database: &Database, side: Side) -> Self {
        match side {
            Side::Source => Self::Source(database.source.clone()),
            Side::Target => Self::Target(database.target.clone()),
        }
    }

    fn side(&self) -> Side {
        match self {
            Self::Source(_) => Side::Source,
            Self::Target(_) => Side::Target,
        }
    }

    /// Asks, and says why no answer came; may wait for ever.
    fn probe(&self) -> Result<(), String> {
        match self {
            Self::Source(endpoint) => source::probe(endpoint).map_err(|error| error.cause()),
            Self::Target(endpoint) => target::probe(endpoint).map_err(|error| error.cause()),
        }
    }
}

/// The thread that watches one server.
struct Watch {
    server: Server,
    work: Work,
    over: Arc<AtomicBool>,
    ended: Receiver<()>,
    /// Tries that have not come back.
    waiting: Arc<AtomicUsize>,
}

impl Watch {
    fn run(self) {
        let mut silence = Silence::default();
        let mut next = Instant::now() + EVERY;
        while self.goes_on_for(next.saturating_duration_since(Instant::now())) {
            let began = Instant::now();
            // A process that was stopped for an hour has no tries to make up for.
            next = began + EVERY;
            let answer = self.ask();
            if let Some(what) = silence.after(answer, began)
                && self.goes_on_for(GRACE)
            {
                self.end(&what);
            }
        }
    }

    /// Waits; false once nobody needs the watch any more.
    fn goes_on_for(&self, time: Duration) -> bool {
        self.ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
    }

    /// One try, in a thread of its own, since the drivers may wait for ever.
    fn ask(&self) -> Result<(), String> {
        if self.waiting.load(Ordering::Relaxed) >= WAITING_MAX {
            return Err(format!("{WAITING_MAX} earlier tries still wait"));
        }
        let (sender, receiver) = mpsc::channel();
        let (server, waiting) = (self.server.clone(), Arc::clone(&self.waiting));
        waiting.fetch_add(1, Ordering::Relaxed);
        thread::spawn(move || {
            let answer = server.probe();
            waiting.fetch_sub(1, Ordering::Relaxed);
            // Nobody listens any more where it came too late.
            let _ = sender.send(answer);
        });
        receiver
            .recv_timeout(ANSWER_WITHIN)
            .unwrap_or_else(|_| Err("timed out".to_owned()))
    }

    /// Ends the process, unless the work came to its end first; `what` says why.
    fn end(&self, what: &str) {
        let _turn_until_the_end = turn();
        if self.over.load(Ordering::Relaxed) {
            return;
        }
        let failure = self.work.silent(self.server.side(), what);
        self.work.record(&failure);
        process::exit(i32::from(exit::report(&failure.into())));
    }
}

/// Tries that failed in a row.
#[derive(Debug, Default)]
struct Silence {
    failures: u32,
    since: Option<Instant>,
}

impl Silence {
    /// Counts a try that began at `began`; once there are too many failures, says so.
    fn after(&mut self, answer: Result<(), String>, began: Instant) -> Option<String> {
        let Err(last) = answer else {
            *self = Self::default();
            return None;
        };
        self.failures += 1;
        let seconds = self.since.get_or_insert(began).elapsed().as_secs();
        let tries = self.failures;
        (tries >= FAILURES_MAX)
            .then(|| format!("{tries} tries in {seconds} s failed (last: {last})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each of the tries is the one that ends the work.
    fn ends(answers: &[bool]) -> Vec<bool> {
        let mut silence = Silence::default();
        let tries = answers.iter().map(|answered| {
            let answer = answered.then_some(()).ok_or_else(|| "refused".to_owned());
            silence.after(answer, Instant::now()).is_some()
        });
        tries.collect()
    }

    #[test]
    fn only_failures_in_a_row_count() {
        assert_eq!(ends(&[false, false, false]), [false, false, true]);
        assert_eq!(ends(&[true, false, false]), [false, false, false]);
        let with_answers_between = [false, false, true, false, false, true, false];
        assert_eq!(ends(&with_answers_between), [false; 7]);
        assert_eq!(
            ends(&[false, true, false, false, false]),
            [false, false, false, false, true]
        );
    }

    #[test]
    fn the_last_reason_is_told_and_the_time_counts_from_the_first_failure() {
        let mut silence = Silence::default();
        let first = Instant::now().checked_sub(Duration::from_secs(30)).unwrap();
        let told = ["one", "two", "three"].map(|reason| {
            let began = if reason == "one" {
                first
            } else {
                Instant::now()
            };
            silence.after(Err(reason.to_owned()), began)
        });
        let expected = "3 tries in 30 s failed (last: three)".to_owned();
        assert_eq!(told, [None, None, Some(expected)]);
    }

    #[test]
    fn a_server_that_died_is_noticed_within_a_minute() {
        // It dies right after an answer, and all tries wait as long as they may.
        let tries = EVERY.max(ANSWER_WITHIN) * FAILURES_MAX;
        assert!(EVERY + tries + GRACE < Duration::from_secs(60));
    }
}
