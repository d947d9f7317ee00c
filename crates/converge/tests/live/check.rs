//! `baseline check` on real servers: what is as expected passes, every change is named, and what
//! is said to mend it does.

use std::fmt::Write;
use std::fs;

use testing::{Databases, workspace_root};

use crate::support::{Outcome, Workplace, settings};

const CHECK: [&str; 4] = ["baseline", "check", "--from", "sql"];

/// A schema with a bit of everything that a baseline can have.
const SOURCE: &str = "
create table kind (
  id int not null auto_increment primary key,
  name varchar(40) character set utf8mb4 collate utf8mb4_bin not null default 'it''s; a name',
  mood enum('sad','it''s fine','glad') not null default 'it''s fine',
  unique key uq_name (name)
) comment = 'kinds';
create table thing (
  id int not null auto_increment primary key,
  kind_id int null,
  flag tinyint(1) not null default 1,
  price decimal(8,2) not null,
  amount int not null,
  total decimal(20,2) as (price * amount) stored,
  body json null,
  made datetime(6) not null default current_timestamp(6) on update current_timestamp(6),
  path text not null,
  `or der` varchar(9) null,
  key idx_made (made, amount desc),
  key idx_path (path(10)),
  constraint positive check (amount > 0),
  constraint fk_kind foreign key (kind_id) references kind (id) on delete cascade
);
";

pub(crate) const OPTIONS: &str = "
schema_owner: converge
baseline: {on_update: trigger, index_foreign_keys: true}
";

/// Each must be named by a check, alone, and mended by what the check says.
const MUTATIONS: &str = include_str!("check/mutations.sql");

/// A target that was made from the source by a baseline in `sql`.
pub(crate) fn applied(source: &str, options: &str) -> (Databases, Workplace) {
    let databases = Databases::create();
    databases.load(source, "");
    let workplace = Workplace::new(&[("shop", &databases, options)]);
    for action in [["generate", "--out"], ["apply", "--from"]] {
        let words = ["baseline", action[0], action[1], "sql"];
        workplace.run(&words).expect(0);
    }
    (databases, workplace)
}

/// The lines of the differences.
pub(crate) fn lines(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.stdout.lines();
    lines.filter_map(|line| line.strip_prefix("  ")).collect()
}

pub(crate) fn check(workplace: &Workplace, more: &[&str]) -> Outcome {
    workplace.run(&[&CHECK, more].concat())
}

/// The statements that mend all differences, in order.
pub(crate) fn mends(workplace: &Workplace, more: &[&str]) -> Vec<String> {
    let json = check(workplace, &[more, &["--output", "json"]].concat()).expect(5);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let differences = document["databases"][0]["differences"].as_array().unwrap();
    let statements = differences
        .iter()
        .flat_map(|difference| difference["sql"].as_array().unwrap());
    statements
        .map(|statement| statement.as_str().unwrap().to_owned())
        .collect()
}

