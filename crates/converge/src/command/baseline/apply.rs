//! `baseline apply`: makes the target's schema, or checks that its owner has made it.

use std::path::Path;

use serde::Serialize;

use catalog::quote;
use target::{AppliedBaseline, Baseline, Batches, Standing};

use crate::args::CommonArgs;
use crate::command::baseline::owner::{check_owner, progress};
use crate::command::baseline::scripts::{Origin, Scripts};
use crate::command::import;
use crate::config::{Database, SchemaOwner};
use crate::console::{Pulse, counted, thousands};
use crate::exit::{Failure, INTERRUPTED};
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task, Work};
use crate::run::Session;
use crate::target_encoding;
use crate::target_privileges::{self, Purpose};
use crate::text::Text;

const TASK: Task = Task {
    name: "baseline apply",
    sides: &[Side::Target],
    leaves: "a baseline is applied as a whole or not at all",
    is_kept: true,
};
/// From the moment in which it is known that one transaction is not enough.
const LEAVES_IN_BATCHES: &str = "what is applied is entered in the target, with the transaction \
                                 that applied it, and the same command goes on from there";

/// What `baseline apply --output json` prints.
#[derive(Debug, Serialize)]
struct Document {
    schema_version: u32,
    databases: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    /// `applied`, or `present` where this baseline was applied before, or the schema's owner has
    /// made it.
    outcome: &'static str,
    detail: String,
    /// blake3 of the baseline's files; `null` where the schema has another owner.
    blake3: Option<String>,
}

pub(super) fn run(
    common: &CommonArgs,
    from: Option<&Path>,
    interrupt: Interrupt,
) -> anyhow::Result<()> {
    let session = Session::open(common, interrupt)?;
    let origin = Origin::find(&session, common, from)?;
    let mut databases: Vec<Entry> = Vec::new();
    for database in &session.config.databases {
        session.interrupt.check()?;
        let done = databases.iter().map(|entry| &entry.name);
        let work = Work::outside(&TASK, &session.call, database).after(done);
        let apply = || apply(&session, database, &origin, &work);
        databases.push(work.watched(database, apply)?);
    }
    let human: Text = databases.iter().map(human).collect();
    let document = Document {
        schema_version: 1,
        databases,
    };
    session.console.result(&human, &document)?;
    Ok(())
}

fn human(entry: &Entry) -> String {
    let Entry { name, detail, .. } = entry;
    match (entry.outcome, &entry.blake3) {
        ("present", Some(_)) => format!("{name}: {detail}"),
        (outcome, _) => format!("{name}: {outcome} ({detail})"),
    }
}

fn apply(
    session: &Session,
    database: &Database,
    origin: &Origin<'_>,
    work: &Work,
) -> anyhow::Result<Entry> {
    let entry = |outcome, detail, blake3| Entry {
        name: database.name.clone(),
        outcome,
        detail,
        blake3,
    };
    if database.schema_owner != SchemaOwner::Converge {
        let mut connection = target::Connection::open(&database.target)?;
        let detail = check_owner(database, &mut connection)?;
        return Ok(entry("present", detail, None));
    }
    let scripts = Scripts::read(&origin.directory(database))?;
    let statements = scripts.statements()?;
    let blake3 = scripts.blake3();
    let mut connection = target::Connection::open(&database.target)?;
    import::check_nobody_at_work(&mut connection)?;
    target_privileges::check(database, &mut connection, Purpose::Apply)?;
    target_encoding::check(database, &mut connection)?;
    let application = Application {
        session,
        database,
        scripts: &scripts,
        baseline: Baseline {
            ledger: &database.ledger,
            schema: &database.target_schema,
            statements: &statements,
            blake3: &blake3,
            tool_version: env!("CARGO_PKG_VERSION"),
        },
    };
    let (outcome, detail) = application.run(&mut connection, work)?;
    Ok(entry(outcome, detail, Some(blake3)))
}

/// A baseline on its way into one database.
struct Application<'a> {
    session: &'a Session,
    database: &'a Database,
    scripts: &'a Scripts,
    baseline: Baseline<'a>,
}

