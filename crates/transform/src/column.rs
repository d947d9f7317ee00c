//! The plan of one column: its conversion and the rules that stand by.
//!
//! The common case costs one dispatch; rules are looked up only where a value is refused.

use std::fmt;
use std::sync::Arc;

use catalog::{
    ColumnRules, Condition, MysqlType, PostgresType, Rule, SourceColumn, TargetColumn, ValueMap,
};
use dataset::Record;

use crate::conversion::{Conversion, Edit};
use crate::enumeration::INDEX_ZERO;
use crate::error::Kind as MisfitKind;
use crate::literal;
use crate::number::Cut;
use crate::pair;
use crate::rejection::{Kind, Problem, Reason};
use crate::repair::{self, Action, Before, Repair};
use crate::text;

/// How one column is converted. Displays as a line for a reviewer.
#[derive(Clone, Debug)]
pub struct ColumnPlan {
    name: String,
    source: MysqlType,
    target: PostgresType,
    nullable: bool,
    /// Whether the target's default is a literal that a rule could use.
    usable_default: bool,
    /// Position in the input record.
    field: usize,
    before: Option<(Repair, Before)>,
    conversion: Conversion,
    repairs: Vec<Repair>,
}

/// What the plan of a column is made of.
pub(crate) struct ColumnInput<'a> {
    pub(crate) field: usize,
    pub(crate) source: &'a SourceColumn,
    pub(crate) target: &'a TargetColumn,
    pub(crate) rules: &'a ColumnRules,
    pub(crate) datetime_zone: Option<&'a str>,
}

/// Buffers and marks that live from cell to cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    value: Vec<u8>,
    edited: Vec<u8>,
    /// Counters of the rules that changed the record at hand, with the field that they changed;
    /// each pair once.
    pub(crate) applied: Vec<(usize, usize)>,
}

impl ColumnPlan {
    /// Makes the plan; `count` gives out the counter of a rule.
    pub(crate) fn new(
        input: &ColumnInput<'_>,
        mut count: impl FnMut(&Rule) -> usize,
    ) -> Result<Self, Vec<MisfitKind>> {
        let (source, target) = (&input.source.data_type, &input.target.data_type);
        let mut misfits = Vec::new();
        let mut repair = |rule: &Arc<Rule>, action| Repair {
            rule: Arc::clone(rule),
            action,
            counter: count(rule),
        };
        let (before, conversion) = first_step(input).map_err(|misfit| vec![misfit])?;
        let before = before.map(|(rule, before)| (repair(&rule, Action::Null), before));
        let mut repairs = Vec::new();
        for rule in input.rules.iter().filter(|r| r.condition != Condition::Any) {
            match repair::action(rule, input.rules, &conversion, input.target) {
                Ok(Some(action)) => repairs.push(repair(rule, action)),
                Ok(None) => {}
                Err(why) => misfits.push(MisfitKind::rule(rule, source, target, why)),
            }
        }
        if !misfits.is_empty() {
            return Err(misfits);
        }
        let default = input.target.default.as_deref();
        let default = default.and_then(catalog::literal_default);
        Ok(Self {
            name: input.source.name.clone(),
            source: source.clone(),
            target: target.clone(),
            nullable: input.target.nullable,
            usable_default: default.is_some_and(|text| literal::value(target, &text).is_some()),
            field: input.field,
            before,
            conversion,
            repairs,
        })
    }

    /// The column's name, the same on both sides.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type in the source.
    pub fn source_type(&self) -> &MysqlType {
        &self.source
    }

    /// The type in the target.
    pub fn target_type(&self) -> &PostgresType {
        &self.target
    }

    /// Whether the target takes NULL.
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// What becomes of a value where no rule holds, as a line for a reviewer.
    pub fn conversion(&self) -> String {
        self.conversion.to_string()
    }

