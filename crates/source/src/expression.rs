//! One spelling for expressions, which every server writes down in its own way.
//!
//! MySQL puts parentheses around everything and a character set before each text, MariaDB
//! leaves out whatever precedence makes superfluous; each has its own names for some functions.
//! Here operators within operators have parentheses, the whole has none, and words are lower
//! case. What is not understood keeps its server's words and only its texts are spelled alike:
//! nothing is ever left out. It says nothing of what an expression means.
//!
//! Not made alike: what a server rewrites when it reads it (constants that it computes,
//! functions that it replaces by others, casts that it adds).

mod parser;
mod token;

use token::Token;
pub(crate) use token::unescaped;

/// The expression in the spelling that all servers share.
pub(crate) fn normalise(sql: &str) -> String {
    let Some(tokens) = token::tokens(sql) else {
        return sql.to_owned();
    };
    parser::parse(&tokens).unwrap_or_else(|| spelled(&tokens))
}

/// The tokens in their order, with blanks between words.
fn spelled(tokens: &[Token]) -> String {
    let mut text = String::new();
    for (at, token) in tokens.iter().enumerate() {
        let after_bracket = at == 0 || tokens[at - 1].is("(");
        let called = token.is("(") && at > 0 && tokens[at - 1].is_word();
        if !(after_bracket || called || token.is(")") || token.is(",")) {
            text.push(' ');
        }
        text.push_str(token.text());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn both_families_become_one_spelling() {
        for (mysql, mariadb, one) in [
            ("(`d` < 5)", "`d` < 5", "`d` < 5"),
            ("(1 + (2 * 3))", "(1 + 2 * 3)", "1 + (2 * 3)"),
            ("((1 + 2) + 3)", "1 + 2 + 3", "(1 + 2) + 3"),
            ("(1 - (2 - 3))", "1 - (2 - 3)", "1 - (2 - 3)"),
            (
                "((`p` > 0) and (`p` < 9) and (`q` = 1))",
                "`p` > 0 and `p` < 9 and `q` = 1",
                "(`p` > 0) and (`p` < 9) and (`q` = 1)",
            ),
            (
                r"((`n` <> _utf8mb4'it\'s ü') or (length(`n`) between 1 and 10))",
                r"`n` <> 'it\'s ü' or octet_length(`n`) between 1 and 10",
                "(`n` <> 'it''s ü') or (length(`n`) between 1 and 10)",
            ),
            (
                "((`s` in (_utf8mb4's',_utf8mb4'l')) and (`f` is not null))",
                "`s` in ('s','l') and `f` is not null",
                "(`s` in ('s', 'l')) and (`f` is not null)",
            ),
            (
                "(not((`n` like _utf8mb4'a%')))",
                "`n` not like 'a%'",
                "`n` not like 'a%'",
            ),
            (
                "regexp_like(`n`,_utf8mb4'^a')",
                "`n` regexp '^a'",
                "`n` regexp '^a'",
            ),
            (
                "(case when (`a` > 1) then _utf8mb4'x' else upper(`b`) end)",
                "case when `a` > 1 then 'x' else ucase(`b`) end",
                "case when `a` > 1 then 'x' else upper(`b`) end",
            ),
            (
                "(now() + interval 1 day)",
                "current_timestamp() + interval 1 day",
                "current_timestamp() + interval 1 day",
            ),
            (
                "cast(`a` as char(10) charset utf8mb4)",
                "cast(`a` as char(10) charset utf8mb4)",
                "cast(`a` as char(10) charset utf8mb4)",
            ),
            ("(`a` % 2)", "`a` MOD 2", "`a` % 2"),
            ("-(5)", "-5", "-5"),
            (
                "(`a` collate utf8mb4_bin)",
                "`a` collate utf8mb4_bin",
                "`a` collate utf8mb4_bin",
            ),
            (
                "json_object(_utf8mb4'a',1)",
                "json_object('a',1)",
                "json_object('a', 1)",
            ),
            ("((not(`a`)) or `b`)", "!`a` or `b`", "(not `a`) or `b`"),
        ] {
            assert_eq!(normalise(mysql), one, "MySQL's {mysql}");
            assert_eq!(normalise(mariadb), one, "MariaDB's {mariadb}");
            assert_eq!(normalise(one), one);
        }
    }

    #[test]
    fn what_is_not_understood_loses_nothing() {
        for (sql, kept) in [
            ("extract(year from `a`)", "extract(year from `a`)"),
            ("trim(both _utf8mb4' ' from `a`)", "trim(both ' ' from `a`)"),
            ("`a` ? `b`", "`a` ? `b`"),
            ("(`a`", "(`a`"),
            ("'open", "'open"),
            ("_latin1'ü'", "_latin1'ü'"),
            ("_binary'a'", "_binary'a'"),
            ("x'00ff'", "x'00ff'"),
            ("b'101'", "b'101'"),
            ("0xFF", "0xFF"),
            ("1.5e-3", "1.5e-3"),
            (r"'a\%b\_c\\'", r"'a\\%b\\_c\\'"),
            ("", ""),
        ] {
            assert_eq!(normalise(sql), kept);
        }
    }
}
