//! What a server that is gone means for the work at hand: one message and one hint, whether the
//! connection broke or the heartbeat gave the server up.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::config::Database;
use crate::exit::{Failure, UNEXPECTED};
use crate::heartbeat::Heartbeat;
use crate::run::{StageOutcome, entry};
use crate::run_dir::{RunDirectory, now, record_the_end};

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Target,
}

/// What a command does with servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    /// The stage, which is also the command that does it again.
    pub(crate) name: &'static str,
    /// The servers that it needs from its beginning to its end.
    pub(crate) sides: &'static [Side],
    /// In what state both sides are where one of them is lost meanwhile.
    pub(crate) leaves: &'static str,
}

/// A task at work on one database, as the threads see it that may have to end it.
#[derive(Clone, Debug)]
pub(crate) struct Work(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    task: Task,
    /// Addresses without their passwords.
    source: String,
    target: String,
    outcome: StageOutcome,
    /// Where the end of the stage is entered; `None` for what is no stage of a run.
    run: Option<PathBuf>,
    started: String,
    clock: Instant,
}

impl Work {
    /// A stage of a run.
    pub(crate) fn of_run(task: &Task, database: &Database, run: &RunDirectory) -> Self {
        Self::new(task, database, Some(run.path().to_owned()))
    }

    /// A piece of work that is entered nowhere, such as a look at a target.
    pub(crate) fn outside(task: &Task, database: &Database) -> Self {
        Self::new(task, database, None)
    }

    fn new(task: &Task, database: &Database, run: Option<PathBuf>) -> Self {
        Self(Arc::new(Mutex::new(State {
            task: *task,
            source: database.source.to_string(),
            target: database.target.to_string(),
            outcome: StageOutcome {
                database: database.name.clone(),
                ..StageOutcome::default()
            },
            run,
            started: now(),
            clock: Instant::now(),
        })))
    }

    /// Does the work while a heartbeat watches the servers of its task; a connection that is
    /// lost meanwhile becomes a failure that says what it leaves behind.
    pub(crate) fn watched<T>(
        &self,
        database: &Database,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let sides = self.state().task.sides;
        let heartbeat = Heartbeat::watch(database, sides, self);
        let result = work();
        drop(heartbeat);
        result.map_err(|error| self.explain(error))
    }

    /// Says in what state both sides are from now on where a server is lost.
    pub(crate) fn leaves(&self, what: &'static str) {
        self.state().task.leaves = what;
    }

    /// Says how far the work is.
    pub(crate) fn is_at(&self, outcome: &StageOutcome) {
        self.state().outcome = outcome.clone();
    }

    /// The failure of a server that does not answer.
    pub(crate) fn silent(&self, side: Side, what: &str) -> Failure {
        let state = self.state();
        let message = format!(
            "the {side} ({}) does not answer: {what}",
            state.address(side)
        );
        state.failure(message)
    }

    /// Makes a failure of a lost connection; other errors stay as they are.
    fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let Some((side, what)) = lost(&error) else {
            return error;
        };
        let state = self.state();
        let message = format!(
            "no connection to the {side} ({}): {what}",
            state.address(side)
        );
        state.failure(message).into()
    }

    /// Enters the stage as failed, for a process that ends now.
    pub(crate) fn record(&self, failure: &Failure) {
        let state = self.state();
        let Some(run) = &state.run else {
            return;
        };
        let mut outcome = state.outcome.clone();
        outcome.seconds = state.clock.elapsed().as_secs_f64();
        let entry = entry(
            state.task.name,
            &outcome,
            state.started.clone(),
            "failed",
            Some(failure.to_string()),
        );
        if let Err(error) = record_the_end(run, entry) {
            // What happened to the data matters more than that it could not be written down.
            let _ = writeln!(io::stderr().lock(), "note: {error:#}");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn address(&self, side: Side) -> &str {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    fn failure(&self, message: String) -> Failure {
        let Task { name, leaves, .. } = self.task;
        let next = match &self.run {
            Some(run) => format!(
                "once the server answers again, `cargo xtask {name} --run {}` begins this stage again",
                run.display()
            ),
            None => "begin again once the server answers".to_owned(),
        };
        Failure::new(UNEXPECTED, message).hint(format!("{leaves}; {next}"))
    }
}

/// The side whose connection an error tells to be lost, and how.
fn lost(error: &anyhow::Error) -> Option<(Side, String)> {
    let said = |doing: &str, cause: String| format!("{doing}: {cause}");
    if let Some(error) = error.downcast_ref::<source::Error>() {
        let lost = error.is_lost_connection();
        return lost.then(|| (Side::Source, said(error.doing(), error.cause())));
    }
    let error = error.downcast_ref::<target::Error>()?;
    let lost = error.is_lost_connection();
    lost.then(|| (Side::Target, said(error.doing(), error.cause())))
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}
