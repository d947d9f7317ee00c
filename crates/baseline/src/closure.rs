//! One type for all columns that foreign keys join.
//!
//! MySQL joins an `int` to an `int unsigned` of another width in old tables, and a choice in the
//! configuration may name one end only; PostgreSQL wants types that compare by one index. Which
//! columns exist and what they could become is said by the caller.

use std::collections::BTreeMap;
use std::fmt;

use catalog::PostgresType;

use crate::type_map::Origin;

/// A column by table and name.
pub type ColumnName<'a> = (&'a str, &'a str);

/// A column with what it would become by itself.
#[derive(Clone, Debug)]
pub struct ClosureColumn<'a> {
    /// Which column.
    pub name: ColumnName<'a>,
    /// Its type.
    pub postgres: PostgresType,
    /// Who decided on the type: a choice of the operator goes before a default.
    pub origin: Origin,
    /// What it could become besides, by the type map.
    pub possible: Vec<PostgresType>,
}

/// Two columns that a foreign key joins and that have no common type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUnited {
    /// The one, as `table.column`, and its type.
    pub one: (String, String),
    /// The other.
    pub other: (String, String),
}

impl fmt::Display for NotUnited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((one, of_one), (other, of_other)) = (&self.one, &self.other);
        write!(
            f,
            "foreign keys join `{one}` ({of_one}) and `{other}` ({of_other}), which have no common type"
        )
    }
}

impl std::error::Error for NotUnited {}

/// The type of every column that a foreign key joins to another: the type that was chosen for
/// one of them, else the widest, else one that the type map has for all of them. Pairs with a
/// column that is not given are passed over.
///
/// # Errors
/// All pairs that cannot have one type.
pub fn unite<'a>(
    columns: &[ClosureColumn<'a>],
    foreign_keys: &[(ColumnName<'a>, ColumnName<'a>)],
) -> Result<BTreeMap<ColumnName<'a>, PostgresType>, Vec<NotUnited>> {
    let mut united = BTreeMap::new();
    let mut problems = Vec::new();
    for group in groups(columns, foreign_keys) {
        match one_type(&group) {
            Ok(postgres) => {
                let names = group.iter().map(|column| column.name);
                united.extend(names.map(|name| (name, postgres.clone())));
            }
            Err(problem) => problems.push(problem),
        }
    }
    match problems.is_empty() {
        true => Ok(united),
        false => Err(problems),
    }
}

/// The columns of each closure, ordered by name, as are the closures.
fn groups<'c, 'a>(
    columns: &'c [ClosureColumn<'a>],
    foreign_keys: &[(ColumnName<'a>, ColumnName<'a>)],
) -> Vec<Vec<&'c ClosureColumn<'a>>> {
    let mut sorted: Vec<&ClosureColumn<'_>> = columns.iter().collect();
    sorted.sort_by_key(|column| column.name);
    let position = |name| sorted.binary_search_by_key(&name, |column| column.name);
    let mut leader: Vec<usize> = (0..sorted.len()).collect();
    let mut joined = vec![false; sorted.len()];
    for (from, to) in foreign_keys {
        let (Ok(from), Ok(to)) = (position(*from), position(*to)) else {
            continue;
        };
        (joined[from], joined[to]) = (true, true);
        let (from, to) = (find(&mut leader, from), find(&mut leader, to));
        leader[from.max(to)] = from.min(to);
    }
    let mut groups: BTreeMap<usize, Vec<&ClosureColumn<'_>>> = BTreeMap::new();
    for (index, column) in sorted.iter().enumerate() {
        if joined[index] {
            groups
                .entry(find(&mut leader, index))
                .or_default()
                .push(column);
        }
    }
    groups.into_values().collect()
}

/// The first column of the closure that a column belongs to.
fn find(leader: &mut [usize], index: usize) -> usize {
    let mut at = index;
    while leader[at] != at {
        leader[at] = leader[leader[at]];
        at = leader[at];
    }
    at
}

