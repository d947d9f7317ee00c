//! What findings offer is done as it stands, and the next command accepts it.

use serde_json::Value;

use testing::Databases;

use crate::check::applied;
use crate::support::Workplace;

/// The findings of an assessment that ends with that code.
fn findings(workplace: &Workplace, code: i32) -> Vec<Value> {
    let found = workplace.run(&["assess", "--output", "json"]).expect(code);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    found["findings"].as_array().unwrap().clone()
}

/// The hint of the only finding of a kind about a column or constraint.
fn hint(findings: &[Value], kind: &str, of: &str) -> String {
    let about = |finding: &&Value| {
        finding["kind"] == kind && (finding["column"] == of || finding["constraint"] == of)
    };
    let found: Vec<&Value> = findings.iter().filter(about).collect();
    assert_eq!(found.len(), 1, "{kind} {of} in {findings:?}");
    found[0]["hint"].as_str().unwrap().to_owned()
}

/// Text that does not compress.
fn noise(length: usize) -> String {
    let mut state: u32 = 8;
    let letters = (0..length).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'!' + u8::try_from((state >> 24) % 90).unwrap())
    });
    let legal = letters.map(|c| {
        if matches!(c, '\'' | '\\' | '?') {
            '_'
        } else {
            c
        }
    });
    legal.collect()
}

#[test]
fn an_index_that_stands_for_a_unique_key_refuses_what_it_refused() {
    let databases = Databases::create();
    let (one, two) = (noise(2_900), noise(2_900) + "x");
    databases.load(
        &format!(
            "create table t (id int primary key, d varchar(3000) character set latin1 \
               collate latin1_bin, n int, unique key wide (n, d)); \
             insert into t values (1, '{one}', 7), (2, '{two}', 7);"
        ),
        "create table t (id integer primary key, d varchar(3000), n integer, \
           constraint wide unique (n, d));",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let hint = hint(&findings(&workplace, 3), "index_row_too_large", "wide");
    let (_, sql) = hint.split_once("the same rows: ").expect(&hint);
    let mut target = databases.postgres();
    target
        .batch_execute(&format!("alter table t drop constraint wide; {sql}"))
        .unwrap();
    workplace.run(&["migrate"]).expect(0);
    let again = "insert into t select 3, d, n from t where id = 1";
    let refused = target.batch_execute(again).unwrap_err();
    assert_eq!(refused.sqlstate(), Some("23505"), "{refused}");
}

#[test]
fn types_that_keep_every_value_come_first_where_the_schema_is_made_here() {
    let source = "create table t (id int primary key, span time, flag tinyint(1), \
                    u varchar(36), n bigint unsigned); \
                  insert into t values (1, '200:00:00', 7, 'none', 18446744073709551615);";
    let chosen = "schema_owner: converge\ntypes: {t.u: uuid, t.n: bigint}";
    let (databases, workplace) = applied(source, chosen);
    let found = findings(&workplace, 3);
    for (kind, column, kept) in [
        ("time_range", "span", "interval"),
        ("not_boolean", "flag", "smallint"),
        ("invalid_uuid", "u", "varchar"),
        ("out_of_range", "n", "numeric"),
    ] {
        let offered = format!("set `types: {{t.{column}: {kept}}}`, which keeps every value");
        let hint = hint(&found, kind, column);
        assert!(hint.starts_with(&offered), "{hint}");
    }
    let empty = "drop schema public cascade; create schema public; drop schema converge cascade";
    databases.postgres().batch_execute(empty).unwrap();
    let options = "schema_owner: converge\n\
                   types: {t.span: interval, t.flag: smallint, t.u: varchar, t.n: numeric}";
    let workplace = Workplace::new(&[("shop", &databases, options)]);
    for action in [["generate", "--out"], ["apply", "--from"]] {
        let words = ["baseline", action[0], action[1], "sql"];
        workplace.run(&words).expect(0);
    }
    workplace.run(&["migrate"]).expect(0);
    let kept = "select concat_ws(' ', span, flag, u, n) from t";
    let kept = databases.postgres().query_text(kept).unwrap();
    assert_eq!(
        kept,
        [[Some("200:00:00 7 none 18446744073709551615".to_owned())]]
    );
}

#[test]
fn sql_for_the_source_fits_the_column_and_changes_no_other() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key, \
            a timestamp not null default '2020-01-01 00:00:00', b datetime null, \
            touched timestamp null default '2020-01-01 00:00:00' on update current_timestamp); \
         set sql_mode = ''; \
         insert into t (id, a, b) values (1, 0, 0), (2, default, 0), (3, default, null);",
        "create table t (id integer primary key, a timestamptz not null, b timestamp, \
            touched timestamptz);",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let found = findings(&workplace, 3);
    let of_a = hint(&found, "zero_date", "a");
    assert!(
        !of_a.contains("update") && of_a.contains("takes no NULL"),
        "{of_a}"
    );
    let of_b = hint(&found, "zero_date", "b");
    let (_, sql) = of_b.split_once("or: ").expect(&of_b);
    let mut source = databases.mysql();
    source
        .execute("set sql_mode = 'strict_all_tables'")
        .unwrap();
    source.execute(sql).unwrap();
    let rows = "select count(*), count(b), count(if(touched = '2020-01-01', 1, null)) from t";
    let rows = source.query_text(rows).unwrap();
    let rows: Vec<&str> = rows[0].iter().flatten().map(String::as_str).collect();
    assert_eq!(rows, ["3", "0", "3"]);
}

