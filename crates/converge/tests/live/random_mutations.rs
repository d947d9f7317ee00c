//! `verify` against a model: random tables, random rows, random changes of what was moved.
//!
//! The model knows the rows of both sides by the numbers of their values, so it knows which rows
//! are missing, unexpected or different without looking at a value.

mod kinds;

use std::collections::BTreeMap;
use std::env;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use testing::Databases;

use crate::support::Workplace;
use kinds::KINDS;

/// Tables that are moved together: each is a round.
const BATCH: usize = 100;
/// The first seed of a run; `CONVERGE_TEST_SEED` is another one.
const SEED: u64 = 8;

/// How the rows of a table are told from each other.
#[derive(Clone, Copy, Debug)]
enum Key {
    Nothing,
    Number,
    Text,
    Uuid,
    Two,
}

impl Key {
    /// Columns with their types on both sides.
    fn columns(self) -> &'static [(&'static str, &'static str, &'static str)] {
        const TEXT: &str = "varchar(30) character set utf8mb4 collate utf8mb4_bin not null";
        match self {
            Self::Nothing => &[],
            Self::Number => &[("k", "int not null", "integer")],
            Self::Text => &[("k", TEXT, "varchar(30)")],
            Self::Uuid => &[("k", "char(36) not null", "uuid")],
            Self::Two => &[("k", "bigint not null", "bigint"), ("l", TEXT, "text")],
        }
    }

    /// The key of a row as `verify` prints it, column by column.
    fn values(self, row: usize) -> Vec<String> {
        let text = format!("{row} \u{e9} A");
        match self {
            Self::Nothing => Vec::new(),
            Self::Number => vec![(row as i64 * 1_000_003 - 5).to_string()],
            Self::Text => vec![text],
            Self::Uuid => vec![format!("0f8fad5b-d9cb-469f-a165-{row:012x}")],
            Self::Two => vec![(row as i64 % 3 - 1).to_string(), text],
        }
    }
}

/// A row: which key it has, and the number of each value in its kind, none for NULL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    key: usize,
    values: Vec<Option<usize>>,
}

/// What is done to the rows of the target; numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Mutation {
    Cell(usize, usize, Option<usize>),
    Remove(usize),
    /// A copy, under a key of its own where there are keys.
    Copy(usize),
    SwapRows(usize, usize, usize),
    Rekey(usize),
    Reverse,
}

/// A table with its rows and what happens to them.
#[derive(Clone, Debug)]
struct Round {
    key: Key,
    kinds: Vec<usize>,
    rows: Vec<Vec<Option<usize>>>,
    mutations: Vec<Mutation>,
    /// Whether values that have another spelling get it.
    again: bool,
}

fn rounds() -> impl Strategy<Value = Round> {
    let key = prop_oneof![
        Just(Key::Nothing),
        Just(Key::Number),
        Just(Key::Text),
        Just(Key::Uuid),
        Just(Key::Two),
    ];
    let any = 0..1000_usize;
    let value = prop_oneof![1 => Just(None), 4 => any.clone().prop_map(Some)];
    let mutation = prop_oneof![
        4 => (any.clone(), any.clone(), value.clone()).prop_map(|(r, c, v)| Mutation::Cell(r, c, v)),
        1 => any.clone().prop_map(Mutation::Remove),
        1 => any.clone().prop_map(Mutation::Copy),
        1 => (any.clone(), any.clone(), any.clone()).prop_map(|(a, b, c)| Mutation::SwapRows(a, b, c)),
        1 => any.clone().prop_map(Mutation::Rekey),
        1 => Just(Mutation::Reverse),
    ];
    let row = vec(value, 6);
    (
        key,
        vec(0..KINDS.len(), 1..=6),
        vec(row, 0..30),
        vec(mutation, 0..4),
        any_bool(),
    )
        .prop_map(|(key, kinds, rows, mutations, again)| {
            let row = |row: Vec<Option<usize>>| {
                let values = row.into_iter().zip(&kinds);
                let values = values.map(|(value, kind)| reduced(value, *kind));
                values.collect()
            };
            Round {
                key,
                rows: rows.into_iter().map(row).collect(),
                kinds,
                mutations,
                again,
            }
        })
}

