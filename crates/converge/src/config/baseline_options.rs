//! `types` and `baseline` of a database: how a generated baseline differs from the default one.
//!
//! What a type can become is the type map's knowledge; here are the words of the mistakes.

use serde_json::Value;

use baseline::{BaselineOptions, OnUpdate, OverrideError, TypeOverrides};

use crate::config::Problem;
use crate::config::document::{Fields, as_text, entries, nearest, wrong_value};

/// More known words than this are not listed: the page that has them is named.
const KNOWN_MAX: usize = 12;

/// Reads `types`, by type or by `table.column`.
pub(crate) fn parse_types(fields: &mut Fields<'_>) -> Result<TypeOverrides, Problem> {
    let path = fields.path_of("types");
    let value = match fields.optional("types") {
        None | Some(Value::Null) => return Ok(TypeOverrides::default()),
        Some(value) => value,
    };
    let mut read = Vec::new();
    for (key, choice) in entries(&path, value)? {
        read.push((key, as_text(&format!("{path}.{key}"), choice)?));
    }
    let read = read.iter().map(|(key, choice)| (*key, choice.as_str()));
    TypeOverrides::parse(read).map_err(|error| problem(&path, error))
}

fn problem(path: &str, error: OverrideError) -> Problem {
    let hint = match nearest(&error.written, error.known.iter().copied()) {
        Some(known) => Some(format!("did you mean `{known}`?")),
        None if error.known.is_empty() => None,
        None if error.known.len() > KNOWN_MAX => {
            Some("docs/type-mapping.md has the types and what can be chosen".to_owned())
        }
        None => Some(format!("it can be: {}", error.known.join(", "))),
    };
    Problem::new(format!("{path}.{}", error.key), error.message).with_hint(hint)
}

/// Reads `baseline`.
pub(crate) fn parse(fields: &mut Fields<'_>) -> Result<BaselineOptions, Problem> {
    let path = fields.path_of("baseline");
    let value = match fields.optional("baseline") {
        None | Some(Value::Null) => return Ok(BaselineOptions::default()),
        Some(value) => value,
    };
    let mut fields = Fields::new(&path, value)?;
    let on_update = match fields.text("on_update")?.as_deref() {
        None | Some("ignore") => OnUpdate::Ignore,
        Some("trigger") => OnUpdate::Trigger,
        Some(other) => {
            let path = format!("{path}.on_update");
            return Err(wrong_value(path, other, &["ignore", "trigger"]));
        }
    };
    let index_foreign_keys = fields.flag("index_foreign_keys")?;
    fields.finish()?;
    Ok(BaselineOptions {
        on_update,
        index_foreign_keys,
    })
}
