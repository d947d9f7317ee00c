//! MySQL expressions of checks and generated columns as PostgreSQL's, where both surely mean the
//! same.
//!
//! A few operators and functions on columns whose types are known. All else is refused, since a
//! condition that is nearly the same would refuse other rows without a word.

mod parser;
mod token;

use catalog::{MysqlType, PostgresType, SourceColumn};

use parser::Parser;

/// A column that an expression may speak of.
#[derive(Clone, Copy)]
pub(crate) struct KnownColumn<'a> {
    pub(crate) source: &'a SourceColumn,
    pub(crate) name: &'a str,
    pub(crate) postgres: &'a PostgresType,
}

/// What an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Text,
    Boolean,
    Other,
}

impl Kind {
    pub(crate) fn of(postgres: &PostgresType) -> Self {
        use PostgresType as P;
        match postgres {
            P::Smallint | P::Integer | P::Bigint | P::Numeric { .. } | P::Real | P::Double => {
                Self::Number
            }
            P::Char { .. } | P::Varchar { .. } | P::Text => Self::Text,
            P::Boolean => Self::Boolean,
            _ => Self::Other,
        }
    }
}

/// Which texts the source takes for equal; the later the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Equality {
    /// The same bytes.
    Exact,
    /// Those that differ in blanks at their end, too.
    Padded,
    /// Those that its language takes for one, too, apart from case.
    Cased,
    /// Those that differ in case or accents, too.
    Folded,
}

impl Equality {
    /// By the collation's name.
    ///
    /// Sources: MySQL Reference Manual, "The binary Collation Compared to _bin Collations" and
    /// "Comparison of Trailing Spaces"; MariaDB documentation, "NO PAD Collations".
    pub(crate) fn of(column: &SourceColumn, postgres: &PostgresType) -> Self {
        let collation = column.collation.as_deref().unwrap_or_default();
        let ends = |end: &str| collation.ends_with(end);
        match () {
            () if collation == "binary" || ends("_0900_bin") || ends("_nopad_bin") => Self::Exact,
            // PostgreSQL passes over these blanks itself, there and nowhere else.
            () if ends("_bin") && matches!(postgres, PostgresType::Char { .. }) => Self::Exact,
            () if ends("_bin") => Self::Padded,
            () if ends("_cs") => Self::Cased,
            () => Self::Folded,
        }
    }
}

fn is_unsigned(data_type: &MysqlType) -> bool {
    matches!(
        data_type,
        MysqlType::Integer { unsigned: true, .. } | MysqlType::Decimal { unsigned: true, .. }
    )
}

/// The expression in PostgreSQL and what it gives; `Err` says why there is none.
pub(crate) fn translated<'a>(
    sql: &str,
    column: impl Fn(&str) -> Option<KnownColumn<'a>>,
) -> Result<(String, Kind), String> {
    let tokens = token::tokens(sql).ok_or("it is not understood")?;
    let mut parser = Parser::new(&tokens, &column);
    let term = parser.whole()?;
    Ok((term.sql, term.kind))
}

#[cfg(test)]
mod tests {
    use catalog::IntegerSize;
    use proptest::prelude::*;

    use super::*;

    fn columns() -> Vec<(SourceColumn, PostgresType)> {
        let integer = |unsigned| MysqlType::Integer {
            size: IntegerSize::Int,
            unsigned,
            boolean_hint: false,
        };
        let text = || MysqlType::Varchar { length: 20 };
        let varchar = PostgresType::Varchar { length: Some(20) };
        let labels = vec!["x".to_owned(), "y".to_owned()];
        let mood = PostgresType::Enum {
            name: "mood".to_owned(),
            labels: labels.clone(),
        };
        let with = |name: &str, data_type, collation: Option<&str>| {
            let mut column = SourceColumn::new(name, data_type);
            column.collation = collation.map(str::to_owned);
            column
        };
        vec![
            (with("n", integer(false), None), PostgresType::Integer),
            (with("u", integer(true), None), PostgresType::Bigint),
            (with("t", text(), Some("utf8mb4_0900_bin")), varchar.clone()),
            (with("p", text(), Some("utf8mb4_bin")), varchar.clone()),
            (
                with("s", text(), Some("latin1_general_cs")),
                varchar.clone(),
            ),
            (with("i", text(), Some("utf8mb4_general_ci")), varchar),
            (
                with("c", MysqlType::Char { length: 3 }, Some("ascii_bin")),
                PostgresType::Char { length: 3 },
            ),
            (with("f", MysqlType::Float, None), PostgresType::Real),
            (with("b", integer(false), None), PostgresType::Boolean),
            (with("m", MysqlType::Enum { labels }, None), mood),
            (
                with("w", MysqlType::Datetime { fraction: 0 }, None),
                PostgresType::Timestamp { fraction: 0 },
            ),
            (
                with("x", text(), Some("utf8mb4_0900_bin")),
                PostgresType::Other("citext".to_owned()),
            ),
        ]
    }

