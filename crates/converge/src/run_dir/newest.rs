//! Which of the runs below `runs` is meant where none is named.
//!
//! Those of other accounts are not: they are passed over, with one note.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use super::state::RunState;
use super::{RUNS, RunDirectory, private};
use crate::console;
use crate::text::Text;

/// A command looks more than once, and says it once.
static SAID: Once = Once::new();

impl RunDirectory {
    /// The newest run below `runs`, if there is one.
    pub(crate) fn newest() -> anyhow::Result<Option<Self>> {
        Self::newest_of(|_, _| true)
    }

    /// The run of that id, where it is below `runs`.
    pub(crate) fn with_id(run_id: &str) -> anyhow::Result<Option<Self>> {
        Self::newest_of(|_, state| state.run_id == run_id)
    }

    /// Takes the newest run below `runs` whose directory passes, if there is one.
    pub(crate) fn newest_with(passes: impl Fn(&Path) -> bool) -> anyhow::Result<Option<Self>> {
        Self::newest_of(|path, _| passes(path))?
            .map(Self::locked)
            .transpose()
    }

    fn newest_of(passes: impl Fn(&Path, &RunState) -> bool) -> anyhow::Result<Option<Self>> {
        let Found { mut runs, foreign } = Found::look();
        if let [first, more @ ..] = &foreign[..] {
            let more = match more.len() {
                0 => String::new(),
                more => format!(" (and {more} more like it)"),
            };
            SAID.call_once(|| console::line(&format!("note: passed over{more}: {first}")));
        }
        runs.sort_by(|(a, _), (b, _)| b.age().cmp(&a.age()));
        let mut newest = runs.into_iter().filter(|(state, path)| passes(path, state));
        newest.next().map(|(_, path)| Self::open(&path)).transpose()
    }
}

/// One more than any run below `runs` has. Two that begin at once may get the same: then the time
/// tells which is newer, and each goes on in its own directory.
pub(super) fn next_sequence() -> u64 {
    let runs = Found::look().runs;
    let highest = runs.iter().map(|(state, _)| state.sequence).max();
    highest.map_or(1, |highest| highest.saturating_add(1))
}

/// What is below `runs`.
#[derive(Default)]
struct Found {
    runs: Vec<(RunState, PathBuf)>,
    /// Why others are passed over.
    foreign: Vec<String>,
}

impl Found {
    fn look() -> Self {
        let mut found = Self::default();
        let entries = fs::read_dir(RUNS).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path
                .symlink_metadata()
                .is_ok_and(|metadata| metadata.is_file())
            {
                continue;
            }
            if let Err(failure) = private::check(&path) {
                let hint = failure
                    .next_step()
                    .map_or_else(String::new, Text::to_string);
                found.foreign.push(format!("{failure}; {hint}"));
                continue;
            }
            // A directory that is being made, or that holds something else, is no run.
            if let Ok(state) = RunState::read(&path) {
                found.runs.push((state, path));
            }
        }
        found
    }
}
