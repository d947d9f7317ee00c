//! What a server that is gone means for the work at hand: one message and one hint, whether the
//! connection broke or the heartbeat gave the server up.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::call::Call;
use crate::config::Database;
use crate::console;
use crate::exit::{Failure, UNEXPECTED, turn};
use crate::heartbeat::Heartbeat;
use crate::interrupt::Interrupt;
use crate::run::{StageOutcome, entry};
use crate::run_dir::{RunDirectory, now, record_the_end};
use crate::source_obstacle;
use crate::target_obstacle;

/// Names of commands to which more belongs than their own work.
pub(crate) const DOCTOR: &str = "doctor";
pub(crate) const REHEARSE: &str = "rehearse";

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
    /// In what state both sides are where one of them is lost meanwhile; `{status}` stands for
    /// the command that looks.
    pub(crate) leaves: &'static str,
    /// Whether what it has done to other databases stays done.
    pub(crate) is_kept: bool,
}

/// A task at work on one database, as the threads see it that may have to end it.
#[derive(Clone, Debug)]
pub(crate) struct Work(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    task: Task,
    /// The command that does the task again.
    again: &'static str,
    call: Call,
    /// Databases with which this task was done before, where that is kept.
    kept: Vec<String>,
    /// Addresses without their passwords.
    source: String,
    target: String,
    outcome: StageOutcome,
    /// The run that the work belongs to.
    run: Option<PathBuf>,
    /// Whether the end of the work is entered there.
    is_stage: bool,
    started: String,
    clock: Instant,
}

impl Work {
    /// A stage of a run.
    pub(crate) fn of_run(
        task: &Task,
        call: &Call,
        database: &Database,
        run: &RunDirectory,
    ) -> Self {
        let work = Self::before_a_stage(task, call, database, run);
        work.state().is_stage = true;
        work
    }

    /// What a stage of a run does for several databases before it begins with the first; it is
    /// entered nowhere.
    pub(crate) fn before_a_stage(
        task: &Task,
        call: &Call,
        database: &Database,
        run: &RunDirectory,
    ) -> Self {
        let work = Self::outside(task, call, database);
        work.state().run = Some(run.path().to_owned());
        work
    }

    /// A piece of work that belongs to no run, such as a look at a target.
    pub(crate) fn outside(task: &Task, call: &Call, database: &Database) -> Self {
        Self(Arc::new(Mutex::new(State {
            task: *task,
            again: task.name,
            call: call.clone(),
            kept: Vec::new(),
            source: database.source.to_string(),
            target: database.target.to_string(),
            outcome: StageOutcome {
                database: database.name.clone(),
                ..StageOutcome::default()
            },
            run: None,
            is_stage: false,
            started: now(),
            clock: Instant::now(),
        })))
    }

