//! The declared rules for constraints, each with the key of the target that it is about.

use std::path::{Path, PathBuf};

use catalog::{ForeignKey, Key, SourceTable, TargetTable};
use dataset::chunk_file_name;

use crate::config::{ConstraintRule, Database, Remedy, Violation};
use crate::exit::Failure;
use crate::pairing::TablePair;

/// Ending of the files of rows that rules leave out.
pub(crate) const LEFT_OUT: &str = "csv";
/// Ending of the files of references that rules clear.
pub(crate) const CLEARED: &str = "cleared.csv";
/// Ending of the lists of what rules did.
pub(crate) const LISTED: &str = "constraints.csv";

/// The file about a table in `rejected/`.
pub(crate) fn kept_file(rejected: &Path, table: &str, ending: &str) -> PathBuf {
    rejected
        .join(chunk_file_name(table, 1, 1))
        .with_extension(ending)
}

/// A rule and what it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolved<'c> {
    pub(crate) rule: &'c ConstraintRule,
    pub(crate) object: Object<'c>,
}

/// What rows are to be held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Object<'c> {
    ForeignKey(&'c ForeignKey),
    UniqueKey(&'c Key),
}

impl<'c> Resolved<'c> {
    /// The foreign key, of a rule for orphans.
    pub(crate) fn foreign_key(&self) -> Option<&'c ForeignKey> {
        match self.object {
            Object::ForeignKey(key) => Some(key),
            Object::UniqueKey(_) => None,
        }
    }
}

/// Finds the key of each rule.
///
/// # Errors
/// Where there is none of that name, or the rule cannot be carried out on it: the configuration
/// is wrong, and nothing has happened yet.
pub(crate) fn resolve<'c>(
    database: &'c Database,
    pairs: &[TablePair<'c>],
) -> Result<Vec<Resolved<'c>>, Failure> {
    let mut resolved: Vec<Resolved<'c>> = Vec::new();
    for rule in &database.constraint_rules {
        let found = resolve_rule(rule, pairs).and_then(|found| {
            resolved
                .iter()
                .try_for_each(|other| check_together(&found, other, pairs))?;
            Ok(found)
        });
        resolved.push(found.map_err(|problem| {
            Failure::usage(format!(
                "database `{}`: rule `{rule}` cannot work: {}",
                database.name, problem.what
            ))
            .hint(problem.hint)
        })?);
    }
    Ok(resolved)
}

/// Fails where one rule clears what another one takes for a key: two NULLs would be duplicates
/// that the source does not have.
fn check_together(
    one: &Resolved<'_>,
    other: &Resolved<'_>,
    pairs: &[TablePair<'_>],
) -> Result<(), Problem> {
    for (clearing, unique) in [(one, other), (other, one)] {
        let (Object::ForeignKey(key), Object::UniqueKey(of)) = (clearing.object, unique.object)
        else {
            continue;
        };
        let table = &clearing.rule.table;
        let pair = pairs.iter().find(|pair| pair.source.name == *table);
        let cleared = pair.map(|pair| cleared_columns(pair.target, key));
        let columns = of.plain_columns().unwrap_or_default();
        if of.nulls_not_distinct
            && clearing.rule.remedy == Remedy::Null
            && unique.rule.table == *table
            && cleared.is_some_and(|cleared| cleared.iter().any(|name| columns.contains(name)))
        {
            return Err(problem(
                format!("`{}` makes NULLs that are duplicates", clearing.rule),
                "use the outcome skip_to_file for the orphans",
            ));
        }
    }
    Ok(())
}

const REPAIR: &str = "repair the rows on the source";

/// Why a rule cannot work.
struct Problem {
    what: String,
    hint: String,
}

fn problem(what: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem {
        what: what.into(),
        hint: hint.into(),
    }
}

fn resolve_rule<'c>(
    rule: &'c ConstraintRule,
    pairs: &[TablePair<'c>],
) -> Result<Resolved<'c>, Problem> {
    let pair = pairs.iter().find(|pair| pair.source.name == rule.table);
    let Some(pair) = pair.copied() else {
        let what = format!("no table `{}` is moved", rule.table);
        return Err(problem(
            what,
            "names are compared letter by letter, case included",
        ));
    };
    let object = match rule.violation {
        Violation::Orphan => Object::ForeignKey(foreign_key(rule, pair, pairs)?),
        Violation::Duplicate => Object::UniqueKey(unique_key(rule, pair)?),
    };
    Ok(Resolved { rule, object })
}

