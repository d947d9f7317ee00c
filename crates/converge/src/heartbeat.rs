//! Notices a server that stopped answering while a command works with it, and ends the process.
//!
//! Asks on a new connection every time, since the command's own may be silent for hours and
//! well: an index is built, foreign keys are checked. What silence means for the work is in
//! `lost.rs`.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
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
                tries: Arc::default(),
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
    tries: Arc<Tries>,
}

/// What all tries at one server share.
#[derive(Debug, Default)]
struct Tries {
    /// Those that have not come back.
    waiting: AtomicUsize,
    /// When the server was last heard, be it that the try had been given up by then: a login
    /// may honestly take longer than a try.
    heard: Mutex<Option<Instant>>,
}

impl Tries {
    fn heard(&self) -> Option<Instant> {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One try at a server, for as long as this thread takes.
    fn ask(&self, probe: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        let _back_in_any_case = Waiting::of(self);
        let answer = probe();
        if answer.is_ok() {
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        answer
    }
}

/// Counts a try for as long as it lives, also where the try ends in a panic.
struct Waiting<'t>(&'t Tries);

impl<'t> Waiting<'t> {
    fn of(tries: &'t Tries) -> Self {
        tries.waiting.fetch_add(1, Ordering::Relaxed);
        Self(tries)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
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
            if let Some(what) = silence.after(answer, began, self.tries.heard())
                && self.goes_on_for(GRACE)
                && !silence.is_broken_by(self.tries.heard())
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
        let server = self.server.clone();
        ask_within(ANSWER_WITHIN, &self.tries, move || server.probe())
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

/// Asks in the background and waits for the answer, but not for longer than `time`.
fn ask_within(
    time: Duration,
    tries: &Arc<Tries>,
    probe: impl FnOnce() -> Result<(), String> + Send + 'static,
) -> Result<(), String> {
    if tries.waiting.load(Ordering::Relaxed) >= WAITING_MAX {
        return Err(format!("{WAITING_MAX} earlier tries still wait"));
    }
    let (sender, receiver) = mpsc::channel();
    let tries = Arc::clone(tries);
    thread::spawn(move || {
        let answer = tries.ask(probe);
        // Nobody listens any more where it came too late.
        let _ = sender.send(answer);
    });
    receiver.recv_timeout(time).unwrap_or_else(|error| {
        Err(match error {
            RecvTimeoutError::Timeout => "timed out".to_owned(),
            RecvTimeoutError::Disconnected => "the try ended in a fault of converge".to_owned(),
        })
    })
}

/// Tries that failed in a row, while nothing was heard.
#[derive(Debug, Default)]
struct Silence {
    failures: u32,
    /// The beginning of the first of them.
    since: Option<Instant>,
}

impl Silence {
    /// Counts a try that began at `began`; once there are too many failures, says so. What was
    /// `heard` since the first of them, as the late answer to an earlier try, is a sign of life.
    fn after(
        &mut self,
        answer: Result<(), String>,
        began: Instant,
        heard: Option<Instant>,
    ) -> Option<String> {
        let since = *self.since.get_or_insert(began);
        let last = match answer {
            Err(last) if !self.is_broken_by(heard) => last,
            _ => {
                *self = Self::default();
                return None;
            }
        };
        self.failures += 1;
        let seconds = since.elapsed().as_secs();
        let tries = self.failures;
        (tries >= FAILURES_MAX)
            .then(|| format!("{tries} tries in {seconds} s failed (last: {last})"))
    }

    /// Whether something was heard since it began.
    fn is_broken_by(&self, heard: Option<Instant>) -> bool {
        self.since.is_none_or(|since| heard >= Some(since))
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
            silence.after(answer, Instant::now(), None).is_some()
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
            silence.after(Err(reason.to_owned()), began, None)
        });
        let expected = "3 tries in 30 s failed (last: three)".to_owned();
        assert_eq!(told, [None, None, Some(expected)]);
    }

    /// The second in which a server is given up that answers every try after `login` seconds,
    /// until it dies at `death`.
    fn given_up(login: u64, death: u64) -> Option<u64> {
        let start = Instant::now();
        let at = |second: u64| start + Duration::from_secs(second);
        let mut silence = Silence::default();
        let (every, within) = (EVERY.as_secs(), ANSWER_WITHIN.as_secs());
        (1..100).map(|try_| try_ * every).find_map(|began| {
            let now = began + within.min(login);
            let in_time = login < within && began + login < death;
            let answers = (1..=began / every).map(|earlier| earlier * every + login);
            let heard = answers.filter(|second| *second <= now && *second < death);
            let answer = in_time.then_some(()).ok_or_else(String::new);
            let over = silence.after(answer, at(began), heard.max().map(at));
            over.map(|_| began + within)
        })
    }

    #[test]
    fn a_server_that_died_is_noticed_within_a_minute_however_slow_its_logins_were() {
        for login in 0..30 {
            for death in 100..130 {
                let noticed = given_up(login, death).unwrap() - death + GRACE.as_secs();
                assert!(noticed <= 41, "{login} {death}: {noticed}");
            }
        }
    }

    #[test]
    fn late_answers_are_signs_of_life() {
        for login in [0, 9, 11, 15, 25, 29] {
            assert_eq!(given_up(login, u64::MAX), None, "{login}");
        }
        assert!(given_up(60, u64::MAX).is_some());
    }

    #[test]
    fn a_late_answer_is_stored_and_every_try_is_counted_down() {
        let tries = Arc::new(Tries::default());
        let (go_on, wait) = mpsc::channel();
        let late = move || wait.recv().map_err(|error| error.to_string());
        let answer = ask_within(Duration::from_millis(1), &tries, late);
        assert_eq!(answer, Err("timed out".to_owned()));
        assert_eq!(tries.heard(), None);
        go_on.send(()).unwrap();
        let panics = || -> Result<(), String> { panic!("this is part of the test") };
        let answer = ask_within(ANSWER_WITHIN, &tries, panics);
        let fault = "the try ended in a fault of converge".to_owned();
        assert_eq!(answer, Err(fault));
        let deadline = Instant::now() + Duration::from_secs(10);
        while tries.waiting.load(Ordering::Relaxed) > 0 || tries.heard().is_none() {
            assert!(Instant::now() < deadline, "{tries:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }
}
