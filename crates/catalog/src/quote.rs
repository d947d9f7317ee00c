//! Quoting of identifiers and string literals for both dialects.
//!
//! The only place where a name becomes part of an SQL text; it does not build statements.

use crate::visible::is_hidden;

/// A MySQL identifier in backquotes, each backquote within it doubled.
///
/// Source: MySQL Reference Manual, "Schema Object Names".
pub fn mysql(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A PostgreSQL identifier in double quotes, each double quote within it doubled.
///
/// Source: PostgreSQL manual, section 4.1.1 "Identifiers and Key Words".
pub fn postgres(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A schema-qualified PostgreSQL name, both parts quoted.
pub fn postgres_qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", postgres(schema), postgres(name))
}

/// A schema-qualified MySQL name, both parts quoted.
pub fn mysql_qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", mysql(schema), mysql(name))
}

/// A PostgreSQL string literal that means the same whatever
/// `standard_conforming_strings` says: the escape form where a backslash occurs.
///
/// Source: PostgreSQL manual, section 4.1.2.
pub fn postgres_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// Statements of PostgreSQL, as this module quotes, in a form that can be read and pasted: names
/// and literals with hidden characters are written with escapes.
///
/// Source: PostgreSQL manual, sections 4.1.1 and 4.1.2. Only for people: inside of other texts,
/// such as what is cast to `regclass`, the server does not read this form.
pub fn postgres_shown(sql: &str) -> String {
    let mut shown = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(start) = rest.find(['"', '\'']) {
        let (before, quoted) = rest.split_at(start);
        let (quoted, after) = quoted.split_at(quoted_length(quoted));
        shown.push_str(before);
        if !quoted.contains(is_hidden) {
            shown.push_str(quoted);
        } else if quoted.starts_with('\'') && before.ends_with('E') {
            // The escape form has its backslashes already.
            let characters = quoted.chars().map(|character| match is_hidden(character) {
                true => format!("\\U{:08X}", u32::from(character)),
                false => character.to_string(),
            });
            shown.extend(characters);
        } else {
            shown.push_str("U&");
            let characters = quoted.chars().map(|character| match character {
                '\\' => r"\\".to_owned(),
                _ if is_hidden(character) => format!("\\+{:06X}", u32::from(character)),
                _ => character.to_string(),
            });
            shown.extend(characters);
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// The length of what begins with a quote, up to and with the one that ends it; one that is
/// doubled does not.
fn quoted_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        let is_quote = bytes[at] == bytes[0];
        if is_quote && bytes.get(at + 1) != Some(&bytes[0]) {
            return at + 1;
        }
        at += if is_quote { 2 } else { 1 };
    }
    bytes.len()
}

/// A MySQL string literal for connections without `NO_BACKSLASH_ESCAPES`, which
/// every connection of this workspace is.
pub fn mysql_literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            '\0' => quoted.push_str("\\0"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_within_names_are_doubled() {
        assert_eq!(mysql("a`b"), "`a``b`");
        assert_eq!(postgres("a\"; drop table x"), "\"a\"\"; drop table x\"");
        assert_eq!(postgres_qualified("p.q", "t"), "\"p.q\".\"t\"");
        assert_eq!(mysql_qualified("p", "t"), "`p`.`t`");
    }

    #[test]
    fn statements_are_shown_without_hidden_characters() {
        let names = |name: &str| format!("alter table {} add {}", postgres(name), postgres("b"));
        assert_eq!(postgres_shown(&names("a\"'b")), names("a\"'b"));
        for (name, shown) in [
            ("a\n\"b", r#"U&"a\+00000A""b""#),
            ("\\\u{1b}", r#"U&"\\\+00001B""#),
            ("\u{202e}'", r#"U&"\+00202E'""#),
            ("\u{e0041}", r#"U&"\+0E0041""#),
        ] {
            let shown = format!("alter table {shown} add \"b\"");
            assert_eq!(postgres_shown(&names(name)), shown);
        }
        let literal = |text: &str| postgres_shown(&format!("x = {}", postgres_literal(text)));
        assert_eq!(literal("it's"), "x = 'it''s'");
        assert_eq!(literal("\n'"), r"x = U&'\+00000A'''");
        assert_eq!(literal("\\\n"), r"x = E'\\\U0000000A'");
        assert_eq!(postgres_shown("a 'b\n"), r"a U&'b\+00000A", "not ended");
    }

    #[test]
    fn literals_do_not_end_early() {
        assert_eq!(postgres_literal("it's"), "'it''s'");
        assert_eq!(postgres_literal("a\\'b"), "E'a\\\\''b'");
        assert_eq!(mysql_literal("a\\'\0"), "'a\\\\''\\0'");
    }
}
