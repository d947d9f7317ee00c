//! Whether the ledger can be trusted: it decides what a rollback does, so no other role may have
//! made it, write to it, or attach triggers and the like to it.

use postgres::GenericClient;

use catalog::quote;

use crate::error::{Doing, Error, Kind};

/// How many reasons a message has room for.
const SHOWN: usize = 4;

/// Fails if another role made the ledger's schema or one of its tables, or can change them. Nothing
/// is read from it before.
///
/// # Errors
/// Where that is so, with what it is, or where the server refuses.
pub(crate) fn check(client: &mut impl GenericClient, ledger: &str) -> Result<(), Error> {
    let doing = || format!("looking at who owns the ledger in schema `{ledger}`");
    let sql = include_str!("../sql/ledger_trust.sql");
    let rows = client.query(sql, &[&ledger]).doing(doing)?;
    let mut reasons: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if reasons.is_empty() {
        return Ok(());
    }
    let more = reasons.len().saturating_sub(SHOWN);
    reasons.truncate(SHOWN);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    let kind = Kind::Untrusted {
        reasons: reasons.join("; "),
        // Whatever else is wrong matters more than how its tables look.
        is_other_version: rows.iter().all(|row| row.get(1)),
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
