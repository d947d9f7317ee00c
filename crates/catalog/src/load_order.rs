//! The order in which tables can be filled so that references point to what is there.
//!
//! Says which foreign keys no order can satisfy; does not decide what to do about them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Catalog, ForeignKey};

/// Tables in an order in which parents come before children, as far as there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOrder {
    /// All tables, parents first; ties by name.
    pub tables: Vec<String>,
    /// Groups of tables that refer to each other in a circle, each ordered by name.
    pub cycles: Vec<Vec<String>>,
    /// Tables that refer to themselves, by name.
    pub self_references: Vec<String>,
}

/// Sorts a catalogue's tables by their foreign keys.
///
/// References to tables that are not in the catalogue, or in another schema, are ignored.
/// The members of a cycle stand together, in the order of their names.
pub fn load_order<T>(catalog: &Catalog<T>) -> LoadOrder {
    let names: BTreeSet<&str> = catalog.tables.iter().map(|t| t.name.as_str()).collect();
    let mut parents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut self_references = Vec::new();
    for table in &catalog.tables {
        let own = parents.entry(&table.name).or_default();
        let within = |key: &&ForeignKey| key.referenced_schema.is_none();
        for key in table.foreign_keys.iter().filter(within) {
            if let Some(&parent) = names.get(key.referenced_table.as_str()) {
                own.insert(parent);
            }
        }
        if own.remove(table.name.as_str()) {
            self_references.push(table.name.clone());
        }
    }
    self_references.sort();
    let (tables, cycles) = sort(parents);
    LoadOrder {
        tables,
        cycles,
        self_references,
    }
}

/// Takes what has no open parent; where nothing is left to take, takes a smallest cycle whole.
fn sort<'a>(mut open: BTreeMap<&'a str, BTreeSet<&'a str>>) -> (Vec<String>, Vec<Vec<String>>) {
    let mut order = Vec::new();
    let mut cycles = Vec::new();
    while !open.is_empty() {
        let ready: Vec<&str> = open
            .iter()
            .filter(|(_, parents)| parents.is_empty())
            .map(|(name, _)| *name)
            .collect();
        let group = if ready.is_empty() {
            let cycle = smallest_closed_group(&open);
            cycles.push(cycle.iter().map(ToString::to_string).collect());
            cycle
        } else {
            ready
        };
        for name in &group {
            open.remove(name);
        }
        for parents in open.values_mut() {
            parents.retain(|parent| !group.contains(parent));
        }
        order.extend(group.iter().map(ToString::to_string));
    }
    (order, cycles)
}

/// Among tables that all wait for another, the smallest set that waits only for itself.
fn smallest_closed_group<'a>(open: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<&'a str> {
    let mut smallest: Option<BTreeSet<&str>> = None;
    for start in open.keys() {
        let mut reached = BTreeSet::new();
        let mut pending = vec![*start];
        while let Some(name) = pending.pop() {
            if reached.insert(name) {
                pending.extend(&open[name]);
            }
        }
        if smallest
            .as_ref()
            .is_none_or(|best| reached.len() < best.len())
        {
            smallest = Some(reached);
        }
    }
    smallest.unwrap_or_default().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MysqlType, Server, ServerKind, Table};

    fn catalog(edges: &[(&str, &str)], tables: &[&str]) -> Catalog<MysqlType> {
        let server = Server {
            kind: ServerKind::Mysql,
            version: "8.0.1".to_owned(),
        };
        let mut catalog = Catalog::new(server, "s");
        for name in tables {
            let mut table = Table::new(*name);
            for (child, parent) in edges.iter().filter(|(child, _)| child == name) {
                let key = format!("{child}_{parent}");
                let key = ForeignKey::new(key, Vec::new(), *parent, Vec::new());
                table.foreign_keys.push(key);
            }
            catalog.tables.push(table);
        }
        catalog
    }

    #[test]
    fn parents_come_first_and_cycles_are_named() {
        let edges = [
            ("a", "c"),
            ("b", "a"),
            ("x", "y"),
            ("y", "x"),
            ("z", "x"),
            ("c", "c"),
        ];
        let order = load_order(&catalog(&edges, &["a", "b", "c", "x", "y", "z"]));
        assert_eq!(order.tables, ["c", "a", "b", "x", "y", "z"]);
        assert_eq!(order.cycles, [["x", "y"]]);
        assert_eq!(order.self_references, ["c"]);
    }

    #[test]
    fn a_cycle_of_three_stands_together() {
        let edges = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "gone")];
        let order = load_order(&catalog(&edges, &["a", "b", "c", "d"]));
        assert_eq!(order.tables, ["d", "a", "b", "c"]);
        assert_eq!(order.cycles, [["a", "b", "c"]]);
    }

    #[test]
    fn a_cycle_within_what_depends_on_another_is_told_apart() {
        let edges = [
            ("a", "b"),
            ("b", "a"),
            ("c", "b"),
            ("c", "d"),
            ("d", "c"),
            ("e", "c"),
            ("e", "e"),
        ];
        let order = load_order(&catalog(&edges, &["a", "b", "c", "d", "e"]));
        assert_eq!(order.tables, ["a", "b", "c", "d", "e"]);
        assert_eq!(order.cycles, [["a", "b"], ["c", "d"]]);
        assert_eq!(order.self_references, ["e"]);
    }

    #[test]
    fn a_table_of_the_same_name_in_another_schema_is_another() {
        let mut catalog = catalog(&[("a", "b"), ("b", "b")], &["a", "b"]);
        for table in &mut catalog.tables {
            table.foreign_keys[0].referenced_schema = Some("elsewhere".to_owned());
        }
        let order = load_order(&catalog);
        assert_eq!(order.tables, ["a", "b"]);
        assert!(order.self_references.is_empty());
    }
}
