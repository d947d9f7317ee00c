//! Which columns a rule names: `table.column`, where either may be `*`.

use std::fmt;

use crate::rule::RuleError;

/// Which columns a rule names: `None` stands for `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnPattern {
    /// Table, or any.
    pub table: Option<String>,
    /// Column, or any.
    pub column: Option<String>,
}

impl ColumnPattern {
    /// Reads `table.column` where either may be `*` and names may stand in backquotes.
    ///
    /// # Errors
    /// Where there are not exactly two names.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let names = split_names(text)
            .filter(|names| names.len() == 2)
            .ok_or_else(|| RuleError::NotAColumn(text.to_owned()))?;
        let mut names = names.into_iter();
        let table = names.next().flatten();
        let column = names.next().flatten();
        Ok(Self { table, column })
    }

    /// Whether a column is one of them; names are compared by bytes.
    pub fn matches(&self, table: &str, column: &str) -> bool {
        self.table.as_deref().is_none_or(|name| name == table)
            && self.column.as_deref().is_none_or(|name| name == column)
    }

    /// Smaller is stronger: exact, `table.*`, `*.column`, `*.*`.
    pub(crate) fn rank(&self) -> u8 {
        match (&self.table, &self.column) {
            (Some(_), Some(_)) => 0,
            (Some(_), None) => 1,
            (None, Some(_)) => 2,
            (None, None) => 3,
        }
    }
}

/// Splits at points outside backquotes; a bare `*` is `None`.
fn split_names(text: &str) -> Option<Vec<Option<String>>> {
    let mut names = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = match rest.strip_prefix('`') {
            Some(quoted) => {
                let (name, after) = closing_backquote(quoted)?;
                (Some(name), after)
            }
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                let word = &rest[..end];
                if word.is_empty() || word.contains('`') {
                    return None;
                }
                ((word != "*").then(|| word.to_owned()), &rest[end..])
            }
        };
        names.push(name);
        if after.is_empty() {
            return Some(names);
        }
        rest = after.strip_prefix('.')?;
    }
}

fn closing_backquote(quoted: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (before, after) = rest.split_once('`')?;
        name.push_str(before);
        match after.strip_prefix('`') {
            Some(continued) => {
                name.push('`');
                rest = continued;
            }
            None => return Some((name, after)),
        }
    }
}

impl fmt::Display for ColumnPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |name: &Option<String>| match name {
            None => "*".to_owned(),
            Some(name) if name.contains(['.', '`', '*']) => crate::quote::mysql(name),
            Some(name) => name.clone(),
        };
        write!(f, "{}.{}", part(&self.table), part(&self.column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_backquotes_may_hold_anything() {
        let pattern = ColumnPattern::parse("`a.b`.`c``*`").unwrap();
        assert_eq!(pattern.table.as_deref(), Some("a.b"));
        assert_eq!(pattern.column.as_deref(), Some("c`*"));
        assert_eq!(pattern.to_string(), "`a.b`.`c``*`");
        for wrong in ["", "a", "a.b.c", "a.", ".b", "`a.b", "`a`x.b"] {
            assert!(ColumnPattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
