//! Quoting of identifiers and string literals for both dialects.
//!
//! The only place where a name becomes part of an SQL text; it does not build statements.

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
    fn literals_do_not_end_early() {
        assert_eq!(postgres_literal("it's"), "'it''s'");
        assert_eq!(postgres_literal("a\\'b"), "E'a\\\\''b'");
        assert_eq!(mysql_literal("a\\'\0"), "'a\\\\''\\0'");
    }
}
