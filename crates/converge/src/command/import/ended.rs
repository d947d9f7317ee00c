//! How a load that did not come to its end leaves the target, and what to do then.

use target::{LaterRows, LedgerRun, Leftovers};

use crate::call::next;
use crate::exit::{Failure, INTERRUPTED, UNEXPECTED};
use crate::interrupt::Interrupt;
use crate::run::StageRun;

/// What the target holds when an error is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// What it held before.
    Nothing,
    /// A part of the load.
    Loading,
}

fn kept() -> String {
    format!(
        "what is loaded is kept: `{}` resumes, `{}` rolls it back",
        next("import"),
        next("rollback")
    )
}

/// Whether the next import can go on: the reason is not in the files or the schema.
pub(super) fn can_go_on(error: &anyhow::Error) -> bool {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.code == INTERRUPTED;
    }
    // Everything else is of this machine, such as a file that cannot be read.
    error.downcast_ref::<target::Error>().is_none_or(|error| {
        error.is_lost_connection() || error.is_about_the_session() || error.is_obstacle()
    })
}

/// Adds to an error who holds the lock that was waited for.
pub(super) fn with_owners(
    error: anyhow::Error,
    schema: &str,
    connection: &mut target::Connection,
) -> anyhow::Error {
    match error.downcast::<target::Error>() {
        // Who cannot be named is not worth another error.
        Ok(error) if error.is_lock_timeout() => {
            let owners = connection.lock_owners(schema).unwrap_or_default();
            error.held_by(&owners).into()
        }
        Ok(error) => error.into(),
        Err(error) => error,
    }
}

/// What an error means for the stage.
pub(super) fn explain(
    error: anyhow::Error,
    interrupt: &Interrupt,
    reached: Reached,
) -> anyhow::Error {
    let error = match error.downcast::<target::Error>() {
        Ok(error) => error,
        Err(error) => return error,
    };
    if error.is_cancelled()
        && let Err(interrupted) = interrupt.check()
    {
        return interrupted.into();
    }
    if error.is_lost_connection() {
        // The stage says what that means for the target.
        return error.into();
    }
    let message = error.to_string();
    if reached == Reached::Loading {
        return match error.is_obstacle() || error.is_precondition() {
            true => Failure::refused(message).hint(kept()).into(),
            false => Failure::new(UNEXPECTED, message).hint(kept()).into(),
        };
    }
    let (failure, why) = if error.is_precondition() {
        let status = format!("`{}` says what the target holds", next("status"));
        (Failure::blocked(message), status)
    } else if error.is_about_the_file() {
        let again = format!("run `{}` again", next("transform"));
        (Failure::blocked(message), again)
    } else if error.is_about_a_definition() {
        let others = "let it accept this tool's statements for the load, or disable the event \
             trigger meanwhile: alter event trigger ... disable"
            .to_owned();
        (Failure::blocked(message), others)
    } else if error.is_about_room() {
        let room = "give the server more room: max_locks_per_transaction where it says `out of \
             shared memory`, max_connections and connection limits where it says `too many`"
            .to_owned();
        (Failure::blocked(message), room)
    } else if error.is_obstacle() {
        let others = "this is about privileges or locks, not about a row".to_owned();
        (Failure::blocked(message), others)
    } else if !error.is_about_data() {
        let before = "the target is as it was before".to_owned();
        (Failure::new(UNEXPECTED, message), before)
    } else if error.constraint().is_some() {
        let repair = "repair the rows on the source and export again, or declare a rule for the constraint and transform again".to_owned();
        (Failure::refused(message), repair)
    } else if !error.names_a_record() {
        let functions = "look at the target's functions, triggers and event triggers".to_owned();
        (Failure::refused(message), functions)
    } else {
        let place = "the message names the record of the file and the column".to_owned();
        (Failure::refused(message), place)
    };
    failure.hint(format!("nothing was changed; {why}")).into()
}

/// Takes the load back, and says what the error means then.
pub(super) fn taken_back(
    error: anyhow::Error,
    stage: &StageRun<'_>,
    connection: &mut target::Connection,
) -> anyhow::Error {
    let database = stage.database;
    let taken = LedgerRun::read(connection, &database.ledger).and_then(|run| match run {
        Some(run) => {
            let how = (&run, LaterRows::Kept);
            target::roll_back(connection, &database.ledger, how, Leftovers::WaitedFor).map(Some)
        }
        None => Ok(None),
    });
    let why = match taken {
        Ok(Some(taken)) if !taken.later.is_empty() => {
            let by_others = target::LaterWrites::list(&taken.later);
            format!("others have written to the tables: {by_others}")
        }
        Ok(_) => return explain(error, stage.interrupt, Reached::Nothing),
        Err(rollback) => rollback.to_string(),
    };
    Failure::refused(format!("{error:#}; and it was not taken back: {why}"))
        .hint(format!(
            "what is loaded is kept: `{}` takes it back",
            next("rollback")
        ))
        .into()
}
