//! How a command of xtask fails: a message, a way out, and an exit code.
//!
//! The codes are those of `converge`; 4, 5 and 6 only ever come from there.

use std::{error::Error, fmt, process::ExitCode};

/// An unexpected failure: I/O, a server that does not start, a fault of ours.
pub(crate) const UNEXPECTED: u8 = 1;
/// What was typed cannot be done.
pub(crate) const USAGE: u8 = 2;
/// A precondition does not hold; nothing was changed.
pub(crate) const BLOCKED: u8 = 3;

/// A failure whose exit code or way out is known where it happens.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure with an exit code other than 1.
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds the way out, printed on a line of its own.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

/// Prints the error with all its causes and yields its exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    let failure = error.downcast_ref::<Failure>();
    if let Some(hint) = failure.and_then(|failure| failure.hint.as_ref()) {
        eprintln!("hint: {hint}");
    }
    ExitCode::from(failure.map_or(UNEXPECTED, |failure| failure.code))
}
