//! What a rule does to a value of one column, worked out when the plan is made.
//!
//! A rule that names its column and cannot work there is an error; one that reaches the
//! column through `*` is passed over where the column has no use for it.

use std::sync::Arc;

use catalog::{
    ColumnRules, Condition, MysqlType, Outcome, PostgresType, Rule, TargetColumn, ValueMap,
    literal_default,
};

use crate::conversion::{Conversion, Edit};
use crate::literal;
use crate::number::Cut;
use crate::pair;
use crate::uuid;

/// A rule that is ready to be carried out.
#[derive(Clone, Debug)]
pub(crate) struct Repair {
    pub(crate) rule: Arc<Rule>,
    pub(crate) action: Action,
    /// Where its rows are counted.
    pub(crate) counter: usize,
}

/// What becomes of a value that meets the rule's condition.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// It becomes NULL.
    Null,
    /// It becomes this value, in the target's canonical spelling.
    Fixed(Vec<u8>),
    /// Its partner is converted instead.
    Map(Arc<ValueMap>, Conversion),
    /// It is edited and converted again.
    Edit(Edit),
    /// It is converted in this way instead.
    Reconvert(Conversion),
}

/// Why a rule that names its column cannot work.
pub(crate) type Obstacle = &'static str;

/// Works out the rule's action; `Ok(None)` where it is passed over.
pub(crate) fn action(
    rule: &Rule,
    rules: &ColumnRules,
    conversion: &Conversion,
    target: &TargetColumn,
) -> Result<Option<Action>, Obstacle> {
    if rule.condition == Condition::NullInNotNull {
        // Without effect where the target takes NULL, and harmless.
        return match target.nullable {
            true => Ok(None),
            false => unless_exact(rule, for_null(rule, target)),
        };
    }
    if !conversion.meets(rule.condition) {
        let obstacle = "no value of this pair of types meets the condition";
        return unless_exact(rule, Err(obstacle));
    }
    unless_exact(rule, for_condition(rule, rules, conversion, target))
}

/// Whether the rule names its table and its column.
pub(crate) fn is_exact(rule: &Rule) -> bool {
    rule.columns.table.is_some() && rule.columns.column.is_some()
}

fn unless_exact(
    rule: &Rule,
    planned: Result<Action, Obstacle>,
) -> Result<Option<Action>, Obstacle> {
    match planned {
        Ok(action) => Ok(Some(action)),
        Err(obstacle) if is_exact(rule) => Err(obstacle),
        Err(_) => Ok(None),
    }
}

fn for_null(rule: &Rule, target: &TargetColumn) -> Result<Action, Obstacle> {
    let text = match &rule.outcome {
        Outcome::Literal(text) => text.clone(),
        _ => target
            .default
            .as_deref()
            .and_then(literal_default)
            .ok_or("the target's default is not a literal")?,
    };
    literal::value(&target.data_type, &text)
        .map(Action::Fixed)
        .ok_or("the target's type does not take the value")
}

fn for_condition(
    rule: &Rule,
    rules: &ColumnRules,
    conversion: &Conversion,
    target: &TargetColumn,
) -> Result<Action, Obstacle> {
    let data_type = &target.data_type;
    match &rule.outcome {
        Outcome::Null => {
            let refused = !target.nullable && is_exact(rule);
            if refused && rules.get(Condition::NullInNotNull).is_none() {
                return Err("the target is not null");
            }
            Ok(Action::Null)
        }
        Outcome::NilUuid => Ok(Action::Fixed(uuid::NIL.to_vec())),
        Outcome::True => Ok(Action::Fixed(b"t".to_vec())),
        Outcome::Literal(text) => literal::value(data_type, text)
            .map(Action::Fixed)
            .ok_or("the target's type does not take the value"),
        Outcome::Map(map) => literal::conversion(data_type)
            .map(|conversion| Action::Map(Arc::clone(map), conversion))
            .ok_or("the target's type takes no value from a map file"),
        Outcome::Interval if matches!(data_type, PostgresType::Interval { .. }) => {
            pair::time(data_type)
                .map(Action::Reconvert)
                .ok_or("the target is not an interval")
        }
        Outcome::Interval => Err("the target is not an interval"),
        other => edit(rule.condition, other, conversion),
    }
}

/// The outcomes that change a part of the value.
fn edit(
    condition: Condition,
    outcome: &Outcome,
    conversion: &Conversion,
) -> Result<Action, Obstacle> {
    let edit = match outcome {
        Outcome::Strip => replace_nul(condition, ""),
        Outcome::Replace(text) => replace_nul(condition, text),
        Outcome::Truncate => Edit::Shorten(Cut::Truncate),
        Outcome::Round => match conversion.rounding() {
            Some(rounding) => return Ok(Action::Reconvert(rounding)),
            None => Edit::Shorten(Cut::Round),
        },
        _ => return Err("the condition has no such outcome"),
    };
    if conversion.repairs(condition, &edit) {
        Ok(Action::Edit(edit))
    } else {
        Err("the pair of types has no such outcome")
    }
}

fn replace_nul(condition: Condition, text: &str) -> Edit {
    match condition {
        Condition::JsonNul => Edit::ReplaceJsonNul(text.to_owned()),
        _ => Edit::ReplaceNul(text.to_owned()),
    }
}

/// What an `any` rule does to a value before it is converted.
#[derive(Clone, Debug)]
pub(crate) enum Before {
    /// Nothing: the conversion itself is the rule's.
    Nothing,
    Lower,
    Trim,
    Map(Arc<ValueMap>),
}

/// What an `any` rule does and, where it brings its own, the conversion; `Ok(None)` where it
/// is passed over.
pub(crate) fn before(
    rule: &Rule,
    source: &MysqlType,
    target: &PostgresType,
) -> Result<Option<(Before, Option<Conversion>)>, Obstacle> {
    let characters = matches!(
        source,
        MysqlType::Char { .. }
            | MysqlType::Varchar { .. }
            | MysqlType::Text(_)
            | MysqlType::Enum { .. }
    );
    let planned = match &rule.outcome {
        Outcome::Map(map) => {
            let conversion = literal::conversion(target)
                .ok_or("the target's type takes no value from a map file")?;
            (Before::Map(Arc::clone(map)), Some(conversion))
        }
        // What `*` reaches beside the texts that were meant is left alone.
        _ if !characters && !is_exact(rule) => return Ok(None),
        _ if !characters => return Err("the source is not text"),
        Outcome::Lower => (Before::Lower, None),
        Outcome::Trim => (Before::Trim, None),
        Outcome::Latin1ToBytes if *target == PostgresType::Bytea => {
            (Before::Nothing, Some(Conversion::Latin1Bytes))
        }
        Outcome::Latin1ToBytes => return Err("the target is not bytea"),
        Outcome::Latin1ToBytesBase64 => {
            let text = pair::text(target).ok_or("the target is not text")?;
            (Before::Nothing, Some(Conversion::Latin1Base64(text)))
        }
        _ => return Err("the condition `any` has no such outcome"),
    };
    Ok(Some(planned))
}
