//! The privileges that this tool asks of a login on the source, as statements.
//!
//! The only place where they stand: documentation, hints and the logins of the tests are made
//! from it. What a login has is read in `privileges.rs`.

use catalog::{Server, ServerKind, quote};

use crate::dialect::Dialect;

/// What a grant is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantPurpose {
    /// Reading rows: nothing works without it.
    Rows,
    /// The position of the binary log.
    BinaryLog,
    /// A lock of the whole server, for a consistent snapshot on several connections.
    ServerLock,
    /// Locks of the tables, for the same.
    TableLocks,
    /// The sessions of others.
    Sessions,
    /// Triggers and events.
    TriggersAndEvents,
    /// Procedures and functions.
    Routines,
    /// A lock that keeps the schema as it is.
    SchemaLock,
    /// The content of the binary log.
    BinaryLogEvents,
}

impl GrantPurpose {
    /// The purpose as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Rows => "Required: all rows are read, and every table is known to be seen.",
            Self::BinaryLog => {
                "Recommended: records the position of the binary log, resumes an interrupted \
                 export, and lets `migrate --final` know whether the source stood still."
            }
            Self::ServerLock => {
                "Recommended, this or the next: several connections read one consistent snapshot."
            }
            Self::TableLocks => "The same, by locks of the tables.",
            Self::Sessions => "Recommended: shows who holds a lock that is waited for.",
            Self::TriggersAndEvents => {
                "Recommended for `baseline generate`: lists triggers and events, which it does \
                 not translate."
            }
            Self::Routines => {
                "Recommended for `baseline generate`: lists procedures and functions, which it \
                 does not translate."
            }
            Self::SchemaLock => "Recommended: nobody changes the schema during an export.",
            Self::BinaryLogEvents => {
                "Only without GTIDs: a new file of the binary log (a restart, `flush logs`) does \
                 not count as a write."
            }
        }
    }
}

/// One thing that a login can be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginGrant {
    /// What it is good for.
    pub purpose: GrantPurpose,
    /// One statement for each database, or one for the server.
    pub statements: Vec<String>,
}

/// What a login for some databases should be granted on a server, the necessary first.
///
/// `account` is its name as SQL, such as `'converge'@'%'`.
pub fn login_grants(server: &Server, account: &str, databases: &[&str]) -> Vec<LoginGrant> {
    let on_each = |privileges: &str| {
        let statement = |database: &&str| {
            let name = quote::mysql(database);
            format!("grant {privileges} on {name}.* to {account}")
        };
        databases.iter().map(statement).collect::<Vec<_>>()
    };
    let once =
        |privileges: &str, on: &str| vec![format!("grant {privileges} on {on} to {account}")];
    let dialect = Dialect::of(server);
    let (routines, on_server) = dialect.routine_privilege();
    let log = match server.kind {
        ServerKind::Mariadb => "binlog monitor, slave monitor",
        _ => "replication client",
    };
    let routines = match on_server {
        Some(place) => once(routines, place),
        None => on_each(routines),
    };
    let mut grants = vec![
        (GrantPurpose::Rows, on_each("select")),
        (GrantPurpose::BinaryLog, once(log, "*.*")),
        (GrantPurpose::ServerLock, once("reload", "*.*")),
        (GrantPurpose::TableLocks, on_each("lock tables")),
        (GrantPurpose::Sessions, once("process", "*.*")),
        (GrantPurpose::TriggersAndEvents, on_each("trigger, event")),
        (GrantPurpose::Routines, routines),
    ];
    if dialect.backup_lock().is_some() {
        grants.push((GrantPurpose::SchemaLock, once("backup_admin", "*.*")));
        grants.push((
            GrantPurpose::BinaryLogEvents,
            once("replication slave", "*.*"),
        ));
    }
    let grants = grants.into_iter().map(|(purpose, statements)| LoginGrant {
        purpose,
        statements,
    });
    grants.collect()
}

/// The statements for the login on the source, family by family, for documentation.
pub fn login_grants_document() -> String {
    let families = [
        ("MySQL", ServerKind::Mysql, "8.0.20"),
        ("MariaDB 11.3 and newer", ServerKind::Mariadb, "11.3.0"),
        ("MariaDB 10.6 to 11.2", ServerKind::Mariadb, "10.6.0"),
    ];
    let mut text = String::new();
    for (title, kind, version) in families {
        let server = Server {
            kind,
            version: version.to_owned(),
        };
        text.push_str(&format!("\n{title}:\n\n```sql\n"));
        text.push_str("create user 'converge'@'%' identified by '…';\n");
        for grant in login_grants(&server, "'converge'@'%'", &["alkemio", "kratos"]) {
            text.push_str(&format!("-- {}\n", grant.purpose.sentence()));
            for statement in grant.statements {
                text.push_str(&format!("{statement};\n"));
            }
        }
        text.push_str("```\n");
    }
    text
}
