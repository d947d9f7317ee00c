//! Where a live schema is not what is expected, and the SQL that would mend it.
//!
//! Compares what one server shows of both schemas, so that a spelling is never a difference;
//! names of constraints, indexes, sequences and types only where that is asked for. Comments, the
//! order of columns and what a server has beyond tables are not looked at.

mod bare;
mod columns;
mod constraints;
mod difference;
mod enum_types;
mod keys;
mod numbers;
mod others;

use std::collections::BTreeSet;

use catalog::{TargetCatalog, TargetTable, quote};

pub use bare::without_schema;
pub use difference::{Difference, DifferenceKind, DifferenceSide};

use crate::left_out::{LeftOut, OfTable};
use crate::sql::{column, key};

/// Whether constraints, indexes, sequences and types have to be named as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// A key is known by what it demands, a type by its labels.
    Ignored,
    /// Another name is a difference.
    Compared,
}

/// What is not as expected, in an order in which it can be mended.
///
/// Both catalogues must come from servers of one version, and be of one schema or without the
/// names of theirs ([`without_schema`]).
pub fn compare(expected: &TargetCatalog, live: &TargetCatalog, names: Names) -> Vec<Difference> {
    compare_beside(expected, live, names, &[])
}

/// The same, where something is known that is not expected only because it is not translated.
pub fn compare_beside(
    expected: &TargetCatalog,
    live: &TargetCatalog,
    names: Names,
    left_out: &[LeftOut],
) -> Vec<Difference> {
    let mut found = Findings {
        expected,
        live,
        names,
        left_out,
        differences: Vec::new(),
    };
    let tables = expected.tables.iter().chain(&live.tables);
    let tables: BTreeSet<&str> = tables.map(|table| table.name.as_str()).collect();
    for name in tables {
        match (expected.table(name), live.table(name)) {
            (Some(expected), Some(live)) => found.compare_tables(expected, live),
            (Some(missing), None) => found.miss(missing),
            (None, Some(unexpected)) => found.report_unexpected(unexpected),
            (None, None) => unreachable!("the name is of one of them"),
        }
    }
    enum_types::compare(&mut found);
    others::compare(&mut found);
    let mut differences = found.differences;
    differences.sort_by_cached_key(Difference::rank);
    differences
}

/// What is compared, and what was found so far.
struct Findings<'c> {
    expected: &'c TargetCatalog,
    live: &'c TargetCatalog,
    names: Names,
    left_out: &'c [LeftOut],
    differences: Vec<Difference>,
}

impl<'c> Findings<'c> {
    /// What is not translated of a table, which the target may have by other hands.
    fn left_out<'l>(&self, live: &'l TargetTable) -> OfTable<'l>
    where
        'c: 'l,
    {
        OfTable::new(self.left_out, live)
    }

    fn compare_tables(&mut self, expected: &TargetTable, live: &TargetTable) {
        let place = place(&expected.name);
        if expected.partitioning != live.partitioning {
            let shown = |partitioning: &Option<String>| match partitioning {
                Some(how) => format!("partitioned by {how}"),
                None => "not partitioned".to_owned(),
            };
            let kind = DifferenceKind::Partitioning;
            let mut difference = Difference::of(kind, &expected.name, format!("table {place}"));
            difference.expected = Some(shown(&expected.partitioning));
            difference.found = Some(shown(&live.partitioning));
            self.differences.push(difference);
        }
        columns::compare(self, expected, live);
        keys::compare(self, expected, live);
        constraints::compare_foreign_keys(self, expected, live);
        constraints::compare_checks(self, expected, live);
    }

    /// A missing table, with all that belongs to it but its foreign keys, which need the others.
    fn miss(&mut self, table: &TargetTable) {
        let object = format!("table {}", place(&table.name));
        let mut difference = Difference::missing(DifferenceKind::Table, &table.name, object);
        difference.mend = column::create_table(table);
        let keys = table.keys.iter();
        let keys = keys.map(|made| key::create_key(&table.name, made));
        difference.mend.extend(keys);
        let checks = table.checks.iter();
        let checks = checks.map(|check| key::add_check(&table.name, check));
        difference.mend.extend(checks);
        self.differences.push(difference);
        let empty = TargetTable::new(&table.name);
        constraints::compare_foreign_keys(self, table, &empty);
    }

    fn report_unexpected(&mut self, table: &TargetTable) {
        let object = format!("table {}", place(&table.name));
        let mut difference = Difference::unexpected(DifferenceKind::Table, &table.name, object);
        // Others that are not expected either may refer to it, and are perhaps gone already.
        let goes = |other: &&TargetTable| self.expected.table(&other.name).is_none();
        for other in self.live.tables.iter().filter(goes) {
            let keys = other.foreign_keys.iter();
            let to_it = keys.filter(|key| {
                key.referenced_schema.is_none() && key.referenced_table == table.name
            });
            difference.mend.extend(to_it.map(|key| {
                let (other, key) = (quote::postgres(&other.name), quote::postgres(&key.name));
                format!("alter table if exists {other} drop constraint if exists {key}")
            }));
        }
        let drop = format!("drop table {}", quote::postgres(&table.name));
        difference.mend.push(drop);
        difference.loses = Some("its rows are lost");
        self.differences.push(difference);
    }

    /// A name that is not the expected one, where names count.
    fn compare_names(
        &mut self,
        table: &str,
        object: String,
        [expected, live]: [&str; 2],
        mend: impl FnOnce() -> String,
    ) {
        if self.names == Names::Ignored || expected == live {
            return;
        }
        let mut difference = Difference::of(DifferenceKind::Name, table, object);
        difference.expected = Some(expected.to_owned());
        difference.found = Some(live.to_owned());
        difference.mend = vec![mend()];
        self.differences.push(difference);
    }
}

/// A name as a person reads it: in quotes only where it would be mistaken for something else.
fn place(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    match !name.is_empty() && name.chars().all(plain) {
        true => name.to_owned(),
        false => quote::postgres(name),
    }
}

/// Pairs what is on both sides by what it is: the pairs, and what is left of either side.
///
/// `same` is asked first for all, then `alike`.
fn pair<'i, T>(
    expected: &'i [T],
    live: &'i [T],
    same: impl Fn(&T, &T) -> bool,
    alike: impl Fn(&T, &T) -> bool,
) -> Paired<'i, T> {
    let mut paired = Paired {
        same: Vec::new(),
        alike: Vec::new(),
        missing: expected.iter().collect(),
        unexpected: live.iter().collect(),
    };
    let (missing, unexpected) = (&mut paired.missing, &mut paired.unexpected);
    for (found, matches) in [
        (&mut paired.same, &same as &dyn Fn(&T, &T) -> bool),
        (&mut paired.alike, &alike),
    ] {
        missing.retain(|wanted| {
            let at = unexpected.iter().position(|there| matches(wanted, there));
            let Some(at) = at else {
                return true;
            };
            found.push((*wanted, unexpected.remove(at)));
            false
        });
    }
    paired
}

/// What [`pair`] found.
struct Paired<'i, T> {
    same: Vec<(&'i T, &'i T)>,
    alike: Vec<(&'i T, &'i T)>,
    missing: Vec<&'i T>,
    unexpected: Vec<&'i T>,
}

#[cfg(test)]
mod tests;