fn any_bool() -> impl Strategy<Value = bool> {
    prop_oneof![Just(true), Just(false)]
}

fn reduced(value: Option<usize>, kind: usize) -> Option<usize> {
    value.map(|number| number % KINDS[kind].values.len())
}

impl Round {
    fn source_rows(&self) -> Vec<Row> {
        let rows = self.rows.iter().cloned().enumerate();
        rows.map(|(key, values)| Row { key, values }).collect()
    }

    /// The rows of the target in the end.
    fn target_rows(&self) -> Vec<Row> {
        let mut rows = self.source_rows();
        let mut next_key = rows.len();
        for mutation in &self.mutations {
            if rows.is_empty() {
                break;
            }
            let count = rows.len();
            match *mutation {
                Mutation::Cell(row, column, value) => {
                    let column = column % self.kinds.len();
                    rows[row % count].values[column] = reduced(value, self.kinds[column]);
                }
                Mutation::Remove(row) => {
                    rows.remove(row % count);
                }
                Mutation::Copy(row) => {
                    let mut copy = rows[row % count].clone();
                    copy.key = next_key;
                    next_key += 1;
                    rows.push(copy);
                }
                Mutation::SwapRows(a, b, column) => {
                    let (a, b, column) = (a % count, b % count, column % self.kinds.len());
                    let value = rows[a].values[column];
                    rows[a].values[column] = rows[b].values[column];
                    rows[b].values[column] = value;
                }
                Mutation::Rekey(row) => {
                    rows[row % count].key = next_key;
                    next_key += 1;
                }
                Mutation::Reverse => rows.reverse(),
            }
        }
        rows
    }

    fn create(&self, name: &str, source: bool) -> String {
        let own = self.key.columns().iter();
        let mut columns: Vec<String> = own
            .map(|(column, on_source, on_target)| {
                format!("{column} {}", if source { on_source } else { on_target })
            })
            .collect();
        for (number, kind) in self.kinds.iter().enumerate() {
            let kind = &KINDS[*kind];
            let data_type = if source { kind.source } else { kind.target };
            columns.push(format!("c{number} {data_type} null"));
        }
        let key: Vec<&str> = self.key.columns().iter().map(|(name, ..)| *name).collect();
        if !key.is_empty() {
            columns.push(format!("primary key ({})", key.join(", ")));
        }
        format!("create table {name} ({});\n", columns.join(", "))
    }

    fn insert(&self, name: &str, rows: &[Row], source: bool) -> String {
        let row = |row: &Row| {
            let key = self.key.values(row.key).into_iter();
            let mut fields: Vec<String> = key.map(|value| format!("'{value}'")).collect();
            for (value, kind) in row.values.iter().zip(&self.kinds) {
                let kind = &KINDS[*kind];
                fields.push(match value {
                    None => "null".to_owned(),
                    Some(number) if source => kind.values[*number].0.to_owned(),
                    Some(number) => {
                        let mut again = kind.again.iter();
                        let again = again.find(|(other, _)| other == number && self.again);
                        again
                            .map_or(kind.values[*number].1, |(_, text)| text)
                            .to_owned()
                    }
                });
            }
            format!("({})", fields.join(", "))
        };
        match rows.is_empty() {
            true => String::new(),
            false => {
                let rows: Vec<String> = rows.iter().map(row).collect();
                format!("insert into {name} values {};\n", rows.join(",\n"))
            }
        }
    }

    /// What `verify` has to say: kind, key, columns.
    fn expected(&self) -> Vec<String> {
        let (source, target) = (self.source_rows(), self.target_rows());
        let mut found = match self.key {
            Key::Nothing => of_multisets(&source, &target),
            _ => self.of_keys(&source, &target),
        };
        found.sort();
        found
    }

    fn of_keys(&self, source: &[Row], target: &[Row]) -> Vec<String> {
        fn by_key(rows: &[Row]) -> BTreeMap<usize, &Row> {
            rows.iter().map(|row| (row.key, row)).collect()
        }
        let (source, target) = (by_key(source), by_key(target));
        let name = |key: &usize| self.key.values(*key).join("|");
        let mut found = Vec::new();
        for (key, row) in &source {
            match target.get(key) {
                None => found.push(format!("missing {} ", name(key))),
                Some(other) => {
                    let pairs = row.values.iter().zip(&other.values).enumerate();
                    let differing = pairs.filter(|(_, (one, other))| one != other);
                    let columns: Vec<String> =
                        differing.map(|(number, _)| format!("c{number}")).collect();
                    if !columns.is_empty() {
                        found.push(format!("different {} {}", name(key), columns.join(" ")));
                    }
                }
            }
        }
        let unexpected = target.keys().filter(|key| !source.contains_key(key));
        found.extend(unexpected.map(|key| format!("unexpected {} ", name(key))));
        found
    }
}

