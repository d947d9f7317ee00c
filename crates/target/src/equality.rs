//! Columns whose texts are equal by more than their bytes.

use std::collections::BTreeSet;

use crate::connection::Connection;
use crate::error::{Doing, Error};

impl Connection {
    /// The columns of a schema with a nondeterministic collation, as table and column.
    ///
    /// # Errors
    /// If the server returns an error.
    pub fn nondeterministic_columns(
        &mut self,
        schema: &str,
    ) -> Result<BTreeSet<(String, String)>, Error> {
        let rows = self
            .client
            .query(include_str!("sql/nondeterministic_columns.sql"), &[&schema])
            .doing(|| format!("reading the collations of the schema `{schema}`"))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}