    /// Names the databases with which the task was done before.
    pub(crate) fn after<'n>(self, done: impl Iterator<Item = &'n String>) -> Self {
        if self.state().task.is_kept {
            self.state().kept = done.cloned().collect();
        }
        self
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
        result.map_err(|error| self.explain(database, error))
    }

    /// Says in what state both sides are from now on where a server is lost.
    pub(crate) fn leaves(&self, what: &'static str) {
        // Where the process is being ended just now, what was said last is being told, so the
        // work must not go on to what makes it untrue, such as a commit.
        let _turn = turn();
        self.state().task.leaves = what;
    }

    /// Says which command does the task again, where that is not the one of its name.
    pub(crate) fn is_done_again_by(&self, command: &'static str) {
        self.state().again = command;
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

    /// Makes a failure of a lost connection, and of what either side lacks; other errors stay
    /// as they are.
    fn explain(&self, database: &Database, error: anyhow::Error) -> anyhow::Error {
        let Some((side, what)) = lost(&error) else {
            let error = source_obstacle::explain(database, error);
            return match self.state().has_changed_nothing() {
                true => target_obstacle::explain(database, error),
                false => error,
            };
        };
        // Whoever asks a process to stop that waits for a server wants no more of it.
        if let Err(interrupted) = Interrupt::check_process() {
            return interrupted.into();
        }
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
        let Some(run) = state.run.as_ref().filter(|_| state.is_stage) else {
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
            console::line(&format!("note: {error:#}"));
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

    /// Whether a server that refuses at its beginning finds both sides as they were before the
    /// command.
    fn has_changed_nothing(&self) -> bool {
        let name = self.task.name;
        // What comes before the load of a migration, and what is called for itself.
        let is_first = ["assess", "export"].contains(&name) || name.starts_with(self.call.name());
        is_first && self.kept.is_empty()
    }

    fn failure(&self, message: String) -> Failure {
        let mut hint = String::new();
        if self.call.several {
            hint.push_str(&format!("`{}`: ", self.outcome.database));
        }
        let status = self.call.other("status", self.run.as_deref());
        hint.push_str(&self.task.leaves.replace("{status}", &status));
        if !self.kept.is_empty() {
            let kept = self.kept.join("`, `");
            hint.push_str(&format!("; done before and kept: `{kept}`"));
        }
        let next = self.next(&status);
        hint.push_str(&format!("; once the server answers again, {next}"));
        Failure::new(UNEXPECTED, message)
            .hint(hint)
            .with_lost_server()
    }

    /// What to do when the server is back, in commands that can be pasted.
    fn next(&self, status: &str) -> String {
        let (name, again) = (self.again, self.call.again());
        let stage = |run: &Path| {
            let stage = self.call.other(name, Some(run));
            format!("`{stage}` begins this stage again")
        };
        match (&self.run, self.call.name()) {
            // Its doctor has made sure that no target holds a run of anybody else's.
            (_, REHEARSE) if name != DOCTOR => {
                let rollback = self.call.other("rollback", None);
                format!(
                    "take back what the target may hold with `{rollback}`, and begin the rehearsal again with `{again}`"
                )
            }
            (Some(run), called) if called == name => stage(run),
            // The command's later stages are left to do.
            (Some(run), _) => format!("{}, and `{status}` says how to go on", stage(run)),
            (None, _) => format!("begin again with `{again}`"),
        }
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};
    use crate::config::Config;

    const IMPORT: Task = Task {
        name: "import",
        sides: &[Side::Target],
        leaves: "look with `{status}`",
        is_kept: true,
    };
    const CONFIG: &str = "version: 1\nenvironment: scratch\ndatabases:\n  \
         alkemio: {source: 'mysql://u@h/a', target: 'postgres://u@h/a'}\n  \
         kratos: {source: 'mysql://u@h/k', target: 'postgres://u@h/k'}\n";

    /// The import of `kratos` at work, as a command line called for it.
    fn work(words: &[&str], databases: usize) -> Work {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("move.yml");
        std::fs::write(&file, CONFIG).unwrap();
        let config = Config::read(&file, &[]).unwrap();
        let line = ["converge", "import", "--config", "move.yml"];
        let Command::Import(args) = Cli::parse_from(line).command else {
            panic!("another command");
        };
        let call = Call::typed(words, &args.common, databases);
        Work::outside(&IMPORT, &call, &config.databases[1])
    }

    fn hint(work: &Work) -> String {
        let failure = work.silent(Side::Target, "3 tries");
        failure.next_step().unwrap().to_string()
    }

    fn with_run(work: Work) -> Work {
        work.state().run = Some(PathBuf::from("runs/x"));
        work
    }

    #[test]
    fn a_hint_holds_commands_that_can_be_pasted() {
        let typed = ["import", "--config", "move.yml"];
        assert_eq!(
            hint(&with_run(work(&typed, 1))),
            "look with `converge status --run runs/x --config move.yml`; once the server answers \
             again, `converge import --run runs/x --config move.yml` begins this stage again"
        );
        let of_migrate = hint(&with_run(work(&["migrate"], 1)));
        assert!(
            of_migrate.ends_with(
                "`converge import --run runs/x --config move.yml` begins this stage again, and \
                 `converge status --run runs/x --config move.yml` says how to go on"
            ),
            "{of_migrate}"
        );
        let outside = hint(&work(&["migrate", "--keep-export", "--config", "a b"], 1));
        assert!(
            outside.ends_with("begin again with `converge migrate --keep-export --config 'a b'`"),
            "{outside}"
        );
        let rehearsal = hint(&with_run(work(&["rehearse", "--config", "move.yml"], 1)));
        assert!(
            rehearsal.ends_with(
                "take back what the target may hold with `converge rollback --config move.yml`, \
                 and begin the rehearsal again with `converge rehearse --config move.yml`"
            ),
            "{rehearsal}"
        );
    }

    #[test]
    fn of_several_databases_the_one_at_work_and_those_done_are_named() {
        let done = ["alkemio".to_owned()];
        let work = work(&["import"], 2).after(done.iter());
        let hint = hint(&work);
        assert!(hint.starts_with("`kratos`: look with "), "{hint}");
        assert!(
            hint.contains("; done before and kept: `alkemio`; once the server"),
            "{hint}"
        );
    }

    #[test]
    fn work_does_not_go_on_to_its_commit_while_the_process_is_being_ended() {
        let work = work(&["import"], 1);
        let being_ended = turn();
        let (sender, said) = mpsc::channel();
        let at_work = work.clone();
        let worker = thread::spawn(move || {
            at_work.leaves("committed");
            sender.send(()).unwrap();
        });
        let waits = said.recv_timeout(Duration::from_millis(200));
        assert_eq!(waits, Err(mpsc::RecvTimeoutError::Timeout));
        assert!(hint(&work).starts_with("look with "));
        drop(being_ended);
        worker.join().unwrap();
        assert!(hint(&work).starts_with("committed"));
    }
}
