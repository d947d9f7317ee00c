//! Small catalogues, values as both protocols deliver them, and a comparison from end to end.

use catalog::{
    Column, ColumnPattern, Condition, Key, KeyKind, KeyPart, MysqlType, Outcome, PostgresType,
    Rule, RuleSet, SourceTable, Table, TargetTable,
};
use digest::SourceValue;
use verify::{Buckets, DrillDown, DrillLimits, Findings, RuleCount, TablePlan, compare};

/// A row of the target as COPY delivers it.
pub(crate) type Fields = Vec<Option<Vec<u8>>>;

pub(crate) fn source_table(columns: &[(&str, &str)], key: &[&str]) -> SourceTable {
    let columns = columns
        .iter()
        .map(|(name, spelling)| Column::new(*name, MysqlType::parse(spelling)));
    table(columns.collect(), key)
}

pub(crate) fn target_table(columns: &[(&str, &str)], key: &[&str]) -> TargetTable {
    let columns = columns
        .iter()
        .map(|(name, spelling)| Column::new(*name, target_type(spelling)));
    table(columns.collect(), key)
}

fn table<T>(columns: Vec<Column<T>>, key: &[&str]) -> Table<T> {
    let parts: Vec<KeyPart> = key.iter().map(|name| KeyPart::column(*name)).collect();
    let mut table = Table::new("thing");
    table.columns = columns;
    if !parts.is_empty() {
        table.keys = vec![Key::new("PRIMARY", KeyKind::Primary, parts)];
    }
    table
}

/// `enum:a|b` is an enum with these labels, `enum:a|b[]` an array of it; everything else is as
/// `format_type()` spells it.
fn target_type(spelling: &str) -> PostgresType {
    let Some(labels) = spelling.strip_prefix("enum:") else {
        return PostgresType::parse(spelling);
    };
    if let Some(labels) = labels.strip_suffix("[]") {
        return PostgresType::Array(Box::new(target_type(&format!("enum:{labels}"))));
    }
    PostgresType::Enum {
        name: "label".to_owned(),
        labels: labels.split('|').map(str::to_owned).collect(),
    }
}

/// A rule for all columns; `outcome` as the config spells it, maps as `map:a=b,c=d`.
pub(crate) fn rule(condition: Condition, outcome: &str) -> RuleSet {
    RuleSet::new(vec![one_rule("*.*", condition, outcome)]).expect("one rule has no rival")
}

pub(crate) fn one_rule(columns: &str, condition: Condition, text: &str) -> Rule {
    let outcome = match text.strip_prefix("map:") {
        None => Outcome::parse(condition, text).expect("an outcome of the condition"),
        Some(pairs) => {
            let pairs = pairs.split(',').filter_map(|pair| pair.split_once('='));
            Outcome::Map(std::sync::Arc::new(catalog::ValueMap {
                file: "map.csv".to_owned(),
                pairs: pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
            }))
        }
    };
    Rule {
        columns: ColumnPattern::parse(columns).expect("a pattern"),
        condition,
        outcome,
        outcome_text: text.to_owned(),
    }
}

/// What a comparison says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) findings: Findings,
    pub(crate) rules: Vec<RuleCount>,
}

