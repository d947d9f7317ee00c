//! Rows that cannot be moved as they are: one answer in all commands, before anything moves.

use catalog::ServerKind;
use serde_json::Value;
use testing::Databases;

use crate::check::applied;
use crate::support::Workplace;

#[test]
fn a_table_of_generated_columns_alone_is_refused_with_its_rows() {
    let source = "create table g (a int as (1 + 1) stored, b int as (2) virtual); \
                  insert into g values (), (), (); \
                  create table t (id int primary key); insert into t values (1);";
    let (databases, workplace) = applied(source, "schema_owner: converge");
    for command in ["doctor", "assess", "export", "migrate"] {
        let refused = workplace.run(&[command]).expect(3);
        let said = "whose rows hold no values to move: `g` (3 rows)";
        let text = refused.text();
        assert!(text.contains(said), "{command}: {text}");
    }
    let rows = databases
        .postgres()
        .query_text("select count(*)::text from t");
    assert_eq!(
        rows.unwrap(),
        [[Some("0".to_owned())]],
        "nothing was changed"
    );
}

#[test]
fn text_that_its_character_set_lacks_is_counted_and_compared() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key, a varchar(20) character set gbk, \
                         b text character set cp1251, c varchar(9) character set utf8mb4); \
         insert into t values (1, x'A380', 'x', 'x'), (2, 'ok', 'y', 'y'), \
                              (3, x'A380', _cp1251 0x98, 'z'); \
         create table later (id int primary key, day date); \
         set sql_mode = ''; insert into later values (1, '0000-00-00'), (2, null);",
        "create table t (id integer primary key, a text, b text, c text); \
         create table later (id integer primary key, day date); \
         insert into t values (1, '?', 'x', 'x'), (2, 'ok', 'y', 'y'), (3, '?', '?', 'z');",
    );
    let workplace = Workplace::new(&[("one", &databases, "target_rows: {default: replace}")]);
    let found = workplace.run(&["assess", "--output", "json"]).expect(3);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    let findings = found["findings"].as_array().unwrap();
    let seen: Vec<_> = findings
        .iter()
        .filter(|finding| finding["blocking"] == true)
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap_or_default();
            let keys = finding["sample_keys"].to_string();
            (text("kind"), text("column"), finding["rows"].as_u64(), keys)
        })
        .collect();
    let expected = [
        (
            "invalid_utf8",
            "a",
            Some(2),
            r#"[{"id":"1"},{"id":"3"}]"#.to_owned(),
        ),
        ("invalid_utf8", "b", Some(1), r#"[{"id":"3"}]"#.to_owned()),
        ("zero_date", "day", Some(1), r#"[{"id":"1"}]"#.to_owned()),
    ];
    for finding in &expected {
        assert!(seen.contains(finding), "{finding:?} in {seen:?}");
    }
    assert_eq!(seen.len(), expected.len(), "{seen:?}");
    let compared = workplace.run(&["verify"]).expect(5);
    for line in ["different  one.t id 1: a", "different  one.t id 3: a, b"] {
        assert!(
            compared.stdout.contains(line),
            "{line}\n{}",
            compared.text()
        );
    }
}

#[test]
fn a_table_of_a_thousand_columns_is_moved() {
    let databases = Databases::create();
    let columns = |of: &str| -> String { (0..1_000).map(|at| format!(", c{at} {of}")).collect() };
    databases.load(
        &format!(
            "create table wide (id int primary key{}); insert into wide (id, c7) values (1, 2); \
             insert into wide (id, c999) select seq.id, 3 from ({}) as seq;",
            columns("tinyint"),
            "select 2 as id".to_owned()
                + &(3..200)
                    .map(|id| format!(" union select {id}"))
                    .collect::<String>()
        ),
        &format!(
            "create table wide (id integer primary key{})",
            columns("smallint")
        ),
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    workplace.run(&["migrate"]).expect(0);
    let sums = "select sum(c7)::text, sum(c999)::text, count(*)::text from wide";
    let sums = databases.postgres().query_text(sums).unwrap();
    let sums: Vec<&str> = sums[0].iter().flatten().map(String::as_str).collect();
    assert_eq!(sums, ["2", "594", "199"]);
}

#[test]
fn what_an_expression_of_the_table_warns_of_is_no_matter_of_its_rows() {
    let databases = Databases::create();
    // MariaDB compares the texts with the column's type whenever it opens the table.
    let expression = match databases.mysql().server().kind {
        ServerKind::Mariadb => "a in ('x', 'y')",
        _ => "a is null",
    };
    databases.load(
        &format!(
            "create table t (id int primary key, a datetime, \
                             b int as ({expression}) stored, check (id > 0)); \
             insert into t (id, a) values (1, '2001-01-01'), (2, null);"
        ),
        "create table t (id integer primary key, a timestamp, b integer generated always as (1) stored);",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    for command in ["migrate", "verify", "rollback", "export"] {
        // As the server does by itself when it needs room.
        databases.mysql().execute("flush tables").unwrap();
        workplace.run(&[command]).expect(0);
    }
}
