//! Rules: which lossy conversions the operator declared, and which of them holds for a column.
//!
//! Says what a rule means, not how it is carried out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::column_pattern::ColumnPattern;

/// What a value must be for a rule to apply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Every value but NULL; applies before the other conditions, which judge its result.
    Any,
    /// `''` where the target is uuid.
    EmptyUuid,
    /// Other text that is no uuid.
    InvalidUuid,
    /// `0000-00-00`, with or without a time.
    ZeroDate,
    /// A date that does not exist, such as `2024-02-00`.
    InvalidDate,
    /// A time outside one day.
    TimeRange,
    /// A NUL character in text.
    NulByte,
    /// `\u0000` in JSON whose target is jsonb.
    JsonNul,
    /// A number other than 0 and 1 where the target is boolean.
    NotBoolean,
    /// An enum's index 0, or a label that the target's type does not have.
    EnumUnknown,
    /// Text, bytes or bits beyond the target's length.
    TooLong,
    /// More fractional digits than the target keeps.
    PrecisionLost,
    /// A number or date beyond the target's range.
    OutOfRange,
    /// Text that is no JSON.
    InvalidJson,
    /// NULL where the target is NOT NULL.
    NullInNotNull,
}

impl Condition {
    /// All conditions.
    pub const ALL: [Self; 15] = [
        Self::Any,
        Self::EmptyUuid,
        Self::InvalidUuid,
        Self::ZeroDate,
        Self::InvalidDate,
        Self::TimeRange,
        Self::NulByte,
        Self::JsonNul,
        Self::NotBoolean,
        Self::EnumUnknown,
        Self::TooLong,
        Self::PrecisionLost,
        Self::OutOfRange,
        Self::InvalidJson,
        Self::NullInNotNull,
    ];

    /// The name in the config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::EmptyUuid => "empty_uuid",
            Self::InvalidUuid => "invalid_uuid",
            Self::ZeroDate => "zero_date",
            Self::InvalidDate => "invalid_date",
            Self::TimeRange => "time_range",
            Self::NulByte => "nul_byte",
            Self::JsonNul => "json_nul",
            Self::NotBoolean => "not_boolean",
            Self::EnumUnknown => "enum_unknown",
            Self::TooLong => "too_long",
            Self::PrecisionLost => "precision_lost",
            Self::OutOfRange => "out_of_range",
            Self::InvalidJson => "invalid_json",
            Self::NullInNotNull => "null_in_not_null",
        }
    }

    /// An outcome that the condition allows, as it is written in the config, for hints.
    pub fn example_outcome(self) -> &'static str {
        match self {
            Self::NulByte | Self::JsonNul => "strip",
            Self::NotBoolean => "\"true\"",
            Self::TimeRange => "interval",
            Self::TooLong => "truncate",
            Self::PrecisionLost => "round",
            Self::NullInNotNull => "default",
            Self::Any => "trim",
            _ => "\"null\"",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What becomes of a value that meets a rule's condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// NULL.
    Null,
    /// `00000000-0000-0000-0000-000000000000`.
    NilUuid,
    /// The value's partner in a map file; a value that the map lacks is an error.
    Map(Arc<ValueMap>),
    /// This text, in the target's spelling (`zero_date` and `invalid_date`: a timestamp).
    Literal(String),
    /// A time beyond a day becomes an interval, where the target is one.
    Interval,
    /// The character is left out.
    Strip,
    /// The character is replaced by this text.
    Replace(String),
    /// `true`.
    True,
    /// Cut to the target's length or scale.
    Truncate,
    /// Rounded half away from zero to what the target keeps.
    Round,
    /// The target column's default, which must be a literal.
    Default,
    /// Each character below U+0100 becomes the byte of that number (target: bytea).
    Latin1ToBytes,
    /// The same, written as base64 (target: text).
    Latin1ToBytesBase64,
    /// Lower case.
    Lower,
    /// Without blanks at both ends.
    Trim,
}

