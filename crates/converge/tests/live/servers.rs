//! What differs from server to server: settings and rights that would hide rows, columns or
//! characters, ways to log in, and what only some families and versions have.

use catalog::{KeyPart, ServerKind};
use testing::Databases;

use crate::support::Workplace;

/// Runs statements on the MySQL server and undoes them at the end, whatever happens.
pub(crate) struct ServerSetting<'d> {
    databases: &'d Databases,
    undo: &'static str,
}

impl<'d> ServerSetting<'d> {
    pub(crate) fn new(databases: &'d Databases, set: &str, undo: &'static str) -> Self {
        databases.mysql().execute(set).unwrap();
        Self { databases, undo }
    }
}

impl Drop for ServerSetting<'_> {
    fn drop(&mut self) {
        self.databases.mysql().execute(self.undo).unwrap();
    }
}

/// A user of the MySQL server, new to it, so that nothing about its password is cached there.
struct Login<'d> {
    databases: &'d Databases,
    user: String,
}

impl<'d> Login<'d> {
    /// Makes a user that may do nothing; a test tells its users apart by `number`.
    fn new(databases: &'d Databases, number: u32) -> Self {
        let name = databases.name().trim_start_matches("test_").to_owned();
        let login = Self {
            databases,
            user: format!("u{name}_{number}"),
        };
        let user = &login.user;
        databases
            .mysql()
            .execute(&format!("create user '{user}'@'%' identified by 'p'"))
            .unwrap();
        login
    }

    /// Grants it something, such as `select`, on all tables or on one.
    fn grant(&self, right: &str, table: &str) {
        let (name, user) = (self.databases.name(), &self.user);
        let sql = format!("grant {right} on `{name}`.{table} to '{user}'@'%'");
        self.databases.mysql().execute(&sql).unwrap();
    }

    fn url(&self, options: &str) -> String {
        self.databases.mysql_url_as(&self.user, "p") + options
    }

    fn connect(&self, options: &str) -> source::Connection {
        let endpoint = source::Endpoint::parse(&self.url(options)).unwrap();
        source::Connection::open(&endpoint).unwrap()
    }

    /// A workplace whose source is entered as this user.
    fn workplace(&self, options: &str) -> Workplace {
        let target = self.databases.postgres_url();
        Workplace::at(&[("one", self.url(options), target, "")])
    }
}

impl Drop for Login<'_> {
    fn drop(&mut self) {
        let sql = format!("drop user '{}'@'%'", self.user);
        self.databases.mysql().execute(&sql).unwrap();
    }
}

fn cell(rows: Vec<Vec<Option<String>>>, column: usize) -> Option<String> {
    rows.into_iter().next()?.into_iter().nth(column)?
}

#[test]
fn a_new_user_gets_in_with_and_without_tls() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key);",
        "create table t (id integer primary key)",
    );
    let mut mysql = databases.mysql();
    let kind = mysql.server().kind;
    // MySQL, which has no such variable any more, makes certificates of its own.
    let rows = mysql.query_text("show global variables like 'have_ssl'");
    let offered = cell(rows.unwrap(), 1).is_none_or(|answer| answer == "YES");
    for (number, mode) in [(1, "disabled"), (2, "required")] {
        let login = Login::new(&databases, number);
        login.grant("select", "*");
        let sql = format!(
            "select plugin from mysql.user where user = '{}'",
            login.user
        );
        let plugin = cell(mysql.query_text(&sql).unwrap(), 0).unwrap();
        let default = match kind {
            ServerKind::Mysql => "caching_sha2_password",
            _ => "mysql_native_password",
        };
        assert_eq!(plugin, default, "the test is about the family's own way");
        let options = format!("?ssl-mode={mode}");
        let doctor = login.workplace(&options).run(&["doctor"]);
        if mode == "required" && !offered {
            let doctor = doctor.expect(3);
            let said = "server does not have this capability";
            assert!(doctor.stdout.contains(said), "{}", doctor.text());
            continue;
        }
        doctor.expect(0);
        // It may not see the binary log, which takes nothing away but the log's position.
        login.workplace(&options).run(&["export"]).expect(0);
        let rows = login
            .connect(&options)
            .query_text("show session status like 'Ssl_cipher'");
        let cipher = cell(rows.unwrap(), 1).unwrap();
        assert_eq!(cipher.is_empty(), mode == "disabled", "{mode}: {cipher}");
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
    let outcome = workplace.run(&["export"]).expect(4);
    let said = "column `a`, row id 2: its bytes are no text of the column's character set";
    assert!(outcome.stderr.contains(said), "{}", outcome.text());
}