    /// The rules that could change a value of this column.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        let before = self.before.iter().map(|(repair, _)| repair);
        before
            .chain(&self.repairs)
            .map(|repair| repair.rule.as_ref())
    }

    /// Adds the converted field of `input` to `output`.
    #[inline]
    pub(crate) fn convert(
        &self,
        input: &Record,
        output: &mut Record,
        work: &mut Work,
    ) -> Result<(), Problem> {
        let Some(value) = input.get(self.field) else {
            return self.convert_null(output, work);
        };
        if self.before.is_some() {
            return self.convert_prepared(value, output, work);
        }
        match output.push_with(|field| self.conversion.convert(value, field)) {
            Ok(()) => Ok(()),
            Err(problem) => {
                work.value.clear();
                work.value.extend_from_slice(value);
                self.resolve(problem, output, work)
            }
        }
    }

    #[inline]
    fn convert_null(&self, output: &mut Record, work: &mut Work) -> Result<(), Problem> {
        if self.nullable {
            output.push_null();
            return Ok(());
        }
        match self.repair(Condition::NullInNotNull) {
            Some(repair) => {
                if let Action::Fixed(value) = &repair.action {
                    output.push_bytes(value);
                }
                self.apply(repair, work);
                Ok(())
            }
            None => Err(Problem::new(
                Condition::NullInNotNull,
                "is NULL where the target is not null",
            )),
        }
    }

    /// Applies the rule for every value, then converts its result.
    fn convert_prepared(
        &self,
        value: &[u8],
        output: &mut Record,
        work: &mut Work,
    ) -> Result<(), Problem> {
        let Some((repair, before)) = &self.before else {
            return Ok(());
        };
        work.value.clear();
        match before {
            Before::Nothing => work.value.extend_from_slice(value),
            Before::Lower => text::lower(utf8(value)?, &mut work.value),
            Before::Trim => text::trim(utf8(value)?, &mut work.value),
            Before::Map(map) => work.value.extend_from_slice(partner(map, value)?),
        }
        if matches!(before, Before::Nothing) || work.value != value {
            self.apply(repair, work);
        }
        match output.push_with(|field| self.conversion.convert(&work.value, field)) {
            Ok(()) => Ok(()),
            Err(problem) => self.resolve(problem, output, work),
        }
    }

    /// Lets the rules at the value in `work`, each at most once.
    #[cold]
    fn resolve(
        &self,
        mut problem: Problem,
        output: &mut Record,
        work: &mut Work,
    ) -> Result<(), Problem> {
        let mut conversion = &self.conversion;
        let mut tried: Vec<Condition> = Vec::new();
        loop {
            let Kind::Condition(condition) = problem.kind else {
                return Err(problem);
            };
            let untried = |_: &&Repair| !tried.contains(&condition);
            let repair = self.repair(condition).filter(untried).ok_or(problem)?;
            tried.push(condition);
            self.apply(repair, work);
            match self.act(&repair.action, conversion, output, work) {
                Ok(None) => return Ok(()),
                Ok(Some(next)) => conversion = next,
                // What the repair comes to may meet another rule.
                Err(next) => {
                    problem = next;
                    continue;
                }
            }
            match output.push_with(|field| conversion.convert(&work.value, field)) {
                Ok(()) => return Ok(()),
                Err(next) => problem = next,
            }
        }
    }

    /// Writes the field and returns `None`, or edits the value in `work` and returns the
    /// conversion that it needs now.
    fn act<'a>(
        &self,
        action: &'a Action,
        conversion: &'a Conversion,
        output: &mut Record,
        work: &mut Work,
    ) -> Result<Option<&'a Conversion>, Problem> {
        let next = match action {
            Action::Null => {
                self.convert_null(output, work)?;
                return Ok(None);
            }
            Action::Fixed(value) => {
                output.push_bytes(value);
                return Ok(None);
            }
            Action::Reconvert(next) => return Ok(Some(next)),
            Action::Map(map, next) => {
                work.edited.clear();
                work.edited.extend_from_slice(partner(map, &work.value)?);
                next
            }
            Action::Edit(edit) => {
                work.edited.clear();
                conversion.repair(edit, &work.value, &mut work.edited)?;
                conversion
            }
        };
        std::mem::swap(&mut work.value, &mut work.edited);
        Ok(Some(next))
    }

    fn apply(&self, repair: &Repair, work: &mut Work) {
        let applied = (repair.counter, self.field);
        if !work.applied.contains(&applied) {
            work.applied.push(applied);
        }
    }

    fn repair(&self, condition: Condition) -> Option<&Repair> {
        self.repairs
            .iter()
            .find(|repair| repair.rule.condition == condition)
    }

    /// The problem in words: what is known of the value but not the value.
    pub(crate) fn describe(&self, problem: &Problem, value: Option<&[u8]>) -> String {
        let reason = problem.reason;
        let Some(value) = value else {
            return format!("the value {reason}");
        };
        let nothing_but_zeros = value.iter().all(|byte| b"0-: .".contains(byte));
        if problem.kind == Kind::Condition(Condition::ZeroDate) && nothing_but_zeros {
            return format!("`{}` {reason}", String::from_utf8_lossy(value));
        }
        let length = match value.strip_prefix(b"\\x") {
            Some(digits) if self.source.is_binary() => digits.len() / 2,
            _ => value.len(),
        };
        let unit = if length == 1 { "byte" } else { "bytes" };
        let source = match &self.source {
            MysqlType::Enum { .. } => "enum".to_owned(),
            MysqlType::Set { .. } => "set".to_owned(),
            other => other.to_string(),
        };
        format!("the `{source}` of {length} {unit} {reason}")
    }

    /// An outcome that a rule for the condition could have here, as the config spells it.
    pub(crate) fn suggestion(&self, condition: Condition) -> Option<&'static str> {
        let null = self.nullable.then_some("\"null\"");
        let repairs = |edit: Edit| self.conversion.repairs(condition, &edit);
        let strip = String::new;
        match condition {
            Condition::Any | Condition::TimeRange => None,
            Condition::EmptyUuid | Condition::InvalidUuid => null.or(Some("nil_uuid")),
            Condition::ZeroDate | Condition::InvalidDate => {
                null.or(Some("\"1970-01-01 00:00:00\""))
            }
            Condition::NulByte => repairs(Edit::ReplaceNul(strip())).then_some("strip"),
            Condition::JsonNul => repairs(Edit::ReplaceJsonNul(strip())).then_some("strip"),
            Condition::NotBoolean => Some("\"true\""),
            Condition::EnumUnknown if !matches!(self.conversion, Conversion::Members(_)) => {
                null.or(Some("\"map:<file.csv>\""))
            }
            Condition::EnumUnknown => null,
            Condition::TooLong | Condition::PrecisionLost => {
                let rounds = repairs(Edit::Shorten(Cut::Round));
                if rounds || self.conversion.rounding().is_some() {
                    return Some("round");
                }
                repairs(Edit::Shorten(Cut::Truncate)).then_some("truncate")
            }
            Condition::OutOfRange | Condition::InvalidJson => null,
            Condition::NullInNotNull if self.usable_default => Some("default"),
            Condition::NullInNotNull => Some("\"value:<v>\""),
        }
    }

    /// The position of its field in the input record.
    pub fn field(&self) -> usize {
        self.field
    }
}

