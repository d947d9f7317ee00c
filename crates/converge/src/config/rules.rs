//! The `rules` of a database: every lossy conversion that the operator declares.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use catalog::{ColumnPattern, Condition, Outcome, Rule, RuleSet, ValueMap};

use crate::config::Problem;
use crate::config::document::{Fields, as_text};

/// Reads the list of rules; map files lie relative to `base`.
pub(crate) fn parse(fields: &mut Fields<'_>, base: &Path) -> Result<RuleSet, Problem> {
    let path = fields.path_of("rules");
    let items = match fields.optional("rules") {
        None | Some(Value::Null) => return Ok(RuleSet::default()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(Problem::new(path, "must be a list".to_owned())),
    };
    let mut rules = Vec::new();
    for (index, item) in items.iter().enumerate() {
        rules.push(parse_rule(&format!("{path}[{index}]"), item, base)?);
    }
    RuleSet::new(rules).map_err(|error| Problem::new(path, error.to_string()))
}

fn parse_rule(path: &str, value: &Value, base: &Path) -> Result<Rule, Problem> {
    let mut fields = Fields::new(path, value)?;
    if fields.optional("constraint").is_some() {
        let message = "rules for constraints (orphan, duplicate) are not supported yet".to_owned();
        let hint =
            "repair these rows on the source; the import stops at what violates a constraint";
        return Err(Problem::new(path, message).with_hint(Some(hint.to_owned())));
    }
    let columns = ColumnPattern::parse(&fields.required_text("column")?)
        .map_err(|error| Problem::new(fields.path_of("column"), error.to_string()))?;
    let condition = parse_condition(&mut fields)?;
    let then = fields.path_of("then");
    let outcome_text = match fields.required("then")? {
        // YAML's null and the text "null" mean the same outcome.
        Value::Null => "null".to_owned(),
        other => as_text(&then, other)?,
    };
    fields.finish()?;
    let outcome = match outcome_text.strip_prefix("map:") {
        Some(file) if Outcome::allows_map(condition) => {
            Outcome::Map(Arc::new(read_map(&then, &base.join(file))?))
        }
        _ => Outcome::parse(condition, &outcome_text)
            .map_err(|error| Problem::new(then, error.to_string()))?,
    };
    Ok(Rule {
        columns,
        condition,
        outcome,
        outcome_text,
    })
}

fn parse_condition(fields: &mut Fields<'_>) -> Result<Condition, Problem> {
    let path = fields.path_of("when");
    let name = fields.required_text("when")?;
    Condition::ALL
        .into_iter()
        .find(|condition| condition.name() == name)
        .ok_or_else(|| {
            let known: Vec<&str> = Condition::ALL
                .iter()
                .map(|condition| condition.name())
                .collect();
            Problem::new(path, format!("`{name}` is not a condition"))
                .with_hint(Some(format!("known conditions: {}", known.join(", "))))
        })
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
