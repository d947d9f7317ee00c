//! Unique keys and foreign keys, judged on converted values compared by bytes.
//!
//! Source collations hide some violations and invent others, so nothing is asked of the source's
//! own checks but where they surely say more. Sets of digests hold the keys, in rounds where
//! they are too many for one.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use catalog::{
    ForeignKey, Key, KeyKind, KeyPart, KeyTerm, MysqlType, PostgresType, SourceTable, TargetTable,
};
use digest::{KeyPasses, KeySet, Presence};
use transform::{ColumnPlan, TablePlan};

use crate::key_columns::{KeyColumns, Prefix};

/// A set of one pass holds at most 64 MiB, so this many bound the memory of a round to 256 MiB.
const FULL_SETS: u64 = 4;
/// Keys of a full set, as `KeyPasses` cuts them.
const KEYS_OF_A_SET: u64 = 3_000_000;

/// A unique key of the target that is looked at.
#[derive(Debug)]
pub(crate) struct Unique {
    pub(crate) constraint: String,
    pub(crate) columns: KeyColumns,
    /// Whether it is of whole columns alone: rules are for no other.
    pub(crate) is_plain: bool,
    /// Whether two NULLs are duplicates.
    pub(crate) nulls_not_distinct: bool,
    pub(crate) set: usize,
}

/// A foreign key that is looked at.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) constraint: String,
    pub(crate) columns: KeyColumns,
    pub(crate) match_full: bool,
    /// Whether the target checks it after the load; the source alone may have it.
    pub(crate) is_checked: bool,
    pub(crate) parent: String,
    pub(crate) set: usize,
}

/// What a set is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The keys of parents, read before the tables are.
    Parents { table: String, columns: Vec<String> },
    /// The keys that passed so far.
    Seen,
}

/// All sets, of which a round holds some.
pub(crate) struct KeySets {
    holders: Vec<Holder>,
    passes: Vec<Box<dyn Iterator<Item = KeySet> + Send + Sync>>,
    weights: Vec<u64>,
    held: Vec<Option<RwLock<KeySet>>>,
}

impl KeySets {
    pub(crate) fn new() -> Self {
        Self {
            holders: Vec::new(),
            passes: Vec::new(),
            weights: Vec::new(),
            held: Vec::new(),
        }
    }

    /// The number of a set for about that many keys; parents share one.
    pub(crate) fn add(&mut self, holder: Holder, keys: u64) -> usize {
        let known = self.holders.iter().position(|known| *known == holder);
        if let (Some(known), Holder::Parents { .. }) = (known, &holder) {
            return known;
        }
        self.holders.push(holder);
        self.passes.push(Box::new(KeyPasses::for_keys(keys).sets()));
        self.weights.push(keys.min(KEYS_OF_A_SET));
        self.held.push(None);
        self.holders.len() - 1
    }

    /// Takes the sets of the next round; false where none is left.
    pub(crate) fn next_round(&mut self) -> bool {
        let mut room = FULL_SETS * KEYS_OF_A_SET;
        let mut any = false;
        for index in 0..self.held.len() {
            self.held[index] = None;
            if any && self.weights[index] > room {
                continue;
            }
            if let Some(set) = self.passes[index].next() {
                room = room.saturating_sub(self.weights[index]);
                self.held[index] = Some(RwLock::new(set));
                any = true;
            }
        }
        any
    }

    /// Whether the round has that set.
    pub(crate) fn has(&self, set: usize) -> bool {
        self.held[set].is_some()
    }

    /// The parents whose keys this round needs, with their sets.
    pub(crate) fn parents(&self) -> impl Iterator<Item = (usize, &str, &[String])> {
        let sets = self.holders.iter().enumerate();
        sets.filter_map(|(index, holder)| match holder {
            Holder::Parents { table, columns } if self.has(index) => {
                Some((index, table.as_str(), columns.as_slice()))
            }
            _ => None,
        })
    }

    /// Takes a key in; returns whether it was there before.
    pub(crate) fn insert(&self, set: usize, digest: u128) -> bool {
        self.held[set].as_ref().is_some_and(|set| {
            let mut set = set.write().unwrap_or_else(PoisonError::into_inner);
            set.insert(digest) == Presence::Held
        })
    }

    /// Whether a key is missing, as far as this round can tell.
    pub(crate) fn is_missing(&self, set: usize, digest: u128) -> bool {
        self.held[set].as_ref().is_some_and(|set| {
            let set = set.read().unwrap_or_else(PoisonError::into_inner);
            set.find(digest) == Presence::Missing
        })
    }
}