pub(crate) fn compare_with_snapshot(name: &str, text: &str) {
    let directory = workspace_root().join("crates/converge/tests/live/check");
    settings(&directory).bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn every_mutation_is_named_alone_and_mended_by_what_is_said() {
    let (databases, workplace) = applied(SOURCE, OPTIONS);
    let mut target = databases.postgres();
    check(&workplace, &["--names"]).expect(0);
    let mut text = String::new();
    let mutations: Vec<&str> = MUTATIONS.split("\n\n").map(str::trim).collect();
    assert!(mutations.len() >= 40, "{} mutations", mutations.len());
    for mutation in &mutations {
        let name = mutation.lines().next().unwrap();
        let more: &[&str] = match name.contains("(names)") {
            true => &["--names"],
            false => &[],
        };
        target.batch_execute(mutation).unwrap();
        let found = check(&workplace, more).expect(5);
        writeln!(text, "{mutation}").unwrap();
        for line in lines(&found) {
            writeln!(text, "    {line}").unwrap();
        }
        let count = match () {
            () if name.contains("(three lines)") => 3,
            () if name.contains("(two lines)") => 2,
            () => 1,
        };
        assert_eq!(lines(&found).len(), count, "{name}: {}", found.text());
        for statement in mends(&workplace, more) {
            target
                .batch_execute(&statement)
                .unwrap_or_else(|error| panic!("{name}: {statement}: {error}"));
        }
        let mended = check(&workplace, more);
        assert_eq!(mended.code, 0, "{name}: {}", mended.text());
    }
    compare_with_snapshot("mutations", &text);
}

#[test]
fn several_differences_are_mended_in_the_order_of_the_lines() {
    let (databases, workplace) = applied(SOURCE, OPTIONS);
    let mut target = databases.postgres();
    let harm = "drop table thing cascade; drop type kind_mood_enum cascade;
        alter table kind drop column name; create table extra (id int primary key);
        create table zchild (id int references extra);
        alter table kind alter column id drop identity";
    target.batch_execute(harm).unwrap();
    for statement in mends(&workplace, &[]) {
        target.batch_execute(&statement).unwrap();
    }
    check(&workplace, &[]).expect(0);
}

#[test]
fn rows_keep_their_numbers_when_the_numbering_is_mended() {
    let (databases, workplace) = applied(SOURCE, OPTIONS);
    let mut target = databases.postgres();
    // A sequence of a column has the owner of its table.
    let serial = "set role converge; alter table kind alter column id drop identity;
        create sequence kind_id_seq as integer owned by kind.id;
        alter table kind alter column id set default nextval('kind_id_seq');
        insert into kind (name) values ('a'), ('b'), ('c'); delete from kind where name = 'c'";
    target.batch_execute(serial).unwrap();
    for statement in mends(&workplace, &[]) {
        target.batch_execute(&statement).unwrap();
    }
    let next = "insert into kind (name) values ('d') returning id::text";
    assert_eq!(target.query_text(next).unwrap(), [[Some("4".to_owned())]]);
}

#[test]
fn a_check_leaves_no_schema_behind() {
    let (databases, workplace) = applied(SOURCE, OPTIONS);
    let mut target = databases.postgres();
    let schemas = "select nspname::text from pg_namespace where nspname not like 'pg_temp%' \
                   and nspname not like 'pg_toast_temp%' order by 1";
    let before = target.query_text(schemas).unwrap();
    check(&workplace, &[]).expect(0);
    workplace.run(&["baseline", "check"]).expect(0);
    target.batch_execute("drop table thing").unwrap();
    check(&workplace, &[]).expect(5);
    assert_eq!(target.query_text(schemas).unwrap(), before);
}

/// What is mended keeps the rows, and what they hold.
#[test]
fn rows_stay_as_they_are_when_their_columns_are_mended() {
    let (databases, workplace) = applied(SOURCE, OPTIONS);
    let mut target = databases.postgres();
    let rows = "insert into kind (name, mood) values ('a', 'sad'), ('b', 'glad');
        insert into thing (kind_id, flag, price, amount, body, path) values
          (1, true, 1.25, 2, '{\"a\": 1}', 'p'), (2, false, 9.5, 1, null, 'q')";
    target.batch_execute(rows).unwrap();
    let seen = "select thing.id, kind_id, flag, price, amount, total, body, path, name, mood \
                from thing join kind on kind.id = kind_id order by 1";
    let before = target.query_text(seen).unwrap();
    assert_eq!(before.len(), 2);
    for harm in [
        "alter table thing alter column flag drop default,
           alter column flag type smallint using flag::integer::smallint",
        "alter table thing alter column body type text",
        "alter table thing drop column total, alter column price type double precision,
           add column total numeric(20,2) generated always as (price * amount) stored,
           add check (total > 0)",
        "alter table thing alter column total drop expression, alter column amount drop not null",
        "alter table kind alter column mood drop default, alter column mood type text;
           drop type kind_mood_enum; create type kind_mood_enum as enum ('glad', 'sad', 'new');
           alter table kind alter column mood type kind_mood_enum using mood::kind_mood_enum",
        "alter table kind alter column id drop identity",
        "alter table thing drop constraint fk_kind; alter table kind drop constraint kind_pkey;
           alter table kind alter column name type character varying(99)",
    ] {
        target.batch_execute(harm).unwrap();
        for statement in mends(&workplace, &[]) {
            target.batch_execute(&statement).unwrap();
        }
        check(&workplace, &[]).expect(0);
        assert_eq!(target.query_text(seen).unwrap(), before, "{harm}");
    }
}

#[test]
fn what_is_made_outside_of_the_schema_is_refused() {
    let (databases, workplace) = applied(SOURCE, OPTIONS);
    let post_data = workplace.path().join("sql/shop/post_data.sql");
    let whole = fs::read_to_string(&post_data).unwrap();
    let mut text = String::new();
    for more in [
        "select setval('public.kind_id_seq', 77);",
        "drop table public.thing;",
        "insert into public.kind (name) values ('x');",
        "create function public.f() returns int language sql as 'select 1';",
        "create table public.extra (id int);",
        "alter table public.kind add column extra int;",
        "set standard_conforming_strings = off; select '\\''; commit; create table evil (); --'",
    ] {
        fs::write(&post_data, format!("{whole}\n{more}\n")).unwrap();
        let refused = check(&workplace, &[]).expect(3);
        writeln!(text, "# {more}\n{}", refused.text()).unwrap();
    }
    compare_with_snapshot("outside", &text);
    let tables = "select count(*)::text from pg_tables where schemaname = 'public'";
    assert_eq!(
        databases.postgres().query_text(tables).unwrap(),
        [[Some("2".to_owned())]]
    );
}

/// Not only what a baseline makes: a catalogue has what a target has.
#[test]
fn a_catalogue_may_hold_what_no_baseline_makes() {
    let databases = Databases::create();
    databases.load("create table t (id int primary key);", "");
    let mut target = databases.postgres();
    let schema = "create extension btree_gist; create schema other;
        create type other.mood as enum ('a', 'b'); create sequence shared; create sequence other.s;
        create domain short as varchar(9) check (value <> '');
        create function answer() returns int language sql as 'select 42';
        create table t (id int default nextval('shared') primary key,
          two int default nextval('shared'), three int default nextval('other.s'),
          mood other.mood default 'a', moods other.mood[], name short collate \"C\" default 'x',
          answer int default answer(), span int4range,
          constraint apart exclude using gist (span with &&));
        comment on constraint apart on t is 'x'; comment on index apart is 'y';
        create index on t (lower(name) text_pattern_ops desc nulls last) include (two) where two > 1;
        create unique index on t using btree (two) nulls not distinct;
        create table log (day date not null, id int not null, primary key (day, id))
          partition by range (day);
        create table log_1 partition of log for values from ('2026-01-01') to ('2027-01-01')";
    target.batch_execute(schema).unwrap();
    let catalog = target::discover(&mut target, "public").unwrap();
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    fs::create_dir_all(workplace.path().join("seen/shop")).unwrap();
    let json = serde_json::to_string(&catalog).unwrap();
    workplace.write("seen/shop/catalog.target.json", &json);
    let words = ["baseline", "check", "--catalog", "seen", "--names"];
    workplace.run(&words).expect(0);
    target
        .batch_execute(
            "alter table t drop constraint apart; alter table t alter column two drop default",
        )
        .unwrap();
    let found = workplace.run(&words).expect(5);
    assert_eq!(lines(&found).len(), 2, "{}", found.text());
    workplace.write("seen/shop/catalog.target.json", "{}");
    assert!(
        workplace
            .run(&words)
            .expect(2)
            .stderr
            .contains("no catalogue")
    );
}

#[test]
fn the_source_itself_and_a_catalogue_can_be_expected() {
    let (databases, workplace) = applied(SOURCE, OPTIONS);
    let against_source = ["baseline", "check", "--names"];
    workplace.run(&against_source).expect(0);
    workplace.run(&["export"]).expect(0);
    let run = workplace.run_directory();
    let against_catalog = ["baseline", "check", "--names", "--catalog"];
    let against_catalog = [&against_catalog[..], &[run.to_str().unwrap()]].concat();
    let equal = workplace.run(&against_catalog).expect(0);
    assert!(
        equal.stdout.contains("2 tables compared"),
        "{}",
        equal.text()
    );
    let mutation = "alter table thing drop constraint positive, alter column total drop expression";
    databases.postgres().batch_execute(mutation).unwrap();
    for words in [&against_source[..], &against_catalog] {
        let found = workplace.run(words).expect(5);
        assert_eq!(lines(&found).len(), 2, "{}", found.text());
    }
    databases
        .mysql()
        .execute("alter table kind add fresh int null")
        .unwrap();
    let found = workplace.run(&against_source).expect(5);
    assert!(found.stdout.contains("kind.fresh"), "{}", found.text());
}

#[test]
fn another_schema_and_its_extensions_are_spelled_alike() {
    let source = "create table page (
        id int not null auto_increment primary key,
        name varchar(20) not null default 'x', mood enum('a','b') not null default 'a',
        unique key uq (name));";
    let options = "target_schema: My Own\nschema_owner: converge\ntypes: {page.name: citext}\n";
    let databases = Databases::create();
    databases.load(source, "");
    let mut target = databases.postgres();
    target
        .batch_execute("create extension citext; create schema \"My Own\"")
        .unwrap();
    let workplace = Workplace::new(&[("shop", &databases, options)]);
    workplace
        .run(&["baseline", "generate", "--out", "sql"])
        .expect(0);
    workplace
        .run(&["baseline", "apply", "--from", "sql"])
        .expect(0);
    check(&workplace, &["--names"]).expect(0);
    let harm = "alter table \"My Own\".page alter column mood set default 'b'";
    target.batch_execute(harm).unwrap();
    compare_with_snapshot("another_schema", &check(&workplace, &[]).expect(5).text());
}

