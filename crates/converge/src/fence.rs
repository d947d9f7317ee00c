//! Whether the sources stood still through a final move: from the snapshot of the export to the
//! end of the comparison nobody wrote to them.
//!
//! Looks at the servers' own books; that the rows are equal is the comparison's to say.

use std::collections::BTreeMap;

use dataset::Manifest;
use source::Followed;

use crate::command::export;
use crate::config::Database;
use crate::exit::Failure;
use crate::lost::{Side, Task, Work};
use crate::run::Run;

const TASK: Task = Task {
    name: "migrate",
    sides: &[Side::Source],
    leaves: "the source was only looked at; `{status}` says what the target holds",
    is_kept: false,
};

/// What was known of the sources before the move began.
#[derive(Debug)]
pub(crate) struct Fence {
    /// Whether the server took no writes, by the database's name in the configuration.
    read_only: BTreeMap<String, bool>,
    /// Whether the operator vouches for what the servers cannot say.
    vouched_for: bool,
}

impl Fence {
    /// Fails where it could not be known afterwards that a source stood still.
    pub(crate) fn raise(run: &Run, vouched_for: bool) -> anyhow::Result<Self> {
        let mut read_only = BTreeMap::new();
        for database in &run.config.databases {
            let seen = look(run, database, |source| {
                Ok(Seen {
                    is_read_only: source.is_read_only()?,
                    is_logged: source.coordinates()?.is_some(),
                    has_log: source.has_binary_log()?,
                    followed: source.followed()?.unwrap_or_default(),
                })
            })?;
            let name = &database.name;
            match seen.followed.first() {
                _ if vouched_for => {}
                Some(followed) if !seen.is_logged || lags(followed) => {
                    return Err(of_a_replica(name, followed).into());
                }
                Some(followed) => run.console.line(&format!(
                    "note: the source of `{name}` is a replica of {}",
                    standing(followed)
                )),
                None if !(seen.is_read_only || seen.is_logged) => {
                    return Err(unknown(name, seen.has_log).into());
                }
                None => {}
            }
            let is_read_only = seen.is_read_only;
            read_only.insert(name.clone(), is_read_only);
        }
        Ok(Self {
            read_only,
            vouched_for,
        })
    }

    /// The databases whose source was written to since the export, or is not known to be as it
    /// was.
    pub(crate) fn moved(&self, run: &Run) -> anyhow::Result<Vec<String>> {
        let mut moved = Vec::new();
        for database in &run.config.databases {
            let directory = run
                .directory
                .database_dir(&database.name, export::DIRECTORY)?;
            let before = Manifest::read(&directory)?.source.coordinates;
            let stood_still = look(run, database, |source| {
                let has_moved = match &before {
                    Some(before) => source.has_moved_since(before)?,
                    None => None,
                };
                Ok(match has_moved {
                    Some(has_moved) => !has_moved,
                    None if self.vouched_for => true,
                    None => self.read_only[&database.name] && source.is_read_only()?,
                })
            })?;
            if !stood_still {
                moved.push(database.name.clone());
            }
        }
        Ok(moved)
    }
}

/// What a source says of itself.
struct Seen {
    is_read_only: bool,
    /// Whether the user sees a binary log in which all writes are.
    is_logged: bool,
    /// Whether there is a binary log.
    has_log: bool,
    followed: Vec<Followed>,
}

/// Whether writes of the server that is followed are still to come. Where nothing is applied,
/// somebody has stopped it.
fn lags(followed: &Followed) -> bool {
    followed.is_applied && followed.behind_seconds != Some(0)
}

fn standing(followed: &Followed) -> String {
    let Followed { server, .. } = followed;
    match (followed.is_applied, followed.behind_seconds) {
        (false, _) => format!("{server}, stopped: what is written there does not arrive"),
        (true, Some(seconds)) => format!("{server}, {seconds} s behind it"),
        (true, None) => format!("{server}, which it does not reach"),
    }
}

fn of_a_replica(name: &str, followed: &Followed) -> Failure {
    let server = &followed.server;
    Failure::blocked(format!(
        "the source of `{name}` is a replica of {}, and a final move wants a source to which \
         nothing is written any more",
        standing(followed)
    ))
    .hint(format!(
        "name {server} in databases.{name}.source; or stop the writes to {server}, wait until the \
         replica is 0 s behind, make it a server of its own (`stop replica; reset replica all`, on \
         MariaDB `stop slave; reset slave all`) and read-only; or vouch for it with --source-frozen"
    ))
}

fn unknown(name: &str, has_log: bool) -> Failure {
    let see = match has_log {
        true => "let this user see its binary log (grant replication client), ",
        false => "",
    };
    Failure::blocked(format!(
        "the source of `{name}` can be written to, and it shows no binary log that would tell"
    ))
    .hint(format!(
        "make the server read-only, {see}or vouch for it with --source-frozen"
    ))
}

fn look<T>(
    run: &Run,
    database: &Database,
    question: impl FnOnce(&mut source::Connection) -> Result<T, source::Error>,
) -> anyhow::Result<T> {
    let work = Work::before_a_stage(&TASK, &run.call, database, &run.directory);
    work.watched(database, || {
        let mut source = source::Connection::open(&database.source)?;
        Ok(question(&mut source)?)
    })
}
