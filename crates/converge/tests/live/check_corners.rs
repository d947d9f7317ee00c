//! `baseline check` where a mend could lose values or fail.

use std::fs;

use testing::Databases;

use crate::check::{OPTIONS, applied, check, mends};
use crate::support::Workplace;

/// Runs what is said to mend the differences, and expects none after it.
fn mend(target: &mut target::Connection, workplace: &Workplace) {
    for statement in mends(workplace, &[]) {
        target.batch_execute(&statement).unwrap();
    }
    check(workplace, &[]).expect(0);
}

#[test]
fn two_columns_get_the_types_that_they_are_to_have() {
    let source =
        "create table a (id int, x enum('a','b') default 'a', y enum('a','c') default 'c');";
    let (databases, workplace) = applied(source, OPTIONS);
    let mut target = databases.postgres();
    let harm = "alter table a alter column y drop default,
          alter column y type a_x_enum using 'a'::a_x_enum;
        drop type a_y_enum; insert into a values (1, 'b', 'a')";
    target.batch_execute(harm).unwrap();
    mend(&mut target, &workplace);
    let rows = target.query_text("select x, y from a").unwrap();
    assert_eq!(rows, [[Some("b".to_owned()), Some("a".to_owned())]]);
}

#[test]
fn booleans_and_numbers_become_each_other() {
    let source = "create table a (id int, flag tinyint(1), number smallint);";
    let (databases, workplace) = applied(source, OPTIONS);
    let mut target = databases.postgres();
    let harm = "alter table a alter column flag type smallint using flag::integer::smallint,
          alter column number type boolean using number::integer::boolean;
        insert into a values (1, 1, true)";
    target.batch_execute(harm).unwrap();
    mend(&mut target, &workplace);
    let rows = target
        .query_text("select flag::text, number::text from a")
        .unwrap();
    assert_eq!(rows, [[Some("true".to_owned()), Some("1".to_owned())]]);
}

#[test]
fn how_a_foreign_key_matches_and_what_it_clears_is_looked_at() {
    let source = "create table p (a int, b int, primary key (a, b));
        create table c (id int, a int, b int, constraint fk foreign key (a, b) references p (a, b));";
    let (databases, workplace) = applied(source, OPTIONS);
    let mut target = databases.postgres();
    for how in ["match full", "on delete set null (b)"] {
        let harm = format!(
            "alter table c drop constraint fk, add constraint fk foreign key (a, b) \
             references p (a, b) {how}"
        );
        target.batch_execute(&harm).unwrap();
        let found = check(&workplace, &[]).expect(5);
        assert!(found.stdout.contains(how), "{}", found.text());
        mend(&mut target, &workplace);
    }
}

#[test]
fn what_a_script_brings_beside_tables_is_missed() {
    let (databases, workplace) = applied("create table a (id int);", OPTIONS);
    let file = workplace.path().join("sql/shop/post_data.sql");
    let mut sql = fs::read_to_string(&file).unwrap();
    let more = "create view v as select id from a; create sequence s;
        create procedure p() language sql as 'select 1';";
    sql.push_str(more);
    fs::write(&file, sql).unwrap();
    let found = check(&workplace, &[]).expect(5);
    for missing in ["view v", "sequence s", "procedure p()"] {
        let line = format!("missing in target: {missing}; no statement mends it");
        assert!(found.stdout.contains(&line), "{}", found.text());
    }
    databases.postgres().batch_execute(more).unwrap();
    check(&workplace, &[]).expect(0);
}

#[test]
fn a_constant_is_not_what_a_function_gives_today() {
    let (databases, workplace) = applied(
        "create table a (id int, who varchar(63) default 'postgres', at datetime default current_timestamp);",
        OPTIONS,
    );
    let mut target = databases.postgres();
    let harm = "alter table a alter column who set default current_user,
        alter column at set default date_trunc('second', now())";
    target.batch_execute(harm).unwrap();
    let found = check(&workplace, &[]).expect(5);
    assert_eq!(
        found.stdout.matches("different: a.").count(),
        2,
        "{}",
        found.text()
    );
    mend(&mut target, &workplace);
}

#[test]
fn a_column_that_is_computed_by_mistake_keeps_its_values() {
    let (databases, workplace) = applied(
        "create table a (id int, x bigint not null default 7);",
        OPTIONS,
    );
    let mut target = databases.postgres();
    let computed =
        "alter table a drop column x, add column x int generated always as (id * 2) stored;
        insert into a values (5)";
    target.batch_execute(computed).unwrap();
    for statement in mends(&workplace, &[]) {
        target.batch_execute(&statement).unwrap();
    }
    check(&workplace, &[]).expect(0);
    let rows = target.query_text("select x::text from a").unwrap();
    assert_eq!(rows, [[Some("10".to_owned())]]);
}