#[test]
fn databases_of_two_logins_are_said_to_be_of_two_moments() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key)",
        "create table t (id integer primary key); create schema other; \
         create table other.t (id integer primary key)",
    );
    let login = Login::new(&databases, 1);
    login.grant("select", "*");
    let (one, two) = (databases.mysql_url(), login.url(""));
    let workplace = Workplace::at(&[
        ("one", one, databases.postgres_url(), ""),
        (
            "two",
            two,
            databases.postgres_url(),
            "target_schema: other\nledger_schema: ledger",
        ),
    ]);
    let outcome = workplace.run(&["export"]).expect(0);
    let said = "2 points in time: the databases are on different servers or logins";
    assert!(outcome.stderr.contains(said), "{}", outcome.text());
    let entry = |name: &str| {
        let directory = workplace.run_directory().join(name).join("export");
        dataset::Manifest::read(&directory).unwrap().source
    };
    // Only the first may see the log, so only it has coordinates.
    assert!(entry("one").coordinates.is_some() && entry("two").coordinates.is_none());
}

#[test]
fn a_login_that_may_not_read_every_column_is_refused() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key, secret varchar(20));",
        "create table t (id integer primary key, secret text)",
    );
    let login = Login::new(&databases, 1);
    login.grant("select (id)", "t");
    let workplace = login.workplace("");
    workplace.run(&["doctor"]).expect(3);
    let export = workplace.run(&["export"]);
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
    // A table of another engine changes behind a snapshot's back.
    let mut mysql = databases.mysql();
    mysql
        .execute("create table loose (id int primary key) engine = myisam")
        .unwrap();
    databases
        .postgres()
        .batch_execute("create table loose (id integer primary key)")
        .unwrap();
    let outcome = workplace.run(&["export"]).expect(3);
    assert!(
        outcome.stderr.contains("loose (MyISAM)"),
        "{}",
        outcome.text()
    );
    mysql.execute("drop table loose").unwrap();
    databases
        .postgres()
        .batch_execute("drop table loose")
        .unwrap();
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

/// A table whose columns the two families describe in different words; its name is one that
/// MySQL 9.7 reserves.
const LIBRARY: &str = "create table `library` ( \
     id int(11) not null auto_increment primary key, \
     shelf smallint(5) unsigned default 7, \
     open tinyint(1) default 1, \
     price decimal(6,2) default '1.5', \
     flags bit(3) default b'101', \
     name varchar(20) not null default 'it''s', \
     word varchar(20) default 'current_timestamp', \
     size enum('s','l') default 'l', \
     details json, \
     code char(36) default (uuid()), \
     made datetime(6) default current_timestamp(6) on update current_timestamp(6), \
     seen timestamp null default current_timestamp, \
     twice int(11) as (shelf * 2) stored, \
     key by_name (name(5), shelf))";