#[test]
fn a_scratch_can_be_elsewhere() {
    let (databases, workplace) = applied(SOURCE, OPTIONS);
    let elsewhere = Databases::create();
    let url = elsewhere.postgres_url();
    let scratch = ["--scratch", url.as_str()];
    check(&workplace, &scratch).expect(0);
    let mut target = databases.postgres();
    target.batch_execute("drop index idx_made").unwrap();
    assert_eq!(lines(&check(&workplace, &scratch).expect(5)).len(), 1);
    let mut elsewhere = elsewhere.postgres();
    let tables = "select count(*)::text from pg_tables where schemaname like 'converge%'";
    assert_eq!(
        elsewhere.query_text(tables).unwrap(),
        [[Some("0".to_owned())]]
    );
}

#[test]
fn what_is_in_the_way_of_a_check_is_said() {
    let (_databases, workplace) = applied(SOURCE, OPTIONS);
    let mut text = String::new();
    let mut note = |title: &str, outcome: Outcome| {
        writeln!(text, "# {title}\n{}", outcome.text()).unwrap();
    };
    note(
        "no such directory",
        workplace.run(&["baseline", "check", "--from", "nowhere"]),
    );
    note(
        "no such catalogue",
        workplace.run(&["baseline", "check", "--catalog", "nowhere"]),
    );
    note(
        "no address",
        check(
            &workplace,
            &["--scratch", "mysql://root:secret@127.0.0.1/x"],
        ),
    );
    note(
        "no such variable",
        check(&workplace, &["--scratch", "${NO_SUCH_VARIABLE}"]),
    );
    let pre_data = workplace.path().join("sql/shop/pre_data.sql");
    let whole = fs::read_to_string(&pre_data).unwrap();
    let edited = whole.replacen(
        "create table \"thing\"",
        "commit;\ncreate table \"thing\"",
        1,
    );
    fs::write(&pre_data, edited).unwrap();
    note("a commit in a file", check(&workplace, &[]).expect(3));
    let edited = whole.replacen("character varying(40)", "caracter(40)", 1);
    fs::write(&pre_data, edited).unwrap();
    note("a fault in a file", check(&workplace, &[]).expect(3));
    compare_with_snapshot("refusals", &text);
}

#[test]
fn a_role_without_the_right_to_make_schemas_is_told_two_ways_on() {
    let (databases, workplace) = applied(SOURCE, OPTIONS);
    let role = format!("{}_reader", databases.name());
    let mut target = databases.postgres();
    target
        .batch_execute(&format!("create role {role} login password 'reads'"))
        .unwrap();
    let (_, place) = databases
        .postgres_url()
        .split_once('@')
        .map(|(login, place)| (login.to_owned(), place.to_owned()))
        .unwrap();
    let reader = format!("postgres://{role}:reads@{place}");
    let config = fs::read_to_string(workplace.path().join("config.yml")).unwrap();
    let config = config.replace(&databases.postgres_url(), &reader);
    workplace.write("config.yml", &config);
    let refused = check(&workplace, &[]).expect(3);
    compare_with_snapshot("no_right", &refused.text());
    let url = databases.postgres_url();
    check(&workplace, &["--scratch", &url]).expect(0);
    target.batch_execute(&format!("drop role {role}")).unwrap();
}
