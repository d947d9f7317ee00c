//! A finding: what was found where, in how many rows, and the way out.
//!
//! Holds keys, never other cells.

use catalog::quote;
use serde::{Serialize, Serializer};

use super::kinds::{Kind, Severity};

/// How many keys of a finding are listed; all rows are counted.
pub(crate) const SAMPLES_MAX: usize = 10;

/// A row's key: columns and values, in key order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowKey(pub(crate) Vec<(String, String)>);

impl Serialize for RowKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(column, value)| (column, value)))
    }
}

/// Rows with the first of their keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count {
    pub(crate) rows: u64,
    pub(crate) keys: Vec<RowKey>,
}

impl Count {
    /// Adds a row; `key` is asked for while keys are still listed.
    pub(crate) fn add(&mut self, key: impl FnOnce() -> Option<RowKey>) {
        self.rows += 1;
        if self.keys.len() < SAMPLES_MAX {
            self.keys.extend(key());
        }
    }

    /// Adds the rows that come behind these.
    pub(crate) fn append(&mut self, later: Self) {
        self.rows += later.rows;
        let free = SAMPLES_MAX.saturating_sub(self.keys.len());
        self.keys.extend(later.keys.into_iter().take(free));
    }
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) database: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) table: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) constraint: Option<String>,
    /// What is neither a table nor a column nor a constraint, such as a view.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<String>,
    #[serde(serialize_with = "kind_name")]
    pub(crate) kind: &'static Kind,
    pub(crate) severity: &'static str,
    pub(crate) blocking: bool,
    /// Rows that are concerned; of a finding about a schema, rows of its table.
    pub(crate) rows: u64,
    /// The first of their keys.
    pub(crate) sample_keys: Vec<RowKey>,
    /// What is particular about this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    pub(crate) why: &'static str,
    /// What to do.
    pub(crate) hint: String,
    /// A rule for the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn kind_name<S: Serializer>(kind: &&'static Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name)
}

impl Finding {
    /// A finding about a database as a whole.
    pub(crate) fn new(database: &str, kind: &'static Kind) -> Self {
        Self {
            database: database.to_owned(),
            table: None,
            column: None,
            constraint: None,
            object: None,
            kind,
            severity: kind.severity.name(),
            blocking: kind.severity != Severity::Note,
            rows: 0,
            sample_keys: Vec::new(),
            detail: None,
            why: kind.why,
            hint: kind.fix.to_owned(),
            rule: None,
        }
    }

    /// Names the table; the hint names it, too.
    pub(crate) fn table(mut self, table: &str) -> Self {
        self.table = Some(table.to_owned());
        self.hint = self.hint.replace("{table}", &quote::mysql(table));
        self.hint = self.hint.replace("{object}", table);
        self
    }

    /// Names the column.
    pub(crate) fn column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self.hint = self.hint.replace("{column}", &quote::mysql(column));
        self
    }

    /// Names the constraint.
    pub(crate) fn constraint(mut self, constraint: &str) -> Self {
        self.constraint = Some(constraint.to_owned());
        self
    }

    /// Names something else.
    pub(crate) fn object(mut self, object: &str) -> Self {
        self.object = Some(object.to_owned());
        self.hint = self.hint.replace("{object}", object);
        self
    }

    /// Says how many rows, and which.
    pub(crate) fn count(mut self, count: Count) -> Self {
        self.rows = count.rows;
        self.sample_keys = count.keys;
        self
    }

    /// Says how many rows.
    pub(crate) fn rows(mut self, rows: u64) -> Self {
        self.rows = rows;
        self
    }

    /// Says what is particular.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says what to do in words of its own.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// A rule that would let the rows pass, where there is one.
    pub(crate) fn rule(mut self, rule: Option<String>) -> Self {
        self.rule = rule;
        self
    }

    /// How much it stands in the way.
    pub(crate) fn severity(&self) -> Severity {
        self.kind.severity
    }

    /// Where it is, from the outside in.
    pub(crate) fn place(&self) -> String {
        let names = [&self.table, &self.column, &self.constraint, &self.object];
        let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        match names.is_empty() {
            true => self.database.clone(),
            false => format!("{}.{}", self.database, names.join(".")),
        }
    }

    /// Sorts by severity, then by place.
    pub(crate) fn order(&self) -> impl Ord + use<> {
        let known = super::kinds::ALL.iter();
        (
            self.severity(),
            known.clone().position(|known| *known == self.kind),
            self.table.clone(),
            self.column.clone(),
            self.constraint.clone(),
            self.object.clone(),
        )
    }
}