#[test]
fn the_catalogue_is_the_same_from_every_server() {
    let databases = Databases::create();
    databases.load(LIBRARY, "select 1");
    let mut mysql = databases.mysql();
    let catalog = source::discover(&mut mysql, databases.name()).unwrap();
    let table = catalog.table("library").unwrap();
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let null = if column.nullable { "null" } else { "not null" };
            let default = column.default.as_deref().unwrap_or("-");
            let numbered = if column.auto_increment {
                " numbered"
            } else {
                ""
            };
            let generated = column.generated.as_ref().map_or("", |_| " generated");
            let (name, data_type) = (&column.name, &column.data_type);
            format!("{name} {data_type} {null} {default}{numbered}{generated}")
        })
        .collect();
    assert_eq!(
        columns,
        [
            "id int not null - numbered",
            "shelf smallint unsigned null 7",
            "open tinyint(1) null 1",
            "price decimal(6,2) null 1.50",
            "flags bit(3) null b'101'",
            "name varchar(20) not null 'it''s'",
            "word varchar(20) null 'current_timestamp'",
            "size enum('s','l') null 'l'",
            "details json null -",
            "code char(36) null uuid()",
            "made datetime(6) null current_timestamp(6)",
            "seen timestamp null current_timestamp()",
            "twice int null - generated",
        ]
    );
    let keys: Vec<_> = table
        .keys
        .iter()
        .map(|key| (&key.name[..], key.parts.len()))
        .collect();
    assert_eq!(keys, [("PRIMARY", 1), ("by_name", 2)]);
    let functional = "create index by_shout on `library` ((concat(name, '!')))";
    let made = mysql.execute(functional);
    let new_enough = mysql.server().kind == ServerKind::Mysql;
    assert_eq!(made.is_ok(), new_enough, "only MySQL has such keys");
    if made.is_ok() {
        let catalog = source::discover(&mut mysql, databases.name()).unwrap();
        let keys = &catalog.table("library").unwrap().keys;
        let expression = "concat(`name`, '!')";
        assert_eq!(keys[2].parts, [KeyPart::expression(expression)]);
    }
}

/// What the target's version allows of: a generated column that is not kept, a foreign key that
/// is not enforced. Before PostgreSQL 18: one that is kept, one that was never validated.
fn loose_table(version: u32) -> &'static str {
    match version {
        18.. => {
            "create table p (id integer primary key); \
             create table t (id integer primary key, n integer constraint n_is_there not null, \
                 twice integer generated always as (n * 2) virtual, p integer, \
                 constraint loose foreign key (p) references p not enforced); \
             comment on constraint n_is_there on t is 'it is'"
        }
        _ => {
            "create table p (id integer primary key); \
             create table t (id integer primary key, n integer not null, \
                 twice integer generated always as (n * 2) stored, p integer); \
             alter table t add constraint loose foreign key (p) references p not valid"
        }
    }
}

#[test]
fn what_a_target_does_not_keep_or_enforce_stays_so() {
    let databases = Databases::create();
    let mut postgres = databases.postgres();
    let version = postgres.server().number().major;
    databases.load(
        "create table p (id int primary key); \
         create table t (id int primary key, n int not null, twice int as (n * 2), p int); \
         insert into p values (1); \
         insert into t (id, n, p) values (1, 5, 1), (2, -6, 99);",
        loose_table(version),
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    workplace.run(&["rehearse"]).expect(0);
    let sql = "select string_agg(format('%s %s %s', id, twice, p), ', ' order by id) from t";
    let rows = postgres.query_text(sql).unwrap();
    assert_eq!(cell(rows, 0).as_deref(), Some("1 10 1, 2 -12 99"));
    let sql = "select convalidated::text from pg_constraint where conname = 'loose'";
    let rows = postgres.query_text(sql).unwrap();
    assert_eq!(cell(rows, 0).as_deref(), Some("false"));
}

#[test]
fn a_fingerprint_sees_what_becomes_of_a_not_null() {
    let databases = Databases::create();
    let mut postgres = databases.postgres();
    let version = postgres.server().number().major;
    databases.load("select 1", loose_table(version));
    let before = target::fingerprint(&mut postgres, "public").unwrap();
    let change = match version {
        18.. => "alter table t rename constraint n_is_there to n_was_there",
        _ => "alter table t alter column n drop not null",
    };
    postgres.batch_execute(change).unwrap();
    let after = target::fingerprint(&mut postgres, "public").unwrap();
    assert_eq!(before.differences(&after), ["column t.n"]);
    assert_eq!(before.len(), after.len());
}
