//! Values of the source into the canonical form of the target's type, rules applied.
//!
//! Its own reading of the two manuals and of the rules: nothing here is shared with the
//! conversions that moved the data.

mod label;
mod literal;
mod moment;
mod number;
mod repair;
mod route;
mod spelling;
mod text;

use std::sync::Arc;

use catalog::{
    ColumnRules, Condition, MysqlType, Outcome, Rule, SourceColumn, TargetColumn, literal_default,
};
use digest::{Canonical, DuplicateKeys, JsonOptions, NulCharacters, SourceValue};

use crate::form::Form;
use crate::row::Scratch;
use route::Route;

pub(crate) use route::Zone;

/// Reads one column of the source.
#[derive(Clone, Debug)]
pub(crate) struct SourceProjection {
    source: MysqlType,
    form: Form,
    route: Route,
    /// The rule for every value.
    any: Option<NumberedRule>,
    rules: Vec<NumberedRule>,
    nullable: bool,
    default: Option<String>,
    /// Whether `Scratch::json_as_spelled` concerns it.
    may_be_spelled: bool,
}

/// What a rule for a JSON document can be about.
const OF_JSON: [Condition; 4] = [
    Condition::NulByte,
    Condition::InvalidJson,
    Condition::JsonNul,
    Condition::OutOfRange,
];

/// A rule and its number among the rules of the table.
#[derive(Clone, Debug)]
struct NumberedRule {
    number: usize,
    rule: Arc<Rule>,
}

/// Why a value has no canonical form yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// A rule could settle it.
    Condition(Condition),
    /// No rule could.
    Unconvertible,
}

/// What is allowed for one value: at first what the pair allows, then what its rules add.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Allowed {
    nul: Option<NulCharacters>,
    json_nul: Option<NulCharacters>,
    truncation: bool,
    padding: bool,
    precision: Option<Precision>,
    beyond_a_day: bool,
}

/// What becomes of digits that the target does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    Truncate,
    Round,
}

impl SourceProjection {
    /// The projection for a pair of columns; `None` where the pair is not comparable.
    /// Rules are numbered by their place in `table_rules`, which grows by those that are new.
    pub(crate) fn new(
        source: &SourceColumn,
        target: &TargetColumn,
        zone: &Zone,
        column_rules: &ColumnRules,
        table_rules: &mut Vec<Arc<Rule>>,
    ) -> Option<(Self, Form)> {
        let form = Form::of(&source.data_type, &target.data_type)?;
        let any = column_rules
            .get(Condition::Any)
            .filter(|rule| repair::concerns(&rule.outcome, &source.data_type, &form));
        let outcome = any.map(|rule| &rule.outcome);
        let route = Route::between(&source.data_type, outcome, &form, zone)?;
        let mut numbered = |rule| NumberedRule::new(rule, table_rules);
        let any = any.map(&mut numbered);
        let rules = column_rules
            .iter()
            .filter(|rule| rule.condition != Condition::Any)
            .map(numbered)
            .collect();
        let mut projection = Self {
            source: source.data_type.clone(),
            form: form.clone(),
            route,
            any,
            rules,
            nullable: target.nullable,
            default: target.default.clone(),
            may_be_spelled: false,
        };
        projection.may_be_spelled = projection.keeps_spelling();
        Some((projection, form))
    }

    /// Whether a declared rule may make another value of a key. A key that would become NULL
    /// where the target takes none is in no target.
    pub(crate) fn may_change_keys(&self) -> bool {
        let makes_null = |numbered: &NumberedRule| numbered.rule.outcome == Outcome::Null;
        let mut rules = self.rules.iter();
        self.any.is_some() || rules.any(|rule| self.nullable || !makes_null(rule))
    }

    /// Whether its values are JSON of which the target keeps the very spelling.
    pub(crate) fn may_be_spelled(&self) -> bool {
        self.may_be_spelled
    }

    fn keeps_spelling(&self) -> bool {
        self.form == Form::Json(DuplicateKeys::KeepAll)
            && matches!(self.route, Route::Json)
            && self.any.is_none()
            && !OF_JSON
                .iter()
                .any(|condition| self.rule(*condition).is_some())
    }

