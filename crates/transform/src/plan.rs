//! The plan of a table: which columns are converted, in which order, and how.
//!
//! Made once from both catalogues and the rules; afterwards records go in and come out.

mod survey;

use catalog::{Condition, Place, Rule, RuleSet, SourceTable, TargetColumn, TargetTable};
use dataset::Record;

use crate::column::{ColumnInput, ColumnPlan, Work};
use crate::error::{Error, Kind as MisfitKind, Misfit};
use crate::rejection::{Details, Kind, Problem, Rejection};

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// The database's name in the config, for messages.
    pub database: &'a str,
    /// The table as the source has it.
    pub source: &'a SourceTable,
    /// The table as the target has it.
    pub target: &'a TargetTable,
    /// The rules of the database.
    pub rules: &'a RuleSet,
    /// The zone of the source's `datetime` columns, needed where one becomes a timestamp
    /// with time zone.
    pub datetime_zone: Option<&'a str>,
}

/// How the records of one table are converted.
///
/// Holds buffers and counters: several workers on one table each take a clone.
#[derive(Clone, Debug)]
pub struct TablePlan {
    database: String,
    table: String,
    /// Fields of an input record.
    fields: usize,
    columns: Vec<ColumnPlan>,
    left_out: Vec<String>,
    /// The primary key's columns with their positions in the input record.
    key: Vec<(String, usize)>,
    rules: Vec<(String, u64)>,
    work: Work,
}

impl TablePlan {
    /// Makes the plan. Columns match by name, compared by bytes.
    ///
    /// # Errors
    /// Where a column of the source has no place in the target, where one of the target
    /// must have a value and gets none or is generated on one side alone, where a pair of
    /// types has no conversion, and where a rule that names its column cannot work there.
    pub fn new(input: &PlanInput<'_>) -> Result<Self, Error> {
        let mut misfits = without_partner(input);
        let mut plan = Self {
            database: input.database.to_owned(),
            table: input.source.name.clone(),
            fields: exported(input.source).count(),
            columns: Vec::new(),
            left_out: Vec::new(),
            key: key_fields(input.source),
            rules: Vec::new(),
            work: Work::default(),
        };
        for target in input
            .target
            .columns
            .iter()
            .filter(|c| c.generated.is_none())
        {
            match exported(input.source).position(|source| source.name == target.name) {
                None => plan.left_out.push(target.name.clone()),
                Some(field) => misfits.extend(plan.add_column(input, field, target)),
            }
        }
        Error::check(misfits)?;
        Ok(plan)
    }

    /// Plans a column; returns what stands in the way.
    fn add_column(
        &mut self,
        input: &PlanInput<'_>,
        field: usize,
        target: &TargetColumn,
    ) -> Vec<Misfit> {
        let Some(source) = exported(input.source).nth(field) else {
            return Vec::new();
        };
        let rules = input.rules.for_column(&self.table, &source.name);
        let column = ColumnInput {
            field,
            source,
            target,
            rules: &rules,
            datetime_zone: input.datetime_zone,
        };
        match ColumnPlan::new(&column, |rule| counter(&mut self.rules, rule)) {
            Ok(column) => {
                self.columns.push(column);
                Vec::new()
            }
            Err(kinds) => kinds
                .into_iter()
                .map(|kind| Misfit::new(place(&self.database, &self.table, &source.name), kind))
                .collect(),
        }
    }

    /// The columns of an output record, in the target's order.
    pub fn columns(&self) -> &[ColumnPlan] {
        &self.columns
    }

    /// Columns of the target that the source does not fill: the target's default or NULL.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Converts a record: its fields are the source's columns without the generated ones,
    /// in their order. `record_number` counts from 1.
    ///
    /// # Errors
    /// Where a value cannot be converted; `output` then holds a part of the record, and no
    /// rule was counted.
    pub fn convert(
        &mut self,
        input: &Record,
        output: &mut Record,
        record_number: u64,
    ) -> Result<(), Rejection> {
        output.clear();
        self.work.applied.clear();
        if input.len() != self.fields {
            return Err(self.wrong_length(input.len(), record_number));
        }
        for column in &self.columns {
            if let Err(problem) = column.convert(input, output, &mut self.work) {
                return Err(self.rejection(column, &problem, input, record_number));
            }
        }
        if !self.work.applied.is_empty() {
            self.count();
        }
        Ok(())
    }

    /// Counts the rules that changed the record, each once whatever number of fields it changed.
    #[cold]
    fn count(&mut self) {
        // By rule and, for each, in the order of the columns.
        self.work.applied.sort_by_key(|(counter, _)| *counter);
        for fields in self.work.applied.chunk_by(|a, b| a.0 == b.0) {
            self.rules[fields[0].0].1 += 1;
        }
    }

    /// The rules that changed the record that was converted last, each with the names of the
    /// columns that it changed.
    pub fn changes(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let by_rule = self.work.applied.chunk_by(|a, b| a.0 == b.0);
        by_rule.map(|applied| {
            let columns = applied.iter().filter_map(|(_, field)| {
                let mut columns = self.columns.iter();
                Some(columns.find(|column| column.field() == *field)?.name())
            });
            (self.rules[applied[0].0].0.as_str(), columns.collect())
        })
    }

