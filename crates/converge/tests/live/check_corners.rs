//! `baseline check` where a mend could lose values or fail.

use std::fs;

use crate::check::{OPTIONS, applied, check, mends};

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
