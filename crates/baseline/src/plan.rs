//! The schema that a source's schema becomes: what `sql` writes down.
//!
//! Decides types, names, keys and what is left out; every part of the source that has no
//! counterpart is named in a note.

mod columns;
mod constraints;
mod keys;
mod left_out;
mod names;
mod subject;

use std::collections::BTreeSet;
use std::fmt;

use catalog::{Server, ServerKind, SourceCatalog, TargetCatalog, TargetTable};

use crate::left_out::LeftOut;
use crate::note::{Note, NoteKind};
use crate::{BaselineOptions, NotUnited, OnUpdate, TypeMap, Unsupported};

use names::Names;
use subject::Subject;

/// A schema to be made, and what is to be said about it.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The tables; their defaults and expressions are as `sql` writes them, which is not yet how
    /// a server would show them.
    pub catalog: TargetCatalog,
    /// Extensions that types need.
    pub extensions: BTreeSet<&'static str>,
    /// Triggers for `on update`, where they are asked for.
    pub triggers: Vec<UpdateTrigger>,
    /// What a reviewer has to know; ordered.
    pub notes: Vec<Note>,
    /// What the source's tables have and these have not.
    pub left_out: Vec<LeftOut>,
}

impl Baseline {
    /// A schema as it was read, without the name of its schema: its tables, and what belongs to
    /// them.
    pub fn of_catalog(catalog: TargetCatalog) -> Self {
        Self {
            catalog,
            extensions: BTreeSet::new(),
            triggers: Vec::new(),
            notes: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// The same in parts of so many tables at the most, each with what its tables need but for
    /// their foreign keys.
    pub fn parts(&self, tables_max: usize) -> Vec<Self> {
        let parts = self.catalog.tables.chunks(tables_max.max(1)).map(|tables| {
            let mut catalog = self.catalog.clone();
            catalog.tables = tables.to_vec();
            for table in &mut catalog.tables {
                table.foreign_keys.clear();
            }
            let triggers = self.triggers.iter();
            let of_these = triggers.filter(|trigger| catalog.table(&trigger.table).is_some());
            Self {
                triggers: of_these.cloned().collect(),
                extensions: self.extensions.clone(),
                notes: Vec::new(),
                left_out: Vec::new(),
                catalog,
            }
        });
        parts.collect()
    }
}

/// A trigger that sets columns when a row changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateTrigger {
    /// The table.
    pub table: String,
    /// Name of the trigger and of its function.
    pub name: String,
    /// Columns, and the SQL of what they are set to.
    pub columns: Vec<(String, String)>,
    /// The columns by which a change is seen where others are computed, which have no values yet
    /// when the trigger runs; none where the whole row is looked at.
    pub compared: Vec<String>,
}

/// What a baseline is made by.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The type map with its overrides.
    pub map: &'a TypeMap,
    /// What is done beyond the schema as it is.
    pub options: BaselineOptions,
    /// The schema of the target.
    pub schema: &'a str,
    /// The clock of the source's `datetime`.
    pub datetime_zone: Option<&'a str>,
    /// Tables that are left out.
    pub exclude_tables: &'a BTreeSet<String>,
}

/// Why there is no baseline: everything at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// Columns without a type.
    pub unsupported: Vec<Unsupported>,
    /// Foreign keys between types that do not compare.
    pub not_united: Vec<NotUnited>,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unsupported = self.unsupported.iter().map(ToString::to_string);
        let not_united = self.not_united.iter().map(ToString::to_string);
        let lines: Vec<String> = unsupported.chain(not_united).collect();
        f.write_str(&lines.join("; "))
    }
}

impl std::error::Error for PlanError {}

/// The oldest server that a baseline is for: it decides what SQL may be written.
const SERVER_VERSION: &str = "14";

/// What a schema becomes.
///
/// # Errors
/// Where columns have no type, or foreign keys join what has no common one: all of them.
pub fn plan(source: &SourceCatalog, wanted: &Wanted<'_>) -> Result<Baseline, PlanError> {
    let subject = Subject::new(source, wanted)?;
    let mut notes = subject.notes.clone();
    let mut tables = Vec::new();
    let mut triggers = Vec::new();
    let mut extensions = BTreeSet::new();
    let mut all_left_out = Vec::new();
    for table in &subject.tables {
        let mut planned = TargetTable::new(table.name.clone());
        planned.comment = constraints::comment(
            table.source.comment.as_deref(),
            &table.source.name,
            &mut notes,
        );
        columns::plan(table, wanted, &mut planned, &mut extensions, &mut notes);
        constraints::plan_checks(table, &mut planned, &mut notes);
        let implicit = keys::implicit(table.source, wanted.options.index_foreign_keys);
        keys::plan(table, &implicit, &mut planned, &mut notes);
        constraints::plan_foreign_keys(&subject, table, wanted.options, &mut planned, &mut notes);
        if wanted.options.on_update == OnUpdate::Trigger {
            triggers.extend(columns::trigger(table, wanted, &planned));
        }
        all_left_out.extend(left_out::of(table, &planned));
        tables.push(planned);
    }
    Names::give(&mut tables, &mut notes);
    name_others(source, wanted, &mut notes);
    notes.sort();
    notes.dedup();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    triggers.sort_by(|a: &UpdateTrigger, b| a.table.cmp(&b.table));
    let server = Server {
        kind: ServerKind::Postgres,
        version: SERVER_VERSION.to_owned(),
    };
    let mut catalog = TargetCatalog::new(server, wanted.schema);
    catalog.tables = tables;
    Ok(Baseline {
        catalog,
        extensions,
        triggers,
        notes,
        left_out: all_left_out,
    })
}

/// Names what is no table, and the tables that were left out.
fn name_others(source: &SourceCatalog, wanted: &Wanted<'_>, notes: &mut Vec<Note>) {
    for table in &source.tables {
        if wanted.exclude_tables.contains(&table.name) {
            let what = format!("table `{}`", table.name);
            notes.push(not_translated("excluded by the configuration", what));
        }
    }
    for other in &source.others {
        let of = other.table.as_ref();
        let of = of.map_or(String::new(), |table| format!(" of `{table}`"));
        let what = format!("{} `{}`{of}", other.kind.label(), other.name);
        notes.push(not_translated(
            "not a table: write it anew if it is needed",
            what,
        ));
    }
    for hidden in &source.hidden {
        notes.push(not_translated(
            "not visible to this login: `doctor` says what to grant",
            format!("{}s, if there are any", hidden.label()),
        ));
    }
}

fn not_translated(reason: impl Into<String>, what: impl Into<String>) -> Note {
    note(NoteKind::NotTranslated, reason, what)
}

fn note(kind: NoteKind, reason: impl Into<String>, what: impl Into<String>) -> Note {
    Note {
        kind,
        reason: reason.into(),
        what: what.into(),
    }
}
