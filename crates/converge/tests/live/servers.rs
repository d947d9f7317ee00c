//! Servers whose settings and rights would hide rows, columns or characters.

use testing::Databases;

use crate::support::Workplace;

/// Runs statements on the MySQL server and undoes them at the end, whatever happens.
struct ServerSetting<'d> {
    databases: &'d Databases,
    undo: &'static str,
}

impl<'d> ServerSetting<'d> {
    fn new(databases: &'d Databases, set: &str, undo: &'static str) -> Self {
        databases.mysql().execute(set).unwrap();
        Self { databases, undo }
    }
}

impl Drop for ServerSetting<'_> {
    fn drop(&mut self) {
        self.databases.mysql().execute(self.undo).unwrap();
    }
}

#[test]
fn a_select_limit_of_the_server_does_not_cut_tables() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key); insert into t values (1), (2), (3);",
        "create table t (id integer primary key)",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let limit = "set global sql_select_limit = 2";
    let _set = ServerSetting::new(&databases, limit, "set global sql_select_limit = default");
    workplace.run(&["migrate"]).expect(0);
    let rows = databases
        .postgres()
        .query_text("select count(*)::text from t")
        .unwrap();
    assert_eq!(rows, [[Some("3".to_owned())]]);
}

#[test]
fn a_character_that_unicode_lacks_stops_the_export() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key, a varchar(20) character set cp1251); \
         insert into t values (1, _cp1251 0xE4); ",
        "create table t (id integer primary key, a text)",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    workplace.run(&["migrate"]).expect(0);
    let rows = databases.postgres().query_text("select a from t").unwrap();
    assert_eq!(rows, [[Some("д".to_owned())]]);
    workplace.run(&["rollback"]).expect(0);
    databases
        .mysql()
        .execute("insert into t values (2, _cp1251 0x98)")
        .unwrap();
    let outcome = workplace.run(&["export"]).expect(1);
    assert!(
        outcome.stderr.contains("the server warned"),
        "{}",
        outcome.text()
    );
}

#[test]
fn a_login_that_may_not_read_every_column_is_refused() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key, secret varchar(20));",
        "create table t (id integer primary key, secret text)",
    );
    let name = databases.name();
    let user = format!("u{}", name.trim_start_matches("test_"));
    let mut mysql = databases.mysql();
    mysql
        .execute(&format!("create user '{user}'@'%' identified by 'p'"))
        .unwrap();
    mysql
        .execute(&format!("grant select (id) on `{name}`.t to '{user}'@'%'"))
        .unwrap();
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let config = std::fs::read_to_string(workplace.path().join("config.yml")).unwrap();
    workplace.write(
        "config.yml",
        &config.replace("root:toor@", &format!("{user}:p@")),
    );
    let doctor = workplace.run(&["doctor"]);
    let export = workplace.run(&["export"]);
    mysql.execute(&format!("drop user '{user}'@'%'")).unwrap();
    doctor.expect(3);
    assert_ne!(export.code, 0, "{}", export.text());
}

#[test]
fn system_versioned_tables_and_empty_databases_are_refused() {
    let databases = Databases::create();
    databases.load("select 1", "select 1");
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let outcome = workplace.run(&["migrate"]).expect(3);
    assert!(
        outcome.stderr.contains("has no table"),
        "{}",
        outcome.text()
    );
    let versioned = "create table t (id int primary key) with system versioning";
    if databases.mysql().execute(versioned).is_err() {
        // MySQL has no such tables.
        return;
    }
    databases
        .postgres()
        .batch_execute("create table t (id integer primary key)")
        .unwrap();
    let outcome = workplace.run(&["export"]).expect(3);
    assert!(
        outcome.stderr.contains("t (system versioned)"),
        "{}",
        outcome.text()
    );
}

#[test]
fn zerofill_is_display_and_triggers_of_partitions_stay_off() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int(6) zerofill primary key, n int(4) zerofill, d decimal(6,2) zerofill); \
         insert into t values (42, 7, 1.5), (0, 0, 0.05);",
        "create table t (id integer, n text, d numeric(6,2)) partition by list (id); \
         create table t_all partition of t default; \
         create function bend() returns trigger language plpgsql as \
             $$ begin new.n := 'bent'; return new; end $$; \
         create trigger bend before insert on t_all for each row execute function bend()",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    workplace.run(&["migrate"]).expect(0);
    let sql = "select string_agg(id || ' ' || n || ' ' || d, ', ' order by id) from t";
    let rows = databases.postgres().query_text(sql).unwrap();
    assert_eq!(rows, [[Some("0 0 0.05, 42 7 1.50".to_owned())]]);
}

#[test]
fn a_value_that_the_target_refuses_is_not_shown() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key, note text); insert into t values (1, 'topsecret');",
        "create function never(text) returns boolean language plpgsql as \
             $$ begin raise exception 'not this: %', $1; end $$; \
         create table t (id integer primary key, note text check (public.never(note)))",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let outcome = workplace.run(&["migrate"]).expect(4);
    assert!(!outcome.text().contains("topsecret"), "{}", outcome.text());
    let run = std::fs::read_to_string(workplace.run_directory().join("run.json")).unwrap();
    assert!(!run.contains("topsecret"), "{run}");
}
