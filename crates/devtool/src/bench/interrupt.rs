//! SIGINT and SIGTERM: the first lets the benchmark remove what it made, the second ends it at once.
//!
//! What a second signal leaves behind is replaced by the next benchmark.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of an interrupted command, the same as converge's.
const EXIT_INTERRUPTED: u8 = 6;

/// Whether the process was asked to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

/// Why a benchmark ended without a report.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl Interrupted {
    /// What the process ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        EXIT_INTERRUPTED
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl Interrupt {
    /// Installs the signal handlers.
    pub(crate) fn install() -> std::io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the second signal finds the flag set by the first.
            let code = i32::from(EXIT_INTERRUPTED);
            flag::register_conditional_shutdown(signal, code, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self(asked))
    }

    /// Fails where the process was asked to stop.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        Ok(())
    }
}
