//! Logins on the source with fewer privileges than the documentation asks for: what they cannot
//! see is said, or stops the run, and is never taken for what is not there.

use std::fs;

use catalog::{ObjectKind, ServerKind, SourceCatalog};
use testing::Databases;

use crate::support::{Outcome, Workplace};

/// One of everything that a catalog has, and foreign keys with every action.
const SCHEMA: &str = "
    create table p (id int primary key auto_increment, k varchar(10) default 'x', unique (k));
    create table c (
        id int primary key, `a b` int, d int, e int not null, j json,
        g int generated always as (id + 1) stored, check (id > 0),
        constraint `odd ``name` foreign key (`a b`) references p (id)
            on delete cascade on update set null,
        constraint plain foreign key (d) references p (id),
        constraint restricted foreign key (e) references p (id) on delete restrict);
    create table divided (id int primary key) partition by hash (id) partitions 2;
    create view v as select id from p;
    create trigger t before insert on p for each row set new.k = 'y';
    create procedure r() select 1;
    create function f() returns int deterministic return 1;
    create event e on schedule every 1 year do select 1;";

const TWO_TABLES: &str = "create table a (id int primary key, s varchar(9)); \
                          create table b (id int primary key); \
                          insert into a values (1, 'x'); insert into b values (1);";
const TWO_TARGETS: &str = "create table a (id integer primary key, s varchar(9)); \
                           create table b (id integer primary key)";

/// A user of the test's own with some grants, dropped at its end.
struct Login<'d> {
    databases: &'d Databases,
    name: String,
}

impl<'d> Login<'d> {
    /// `DATABASE` in a grant stands for the test's.
    fn with(databases: &'d Databases, number: usize, grants: &[&str]) -> Self {
        let login = Self {
            databases,
            name: format!("l{number}_{}", databases.name()),
        };
        let name = &login.name;
        let mut mysql = databases.mysql();
        mysql
            .execute(&format!("create user {name} identified by 'p'"))
            .unwrap();
        for grant in grants {
            let grant = grant.replace("DATABASE", databases.name());
            mysql.execute(&format!("grant {grant} to {name}")).unwrap();
        }
        login
    }

    fn url(&self) -> String {
        self.databases.mysql_url_as(&self.name, "p")
    }

    fn workplace(&self, lines: &str) -> Workplace {
        let target = self.databases.postgres_url();
        Workplace::at(&[("shop", self.url(), target, lines)])
    }

    fn catalog(&self) -> SourceCatalog {
        catalog(self.databases, &self.url())
    }
}

impl Drop for Login<'_> {
    fn drop(&mut self) {
        let drop = format!("drop user {}", self.name);
        self.databases.mysql().execute(&drop).unwrap();
    }
}

fn catalog(databases: &Databases, url: &str) -> SourceCatalog {
    let endpoint = source::Endpoint::parse(url).unwrap();
    let mut connection = source::Connection::open(&endpoint).unwrap();
    source::discover(&mut connection, databases.name()).unwrap()
}

fn hint(outcome: &Outcome) -> &str {
    let mut lines = outcome.stdout.lines().chain(outcome.stderr.lines());
    lines.find(|line| line.starts_with("hint: ")).unwrap()
}

#[test]
fn the_documented_login_sees_what_the_administrator_sees() {
    let databases = Databases::create();
    databases.load(SCHEMA, "select 1");
    let all = catalog(&databases, &databases.mysql_admin_url());
    assert_eq!(all.others.len(), 5, "{:?}", all.others);
    assert_eq!(catalog(&databases, &databases.mysql_url()), all);
    assert_eq!(all.hidden, []);
}

#[test]
fn a_login_that_may_only_read_sees_the_same_tables_and_says_what_it_cannot_see() {
    let databases = Databases::create();
    databases.load(SCHEMA, "select 1");
    let all = catalog(&databases, &databases.mysql_admin_url());
    let actions: Vec<String> = all.tables[0]
        .foreign_keys
        .iter()
        .map(|key| format!("{}: {}, {}", key.name, key.on_delete, key.on_update))
        .collect();
    assert_eq!(
        actions,
        [
            "odd `name: CASCADE, SET NULL",
            "plain: NO ACTION, NO ACTION",
            "restricted: NO ACTION, NO ACTION"
        ]
    );
    let login = Login::with(&databases, 1, &["select on DATABASE.*"]);
    let seen = login.catalog();
    assert_eq!(seen.tables, all.tables);
    let others: Vec<ObjectKind> = seen.others.iter().map(|other| other.kind).collect();
    assert_eq!(others, [ObjectKind::View]);
    let hidden = [
        ObjectKind::Trigger,
        ObjectKind::Procedure,
        ObjectKind::Function,
        ObjectKind::Event,
    ];
    assert_eq!(seen.hidden, hidden);

    let workplace = login.workplace("schema_owner: converge");
    workplace
        .run(&["baseline", "generate", "--out", "baseline"])
        .expect(0);
    let file =
        |name: &str| fs::read_to_string(workplace.path().join("baseline/shop").join(name)).unwrap();
    let post_data = file("post_data.sql");
    assert!(post_data.contains("on delete cascade"), "{post_data}");
    let pre_data = file("pre_data.sql");
    for kind in ["triggers", "procedures", "functions", "events"] {
        let note = format!("{kind}, if there are any");
        assert!(pre_data.contains(&note), "{pre_data}");
    }
}