impl Outcome {
    /// Reads an outcome as the config spells it, without `map:`, whose file the caller reads.
    ///
    /// # Errors
    /// Where the condition does not know that outcome: the outcomes that it does know.
    pub fn parse(condition: Condition, text: &str) -> Result<Self, RuleError> {
        let outcome = match (condition, text) {
            (
                Condition::EmptyUuid
                | Condition::InvalidUuid
                | Condition::ZeroDate
                | Condition::InvalidDate
                | Condition::NotBoolean
                | Condition::EnumUnknown
                | Condition::OutOfRange
                | Condition::InvalidJson,
                "null",
            ) => Self::Null,
            (Condition::EmptyUuid | Condition::InvalidUuid, "nil_uuid") => Self::NilUuid,
            (Condition::TimeRange, "interval") => Self::Interval,
            (Condition::NulByte | Condition::JsonNul, "strip") => Self::Strip,
            (Condition::NotBoolean, "true") => Self::True,
            (Condition::TooLong | Condition::PrecisionLost, "truncate") => Self::Truncate,
            (Condition::PrecisionLost, "round") => Self::Round,
            (Condition::NullInNotNull, "default") => Self::Default,
            (Condition::Any, "latin1_to_bytes") => Self::Latin1ToBytes,
            (Condition::Any, "latin1_to_bytes_base64") => Self::Latin1ToBytesBase64,
            (Condition::Any, "lower") => Self::Lower,
            (Condition::Any, "trim") => Self::Trim,
            _ => return Self::parse_with_argument(condition, text),
        };
        Ok(outcome)
    }

    fn parse_with_argument(condition: Condition, text: &str) -> Result<Self, RuleError> {
        match condition {
            Condition::NulByte | Condition::JsonNul => {
                if let Some(replacement) = text.strip_prefix("replace:")
                    && replacement.chars().count() == 1
                    && replacement != "\0"
                {
                    return Ok(Self::Replace(replacement.to_owned()));
                }
            }
            Condition::NullInNotNull => {
                if let Some(value) = text.strip_prefix("value:") {
                    return Ok(Self::Literal(value.to_owned()));
                }
            }
            Condition::ZeroDate | Condition::InvalidDate if looks_like_a_date(text) => {
                return Ok(Self::Literal(text.to_owned()));
            }
            _ => {}
        }
        Err(RuleError::UnknownOutcome {
            condition,
            outcome: text.to_owned(),
        })
    }

    /// Whether the condition allows a map file.
    pub fn allows_map(condition: Condition) -> bool {
        matches!(
            condition,
            Condition::EmptyUuid | Condition::InvalidUuid | Condition::EnumUnknown | Condition::Any
        )
    }

    /// The outcomes that a condition knows, as the config spells them.
    pub fn choices(condition: Condition) -> &'static str {
        match condition {
            Condition::EmptyUuid | Condition::InvalidUuid => "null, nil_uuid, map:<file.csv>",
            Condition::ZeroDate | Condition::InvalidDate => "null, a literal timestamp",
            Condition::TimeRange => "interval",
            Condition::NulByte | Condition::JsonNul => "strip, replace:<char>",
            Condition::NotBoolean => "true, null",
            Condition::EnumUnknown => "null, map:<file.csv>",
            Condition::TooLong => "truncate",
            Condition::PrecisionLost => "truncate, round",
            Condition::OutOfRange | Condition::InvalidJson => "null",
            Condition::NullInNotNull => "default, value:<v>",
            Condition::Any => {
                "latin1_to_bytes, latin1_to_bytes_base64, lower, trim, map:<file.csv>"
            }
        }
    }
}

fn looks_like_a_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..10]
            .iter()
            .enumerate()
            .all(|(index, byte)| match index {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            })
}

/// The pairs of a map file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueMap {
    /// Where it was read from, for messages.
    pub file: String,
    /// From the source's text to the target's.
    pub pairs: BTreeMap<String, String>,
}

