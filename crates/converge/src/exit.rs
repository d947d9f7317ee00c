//! Exit codes and the failures that carry them.
//!
//! Any other error of a command is unexpected and ends with [`UNEXPECTED`].

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::console;
use crate::text::Text;

/// An I/O error, a lost connection, or a fault of this tool.
pub(crate) const UNEXPECTED: u8 = 1;
/// The command line or the configuration is wrong.
pub(crate) const USAGE: u8 = 2;
/// A precondition does not hold: nothing was changed.
pub(crate) const BLOCKED: u8 = 3;
/// A value or constraint stopped the stage; the message says what state the target is in.
pub(crate) const REFUSED: u8 = 4;
/// Source and target differ, the source moved, or a committed baseline is out of date.
pub(crate) const DIFFERENT: u8 = 5;
/// Interrupted by a signal; `status` says how to go on.
pub(crate) const INTERRUPTED: u8 = 6;

/// A failure that knows its exit code and the way out.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One of the constants of this module.
    pub(crate) code: u8,
    message: Text,
    hint: Option<Text>,
    is_lost_server: bool,
}

impl Failure {
    pub(crate) fn new(code: u8, message: impl Into<Text>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            is_lost_server: false,
        }
    }

    pub(crate) fn usage(message: impl Into<Text>) -> Self {
        Self::new(USAGE, message)
    }

    pub(crate) fn blocked(message: impl Into<Text>) -> Self {
        Self::new(BLOCKED, message)
    }

    pub(crate) fn refused(message: impl Into<Text>) -> Self {
        Self::new(REFUSED, message)
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<Text>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says that a server is gone, and that the hint has what it leaves behind.
    pub(crate) fn with_lost_server(mut self) -> Self {
        self.is_lost_server = true;
        self
    }

    /// Whether a server is gone.
    pub(crate) fn is_lost_server(&self) -> bool {
        self.is_lost_server
    }

    /// What to do next.
    pub(crate) fn next_step(&self) -> Option<&Text> {
        self.hint.as_ref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl std::error::Error for Failure {}

/// Prints an error and its hint, and returns the exit code.
pub(crate) fn report(error: &anyhow::Error) -> u8 {
    let failure = error.downcast_ref::<Failure>();
    let message = format!("{error:#}");
    let mut text = match failure {
        // Its lines are ours.
        Some(failure) if failure.to_string() == message => failure.message.clone(),
        _ => Text::from(message),
    }
    .behind("error: ");
    if let Some(hint) = failure.and_then(Failure::next_step) {
        text.append(hint.clone().behind("hint: "));
    }
    console::say(&text);
    failure.map_or(UNEXPECTED, |failure| failure.code)
}

static TURN: Mutex<()> = Mutex::new(());

/// The right to write to the run directory, or to end the process from another thread than the
/// first. Who ends it keeps the turn, so that no file is cut in half and nothing is entered
/// after the last word.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
