//! The foreign keys and unique keys that the rules are about, by positions in converted records.

use anyhow::Context;

use catalog::{ForeignKey, Key};
use dataset::Record;

use super::Converted;
use crate::config::Remedy;
use crate::constraint_rules::{Object, Resolved, cleared_columns, compares_by_itself};
use crate::key_columns::{KeyColumns, KeyOf};

/// A foreign key between two tables that are moved.
#[derive(Debug)]
pub(super) struct Reference<'k> {
    pub(super) key: &'k ForeignKey,
    /// Which of the rules is about it.
    pub(super) rule: Option<usize>,
    /// Which of the tables has it.
    pub(super) child: usize,
    pub(super) columns: KeyColumns,
    /// Which of the tables it refers to.
    pub(super) parent: usize,
    pub(super) parent_columns: KeyColumns,
    /// The fields that become NULL where the rule says so.
    pub(super) clears: Vec<usize>,
}

/// A unique key with a rule.
#[derive(Debug)]
pub(super) struct Unique {
    pub(super) rule: usize,
    pub(super) table: usize,
    pub(super) columns: KeyColumns,
    pub(super) nulls_not_distinct: bool,
}

/// All foreign keys that the target checks: what one rule leaves out may be what another key
/// refers to.
pub(super) fn references<'k>(
    rules: &[Resolved<'k>],
    converted: &'k Converted<'k>,
) -> anyhow::Result<Vec<Reference<'k>>> {
    let mut references = Vec::new();
    for (child, pair) in converted.pairs.iter().enumerate() {
        for key in &pair.target.foreign_keys {
            let of_this = |rule: &Resolved<'_>| {
                let found = rule.foreign_key();
                found.is_some_and(|found| found.name == key.name)
                    && rule.rule.table == pair.source.name
            };
            let rule = rules.iter().position(of_this);
            let is_checked = key.enforced && key.validated && key.referenced_schema.is_none();
            let reference = reference(rules, rule, converted, child, key);
            anyhow::ensure!(
                rule.is_none() || reference.is_some(),
                "the rule for `{}` is for a key that is not moved",
                key.name
            );
            if rule.is_some() || is_checked {
                references.extend(reference);
            }
        }
    }
    references.sort_by_key(|reference| match reference.rule {
        Some(rule) if rules[rule].rule.remedy == Remedy::SkipToFile => 0,
        Some(_) => 1,
        None => 2,
    });
    Ok(references)
}

/// `None` where a side is not moved, or has columns that are not.
fn reference<'k>(
    rules: &[Resolved<'k>],
    rule: Option<usize>,
    converted: &'k Converted<'k>,
    child: usize,
    key: &'k ForeignKey,
) -> Option<Reference<'k>> {
    let mut pairs = converted.pairs.iter();
    let parent = pairs.position(|pair| pair.target.name == key.referenced_table)?;
    let (from, to) = (
        converted.pairs[child].target,
        converted.pairs[parent].target,
    );
    let mut columns = key.columns.iter().map(|name| (from, name));
    let mut referenced = key.referenced_columns.iter().map(|name| (to, name));
    let by_itself = |(table, name): (_, &String)| compares_by_itself(table, name);
    // The import asks the target about those.
    if columns.any(by_itself) || referenced.any(by_itself) {
        return None;
    }
    let (child_plan, parent_plan) = (converted.tables[child].plan, converted.tables[parent].plan);
    let clears = match rule.map(|rule| rules[rule].rule.remedy) {
        Some(Remedy::Null) => {
            let names = cleared_columns(converted.pairs[child].target, key);
            KeyColumns::find(child_plan, &names)?.positions().collect()
        }
        _ => Vec::new(),
    };
    let parent_columns = KeyColumns::find(parent_plan, &texts(&key.referenced_columns))?;
    let columns = KeyColumns::find(child_plan, &texts(&key.columns))?;
    Some(Reference {
        key,
        rule,
        child,
        columns: columns.compared_as(&parent_columns),
        parent,
        parent_columns,
        clears,
    })
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// The unique keys with a rule, in the order of the rules.
pub(super) fn uniques(
    rules: &[Resolved<'_>],
    converted: &Converted<'_>,
) -> anyhow::Result<Vec<Unique>> {
    let mut uniques = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        if let Object::UniqueKey(key) = rule.object {
            let unique = unique(index, &rule.rule.table, key, converted);
            uniques.push(unique.context("a rule is for a key that is not moved")?);
        }
    }
    Ok(uniques)
}

fn unique(rule: usize, table: &str, key: &Key, converted: &Converted<'_>) -> Option<Unique> {
    let mut pairs = converted.pairs.iter();
    let table = pairs.position(|pair| pair.source.name == table)?;
    Some(Unique {
        rule,
        table,
        columns: KeyColumns::find(converted.tables[table].plan, &key.plain_columns()?)?,
        nulls_not_distinct: key.nulls_not_distinct,
    })
}

impl Unique {
    /// The digest of a record's key, where it can be another one's.
    pub(super) fn digest(&self, record: &Record) -> Option<u128> {
        match self.columns.digest(record, self.nulls_not_distinct) {
            KeyOf::Digest(digest) => Some(digest),
            KeyOf::Null | KeyOf::PartlyNull => None,
        }
    }
}