/// What of the target's keys compares in a way that is not judged here: by a nondeterministic
/// collation, by an expression, or some of the rows.
pub(crate) fn not_judged<'t>(
    plan: &TablePlan,
    target: &'t TargetTable,
    (nondeterministic, of_all): (&BTreeSet<String>, &BTreeSet<(String, String)>),
) -> Vec<&'t str> {
    let is_judged = |key: &&Key| match key.kind {
        KeyKind::Exclusion => false,
        KeyKind::Primary | KeyKind::Unique => {
            key.predicate.is_none() && is_comparable(plan, key, nondeterministic)
        }
        _ => true,
    };
    let keys = target.keys.iter().filter(|key| !is_judged(key));
    let references = target.foreign_keys.iter();
    let references = references.filter(|key| parent_is_in(key, of_all));
    let names = keys.map(|key| key.name.as_str());
    names
        .chain(references.map(|key| key.name.as_str()))
        .collect()
}

/// Whether a foreign key refers to a column of a set: the referenced column's collation compares.
fn parent_is_in(key: &ForeignKey, columns: &BTreeSet<(String, String)>) -> bool {
    let mut referenced = key.referenced_columns.iter();
    referenced.any(|name| columns.contains(&(key.referenced_table.clone(), name.clone())))
}

/// Whether a key compares values in a way that is known here. Columns that are not moved make no
/// difference: the target fills them in.
fn is_comparable(plan: &TablePlan, key: &Key, nondeterministic: &BTreeSet<String>) -> bool {
    let own_collation = |part: &KeyPart| {
        part.options
            .as_ref()
            .is_some_and(|options| options.contains("collate"))
    };
    let names = key.parts.iter().map(|part| match Prefix::of(part) {
        Some(prefix) => Some(prefix.column),
        None => part.plain_column().map(str::to_owned),
    });
    let Some(names) = names.collect::<Option<Vec<String>>>() else {
        return false;
    };
    let is_moved = |name: &String| plan.columns().iter().any(|column| column.name() == name);
    !key.parts.iter().any(own_collation)
        && !names.iter().any(|name| nondeterministic.contains(name))
        && (KeyColumns::of_key(plan, key).is_some() || !names.iter().all(is_moved))
}

/// The unique keys of the target that the source does not surely keep.
pub(crate) fn uniques(
    plan: &TablePlan,
    source: &SourceTable,
    target: &TargetTable,
    (rows, nondeterministic): (u64, &BTreeSet<String>),
    sets: &mut KeySets,
) -> Vec<Unique> {
    let mut uniques = Vec::new();
    for key in target.keys.iter().filter(|key| key.is_unique()) {
        if !is_comparable(plan, key, nondeterministic) {
            continue;
        }
        let Some(columns) = KeyColumns::of_key(plan, key) else {
            continue;
        };
        if !source_keeps(plan, source, key) {
            uniques.push(Unique {
                constraint: key.name.clone(),
                columns,
                is_plain: key.plain_columns().is_some(),
                nulls_not_distinct: key.nulls_not_distinct,
                set: sets.add(Holder::Seen, rows),
            });
        }
    }
    uniques
}

/// Whether the source has a unique key over some of the columns whose values stay as different
/// as they are there.
fn source_keeps(plan: &TablePlan, source: &SourceTable, key: &Key) -> bool {
    let of_target = key.parts.iter().map(|part| match Prefix::of(part) {
        Some(prefix) => Some((prefix.column, Some(prefix.length))),
        None => Some((part.plain_column()?.to_owned(), None)),
    });
    let Some(of_target) = of_target.collect::<Option<Vec<_>>>() else {
        return false;
    };
    let of_source = |part: &KeyPart| match &part.term {
        KeyTerm::Column {
            name,
            prefix_length,
        } => Some((name.clone(), prefix_length.map(|length| length as usize))),
        KeyTerm::Expression { .. } => None,
    };
    let stays_different = |(name, _): &(String, Option<usize>)| {
        let column = plan.columns().iter().find(|c| c.name() == name);
        column.is_some_and(|column| {
            let null_is_safe = !key.nulls_not_distinct
                || source.column(name).is_some_and(|column| !column.nullable);
            null_is_safe && column.rules().next().is_none() && is_injective(column)
        })
    };
    let unique = source.keys.iter().filter(|key| key.is_unique());
    let unique = unique.map(|key| key.parts.iter().map(of_source).collect::<Option<Vec<_>>>());
    // What differs in its beginning differs as a whole.
    let is_kept = |part: &(String, Option<usize>)| {
        of_target.iter().any(|(name, length)| {
            *name == part.0 && (length.is_none() || part.1.is_some_and(|of| Some(of) <= *length))
        })
    };
    unique.flatten().any(|parts| {
        parts
            .iter()
            .all(|part| is_kept(part) && stays_different(part))
    })
}