impl Application<'_> {
    /// Applies what is not applied yet; returns the outcome and what is to be said of it.
    fn run(
        &self,
        connection: &mut target::Connection,
        work: &Work,
    ) -> anyhow::Result<(&'static str, String)> {
        let from = match self.baseline.standing(connection)? {
            Standing::Empty => 0,
            Standing::Own(own) => match &own.applied {
                Some(time) => return Ok(("present", since(time, &own))),
                None => own.done,
            },
            Standing::Other(other, objects) => return Err(self.another(&other, &objects).into()),
            Standing::Unknown(objects) => return Err(self.not_empty(&objects).into()),
        };
        let batches = Batches::plan(connection, self.baseline.statements, from)?;
        if from > 0 || batches.ranges.len() > 1 {
            work.leaves(LEAVES_IN_BATCHES);
            self.say_batches(&batches, from);
        }
        let _cancelled_on_interrupt = self.session.interrupt.cancels(connection.cancel());
        let mut pulse = Pulse::new(self.session.console);
        for range in &batches.ranges {
            let mut at = None;
            let proceed = |index| -> anyhow::Result<()> {
                at = Some(index).filter(|index| *index < range.end);
                self.session.interrupt.check()?;
                pulse.beat(|| self.progress_line(index));
                Ok(())
            };
            let result = self.baseline.apply(connection, range.clone(), proceed);
            result.map_err(|error| self.explain(error, range.start, at))?;
        }
        Ok(("applied", self.applied(&batches, from)))
    }

    fn applied(&self, batches: &Batches, from: usize) -> String {
        let statements = counted(self.baseline.statements.len() as u64, "statement");
        let mut text = format!("schema {}, {statements}", self.database.target_schema);
        if from > 0 {
            text.push_str(&format!(", of them {} before", thousands(from as u64)));
        }
        if batches.ranges.len() > 1 {
            let transactions = counted(batches.ranges.len() as u64, "transaction");
            text.push_str(&format!(", in {transactions}: {}", why(batches)));
        }
        text
    }

    fn say_batches(&self, batches: &Batches, from: usize) {
        let name = &self.database.name;
        let transactions = counted(batches.ranges.len() as u64, "transaction");
        let going_on = match from {
            0 => String::new(),
            from => format!("goes on after {}; ", counted(from as u64, "statement")),
        };
        self.session.console.line(&format!(
            "baseline   {name}: {going_on}{transactions}, {}; if it is interrupted, the same command goes on",
            why(batches)
        ));
    }

    fn progress_line(&self, index: usize) -> String {
        format!(
            "baseline   {} {} of {} statements",
            self.database.name,
            thousands(index as u64),
            thousands(self.baseline.statements.len() as u64)
        )
    }

    /// What an error means that came at a statement, or before the first one, with the statements
    /// before `done` applied for good.
    fn explain(&self, error: anyhow::Error, done: usize, at: Option<usize>) -> anyhow::Error {
        let is_stop = error
            .downcast_ref::<Failure>()
            .is_some_and(|failure| failure.code == INTERRUPTED);
        if is_stop || self.session.interrupt.is_set() && is_cancelled(&error) {
            return Failure::new(INTERRUPTED, "interrupted")
                .hint(format!("{}; {}", self.left(done), self.go_on()))
                .into();
        }
        let Some(refusal) = error.downcast_ref::<target::Error>() else {
            return error;
        };
        if refusal.is_lost_connection() {
            return error;
        }
        let message = match at {
            Some(at) => {
                let place = self.scripts.place(self.baseline.statements[at]);
                format!("{place}: {}", refusal.cause())
            }
            None => refusal.to_string(),
        };
        let left = self.left(done);
        let again = format!("begin again with `{}`", self.session.call.again());
        let failure = match refusal.sqlstate() {
            Some("53200") => Failure::blocked(message).hint(format!(
                "{left}; give the server more locks (max_locks_per_transaction, which needs a restart)"
            )),
            Some("42501") => Failure::blocked(message).hint(format!(
                "{left}; grant the role what it lacks, or apply as one that has it"
            )),
            _ if refusal.is_obstacle() => {
                Failure::blocked(message).hint(format!("{left}; once that is mended, {again}"))
            }
            None if refusal.is_precondition() => {
                Failure::blocked(message).hint(format!("{left}; once that is mended, {again}"))
            }
            _ if done == 0 => Failure::refused(message).hint(format!("{left}; mend the file")),
            _ => Failure::refused(message).hint(format!(
                "{left}; mend the cause and {}, or mend the file and begin with an empty schema: {}",
                self.go_on(),
                self.emptying()
            )),
        };
        failure.into()
    }

    fn left(&self, done: usize) -> String {
        match done {
            0 => "nothing was changed".to_owned(),
            done => format!(
                "{} of {} statements are applied",
                thousands(done as u64),
                thousands(self.baseline.statements.len() as u64)
            ),
        }
    }

    fn go_on(&self) -> String {
        format!("go on with `{}`", self.session.call.again())
    }

    fn emptying(&self) -> String {
        let schema = quote::postgres(&self.database.target_schema);
        format!("drop schema {schema} cascade; create schema {schema};")
    }

    fn not_empty(&self, objects: &[String]) -> Failure {
        Failure::blocked(format!(
            "schema `{}` of target `{}` is not empty: {}",
            self.database.target_schema,
            self.database.name,
            listed(objects)
        ))
        .hint("apply the baseline to an empty schema; nothing was changed")
    }

    fn another(&self, other: &AppliedBaseline, objects: &[String]) -> Failure {
        let state = match &other.applied {
            Some(time) => since(time, other),
            None => format!(
                "is applied in part: {} (blake3 {})",
                progress(other),
                other.blake3
            ),
        };
        let way_on = match &other.applied {
            Some(_) => format!(
                "apply this one (blake3 {}) to an empty schema",
                self.baseline.blake3
            ),
            None => format!(
                "go on with the files that it was begun with, or begin with these and an empty \
                 schema: {}",
                self.emptying()
            ),
        };
        Failure::blocked(format!(
            "schema `{}` of target `{}` has another baseline, which {state}: {}",
            self.database.target_schema,
            self.database.name,
            listed(objects)
        ))
        .hint(format!("nothing was changed; {way_on}"))
    }
}

fn is_cancelled(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<target::Error>();
    error.is_some_and(target::Error::is_cancelled)
}

fn since(time: &str, applied: &AppliedBaseline) -> String {
    format!("is applied since {time} (blake3 {})", applied.blake3)
}

fn why(batches: &Batches) -> String {
    format!(
        "since one would need about {} locks, and half of the server's have to do, {}",
        thousands(batches.locks_needed),
        thousands(batches.locks_room)
    )
}

/// Enough to recognise a schema by.
const OBJECTS_SHOWN: usize = 20;

fn listed(objects: &[String]) -> String {
    let shown = objects[..objects.len().min(OBJECTS_SHOWN)].join(", ");
    match objects.len() > OBJECTS_SHOWN {
        true => format!(
            "{}, the first of them {shown}",
            counted(objects.len() as u64, "object")
        ),
        false => shown,
    }
}
