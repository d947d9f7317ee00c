//! Baselines that are applied: what is refused before anything is changed, and what is entered in
//! the ledger.

use std::fs;

use testing::{Databases, workspace_root};

use crate::support::{Outcome, Role, Workplace, settings};

pub(crate) const APPLY: [&str; 4] = ["baseline", "apply", "--from", "sql"];

fn snapshot(name: &str, outcome: &Outcome) {
    settings(&workspace_root().join("fixtures/path/expected")).bind(|| {
        insta::assert_snapshot!(name, outcome.text());
    });
}

/// A workplace for one database, with a baseline in `sql`.
fn workplace(databases: &Databases, lines: &str, pre_data: &str, post_data: &str) -> Workplace {
    let workplace = Workplace::new(&[("shop", databases, lines)]);
    write(&workplace, pre_data, post_data);
    workplace
}

pub(crate) fn write(workplace: &Workplace, pre_data: &str, post_data: &str) {
    fs::create_dir_all(workplace.path().join("sql/shop")).unwrap();
    workplace.write("sql/shop/pre_data.sql", pre_data);
    workplace.write("sql/shop/post_data.sql", post_data);
}

pub(crate) fn one(connection: &mut target::Connection, sql: &str) -> String {
    let rows = connection.query_text(sql).unwrap();
    rows[0][0].clone().unwrap_or_default()
}

pub(crate) const OWNER: &str = "schema_owner: converge\n";
const TABLES: &str = "select string_agg(relname, ' ' order by relname) from pg_catalog.pg_class \
                       where relkind = 'r' and relnamespace = 'public'::regnamespace";

/// Each returns a row, or makes one function, table, view or rule.
const STATEMENTS: &str = r#"
select ';', 'it''s;', '\';
select E'\';', e';\\', e''';' -- ;
;; select e'a'
  -- on; it's
  'b\';' /* ; /* nested; */ ' */;
select U&'\0041;' uescape '!', N'\', x'1f', b'1';
select 1 as "a;", 2 as U&"b;\0041", 3 as "c""d;";
select $$;'$$, $a$ $b$; $$ $a$, $ä_1$;$ä_1$;
select 1 as a$b$c, 2 as d$e;
select 2 - -1, 4/2*3, 6 --;
 + 8;
create table "end;" (a int);
create table begin_ ("begin" int, atomic int);
create rule r as on insert to begin_ do also (insert into "end;" values (1); delete from "end;");
create function f1() returns text language sql as 'select '';''';
create function f2() returns int begin atomic select 1; select 2; end;
create or replace function f3() returns int BEGIN /* ; */ ATOMIC
  select case 1 when 1 then case when true then 1 end end; select 1 as end; END;
create procedure f4() begin atomic select (case when true then 1 end); select 'end'; end;
create function f5("begin" int) returns int return "begin";
create procedure f6() language plpgsql as $body$ begin commit; end; $body$;
(select 1)
"#;

#[test]
fn the_server_sees_the_statements_that_were_split() {
    let databases = Databases::create();
    let mut connection = databases.postgres();
    let objects = "select ((select count(*) from pg_proc where pronamespace = 'public'::regnamespace) \
                        + (select count(*) from pg_class where relnamespace = 'public'::regnamespace) \
                        + (select count(*) from pg_rewrite r join pg_class c on c.oid = r.ev_class \
                            where c.relnamespace = 'public'::regnamespace))::text";
    let mut other = databases.postgres();
    let mut count = || one(&mut other, objects).parse::<usize>().unwrap();
    let statements = target::statements(STATEMENTS).unwrap();
    let mut seen = count();
    for sql in &statements {
        let rows = connection.query_text(sql).unwrap().len();
        let after = count();
        assert_eq!(rows + after - seen, 1, "one statement: {sql}");
        seen = after;
    }
    let others = Databases::create();
    let rows = others.postgres().query_text(STATEMENTS).unwrap().len();
    let made = one(&mut others.postgres(), objects)
        .parse::<usize>()
        .unwrap();
    assert_eq!(rows + made, statements.len());
}

