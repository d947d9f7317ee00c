//! Applies a baseline: scripts that make a schema, in one transaction.
//!
//! Only into an empty schema; what is there is never touched.

use catalog::quote;

use crate::connection::Connection;
use crate::error::{Doing, Error};

/// What became of a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyOutcome {
    /// The scripts ran.
    Applied,
    /// The schema was not empty; its objects, by name.
    NotEmpty(Vec<String>),
}

/// The objects of a schema, such as `table user`, by kind and name.
///
/// # Errors
/// Where the server refuses.
pub fn existing_objects(connection: &mut Connection, schema: &str) -> Result<Vec<String>, Error> {
    let rows = connection
        .client
        .query(include_str!("sql/existing_objects.sql"), &[&schema])
        .doing(|| format!("listing the objects of schema `{schema}`"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Runs scripts, with `schema` as the place for names that are not qualified.
///
/// # Errors
/// Where the server refuses a statement; nothing is changed then.
pub fn apply_scripts(
    connection: &mut Connection,
    schema: &str,
    scripts: &[&str],
) -> Result<ApplyOutcome, Error> {
    let found = existing_objects(connection, schema)?;
    if !found.is_empty() {
        return Ok(ApplyOutcome::NotEmpty(found));
    }
    let doing = || format!("applying the baseline to schema `{schema}`");
    let mut transaction = connection.client.transaction().doing(doing)?;
    let path = format!("set local search_path = {}", quote::postgres(schema));
    transaction.batch_execute(&path).doing(doing)?;
    for script in scripts {
        transaction.batch_execute(script).doing(doing)?;
    }
    transaction.commit().doing(doing)?;
    Ok(ApplyOutcome::Applied)
}