/// A declared conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The columns that it names.
    pub columns: ColumnPattern,
    /// When it applies.
    pub condition: Condition,
    /// What it does.
    pub outcome: Outcome,
    /// The outcome as the config spells it.
    pub outcome_text: String,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} -> {}",
            self.columns, self.condition, self.outcome_text
        )
    }
}

/// Columns for which a condition stays an error, whatever a wider rule says (`then: error`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleException {
    /// The columns that it names.
    pub columns: ColumnPattern,
    /// The condition.
    pub condition: Condition,
}

impl fmt::Display for RuleException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> error", self.columns, self.condition)
    }
}

/// The rules of one database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    rules: Vec<Arc<Rule>>,
    exceptions: Vec<RuleException>,
}

impl RuleSet {
    /// Takes the rules of the config.
    ///
    /// # Errors
    /// Where two of one rank and condition could hold for one column.
    pub fn new(rules: Vec<Rule>) -> Result<Self, RuleError> {
        Self::with_exceptions(rules, Vec::new())
    }

    /// Takes the rules of the config and the exceptions to them.
    ///
    /// # Errors
    /// Where two of one rank and condition could hold for one column.
    pub fn with_exceptions(
        rules: Vec<Rule>,
        exceptions: Vec<RuleException>,
    ) -> Result<Self, RuleError> {
        let of_rules = rules
            .iter()
            .map(|rule| (rule.condition, &rule.columns, rule.to_string()));
        let of_exceptions = exceptions.iter().map(|exception| {
            (
                exception.condition,
                &exception.columns,
                exception.to_string(),
            )
        });
        let all: Vec<_> = of_rules.chain(of_exceptions).collect();
        for (index, (condition, columns, second)) in all.iter().enumerate() {
            let mut before = all[..index].iter();
            if let Some((_, _, first)) = before.find(|(c, of, _)| c == condition && of == columns) {
                return Err(RuleError::Conflict {
                    first: first.clone(),
                    second: second.clone(),
                });
            }
        }
        let rules = rules.into_iter().map(Arc::new).collect();
        Ok(Self { rules, exceptions })
    }

    /// The rules that hold for a column: for each condition the strongest.
    pub fn for_column(&self, table: &str, column: &str) -> ColumnRules {
        let mut by_condition: BTreeMap<Condition, Arc<Rule>> = BTreeMap::new();
        for rule in self
            .rules
            .iter()
            .filter(|r| r.columns.matches(table, column))
        {
            let current = by_condition.get(&rule.condition);
            if current.is_none_or(|c| rule.columns.rank() < c.columns.rank()) {
                by_condition.insert(rule.condition, Arc::clone(rule));
            }
        }
        let exceptions = self.exceptions.iter();
        for exception in exceptions.filter(|e| e.columns.matches(table, column)) {
            let rule = by_condition.get(&exception.condition);
            if rule.is_some_and(|rule| exception.columns.rank() < rule.columns.rank()) {
                by_condition.remove(&exception.condition);
            }
        }
        ColumnRules { by_condition }
    }

    /// The columns that rules and exceptions name.
    pub fn patterns(&self) -> impl Iterator<Item = &ColumnPattern> {
        let rules = self.rules.iter().map(|rule| &rule.columns);
        rules.chain(self.exceptions.iter().map(|exception| &exception.columns))
    }

    /// All rules in the order of the config.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(AsRef::as_ref)
    }
}

/// The rules that hold for one column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnRules {
    by_condition: BTreeMap<Condition, Arc<Rule>>,
}

impl ColumnRules {
    /// The rule for that condition.
    pub fn get(&self, condition: Condition) -> Option<&Arc<Rule>> {
        self.by_condition.get(&condition)
    }

