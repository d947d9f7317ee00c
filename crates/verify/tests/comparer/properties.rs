//! Random tables: equal ones are equal, and one random change is found.
//!
//! Values of both sides are made here from one drawn value, without any conversion.

use catalog::RuleSet;
use digest::SourceValue;
use proptest::prelude::*;
use verify::{DrillLimits, TablePlan};

use crate::fixture::{Fields, jsonb, run, run_within, source_table, target_table};

/// A value that both sides can spell.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Null,
    Integer(i64),
    Text(String),
    Double(u64),
    Bytes(Vec<u8>),
    Uuid([u8; 16]),
    Json(String),
}

impl Cell {
    fn source(&self) -> SourceCell {
        match self {
            Self::Uuid(bytes) => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                let groups = [
                    &hex[..8],
                    &hex[8..12],
                    &hex[12..16],
                    &hex[16..20],
                    &hex[20..],
                ];
                SourceCell::Bytes(groups.join("-").into_bytes())
            }
            Self::Null => SourceCell::Null,
            Self::Integer(value) => SourceCell::Integer(*value),
            Self::Double(bits) => SourceCell::Double(f64::from_bits(*bits)),
            Self::Text(text) => SourceCell::Bytes(text.clone().into_bytes()),
            Self::Json(text) => SourceCell::Bytes(text.clone().into_bytes()),
            Self::Bytes(bytes) => SourceCell::Bytes(bytes.clone()),
        }
    }

    fn target(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Null => return None,
            Self::Integer(value) => value.to_be_bytes().to_vec(),
            Self::Double(bits) => bits.to_be_bytes().to_vec(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Json(text) => jsonb(&format!(" {text}\n")),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Uuid(bytes) => bytes.to_vec(),
        })
    }
}

enum SourceCell {
    Null,
    Integer(i64),
    Double(f64),
    Bytes(Vec<u8>),
}

impl SourceCell {
    fn value(&self) -> SourceValue<'_> {
        match self {
            Self::Null => SourceValue::Null,
            Self::Integer(value) => SourceValue::Int(*value),
            Self::Double(value) => SourceValue::Double(*value),
            Self::Bytes(bytes) => SourceValue::Bytes(bytes),
        }
    }
}

const KINDS: [(&str, &str); 6] = [
    ("bigint", "bigint"),
    ("longtext", "text"),
    ("double", "double precision"),
    ("blob", "bytea"),
    ("char(36)", "uuid"),
    ("json", "jsonb"),
];

fn cell(kind: usize) -> BoxedStrategy<Cell> {
    let value = match kind {
        0 => any::<i64>().prop_map(Cell::Integer).boxed(),
        1 => "[^\\x00]{0,8}".prop_map(Cell::Text).boxed(),
        // NaN is no value of MySQL's.
        2 => any::<f64>()
            .prop_map(|value| Cell::Double(if value.is_nan() { 0 } else { value.to_bits() }))
            .boxed(),
        3 => prop::collection::vec(any::<u8>(), 0..8)
            .prop_map(Cell::Bytes)
            .boxed(),
        4 => any::<[u8; 16]>().prop_map(Cell::Uuid).boxed(),
        _ => any::<(i32, bool)>()
            .prop_map(|(n, b)| Cell::Json(format!("{{\"k\": [{n}, {b}]}}")))
            .boxed(),
    };
    prop_oneof![1 => Just(Cell::Null), 9 => value].boxed()
}

/// Kinds of the columns and rows of them; the first column numbers the rows.
fn table() -> impl Strategy<Value = (Vec<usize>, Vec<Vec<Cell>>)> {
    prop::collection::vec(0..KINDS.len(), 1..5).prop_flat_map(|kinds| {
        let row: Vec<_> = kinds.iter().map(|kind| cell(*kind)).collect();
        (Just(kinds), prop::collection::vec(row, 1..40))
    })
}

fn plan(kinds: &[usize], with_key: bool) -> TablePlan {
    let names: Vec<String> = (0..kinds.len()).map(|index| format!("c{index}")).collect();
    let columns = |side: fn(&(&'static str, &'static str)) -> &'static str| {
        let mut columns = vec![("id", "bigint")];
        for (name, kind) in names.iter().zip(kinds) {
            columns.push((name.as_str(), side(&KINDS[*kind])));
        }
        columns
    };
    let key: &[&str] = if with_key { &["id"] } else { &[] };
    let source = source_table(&columns(|kind| kind.0), key);
    let target = target_table(&columns(|kind| kind.1), key);
    TablePlan::new("db", &source, &target, &RuleSet::default(), "UTC").expect("a plan")
}

fn source_cells(rows: &[Vec<Cell>]) -> Vec<Vec<SourceCell>> {
    let numbered = rows.iter().zip(1..);
    numbered
        .map(|(row, id)| {
            let cells = row.iter().map(Cell::source);
            std::iter::once(SourceCell::Integer(id))
                .chain(cells)
                .collect()
        })
        .collect()
}