fn one_type(group: &[&ClosureColumn<'_>]) -> Result<PostgresType, NotUnited> {
    let strongest = group.iter().map(|column| column.origin).max();
    let (chosen, others): (Vec<_>, Vec<_>) = group
        .iter()
        .partition(|column| Some(column.origin) == strongest);
    let first: &ClosureColumn<'_> = chosen[0];
    let mut postgres = first.postgres.clone();
    for column in &chosen[1..] {
        postgres = match wider(&postgres, &column.postgres) {
            Some(wider) => wider,
            None if strongest == Some(Origin::Default) => {
                return possible_for_all(group).ok_or_else(|| not_united(first, &postgres, column));
            }
            None => return Err(not_united(first, &postgres, column)),
        };
    }
    match others.iter().find(|column| !fits(column, &postgres)) {
        Some(column) => Err(not_united(first, &postgres, column)),
        None => Ok(postgres),
    }
}

/// Whether a column could be of a type.
fn fits(column: &ClosureColumn<'_>, postgres: &PostgresType) -> bool {
    column.possible.contains(postgres)
        || wider(postgres, &column.postgres).as_ref() == Some(postgres)
}

/// The first type that all could be; a boolean, which holds less than any other, comes last.
fn possible_for_all(group: &[&ClosureColumn<'_>]) -> Option<PostgresType> {
    let mut candidates: Vec<&PostgresType> = group.iter().flat_map(|c| &c.possible).collect();
    candidates.sort_by_key(|postgres| **postgres == PostgresType::Boolean);
    let for_all = |postgres: &&PostgresType| group.iter().all(|column| fits(column, postgres));
    candidates.into_iter().find(for_all).cloned()
}

fn not_united(
    one: &ClosureColumn<'_>,
    postgres: &PostgresType,
    other: &ClosureColumn<'_>,
) -> NotUnited {
    let spelled = |(table, column): ColumnName<'_>| format!("{table}.{column}");
    NotUnited {
        one: (spelled(one.name), postgres.to_string()),
        other: (spelled(other.name), other.postgres.to_string()),
    }
}

/// The narrowest type that holds the values of both, where there is one that compares as both do.
fn wider(one: &PostgresType, other: &PostgresType) -> Option<PostgresType> {
    use PostgresType as P;
    if one == other {
        return Some(one.clone());
    }
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return Some(one.max(other).postgres());
    }
    Some(match (one, other) {
        (P::Real | P::Double, P::Real | P::Double) => P::Double,
        (P::Char { length: a }, P::Char { length: b }) => P::Char { length: *a.max(b) },
        (P::Text, P::Char { .. } | P::Varchar { .. })
        | (P::Char { .. } | P::Varchar { .. }, P::Text) => P::Text,
        (P::Char { length: a }, P::Varchar { length: b })
        | (P::Varchar { length: b }, P::Char { length: a }) => P::Varchar {
            length: b.map(|b| b.max(*a)),
        },
        (P::Varchar { length: a }, P::Varchar { length: b }) => P::Varchar {
            length: a.zip(*b).map(|(a, b)| a.max(b)),
        },
        (P::Timestamp { fraction: a }, P::Timestamp { fraction: b }) => P::Timestamp {
            fraction: *a.max(b),
        },
        (P::Timestamptz { fraction: a }, P::Timestamptz { fraction: b }) => P::Timestamptz {
            fraction: *a.max(b),
        },
        (P::Time { fraction: a }, P::Time { fraction: b }) => P::Time {
            fraction: *a.max(b),
        },
        (P::Interval { fraction: a }, P::Interval { fraction: b }) => P::Interval {
            fraction: *a.max(b),
        },
        (P::Enum { name, labels }, P::Enum { name: b, labels: c }) if labels == c => P::Enum {
            name: name.min(b).clone(),
            labels: labels.clone(),
        },
        _ => return None,
    })
}

/// An exact number as digits before and after the point; `None` stands for no limit.
struct Number {
    /// The integer types by their width in bytes, which are narrower than any numeric.
    bytes: Option<u8>,
    digits: Option<(i32, i32)>,
}

fn number(postgres: &PostgresType) -> Option<Number> {
    // An integer of so many bytes has at most so many digits.
    let integer = |bytes, digits| Number {
        bytes: Some(bytes),
        digits: Some((digits, 0)),
    };
    Some(match postgres {
        PostgresType::Smallint => integer(2, 5),
        PostgresType::Integer => integer(4, 10),
        PostgresType::Bigint => integer(8, 19),
        PostgresType::Numeric { limits } => Number {
            bytes: None,
            digits: limits.map(|(precision, scale)| {
                let scale = i32::from(scale);
                (i32::from(precision) - scale, scale)
            }),
        },
        _ => return None,
    })
}

impl Number {
    fn max(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.zip(other.bytes).map(|(a, b)| a.max(b)),
            digits: self
                .digits
                .zip(other.digits)
                .map(|(a, b)| (a.0.max(b.0), a.1.max(b.1))),
        }
    }

    fn postgres(self) -> PostgresType {
        match self.bytes {
            Some(2) => PostgresType::Smallint,
            Some(4) => PostgresType::Integer,
            Some(_) => PostgresType::Bigint,
            None => PostgresType::Numeric {
                limits: self.digits.and_then(|(before, after)| {
                    let precision = u16::try_from(before + after).ok()?;
                    Some((precision, i16::try_from(after).ok()?))
                }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &'static str, postgres: &str, origin: Origin) -> ClosureColumn<'static> {
        let possible = match postgres {
            "boolean" => &["boolean", "smallint", "integer"][..],
            "text" => &["text"],
            _ => &["uuid", "bigint"],
        };
        ClosureColumn {
            name: name.split_once('.').expect("table.column"),
            postgres: PostgresType::parse(postgres),
            origin,
            possible: possible.iter().map(|p| PostgresType::parse(p)).collect(),
        }
    }

    fn united(
        columns: &[(&'static str, &str, Origin)],
        keys: &[(&'static str, &'static str)],
    ) -> Result<Vec<String>, Vec<String>> {
        let columns: Vec<_> = columns
            .iter()
            .map(|(name, postgres, origin)| column(name, postgres, *origin))
            .collect();
        let keys: Vec<_> = keys
            .iter()
            .map(|(a, b)| (a.split_once('.').unwrap(), b.split_once('.').unwrap()))
            .collect();
        match unite(&columns, &keys) {
            Ok(types) => Ok(types
                .iter()
                .map(|((table, column), postgres)| format!("{table}.{column} {postgres}"))
                .collect()),
            Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn the_widest_type_holds_along_a_chain_and_round_a_cycle() {
        use Origin::Default;
        let columns = [
            ("a.id", "integer", Default),
            ("b.a", "smallint", Default),
            ("c.b", "numeric(20,0)", Default),
            ("d.c", "integer", Default),
            ("e.id", "integer", Default),
        ];
        let keys = [
            ("b.a", "a.id"),
            ("c.b", "b.a"),
            ("a.id", "c.b"),
            ("d.c", "d.c"),
            ("x.y", "e.id"),
        ];
        let expected = [
            "a.id numeric(20,0)",
            "b.a numeric(20,0)",
            "c.b numeric(20,0)",
            "d.c integer",
        ];
        assert_eq!(united(&columns, &keys).unwrap(), expected);
    }

    #[test]
    fn a_choice_for_one_end_holds_for_the_other_where_it_can() {
        use Origin::{ColumnOverride, Default, TypeOverride};
        let keys = [("b.a", "a.id")];
        let one = |a, of_a, b, of_b| united(&[("a.id", a, of_a), ("b.a", b, of_b)], &keys);
        let same = |postgres: &str| Ok(vec![format!("a.id {postgres}"), format!("b.a {postgres}")]);
        assert_eq!(
            one("uuid", ColumnOverride, "character(36)", Default),
            same("uuid")
        );
        assert_eq!(
            one("character(36)", Default, "uuid", TypeOverride),
            same("uuid")
        );
        assert_eq!(
            one("bigint", ColumnOverride, "numeric(20,0)", TypeOverride),
            same("bigint")
        );
        assert_eq!(
            one("text", ColumnOverride, "uuid", TypeOverride),
            Err(vec![
                "foreign keys join `a.id` (text) and `b.a` (uuid), which have no common type"
                    .to_owned()
            ])
        );
        assert_eq!(one("uuid", Default, "character(36)", Default), same("uuid"));
        assert!(one("uuid", Default, "text", Default).is_err());
    }

    #[test]
    fn a_boolean_gives_way_to_a_number_where_nobody_chose_it() {
        use Origin::{ColumnOverride, Default};
        let keys = [("b.a", "a.id"), ("c.b", "b.a")];
        let types = |origin| {
            let columns = [
                ("a.id", "smallint", Default),
                ("b.a", "boolean", origin),
                ("c.b", "integer", Default),
            ];
            united(&columns, &keys)
        };
        let expected = ["a.id integer", "b.a integer", "c.b integer"];
        assert_eq!(types(Default).unwrap(), expected);
        assert!(types(ColumnOverride).is_err());
    }

    #[test]
    fn pairs_of_types_and_what_holds_both() {
        for (one, other, both) in [
            ("smallint", "integer", Some("integer")),
            ("bigint", "numeric(20,0)", Some("numeric(20,0)")),
            ("bigint", "numeric(10,2)", Some("numeric(21,2)")),
            ("numeric(10,2)", "numeric(9,4)", Some("numeric(12,4)")),
            ("numeric", "integer", Some("numeric")),
            ("real", "double precision", Some("double precision")),
            ("character(3)", "character(5)", Some("character(5)")),
            (
                "character(9)",
                "character varying(5)",
                Some("character varying(9)"),
            ),
            (
                "character varying(9)",
                "character varying",
                Some("character varying"),
            ),
            ("character varying(9)", "text", Some("text")),
            (
                "timestamp(0) without time zone",
                "timestamp without time zone",
                Some("timestamp without time zone"),
            ),
            ("bytea", "bytea", Some("bytea")),
            ("boolean", "smallint", None),
            ("integer", "real", None),
            ("citext", "text", None),
            ("date", "timestamp without time zone", None),
            ("bit(2)", "bit(3)", None),
        ] {
            let (one, other) = (PostgresType::parse(one), PostgresType::parse(other));
            let both = both.map(PostgresType::parse);
            assert_eq!(wider(&one, &other), both, "{one} {other}");
            assert_eq!(wider(&other, &one), both, "{other} {one}");
        }
        let mood = |name: &str, label: &str| PostgresType::Enum {
            name: name.to_owned(),
            labels: vec![label.to_owned()],
        };
        assert_eq!(
            wider(&mood("b", "x"), &mood("a", "x")),
            Some(mood("a", "x"))
        );
        assert_eq!(wider(&mood("b", "x"), &mood("a", "y")), None);
    }
}