    /// Appends the canonical bytes of a value; the numbers of the rules that were applied are
    /// added to `scratch.applied`.
    pub(crate) fn project(&self, value: SourceValue<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        match (value, &self.any) {
            (SourceValue::Null, _) => self.null(scratch, out),
            (SourceValue::Bytes(text), None) if scratch.json_as_spelled && self.may_be_spelled => {
                Canonical::Bytes(text).encode(out);
            }
            (value, None) => self.settle(value, scratch, out),
            (value, Some(any)) => {
                let spelled = spelling::spell(value, &self.source, scratch);
                match repair::repair(&spelled, &any.rule.outcome) {
                    Some(repaired) => {
                        // Only what a rule has changed is counted.
                        if *repaired != *spelled || repair::is_always_a_change(&any.rule.outcome) {
                            scratch.applied.push(any.number);
                        }
                        self.settle(SourceValue::Bytes(&repaired), scratch, out);
                    }
                    None => unconvertible(value, out),
                }
                scratch.text = spelled;
            }
        }
    }

    /// Converts, asking the rules at each obstacle; each of them can be passed once.
    fn settle(&self, value: SourceValue<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let start = out.len();
        let mut allowed = Allowed {
            // An interval holds every time, so that a rule only counts them.
            beyond_a_day: self.rule(Condition::TimeRange).is_none()
                && matches!(self.form, Form::Interval { .. }),
            // Blanks at the end of `character(n)` mean nothing, so that a rule only counts them.
            padding: self.rule(Condition::TooLong).is_none(),
            ..Allowed::default()
        };
        loop {
            let Err(obstacle) = self.convert(value, allowed, scratch, out) else {
                return;
            };
            out.truncate(start);
            let before = allowed;
            let settled = match obstacle {
                Obstacle::Condition(condition) => {
                    self.apply(condition, value, &mut allowed, scratch, out)
                }
                Obstacle::Unconvertible => false,
            };
            if settled {
                return;
            }
            if allowed == before {
                return unconvertible(value, out);
            }
        }
    }

    /// Carries out the rule for a condition. True where the value is settled; else either
    /// `allowed` has grown and conversion is to be tried again, or nothing helps.
    fn apply(
        &self,
        condition: Condition,
        value: SourceValue<'_>,
        allowed: &mut Allowed,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(NumberedRule { number, rule }) = self.rule(condition) else {
            return false;
        };
        let settled = match &rule.outcome {
            Outcome::Null => {
                self.null(scratch, out);
                true
            }
            Outcome::NilUuid => {
                Canonical::Uuid([0; 16]).encode(out);
                true
            }
            Outcome::True => {
                Canonical::Boolean(true).encode(out);
                true
            }
            Outcome::Map(_) => {
                let spelled = spelling::spell(value, &self.source, scratch);
                let partner = repair::repair(&spelled, &rule.outcome);
                let settled = partner.is_some_and(|partner| self.literal(&partner, scratch, out));
                scratch.text = spelled;
                settled
            }
            Outcome::Literal(text) => self.literal(text.as_bytes(), scratch, out),
            outcome => {
                let before = *allowed;
                allowed.extend(condition, outcome);
                if *allowed != before {
                    scratch.applied.push(*number);
                }
                return false;
            }
        };
        if settled {
            scratch.applied.push(*number);
        }
        settled
    }

    fn convert(
        &self,
        value: SourceValue<'_>,
        allowed: Allowed,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), Obstacle> {
        match &self.route {
            Route::Number => {
                let number = &mut scratch.decimal;
                number::convert(value, &self.form, allowed.precision, number, out)
            }
            Route::BitNumber => {
                let value = SourceValue::UInt(text::bit_number(value)?);
                let number = &mut scratch.decimal;
                number::convert(value, &self.form, allowed.precision, number, out)
            }
            Route::Bits(width) => text::bits(value, *width, out),
            Route::Text => text::convert(value, &self.form, allowed, out),
            Route::Spelled => {
                let spelled = spelling::spell(value, &self.source, scratch);
                let value = SourceValue::Bytes(&spelled);
                let result = text::convert(value, &self.form, allowed, out);
                scratch.text = spelled;
                result
            }
            Route::Label => label::convert(value, &self.form, allowed, out),
            Route::Members { empty_member } => {
                label::members(value, &self.form, *empty_member, out)
            }
            Route::Uuid => text::uuid(value, out),
            Route::UuidBytes => text::uuid_bytes(value, out),
            Route::Bytes => text::bytes(value, out),
            Route::Json => self.json(value, allowed, scratch, out),
            Route::Moment(zone) => moment::convert(value, &self.form, zone.as_ref(), allowed, out),
            Route::Literal => match value {
                SourceValue::Bytes(text) if self.literal(text, scratch, out) => Ok(()),
                _ => Err(Obstacle::Unconvertible),
            },
        }
    }

