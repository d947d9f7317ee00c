//! What is looked at in one table: decided once, before its rows are read.
//!
//! Columns that cannot be moved at all are findings, and the rest of the table is looked at
//! without them.

use std::collections::BTreeSet;

use catalog::{Key, KeyKind, MysqlType, Outcome, PostgresType, SourceTable, TargetTable};
use transform::{PlanInput, TablePlan};

use super::finding::Finding;
use super::keys::{Reference, Unique};
use super::kinds::{self, Kind};
use crate::config::Database;
use crate::exit::Failure;
use crate::key_columns::KeyColumns;
use crate::pairing::TablePair;

/// A table, as far as it can be moved.
#[derive(Debug)]
pub(crate) struct Subject {
    /// Without the columns that cannot be moved.
    pub(crate) source: SourceTable,
    /// The same.
    pub(crate) target: TargetTable,
    pub(crate) plan: TablePlan,
    /// By the server's estimate.
    pub(crate) rows: u64,
    /// Columns that name a row, with their places in the source's record.
    pub(crate) key: Vec<(String, usize)>,
    /// Text columns.
    pub(crate) texts: Vec<TextColumn>,
    /// Columns whose values are counted where they are not NULL, by their places in the plan.
    pub(crate) counted: Vec<usize>,
    pub(crate) wide_keys: Vec<WideKey>,
    /// Columns of the target that a nondeterministic collation compares.
    pub(crate) nondeterministic: BTreeSet<String>,
    pub(crate) uniques: Vec<Unique>,
    pub(crate) references: Vec<Reference>,
}

/// A text column, by its places in the plan and in the source's record.
#[derive(Debug)]
pub(crate) struct TextColumn {
    pub(crate) column: usize,
    pub(crate) field: usize,
    /// Whether no rule says what the text really is.
    pub(crate) is_undeclared: bool,
}

/// An index of the target that a long value does not fit.
#[derive(Debug)]
pub(crate) struct WideKey {
    pub(crate) name: String,
    pub(crate) is_unique: bool,
    /// Its columns in SQL of the target.
    pub(crate) columns: Vec<String>,
    /// What could be indexed in their place: digests of those without a fixed length; `None` where
    /// one of those is of a type that has no digest of its own.
    pub(crate) digests: Option<Vec<String>>,
    /// Places of those without a fixed length, and whether they are written in hex.
    pub(crate) long: Vec<(usize, bool)>,
    /// Bytes of the others.
    pub(crate) fixed_bytes: usize,
}

impl Subject {
    /// Plans a table; what cannot be moved is added to `findings`.
    ///
    /// # Errors
    /// Where a rule cannot work.
    pub(crate) fn plan(
        database: &Database,
        pair: TablePair<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, Failure> {
        let (mut source, mut target) = (pair.source.clone(), pair.target.clone());
        let plan = loop {
            let input = PlanInput {
                database: &database.name,
                source: &source,
                target: &target,
                rules: &database.rules,
                datetime_zone: database.datetime_zone.as_deref(),
            };
            match TablePlan::new(&input) {
                Ok(plan) => break plan,
                Err(error) => {
                    for misfit in error.misfits() {
                        let column = misfit.place().column.clone().unwrap_or_default();
                        findings.push(misfit_finding(database, pair, misfit, &column)?);
                        source.columns.retain(|c| c.name != column);
                        target.columns.retain(|c| c.name != column);
                    }
                }
            }
        };
        let mut subject = Self {
            rows: 0,
            key: key_fields(&source),
            texts: Vec::new(),
            counted: Vec::new(),
            wide_keys: Vec::new(),
            nondeterministic: BTreeSet::new(),
            uniques: Vec::new(),
            references: Vec::new(),
            plan,
            source,
            target,
        };
        subject.add_columns();
        let keys = subject.target.keys.iter();
        let wide = keys.filter_map(|key| wide_key(&subject.plan, &subject.target, key));
        subject.wide_keys = wide.collect();
        Ok(subject)
    }

    fn add_columns(&mut self) {
        for (index, column) in self.plan.columns().iter().enumerate() {
            let is_text = matches!(
                column.source_type(),
                MysqlType::Char { .. }
                    | MysqlType::Varchar { .. }
                    | MysqlType::Text(_)
                    | MysqlType::Json
            );
            // A uuid or a label has no past as bytes.
            let keeps_text = !matches!(
                column.target_type(),
                PostgresType::Uuid | PostgresType::Enum { .. }
            );
            if is_text && keeps_text {
                let as_bytes = |outcome: &Outcome| {
                    matches!(
                        outcome,
                        Outcome::Latin1ToBytes | Outcome::Latin1ToBytesBase64
                    )
                };
                self.texts.push(TextColumn {
                    column: index,
                    field: column.field(),
                    is_undeclared: !column.rules().any(|rule| as_bytes(&rule.outcome)),
                });
            }
            if is_zone_less(column) {
                self.counted.push(index);
            }
        }
    }

    /// The table with some of its columns alone, and its plan; `ordered` where rows are to come
    /// by their key, whose columns it must then have.
    pub(crate) fn narrowed(
        &self,
        database: &Database,
        columns: &[&str],
        ordered: bool,
    ) -> anyhow::Result<(SourceTable, TablePlan)> {
        let (mut source, mut target) = (self.source.clone(), self.target.clone());
        source
            .columns
            .retain(|c| columns.contains(&c.name.as_str()));
        target
            .columns
            .retain(|c| columns.contains(&c.name.as_str()));
        if !ordered {
            source.keys.clear();
        }
        let plan = TablePlan::new(&PlanInput {
            database: &database.name,
            source: &source,
            target: &target,
            rules: &database.rules,
            datetime_zone: database.datetime_zone.as_deref(),
        })?;
        Ok((source, plan))
    }

    /// The name of a column in the plan.
    pub(crate) fn column_name(&self, index: usize) -> &str {
        self.plan.columns()[index].name()
    }
}

/// Whether a moment of the source becomes a date and a time of day without a zone.
fn is_zone_less(column: &transform::ColumnPlan) -> bool {
    let is_moment = matches!(
        column.source_type(),
        MysqlType::Datetime { .. } | MysqlType::Timestamp { .. }
    );
    is_moment && matches!(column.target_type(), PostgresType::Timestamp { .. })
}

/// The finding for a column that cannot be moved.
fn misfit_finding(
    database: &Database,
    pair: TablePair<'_>,
    misfit: &transform::Misfit,
    column: &str,
) -> Result<Finding, Failure> {
    let kind: &'static Kind = match misfit.kind() {
        "column_only_in_source" => kinds::COLUMN_ONLY_IN_SOURCE,
        "column_only_in_target" => kinds::COLUMN_WITHOUT_VALUE,
        "generated_in_source" => kinds::GENERATED_IN_SOURCE,
        "generated_in_target" => kinds::GENERATED_IN_TARGET,
        "not_converted" => kinds::NO_CONVERSION,
        // The configuration's fault, whatever the data are.
        _ => return Err(Failure::usage(misfit.to_string()).hint(misfit.hint())),
    };
    let mut finding = Finding::new(&database.name, kind)
        .table(&pair.source.name)
        .column(column);
    if kind == kinds::NO_CONVERSION {
        finding = finding.detail(misfit.to_string()).hint(misfit.hint());
    }
    Ok(finding)
}