/// Rows without a key are each as many as they are.
fn of_multisets(source: &[Row], target: &[Row]) -> Vec<String> {
    let mut counts: BTreeMap<&[Option<usize>], i64> = BTreeMap::new();
    for row in source {
        *counts.entry(&row.values).or_default() += 1;
    }
    for row in target {
        *counts.entry(&row.values).or_default() -= 1;
    }
    let one = |count: i64| {
        let what = if count > 0 {
            "missing  "
        } else {
            "unexpected  "
        };
        vec![what.to_owned(); count.unsigned_abs() as usize]
    };
    counts.into_values().flat_map(one).collect()
}

/// The findings of a table, in the words of the model.
fn found(table: &Value) -> Vec<String> {
    let samples = table["samples"].as_array().unwrap().iter();
    let mut found: Vec<String> = samples
        .map(|sample| {
            let key = sample["key"].as_object().unwrap();
            let key: Vec<&str> = ["k", "l"]
                .iter()
                .filter_map(|column| key.get(*column)?.as_str())
                .collect();
            let columns = sample["columns"].as_array().unwrap().iter();
            let columns: Vec<&str> = columns.map(|column| column.as_str().unwrap()).collect();
            let kind = sample["kind"].as_str().unwrap();
            format!("{kind} {} {}", key.join("|"), columns.join(" "))
        })
        .collect();
    found.sort();
    let counts = ["missing", "unexpected", "different"].map(|kind| table[kind].as_u64());
    let counted: u64 = counts.iter().map(|count| count.unwrap()).sum();
    assert_eq!(counted, found.len() as u64, "all are counted and listed");
    assert_eq!(table["equal"], found.is_empty());
    found
}

/// Moves the tables of a batch, changes the target, and holds `verify` against the model.
fn batch(seed: u64, count: usize) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let rounds: Vec<Round> = (0..count)
        .map(|_| rounds().new_tree(&mut runner).unwrap().current())
        .collect();
    let named = || (100..).map(|number| format!("t{number}")).zip(&rounds);
    let (mut source, mut target, mut changes) = (String::new(), String::new(), String::new());
    for (name, round) in named() {
        source += &round.create(&name, true);
        source += &round.insert(&name, &round.source_rows(), true);
        target += &round.create(&name, false);
        changes += &format!("truncate {name};\n");
        changes += &round.insert(&name, &round.target_rows(), false);
    }
    let databases = Databases::create();
    databases.load(&source, &target);
    let workplace = Workplace::new(&[("random", &databases, "")]);
    workplace.run(&["migrate"]).expect(0);
    databases.postgres().batch_execute(&changes).unwrap();
    let verified = workplace.run(&["verify", "--output", "json", "--samples", "1000"]);
    let document: Value = serde_json::from_str(&verified.stdout).unwrap();
    let tables = document["databases"][0]["tables"].as_array().unwrap();
    assert_eq!(tables.len(), rounds.len());
    let mut findings = 0;
    for ((name, round), table) in named().zip(tables) {
        assert_eq!(table["name"], name);
        let (expected, found) = (round.expected(), found(table));
        assert_eq!(found, expected, "seed {seed}, {name}: {round:#?}");
        findings += found.len();
    }
    assert_eq!(verified.code, if findings > 0 { 5 } else { 0 });
    assert!(
        findings > count / 2,
        "the rounds change something: {findings}"
    );
}

#[test]
fn verify_finds_what_a_model_knows() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let rounds = number("CONVERGE_TEST_ROUNDS").unwrap_or(BATCH as u64);
    let seed = number("CONVERGE_TEST_SEED").unwrap_or(SEED);
    for number in 0..rounds.div_ceil(BATCH as u64) {
        batch(seed + number, BATCH);
    }
}
