//! `${NAME}` and `${NAME:-default}` in scalars, and secrets from files.
//!
//! Replaced once: what comes out of the environment is never looked at again.

use std::cell::RefCell;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::Problem;
use crate::secret;

/// A document whose variables are replaced.
pub(crate) struct Replaced {
    pub(crate) document: Value,
    /// The same with [`VARIABLE`] in the place of each value: what stands in the file itself.
    pub(crate) literal: Value,
    /// Files that hold values.
    pub(crate) files: Vec<PathBuf>,
}

/// Stands for a value of the environment.
const VARIABLE: &str = "${VARIABLE}";

/// Replaces variables in every text of a document; keys stay as they are.
pub(crate) fn replace_variables(document: Value) -> Result<Replaced, Problem> {
    let files = RefCell::new(Vec::new());
    let value_of = |name: &str| match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotUnicode(_)) => Err(Problem::new(
            "",
            format!("the variable {name} is not UTF-8"),
        )),
        Err(env::VarError::NotPresent) => match env::var(format!("{name}_FILE")) {
            Ok(file) => {
                let file = PathBuf::from(file);
                let secret = read_secret("", &file)?;
                files.borrow_mut().push(file);
                Ok(Some(secret))
            }
            Err(_) => Ok(None),
        },
    };
    let is_given = |name: &str| {
        let value = value_of(name)?.filter(|value| !value.is_empty());
        Ok(value.map(|_| VARIABLE.to_owned()))
    };
    let replaced = replace_in(document.clone(), "", &value_of)?;
    files.borrow_mut().clear();
    let literal = replace_in(document, "", &|name| {
        Ok(Some(is_given(name)?.unwrap_or_default()))
    })?;
    Ok(Replaced {
        document: replaced,
        literal,
        files: files.into_inner(),
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
        if !secret::is_name(name) {
            // Perhaps a part of a password, which is not repeated.
            let message = "`${…}` holds no name of a variable".to_owned();
            let hint = "a dollar sign of a password is written as %24".to_owned();
            return Err(Problem::new(path, message).with_hint(Some(hint)));
        }
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
        for secret in ["${p4/ss}", "${}", "${1x:-s3cret}", "${a b}"] {
            assert_eq!(
                with(secret).unwrap_err(),
                "`${…}` holds no name of a variable"
            );
        }
    }
}