/// Compares the way a run does: sums first, then the differing buckets again.
pub(crate) fn run(
    plan: &TablePlan,
    source: &[Vec<SourceValue<'_>>],
    target: &[Fields],
) -> Comparison {
    run_within(plan, source, target, DrillLimits::default()).0
}

/// The same within limits; also says how many passes it took.
pub(crate) fn run_within(
    plan: &TablePlan,
    source: &[Vec<SourceValue<'_>>],
    target: &[Fields],
    limits: DrillLimits,
) -> (Comparison, usize) {
    let buckets = Buckets::for_rows(source.len() as u64);
    let mut source_sums = plan.side_sums(buckets);
    let mut target_sums = plan.side_sums(buckets);
    source.iter().for_each(|row| source_sums.add_source(row));
    target
        .iter()
        .for_each(|row| target_sums.add_target(&borrowed(row)));
    let difference = compare(&source_sums, &target_sums);
    let mut drill = DrillDown::new(plan, &difference, limits);
    let passes = drill.passes_needed();
    assert_eq!(difference.is_equal(), passes == 0);
    for pass in 0..passes {
        let mut source_side = drill.side(pass);
        let mut target_side = drill.side(pass);
        source.iter().for_each(|row| source_side.add_source(row));
        target
            .iter()
            .for_each(|row| target_side.add_target(&borrowed(row)));
        drill.settle(source_side, target_side);
    }
    let comparison = Comparison {
        findings: drill.finish(),
        rules: source_sums.rules(),
    };
    assert_eq!(comparison.findings.is_empty(), passes == 0);
    (comparison, passes)
}

fn borrowed(row: &Fields) -> Vec<Option<&[u8]>> {
    row.iter().map(Option::as_deref).collect()
}

/// `timestamp`, `date` and others of the source.
pub(crate) fn date(year: u16, month: u8, day: u8) -> SourceValue<'static> {
    datetime(year, month, day, [0, 0, 0], 0)
}

pub(crate) fn datetime(
    year: u16,
    month: u8,
    day: u8,
    [hour, minute, second]: [u8; 3],
    micros: u32,
) -> SourceValue<'static> {
    SourceValue::Date {
        year,
        month,
        day,
        hour,
        minute,
        second,
        micros,
    }
}

/// A `time` with its hours counted through.
pub(crate) fn time(
    negative: bool,
    hours: u32,
    [minutes, seconds]: [u8; 2],
    micros: u32,
) -> SourceValue<'static> {
    SourceValue::Time {
        negative,
        days: hours / 24,
        hours: u8::try_from(hours % 24).expect("below 24"),
        minutes,
        seconds,
        micros,
    }
}

/// PostgreSQL's `numeric` in its binary format.
pub(crate) fn numeric(groups: &[u16], weight: i16, sign: u16, scale: u16) -> Vec<u8> {
    let count = u16::try_from(groups.len()).expect("few groups");
    let mut bytes = Vec::new();
    bytes.extend(count.to_be_bytes());
    bytes.extend(weight.to_be_bytes());
    bytes.extend(sign.to_be_bytes());
    bytes.extend(scale.to_be_bytes());
    groups
        .iter()
        .for_each(|group| bytes.extend(group.to_be_bytes()));
    bytes
}

/// A one-dimensional array of text in its binary format.
pub(crate) fn text_array(elements: &[Option<&str>]) -> Vec<u8> {
    let has_null = i32::from(elements.iter().any(Option::is_none));
    let dimensions = i32::from(!elements.is_empty());
    let mut bytes = Vec::new();
    for word in [dimensions, has_null, 25] {
        bytes.extend(word.to_be_bytes());
    }
    if !elements.is_empty() {
        let count = i32::try_from(elements.len()).expect("few elements");
        bytes.extend(count.to_be_bytes());
        bytes.extend(1_i32.to_be_bytes());
    }
    for element in elements {
        match element {
            None => bytes.extend((-1_i32).to_be_bytes()),
            Some(text) => {
                let length = i32::try_from(text.len()).expect("short text");
                bytes.extend(length.to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
    }
    bytes
}

/// PostgreSQL's `interval` in its binary format.
pub(crate) fn interval(micros: i64, days: i32, months: i32) -> Vec<u8> {
    let mut bytes = micros.to_be_bytes().to_vec();
    bytes.extend(days.to_be_bytes());
    bytes.extend(months.to_be_bytes());
    bytes
}

/// PostgreSQL's `bit` in its binary format.
pub(crate) fn bits(width: i32, bytes: &[u8]) -> Vec<u8> {
    [&width.to_be_bytes()[..], bytes].concat()
}

/// PostgreSQL's `jsonb` in its binary format.
pub(crate) fn jsonb(text: &str) -> Vec<u8> {
    [b"\x01", text.as_bytes()].concat()
}