/// Whether different values certainly stay different: a collation that takes two texts for one
/// only makes them fewer.
fn is_injective(column: &ColumnPlan) -> bool {
    matches!(
        (column.source_type(), column.target_type()),
        (
            MysqlType::Integer { .. },
            PostgresType::Smallint | PostgresType::Integer | PostgresType::Bigint
        ) | (
            MysqlType::Char { .. } | MysqlType::Varchar { .. } | MysqlType::Text(_),
            PostgresType::Text | PostgresType::Varchar { .. }
        ) | (_, PostgresType::Bytea)
    )
}

/// The foreign keys of a table, those of the target and those that the source alone has, whose
/// parents are moved as well; `find` looks for a parent.
pub(crate) fn references<'t>(
    plan: &TablePlan,
    source: &SourceTable,
    target: &TargetTable,
    schema: (&str, &str),
    nondeterministic: &BTreeSet<(String, String)>,
    find: impl Fn(&str) -> Option<(&'t TablePlan, u64)>,
    sets: &mut KeySets,
) -> Vec<Reference> {
    let at_home = |key: &&ForeignKey, schema: &str| {
        key.referenced_schema.as_deref().is_none_or(|s| s == schema)
    };
    let of_target = target.foreign_keys.iter();
    let of_target = of_target.filter(|key| at_home(key, schema.1));
    let known = |key: &ForeignKey| target.foreign_keys.iter().any(|t| t.refers_like(key));
    let of_source = source.foreign_keys.iter();
    let of_source = of_source.filter(|key| at_home(key, schema.0) && !known(key));
    // One that was never checked is put back as it was after the load.
    let keys = of_target.map(|key| (key, key.enforced && key.validated));
    let mut references = Vec::new();
    for (key, is_checked) in keys.chain(of_source.map(|key| (key, false))) {
        if is_checked && parent_is_in(key, nondeterministic) {
            continue;
        }
        let names: Vec<&str> = key.columns.iter().map(String::as_str).collect();
        let parent_names = key.referenced_columns.iter().map(String::as_str);
        let parent_names: Vec<&str> = parent_names.collect();
        let Some((parent, rows)) = find(&key.referenced_table) else {
            continue;
        };
        let both = (
            KeyColumns::find(plan, &names),
            KeyColumns::find(parent, &parent_names),
        );
        let (Some(columns), Some(parent_columns)) = both else {
            continue;
        };
        let holder = Holder::Parents {
            table: key.referenced_table.clone(),
            columns: key.referenced_columns.clone(),
        };
        references.push(Reference {
            constraint: key.name.clone(),
            columns: columns.compared_as(&parent_columns),
            match_full: key.match_full,
            is_checked,
            parent: key.referenced_table.clone(),
            set: sets.add(holder, rows),
        });
    }
    references
}

/// Digests of keys that more than one row has.
pub(crate) type Repeated = BTreeSet<u128>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_holds_no_more_than_its_share() {
        let mut sets = KeySets::new();
        for _ in 0..FULL_SETS + 2 {
            sets.add(Holder::Seen, 2 * KEYS_OF_A_SET);
        }
        let mut rounds = Vec::new();
        while sets.next_round() {
            rounds.push((0..6).filter(|set| sets.has(*set)).count());
        }
        assert_eq!(rounds.iter().sum::<usize>(), 12, "each set has two passes");
        assert!(rounds.iter().all(|held| *held <= 4), "{rounds:?}");
    }

    #[test]
    fn parents_share_a_set_and_seen_keys_do_not() {
        let mut sets = KeySets::new();
        let parents = || Holder::Parents {
            table: "p".to_owned(),
            columns: vec!["id".to_owned()],
        };
        let (one, two) = (sets.add(parents(), 9), sets.add(parents(), 9));
        assert_eq!(one, two);
        assert_ne!(sets.add(Holder::Seen, 9), sets.add(Holder::Seen, 9));
        assert!(sets.next_round());
        assert_eq!(sets.parents().count(), 1);
        assert_eq!(
            [7, 8, 7].map(|key| sets.insert(one, key)),
            [false, false, true]
        );
        assert_eq!([7, 9].map(|key| sets.is_missing(one, key)), [false, true]);
        assert!(!sets.next_round());
    }
}
