//! Whether the ledger can be trusted: it decides what a rollback does, so no other role may have
//! made it, write to it, or attach triggers and the like to it.

use postgres::GenericClient;

use catalog::quote;

use crate::error::{Doing, Error, Kind};

/// How many reasons a message has room for.
const SHOWN: usize = 4;

/// The names of the tables in the ledger's schema, or `None` if there is no such schema; fails if
/// another role made the schema or one of its tables, or can change them.
///
/// What it finds is of one moment. A schema that is trusted cannot be renamed or replaced by another
/// role afterwards; one that is not there may appear at any time, so that its tables must not be
/// asked for without another look.
///
/// # Errors
/// Where it cannot be trusted, with the reasons, or where the server refuses.
pub(crate) fn look(
    client: &mut impl GenericClient,
    ledger: &str,
) -> Result<Option<Vec<String>>, Error> {
    let doing = || format!("looking at who owns the ledger in schema `{ledger}`");
    let sql = include_str!("../sql/ledger_trust.sql");
    let Some(row) = client.query_opt(sql, &[&ledger]).doing(doing)? else {
        return Ok(None);
    };
    let mut reasons: Vec<String> = row.get(1);
    if reasons.is_empty() {
        return Ok(Some(row.get(0)));
    }
    let more = reasons.len().saturating_sub(SHOWN);
    reasons.truncate(SHOWN);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    let kind = Kind::Untrusted {
        reasons: reasons.join("; "),
        // Whatever else is wrong matters more than how its tables look.
        is_other_version: row.get(2),
    };
    Err(Error::new(kind, doing()))
}

/// Takes away what default privileges gave others on the ledger's schema and its tables, which
/// keep rows of the application.
pub(crate) fn keep_private(client: &mut impl GenericClient, ledger: &str) -> Result<(), Error> {
    let doing = || format!("keeping schema `{ledger}` private");
    let sql = include_str!("../sql/ledger_grantees.sql");
    for row in client.query(sql, &[&ledger]).doing(doing)? {
        let (table, role): (Option<String>, Option<String>) = (row.get(0), row.get(1));
        let on = match table {
            Some(table) => format!("table {}", quote::postgres_qualified(ledger, &table)),
            None => format!("schema {}", quote::postgres(ledger)),
        };
        let from = role.map_or("public".to_owned(), |role| quote::postgres(&role));
        let sql = format!("revoke all on {on} from {from}");
        client.execute(&sql, &[]).doing(doing)?;
    }
    Ok(())
}