    /// All of them, by condition.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.by_condition.values()
    }
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// Not `table.column`.
    NotAColumn(String),
    /// The condition does not know the outcome.
    UnknownOutcome {
        /// The condition.
        condition: Condition,
        /// What stands in the config.
        outcome: String,
    },
    /// Two rules of one rank for one condition.
    Conflict {
        /// The first.
        first: String,
        /// The second.
        second: String,
    },
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAColumn(text) => {
                write!(f, "`{text}` is not `table.column` (either may be `*`)")
            }
            Self::UnknownOutcome { condition, outcome } => write!(
                f,
                "condition `{condition}` has no outcome `{outcome}`; it has: {}",
                Outcome::choices(*condition)
            ),
            Self::Conflict { first, second } => {
                write!(
                    f,
                    "rules `{first}` and `{second}` hold for the same columns"
                )
            }
        }
    }
}

impl std::error::Error for RuleError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(columns: &str, condition: Condition, outcome: &str) -> Rule {
        Rule {
            columns: ColumnPattern::parse(columns).unwrap(),
            condition,
            outcome: Outcome::parse(condition, outcome).unwrap(),
            outcome_text: outcome.to_owned(),
        }
    }

    #[test]
    fn the_strongest_pattern_wins() {
        let set = RuleSet::new(vec![
            rule("*.*", Condition::EmptyUuid, "null"),
            rule("*.id", Condition::EmptyUuid, "nil_uuid"),
            rule("t.*", Condition::EmptyUuid, "null"),
            rule("t.id", Condition::TooLong, "truncate"),
        ])
        .unwrap();
        let column = set.for_column("t", "id");
        assert_eq!(
            column.get(Condition::EmptyUuid).unwrap().outcome,
            Outcome::Null
        );
        assert_eq!(
            column.get(Condition::TooLong).unwrap().outcome,
            Outcome::Truncate
        );
        let other = set.for_column("u", "id");
        assert_eq!(
            other.get(Condition::EmptyUuid).unwrap().outcome,
            Outcome::NilUuid
        );
        assert_eq!(other.get(Condition::TooLong), None);
    }

    #[test]
    fn two_of_one_rank_are_refused() {
        let rules = vec![
            rule("t.*", Condition::EmptyUuid, "null"),
            rule("t.*", Condition::EmptyUuid, "nil_uuid"),
        ];
        let error = RuleSet::new(rules).unwrap_err();
        assert!(matches!(error, RuleError::Conflict { .. }));
    }

    #[test]
    fn an_exception_is_an_error_among_wider_rules_and_yields_to_a_stronger_rule() {
        let exception = |columns: &str| RuleException {
            columns: ColumnPattern::parse(columns).unwrap(),
            condition: Condition::EmptyUuid,
        };
        let rules = || {
            vec![
                rule("*.*", Condition::EmptyUuid, "null"),
                rule("t.id", Condition::EmptyUuid, "nil_uuid"),
            ]
        };
        let exceptions = vec![exception("t.*"), exception("u.id")];
        let set = RuleSet::with_exceptions(rules(), exceptions).unwrap();
        let outcome = |table: &str, column: &str| {
            let rules = set.for_column(table, column);
            rules
                .get(Condition::EmptyUuid)
                .map(|rule| rule.outcome.clone())
        };
        assert_eq!(outcome("t", "id"), Some(Outcome::NilUuid));
        assert_eq!(outcome("t", "other"), None);
        assert_eq!(outcome("u", "id"), None);
        assert_eq!(outcome("u", "other"), Some(Outcome::Null));
        let error = RuleSet::with_exceptions(rules(), vec![exception("t.id")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "rules `t.id empty_uuid -> nil_uuid` and `t.id empty_uuid -> error` hold for the same \
             columns"
        );
    }

    #[test]
    fn each_condition_knows_its_outcomes_only() {
        assert!(Outcome::parse(Condition::EmptyUuid, "truncate").is_err());
        assert!(Outcome::parse(Condition::NulByte, "replace:xy").is_err());
        let literal = Outcome::parse(Condition::ZeroDate, "1970-01-01 00:00:00").unwrap();
        assert_eq!(literal, Outcome::Literal("1970-01-01 00:00:00".to_owned()));
    }
}
