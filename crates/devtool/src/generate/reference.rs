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
    /// So many rows one after the other have the same parent, then the next one: for composite
    /// primary keys, cycles, and columns that have to agree with another table's.
    InTurn { rows_each: u64 },
    /// Every `of`th row, from row `first` on, has a parent of its own: for columns of which a row
    /// fills one at most.
    Alternating { first: u64, of: u64 },
    /// Any parent.
    Any,
    /// References within one table, with a loop, a pair and references to later rows.
    OwnTable,
    /// A tree within one table, three levels deep; in each family one child stands before its
    /// parent.
    Tree,
}

/// Rows of a family of `Shape::Tree`.
const FAMILY_ROWS: u64 = 7;

/// The parent of each row of a family, as a row of the family.
const FAMILY_PARENTS: [Option<u64>; FAMILY_ROWS as usize] =
    [None, Some(0), Some(0), Some(4), Some(0), Some(1), Some(2)];

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
            Shape::InTurn { rows_each } => row / rows_each % self.parent_rows,
            Shape::Alternating { first, of }
                if row % of != first || row / of >= self.parent_rows =>
            {
                return None;
            }
            Shape::Alternating { of, .. } => row / of,
            Shape::Any => random.below(self.parent_rows),
            Shape::OwnTable => return self.parent_in_own_table(row),
            Shape::Tree => return self.parent_in_tree(row),
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

    fn parent_in_tree(&self, row: u64) -> Option<u64> {
        let in_family = row % FAMILY_ROWS;
        let parent = row - in_family + FAMILY_PARENTS[in_family as usize]?;
        // Where the last family is cut off, a child may lose its parent.
        (parent < self.parent_rows).then_some(parent)
    }

    /// The row at the top of a row's family, and how many levels it is above.
    pub(crate) fn top_of_tree(&self, row: u64) -> (u64, u64) {
        let (mut top, mut levels) = (row, 0);
        while let Some(parent) = self.parent_in_tree(top) {
            (top, levels) = (parent, levels + 1);
        }
        (top, levels)
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
        for shape in [
            Shape::OneToOne,
            Shape::InTurn { rows_each: 1 },
            Shape::Any,
            Shape::OwnTable,
        ] {
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

    #[test]
    fn a_tree_has_three_levels_and_no_way_back() {
        for parent_rows in [1, 4, 70] {
            let reference = Reference {
                parent_seed: 0,
                parent_rows,
                shape: Shape::Tree,
            };
            let tree = parents(Shape::Tree, parent_rows, parent_rows);
            for (row, parent) in tree.iter().enumerate() {
                let (top, levels) = reference.top_of_tree(row as u64);
                assert!(levels <= 2 && tree[top as usize].is_none());
                if let Some(parent) = parent {
                    assert_eq!(reference.top_of_tree(*parent), (top, levels - 1));
                }
            }
        }
        let tree = parents(Shape::Tree, 70, 70);
        assert_eq!(tree[..7], FAMILY_PARENTS);
        assert_eq!(tree[10], Some(11), "a child before its parent");
    }

    #[test]
    fn of_columns_that_alternate_a_row_fills_one_at_most() {
        let shapes = (0..4).map(|first| Shape::Alternating { first, of: 4 });
        let columns: Vec<_> = shapes.map(|shape| parents(shape, 20, 100)).collect();
        for row in 0..100 {
            let filled = columns.iter().filter(|column| column[row].is_some());
            assert!(filled.count() <= 1, "{row}");
        }
        for column in &columns {
            let used: Vec<u64> = column.iter().flatten().copied().collect();
            assert!(used.len() > 10 && used.is_sorted_by(|a, b| a < b));
        }
    }
}