fn foreign_key<'c>(
    rule: &ConstraintRule,
    pair: TablePair<'c>,
    pairs: &[TablePair<'c>],
) -> Result<&'c ForeignKey, Problem> {
    let keys = &pair.target.foreign_keys;
    let Some(key) = keys.iter().find(|key| key.name == rule.constraint) else {
        let names = keys.iter().map(|key| key.name.as_str());
        return Err(unknown("foreign key", names));
    };
    let mut parents = pairs.iter().filter(|_| key.referenced_schema.is_none());
    let parent = parents.find(|pair| pair.target.name == key.referenced_table);
    let Some(parent) = parent else {
        return Err(problem(
            "the table that it refers to is not moved, so that no row can be called an orphan",
            REPAIR,
        ));
    };
    check_columns(pair, key.columns.iter().map(String::as_str))?;
    check_columns(*parent, key.referenced_columns.iter().map(String::as_str))?;
    if rule.remedy == Remedy::Null {
        check_clearable(pair, key)?;
    }
    Ok(key)
}

fn check_clearable(pair: TablePair<'_>, key: &ForeignKey) -> Result<(), Problem> {
    let cleared = cleared_columns(pair.target, key);
    if cleared.is_empty() || (key.match_full && cleared.len() < key.columns.len()) {
        return Err(problem(
            format!("the target's `{}` cannot be NULL", key.columns.join("`, `")),
            "use the outcome skip_to_file",
        ));
    }
    let primary = pair.target.primary_key_columns();
    check_columns(pair, primary.iter().copied())?;
    if primary.is_empty() {
        return Err(problem(
            "the table has no primary key by which the rows could be named afterwards",
            "use the outcome skip_to_file",
        ));
    }
    Ok(())
}

fn unique_key<'c>(rule: &ConstraintRule, pair: TablePair<'c>) -> Result<&'c Key, Problem> {
    let unique = || pair.target.keys.iter().filter(|key| key.is_unique());
    let Some(key) = unique().find(|key| key.name == rule.constraint) else {
        return Err(unknown("unique key", unique().map(|key| key.name.as_str())));
    };
    let Some(columns) = key.plain_columns() else {
        return Err(problem(
            "the key has expressions, which only the target can work out",
            REPAIR,
        ));
    };
    check_columns(pair, columns.into_iter())?;
    let collated = |options: &String| options.contains("collate");
    if key
        .parts
        .iter()
        .any(|part| part.options.as_ref().is_some_and(collated))
    {
        return Err(problem(
            "the key has a collation, by which only the target can compare",
            REPAIR,
        ));
    }
    if !is_in_order(pair.source) {
        return Err(problem(
            "the source's table has no ascending primary key, by which one row could be told to stay",
            REPAIR,
        ));
    }
    Ok(key)
}

/// Whether rows are exported from the lowest primary key on.
fn is_in_order(table: &SourceTable) -> bool {
    let ordered_by = source::key_columns(table);
    let primary = table.primary_key();
    primary.is_some_and(|key| {
        let is_ascending = key.parts.iter().all(|part| !part.descending);
        is_ascending && key.plain_columns() == Some(ordered_by)
    })
}

/// Whether only the target can tell whether two values of a column are equal: its collation may
/// take two texts for one.
pub(crate) fn compares_by_itself(table: &TargetTable, name: &str) -> bool {
    let column = table.column(name);
    let collation = column.and_then(|column| column.collation.as_deref());
    collation.is_some_and(|collation| !["\"C\"", "\"POSIX\"", "C", "POSIX"].contains(&collation))
}

/// Fails where a column's values are not among those that are moved, or cannot be compared.
fn check_columns<'n>(
    pair: TablePair<'_>,
    mut names: impl Iterator<Item = &'n str>,
) -> Result<(), Problem> {
    let is_moved = |name: &&str| {
        let (from, to) = (pair.source.column(name), pair.target.column(name));
        from.is_some_and(|c| c.generated.is_none()) && to.is_some_and(|c| c.generated.is_none())
    };
    match names.find(|name| !is_moved(name) || compares_by_itself(pair.target, name)) {
        None => Ok(()),
        Some(name) if is_moved(&name) => Err(problem(
            format!("its column `{name}` has a collation, by which only the target can compare"),
            REPAIR,
        )),
        Some(name) => Err(problem(
            format!("the values of its column `{name}` are not moved"),
            REPAIR,
        )),
    }
}

fn unknown<'n>(what: &str, names: impl Iterator<Item = &'n str>) -> Problem {
    let names: Vec<&str> = names.collect();
    let hint = match names.is_empty() {
        true => format!("the target's table has no {what}"),
        false => format!("the target's table has: {}", names.join(", ")),
    };
    problem(
        format!("the target's table has no {what} of that name"),
        hint,
    )
}

/// The columns of a foreign key that become NULL where its row is an orphan.
pub(crate) fn cleared_columns<'k>(table: &TargetTable, key: &'k ForeignKey) -> Vec<&'k str> {
    let primary = table.primary_key_columns();
    let columns = key.columns.iter().map(String::as_str);
    let is_clearable = |name: &&str| {
        let column = table.column(name);
        column.is_some_and(|column| column.nullable) && !primary.contains(name)
    };
    columns.filter(is_clearable).collect()
}
