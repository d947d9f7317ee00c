//! What the source has and no statement of a baseline makes: a target that has it by other hands
//! does not have it alone.
//!
//! Only whether it is the same thing is asked here, by its name or its columns; whether it means
//! the same cannot be known.

use catalog::{Check, ForeignKey, Key, KeyTerm, TargetTable, quote};

/// A part of a table of the source that is not translated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The table, by its name here.
    pub table: String,
    /// What.
    pub kind: LeftOutKind,
    /// Its name; of a default the column's.
    pub name: String,
    /// The columns that it speaks of, by their names here and in order.
    pub columns: Vec<String>,
}

/// Kinds of what can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOutKind {
    /// A generated column.
    Column,
    /// The default of a column.
    Default,
    /// A check.
    Check,
    /// A key or index.
    Key {
        /// Whether it demands anything.
        unique: bool,
        /// Whether it is of nothing but columns, and of the usual kind.
        plain: bool,
    },
    /// A foreign key.
    ForeignKey,
}

/// The parts of a table that are left out, of all that are.
pub(crate) struct OfTable<'l> {
    all: &'l [LeftOut],
    live: &'l TargetTable,
}

impl<'l> OfTable<'l> {
    /// `live` is the table as the target has it.
    pub(crate) fn new(all: &'l [LeftOut], live: &'l TargetTable) -> Self {
        Self { all, live }
    }

    fn has(&self, kind: LeftOutKind, name: &str, columns: &[&str]) -> bool {
        self.all.iter().any(|left_out| {
            let same_columns = !columns.is_empty() && left_out.columns == columns;
            left_out.table == self.live.name
                && left_out.kind == kind
                && (left_out.name == name || same_columns)
        })
    }

    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.has(LeftOutKind::Column, name, &[])
    }

    pub(crate) fn has_default(&self, column: &str) -> bool {
        self.has(LeftOutKind::Default, column, &[])
    }

    pub(crate) fn has_check(&self, check: &Check) -> bool {
        let columns = self.mentioned(|column| mentions(&check.expression, column));
        self.has(LeftOutKind::Check, &check.name, &columns)
    }

    pub(crate) fn has_key(&self, key: &Key) -> bool {
        let unique = key.is_unique();
        if let Some(columns) = key.plain_columns()
            && key.method.as_deref().is_none_or(|method| method == "btree")
        {
            let plain = true;
            return self.has(LeftOutKind::Key { unique, plain }, &key.name, &columns);
        }
        let columns = self.mentioned(|column| {
            key.parts.iter().any(|part| match &part.term {
                KeyTerm::Column { name, .. } => name == column,
                KeyTerm::Expression { expression } => mentions(expression, column),
            })
        });
        let plain = false;
        self.has(LeftOutKind::Key { unique, plain }, &key.name, &columns)
    }

    pub(crate) fn has_foreign_key(&self, key: &ForeignKey) -> bool {
        let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
        self.has(LeftOutKind::ForeignKey, &key.name, &columns)
    }

    fn mentioned(&self, is_mentioned: impl Fn(&str) -> bool) -> Vec<&'l str> {
        let names = self.live.columns.iter().map(|column| column.name.as_str());
        let mut names: Vec<&str> = names.filter(|name| is_mentioned(name)).collect();
        names.sort_unstable();
        names
    }
}

/// Whether an expression may speak of a column; in doubt it does.
pub(crate) fn mentions(expression: &str, column: &str) -> bool {
    let mut words = expression.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    expression.contains(&quote::postgres(column)) || words.any(|word| word == column)
}
