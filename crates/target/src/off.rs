//! What is off while rows are loaded, with the statements that bring it back.
//!
//! Kept in the ledger before the first of it goes, so that whoever comes next can bring it back.

use postgres::Transaction;

use crate::error::{Doing, Error};
use crate::offenders::{self, Checked};

/// An index, foreign key or trigger that is off for a load.
#[derive(Clone, Debug)]
pub struct Off {
    /// Place in the order in which all of a run come back.
    pub(crate) number: i32,
    pub(crate) kind: OffKind,
    /// Quoted and qualified by the server.
    pub(crate) table: String,
    /// As it is, for messages.
    pub(crate) name: String,
    pub(crate) remove: String,
    pub(crate) restore: String,
    /// Of a foreign key that comes back without a look at the rows: the look.
    pub(crate) validate: Option<String>,
    /// Where the rows that violate it can be looked for.
    pub(crate) checked: Option<Checked>,
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

impl OffKind {
    /// As the ledger has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::ForeignKey => "foreign_key",
            Self::Trigger => "trigger",
        }
    }
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

    /// Whether both are one and the same thing.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.kind, &self.table, &self.name) == (other.kind, &other.table, &other.name)
    }

    pub(crate) fn take_off(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        transaction
            .batch_execute(&self.remove)
            .doing(|| {
                format!(
                    "dropping or disabling `{}` of {} for the load",
                    self.name, self.table
                )
            })
            .map_err(|error| error.in_definition(&self.remove))
    }

    /// Brings it back; what has a validation still holds for new rows only.
    pub(crate) fn put_back(&self, transaction: &mut Transaction<'_>) -> Result<OffState, Error> {
        let restore = |transaction: &mut Transaction<'_>| {
            let restored = transaction.batch_execute(&self.restore);
            let restored = restored.doing(|| self.coming_back());
            restored.map_err(|error| self.explain(error))
        };
        match self.validate {
            Some(_) => restore(transaction).map(|()| OffState::Unvalidated),
            None => {
                offenders::check(transaction, self.checked.as_ref(), restore)?;
                Ok(OffState::On)
            }
        }
    }

    /// The look at the rows, where bringing it back took none.
    pub(crate) fn validate(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        let Some(sql) = &self.validate else {
            return Ok(());
        };
        offenders::check(transaction, self.checked.as_ref(), |transaction| {
            transaction.batch_execute(sql).doing(|| self.coming_back())
        })
    }

    /// Brings it back to the end, where the rows are those from before and need no search.
    pub(crate) fn try_back(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        let validate = self.validate.as_deref().unwrap_or_default();
        let sql = format!("{}; {validate}", self.restore);
        transaction
            .batch_execute(&sql)
            .doing(|| self.coming_back())
            .map_err(|error| self.explain(error))
    }

    /// An index may call functions for each row, whose words hold cells.
    fn explain(&self, error: Error) -> Error {
        match self.kind {
            OffKind::Key => error,
            OffKind::ForeignKey | OffKind::Trigger => error.in_definition(&self.restore),
        }
    }

    /// Brings it back to the end.
    pub(crate) fn put_back_whole(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        self.put_back(transaction)?;
        self.validate(transaction)
    }

    fn coming_back(&self) -> String {
        let (name, table) = (&self.name, &self.table);
        match self.kind {
            OffKind::Key => format!("building index `{name}` of {table}"),
            OffKind::ForeignKey => format!("checking foreign key `{name}` of {table}"),
            OffKind::Trigger => format!("enabling trigger `{name}` of {table} again"),
        }
    }
}
