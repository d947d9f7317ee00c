//! What `baseline check` prints.

use serde::Serialize;

use ::baseline::{Difference, DifferenceSide};
use catalog::quote;

use crate::config::Database;
use crate::console::counted;
use crate::text::Text;

/// What `baseline check --output json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    schema_version: u32,
    /// `equal` or `different`.
    verdict: &'static str,
    /// What the targets were compared with.
    expected: String,
    databases: Vec<Entry>,
}

/// A target and how it differs.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    name: String,
    /// The schema that the statements of `sql` are for: set it as the search path.
    schema: String,
    /// How many tables are expected.
    tables: usize,
    differences: Vec<DifferenceEntry>,
    #[serde(skip)]
    lines: Vec<String>,
}

#[derive(Debug, Serialize)]
struct DifferenceEntry {
    side: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    object: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<String>,
    /// What the statements may cost, such as `its rows are lost`.
    #[serde(skip_serializing_if = "Option::is_none")]
    loses: Option<&'static str>,
    /// Statements that would mend it, in one transaction; empty where none would.
    sql: Vec<String>,
}

impl Entry {
    pub(super) fn new(database: &Database, tables: usize, differences: &[Difference]) -> Self {
        Self {
            name: database.name.clone(),
            schema: database.target_schema.clone(),
            tables,
            differences: differences.iter().map(DifferenceEntry::new).collect(),
            lines: differences.iter().map(line).collect(),
        }
    }
}

impl DifferenceEntry {
    fn new(difference: &Difference) -> Self {
        Self {
            side: difference.side.name(),
            kind: difference.kind.name(),
            table: difference.table.clone(),
            object: difference.object.clone(),
            expected: difference.expected.clone(),
            found: difference.found.clone(),
            loses: difference.loses,
            sql: difference.mend.clone(),
        }
    }
}

/// A difference and what would mend it.
fn line(difference: &Difference) -> String {
    let loses = match difference.loses {
        Some(what) => format!(" ({what})"),
        None => String::new(),
    };
    match (difference.mend_line(), difference.mend.is_empty()) {
        (Some(sql), _) if difference.mend.len() > 1 => {
            format!("{difference}; mend{loses}: begin; {sql} commit;")
        }
        (Some(sql), _) => format!("{difference}; mend{loses}: {sql}"),
        (None, true) if difference.side == DifferenceSide::NotTranslated => difference.to_string(),
        (None, true) => format!("{difference}; no statement mends it"),
        (None, false) => format!("{difference}; mend{loses}: see --output json"),
    }
}

impl Document {
    pub(super) fn new(expected: String, databases: Vec<Entry>) -> Self {
        let differ = databases.iter().any(|entry| !entry.differences.is_empty());
        Self {
            schema_version: 1,
            verdict: if differ { "different" } else { "equal" },
            expected,
            databases,
        }
    }

    /// How many there are.
    pub(super) fn differences(&self) -> usize {
        let entries = self.databases.iter();
        entries.map(|entry| entry.differences.len()).sum()
    }

    pub(super) fn human(&self) -> Text {
        let mut text = Text::new();
        for entry in &self.databases {
            let tables = counted(entry.tables as u64, "table");
            let count = match entry.differences.len() {
                0 => "no difference".to_owned(),
                count => counted(count as u64, "difference"),
            };
            let expected = &self.expected;
            text.line(format!(
                "{}: {tables} compared with {expected}: {count}",
                entry.name
            ));
            for line in &entry.lines {
                text.line(format!("  {line}"));
            }
        }
        text.line(format!("verdict: {}", self.verdict));
        text
    }

    /// What to do about differences.
    pub(super) fn hint(&self) -> String {
        let schemas = self.databases.iter();
        let differ = schemas.filter(|entry| !entry.differences.is_empty());
        let other = differ.filter(|entry| entry.schema != "public");
        let paths: Vec<String> = other
            .map(|entry| {
                let schema = quote::postgres(&entry.schema);
                format!("set search_path = {}", quote::postgres_shown(&schema))
            })
            .collect();
        let with = match paths.is_empty() {
            true => String::new(),
            false => format!(
                " (first: {}, with the schemas of extensions behind it)",
                paths.join(", or ")
            ),
        };
        format!(
            "change what is expected (`types`, `baseline` and `exclude_tables` of the \
             configuration), or run what mends it{with}; a line can also be right as it is"
        )
    }
}
