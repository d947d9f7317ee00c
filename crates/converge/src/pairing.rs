//! Which source table goes to which target table, and that every column has its partner.
//!
//! Decided from both live catalogues by name; says what does not fit, moves nothing.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::panic::resume_unwind;
use std::thread;

use catalog::{SourceCatalog, SourceTable, TargetCatalog, TargetTable};

use crate::config::Database;
use crate::exit::Failure;
use crate::source_privileges;
use crate::versions;

/// Both catalogues of a database.
#[derive(Debug)]
pub(crate) struct Catalogs {
    pub(crate) source: SourceCatalog,
    pub(crate) target: TargetCatalog,
}

/// A table on both sides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TablePair<'c> {
    pub(crate) source: &'c SourceTable,
    pub(crate) target: &'c TargetTable,
}

/// The tables of both sides.
#[derive(Debug, Default)]
pub(crate) struct Sides<'c> {
    pub(crate) pairs: Vec<TablePair<'c>>,
    pub(crate) source_only: Vec<&'c SourceTable>,
    pub(crate) target_only: Vec<&'c TargetTable>,
}

impl Catalogs {
    /// Reads both from the live servers, which must be of supported versions.
    pub(crate) fn discover(
        database: &Database,
        source: &mut source::Connection,
        target: &mut target::Connection,
    ) -> anyhow::Result<Self> {
        versions::support(source.server())?;
        versions::support(target.server())?;
        source_privileges::check(database, source)?;
        // Each of them waits for a server.
        let (found, target) = thread::scope(|scope| {
            let found = scope.spawn(|| source::discover(source, database.source_name()));
            let target = target::discover(target, &database.target_schema);
            let found = found.join().unwrap_or_else(|panic| resume_unwind(panic));
            (found, target)
        });
        Ok(Self {
            source: found?,
            target: target?,
        })
    }

    /// Fails where the configuration names a table or column that there is not: a misspelt
    /// exclusion would copy what was to be left alone.
    fn check_names(&self, database: &Database) -> Result<(), Failure> {
        let known =
            |name: &str| self.source.table(name).is_some() || self.target.table(name).is_some();
        let mut unknown: Vec<String> = Vec::new();
        let excluded = database
            .exclude_tables
            .iter()
            .map(|name| ("exclude_tables", name.as_str()));
        let replaced = database
            .target_rows
            .tables()
            .map(|name| ("target_rows", name));
        for (key, name) in excluded.chain(replaced).filter(|(_, name)| !known(name)) {
            unknown.push(format!("{key}: {name}"));
        }
        let of_source = self.source.tables.iter().map(|table| table.name.as_str());
        let of_target = self.target.tables.iter().map(|table| table.name.as_str());
        let tables: BTreeSet<&str> = of_source.chain(of_target).collect();
        let idle = database.include_tables.without_match(&tables);
        unknown.extend(idle.map(|pattern| format!("include_tables: {pattern}")));
        for pattern in database.rules.patterns() {
            let columns = self.source.tables.iter().flat_map(|table| {
                table
                    .columns
                    .iter()
                    .map(move |column| (table.name.as_str(), column.name.as_str()))
            });
            if !columns
                .into_iter()
                .any(|(table, column)| pattern.matches(table, column))
            {
                unknown.push(format!("rules: {pattern}"));
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "database `{}`: the configuration names what there is not: {}",
            database.name,
            unknown.join(", ")
        ))
        .hint("names are compared letter by letter, case included"))
    }

    /// The tables of the run, by name.
    ///
    /// Fails where a table that is not excluded stands on one side only.
    pub(crate) fn pairs(&self, database: &Database) -> Result<Vec<TablePair<'_>>, Failure> {
        let Sides {
            pairs,
            source_only,
            target_only,
        } = self.sides(database)?;
        if pairs.is_empty() {
            return Err(Failure::blocked(format!(
                "database `{}` has no table to move",
                database.name
            ))
            .hint("look at the names of the databases and of target_schema"));
        }
        if source_only.is_empty() && target_only.is_empty() {
            return Ok(pairs);
        }
        let mut message = format!("database `{}`: tables on one side only", database.name);
        let source_only = source_only.iter().map(|table| table.name.as_str());
        let target_only = target_only.iter().map(|table| table.name.as_str());
        let (source_only, target_only): (Vec<_>, Vec<_>) =
            (source_only.collect(), target_only.collect());
        for (side, names) in [("source", source_only), ("target", target_only)] {
            if !names.is_empty() {
                write!(message, "; {side}: {}", names.join(", ")).expect("text takes text");
            }
        }
        Err(Failure::blocked(message).hint(format!(
            "make them on the other side, or add them to databases.{}.exclude_tables",
            database.name
        )))
    }

    /// All tables that are not excluded, by the side that they stand on.
    pub(crate) fn sides(&self, database: &Database) -> Result<Sides<'_>, Failure> {
        self.check_names(database)?;
        let wanted = |name: &str| database.takes(name);
        let mut sides = Sides::default();
        let tables = self.source.tables.iter();
        for source in tables.filter(|table| wanted(&table.name)) {
            match self.target.table(&source.name) {
                Some(target) => sides.pairs.push(TablePair { source, target }),
                None => sides.source_only.push(source),
            }
        }
        let tables = self.target.tables.iter();
        let alone =
            |table: &&TargetTable| wanted(&table.name) && self.source.table(&table.name).is_none();
        sides.target_only = tables.filter(alone).collect();
        Ok(sides)
    }
}
