//! The files of a baseline: where they are, what is in them, and which statement stands where.
//!
//! It runs nothing.

use std::path::{Path, PathBuf};

use crate::args::CommonArgs;
use crate::call::shell_word;
use crate::config::{Database, SchemaOwner};
use crate::exit::Failure;
use crate::plain_file;
use crate::run::Session;
use crate::run_dir::RunDirectory;

/// The directory of a run that a baseline is in.
pub(super) const DIRECTORY: &str = "baseline";
/// In the order in which they are applied.
pub(super) const FILES: [&str; 2] = ["pre_data.sql", "post_data.sql"];

/// Where baselines are taken from.
pub(super) enum Origin<'a> {
    /// A directory with one for each database.
    Named(&'a Path),
    /// A run, which stays taken meanwhile.
    Run(Box<RunDirectory>),
    /// No database needs one.
    Nowhere,
}

impl<'a> Origin<'a> {
    /// Decides where the baselines of a session's databases are.
    pub(super) fn find(
        session: &Session,
        args: &CommonArgs,
        from: Option<&'a Path>,
    ) -> anyhow::Result<Self> {
        let databases = session.config.databases.iter();
        let needed: Vec<&Database> = databases
            .filter(|database| database.schema_owner == SchemaOwner::Converge)
            .collect();
        if let Some(from) = from {
            return Ok(Self::Named(from));
        }
        if needed.is_empty() {
            return Ok(Self::Nowhere);
        }
        let run = match &args.run {
            Some(path) => RunDirectory::open_existing(Some(path))?,
            None => {
                let has_all = |run: &Path| needed.iter().all(|of| is_in(run, of));
                RunDirectory::newest_with(has_all)?.ok_or_else(|| nowhere(session, &needed))?
            }
        };
        run.check_config(&session.config, session.console)?;
        Ok(Self::Run(Box::new(run)))
    }

    /// The directory of a database's files.
    pub(super) fn directory(&self, database: &Database) -> PathBuf {
        match self {
            Self::Named(from) => from.join(&database.name),
            Self::Run(run) => run.path().join(&database.name).join(DIRECTORY),
            Self::Nowhere => unreachable!("a database of this tool needs a baseline"),
        }
    }
}

fn is_in(run: &Path, database: &Database) -> bool {
    let directory = run.join(&database.name).join(DIRECTORY);
    FILES.iter().all(|file| directory.join(file).exists())
}

fn nowhere(session: &Session, needed: &[&Database]) -> Failure {
    let names: Vec<&str> = needed.iter().map(|of| of.name.as_str()).collect();
    Failure::usage(format!(
        "no run in runs/ has a baseline of `{}`",
        names.join("`, `")
    ))
    .hint(format!(
        "`{}` writes it; or name a directory with <database>/pre_data.sql and post_data.sql: --from DIR",
        session.call.with("baseline", &["generate"])
    ))
}

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
            if plain_file::is_writable_by_others(&path) {
                let message = format!("any account can change {}", path.display());
                let file = shell_word(&path.display().to_string());
                return Err(Failure::blocked(message).hint(format!(
                    "nothing was changed; look at what it says, then: chmod o-w {file}"
                )));
            }
            let sql = plain_file::read_text(&path).map_err(|error| {
                Failure::usage(format!("reading {}: {error}", path.display())).hint(
                    "a baseline is pre_data.sql and post_data.sql in a directory for each \
                     database, as `baseline generate` writes them",
                )
            })?;
            // Some editors put a mark before the first character.
            let sql = match sql.strip_prefix('\u{feff}') {
                Some(without) => without.to_owned(),
                None => sql,
            };
            Ok(Script { path, sql })
        };
        let files = FILES.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { files })
    }

    /// blake3 of both, each after its length, so that a line which moves from one to the other
    /// makes a difference.
    pub(super) fn blake3(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for file in &self.files {
            hasher.update(&(file.sql.len() as u64).to_le_bytes());
            hasher.update(file.sql.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts(files: [&str; 2]) -> Scripts {
        let files = files.iter().zip(FILES).map(|(sql, name)| Script {
            path: PathBuf::from(name),
            sql: (*sql).to_owned(),
        });
        Scripts {
            files: files.collect(),
        }
    }

    #[test]
    fn a_hash_sees_what_moves_between_the_files() {
        let one = scripts(["select 1;", "select 2;"]).blake3();
        assert_eq!(one, scripts(["select 1;", "select 2;"]).blake3());
        assert_ne!(one, scripts(["select 1;select 2;", ""]).blake3());
        assert_ne!(one, scripts(["", "select 1;select 2;"]).blake3());
    }

    #[test]
    fn a_statement_knows_its_file_and_line() {
        let scripts = scripts(["select 1;\nselect 2;", "\nselect 1"]);
        let statements = scripts.statements().unwrap();
        let places: Vec<String> = statements.iter().map(|sql| scripts.place(sql)).collect();
        assert_eq!(
            places,
            [
                "pre_data.sql, line 1",
                "pre_data.sql, line 2",
                "post_data.sql, line 2"
            ]
        );
    }
}
