//! A pair of databases for one test, made on real servers and dropped at its end.
//!
//! The commands under test log in with the documented privileges and no more; tests prepare and
//! look as the servers' administrators.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use catalog::quote;

/// The login that the commands under test have on both sides.
const LOGIN: &str = "converge";
/// The role that owns the target's databases and what is in them. It is a superuser, so that
/// tests may prepare and look at everything; its members inherit nothing of that.
const OWNER: &str = "test_owner";
/// It is worth nothing: the servers listen on this machine alone, and end with the tests.
const PASSWORD: &str = "documented";

/// A MySQL database and a PostgreSQL database of the same name.
pub struct Databases {
    name: String,
    mysql_url: String,
    postgres_url: String,
}

/// Tells apart the databases of one process.
static MADE: AtomicU32 = AtomicU32::new(0);

impl Databases {
    /// Makes both, empty.
    ///
    /// # Panics
    /// Where the servers are not named in the environment, or refuse.
    pub fn create() -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let databases = Self {
            name: format!("test_{}_{number}", std::process::id()),
            mysql_url: server("CONVERGE_TEST_MYSQL_URL"),
            postgres_url: server("CONVERGE_TEST_POSTGRES_URL"),
        };
        databases.drop_both();
        let mut mysql = databases.mysql_server();
        let name = quote::mysql(&databases.name);
        mysql
            .execute(&format!("create database {name} character set utf8mb4"))
            .expect("the test server makes databases");
        let account = account(LOGIN);
        mysql
            .execute(&format!(
                "create user if not exists {account} identified by '{PASSWORD}'"
            ))
            .expect("the test server makes users");
        let grants = source::login_grants(mysql.server(), &account, &[&databases.name]);
        for statement in grants.iter().flat_map(|grant| &grant.statements) {
            mysql
                .execute(statement)
                .expect("the documented grants are valid");
        }
        let mut postgres = databases.postgres_server();
        // Tests of other processes grant the same membership: the first two would collide. The
        // lock ends with the session.
        postgres
            .batch_execute("select pg_catalog.pg_advisory_lock(1)")
            .expect("the test server has locks");
        make_roles(&mut postgres);
        let name = quote::postgres(&databases.name);
        let mut statements = vec![format!("create database {name} owner {OWNER}")];
        let grants = target::role_grants(LOGIN, OWNER, &databases.name);
        statements.extend(grants.into_iter().map(|grant| grant.statement));
        for statement in statements {
            postgres
                .batch_execute(&statement)
                .expect("the documented grants are valid");
        }
        databases
    }

    /// The name of both.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the MySQL database is, for the login with the documented privileges.
    pub fn mysql_url(&self) -> String {
        self.mysql_url_as(LOGIN, PASSWORD)
    }

    /// The same for another login; both parts as they stand in a URL.
    pub fn mysql_url_as(&self, user: &str, password: &str) -> String {
        let url = self.mysql_admin_url();
        let (scheme, rest) = url.split_once("://").expect("a URL of ours");
        let (_, place) = rest.rsplit_once('@').expect("a URL with a login");
        format!("{scheme}://{user}:{password}@{place}")
    }

    /// The same for the server's administrator.
    pub fn mysql_admin_url(&self) -> String {
        format!("{}/{}", self.mysql_url.trim_end_matches('/'), self.name)
    }

    /// Where the PostgreSQL database is, for the login with the documented privileges.
    pub fn postgres_url(&self) -> String {
        self.postgres_url_as(LOGIN, PASSWORD)
    }

    /// The same for another login; both parts as they stand in a URL.
    pub fn postgres_url_as(&self, user: &str, password: &str) -> String {
        let url = self.postgres_admin_url();
        let (scheme, rest) = url.split_once("://").expect("a URL of ours");
        let (_, place) = rest.rsplit_once('@').expect("a URL with a login");
        format!("{scheme}://{user}:{password}@{place}")
    }

    /// The same for the server's superuser.
    pub fn postgres_admin_url(&self) -> String {
        let server = self
            .postgres_url
            .rsplit_once('/')
            .map_or("", |(server, _)| server);
        format!("{server}/{}", self.name)
    }

    /// A connection to the MySQL database as its server's administrator.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn mysql(&self) -> source::Connection {
        let endpoint = source::Endpoint::parse(&self.mysql_admin_url()).expect("a URL of ours");
        source::Connection::open(&endpoint).expect("the test server answers")
    }

    /// A connection to the PostgreSQL database as the owner of what is in it, with `public` as
    /// the place for bare names.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn postgres(&self) -> target::Connection {
        let url = self.postgres_admin_url();
        let endpoint = target::Endpoint::parse(&url).expect("a URL of ours");
        let mut connection = target::Connection::open(&endpoint).expect("the test server answers");
        connection
            .batch_execute(&format!("set search_path = public; set role {OWNER}"))
            .expect("settings of our own");
        connection
    }

    /// Runs a script on each.
    ///
    /// # Panics
    /// Where a server refuses it.
    pub fn load(&self, source_sql: &str, target_sql: &str) {
        self.mysql()
            .execute_script(source_sql)
            .expect("the source's script runs");
        self.postgres()
            .batch_execute(target_sql)
            .expect("the target's script runs");
    }

    fn mysql_server(&self) -> source::Connection {
        let endpoint = source::Endpoint::parse(&self.mysql_url).expect("a URL of ours");
        source::Connection::open(&endpoint).expect("the test server answers")
    }

    fn postgres_server(&self) -> target::Connection {
        let endpoint = target::Endpoint::parse(&self.postgres_url).expect("a URL of ours");
        target::Connection::open(&endpoint).expect("the test server answers")
    }

    fn drop_both(&self) {
        let name = quote::mysql(&self.name);
        // A server that went away has taken the databases with it.
        let mut mysql = self.mysql_server();
        let _ = mysql.execute(&format!("drop database if exists {name}"));
        // Privileges outlive their database.
        let _ = mysql.execute(&format!(
            "revoke all privileges on {name}.* from {}",
            account(LOGIN)
        ));
        let name = quote::postgres(&self.name);
        let _ = self
            .postgres_server()
            .batch_execute(&format!("drop database if exists {name} with (force)"));
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        self.drop_both();
    }
}

/// Makes the roles that all tests share, where they are not there yet.
fn make_roles(postgres: &mut target::Connection) {
    for role in [
        format!("{OWNER} superuser"),
        format!("{LOGIN} login password '{PASSWORD}'"),
    ] {
        let sql = format!(
            "do $$ begin create role {role}; exception when duplicate_object then null; end $$"
        );
        postgres
            .batch_execute(&sql)
            .expect("the test server makes roles");
    }
}

/// A user from any host, as SQL.
fn account(user: &str) -> String {
    format!("{}@'%'", quote::mysql_literal(user))
}

fn server(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run the tests with `cargo xtask test`, which starts servers")
    })
}

/// The root of the workspace.
///
/// # Panics
/// Never: this crate lies two levels below it.
pub fn workspace_root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("crates/");
    crates.parent().expect("the root").to_owned()
}
