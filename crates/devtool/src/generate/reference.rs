//! Which parent row a foreign key column points to.
//!
//! Parents are found by arithmetic, not by memory: the id of any row can be
//! computed, so that only its number has to be chosen.

use super::random::Random;

/// How the values of one foreign key column are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The seed of the parent table's ids.
    pub(crate) parent_seed: u64,
    /// How many rows the parent has.
    pub(crate) parent_rows: u64,
    /// The pattern.
    pub(crate) shape: Shape,
}

/// The pattern of a foreign key's references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each parent at most once: row n has parent n while there is one.
    OneToOne,
    /// Row n has parent n modulo the parents: for composite primary keys and cycles.
    InTurn,
    /// Any parent.
    Any,
    /// A tree within one table, with a loop, a pair and references to later rows.
    OwnTable,
}

impl Reference {
    /// The parent's row number, or `None` for NULL. `nullable` is the column's own;
    /// row 0 always has a parent, so that no foreign key is without a reference.
    pub(crate) fn parent_row(&self, random: &mut Random, row: u64, nullable: bool) -> Option<u64> {
        if self.parent_rows == 0 {
            return None;
        }
        let parent = match self.shape {
            Shape::OneToOne if row >= self.parent_rows => return None,
            Shape::OneToOne => row,
            Shape::InTurn => row % self.parent_rows,
            Shape::Any => random.below(self.parent_rows),
            Shape::OwnTable => return self.parent_in_own_table(row),
        };
        let is_null = nullable && row > 0 && random.one_in(9);
        (!is_null).then_some(parent)
    }

    /// Rows 0 to 2 are what an order by dependencies stumbles over: a row that is
    /// its own parent and two that are each other's. Later, every ninth row has no
    /// parent and every seventh refers to the row behind it.
    fn parent_in_own_table(&self, row: u64) -> Option<u64> {
        let parent = match row {
            0 => 0,
            1 => 2,
            2 => 1,
            _ if row % 9 == 3 => return None,
            _ if row % 7 == 3 => row + 1,
            _ => row / 3,
        };
        (parent < self.parent_rows).then_some(parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parents(shape: Shape, parent_rows: u64, rows: u64) -> Vec<Option<u64>> {
        let reference = Reference {
            parent_seed: 0,
            parent_rows,
            shape,
        };
        let parent = |row| reference.parent_row(&mut Random::new(2, row), row, true);
        (0..rows).map(parent).collect()
    }

    #[test]
    fn no_reference_goes_beyond_the_parents() {
        for shape in [Shape::OneToOne, Shape::InTurn, Shape::Any, Shape::OwnTable] {
            for parent_rows in [1, 2, 7, 100] {
                let all = parents(shape, parent_rows, 100);
                assert!(
                    all.iter().flatten().all(|parent| *parent < parent_rows),
                    "{shape:?}"
                );
                assert!(all[0].is_some(), "{shape:?}");
            }
            assert_eq!(parents(shape, 0, 3), [None; 3]);
        }
    }

    #[test]
    fn one_to_one_never_repeats_and_trees_are_no_forest_of_roots() {
        let mut used: Vec<u64> = parents(Shape::OneToOne, 50, 100)
            .into_iter()
            .flatten()
            .collect();
        let count = used.len();
        used.dedup();
        assert_eq!(used.len(), count);
        let tree = parents(Shape::OwnTable, 100, 100);
        assert_eq!((tree[0], tree[1], tree[2]), (Some(0), Some(2), Some(1)));
        assert!(tree.iter().flatten().count() > 80);
        assert!(
            tree.iter()
                .enumerate()
                .any(|(row, p)| p.is_some_and(|p| p > row as u64))
        );
    }
}
