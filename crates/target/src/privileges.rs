//! Privileges that a load needs on the target and the role lacks.
//!
//! All of them at once, each with the statement that grants it; nothing is granted here.

use crate::connection::Connection;
use crate::error::{Doing, Error};

/// What a role is going to do on the target.
#[derive(Clone, Debug, Default)]
pub struct Needs<'n> {
    /// The schema.
    pub schema: &'n str,
    /// Tables that are loaded.
    pub loaded: Vec<&'n str>,
    /// Tables that are only read, such as a list of migrations.
    pub read: Vec<&'n str>,
    /// Tables whose rows may be replaced.
    pub replaced: Vec<&'n str>,
    /// Schema of the ledger.
    pub ledger: &'n str,
    /// Whether `verify` makes temporary tables.
    pub temporary: bool,
    /// Whether tables and types are made in the schema.
    pub makes_objects: bool,
}

/// A privilege that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPrivilege {
    /// The privilege, such as `usage on schema`.
    pub what: String,
    /// Names of what it is on.
    pub objects: Vec<String>,
    /// The statement that grants it.
    pub statement: String,
    /// Whether it is on tables of a role that may have put them beside those of their owner.
    pub is_doubtful: bool,
}

impl Connection {
    /// All privileges that this role lacks, in an order in which they can be granted.
    pub fn missing_privileges(
        &mut self,
        needs: &Needs<'_>,
    ) -> Result<Vec<MissingPrivilege>, Error> {
        let Needs {
            schema,
            loaded,
            read,
            replaced,
            ledger,
            temporary,
            makes_objects,
        } = needs;
        let rows = self
            .client
            .query(
                include_str!("sql/missing_privileges.sql"),
                &[
                    schema,
                    loaded,
                    read,
                    replaced,
                    ledger,
                    temporary,
                    makes_objects,
                ],
            )
            .doing(|| "looking for missing privileges".to_owned())?;
        let missing = rows.iter().map(|row| MissingPrivilege {
            what: row.get(1),
            objects: row.get(2),
            statement: row.get(3),
            is_doubtful: row.get(4),
        });
        Ok(missing.collect())
    }

    /// Names of a schema's tables, without partitions.
    pub fn table_names(&mut self, schema: &str) -> Result<Vec<String>, Error> {
        let sql = "select c.relname::text from pg_catalog.pg_class c \
                     join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                    where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition \
                    order by c.relname collate \"C\"";
        let rows = self.client.query(sql, &[&schema]);
        let rows = rows.doing(|| format!("listing the tables of schema `{schema}`"))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Who else may make objects in the database and in these schemas: place and roles.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn others_who_may_create(
        &mut self,
        schemas: &[&str],
    ) -> Result<Vec<(String, Vec<String>)>, Error> {
        let rows = self
            .client
            .query(include_str!("sql/may_create.sql"), &[&schemas])
            .doing(|| "looking for roles that may create objects".to_owned())?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// The owner of a schema, if there is one of that name.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn schema_owner(&mut self, schema: &str) -> Result<Option<String>, Error> {
        let sql = "select pg_catalog.pg_get_userbyid(nspowner)::text \
                     from pg_catalog.pg_namespace where nspname = $1";
        let row = self.client.query_opt(sql, &[&schema]);
        let row = row.doing(|| format!("asking for the owner of schema `{schema}`"))?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Whether this connection's role is a superuser.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn is_superuser(&mut self) -> Result<bool, Error> {
        let sql = "select rolsuper from pg_catalog.pg_roles where rolname = current_user";
        let row = self.client.query_one(sql, &[]);
        Ok(row.doing(|| "asking for the role".to_owned())?.get(0))
    }

    /// The name of this connection's role.
    pub fn role(&mut self) -> Result<String, Error> {
        let row = self.client.query_one("select current_user::text", &[]);
        Ok(row.doing(|| "asking for the role".to_owned())?.get(0))
    }

    /// Whether this role may make indexes in a schema.
    pub fn may_create_in(&mut self, schema: &str) -> Result<bool, Error> {
        let sql = "select pg_catalog.has_schema_privilege($1, 'create')";
        let row = self.client.query_one(sql, &[&schema]);
        let row = row.doing(|| format!("looking for privileges on schema `{schema}`"))?;
        Ok(row.get(0))
    }
}
