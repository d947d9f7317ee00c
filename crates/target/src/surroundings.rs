//! What is around the tables of a load and notices it: readers, subscribers, stored results.

use crate::connection::Connection;
use crate::error::{Doing, Error};
use crate::ledger;

/// What notices a load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Publications that hand the loaded rows on.
    pub publications: Vec<String>,
    /// Sessions of others in the database, the first few.
    pub sessions: Vec<String>,
    /// Materialised views with rows of the tables, quoted and qualified, each behind those that
    /// it reads.
    pub materialized_views: Vec<String>,
}

impl Connection {
    /// Looks at what is around these tables.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn surroundings(&mut self, schema: &str, tables: &[&str]) -> Result<Surroundings, Error> {
        let doing = || "looking at what is around the tables".to_owned();
        let publications = "select distinct pubname::text from pg_catalog.pg_publication_tables \
             where schemaname = $1 and tablename = any ($2) order by 1";
        let publications = self.client.query(publications, &[&schema, &tables]);
        let sessions = self
            .client
            .query(include_str!("sql/other_sessions.sql"), &[]);
        let views = include_str!("sql/materialized_views.sql");
        let views = self.client.query(views, &[&schema, &tables]);
        let names = |rows: Result<Vec<postgres::Row>, postgres::Error>| {
            let rows = rows.doing(doing)?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        };
        Ok(Surroundings {
            publications: names(publications)?,
            sessions: names(sessions)?,
            materialized_views: names(views)?,
        })
    }

    /// Fills materialised views anew, each for good, and enters them in the ledger: a rollback
    /// fills them again.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn refresh(
        &mut self,
        (ledger, run_id): (&str, &str),
        views: &[String],
    ) -> Result<(), Error> {
        for view in views {
            let doing = || format!("refreshing materialised view {view}");
            let mut transaction = self.client.transaction().doing(doing)?;
            ledger::insert_refreshed(&mut transaction, (ledger, run_id), view)?;
            let sql = format!("refresh materialized view {view}");
            transaction.batch_execute(&sql).doing(doing)?;
            transaction.commit().doing(doing)?;
        }
        Ok(())
    }

    /// Whether statements of two sessions of this client run in one session of the server, as
    /// behind a pooler that hands sessions out for each transaction: nothing that belongs to a
    /// session holds there, no setting and no lock.
    ///
    /// # Errors
    /// Where the server is not reached or refuses.
    pub fn is_pooled_by_transaction(&mut self) -> Result<bool, Error> {
        let doing = || "looking for a pooler".to_owned();
        let sql = "select pg_catalog.pg_backend_pid()";
        let session = |client: &mut postgres::Client| -> Result<i32, Error> {
            Ok(client.query_one(sql, &[]).doing(doing)?.get(0))
        };
        let before = session(&mut self.client)?;
        let mut other = Self::open(self.endpoint())?;
        // A pooler gives the session away that has just become free.
        other.batch_execute("begin")?;
        let theirs = session(&mut other.client)?;
        let after = session(&mut self.client)?;
        other.batch_execute("rollback")?;
        Ok(theirs == before || before != after)
    }
}
