//! Whether the sources stood still through a final move: from the snapshot of the export to the
//! end of the comparison nobody wrote to them.
//!
//! Looks at the servers' own books; that the rows are equal is the comparison's to say.

use std::collections::BTreeMap;

use dataset::Manifest;

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
            let (is_read_only, is_logged) = look(run, database, |source| {
                Ok((source.is_read_only()?, source.coordinates()?.is_some()))
            })?;
            let name = &database.name;
            if !(is_read_only || is_logged || vouched_for) {
                return Err(Failure::blocked(format!(
                    "the source of `{name}` can be written to, and it shows no binary log that \
                     would tell"
                ))
                .hint(
                    "make the server read-only, let this user see its binary log (grant \
                     replication client), or vouch for it with --source-frozen",
                )
                .into());
            }
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
