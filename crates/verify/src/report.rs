//! The document that `verify` prints, field by field as the contract has it.
//!
//! Filled by the caller; decides nothing but what a table's numbers mean.

use serde::ser::Serializer;

use crate::drill_down::Findings;
use crate::sums::{SideSums, compare};

/// The whole document.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct VerifyReport {
    /// Version of this layout.
    pub schema_version: u32,
    /// What stands against what, where it is not source and target.
    #[serde(skip_serializing_if = "is_default")]
    pub compared: Compared,
    /// How many of a hundred rows were looked at, where it was not all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_percent: Option<f64>,
    /// What the comparison comes to.
    pub verdict: Verdict,
    /// By database, in the order of the config.
    pub databases: Vec<DatabaseReport>,
}

/// The two things that stand against each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// Both live databases.
    #[default]
    SourceTarget,
    /// The live source, and what the manifest of the export says of it.
    SourceManifest,
    /// The transformed files, as their manifest has them, and the live target.
    ManifestTarget,
}

impl Compared {
    /// Both by name.
    pub fn sides(self) -> [&'static str; 2] {
        match self {
            Self::SourceTarget => ["source", "target"],
            Self::SourceManifest => ["source", "manifest"],
            Self::ManifestTarget => ["files", "target"],
        }
    }
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every row and every object is as it must be.
    Equal,
    /// Something is not.
    Different,
    /// The source changed since it was read, so that nothing can be said.
    SourceMoved,
    /// What was looked at is equal, but not everything was looked at.
    Partial,
}

impl Verdict {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Different => "different",
            Self::SourceMoved => "source_moved",
            Self::Partial => "partial",
        }
    }
}

/// One database.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct DatabaseReport {
    /// Its name in the config.
    pub name: String,
    /// Its tables, by name.
    pub tables: Vec<TableReport>,
    /// What is wrong with the target's objects.
    pub catalog: Vec<CatalogFinding>,
    /// Checks of meaning.
    pub checks: Vec<Check>,
}

impl DatabaseReport {
    /// Whether nothing was found.
    pub fn is_equal(&self) -> bool {
        self.tables.iter().all(|table| table.equal)
            && self.catalog.is_empty()
            && self.checks.iter().all(|check| check.passed)
    }

    /// For what is kept: values are for whoever asked for them alone.
    pub fn without_values(&self) -> Self {
        let mut report = self.clone();
        for table in &mut report.tables {
            for sample in &mut table.samples {
                sample.values.clear();
            }
        }
        report
    }
}

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct TableReport {
    /// Its name.
    pub name: String,
    /// Rows read from the source.
    pub source_rows: u64,
    /// Rows read from the target.
    pub target_rows: u64,
    /// Rows that a declared rule left out.
    pub left_out: u64,
    /// Whether nothing differs.
    pub equal: bool,
    /// Rows in the source only.
    pub missing: u64,
    /// Rows in the target only.
    pub unexpected: u64,
    /// Rows with equal keys and other differences.
    pub different: u64,
    /// Rules that changed rows.
    pub rules: Vec<RuleCount>,
    /// The first findings.
    pub samples: Vec<Sample>,
}

impl TableReport {
    /// Puts the numbers of both sides and the findings together.
    pub fn new(source: &SideSums<'_>, target: &SideSums<'_>, findings: Findings) -> Self {
        Self {
            name: source.plan().table().to_owned(),
            source_rows: source.rows(),
            target_rows: target.rows(),
            left_out: 0,
            // Where rows changed between the two readings, the first one still counts.
            equal: findings.is_empty() && compare(source, target).is_equal(),
            missing: findings.missing,
            unexpected: findings.unexpected,
            different: findings.different,
            rules: source.rules(),
            samples: findings.samples,
        }
    }
}

/// A rule and how many rows it changed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RuleCount {
    /// The rule as the config has it: columns, condition, outcome.
    pub rule: String,
    /// Rows.
    pub rows: u64,
}

/// One finding with its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Sample {
    /// What is wrong.
    pub kind: SampleKind,
    /// Column and value of the key, in key order; empty for tables without a key.
    #[serde(serialize_with = "as_map")]
    pub key: Vec<(String, String)>,
    /// The columns that differ, for `different`.
    pub columns: Vec<String>,
    /// These columns with their values in source and target, where they are to be shown; of JSON
    /// and arrays only that they are.
    #[serde(serialize_with = "as_map", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, [Option<String>; 2])>,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleKind {
    /// In the source only.
    Missing,
    /// In the target only.
    Unexpected,
    /// On both sides with other values.
    Different,
}

impl SampleKind {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unexpected => "unexpected",
            Self::Different => "different",
        }
    }
}

/// Something about the target's objects.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CatalogFinding {
    /// Kind of object, such as `sequence`.
    pub kind: String,
    /// Its name.
    pub object: String,
    /// What is wrong with it.
    pub detail: String,
}

/// A check of meaning and its result.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// Such as `authentication`.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Whether it holds, or was violated by the source's rows as well.
    pub passed: bool,
    /// How many rows violate it on both sides.
    #[serde(skip_serializing_if = "is_default")]
    pub violations: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn as_map<S: Serializer, V: serde::Serialize>(
    columns: &[(String, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(columns.iter().map(|(column, value)| (column, value)))
}