#[test]
fn scripts_that_end_their_transaction_are_refused_and_others_leave_nothing_behind() {
    let databases = Databases::create();
    let workplace = workplace(
        &databases,
        OWNER,
        "create table a (id int);\n",
        "create index on a (id);\n\ncommit;\ncreate table b (id int);\n",
    );
    snapshot("baseline_apply_commit", &workplace.run(&APPLY).expect(3));
    write(&workplace, "create table a (\n\\restrict x\n", "");
    let outcome = workplace.run(&APPLY).expect(3);
    assert!(
        outcome
            .stderr
            .contains("pre_data.sql, line 1: a parenthesis")
    );
    write(
        &workplace,
        "create table a (id int);\n",
        "\n-- here:\ncreate index on a (other);\n",
    );
    snapshot("baseline_apply_mistake", &workplace.run(&APPLY).expect(4));
    write(&workplace, "create table a (id int);\n", "select $1::int");
    let outcome = workplace.run(&APPLY).expect(3);
    assert!(
        outcome.stderr.contains("it has parameters"),
        "{}",
        outcome.text()
    );
    let nothing = "select count(*)::text from pg_class where relname = 'a'";
    let mut target = databases.postgres();
    assert_eq!(one(&mut target, nothing), "0");
    let ledger = "select count(*)::text from pg_namespace where nspname = 'converge'";
    assert_eq!(one(&mut target, ledger), "0");
    fs::remove_file(workplace.path().join("sql/shop/post_data.sql")).unwrap();
    let outcome = workplace.run(&APPLY).expect(2);
    assert!(
        outcome.stderr.contains("reading sql/shop/post_data.sql"),
        "{}",
        outcome.text()
    );
}

#[test]
fn a_baseline_is_entered_and_another_one_is_refused() {
    let databases = Databases::create();
    let workplace = workplace(&databases, OWNER, "create table a (id int);", "");
    snapshot("baseline_apply_entered", &workplace.run(&APPLY).expect(0));
    let mut target = databases.postgres();
    let entry = "select statements || ' ' || statements_done || ' ' || target_schema || ' ' \
                        || (applied >= started) || ' ' || length(blake3) from converge.baseline";
    assert_eq!(one(&mut target, entry), "1 1 public true 64");
    let whole = "select xmin || ' ' || b::text from converge.baseline b";
    let before = one(&mut target, whole);
    snapshot(
        "baseline_apply_entered_again",
        &workplace.run(&APPLY).expect(0),
    );
    assert_eq!(one(&mut target, whole), before, "nothing was changed");

    write(&workplace, "", "create table a (id int);");
    snapshot("baseline_apply_another", &workplace.run(&APPLY).expect(3));
    assert_eq!(one(&mut target, whole), before);

    target.batch_execute("drop table a").unwrap();
    workplace.run(&APPLY).expect(0);
    assert_eq!(one(&mut target, TABLES), "a");
    assert_ne!(
        one(&mut target, whole),
        before,
        "the entry is the new one's"
    );
    assert_eq!(
        one(&mut target, "select count(*)::text from converge.baseline"),
        "1"
    );
}

#[test]
fn of_many_objects_the_first_are_listed() {
    let databases = Databases::create();
    let table = |number: u32| format!("create table t{number:02} (id int);");
    let tables: String = (1..=30).map(table).collect();
    databases.load("create table a (id int);", &tables);
    let workplace = workplace(&databases, OWNER, "create table a (id int);", "");
    snapshot(
        "baseline_apply_many_objects",
        &workplace.run(&APPLY).expect(3),
    );
}

#[test]
fn types_of_extensions_are_found_wherever_they_are_installed() {
    let databases = Databases::create();
    databases.load(
        "create table a (id int);",
        "create extension citext schema public; create schema \"My Shop\"",
    );
    let lines = format!("{OWNER}target_schema: My Shop\n");
    let workplace = workplace(&databases, &lines, "create table a (name citext);", "");
    workplace.run(&APPLY).expect(0);
    let place = "select relnamespace::regnamespace::text from pg_class where relname = 'a'";
    assert_eq!(one(&mut databases.postgres(), place), "\"My Shop\"");
}

