//! `verify` itself is verified: each change of a moved target is found and named, and nothing
//! else; changes that mean the same are not.

use std::fs;

use serde_json::Value;
use testing::{Databases, workspace_root};

use crate::support::Workplace;

/// Puts the rows back as they were, whatever became of them.
const RESTORE: &str = "truncate people, houses, log;
    insert into houses select * from kept.houses;
    insert into people select * from kept.people;
    insert into log select * from kept.log;";

/// A change of the target.
struct Mutation {
    name: String,
    /// The findings, in the order of `verify`: kind, object, columns.
    finds: Vec<String>,
    sql: String,
    undo: String,
}

fn read(file: &str) -> String {
    fs::read_to_string(workspace_root().join("fixtures/mutations").join(file)).unwrap()
}

/// Blocks begin with a comment that names them; lines of a file before the first are its own.
fn mutations(file: &str) -> Vec<Mutation> {
    let text = read(file);
    let (_, blocks) = text.split_once("\n\n").unwrap();
    blocks.trim().split("\n\n").map(mutation).collect()
}

fn mutation(block: &str) -> Mutation {
    let (name, rest) = block.split_once('\n').unwrap();
    let (finds, sql): (Vec<&str>, Vec<&str>) =
        rest.lines().partition(|line| line.starts_with("-- finds "));
    let sql = sql.join("\n");
    let (sql, undo) = sql.split_once("-- undo\n").unwrap_or((&sql, ""));
    let finds = finds
        .iter()
        .map(|line| line["-- finds ".len()..].to_owned());
    Mutation {
        name: name.strip_prefix("-- ").unwrap().to_owned(),
        finds: finds.collect(),
        sql: sql.to_owned(),
        undo: undo.to_owned(),
    }
}

/// The findings of a document, as a mutation names them.
fn findings(document: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(document).unwrap();
    let database = &document["databases"][0];
    let mut found = Vec::new();
    for table in database["tables"].as_array().unwrap() {
        let samples = table["samples"].as_array().unwrap();
        for sample in samples {
            let key = sample["key"].as_object().unwrap().iter();
            let key: Vec<String> = key
                .map(|(column, value)| format!(" {column}={}", value.as_str().unwrap()))
                .collect();
            let columns = sample["columns"].as_array().unwrap().iter();
            let columns: Vec<&str> = columns.map(|column| column.as_str().unwrap()).collect();
            let columns = match columns.is_empty() {
                true => String::new(),
                false => format!(": {}", columns.join(", ")),
            };
            let (kind, name) = (&sample["kind"], &table["name"]);
            found.push(format!(
                "{} {}{}{columns}",
                kind.as_str().unwrap(),
                name.as_str().unwrap(),
                key.concat()
            ));
        }
        let counts = ["missing", "unexpected", "different"].map(|kind| table[kind].as_u64());
        let counted: u64 = counts.iter().map(|count| count.unwrap()).sum();
        assert_eq!(counted, samples.len() as u64, "all are counted and listed");
        assert_eq!(table["equal"], samples.is_empty());
    }
    for finding in database["catalog"].as_array().unwrap() {
        let [kind, object] = ["kind", "object"].map(|field| finding[field].as_str().unwrap());
        found.push(format!("{kind} {object}"));
    }
    found
}

fn moved() -> (Databases, Workplace) {
    let databases = Databases::create();
    databases.load(&read("source.sql"), &read("target.sql"));
    let workplace = Workplace::new(&[("town", &databases, "")]);
    workplace.run(&["migrate"]).expect(0);
    let keep = "create schema kept;
        create table kept.houses as table houses;
        create table kept.people as table people;
        create table kept.log as table log;";
    databases.postgres().batch_execute(keep).unwrap();
    (databases, workplace)
}

