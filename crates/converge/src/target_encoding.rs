//! Whether the target's database can hold every character.
//!
//! Only UTF8 does: in any other encoding a character of the source may have no place, which would
//! show in the middle of a load; in SQL_ASCII the server checks and converts nothing.

use catalog::quote;
use target::Connection;

use crate::config::Database;
use crate::exit::Failure;

/// Fails where the target's database is not in UTF8; else says its encoding.
pub(crate) fn check(database: &Database, target: &mut Connection) -> anyhow::Result<String> {
    let encoding = target.encoding()?;
    if encoding == "UTF8" {
        return Ok(format!("{encoding} in the target"));
    }
    let endpoint = target.endpoint();
    let place = endpoint.database().unwrap_or(endpoint.user());
    let other = quote::postgres(&format!("{place}_utf8"));
    Err(Failure::blocked(format!(
        "target `{}` is a database in {encoding}, and only UTF8 holds every character",
        database.name
    ))
    .hint(format!(
        "nothing was changed; make another one and name it in databases.{}.target: create \
         database {other} encoding 'UTF8' template template0 lc_collate 'C' lc_ctype 'C.UTF-8'",
        database.name
    ))
    .into())
}