    fn translate(sql: &str) -> Result<String, String> {
        let columns = columns();
        let known = |name: &str| {
            let found = columns.iter().find(|(source, _)| source.name == name);
            found.map(|(source, postgres)| KnownColumn {
                source,
                name: &source.name,
                postgres,
            })
        };
        translated(sql, known).map(|(sql, _)| sql)
    }

    #[test]
    fn what_is_surely_the_same_is_translated() {
        for (mysql, postgres) in [
            ("(`n` > 0)", "\"n\" {>} 0"),
            ("`n` > 0 and `u` <= 10", "(\"n\" {>} 0) and (\"u\" {<=} 10)"),
            ("not(`n` = -5)", "not (\"n\" {=} -5)"),
            ("`n` + 1 > `u`", "(\"n\"::bigint {+} 1) {>} \"u\""),
            ("`n` between 1 and 5", "(\"n\" {>=} 1) and (\"n\" {<=} 5)"),
            ("`n` not between 1 and 5", "(\"n\" {<} 1) or (\"n\" {>} 5)"),
            ("`n` in (1,2,3)", "\"n\" {=} any (array[1, 2, 3])"),
            ("`n` in (1)", "\"n\" {=} 1"),
            (
                "`n` not in (1,`u`)",
                "(\"n\" {<>} 1) and (\"n\" {<>} \"u\")",
            ),
            ("`u` in (1,-2)", "\"u\" {=} any (array[1, -2]::bigint[])"),
            ("`u` in (1,2.5)", "\"u\" {=} any (array[1, 2.5])"),
            (
                "`t` not in ('a','b')",
                "\"t\" {<>} all (array['a', 'b']::character varying[])",
            ),
            (
                "`c` in ('ab','b')",
                "\"c\" {=} any (array['ab', 'b']::bpchar[])",
            ),
            (
                "`i` is not null or `n` is null",
                "(\"i\" is not null) or (\"n\" is null)",
            ),
            ("`t` <> _utf8mb4'it\\'s'", "\"t\" {<>} 'it''s'"),
            (
                "`p` in ('a','b ')",
                "pg_catalog.rtrim(\"p\", ' ') {=} any (array['a', 'b'])",
            ),
            ("'a ' <> `p`", "'a' {<>} pg_catalog.rtrim(\"p\", ' ')"),
            (
                "`t` in ('a ',`p`)",
                "(pg_catalog.rtrim(\"t\", ' ') {=} 'a') or \
                 (pg_catalog.rtrim(\"t\", ' ') {=} pg_catalog.rtrim(\"p\", ' '))",
            ),
            (
                "concat(`p`,'x') = `t`",
                "pg_catalog.rtrim((\"p\" {||} 'x'), ' ') {=} pg_catalog.rtrim(\"t\", ' ')",
            ),
            ("`c` = 'ab'", "\"c\" {=} 'ab'"),
            (
                "`f` + `f` > 1",
                "(\"f\"::double precision {+} \"f\"::double precision) {>} 1",
            ),
            (
                "`m` in ('x','y')",
                "\"m\" {=} any (array['x', 'y']::mood[])",
            ),
            ("`b` = 1", "\"b\" {=} true"),
            (
                "char_length(`i`) >= 3",
                "pg_catalog.char_length(\"i\") {>=} 3",
            ),
            ("concat(`i`,' ',`t`)", "(\"i\" {||} ' ' {||} \"t\")"),
            ("`w` = `w`", "\"w\" {=} \"w\""),
        ] {
            let postgres = postgres
                .replace('{', "operator(pg_catalog.")
                .replace('}', ")");
            assert_eq!(translate(mysql), Ok(postgres), "{mysql}");
        }
    }

    #[test]
    fn what_could_mean_something_else_is_refused() {
        for mysql in [
            "`i` = 'a'",
            "`s` = 'a'",
            "`t` in ('a',`i`)",
            "`t` < 'a'",
            "`n` / 2 > 1",
            "`u` - 5 > 0",
            "`n` = 'a'",
            "`m` = 'z'",
            "`b` = 2",
            "`b` > 0",
            "`x` = `x`",
            "`x` = 'a'",
            "`gone` = 1",
            "lower(`t`) = `t`",
            "json_extract(`t`,'$.a') = 1",
            "`n` & 1",
            "`n` > 0); drop table x; --",
            "'unfinished",
            "",
        ] {
            assert!(translate(mysql).is_err(), "{mysql}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_translated_or_refused(
            sql in "([`'()<>=!+*,\\\\ -]|`[ntibmu]`|and|or|not|in|is|null|between|concat|[0-9.]{1,3}|\\PC){0,24}"
        ) {
            if let Ok(postgres) = translate(&sql) {
                prop_assert!(!postgres.contains(';') || sql.contains(';'), "{}", postgres);
            }
        }
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        let deep = format!("{}1{}", "(".repeat(9_999), ")".repeat(9_999));
        assert!(translate(&deep).is_err());
    }
}
