//! The files of a baseline: where they are, what is in them, and which statement stands where.
//!
//! It runs nothing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// The directory of a run that a baseline is in.
pub(super) const DIRECTORY: &str = "baseline";
/// In the order in which they are applied.
pub(super) const FILES: [&str; 2] = ["pre_data.sql", "post_data.sql"];

/// The files of one database.
pub(super) struct Scripts {
    files: Vec<Script>,
}

struct Script {
    path: PathBuf,
    sql: String,
}

impl Scripts {
    pub(super) fn read(directory: &Path) -> Result<Self, Failure> {
        let read = |name: &&str| {
            let path = directory.join(name);
            let sql = fs::read_to_string(&path).map_err(|error| {
                Failure::usage(format!("reading {}: {error}", path.display())).hint(
                    "a baseline is pre_data.sql and post_data.sql in a directory for each \
                     database, as `baseline generate` writes them",
                )
            })?;
            Ok(Script { path, sql })
        };
        let files = FILES.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { files })
    }

    /// The statements of all files.
    pub(super) fn statements(&self) -> Result<Vec<&str>, Failure> {
        let mut statements = Vec::new();
        for file in &self.files {
            statements.extend(target::statements(&file.sql).map_err(|error| {
                Failure::blocked(format!(
                    "{}, line {}: {}",
                    file.path.display(),
                    error.line,
                    error.why()
                ))
                .hint("mend the file; nothing was changed")
            })?);
        }
        Ok(statements)
    }

    /// File and line of a statement.
    pub(super) fn place(&self, statement: &str) -> String {
        let within = |file: &&Script| {
            let range = file.sql.as_bytes().as_ptr_range();
            range.contains(&statement.as_ptr())
        };
        let file = self
            .files
            .iter()
            .find(within)
            .expect("a statement is a part of its file");
        let line = target::line_of(&file.sql, statement);
        format!("{}, line {line}", file.path.display())
    }
}