/// The columns that name a row, where they are read.
pub(crate) fn key_fields(source: &SourceTable) -> Vec<(String, usize)> {
    let mut read = source.columns.iter();
    let read: Vec<&str> = read
        .by_ref()
        .filter(|column| column.generated.is_none())
        .map(|column| column.name.as_str())
        .collect();
    let keys = source::key_columns(source).into_iter();
    let field = |name: &str| Some((name.to_owned(), read.iter().position(|c| *c == name)?));
    keys.map(field).collect::<Option<_>>().unwrap_or_default()
}

/// An index that a value of its columns could be too long for.
fn wide_key(plan: &TablePlan, target: &TargetTable, key: &Key) -> Option<WideKey> {
    /// What the largest of the types with a fixed length takes.
    const FIXED_BYTES: usize = 16;
    let kind = matches!(
        key.kind,
        KeyKind::Primary | KeyKind::Unique | KeyKind::Index
    );
    let method = key.method.as_deref().is_none_or(|name| name == "btree");
    if !kind || !method || key.predicate.is_some() {
        return None;
    }
    let mut names = key.plain_columns()?;
    // A primary key takes no expressions, and NULLs that count as equal have no digest.
    let has_stand_in = key.kind != KeyKind::Primary && !key.nulls_not_distinct;
    let digests = names.iter().map(|name| digest(target, name)).collect();
    let digests = Option::filter(digests, |_: &Vec<String>| has_stand_in);
    names.extend(key.include.iter().map(String::as_str));
    let mut wide = WideKey {
        name: key.name.clone(),
        is_unique: key.is_unique(),
        digests,
        columns: names
            .iter()
            .map(|name| catalog::quote::postgres(name))
            .collect(),
        long: Vec::new(),
        fixed_bytes: 0,
    };
    for name in &names {
        let Some(at) = KeyColumns::find(plan, &[name]).and_then(|found| found.positions().next())
        else {
            wide.fixed_bytes += FIXED_BYTES;
            continue;
        };
        match target.column(name).map(|column| &column.data_type) {
            Some(PostgresType::Bytea) => wide.long.push((at, true)),
            Some(data_type) if has_no_fixed_length(data_type) => wide.long.push((at, false)),
            _ => wide.fixed_bytes += FIXED_BYTES,
        }
    }
    (!wide.long.is_empty()).then_some(wide)
}

/// A column as a part of an index that is never too wide.
fn digest(target: &TargetTable, name: &str) -> Option<String> {
    let quoted = catalog::quote::postgres(name);
    match target.column(name).map(|column| &column.data_type) {
        Some(PostgresType::Text | PostgresType::Varchar { .. }) => Some(format!("md5({quoted})")),
        Some(PostgresType::Bytea) => Some(format!("sha256({quoted})")),
        Some(data_type) if has_no_fixed_length(data_type) => None,
        _ => Some(quoted),
    }
}

fn has_no_fixed_length(data_type: &PostgresType) -> bool {
    matches!(
        data_type,
        PostgresType::Text
            | PostgresType::Varchar { .. }
            | PostgresType::Char { .. }
            | PostgresType::Json
            | PostgresType::Jsonb
            | PostgresType::Array(_)
            | PostgresType::Other(_)
    )
}