impl fmt::Display for ColumnPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.conversion)?;
        for rule in self.rules() {
            write!(f, "; {} -> {}", rule.condition, rule.outcome_text)?;
        }
        Ok(())
    }
}

/// An `any` rule with what it does first, where there is one, and the conversion.
type FirstStep = (Option<(Arc<Rule>, Before)>, Conversion);

fn first_step(input: &ColumnInput<'_>) -> Result<FirstStep, MisfitKind> {
    let (source, target) = (&input.source.data_type, &input.target.data_type);
    let mut before = None;
    if let Some(rule) = input.rules.get(Condition::Any) {
        match repair::before(rule, source, target) {
            Ok(Some((first, Some(conversion)))) => {
                return Ok((Some((Arc::clone(rule), first)), conversion));
            }
            Ok(first) => before = first.map(|(first, _)| (Arc::clone(rule), first)),
            Err(why) => return Err(MisfitKind::rule(rule, source, target, why)),
        }
    }
    let mut conversion =
        pair::conversion(source, target, input.datetime_zone).map_err(|refusal| {
            MisfitKind::NoConversion {
                source: source.clone(),
                target: target.clone(),
                refusal,
            }
        })?;
    // An interval takes every time; a rule that says so is applied where it counts rows.
    if let Conversion::Time(time) = &mut conversion
        && input.rules.get(Condition::TimeRange).is_some()
    {
        time.beyond_a_day = false;
    }
    Ok((before, conversion))
}

fn utf8(value: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(value).map_err(|_| Problem::invalid_utf8())
}

/// The value's partner in a map file, where index 0 of an enum is the empty text.
fn partner<'a>(map: &'a ValueMap, value: &[u8]) -> Result<&'a [u8], Problem> {
    let value = if value == INDEX_ZERO { b"" } else { value };
    map.pairs
        .get(utf8(value)?)
        .map(String::as_bytes)
        .ok_or(Problem {
            kind: Kind::NotInMap,
            reason: Reason::Is("is not in the rule's map file"),
        })
}
