//! What a target has in it that a load meets: another encoding, event triggers, checks that old rows
//! violate, sequences that nothing names.

use testing::Databases;

use crate::support::Workplace;

fn one(databases: &Databases, sql: &str) -> Option<String> {
    let mut rows = databases.postgres().query_text(sql).unwrap();
    rows.pop().and_then(|mut row| row.pop()).flatten()
}

/// A database in another encoding, dropped at the end.
struct Encoded<'d> {
    databases: &'d Databases,
    name: String,
}

impl<'d> Encoded<'d> {
    fn new(databases: &'d Databases, encoding: &str) -> Self {
        let name = format!("{}_{}", databases.name(), encoding.to_lowercase());
        let sql =
            format!("create database {name} encoding '{encoding}' template template0 locale 'C'");
        databases.postgres().batch_execute(&sql).unwrap();
        Self { databases, name }
    }

    fn url(&self) -> String {
        let url = self.databases.postgres_url();
        url.replace(self.databases.name(), &self.name)
    }
}

impl Drop for Encoded<'_> {
    fn drop(&mut self) {
        let sql = format!("drop database {} with (force)", self.name);
        let _ = self.databases.postgres().batch_execute(&sql);
    }
}

#[test]
fn a_target_in_another_encoding_is_refused_before_anything_is_read() {
    let databases = Databases::create();
    databases.load("create table t (id int primary key, v text)", "");
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let target = Encoded::new(&databases, encoding);
        let endpoint = target::Endpoint::parse(&target.url()).unwrap();
        let mut connection = target::Connection::open(&endpoint).unwrap();
        connection
            .batch_execute("create table public.t (id integer primary key, v text)")
            .unwrap();
        let workplace = Workplace::at(&[("shop", databases.mysql_url(), target.url(), "")]);
        for command in ["doctor", "migrate"] {
            let outcome = workplace.run(&[command]).expect(3);
            let said = format!("target `shop` is a database in {encoding}, and only UTF8 holds");
            assert!(outcome.text().contains(&said), "{}", outcome.text());
            let hint = "encoding 'UTF8' template template0";
            assert!(outcome.text().contains(hint), "{}", outcome.text());
        }
    }
}

const GUARD: &str = "
    create function guard() returns event_trigger language plpgsql as $$ begin
      raise exception 'definitions are frozen: ask the operators'; end $$;
    create event trigger frozen on ddl_command_start when tag in (TAGS) execute function guard();";

const KEYED: &str = "
    create table parent (id int primary key, n int);
    create table child (id int primary key, parent int, n int, key (n),
      foreign key (parent) references parent (id));
    insert into parent values (1, 5), (2, 6); insert into child values (7, 1, 1), (8, 2, 2);";

const KEYED_TARGET: &str = "
    create table parent (id integer primary key, n integer);
    create table child (id integer primary key, parent integer, n integer,
      constraint child_parent foreign key (parent) references parent (id));
    create index child_n on child (n);";

#[test]
fn an_event_trigger_that_refuses_the_load_is_named_with_the_statement() {
    for (tags, statement) in [
        (
            "'ALTER TABLE'",
            "alter table public.child drop constraint \"child_parent\"",
        ),
        ("'CREATE SCHEMA'", "create schema"),
        ("'CREATE TABLE'", "create table"),
    ] {
        let databases = Databases::create();
        let guard = GUARD.replace("TAGS", tags);
        databases.load(KEYED, &format!("{KEYED_TARGET}{guard}"));
        let before = target::fingerprint(&mut databases.postgres(), "public").unwrap();
        let workplace = Workplace::new(&[("shop", &databases, "")]);
        let stages = |last| [&["migrate"][..], &["export"], &["transform"], last];
        for command in stages(&["import"]) {
            let code = if ["export", "transform"].contains(&command[0]) {
                0
            } else {
                3
            };
            let outcome = workplace.run(command).expect(code);
            if code == 0 {
                continue;
            }
            for part in [
                "an event trigger refused `",
                statement,
                "definitions are frozen: ask the operators",
                "alter event trigger ... disable",
            ] {
                assert!(outcome.stderr.contains(part), "{part}: {}", outcome.text());
            }
        }
        let after = target::fingerprint(&mut databases.postgres(), "public").unwrap();
        assert_eq!(before.differences(&after), Vec::<String>::new());
        assert_eq!(
            one(&databases, "select to_regnamespace('converge')::text"),
            None
        );
        let sql = "drop event trigger frozen";
        databases.postgres().batch_execute(sql).unwrap();
    }
}

#[test]
fn a_row_that_violates_a_check_of_the_target_is_named_by_its_key() {
    let databases = Databases::create();
    databases.load(
        "create table price (id int, day date, name varchar(9), amount int, primary key (id, day));
         insert into price values (1, '2024-02-29', 'a, b', 5), (2, '2024-03-01', 'c', -7);
         create table label (name varchar(9) primary key, amount int);",
        "create table price (id integer, day date, name text, amount integer,
           primary key (id, day), constraint positive check (amount > 0));
         create table label (name text primary key, amount integer);",
    );
    let before = target::fingerprint(&mut databases.postgres(), "public").unwrap();
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    let assessed = workplace.run(&["assess", "--output", "json"]).expect(0);
    let note = "\"kind\": \"check_not_judged\"";
    assert!(assessed.stdout.contains(note), "{}", assessed.text());
    assert!(assessed.stdout.contains("\"constraint\": \"positive\""));
    let refused = workplace.run(&["migrate"]).expect(4);
    let said = "constraint positive, COPY price, record 2): row id 2, day 2024-03-01";
    assert!(refused.stderr.contains(said), "{}", refused.text());
    for stage in ["export", "transform"] {
        workplace.run(&[stage]).expect(0);
    }
    let refused = workplace.run(&["import"]).expect(4);
    assert!(refused.stderr.contains(said), "{}", refused.text());
    assert!(!refused.text().contains("-7"), "{}", refused.text());
    let after = target::fingerprint(&mut databases.postgres(), "public").unwrap();
    assert_eq!(before.differences(&after), Vec::<String>::new());
}

#[test]
fn a_sequence_that_no_column_names_comes_with_the_statement_that_sets_it() {
    let databases = Databases::create();
    databases.load(
        "create table a (id bigint primary key); insert into a values (41), (42);
         create table b (id bigint primary key);",
        "create table a (id bigint primary key); create sequence a_seq increment by 50;
         create table b (id bigint primary key); create sequence hibernate_sequence;",
    );
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    let moved = workplace.run(&["migrate"]).expect(0);
    let note = moved
        .stderr
        .lines()
        .find(|line| line.contains("a_seq"))
        .unwrap();
    let (_, statement) = note.split_once("run: ").unwrap();
    databases.postgres().batch_execute(statement).unwrap();
    assert_eq!(
        one(&databases, "select last_value::text from a_seq").unwrap(),
        "42"
    );
    let other = "set it with setval('\"public\".\"hibernate_sequence\"', N), N being the largest";
    assert!(moved.stderr.contains(other), "{}", moved.text());
}
