//! Sees to it that statements which are for one schema leave all others alone.
//!
//! Looks at a transaction before it ends; what no rollback undoes is not seen.

use postgres::GenericClient;

use crate::error::{Doing, Error, Kind};

/// What there was before the statements ran.
pub(crate) struct Outside<'s> {
    schemas: Vec<&'s str>,
    /// Relations of other schemas, by their numbers.
    relations: Vec<u32>,
}

impl<'s> Outside<'s> {
    /// Takes note of everything beside these schemas.
    pub(crate) fn look(
        client: &mut impl GenericClient,
        schemas: Vec<&'s str>,
    ) -> Result<Self, Error> {
        let sql = "select c.oid from pg_catalog.pg_class c \
                     join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                    where n.nspname <> all ($1::text[] || '{pg_catalog,information_schema}')";
        let rows = client
            .query(sql, &[&schemas])
            .doing(|| "looking at the other schemas".to_owned())?;
        Ok(Self {
            relations: rows.iter().map(|row| row.get(0)).collect(),
            schemas,
        })
    }

    /// Fails where the transaction has touched what is not in the schemas.
    pub(crate) fn check(&self, client: &mut impl GenericClient) -> Result<(), Error> {
        let doing = "looking for what was done to other schemas";
        let rows = client
            .query(
                include_str!("sql/touched_outside.sql"),
                &[&self.schemas, &self.relations],
            )
            .doing(|| doing.to_owned())?;
        let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        if names.is_empty() {
            return Ok(());
        }
        let text = format!(
            "the statements are for one schema, and touch {}",
            names.join(", ")
        );
        Err(Error::new(Kind::State(text), doing))
    }
}
