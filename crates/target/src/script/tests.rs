//! Statements that hold semicolons, and scripts that are refused.

use proptest::prelude::*;

use super::*;

fn split(sql: &str) -> Vec<&str> {
    statements(sql).unwrap_or_else(|error| panic!("{error}: {sql}"))
}

fn refused(sql: &str) -> String {
    statements(sql).unwrap_err().to_string()
}

/// Each is one statement, however many semicolons are in it.
const STATEMENTS: [&str; 32] = [
    "select 1",
    "select ';', 'it''s;', ''",
    r"select '\', ';'",
    r"select E'\';', e';\\', e''';'",
    "select e'a'\n  -- on; it's\n  'b\\';'",
    r"select 'a', type'b;', $1e'\';'",
    r"select U&'\0041;' uescape '!', N'\', x'1f', b'1;'",
    "select U&\"a;\", \"b;\"\"c;'\", \"E'\"",
    "select $$;'$$, $a$ $b$; $$ $a$, $ä_1$;$ä_1$",
    "select a$b$c, d$e$f",
    "select 1$$;$$, $1$x$;$x$, $ a, $1",
    "select 1 -- it's; \"\n + 2",
    "select 1 /* it's /* nested; */ /*/ \"; */ $$ */ + 2",
    "select 2 - -1, 4/2*3, 5 */* ; */ 6, 7 --;\r + 8",
    "create rule r as on insert to a do (insert into b values (';'); delete from c)",
    "create function f() returns int language sql as 'select 1;'",
    "create function f() returns int begin atomic select 1; select 2; end",
    "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN /* ; */ ATOMIC SELECT CASE 1 WHEN 1 THEN CASE WHEN true THEN 1 END END; END",
    "create procedure p() begin atomic select 1 as end; select (case when a.end then 1 end); end",
    "create function f(begin int) returns int return begin",
    "create function f() returns int return case when true then 1 end",
    "create function f() returns int begin atomic\nselect 'end'; select \"end\"; select ';'; end",
    "create procedure p() language plpgsql as $$ begin commit; end $$",
    "do $$ begin perform 1; commit; end $$",
    "create table begin_ (\"begin\" int, atomic int)",
    "create table \"end\" (a int)",
    "prepare transactions as select 1",
    "set session characteristics as transaction read only",
    "set local search_path = transaction",
    "select commit, rollback",
    "(select 1)",
    "select 'ä;', \"ü;\", ößé",
];

#[test]
fn every_statement_is_one() {
    for sql in STATEMENTS {
        assert_eq!(split(sql), [sql]);
    }
}

#[test]
fn what_has_no_content_is_no_statement() {
    for sql in ["", " \n\t\r\x0b\x0c", ";;", "-- a; b", "/* a; */ ; -- b\n;"] {
        assert!(split(sql).is_empty(), "{sql}");
    }
    assert_eq!(
        split(";;-- a\nselect 1 /* b */;\n-- c\n select 2;;"),
        ["select 1", "select 2"]
    );
}

#[test]
fn lines_are_those_of_the_first_word() {
    let sql = "-- a\nselect\n1;\n\n/* b\n */ select 2;";
    let lines: Vec<usize> = split(sql).iter().map(|part| line_of(sql, part)).collect();
    assert_eq!(lines, [2, 6]);
}

#[test]
fn what_has_no_end_is_named_with_its_line() {
    for (sql, message) in [
        ("a;\n'b;", "line 2: a quoted text has no end"),
        ("E'\\'", "line 1: a quoted text has no end"),
        ("E'\\", "line 1: a quoted text has no end"),
        ("\n\n\"b;", "line 3: a quoted name has no end"),
        ("\n$a$ $b$ $", "line 2: a quoted text has no end"),
        ("\n/* /* */", "line 2: a comment has no end"),
        ("a /*/", "line 1: a comment has no end"),
        ("a\n(b;\nc;", "line 2: a parenthesis is not closed"),
        (
            "create function f()\nbegin atomic select case a; end;",
            "line 2: a body has no `end`",
        ),
    ] {
        assert_eq!(refused(sql), message, "{sql}");
    }
}

#[test]
fn what_would_end_the_transaction_is_refused() {
    for (sql, words) in [
        ("BEGIN", "begin"),
        ("begin isolation level serializable", "begin"),
        ("start /* a */ transaction", "start transaction"),
        ("Commit and chain", "commit"),
        ("commit prepared 'a'", "commit"),
        ("end", "end"),
        ("end work", "end"),
        ("rollback to a", "rollback"),
        ("abort", "abort"),
        ("savepoint a", "savepoint"),
        ("release a", "release"),
        ("prepare transaction 'a'", "prepare transaction"),
        (
            "set transaction isolation level read committed",
            "set transaction",
        ),
        ("set local transaction read only", "set transaction"),
        ("set session transaction read only", "set transaction"),
    ] {
        let script = format!("select 1;\n -- why\n {sql};\nselect 2");
        assert_eq!(
            refused(&script),
            format!("line 3: `{words}`, but a baseline is applied in one transaction")
        );
    }
}

#[test]
fn what_only_psql_understands_is_refused() {
    for sql in ["\\connect other", "\\restrict a\nselect 1;"] {
        let message = refused(&format!("select 1;\n{sql}"));
        assert!(
            message.starts_with("line 2: a command of psql"),
            "{message}"
        );
    }
    let message = refused("copy a from stdin;\n1\n\\.\n");
    assert!(
        message.starts_with("line 1: `copy` moves rows"),
        "{message}"
    );
}

fn separator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        ";",
        " ; ",
        ";\n",
        ";;",
        "; -- it's\n",
        "/* ; */;",
        " -- a;\n;\t",
        ";\n/* \" /* $$ */ */\n",
    ])
}

proptest! {
    #[test]
    fn joined_statements_come_apart_as_they_were(
        parts in prop::collection::vec(
            (prop::sample::select(STATEMENTS.to_vec()), separator()), 0..12)
    ) {
        let whole: String = parts.iter().flat_map(|(sql, end)| [*sql, *end]).collect();
        let expected: Vec<&str> = parts.iter().map(|(sql, _)| *sql).collect();
        prop_assert_eq!(statements(&whole).unwrap(), expected);
    }

    #[test]
    fn tokens_are_the_whole_without_gaps(sql in r#"([a-eE$'"\\;() \n*/ä1-]|begin atomic|end|case){0,60}"#) {
        let mut at = 0;
        while at < sql.len() {
            let Ok(token) = token(&sql, at) else { break };
            prop_assert_eq!(token.start, at);
            prop_assert!(token.end > at && sql.is_char_boundary(token.end));
            at = token.end;
        }
        if let Ok(parts) = statements(&sql) {
            prop_assert_eq!(at, sql.len());
            let mut behind = 0;
            for part in parts {
                let start = part.as_ptr() as usize - sql.as_ptr() as usize;
                prop_assert!(start >= behind && !part.is_empty());
                behind = start + part.len();
            }
        }
    }
}
