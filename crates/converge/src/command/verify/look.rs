//! What a comparison looks at, and how much of what it finds is listed.

use catalog::KeySample;
use verify::{Compared, DrillLimits, TablePlan};

use crate::call::next;
use crate::config::Database;
use crate::exit::Failure;
use crate::pairing::Catalogs;

/// What is looked at, and how much of what is found is listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'l> {
    /// Differing rows of a table that are listed.
    pub(super) samples: usize,
    pub(super) show_values: bool,
    /// Tables, as `table` or `database.table`; all where there are none.
    pub(super) tables: &'l [String],
    /// How many of a hundred rows; all where it does not say.
    pub(super) sample_percent: Option<f64>,
    pub(super) compared: Compared,
}

impl<'l> Look<'l> {
    /// At every table.
    pub(crate) fn at_all(samples: usize) -> Self {
        Self {
            samples,
            show_values: false,
            tables: &[],
            sample_percent: None,
            compared: Compared::SourceTarget,
        }
    }

    /// Whether it leaves something of a migration unseen.
    pub(super) fn is_partial(self) -> bool {
        self.is_of_some_tables()
            || self.sample_percent.is_some()
            || self.compared != Compared::SourceTarget
    }

    fn is_of_some_tables(self) -> bool {
        !self.tables.is_empty()
    }

    pub(super) fn limits(self) -> DrillLimits {
        DrillLimits {
            samples: self.samples,
            show_values: self.show_values,
            ..DrillLimits::default()
        }
    }

    /// The rows of a table that are looked at; `None` for all of them.
    pub(super) fn sample(self, plan: &TablePlan) -> Option<KeySample> {
        self.sample_percent
            .and_then(|percent| plan.key_sample(percent))
    }

    fn names(name: &str, database: &str, table: &str) -> bool {
        name == table
            || name
                .strip_prefix(database)
                .and_then(|name| name.strip_prefix('.'))
                .is_some_and(|name| name == table)
    }

    pub(super) fn includes(self, database: &str, table: &str) -> bool {
        let mut names = self.tables.iter();
        !self.is_of_some_tables() || names.any(|name| Self::names(name, database, table))
    }

    /// A name that is none of a table would pass for one that was compared.
    pub(super) fn check(self, databases: &[Database]) -> anyhow::Result<()> {
        if !self.is_of_some_tables() {
            return Ok(());
        }
        let mut known = Vec::new();
        for database in databases {
            let mut source = source::Connection::open(&database.source)?;
            let mut target = target::Connection::open(&database.target)?;
            let catalogs = Catalogs::discover(database, &mut source, &mut target)?;
            let pairs = catalogs.pairs(database)?;
            let names = pairs.into_iter().map(|pair| pair.source.name.clone());
            known.extend(names.map(|table| (database.name.clone(), table)));
        }
        self.check_names(&known)
    }

    /// The same where the tables are known, each with its database.
    pub(super) fn check_names(self, known: &[(String, String)]) -> anyhow::Result<()> {
        let mut names = self.tables.iter();
        let is_unknown = |name: &&String| {
            let mut known = known.iter();
            !known.any(|(database, table)| Self::names(name, database, table))
        };
        match names.find(is_unknown) {
            None => Ok(()),
            Some(name) => Err(Failure::usage(format!(
                "--tables names `{name}`, and no table that is compared is called so"
            ))
            .hint(format!(
                "`{}` without --tables compares them all",
                next("verify")
            ))
            .into()),
        }
    }
}
