//! Whether the login on the source sees every table and column that it is to move, and what it
//! lacks: what a login cannot see looks like what is not there.

use catalog::{ObjectKind, SourceCatalog};
use source::{GrantPurpose, Privileges};

use crate::config::Database;
use crate::exit::Failure;

/// Enough to see what is meant.
const TABLES_SHOWN: usize = 10;

/// Fails where tables or columns may be hidden from the login.
///
/// A login with `select` on the whole database sees all of its tables. With less it sees those
/// alone that it may use, which is enough where the configuration names them one by one.
pub(crate) fn check(database: &Database, source: &mut source::Connection) -> anyhow::Result<()> {
    let privileges = source.privileges()?;
    let name = database.source_name();
    if privileges.on_database("SELECT", name) {
        return Ok(());
    }
    let mut lacking = Vec::new();
    let tables = source.table_names(name)?;
    for table in tables.iter().filter(|table| database.takes(table)) {
        if !privileges.on_table("SELECT", name, table) {
            lacking.push(readable_part(&privileges, name, table));
        }
    }
    let message = if !lacking.is_empty() {
        let more = lacking.len().saturating_sub(TABLES_SHOWN);
        lacking.truncate(TABLES_SHOWN);
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "the login on source `{}` may not read: {}{more}",
            database.name,
            lacking.join("; ")
        )
    } else if database.include_tables.are_names() {
        return Ok(());
    } else {
        format!(
            "the login on source `{}` has no `select` on the whole database, so tables that it \
             cannot see may exist",
            database.name
        )
    };
    let account = source.account()?;
    let grants = source::login_grants(source.server(), &account, &[name]);
    let required = grants
        .into_iter()
        .filter(|grant| grant.purpose == GrantPurpose::Rows);
    let statements: Vec<String> = required.flat_map(|grant| grant.statements).collect();
    Err(Failure::blocked(message)
        .hint(format!(
            "let the source's administrator run: {}; or name the tables that this login may read \
             in databases.{}.include_tables",
            statements.join("; "),
            database.name
        ))
        .into())
}

/// What a login may read of a table that it may not read as a whole.
fn readable_part(privileges: &Privileges, database: &str, table: &str) -> String {
    let columns = privileges.on_columns("SELECT", database, table);
    let columns: Vec<&str> = columns.into_iter().collect();
    match columns.is_empty() {
        true => format!("table `{table}`"),
        false => format!(
            "table `{table}` but for columns `{}`, others are hidden",
            columns.join("`, `")
        ),
    }
}

/// What of a schema the login cannot see, as `doctor` says it, and what would show it.
pub(crate) fn schema_sight(catalog: &SourceCatalog, account: &str) -> (String, Option<String>) {
    if catalog.hidden.is_empty() {
        let seen = "tables, keys, checks, views, triggers, routines, events";
        return (seen.to_owned(), None);
    }
    let kinds: Vec<String> = catalog
        .hidden
        .iter()
        .map(|kind| format!("{}s", kind.label()))
        .collect();
    let detail = format!(
        "tables, keys, checks, views; not visible to this login: {}",
        kinds.join(", ")
    );
    let purpose_of = |kind: &ObjectKind| match kind {
        ObjectKind::Trigger | ObjectKind::Event => GrantPurpose::TriggersAndEvents,
        _ => GrantPurpose::Routines,
    };
    let wanted: Vec<GrantPurpose> = catalog.hidden.iter().map(purpose_of).collect();
    let grants = source::login_grants(&catalog.server, account, &[&catalog.schema]);
    let wanted = grants
        .into_iter()
        .filter(|grant| wanted.contains(&grant.purpose));
    let statements: Vec<String> = wanted.flat_map(|grant| grant.statements).collect();
    let hint = format!(
        "`baseline generate` cannot list these; to see them: {}",
        statements.join("; ")
    );
    (detail, Some(hint))
}
