//! The names and operators that statements speak of without a schema.

use std::collections::BTreeSet;

use super::{Token, TokenKind, token};

/// What operators are made of. Source: PostgreSQL manual, section 4.1.3 "Operators".
const OPERATOR: &[u8] = b"+-*/<>=~!@#%^&|`?";
/// Words that stand for operators of comparison, which are searched for by name.
const COMPARING: [&str; 11] = [
    "between", "case", "distinct", "ilike", "in", "like", "natural", "nullif", "similar", "using",
    "overlaps",
];
/// What those words stand for.
const COMPARISONS: [&str; 10] = ["=", "<>", "<", "<=", ">", ">=", "~~", "!~~", "~~*", "!~~*"];

/// Names and operators that have no schema before them; more than there are, never less.
#[derive(Debug, Default)]
pub(crate) struct Mentioned {
    names: BTreeSet<String>,
    operators: BTreeSet<String>,
    /// Whether a text could not be read to its end.
    unknown: bool,
}

impl Mentioned {
    /// Reads a text of SQL, with the bodies that it has between dollars.
    pub(crate) fn add(&mut self, sql: &str) {
        let (mut at, mut qualified, mut operator) = (0, false, String::new());
        while at < sql.len() {
            let Ok(Token { kind, start, end }) = token(sql, at) else {
                self.unknown = true;
                return;
            };
            at = end;
            if let TokenKind::Mark(byte) = kind
                && OPERATOR.contains(&byte)
            {
                operator.push(char::from(byte));
                continue;
            }
            self.add_operator(&mut operator, qualified);
            match kind {
                // Between a schema and a name there may be blanks.
                TokenKind::Blank => continue,
                TokenKind::Word if !qualified => self.add_word(&sql[start..end]),
                TokenKind::Quoted => self.add_quoted(&sql[start..end], qualified),
                TokenKind::Word | TokenKind::Mark(_) => {}
            }
            qualified = kind == TokenKind::Mark(b'.');
        }
        self.add_operator(&mut operator, qualified);
    }

    fn add_word(&mut self, word: &str) {
        let word = word.to_lowercase();
        if COMPARING.contains(&word.as_str()) {
            self.operators.extend(COMPARISONS.map(str::to_owned));
        }
        self.names.insert(word);
    }

    fn add_quoted(&mut self, text: &str, qualified: bool) {
        if let Some(name) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
            if !qualified {
                self.names.insert(name.replace("\"\"", "\""));
            }
        } else if let Some(behind) = text.strip_prefix('$') {
            let tag = behind.find('$').map_or(0, |end| end + 2);
            self.add(&text[tag..text.len() - tag]);
        }
    }

    fn add_operator(&mut self, operator: &mut String, qualified: bool) {
        if operator.is_empty() {
            return;
        }
        let operator = std::mem::take(operator);
        if !qualified {
            // A sign may stand behind an operator, and the server splits them.
            let bare = operator.trim_end_matches(['+', '-']);
            self.operators.insert(bare.to_owned());
            self.operators.insert(match operator.as_str() {
                "!=" => "<>".to_owned(),
                _ => operator,
            });
        }
    }

    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.unknown || self.names.contains(name)
    }

    pub(crate) fn has_operator(&self, name: &str) -> bool {
        self.unknown || self.operators.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mentioned(sql: &str) -> Mentioned {
        let mut mentioned = Mentioned::default();
        mentioned.add(sql);
        mentioned
    }

    #[test]
    fn what_has_a_schema_and_what_is_a_literal_is_not_mentioned() {
        let sql = "select pg_catalog.left(a, 1) operator(pg_catalog.=) 'lower(b) < c' \
                   /* upper(d) */ from pg_catalog . \"now\"() as x";
        let found = mentioned(sql);
        for name in ["left", "lower", "upper", "now"] {
            assert!(!found.has_name(name), "{name}");
        }
        for operator in ["=", "<", "*"] {
            assert!(!found.has_operator(operator), "{operator}");
        }
    }

    #[test]
    fn what_has_none_is() {
        for (sql, name) in [
            ("select LEFT (a, 1)", "left"),
            ("select \"My f\"(1)", "My f"),
            ("do $x$ begin perform lower('a'::citext); end $x$", "lower"),
            ("do $x$ begin perform lower('a'::citext); end $x$", "citext"),
            ("'unfinished", "anything"),
        ] {
            assert!(mentioned(sql).has_name(name), "{sql}");
        }
        for (sql, operator) in [
            ("select a=b", "="),
            ("select a||b", "||"),
            ("select a != b", "<>"),
            ("select a <-1", "<"),
            ("select a not in ('b')", "<>"),
            ("select a is distinct from b", "="),
            ("select a = any (b)", "="),
        ] {
            assert!(mentioned(sql).has_operator(operator), "{sql}");
        }
        assert!(!mentioned("select a || b").has_operator("="));
    }

    proptest! {
        #[test]
        fn reading_never_panics(sql in "([$\"'a.=<>*/ -]|\\PC){0,24}") {
            mentioned(&sql);
        }
    }
}
