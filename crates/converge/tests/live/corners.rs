//! Targets and runs that are not the plain case: partitions, shared sequences, a run that is
//! taken up with another configuration.

use std::fs;

use testing::Databases;

use crate::support::Workplace;

const SOURCE: &str = "create table event (id int auto_increment, day date not null, note text, \
                                           primary key (id, day)); \
                      insert into event values (1, '2024-01-01', 'a'), (2, '2025-06-01', 'b'); \
                      create table label (id int auto_increment primary key); \
                      insert into label values (7); alter table label auto_increment = 90;";

const TARGET: &str = "create sequence numbers; \
    create table event (id integer not null default nextval('numbers'), day date not null, \
                        note text, primary key (id, day)) partition by range (day); \
    create table event_old partition of event for values from (minvalue) to ('2025-01-01'); \
    create table event_new partition of event for values from ('2025-01-01') to (maxvalue); \
    create table label (id integer primary key default nextval('numbers'));";

fn rows(databases: &Databases, sql: &str) -> String {
    let rows = databases.postgres().query_text(sql).unwrap();
    rows[0][0].clone().unwrap_or_default()
}

#[test]
fn a_partitioned_target_with_a_shared_sequence_goes_there_and_back() {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let old = "insert into event values (50, '2024-05-05', 'old'), (51, '2025-05-05', 'old')";
    databases.postgres().batch_execute(old).unwrap();
    let policy = "target_rows: {default: refuse, event: replace}";
    let workplace = Workplace::new(&[("one", &databases, policy)]);
    let before = target::fingerprint(&mut databases.postgres(), "public").unwrap();
    workplace.run(&["migrate"]).expect(0);
    assert_eq!(rows(&databases, "select count(*)::text from event"), "2");
    assert_eq!(
        rows(&databases, "select nextval('numbers')::text"),
        "90",
        "the higher number"
    );
    workplace.run(&["rollback"]).expect(0);
    let after = target::fingerprint(&mut databases.postgres(), "public").unwrap();
    assert_eq!(before.differences(&after), Vec::<String>::new());
}

#[test]
fn inherited_tables_are_a_blocker() {
    let databases = Databases::create();
    let source = "create table parent (id int primary key);";
    let target = "create table parent (id integer primary key); create schema other; \
                  create table other.child () inherits (parent);";
    databases.load(source, target);
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let outcome = workplace.run(&["doctor"]).expect(3);
    assert!(
        outcome.stdout.contains("inheritance: parent"),
        "{}",
        outcome.text()
    );
}

#[test]
fn a_run_does_not_go_on_with_other_databases() {
    let (first, second) = (Databases::create(), Databases::create());
    first.load(SOURCE, TARGET);
    second.load("select 1", TARGET);
    let workplace = Workplace::new(&[("one", &first, "")]);
    workplace.run(&["export"]).expect(0);
    workplace.run(&["transform"]).expect(0);
    let config = fs::read_to_string(workplace.path().join("config.yml")).unwrap();
    let target = |databases: &Databases| format!("target: {}", databases.postgres_url());
    workplace.write(
        "config.yml",
        &config.replace(&target(&first), &target(&second)),
    );
    let outcome = workplace.run(&["import"]).expect(3);
    assert!(
        outcome.stderr.contains("is of other databases"),
        "{}",
        outcome.text()
    );
    assert_eq!(rows(&second, "select count(*)::text from event"), "0");
    let begun = workplace.run_directory();
    // A comparison goes its own way: it needs no run.
    second.mysql().execute_script(SOURCE).unwrap();
    let compared = config.replace(first.name(), second.name());
    workplace.write("config.yml", &compared);
    let outcome = workplace.run(&["verify"]).expect(5);
    assert!(
        outcome.stdout.contains("missing    one.event"),
        "{}",
        outcome.text()
    );
    for entry in fs::read_dir(workplace.path().join("runs")).unwrap() {
        let path = entry.unwrap().path();
        if path != begun {
            fs::remove_dir_all(path).unwrap();
        }
    }
    workplace.write("config.yml", &config.replace("scratch", "staging"));
    let outcome = workplace.run(&["import"]).expect(3);
    assert!(
        outcome.stderr.contains("begun as scratch"),
        "{}",
        outcome.text()
    );
    workplace.write("config.yml", &format!("{config}    rules: []\n"));
    let outcome = workplace.run(&["import"]).expect(0);
    assert!(
        outcome
            .stderr
            .contains("note: the configuration has changed"),
        "{}",
        outcome.text()
    );
}

#[test]
fn databases_that_were_exported_apart_are_not_imported_together() {
    let (first, second) = (Databases::create(), Databases::create());
    for databases in [&first, &second] {
        databases.load(SOURCE, TARGET);
    }
    let workplace = Workplace::new(&[("one", &first, ""), ("two", &second, "")]);
    workplace.run(&["export", "--run", "run"]).expect(0);
    workplace
        .run(&["export", "--run", "run", "--database", "two"])
        .expect(0);
    let outcome = workplace.run(&["transform", "--run", "run"]).expect(3);
    assert!(
        outcome.stderr.contains("exported at different times"),
        "{}",
        outcome.text()
    );
    workplace.run(&["export", "--run", "run"]).expect(0);
    workplace.run(&["transform", "--run", "run"]).expect(0);
}

#[test]
fn names_that_differ_in_case_alone_stay_apart() {
    let databases = Databases::create();
    let source = "create table `A` (`x` int, `y` int, primary key (`y`, `x`)); \
                  create table `a` (`x` int primary key); \
                  insert into `A` values (1, 2); insert into `a` values (3), (4);";
    let target = "create table \"A\" (x integer, y integer, primary key (y, x)); \
                  create table a (x integer primary key);";
    databases.load(source, target);
    let workplace = Workplace::new(&[("one", &databases, "")]);
    workplace.run(&["migrate"]).expect(0);
    assert_eq!(rows(&databases, "select count(*)::text from a"), "2");
    assert_eq!(rows(&databases, "select count(*)::text from \"A\""), "1");
    let catalog = fs::read_to_string(workplace.run_directory().join("one/catalog.source.json"));
    let catalog: catalog::SourceCatalog = serde_json::from_str(&catalog.unwrap()).unwrap();
    assert_eq!(
        catalog.table("A").unwrap().primary_key_columns(),
        ["y", "x"]
    );
    assert_eq!(catalog.table("a").unwrap().columns.len(), 1);
}
