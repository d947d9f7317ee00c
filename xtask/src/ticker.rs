//! Words on stderr while something takes long and says nothing by itself.

use std::{
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