/// The ledger's tables, by name; empty where its schema is gone.
fn ledger(databases: &Databases) -> String {
    let tables = "select string_agg(c.relname, ' ' order by c.relname) from pg_class c \
                    join pg_namespace n on n.oid = c.relnamespace \
                   where n.nspname = 'converge' and c.relkind = 'r'";
    one(&mut databases.postgres(), tables)
}

#[test]
fn a_run_leaves_the_entry_and_a_schema_of_others_alone() {
    let make = "create table a (id int not null primary key)";
    for (begin, left) in [
        ("", "baseline"),
        (
            "create schema converge; create table converge.notes (a int)",
            "baseline notes",
        ),
    ] {
        let databases = Databases::create();
        databases.load(&format!("{make}; insert into a values (1)"), begin);
        let workplace = workplace(&databases, OWNER, make, "");
        workplace.run(&APPLY).expect(0);
        workplace.run(&["doctor"]).expect(0);
        for end in [&["rollback"][..], &["finalize", "--yes"]] {
            workplace.run(&["migrate"]).expect(0);
            assert_eq!(
                ledger(&databases),
                "baseline chunk definition".to_owned()
                    + &left["baseline".len()..]
                    + " refreshed run run_table sequence_before taken_off"
            );
            let held = workplace.run(&["status"]).expect(0);
            assert!(held.stdout.contains("holds run"), "{}", held.text());
            workplace.run(end).expect(0);
            assert_eq!(ledger(&databases), left);
        }
        let again = workplace.run(&APPLY).expect(0);
        assert!(
            again.stdout.contains("is applied since"),
            "{}",
            again.text()
        );
    }
}

#[test]
fn a_baseline_that_came_after_a_run_keeps_the_ledgers_schema() {
    let databases = Databases::create();
    let make = "create table a (id int not null primary key)";
    databases.load(make, &format!("{make}; create schema other"));
    let workplace = workplace(&databases, "", "create table b (id int);", "");
    workplace.run(&["migrate"]).expect(0);
    let address = databases.postgres_url();
    let lines = format!("{OWNER}target_schema: other\n");
    let other = Workplace::at(&[("shop", databases.mysql_url(), address, &lines)]);
    write(&other, "create table b (id int);", "");
    other.run(&APPLY).expect(0);
    workplace.run(&["rollback"]).expect(0);
    assert_eq!(ledger(&databases), "baseline");
}

/// A database and a role that has no rights in it yet.
struct Restricted {
    databases: Databases,
    role: Role,
}

impl Restricted {
    fn new() -> Self {
        let databases = Databases::create();
        let role = Role::new(&databases, "role", "login password 'p'");
        let sql = "revoke create on schema public from public";
        databases.postgres().batch_execute(sql).unwrap();
        Self { databases, role }
    }

    fn grant(&self, sql: &str) {
        let sql = sql.replace("ROLE", self.role.name());
        self.databases.postgres().batch_execute(&sql).unwrap();
    }

    fn workplace(&self, lines: &str) -> Workplace {
        let url = self.role.url(&self.databases);
        let source = self.databases.mysql_url();
        let workplace = Workplace::at(&[("shop", source, url, lines)]);
        write(&workplace, "create table a (id int);", "");
        workplace
    }
}

