//! The rules for constraints: leaves rows out, or clears their references, until the rows that
//! stay keep all constraints that the rules touch.
//!
//! Works level by level: the rows of a level are found among what the levels before it left.
//! Keys are the converted ones, compared as the target does.

mod keys;
mod listing;
mod output;
mod rewrite;
mod rows;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use digest::{KeyPasses, Presence};

use super::Parts;
use super::Places;
use super::workers::Table;
use crate::config::Remedy;
use crate::console::counted;
use crate::constraint_rules::Resolved;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::key_columns::KeyOf;
use crate::pairing::TablePair;
use crate::run::StageRun;

use keys::{Reference, Unique};
use listing::Listings;
use rows::{Marks, RowSet};

/// The converted tables of a database, all in the same order.
pub(super) struct Converted<'c> {
    pub(super) pairs: &'c [TablePair<'c>],
    pub(super) tables: &'c [Table<'c>],
    pub(super) places: &'c Places,
}

/// Carries the rules out on the files of all tables; returns how many rows each table lost.
///
/// # Errors
/// Where a file cannot be read or written, and where rows of a foreign key without a rule would
/// become orphans because others are left out.
pub(super) fn apply(
    stage: &mut StageRun<'_>,
    rules: &[Resolved<'_>],
    converted: &Converted<'_>,
    parts: &mut [Parts],
) -> anyhow::Result<Vec<u64>> {
    if rules.is_empty() {
        return Ok(vec![0; parts.len()]);
    }
    let mut listings = Listings::new(converted);
    let mut work = Work::new(stage.interrupt, rules, converted, parts)?;
    while work.next_level(&mut listings)? {}
    work.check_what_is_left()?;
    listings.finish()?;
    let Work {
        references,
        marks,
        counts,
        ..
    } = work;
    for ((rule, level), rows) in counts {
        let label = format!("{}, level {level}", rules[rule].rule);
        stage.outcome.rules.insert(label, rows);
    }
    for (index, parts) in parts.iter_mut().enumerate() {
        let marks = &marks[index];
        rewrite::table(stage.interrupt, converted, index, marks, &references, parts)?;
    }
    let left_out: Vec<u64> = marks.iter().map(|marks| marks.removed.count()).collect();
    stage.outcome.rows -= left_out.iter().sum::<u64>();
    Ok(left_out)
}

/// What is known so far.
struct Work<'w, 'p> {
    interrupt: &'w Interrupt,
    rules: &'w [Resolved<'w>],
    converted: &'w Converted<'w>,
    parts: &'p [Parts],
    /// Those with a rule first, and among them those that leave rows out.
    references: Vec<Reference<'w>>,
    uniques: Vec<Unique>,
    /// Of each table.
    marks: Vec<Marks>,
    /// Rows by rule and level.
    counts: BTreeMap<(usize, u32), u64>,
    level: u32,
    /// The tables that lost rows or references on the level before.
    changed: BTreeSet<usize>,
    /// Those that did on any level.
    ever_changed: BTreeSet<usize>,
    /// Whether rows changed since duplicates were looked for.
    may_have_duplicates: bool,
}