#[test]
fn stripping_nul_characters_changes_nothing_else() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key, a varchar(9), \
            b varchar(9) character set utf16, k varchar(9) unique, \
            touched timestamp null default '2020-01-01 00:00:00' on update current_timestamp); \
         insert into t (id, a, b, k) values (1, 'x\\0y', 'x\\0y', 'x'), (2, 'z', 'ab', 'x\\0y');",
        "create table t (id integer primary key, a varchar(9), b varchar(9), k varchar(9) unique, \
            touched timestamptz);",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let found = findings(&workplace, 3);
    let mut source = databases.mysql();
    for column in ["a", "b"] {
        let hint = hint(&found, "nul_byte", column);
        let (_, sql) = hint.split_once("or: ").expect(&hint);
        source.execute(sql).unwrap();
    }
    let of_key = hint(&found, "nul_byte", "k");
    assert!(of_key.contains("part of the key"), "{of_key}");
    let rows = "select group_concat(a, ' ', convert(b using utf8mb4) order by id), \
                       sum(touched = '2020-01-01') from t";
    let rows = source.query_text(rows).unwrap();
    let rows: Vec<&str> = rows[0].iter().flatten().map(String::as_str).collect();
    assert_eq!(rows, ["xy xy,z ab", "2"]);
}

#[test]
fn clearing_orphans_leaves_the_time_of_the_last_change() {
    let databases = Databases::create();
    databases.load(
        "create table parent (id int primary key); \
         create table child (id int primary key, p int null, \
            touched timestamp null default '2020-01-01 00:00:00' on update current_timestamp); \
         insert into parent values (1); insert into child (id, p) values (1, 1), (2, 7);",
        "create table parent (id integer primary key); \
         create table child (id integer primary key, \
            p integer constraint of_parent references parent, touched timestamptz);",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let hint = hint(&findings(&workplace, 3), "orphan", "of_parent");
    let (_, sql) = hint.split_once("or: ").expect(&hint);
    let mut source = databases.mysql();
    source.execute(sql).unwrap();
    let rows = "select group_concat(coalesce(p, 'none') order by id), \
                       sum(touched = '2020-01-01') from child";
    let rows = source.query_text(rows).unwrap();
    let rows: Vec<&str> = rows[0].iter().flatten().map(String::as_str).collect();
    assert_eq!(rows, ["1,none", "2"]);
    workplace.run(&["migrate"]).expect(0);
}

#[test]
fn a_unique_index_on_a_beginning_is_judged_after_the_rules() {
    let source = "create table p (k varchar(50) collate utf8mb4_bin not null, \
                    v varchar(9), primary key (k(4))); \
                  insert into p values ('ABcdX', 'x'), ('abcdY', 'y'), ('other', 'z');";
    let options = "schema_owner: converge\n\
                   rules: [{column: p.k, when: any, then: lower}]";
    let (_databases, workplace) = applied(source, options);
    let found = findings(&workplace, 3);
    let duplicate = found.iter().find(|finding| finding["kind"] == "duplicate");
    let duplicate = duplicate.unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(duplicate["rows"], 1, "{duplicate}");
    assert_eq!(
        duplicate["rule"],
        Value::Null,
        "no rule is for such an index: {duplicate}"
    );
    workplace.run(&["migrate"]).expect(3);
}

#[test]
fn keys_under_a_nondeterministic_collation_are_left_to_the_target() {
    let databases = Databases::create();
    databases.load(
        "create table parent (code varchar(20) collate utf8mb4_general_ci primary key); \
         create table child (id int primary key, code varchar(20) collate utf8mb4_general_ci, \
            constraint of_parent foreign key (code) references parent (code)); \
         insert into parent values ('Abc'); insert into child values (1, 'aBC'), (2, 'Abc');",
        "create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
         create table parent (code text collate ci primary key); \
         create table child (id integer primary key, code text collate ci, \
            constraint of_parent foreign key (code) references parent (code));",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let found = findings(&workplace, 0);
    let of_kind = |kind: &str| {
        let of_kind = found.iter().filter(|finding| finding["kind"] == kind);
        let names = of_kind.map(|finding| finding["constraint"].as_str().unwrap_or("-"));
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        of_kind("key_not_judged"),
        ["of_parent", "parent_pkey"],
        "{found:?}"
    );
    assert_eq!(of_kind("orphan"), Vec::<&str>::new(), "{found:?}");
    assert_eq!(of_kind("case_folding"), Vec::<&str>::new(), "{found:?}");
    workplace.run(&["migrate"]).expect(0);
}
