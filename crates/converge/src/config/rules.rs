//! The `rules` of a database: every lossy conversion and every row that is left out, as the
//! operator declares them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use catalog::{ColumnPattern, Condition, Outcome, Rule, RuleException, RuleSet, ValueMap};

use crate::config::Problem;
use crate::config::constraint_rule::{ConstraintRule, Remedy, Violation};
use crate::config::document::{Fields, as_text, wrong_value};

/// The outcome of every condition for which there is no rule.
const ERROR: &str = "error";

/// Reads the list of rules; map files lie relative to `base`.
pub(crate) fn parse(
    fields: &mut Fields<'_>,
    base: &Path,
) -> Result<(RuleSet, Vec<ConstraintRule>), Problem> {
    let path = fields.path_of("rules");
    let items = match fields.optional("rules") {
        None | Some(Value::Null) => return Ok(Default::default()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(Problem::new(path, "must be a list".to_owned())),
    };
    let (mut rules, mut constraint_rules) = (Vec::new(), Vec::new());
    let mut exceptions = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let item_path = format!("{path}[{index}]");
        let mut fields = Fields::new(&item_path, item)?;
        match fields.optional("constraint") {
            None => match parse_rule(fields, base)? {
                Parsed::Rule(rule) => rules.push(rule),
                Parsed::Exception(exception) => exceptions.push(exception),
            },
            Some(_) => {
                let Some(rule) = parse_constraint_rule(fields)? else {
                    continue;
                };
                if let Some(rival) = constraint_rules.iter().find(|other| rule.rivals(other)) {
                    let message = format!("rules `{rival}` and `{rule}` hold for the same rows");
                    return Err(Problem::new(item_path, message));
                }
                constraint_rules.push(rule);
            }
        }
    }
    let rules = RuleSet::with_exceptions(rules, exceptions)
        .map_err(|error| Problem::new(path, error.to_string()))?;
    Ok((rules, constraint_rules))
}

/// None where the rule says what holds without it.
fn parse_constraint_rule(mut fields: Fields<'_>) -> Result<Option<ConstraintRule>, Problem> {
    let path = fields.path_of("constraint");
    let text = fields.required_text("constraint")?;
    // A constraint is named as a column is.
    let name = ColumnPattern::parse(&text).ok();
    let Some((table, constraint)) = name.and_then(|name| name.table.zip(name.column)) else {
        let message = format!("`{text}` is not `table.constraint`, each by its name");
        return Err(Problem::new(path, message));
    };
    let when = fields.required_text("when")?;
    let violation = Violation::parse(&when).ok_or_else(|| {
        let path = fields.path_of("when");
        wrong_value(path, &when, &["orphan", "duplicate"])
    })?;
    let then = outcome_text(&mut fields)?;
    if then == ERROR {
        fields.finish()?;
        return Ok(None);
    }
    let remedy = Remedy::parse(violation, &then).ok_or_else(|| {
        let allowed = Remedy::allowed(violation);
        let message = format!("condition `{when}` has no outcome `{then}`; it has: {allowed}");
        Problem::new(fields.path_of("then"), message)
    })?;
    fields.finish()?;
    Ok(Some(ConstraintRule {
        table,
        constraint,
        violation,
        remedy,
    }))
}

/// What becomes of it; YAML's null and the text "null" mean the same outcome.
fn outcome_text(fields: &mut Fields<'_>) -> Result<String, Problem> {
    let path = fields.path_of("then");
    match fields.required("then")? {
        Value::Null => Ok("null".to_owned()),
        other => as_text(&path, other),
    }
}

/// An entry of the list that is about columns.
enum Parsed {
    Rule(Rule),
    Exception(RuleException),
}

fn parse_rule(mut fields: Fields<'_>, base: &Path) -> Result<Parsed, Problem> {
    let columns = ColumnPattern::parse(&fields.required_text("column")?)
        .map_err(|error| Problem::new(fields.path_of("column"), error.to_string()))?;
    let condition = parse_condition(&mut fields)?;
    let then = fields.path_of("then");
    let outcome_text = outcome_text(&mut fields)?;
    fields.finish()?;
    if outcome_text == ERROR {
        return Ok(Parsed::Exception(RuleException { columns, condition }));
    }
    let outcome = match outcome_text.strip_prefix("map:") {
        Some(file) if Outcome::allows_map(condition) => {
            Outcome::Map(Arc::new(read_map(&then, &base.join(file))?))
        }
        _ => Outcome::parse(condition, &outcome_text)
            .map_err(|error| Problem::new(then, error.to_string()))?,
    };
    Ok(Parsed::Rule(Rule {
        columns,
        condition,
        outcome,
        outcome_text,
    }))
}

fn parse_condition(fields: &mut Fields<'_>) -> Result<Condition, Problem> {
    let path = fields.path_of("when");
    let name = fields.required_text("when")?;
    Condition::ALL
        .into_iter()
        .find(|condition| condition.name() == name)
        .ok_or_else(|| wrong_value(path, &name, &Condition::ALL.map(Condition::name)))
}

/// A map file: CSV, two columns, header `from,to`.
fn read_map(path: &str, file: &Path) -> Result<ValueMap, Problem> {
    let problem = |message: String| Problem::new(path, format!("{}: {message}", file.display()));
    let mut reader = csv::Reader::from_path(file).map_err(|error| problem(error.to_string()))?;
    let header = reader
        .headers()
        .map_err(|error| problem(error.to_string()))?;
    if *header != ["from", "to"][..] {
        return Err(problem("the header is not `from,to`".to_owned()));
    }
    let mut pairs = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| problem(error.to_string()))?;
        if pairs
            .insert(record[0].to_owned(), record[1].to_owned())
            .is_some()
        {
            let line = record.position().map_or(0, csv::Position::line);
            return Err(problem(format!(
                "line {line} maps a value for the second time"
            )));
        }
    }
    Ok(ValueMap {
        file: file.display().to_string(),
        pairs,
    })
}