impl<'w, 'p> Work<'w, 'p> {
    fn new(
        interrupt: &'w Interrupt,
        rules: &'w [Resolved<'w>],
        converted: &'w Converted<'w>,
        parts: &'p [Parts],
    ) -> anyhow::Result<Self> {
        Ok(Self {
            interrupt,
            rules,
            converted,
            parts,
            references: keys::references(rules, converted)?,
            uniques: keys::uniques(rules, converted)?,
            marks: parts.iter().map(|_| Marks::default()).collect(),
            counts: BTreeMap::new(),
            level: 0,
            changed: BTreeSet::new(),
            ever_changed: BTreeSet::new(),
            may_have_duplicates: true,
        })
    }

    /// Finds the rows of the next level; false where there are none.
    fn next_level(&mut self, listings: &mut Listings<'_>) -> anyhow::Result<bool> {
        self.level += 1;
        for index in 0..self.references.len() {
            let reference = &self.references[index];
            let Some(rule) = reference.rule else {
                continue;
            };
            let (child, parent) = (reference.child, reference.parent);
            // A reference that one key cleared may leave another one half NULL.
            let may_have_orphans = [child, parent].iter().any(|t| self.changed.contains(t));
            if self.level > 1 && !may_have_orphans {
                continue;
            }
            let found = self.orphans(reference, Some(listings))?;
            self.count(rule, found.count());
            match self.rules[rule].rule.remedy {
                Remedy::SkipToFile => self.marks[child].leaving.add(&found),
                Remedy::Null => {
                    let clearing = &mut self.marks[child].clearing;
                    clearing.entry(index).or_default().add(&found);
                }
            }
        }
        if self.commit() {
            self.may_have_duplicates = true;
            return Ok(true);
        }
        // Not before there are no orphans: one that leaves makes room for its double.
        if !std::mem::take(&mut self.may_have_duplicates) {
            return Ok(false);
        }
        let tables: BTreeSet<usize> = self.uniques.iter().map(|unique| unique.table).collect();
        for table in tables {
            self.leave_duplicates(table, listings)?;
        }
        Ok(self.commit())
    }

    /// The rows of a foreign key's table that find no parent. Those that another rule leaves out
    /// on this level are counted there.
    fn orphans(
        &self,
        reference: &Reference<'_>,
        mut listings: Option<&mut Listings<'_>>,
    ) -> anyhow::Result<RowSet> {
        let rule = reference.rule.map(|rule| self.rules[rule].rule);
        let mut found = RowSet::default();
        let parents = self.rows_of(reference.parent);
        for mut keys in KeyPasses::for_keys(parents).sets() {
            self.scan(reference.parent, |_, record| {
                if let KeyOf::Digest(digest) = reference.parent_columns.digest(record, false) {
                    keys.insert(digest);
                }
                Ok(())
            })?;
            self.scan(reference.child, |row, record| {
                let is_orphan = match reference.columns.digest(record, false) {
                    KeyOf::Digest(digest) => keys.find(digest) == Presence::Missing,
                    KeyOf::PartlyNull => reference.key.match_full,
                    KeyOf::Null => false,
                };
                let is_new = !self.marks[reference.child].leaving.has(row.number);
                if is_orphan
                    && is_new
                    && found.insert(row.number)
                    && let (Some(listings), Some(rule)) = (listings.as_deref_mut(), rule)
                {
                    listings.add(reference.child, row, record, (rule, self.level))?;
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Fails where rows of a foreign key without a rule find no parent because rules took rows
    /// or references away.
    fn check_what_is_left(&self) -> anyhow::Result<()> {
        for reference in self.references.iter().filter(|r| r.rule.is_none()) {
            let tables = [reference.child, reference.parent];
            if tables.iter().any(|table| self.ever_changed.contains(table)) {
                let rows = self.orphans(reference, None)?.count();
                if rows > 0 {
                    return Err(self.nothing_said(reference, rows).into());
                }
            }
        }
        Ok(())
    }

    fn nothing_said(&self, reference: &Reference<'_>, rows: u64) -> Failure {
        let child = &self.converted.pairs[reference.child].source.name;
        let parent = &self.converted.pairs[reference.parent].source.name;
        let name = catalog::ColumnPattern {
            table: Some(child.clone()),
            column: Some(reference.key.name.clone()),
        };
        Failure::refused(format!(
            "{} of `{child}` find no row of `{parent}` by the foreign key `{}`, once the rules \
             for constraints have taken rows away",
            counted(rows, "row"),
            reference.key.name
        ))
        .hint(format!(
            "add a rule to the configuration: {{constraint: {}, when: orphan, then: skip_to_file}}",
            transform::yaml_scalar(&name.to_string())
        ))
    }

    /// Marks the rows of which an earlier row has a unique key; files are in the order of the
    /// primary key. A row that leaves by one key holds no other one.
    fn leave_duplicates(
        &mut self,
        table: usize,
        listings: &mut Listings<'_>,
    ) -> anyhow::Result<()> {
        let uniques: Vec<&Unique> = self.uniques.iter().filter(|u| u.table == table).collect();
        let mut repeated = Vec::new();
        for unique in &uniques {
            repeated.push(self.repeated(unique)?);
        }
        if repeated.iter().all(HashSet::is_empty) {
            return Ok(());
        }
        let mut held: Vec<HashSet<u128>> = uniques.iter().map(|_| HashSet::new()).collect();
        let mut leaving = RowSet::default();
        let mut counts = vec![0; uniques.len()];
        self.scan(table, |row, record| {
            let keys = uniques.iter().zip(&repeated).map(|(unique, repeated)| {
                let digest = unique.digest(record);
                digest.filter(|digest| repeated.contains(digest))
            });
            let keys: Vec<Option<u128>> = keys.collect();
            let is_held = |(held, key): (&HashSet<u128>, &Option<u128>)| {
                key.is_some_and(|key| held.contains(&key))
            };
            match held.iter().zip(&keys).position(is_held) {
                Some(place) => {
                    leaving.insert(row.number);
                    counts[place] += 1;
                    let rule = self.rules[uniques[place].rule].rule;
                    listings.add(table, row, record, (rule, self.level))
                }
                None => {
                    for (held, key) in held.iter_mut().zip(keys) {
                        held.extend(key);
                    }
                    Ok(())
                }
            }
        })?;
        let rules: Vec<usize> = uniques.iter().map(|unique| unique.rule).collect();
        for (rule, rows) in rules.into_iter().zip(counts) {
            self.count(rule, rows);
        }
        self.marks[table].leaving.add(&leaving);
        Ok(())
    }

    /// The keys that more than one row has.
    fn repeated(&self, unique: &Unique) -> anyhow::Result<HashSet<u128>> {
        let mut repeated = HashSet::new();
        for mut keys in KeyPasses::for_keys(self.rows_of(unique.table)).sets() {
            self.scan(unique.table, |_, record| {
                let held = |digest: &u128| keys.insert(*digest) == Presence::Held;
                repeated.extend(unique.digest(record).filter(held));
                Ok(())
            })?;
        }
        Ok(repeated)
    }

    fn count(&mut self, rule: usize, rows: u64) {
        if rows > 0 {
            *self.counts.entry((rule, self.level)).or_default() += rows;
        }
    }

    /// Makes what was found on this level what the next one sees; whether there was anything.
    fn commit(&mut self) -> bool {
        self.changed.clear();
        for (index, marks) in self.marks.iter_mut().enumerate() {
            if marks.commit() {
                self.changed.insert(index);
            }
        }
        self.ever_changed.extend(&self.changed);
        !self.changed.is_empty()
    }

    fn rows_of(&self, table: usize) -> u64 {
        self.parts[table].sums().0
    }

    /// Hands every row that is left of a table to `visit`, as it is now.
    fn scan(
        &self,
        table: usize,
        mut visit: impl FnMut(rows::Row<'_>, &dataset::Record) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let marks = &self.marks[table];
        let mut now = dataset::Record::new();
        let directory = &self.converted.places.transformed;
        rows::read(
            self.interrupt,
            directory,
            &self.parts[table],
            |row, record| {
                if marks.removed.has(row.number) {
                    return Ok(());
                }
                let cleared = marks.cleared_by(row.number);
                let cleared = cleared.flat_map(|index| &self.references[index].clears);
                let cleared: Vec<usize> = cleared.copied().collect();
                match cleared.is_empty() {
                    true => visit(row, record),
                    false => {
                        rows::clear(record, &cleared, &mut now);
                        visit(row, &now)
                    }
                }
            },
        )
    }
}
