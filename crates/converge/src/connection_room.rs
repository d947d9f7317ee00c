//! Whether both servers have room for the connections of a run, known before anything is changed.

use crate::config::Database;
use crate::exit::Failure;

/// Beside the workers: the session that holds the lock of the run, and the heartbeat.
const TARGET_BESIDE_WORKERS: u64 = 2;
/// Beside the workers: the session that reads the catalog, the one that asks for the lock, the one
/// that keeps the schema from changing, and the heartbeat.
const SOURCE_BESIDE_WORKERS: u64 = 4;

/// What limits connections on one side.
struct Room {
    side: &'static str,
    needed: u64,
    /// The narrowest limit: name, connections, those of others.
    limit: Option<(String, u64, u64)>,
}

/// Fails where the target has no room for so many workers; else says how much there is.
pub(crate) fn check_target(
    database: &Database,
    target: &mut target::Connection,
    workers: usize,
) -> anyhow::Result<String> {
    let limit = target.connection_limits()?.into_iter().next();
    Room {
        side: "target",
        needed: workers as u64 + TARGET_BESIDE_WORKERS,
        limit: limit.map(|limit| (limit.name, limit.connections, limit.used)),
    }
    .check(database, workers)
}

/// The same on the source.
pub(crate) fn check_source(
    database: &Database,
    source: &mut source::Connection,
    workers: usize,
) -> anyhow::Result<String> {
    let limit = source.connection_limits()?.into_iter().next();
    Room {
        side: "source",
        needed: workers as u64 + SOURCE_BESIDE_WORKERS,
        limit: limit.map(|limit| (limit.name, limit.connections, limit.used)),
    }
    .check(database, workers)
}

impl Room {
    fn check(self, database: &Database, workers: usize) -> anyhow::Result<String> {
        let Self {
            side,
            needed,
            limit,
        } = self;
        let Some((name, connections, used)) = limit else {
            return Ok(format!("{needed} needed on the {side}"));
        };
        let free = connections.saturating_sub(used);
        if needed <= free {
            return Ok(format!(
                "{needed} needed on the {side}, {free} free ({name})"
            ));
        }
        let beside = needed - workers as u64;
        let fewer = match free.saturating_sub(beside) {
            0 => String::new(),
            jobs => format!("run with --jobs {jobs}, or "),
        };
        Err(Failure::blocked(format!(
            "the {side} of `{}` has no room for {needed} connections (--jobs {workers} and \
             {beside} more): {name} is {connections}, {used} used by others",
            database.name
        ))
        .hint(format!(
            "nothing was changed; {fewer}raise the limit to {} or more, or end other sessions",
            needed.saturating_add(used)
        ))
        .into())
    }
}
