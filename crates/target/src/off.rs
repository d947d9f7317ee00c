//! What is off while rows are loaded, with what it takes to bring it back.
//!
//! Kept in the ledger before the first of it goes, so that whoever comes next can bring it back.
//! The statements are made here from its parts, each sent as one alone: no text of the ledger is
//! run as it stands.

use postgres::Transaction;

use catalog::quote;

use crate::error::{Doing, Error, Kind};
use crate::offenders::{self, Checked};
use crate::one_clause;

/// An index, foreign key or trigger that is off for a load.
#[derive(Clone, Debug)]
pub struct Off {
    /// Place in the order in which all of a run come back.
    pub(crate) number: i32,
    /// Quoted and qualified by the server.
    pub(crate) table: String,
    /// As it is.
    pub(crate) name: String,
    pub(crate) what: What,
    /// Where the rows that violate it can be looked for.
    pub(crate) checked: Option<Checked>,
}

/// What is off, as the server spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A key, unique or exclusion constraint with its index.
    KeyConstraint {
        /// Behind the constraint's name.
        definition: String,
        comment: Option<String>,
        /// Quoted and qualified.
        index: String,
        index_comment: Option<String>,
    },
    /// An index that no constraint has.
    Index {
        /// The whole statement that makes it.
        definition: String,
        /// Quoted and qualified.
        index: String,
        comment: Option<String>,
    },
    ForeignKey {
        /// Behind the constraint's name.
        definition: String,
        comment: Option<String>,
        /// Whether it may come back for new rows only, and look at the others later.
        later: bool,
    },
    Trigger {
        /// `pg_trigger.tgenabled`: `O` origin, `R` replica, `A` always.
        enabled: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffKind {
    Key,
    ForeignKey,
    Trigger,
}

/// How far back something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffState {
    Off,
    /// A foreign key that holds for new rows only.
    Unvalidated,
    On,
}

impl OffState {
    /// As the ledger has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Unvalidated => "unvalidated",
            Self::On => "on",
        }
    }
}

