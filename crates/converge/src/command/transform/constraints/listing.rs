//! The list of what rules for constraints did: which record, by its key, which rule, which level.
//!
//! Holds keys, never other values; `rejected/user.constraints.csv` for the table `user`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use dataset::Record;

use super::Converted;
use super::output::Output;
use super::rows::Row;
use crate::config::ConstraintRule;
use crate::constraint_rules::{LISTED, kept_file};

/// The lists of all tables.
pub(super) struct Listings<'l> {
    converted: &'l Converted<'l>,
    /// Made with the first line of a table.
    lists: BTreeMap<usize, Listing>,
    line: Record,
}

struct Listing {
    /// Positions in the converted record.
    key: Vec<usize>,
    output: Output,
}

impl<'l> Listings<'l> {
    pub(super) fn new(converted: &'l Converted<'l>) -> Self {
        Self {
            converted,
            lists: BTreeMap::new(),
            line: Record::new(),
        }
    }

    /// Adds a row that a rule is carried out on, and on which level.
    pub(super) fn add(
        &mut self,
        table: usize,
        row: Row<'_>,
        record: &Record,
        (rule, level): (&ConstraintRule, u32),
    ) -> anyhow::Result<()> {
        let list = match self.lists.entry(table) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Listing::begin(self.converted, table)?),
        };
        self.line.clear();
        self.line.push_bytes(row.file.as_bytes());
        self.line.push_bytes(row.record.to_string().as_bytes());
        for position in &list.key {
            self.line.push(record.get(*position));
        }
        self.line.push_bytes(rule.to_string().as_bytes());
        self.line.push_bytes(level.to_string().as_bytes());
        list.output.write(&self.line)
    }

    /// Gives the lists their names.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        for list in self.lists.into_values() {
            list.output.finish()?;
        }
        Ok(())
    }
}

impl Listing {
    fn begin(converted: &Converted<'_>, table: usize) -> anyhow::Result<Self> {
        let plan = converted.tables[table].plan;
        let (mut key, mut header) = (Vec::new(), vec!["file".to_owned(), "record".to_owned()]);
        for name in plan.key_columns() {
            if let Some(position) = plan.columns().iter().position(|c| c.name() == name) {
                key.push(position);
                header.push(format!("key.{name}"));
            }
        }
        header.extend(["rule", "level"].map(str::to_owned));
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let name = &converted.tables[table].entry.name;
        let path = kept_file(&converted.places.rejected, name, LISTED);
        Ok(Self {
            key,
            output: Output::create(path, &header)?,
        })
    }
}