    fn json(
        &self,
        value: SourceValue<'_>,
        allowed: Allowed,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), Obstacle> {
        let (SourceValue::Bytes(text), Form::Json(duplicates)) = (value, &self.form) else {
            return Err(Obstacle::Unconvertible);
        };
        let options = JsonOptions {
            duplicates: *duplicates,
            nul: allowed.json_nul.unwrap_or(NulCharacters::Keep),
        };
        let facts = match allowed.nul {
            None => scratch.json.encode(text, options, out),
            Some(nul) => {
                let text = text::replace_nul(text, nul);
                scratch.json.encode(&text, options, out)
            }
        };
        let facts = facts.map_err(|_| match text.contains(&0) && allowed.nul.is_none() {
            true => Obstacle::Condition(Condition::NulByte),
            false => Obstacle::Condition(Condition::InvalidJson),
        })?;
        if *duplicates == DuplicateKeys::KeepAll {
            return Ok(());
        }
        if facts.has_lone_surrogate {
            return Err(Obstacle::Condition(Condition::InvalidJson));
        }
        if facts.has_nul && allowed.json_nul.is_none() {
            return Err(Obstacle::Condition(Condition::JsonNul));
        }
        if facts.has_number_beyond_numeric {
            return Err(Obstacle::Condition(Condition::OutOfRange));
        }
        Ok(())
    }

    fn null(&self, scratch: &mut Scratch, out: &mut Vec<u8>) {
        if !self.nullable
            && let Some(NumberedRule { number, rule }) = self.rule(Condition::NullInNotNull)
        {
            let text = match &rule.outcome {
                Outcome::Default => self.default.as_deref().and_then(literal_default),
                Outcome::Literal(text) => Some(text.clone()),
                _ => None,
            };
            if text.is_some_and(|text| self.literal(text.as_bytes(), scratch, out)) {
                scratch.applied.push(*number);
                return;
            }
        }
        Canonical::Null.encode(out);
    }

    fn literal(&self, text: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let read = literal::encode(text, &self.form, scratch, out).is_some();
        if !read {
            out.truncate(start);
        }
        read
    }

    fn rule(&self, condition: Condition) -> Option<&NumberedRule> {
        self.rules
            .iter()
            .find(|numbered| numbered.rule.condition == condition)
    }
}

impl NumberedRule {
    fn new(rule: &Arc<Rule>, table_rules: &mut Vec<Arc<Rule>>) -> Self {
        let number = table_rules.iter().position(|known| known == rule);
        let number = number.unwrap_or_else(|| {
            table_rules.push(Arc::clone(rule));
            table_rules.len() - 1
        });
        Self {
            number,
            rule: Arc::clone(rule),
        }
    }
}

impl Allowed {
    fn extend(&mut self, condition: Condition, outcome: &Outcome) {
        match (condition, outcome) {
            (condition, Outcome::Strip) => *self.nul_of(condition) = Some(NulCharacters::Strip),
            (condition, Outcome::Replace(text)) => {
                let replacement = text.chars().next().map(NulCharacters::Replace);
                *self.nul_of(condition) = replacement;
            }
            (Condition::TooLong, Outcome::Truncate) => self.truncation = true,
            (_, Outcome::Truncate) => self.precision = Some(Precision::Truncate),
            (_, Outcome::Round) => self.precision = Some(Precision::Round),
            (_, Outcome::Interval) => self.beyond_a_day = true,
            _ => {}
        }
    }

    fn nul_of(&mut self, condition: Condition) -> &mut Option<NulCharacters> {
        match condition {
            Condition::JsonNul => &mut self.json_nul,
            _ => &mut self.nul,
        }
    }
}

/// Writes what can equal no value of the target; the content keeps rows with different keys
/// apart.
fn unconvertible(value: SourceValue<'_>, out: &mut Vec<u8>) {
    match value {
        SourceValue::Bytes(bytes) => Canonical::Unconvertible(bytes).encode(out),
        other => Canonical::Unconvertible(format!("{other:?}").as_bytes()).encode(out),
    }
}