fn values(cells: &[Vec<SourceCell>]) -> Vec<Vec<SourceValue<'_>>> {
    let rows = cells.iter();
    rows.map(|row| row.iter().map(SourceCell::value).collect())
        .collect()
}

fn fields(rows: &[Vec<Cell>]) -> Vec<Fields> {
    let numbered = rows.iter().zip(1_i64..);
    numbered
        .map(|(row, id)| {
            let cells = row.iter().map(Cell::target);
            std::iter::once(Cell::Integer(id).target())
                .chain(cells)
                .collect()
        })
        .collect()
}

/// One change of the target.
#[derive(Clone, Debug)]
enum Mutation {
    Remove(prop::sample::Index),
    Repeat(prop::sample::Index),
    Replace(prop::sample::Index, prop::sample::Index, Cell),
    Flip(
        prop::sample::Index,
        prop::sample::Index,
        prop::sample::Index,
    ),
    SwapRows(
        prop::sample::Index,
        prop::sample::Index,
        prop::sample::Index,
    ),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        index().prop_map(Mutation::Remove),
        index().prop_map(Mutation::Repeat),
        (index(), index(), (0..KINDS.len()).prop_flat_map(cell))
            .prop_map(|(row, column, cell)| Mutation::Replace(row, column, cell)),
        (index(), index(), index()).prop_map(|(r, c, b)| Mutation::Flip(r, c, b)),
        (index(), index(), index()).prop_map(|(a, b, c)| Mutation::SwapRows(a, b, c)),
    ]
}

fn mutate(rows: &mut Vec<Fields>, mutation: &Mutation) {
    let height = rows.len();
    let width = rows[0].len();
    match mutation {
        Mutation::Remove(row) => drop(rows.remove(row.index(height))),
        Mutation::Repeat(row) => rows.push(rows[row.index(height)].clone()),
        Mutation::Replace(row, column, cell) => {
            rows[row.index(height)][column.index(width)] = cell.target();
        }
        Mutation::Flip(row, column, bit) => {
            if let Some(field) = &mut rows[row.index(height)][column.index(width)]
                && !field.is_empty()
            {
                let bit = bit.index(field.len() * 8);
                field[bit / 8] ^= 1 << (bit % 8);
            }
        }
        Mutation::SwapRows(a, b, column) => {
            let column = column.index(width);
            let (a, b) = (a.index(height), b.index(height));
            let field = rows[a][column].clone();
            rows[a][column] = std::mem::replace(&mut rows[b][column], field);
        }
    }
}

/// Rows as a set with repetitions; white space around documents is the one thing that the
/// drawn changes can make without changing the meaning.
fn meaning(rows: &[Fields], kinds: &[usize]) -> Vec<Fields> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        for (field, kind) in row[1..].iter_mut().zip(kinds) {
            if KINDS[*kind].1 == "jsonb"
                && let Some([1, text @ ..]) = field.as_deref()
                && let Ok(value) = serde_json::from_slice::<serde_json::Value>(text)
            {
                *field = Some(jsonb(&value.to_string()));
            }
        }
    }
    rows.sort();
    rows
}

proptest! {
    #[test]
    fn equal_tables_are_equal((kinds, rows) in table(), with_key: bool) {
        let plan = plan(&kinds, with_key);
        let cells = source_cells(&rows);
        let mut target = fields(&rows);
        target.reverse();
        prop_assert!(run(&plan, &values(&cells), &target).findings.is_empty());
    }

    #[test]
    fn a_change_is_found_exactly_when_there_is_one(
        (kinds, rows) in table(),
        mutation in mutation(),
        with_key: bool,
    ) {
        let plan = plan(&kinds, with_key);
        let cells = source_cells(&rows);
        let before = fields(&rows);
        let mut target = before.clone();
        mutate(&mut target, &mutation);
        let changed = meaning(&before, &kinds) != meaning(&target, &kinds);
        let findings = run(&plan, &values(&cells), &target).findings;
        prop_assert_eq!(!findings.is_empty(), changed);
        let found = findings.missing + findings.unexpected + findings.different;
        prop_assert!(found <= 4, "{} findings for one change", found);
        let gone = rows.len() as u64 + findings.unexpected - findings.missing;
        prop_assert_eq!(gone, target.len() as u64);
    }

    #[test]
    fn limits_change_no_count((kinds, rows) in table(), keep in 0..20usize, memory in 1..5000u64) {
        let plan = plan(&kinds, true);
        let cells = source_cells(&rows);
        let mut target = fields(&rows);
        target.truncate(keep);
        let limits = DrillLimits {
            samples: 3,
            memory_bytes: memory,
            ..DrillLimits::default()
        };
        let (comparison, _) = run_within(&plan, &values(&cells), &target, limits);
        let missing = rows.len().saturating_sub(keep);
        prop_assert_eq!(comparison.findings.missing, missing as u64);
        prop_assert_eq!(comparison.findings.samples.len(), missing.min(3));
    }
}