/// Makes one change after the other, and says what `verify` did not say as it should.
fn wrong(mutations: &[Mutation]) -> Vec<String> {
    let (databases, workplace) = moved();
    let mut target = databases.postgres();
    let mut wrong = Vec::new();
    for mutation in mutations {
        target
            .batch_execute(&mutation.sql)
            .unwrap_or_else(|error| panic!("{}: {error}", mutation.name));
        let code = if mutation.finds.is_empty() { 0 } else { 5 };
        let verified = workplace.run(&["verify", "--output", "json"]);
        let found = findings(&verified.stdout);
        if verified.code != code || found != mutation.finds {
            wrong.push(format!("{}: {found:#?}", mutation.name));
        }
        target.batch_execute(RESTORE).unwrap();
        target.batch_execute(&mutation.undo).unwrap();
    }
    wrong
}

#[test]
fn every_mutation_of_the_target_is_found_and_named() {
    let mutations = mutations("mutations.sql");
    assert!(mutations.iter().all(|mutation| !mutation.finds.is_empty()));
    assert!(mutations.len() >= 77, "{}", mutations.len());
    let wrong = wrong(&mutations);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_means_the_same_is_no_finding() {
    let mutations = mutations("same.sql");
    assert!(mutations.iter().all(|mutation| mutation.finds.is_empty()));
    assert!(mutations.len() >= 20, "{}", mutations.len());
    let wrong = wrong(&mutations);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// After `finalize`, nobody knows what was there before: what does not hold is a finding still.
#[test]
fn what_is_not_in_force_is_found_without_a_ledger() {
    let databases = Databases::create();
    databases.load(
        "create table house (id int primary key);
         create table people (id int primary key, house int);
         create table log (id int primary key);
         insert into house values (1); insert into people values (1, 1); insert into log values (7)",
        "create table house (id integer primary key);
         create table people (id integer primary key,
           house integer constraint lives references house);
         create table log (id integer primary key) partition by range (id);
         create table \"Log 1\" partition of log for values from (0) to (10);
         create table log_2 partition of log for values from (10) to (20);
         create function nothing() returns trigger language plpgsql as 'begin return null; end';
         create trigger seen after insert on people execute function nothing();",
    );
    let workplace = Workplace::new(&[("town", &databases, "")]);
    workplace.run(&["migrate"]).expect(0);
    workplace.run(&["finalize", "--yes"]).expect(0);
    let mut target = databases.postgres();
    for (change, undo, finds) in [
        (
            "alter table people add constraint young check (id < 9) not valid",
            "alter table people drop constraint young",
            &["constraint public.people.young"][..],
        ),
        (
            "alter table people drop constraint lives;
             alter table people add constraint lives foreign key (house) references house not valid",
            "alter table people validate constraint lives",
            &["constraint public.people.lives"],
        ),
        (
            "alter table people disable trigger all",
            "alter table people enable trigger all",
            &["constraint public.people.lives", "trigger public.people.seen"],
        ),
        (
            "alter table people disable trigger seen",
            "alter table people enable trigger seen",
            &["trigger public.people.seen"],
        ),
        (
            "alter table \"Log 1\" set unlogged",
            "alter table \"Log 1\" set logged",
            &["table public.\"Log 1\""],
        ),
        (
            "create index young on only log (id)",
            "drop index young",
            &["index public.young"],
        ),
        (
            "create index old on log_2 (id);
             update pg_index set indisvalid = false where indexrelid = 'old'::regclass",
            "drop index old",
            &["index public.old"],
        ),
        (
            "create schema elsewhere; create unlogged table elsewhere.log (id int)",
            "drop schema elsewhere cascade",
            &[],
        ),
    ] {
        target.batch_execute(change).unwrap();
        let code = if finds.is_empty() { 0 } else { 5 };
        let verified = workplace.run(&["verify", "--output", "json"]).expect(code);
        assert_eq!(findings(&verified.stdout), finds, "{change}");
        target.batch_execute(undo).unwrap();
    }
    workplace.run(&["verify"]).expect(0);
}