impl Off {
    /// Quoted and qualified.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The name of the index or constraint.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn kind(&self) -> OffKind {
        match self.what {
            What::KeyConstraint { .. } | What::Index { .. } => OffKind::Key,
            What::ForeignKey { .. } => OffKind::ForeignKey,
            What::Trigger { .. } => OffKind::Trigger,
        }
    }

    /// Whether both are one and the same thing.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.kind(), &self.table, &self.name) == (other.kind(), &other.table, &other.name)
    }

    /// The statement that takes it off.
    pub(crate) fn remove(&self) -> String {
        let (table, name) = (&self.table, quote::postgres(&self.name));
        match &self.what {
            What::KeyConstraint { .. } | What::ForeignKey { .. } => {
                format!("alter table {table} drop constraint {name}")
            }
            What::Index { index, .. } => format!("drop index {index}"),
            What::Trigger { .. } => format!("alter table {table} disable trigger {name}"),
        }
    }

    /// The statements that bring it back, and what was said of it.
    pub(crate) fn restore(&self) -> Vec<String> {
        let (table, name) = (&self.table, quote::postgres(&self.name));
        let add =
            |definition: &str| format!("alter table {table} add constraint {name} {definition}");
        let (made, comments) = match &self.what {
            What::KeyConstraint {
                definition,
                comment,
                index,
                index_comment,
            } => {
                let of_index = index_comment
                    .as_ref()
                    .map(|text| (format!("index {index}"), text));
                let of_key = comment
                    .as_ref()
                    .map(|text| (format!("constraint {name} on {table}"), text));
                (add(definition), [of_index, of_key])
            }
            What::Index {
                definition,
                index,
                comment,
            } => {
                let of_index = comment
                    .as_ref()
                    .map(|text| (format!("index {index}"), text));
                (definition.clone(), [of_index, None])
            }
            What::ForeignKey {
                definition,
                comment,
                later,
            } => {
                let of_key = comment
                    .as_ref()
                    .map(|text| (format!("constraint {name} on {table}"), text));
                let later = if *later { " not valid" } else { "" };
                (add(definition) + later, [of_key, None])
            }
            What::Trigger { enabled } => {
                let how = match enabled.as_str() {
                    "R" => "replica ",
                    "A" => "always ",
                    _ => "",
                };
                let sql = format!("alter table {table} enable {how}trigger {name}");
                (sql, [None, None])
            }
        };
        let comments = comments
            .into_iter()
            .flatten()
            .map(|(of, text)| format!("comment on {of} is {}", quote::postgres_literal(text)));
        [made].into_iter().chain(comments).collect()
    }

    /// The look at the rows, where bringing it back takes none.
    fn validation(&self) -> Option<String> {
        let is_later = matches!(self.what, What::ForeignKey { later: true, .. });
        is_later.then(|| {
            let name = quote::postgres(&self.name);
            format!("alter table {} validate constraint {name}", self.table)
        })
    }

    /// Fails for a definition that is more than one: it came from the ledger.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_one = match &self.what {
            What::KeyConstraint { definition, .. } => one_clause::is_key(definition),
            What::Index {
                definition, index, ..
            } => one_clause::is_index(definition, index, &self.table),
            What::ForeignKey { definition, .. } => one_clause::is_foreign_key(definition),
            What::Trigger { enabled } => ["O", "R", "A"].contains(&enabled.as_str()),
        };
        if is_one {
            return Ok(());
        }
        let text = format!(
            "the ledger's definition of `{}` of {} is not one that this tool wrote",
            self.name, self.table
        );
        Err(Error::new(Kind::State(text), "reading the ledger"))
    }

    pub(crate) fn take_off(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        let sql = self.remove();
        let removed = transaction.execute(&sql, &[]).doing(|| {
            format!(
                "dropping or disabling `{}` of {} for the load",
                self.name, self.table
            )
        });
        removed.map(drop).map_err(|error| error.in_definition(&sql))
    }

    /// Brings it back; what has a validation still holds for new rows only.
    pub(crate) fn put_back(&self, transaction: &mut Transaction<'_>) -> Result<OffState, Error> {
        match self.validation() {
            Some(_) => self
                .run_restore(transaction)
                .map(|()| OffState::Unvalidated),
            None => {
                let restore = |transaction: &mut Transaction<'_>| self.run_restore(transaction);
                offenders::check(transaction, self.checked.as_ref(), restore)?;
                Ok(OffState::On)
            }
        }
    }

    fn run_restore(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        for sql in self.restore() {
            let restored = transaction.execute(&sql, &[]).doing(|| self.coming_back());
            restored.map_err(|error| self.explain(error))?;
        }
        Ok(())
    }

    /// The look at the rows, where bringing it back took none.
    pub(crate) fn validate(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        let Some(sql) = self.validation() else {
            return Ok(());
        };
        offenders::check(transaction, self.checked.as_ref(), |transaction| {
            let validated = transaction.execute(&sql, &[]).doing(|| self.coming_back());
            validated.map(drop)
        })
    }

    /// Brings it back to the end, where the rows are those from before and need no search.
    pub(crate) fn try_back(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        self.run_restore(transaction)?;
        let Some(sql) = self.validation() else {
            return Ok(());
        };
        let validated = transaction.execute(&sql, &[]).doing(|| self.coming_back());
        validated.map(drop).map_err(|error| self.explain(error))
    }

    /// An index may call functions for each row, whose words hold cells.
    fn explain(&self, error: Error) -> Error {
        match self.kind() {
            OffKind::Key => error,
            OffKind::ForeignKey | OffKind::Trigger => {
                error.in_definition(&self.restore().join("; "))
            }
        }
    }

    /// Brings it back to the end.
    pub(crate) fn put_back_whole(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        self.put_back(transaction)?;
        self.validate(transaction)
    }

    fn coming_back(&self) -> String {
        let (name, table) = (&self.name, &self.table);
        match self.kind() {
            OffKind::Key => format!("building index `{name}` of {table}"),
            OffKind::ForeignKey => format!("checking foreign key `{name}` of {table}"),
            OffKind::Trigger => format!("enabling trigger `{name}` of {table} again"),
        }
    }
}
