//! `${NAME}` and `${NAME:-default}` in scalars, and secrets from files.
//!
//! Replaced once: what comes out of the environment is never looked at again.

use std::env;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::config::Problem;

/// Replaces variables in every text of a document; keys stay as they are.
pub(crate) fn replace_variables(document: Value) -> Result<Value, Problem> {
    replace_in(document, "", &|name| match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotUnicode(_)) => Err(Problem::new(
            "",
            format!("the variable {name} is not UTF-8"),
        )),
        Err(env::VarError::NotPresent) => match env::var(format!("{name}_FILE")) {
            Ok(file) => read_secret("", Path::new(&file)).map(Some),
            Err(_) => Ok(None),
        },
    })
}

/// A file's content without the line break at its end; `path` is the key that names it.
pub(crate) fn read_secret(path: &str, file: &Path) -> Result<String, Problem> {
    let text = fs::read_to_string(file)
        .map_err(|error| Problem::new(path, format!("{}: {error}", file.display())))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

type Lookup<'f> = &'f dyn Fn(&str) -> Result<Option<String>, Problem>;

fn replace_in(value: Value, path: &str, lookup: Lookup<'_>) -> Result<Value, Problem> {
    Ok(match value {
        Value::String(text) => Value::String(replace(&text, path, lookup)?),
        Value::Array(items) => {
            let items: Result<_, _> = items
                .into_iter()
                .map(|item| replace_in(item, path, lookup))
                .collect();
            Value::Array(items?)
        }
        Value::Object(map) => {
            let mut replaced = serde_json::Map::new();
            for (key, value) in map {
                let inner = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                replaced.insert(key, replace_in(value, &inner, lookup)?);
            }
            Value::Object(replaced)
        }
        other => other,
    })
}

fn replace(text: &str, path: &str, lookup: Lookup<'_>) -> Result<String, Problem> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        result.push_str(before);
        let (inside, following) = after
            .split_once('}')
            .ok_or_else(|| Problem::new(path, "`${` without `}`".to_owned()))?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let known = lookup(name)?.filter(|value| default.is_none() || !value.is_empty());
        match (known, default) {
            (Some(value), _) => result.push_str(&value),
            (None, Some(default)) => result.push_str(default),
            (None, None) => {
                let message = format!("the variable {name} is not set");
                let hint = format!("set {name}, or {name}_FILE to a file that holds it");
                return Err(Problem::new(path, message).with_hint(Some(hint)));
            }
        }
        rest = following;
    }
    result.push_str(rest);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<String, String> {
        let lookup = |name: &str| {
            Ok(match name {
                "SET" => Some("a${B}#: ".to_owned()),
                "EMPTY" => Some(String::new()),
                _ => None,
            })
        };
        replace(text, "p", &lookup).map_err(|problem| problem.message)
    }

    #[test]
    fn variables_are_replaced_once_and_defaults_stand_in() {
        assert_eq!(with("x${SET}y").unwrap(), "xa${B}#: y");
        assert_eq!(with("${NONE:-d}${EMPTY:-e}").unwrap(), "de");
        assert_eq!(with("${EMPTY}").unwrap(), "");
        assert_eq!(with("$HOME $5").unwrap(), "$HOME $5");
        assert_eq!(with("${NONE}").unwrap_err(), "the variable NONE is not set");
        assert_eq!(with("${NONE").unwrap_err(), "`${` without `}`");
    }
}
