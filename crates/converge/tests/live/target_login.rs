//! Logins that the target refuses, and limits of connections on both sides: known before anything
//! is changed, with the server's reason and what to check.

use testing::Databases;

use crate::support::{Role, Workplace};

const TABLE: &str = "create table t (id int primary key)";

fn one_table() -> Databases {
    let databases = Databases::create();
    databases.load(&format!("{TABLE}; insert into t values (1), (2)"), TABLE);
    databases
}

#[test]
fn a_login_that_the_target_refuses_comes_with_its_reason_and_what_to_check() {
    let databases = one_table();
    let closed = Databases::create();
    let role = Role::new(&databases, "role", "login password 'p'");
    let sleeper = Role::new(&databases, "sleeper", "password 'p'");
    let name = closed.name();
    let sql = format!("revoke connect on database {name} from public");
    closed.postgres().batch_execute(&sql).unwrap();
    let url = databases.postgres_url();
    let server = url.rsplit_once('@').unwrap().1;
    let login = |login: &str, server: &str| format!("postgres://{login}@{server}");
    let known = format!("{}:p", role.name());
    let cases = [
        (
            login(&format!("{}:pass-word", role.name()), server),
            "password authentication failed for user",
            "check user and password in databases.shop.target",
        ),
        (
            login(role.name(), server),
            "password missing",
            "name the password of role",
        ),
        (
            login(&known, &server.replace(databases.name(), "missing")),
            "database \"missing\" does not exist",
            "create database \"missing\" encoding 'UTF8' template template0",
        ),
        (
            sleeper.url(&databases),
            "is not permitted to log in",
            "login`, and in pg_hba.conf a line",
        ),
        (
            role.url(&closed),
            "permission denied for database",
            "grant connect on database",
        ),
        (
            login(&known, &format!("{server}?sslmode=require")),
            "server does not support TLS",
            "check sslmode and sslrootcert in databases.shop.target",
        ),
    ];
    for (target, reason, hint) in cases {
        let workplace = Workplace::at(&[("shop", databases.mysql_url(), target, "")]);
        for command in [&["doctor"][..], &["migrate"], &["baseline", "check"]] {
            let outcome = workplace.run(command).expect(3);
            for part in [reason, hint] {
                assert!(outcome.text().contains(part), "{part}: {}", outcome.text());
            }
            assert!(!outcome.text().contains("pass-word"), "{}", outcome.text());
        }
    }
}

#[test]
fn too_few_connections_on_the_target_are_known_before_anything_is_changed() {
    let databases = one_table();
    let role = Role::new(&databases, "role", "login password 'p'");
    let (name, database) = (role.name(), databases.name());
    let sql =
        format!("alter table t owner to {name}; grant create on database {database} to {name}");
    databases.postgres().batch_execute(&sql).unwrap();
    let url = role.url(&databases);
    let workplace = Workplace::at(&[("shop", databases.mysql_url(), url, "")]);
    for limit in [
        format!("role {name} connection limit 3"),
        format!("database {database} connection limit 3"),
    ] {
        let set = format!("alter {limit}");
        databases.postgres().batch_execute(&set).unwrap();
        for command in ["doctor", "migrate"] {
            let outcome = workplace.run(&[command, "--jobs", "8"]).expect(3);
            let text = outcome.text();
            assert!(text.contains("no room for 10 connections"), "{text}");
            assert!(text.contains("is 3, 0 used by others"), "{text}");
            assert!(text.contains("run with --jobs 1, or raise"), "{text}");
        }
        workplace.run(&["doctor", "--jobs", "1"]).expect(0);
        workplace.run(&["migrate", "--jobs", "1"]).expect(0);
        workplace.run(&["rollback"]).expect(0);
        let unset = set.replace("limit 3", "limit -1");
        databases.postgres().batch_execute(&unset).unwrap();
    }
}

#[test]
fn too_few_connections_on_the_source_are_known_before_anything_is_changed() {
    let databases = one_table();
    let (name, mut mysql) = (databases.name(), databases.mysql());
    let user = format!("few_{name}");
    for sql in [
        format!("create user {user} identified by 'p' with max_user_connections 5"),
        format!("grant select, lock tables on `{name}`.* to {user}"),
    ] {
        mysql.execute(&sql).unwrap();
    }
    let source = databases.mysql_url_as(&user, "p");
    let workplace = Workplace::at(&[("shop", source, databases.postgres_url(), "")]);
    for command in ["doctor", "migrate"] {
        let outcome = workplace.run(&[command, "--jobs", "8"]).expect(3);
        let text = outcome.text();
        assert!(text.contains("no room for 12 connections"), "{text}");
        assert!(text.contains("max_user_connections is 5"), "{text}");
    }
    workplace.run(&["migrate", "--jobs", "1"]).expect(0);
    mysql.execute(&format!("drop user {user}")).unwrap();
}
