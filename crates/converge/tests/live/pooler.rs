//! A pooler before the target: PgBouncer, which `cargo xtask test` has or fetches.

use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use testing::Databases;

use crate::support::{Workplace, wait_for};

/// A pooler in front of the test server, ended with the test.
struct Pooler {
    process: Child,
    port: u16,
    /// Its configuration.
    _directory: TempDir,
}

impl Pooler {
    fn up(databases: &Databases, pool_mode: &str) -> Self {
        let program = std::env::var_os("CONVERGE_TEST_PGBOUNCER")
            .expect("no pgbouncer: let `cargo xtask test` run this test by its name");
        let url = databases.postgres_url();
        let (account, place) = parts(&url);
        let (user, password) = account.split_once(':').unwrap();
        let (host, rest) = place.split_once(':').unwrap();
        let (port, _) = rest.split_once('/').unwrap();
        let directory = TempDir::new().unwrap();
        let users = directory.path().join("users");
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let own_port = free.local_addr().unwrap().port();
        drop(free);
        // It does not run as root.
        let config = format!(
            "[databases]\n* = host={host} port={port}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {own_port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {pool_mode}\n\
             user = nobody\n",
            users.display()
        );
        let file = directory.path().join("pgbouncer.ini");
        fs::write(&users, format!("\"{user}\" \"{password}\"\n")).unwrap();
        fs::write(&file, config).unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(program);
        command.arg(&file).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        wait_for("the pooler listens", || {
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {ended:?}");
            TcpStream::connect(("127.0.0.1", own_port)).ok()
        });
        Self {
            process,
            port: own_port,
            _directory: directory,
        }
    }

    /// The target behind it.
    fn url(&self, databases: &Databases) -> String {
        let url = databases.postgres_url();
        let (account, place) = parts(&url);
        let (_, database) = place.split_once('/').unwrap();
        format!("postgres://{account}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// User and password, and what is behind them.
fn parts(url: &str) -> (&str, &str) {
    let (_, rest) = url.split_once("://").unwrap();
    rest.split_once('@').unwrap()
}

#[test]
fn a_pool_of_transactions_is_refused_and_one_of_sessions_is_used() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int auto_increment primary key, a text); \
         insert into t (a) values ('x'), (null)",
        "create table t (id serial primary key, a text)",
    );
    let behind = |pooler: &Pooler| {
        let (source, target) = (databases.mysql_url(), pooler.url(&databases));
        Workplace::at(&[("shop", source, target, "")])
    };
    let ledger = || {
        let sql = "select to_regnamespace('converge')::text, (select count(*)::text from t)";
        databases.postgres().query_text(sql).unwrap().remove(0)
    };
    let nothing = [None, Some("0".to_owned())];

    let transactions = Pooler::up(&databases, "transaction");
    let workplace = behind(&transactions);
    let refused = workplace.run(&["migrate", "--skip-assess"]).expect(3);
    let why = "target `shop` is reached through a pooler that shares sessions between transactions";
    assert!(refused.stderr.contains(why), "{}", refused.text());
    assert_eq!(ledger(), nothing);

    let sessions = Pooler::up(&databases, "session");
    let workplace = behind(&sessions);
    let moved = workplace.run(&["migrate"]).expect(0);
    assert!(moved.stdout.contains("verdict: equal"), "{}", moved.text());
    workplace.run(&["rollback"]).expect(0);
    assert_eq!(ledger(), nothing);
}
