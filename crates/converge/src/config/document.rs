//! Reads mappings field by field, so that every key is either known or an error.

use serde_json::{Map, Value};

use crate::config::Problem;

/// How alike two keys must be for one to be meant by the other (0 to 1).
const ALIKE: f64 = 0.75;

/// The fields of a mapping; what is not taken by [`Fields::finish`] is unknown.
pub(crate) struct Fields<'v> {
    path: String,
    map: &'v Map<String, Value>,
    asked: Vec<&'static str>,
}

impl<'v> Fields<'v> {
    pub(crate) fn new(path: &str, value: &'v Value) -> Result<Self, Problem> {
        let map = value
            .as_object()
            .ok_or_else(|| Problem::new(path, "must be a mapping".to_owned()))?;
        Ok(Self {
            path: path.to_owned(),
            map,
            asked: Vec::new(),
        })
    }

    /// The path of a field, for messages.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// A field, where it is there at all (it may be null).
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<&'v Value> {
        self.asked.push(key);
        self.map.get(key)
    }

    pub(crate) fn required(&mut self, key: &'static str) -> Result<&'v Value, Problem> {
        match self.optional(key) {
            Some(value) => Ok(value),
            None => {
                Err(Problem::new(self.path_of(key), "is missing".to_owned())
                    .with_hint(self.meant(key)))
            }
        }
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Result<Option<String>, Problem> {
        match self.optional(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => as_text(&self.path_of(key), value).map(Some),
        }
    }

    pub(crate) fn required_text(&mut self, key: &'static str) -> Result<String, Problem> {
        let value = self.required(key)?;
        as_text(&self.path_of(key), value)
    }

    pub(crate) fn flag(&mut self, key: &'static str) -> Result<bool, Problem> {
        match self.optional(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => {
                let path = self.path_of(key);
                let value = as_text(&path, other)?;
                Err(wrong_value(path, &value, &["true", "false"]))
            }
        }
    }

    pub(crate) fn texts(&mut self, key: &'static str) -> Result<Vec<String>, Problem> {
        let path = self.path_of(key);
        match self.optional(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(|item| as_text(&path, item)).collect(),
            Some(_) => Err(Problem::new(path, "must be a list".to_owned())),
        }
    }

    /// Refuses keys that nothing asked for.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        let unknown = self
            .map
            .keys()
            .find(|key| !self.asked.contains(&key.as_str()));
        let Some(unknown) = unknown else {
            return Ok(());
        };
        let nearest = nearest(unknown, self.asked.iter().copied());
        let hint = match nearest {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("known keys: {}", self.asked.join(", ")),
        };
        Err(
            Problem::new(self.path_of(unknown), "is not a known key".to_owned())
                .with_hint(Some(hint)),
        )
    }

    /// Another key of the mapping that looks like the one that is missing.
    fn meant(&self, key: &str) -> Option<String> {
        let found = nearest(key, self.map.keys().map(String::as_str))?;
        Some(format!("there is `{found}`; did you mean `{key}`?"))
    }
}

/// The entries of a mapping whose keys are names.
pub(crate) fn entries<'v>(
    path: &str,
    value: &'v Value,
) -> Result<impl Iterator<Item = (&'v str, &'v Value)>, Problem> {
    let map = value
        .as_object()
        .ok_or_else(|| Problem::new(path, "must be a mapping".to_owned()))?;
    Ok(map.iter().map(|(key, value)| (key.as_str(), value)))
}

/// A scalar as text: YAML reads `then: true` and `value: 1` as other things than text.
pub(crate) fn as_text(path: &str, value: &Value) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(Problem::new(path, "must be text".to_owned()))
        }
    }
}

/// A value that is none of those that a key takes.
pub(crate) fn wrong_value(path: impl Into<String>, value: &str, accepted: &[&str]) -> Problem {
    let message = format!("`{value}` is none of: {}", accepted.join(", "));
    let nearest = nearest(value, accepted.iter().copied());
    let hint = nearest.map(|nearest| format!("did you mean `{nearest}`?"));
    Problem::new(path, message).with_hint(hint)
}

/// The known word that is most like one that is not known, if any is.
pub(crate) fn nearest<'k>(key: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