#[test]
fn doctor_proposes_the_grants_that_show_the_whole_schema_and_they_do() {
    let databases = Databases::create();
    databases.load(
        "create table p (id int primary key); \
         create trigger t before insert on p for each row set new.id = 1; \
         create procedure r() select 1;",
        "create table p (id integer primary key)",
    );
    let login = Login::with(&databases, 1, &["select on DATABASE.*"]);
    let workplace = login.workplace("");
    let outcome = workplace.run(&["doctor"]).expect(0);
    let words: Vec<&str> = outcome.stdout.split_whitespace().collect();
    let text = words.join(" ");
    assert!(
        text.contains("not visible to this login: triggers, procedures, functions, events"),
        "{text}"
    );
    let mut mysql = databases.mysql();
    let (_, statements) = hint(&outcome).split_once("to see them: ").unwrap();
    for statement in statements.split("; ") {
        mysql.execute(statement).unwrap();
    }
    assert_eq!(
        login.catalog(),
        catalog(&databases, &databases.mysql_admin_url())
    );
    let text = workplace.run(&["doctor"]).expect(0).stdout;
    assert!(!text.contains("not visible"), "{text}");
}

#[test]
fn tables_that_may_be_hidden_stop_every_command_unless_those_to_move_are_named() {
    let databases = Databases::create();
    databases.load(TWO_TABLES, TWO_TARGETS);
    let login = Login::with(&databases, 1, &["select on DATABASE.a"]);
    let hidden = login.workplace("exclude_tables: [b]");
    let commands: [&[&str]; 6] = [
        &["doctor"],
        &["assess"],
        &["export"],
        &["migrate"],
        &["baseline", "generate", "--out", "b"],
        &["rehearse"],
    ];
    for command in commands {
        let outcome = hidden.run(command).expect(3);
        let text = outcome.text();
        assert!(
            text.contains("tables that it cannot see may exist"),
            "{text}"
        );
    }
    let some = login.workplace("include_tables: ['a*']\nexclude_tables: [b]");
    let outcome = some.run(&["doctor"]).expect(3);
    let statement = hint(&outcome).split_once("run: ").unwrap().1;
    let (statement, _) = statement.split_once("; or ").unwrap();

    let named = login.workplace("include_tables: [a]");
    let outcome = named.run(&["migrate"]).expect(0);
    assert!(
        outcome.stdout.contains("verdict: equal"),
        "{}",
        outcome.text()
    );
    named.run(&["verify"]).expect(0);
    named.run(&["rollback"]).expect(0);

    databases.mysql().execute(statement).unwrap();
    some.run(&["doctor"]).expect(0);
}

#[test]
fn a_login_for_some_columns_is_told_which() {
    let databases = Databases::create();
    databases.load(TWO_TABLES, TWO_TARGETS);
    let grants = ["select (id) on DATABASE.a", "select on DATABASE.b"];
    let login = Login::with(&databases, 1, &grants);
    let workplace = login.workplace("include_tables: [a, b]");
    for command in ["doctor", "export", "migrate"] {
        let text = workplace.run(&[command]).expect(3).text();
        assert!(
            text.contains("may not read: table `a` but for columns `id`, others are hidden"),
            "{text}"
        );
    }
}

#[test]
fn privileges_of_an_active_role_count_as_the_logins_own() {
    let databases = Databases::create();
    databases.load(TWO_TABLES, TWO_TARGETS);
    let login = Login::with(&databases, 1, &[]);
    let (role, user) = (format!("r_{}", databases.name()), &login.name);
    let mut mysql = databases.mysql();
    let for_user = match mysql.server().kind {
        ServerKind::Mariadb => format!("set default role {role} for {user}"),
        _ => format!("set default role {role} to {user}"),
    };
    for sql in [
        format!("create role {role}"),
        format!("grant select on {}.* to {role}", databases.name()),
        format!("grant {role} to {user}"),
    ] {
        mysql.execute(&sql).unwrap();
    }
    let workplace = login.workplace("");
    // Granted, but not active.
    workplace.run(&["export"]).expect(3);
    mysql.execute(&for_user).unwrap();
    workplace.run(&["migrate"]).expect(0);
    mysql.execute(&format!("drop role {role}")).unwrap();
}

#[test]
fn only_the_tables_that_are_included_are_moved() {
    let databases = Databases::create();
    databases.load(
        "create table keep_a (id int primary key); create table keep_b (id int primary key); \
         create table other (id int primary key); insert into keep_a values (1), (2);",
        "create table keep_a (id integer primary key); \
         create table keep_b (id integer primary key); create table mine (id integer primary key)",
    );
    let moves = |lines: &str| Workplace::new(&[("shop", &databases, lines)]);
    let workplace = moves("include_tables: ['keep_*']");
    let outcome = workplace.run(&["migrate"]).expect(0);
    assert!(
        outcome.stdout.contains("verdict: equal"),
        "{}",
        outcome.text()
    );
    workplace.run(&["rollback"]).expect(0);
    let both = moves("include_tables: ['keep_*']\nexclude_tables: [keep_a]");
    both.run(&["migrate"]).expect(0);
    let mut postgres = databases.postgres();
    let rows = postgres.query_text("select count(*) from keep_a").unwrap();
    assert_eq!(rows, [[Some("0".to_owned())]]);
    both.run(&["rollback"]).expect(0);
    let misspelt = moves("include_tables: ['keep_*', 'kept_*']");
    let outcome = misspelt.run(&["doctor"]);
    assert!(
        outcome.text().contains("include_tables: kept_*"),
        "{}",
        outcome.text()
    );
    misspelt.run(&["migrate"]).expect(2);
}