    /// The columns of the source's primary key, in key order; empty where there is none.
    pub fn key_columns(&self) -> impl Iterator<Item = &str> {
        self.key.iter().map(|(name, _)| name.as_str())
    }

    /// Their fields in a record that goes in.
    pub fn key_fields<'r>(&self, input: &'r Record) -> impl Iterator<Item = Option<&'r [u8]>> {
        self.key.iter().map(|(_, field)| input.get(*field))
    }

    /// Each rule that could apply, as it displays, with the number of records that it
    /// changed so far; a rule that changed two fields of a record counts it once.
    pub fn rule_counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.rules
            .iter()
            .map(|(rule, records)| (rule.as_str(), *records))
    }

    #[cold]
    fn rejection(
        &self,
        column: &ColumnPlan,
        problem: &Problem,
        input: &Record,
        record_number: u64,
    ) -> Rejection {
        let mut place = place(&self.database, &self.table, column.name());
        place.key = self.key_of(input);
        place.record = Some(record_number);
        Rejection::new(Details {
            place,
            kind: problem.kind,
            detail: column.describe(problem, input.get(column.field())),
            hint: match problem.kind {
                Kind::Condition(condition) => self.rule_line(column, condition),
                _ => None,
            },
        })
    }

    #[cold]
    fn wrong_length(&self, length: usize, record_number: u64) -> Rejection {
        Rejection::new(Details {
            place: Place {
                database: Some(self.database.clone()),
                table: Some(self.table.clone()),
                record: Some(record_number),
                ..Place::default()
            },
            kind: Kind::Malformed,
            detail: format!("the record has {length} fields, expected {}", self.fields),
            hint: None,
        })
    }

    fn key_of(&self, input: &Record) -> Vec<(String, String)> {
        let names = self.key_columns().map(str::to_owned);
        let printed = |field: Option<&[u8]>| field.map_or("NULL".into(), printable);
        names.zip(self.key_fields(input).map(printed)).collect()
    }

    fn rule_line(&self, column: &ColumnPlan, condition: Condition) -> Option<String> {
        let outcome = column.suggestion(condition)?;
        let pattern = catalog::ColumnPattern {
            table: Some(self.table.clone()),
            column: Some(column.name().to_owned()),
        };
        let pattern = yaml_scalar(&pattern.to_string());
        Some(format!(
            "{{column: {pattern}, when: {condition}, then: {outcome}}}"
        ))
    }
}

/// The columns whose values are in the export.
fn exported(table: &SourceTable) -> impl Iterator<Item = &catalog::SourceColumn> {
    table
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
}

/// Columns of one side that the other must have and does not.
fn without_partner(input: &PlanInput<'_>) -> Vec<Misfit> {
    let misfit =
        |column: &str, kind| Misfit::new(place(input.database, &input.source.name, column), kind);
    let mut misfits = Vec::new();
    for source in exported(input.source) {
        match input.target.column(&source.name) {
            None => misfits.push(misfit(&source.name, MisfitKind::OnlyInSource)),
            Some(target) if target.generated.is_some() => {
                misfits.push(misfit(&source.name, MisfitKind::GeneratedInTarget));
            }
            Some(_) => {}
        }
    }
    let plain = input.target.columns.iter();
    for target in plain.filter(|column| column.generated.is_none()) {
        let fills_itself = target.nullable || target.default.is_some() || target.auto_increment;
        match input.source.column(&target.name) {
            // The export has no generated columns: a default would stand for their values.
            Some(source) if source.generated.is_some() => {
                misfits.push(misfit(&target.name, MisfitKind::GeneratedInSource));
            }
            None if !fills_itself => {
                misfits.push(misfit(&target.name, MisfitKind::OnlyInTarget));
            }
            _ => {}
        }
    }
    misfits
}

fn place(database: &str, table: &str, column: &str) -> Place {
    Place {
        database: Some(database.to_owned()),
        table: Some(table.to_owned()),
        column: Some(column.to_owned()),
        ..Place::default()
    }
}

fn key_fields(table: &SourceTable) -> Vec<(String, usize)> {
    let field = |name: &str| exported(table).position(|column| column.name == name);
    table
        .primary_key_columns()
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), field(name)?)))
        .collect()
}

fn counter(rules: &mut Vec<(String, u64)>, rule: &Rule) -> usize {
    let name = rule.to_string();
    match rules.iter().position(|(known, _)| *known == name) {
        Some(index) => index,
        None => {
            rules.push((name, 0));
            rules.len() - 1
        }
    }
}

/// A key's value for a message: on one line, and not a page of it.
fn printable(value: &[u8]) -> String {
    /// Two uuids and a hyphen fit.
    const CHARACTERS_MAX: usize = 80;
    let text = String::from_utf8_lossy(value);
    let mut printable: String = text
        .chars()
        .take(CHARACTERS_MAX)
        .flat_map(|c| {
            c.is_control()
                .then(|| c.escape_default())
                .map_or_else(|| vec![c], Iterator::collect)
        })
        .collect();
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        printable.push('…');
    }
    printable
}

/// A name as YAML reads it back inside a flow mapping.
pub fn yaml_scalar(text: &str) -> String {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            c if catalog::is_hidden(c) => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