#[test]
fn missing_rights_come_with_the_grant_that_gives_them() {
    let restricted = Restricted::new();
    let workplace = restricted.workplace(OWNER);
    snapshot("baseline_apply_no_ledger", &workplace.run(&APPLY).expect(3));
    restricted.grant("create schema converge");
    snapshot(
        "baseline_apply_closed_ledger",
        &workplace.run(&APPLY).expect(3),
    );
    restricted.grant("grant usage, create on schema converge to ROLE");
    snapshot(
        "baseline_apply_closed_schema",
        &workplace.run(&APPLY).expect(3),
    );
    let elsewhere = restricted.workplace(&format!("{OWNER}target_schema: elsewhere\n"));
    snapshot("baseline_apply_no_schema", &elsewhere.run(&APPLY).expect(3));
    restricted.grant("grant usage, create on schema public to ROLE");
    write(&workplace, "create extension file_fdw;", "");
    snapshot("baseline_apply_denied", &workplace.run(&APPLY).expect(3));
    assert_eq!(ledger(&restricted.databases), "", "nothing was changed");
    write(&workplace, "create table a (id int);", "");
    workplace.run(&APPLY).expect(0);
    assert_eq!(ledger(&restricted.databases), "baseline");
}

#[test]
fn generate_and_apply_meet_in_the_run_directory() {
    let databases = Databases::create();
    databases.load("create table page (id int not null primary key);", "");
    let workplace = Workplace::new(&[("shop", &databases, OWNER)]);
    let apply = &APPLY[..2];
    snapshot(
        "baseline_apply_without_a_run",
        &workplace.run(apply).expect(2),
    );
    workplace.run(&["baseline", "generate"]).expect(0);
    let run = workplace.run_directory();
    // A newer run, which has no baseline, is passed over.
    workplace.run(&["export"]).expect(3);
    assert_eq!(
        fs::read_dir(workplace.path().join("runs")).unwrap().count(),
        2
    );
    workplace.run(apply).expect(0);
    let named = [apply, &["--run", run.to_str().unwrap()]].concat();
    let again = workplace.run(&named).expect(0);
    assert!(
        again.stdout.contains("is applied since"),
        "{}",
        again.text()
    );
    // Runs of one second are not sorted by their names.
    let entries = fs::read_dir(workplace.path().join("runs")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let other = paths.find(|path| *path != run).unwrap();
    let named = [apply, &["--run", other.to_str().unwrap()]].concat();
    let outcome = workplace.run(&named).expect(2);
    assert!(
        outcome.stderr.contains("shop/baseline/pre_data.sql"),
        "{}",
        outcome.text()
    );
}

#[test]
fn migrations_of_typeorm_are_asked_for() {
    let databases = Databases::create();
    let workplace = Workplace::new(&[("shop", &databases, "schema_owner: typeorm\n")]);
    let apply = &APPLY[..2];
    snapshot(
        "baseline_apply_typeorm_and_extension",
        &workplace.run(apply).expect(3),
    );
    let mut target = databases.postgres();
    target
        .batch_execute("create extension \"uuid-ossp\"")
        .unwrap();
    snapshot("baseline_apply_typeorm", &workplace.run(apply).expect(3));
    let table = "create table migrations_typeorm (id serial primary key, \"timestamp\" bigint not null, \
                 name varchar not null)";
    target.batch_execute(table).unwrap();
    let empty = workplace.run(apply).expect(3);
    assert!(
        empty.stderr.contains("table `migrations_typeorm` is empty"),
        "{}",
        empty.text()
    );
    let rows = "insert into migrations_typeorm (\"timestamp\", name) values \
                (1764590889000, 'Baseline1764590889000'), (1764590889001, 'Zone1764590889001'), \
                (1764590889002, 'Account1764590889002')";
    target.batch_execute(rows).unwrap();
    snapshot(
        "baseline_apply_typeorm_done",
        &workplace.run(apply).expect(0),
    );
}

#[test]
fn migrations_of_kratos_are_asked_for() {
    let databases = Databases::create();
    let workplace = Workplace::new(&[("shop", &databases, "schema_owner: kratos\n")]);
    let apply = &APPLY[..2];
    snapshot("baseline_apply_kratos", &workplace.run(apply).expect(3));
    let table = "create table schema_migration (version varchar(48) not null, version_self int not null); \
                 insert into schema_migration values ('20241106142200000002', 0), ('20191100000001000000', 0)";
    databases.postgres().batch_execute(table).unwrap();
    snapshot(
        "baseline_apply_kratos_done",
        &workplace.run(apply).expect(0),
    );
}
