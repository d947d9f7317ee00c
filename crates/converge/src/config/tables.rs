//! Which tables a run is about: `include_tables` and `exclude_tables`.

use std::collections::BTreeSet;

/// Names of tables, or patterns in which `*` stands for any characters.
#[derive(Clone, Debug)]
pub(crate) struct TablePatterns(Vec<String>);

impl TablePatterns {
    /// All tables where nothing is listed.
    pub(crate) fn new(mut patterns: Vec<String>) -> Self {
        if patterns.is_empty() {
            patterns.push("*".to_owned());
        }
        Self(patterns)
    }

    /// Whether a table is one of them; names are compared by bytes.
    pub(crate) fn matches(&self, table: &str) -> bool {
        self.0.iter().any(|pattern| is_like(pattern, table))
    }

    /// Whether each is a name: then it is known which tables are meant, also of those that a login
    /// cannot see.
    pub(crate) fn are_names(&self) -> bool {
        !self.0.iter().any(|pattern| pattern.contains('*'))
    }

    /// The patterns that match none of the tables.
    pub(crate) fn without_match<'p>(
        &'p self,
        tables: &BTreeSet<&str>,
    ) -> impl Iterator<Item = &'p str> {
        // Of an empty database, all tables are none.
        let patterns = self.0.iter().filter(|pattern| *pattern != "*");
        let idle = |pattern: &&String| !tables.iter().any(|table| is_like(pattern, table));
        patterns
            .filter(idle)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .into_iter()
    }
}

fn is_like(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(before) else {
        return false;
    };
    let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.any(|at| is_like(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_nothing_else_does() {
        for (pattern, name, matches) in [
            ("*", "", true),
            ("*", "a", true),
            ("a", "a", true),
            ("a", "A", false),
            ("log_*", "log_", true),
            ("log_*", "log_2024", true),
            ("log_*", "logs", false),
            ("*_log", "audit_log", true),
            ("a*c*", "abcd", true),
            ("a*c*", "abd", false),
            ("a.c", "abc", false),
            ("ä*", "äö", true),
        ] {
            assert_eq!(is_like(pattern, name), matches, "{pattern} {name}");
        }
        let patterns = TablePatterns::new(vec!["a".to_owned(), "b*".to_owned()]);
        let tables = BTreeSet::from(["a", "c"]);
        assert_eq!(patterns.without_match(&tables).collect::<Vec<_>>(), ["b*"]);
        assert!(!patterns.are_names() && TablePatterns::new(Vec::new()).matches("x"));
    }
}