#[test]
fn a_key_that_went_with_a_computed_column_is_made_once() {
    let source = "create table a (id int, x int as (id * 2) stored, y int as (id * 3) stored,
        unique key uq (x), key one (y), key two (y, id));";
    let (databases, workplace) = applied(source, OPTIONS);
    let mut target = databases.postgres();
    let harm = "alter table a drop column x, drop column y;
        alter table a add column x int generated always as (id * 9) stored,
                      add column y int generated always as (id * 9) stored;
        create index one on a (y)";
    target.batch_execute(harm).unwrap();
    for statement in mends(&workplace, &[]) {
        target.batch_execute(&statement).unwrap();
    }
    check(&workplace, &["--names"]).expect(0);
}

#[test]
fn an_exclusion_constraint_is_known_by_its_operators() {
    let (databases, workplace) = applied("create table a (id int);", OPTIONS);
    let constraint = "create table room (during int4range, other int4range, \
                      constraint one exclude using gist (during with &&, other with =));";
    let file = workplace.path().join("sql/shop/post_data.sql");
    let mut sql = fs::read_to_string(&file).unwrap();
    sql.push_str(constraint);
    fs::write(&file, sql).unwrap();
    let mut target = databases.postgres();
    target.batch_execute(constraint).unwrap();
    check(&workplace, &[]).expect(0);
    let other = "alter table room drop constraint one, \
                 add constraint one exclude using gist (during with =, other with =)";
    target.batch_execute(other).unwrap();
    let found = check(&workplace, &[]).expect(5);
    let line = "is exclusion constraint using gist (during with =, other with =), \
                expected exclusion constraint using gist (during with &&, other with =)";
    assert!(found.stdout.contains(line), "{}", found.text());
}

/// A name that is not in the target's schema may be found where extensions are.
#[test]
fn a_baseline_leaves_the_tables_of_other_schemas_alone() {
    let databases = Databases::create();
    databases.load("create table a (id int);", "");
    let mut target = databases.postgres();
    let live = "create extension citext; create table live (id int); insert into live values (7);
        create schema shop";
    target.batch_execute(live).unwrap();
    let options = "schema_owner: converge\ntarget_schema: shop\n";
    let workplace = Workplace::new(&[("shop", &databases, options)]);
    workplace
        .run(&["baseline", "generate", "--out", "sql"])
        .expect(0);
    let file = workplace.path().join("sql/shop/post_data.sql");
    let whole = fs::read_to_string(&file).unwrap();
    for harm in ["drop table if exists live;", "alter table live add b int;"] {
        fs::write(&file, format!("{whole}\n{harm}")).unwrap();
        let refused = workplace.run(&["baseline", "apply", "--from", "sql"]);
        let refused = refused.expect(3);
        assert!(
            refused.stderr.contains("are for one schema, and touch"),
            "{}",
            refused.text()
        );
    }
    let rows = target.query_text("select * from live").unwrap();
    assert_eq!(rows, [[Some("7".to_owned())]]);
    fs::write(&file, whole).unwrap();
    workplace
        .run(&["baseline", "apply", "--from", "sql"])
        .expect(0);
}

/// A target may well have what a baseline cannot make of the source: nobody is told to drop it.
#[test]
fn what_is_not_translated_is_not_called_the_targets_own() {
    let source = "create table a (id int, name varchar(60) default (concat('a', 'b')), note text,
        shout varchar(60) as (upper(name)) stored, p int,
        constraint named check (name like 'a%'), constraint noted check (note like 'b%'),
        fulltext key words (note));
        create table p (id int primary key);
        alter table a add constraint fk foreign key (p) references p (id);";
    let (databases, workplace) = applied(source, OPTIONS.replace("true", "false").as_str());
    let mut target = databases.postgres();
    let by_hand = "alter table a add shout varchar(60) generated always as (upper(name)) stored,
          add constraint named check (name ~ '^a'), add constraint other check (note ~ '^b'),
          alter column name set default ('a' || 'b');
        create index on a using gin (to_tsvector('simple', note)); create index on a (p)";
    target.batch_execute(by_hand).unwrap();
    let own = "alter table a add own int, add constraint own check (id > 0);
        create index on a (note); create unique index on a (p)";
    let found = workplace.run(&["baseline", "check"]).expect(5);
    let lines: Vec<&str> = found.stdout.lines().collect();
    let not_translated = "  in the source, not translated: ";
    let of_source = |lines: &[&str]| {
        let lines = lines.iter().filter(|line| line.starts_with(not_translated));
        let clean = lines.filter(|line| !line.contains("mend") && !line.contains("drop"));
        clean.count()
    };
    assert_eq!(of_source(&lines), 6, "{}", found.text());
    assert_eq!(lines.len(), 8, "{}", found.text());
    target.batch_execute(own).unwrap();
    let found = workplace.run(&["baseline", "check"]).expect(5);
    let lines: Vec<&str> = found.stdout.lines().collect();
    let drops = lines
        .iter()
        .filter(|line| line.contains("only in target: "));
    assert_eq!(drops.count(), 4, "{}", found.text());
    assert_eq!(of_source(&lines), 6, "{}", found.text());
    let json = workplace.run(&["baseline", "check", "--output", "json"]);
    let side = "\"side\": \"not_translated\"";
    assert_eq!(json.stdout.matches(side).count(), 6, "{}", json.text());
}
