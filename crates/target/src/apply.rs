//! Applies a baseline: statements that make a schema, with an entry in the ledger.
//!
//! Only into an empty schema, or one in which this very baseline was interrupted; what is there
//! is never touched.

use std::ops::Range;

use postgres::{GenericClient, Transaction};

use catalog::quote;

use crate::applied_baseline::{self, AppliedBaseline};
use crate::connection::Connection;
use crate::error::{Doing, Error, Kind};
use crate::others_code;
use crate::outside::Outside;
use crate::run_lock::lock;
use crate::script;

/// A schema as it is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Baseline<'b> {
    /// Schema of the ledger.
    pub ledger: &'b str,
    /// The schema that is made, and the place for names without one.
    pub schema: &'b str,
    /// See [`crate::statements`].
    pub statements: &'b [&'b str],
    /// blake3 of the files, in hex.
    pub blake3: &'b str,
    /// Version of this tool.
    pub tool_version: &'b str,
}

/// What a schema holds, seen from a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing, whatever the ledger says.
    Empty,
    /// This baseline, as a whole or in part.
    Own(AppliedBaseline),
    /// Another one, and the objects of the schema.
    Other(AppliedBaseline, Vec<String>),
    /// Objects of which the ledger knows nothing.
    Unknown(Vec<String>),
}

impl Baseline<'_> {
    /// Looks at the schema and at the ledger.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn standing(&self, connection: &mut Connection) -> Result<Standing, Error> {
        self.look(&mut connection.client)
    }

    fn look(&self, client: &mut impl GenericClient) -> Result<Standing, Error> {
        let objects = existing_objects(client, self.schema)?;
        if objects.is_empty() {
            return Ok(Standing::Empty);
        }
        Ok(
            match applied_baseline::read(client, self.ledger, self.schema)? {
                None => Standing::Unknown(objects),
                Some(applied) if applied.blake3 == self.blake3 => Standing::Own(applied),
                Some(applied) => Standing::Other(applied, objects),
            },
        )
    }

    /// Applies some of the statements and enters them, in one transaction; `proceed` is asked
    /// before each with its number, and before the end with the number behind the last.
    ///
    /// # Errors
    /// Where another run is at work, where the statements before these are not those that are
    /// applied, where a statement touches another schema or uses code of another role, where the
    /// server refuses, and those of `proceed`; nothing is changed then. Where the connection is
    /// lost in the commit, only the ledger can say.
    pub fn apply<E: From<Error>>(
        &self,
        connection: &mut Connection,
        batch: Range<usize>,
        mut proceed: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let doing = || format!("applying the baseline to schema `{}`", self.schema);
        let mut transaction = connection.client.transaction().doing(doing)?;
        lock(&mut transaction, None)?;
        self.check_begin(&mut transaction, batch.start)?;
        if batch.start == 0 {
            applied_baseline::begin(&mut transaction, self)?;
        }
        self.set_search_path(&mut transaction)?;
        // What an earlier transaction has set is gone with its end, or with its session.
        let settings = self.statements[..batch.start].iter();
        for setting in settings.filter(|sql| script::is_setting(sql)) {
            run(&mut transaction, setting)?;
        }
        let outside = Outside::look(&mut transaction, vec![self.schema, self.ledger])?;
        for index in batch.clone() {
            proceed(index)?;
            run(&mut transaction, self.statements[index])?;
        }
        proceed(batch.end)?;
        outside.check(&mut transaction)?;
        // So that what is found is named with its schema.
        let empty = transaction.batch_execute("set local search_path = ''");
        empty.doing(doing)?;
        others_code::check_borrowed(&mut transaction, self.schema)?;
        applied_baseline::enter(&mut transaction, self, batch.end)?;
        transaction.commit().doing(doing)?;
        Ok(())
    }

    /// The schema was looked at before the lock was taken: in between, another may have come.
    fn check_begin(&self, transaction: &mut Transaction<'_>, from: usize) -> Result<(), Error> {
        let is_there = match self.look(transaction)? {
            Standing::Empty => from == 0,
            Standing::Own(applied) => applied.done == from && from > 0,
            Standing::Other(..) | Standing::Unknown(_) => false,
        };
        if is_there {
            return Ok(());
        }
        let text = format!("schema `{}` was changed meanwhile", self.schema);
        Err(Error::new(Kind::State(text), "applying the baseline"))
    }

    /// Types and functions of extensions are found wherever those are installed; the schema
    /// itself comes first, so that it is where things are made. Others may be able to make things
    /// in all of them: statements that could call such a thing are refused before any runs.
    fn set_search_path(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        let rows = transaction
            .query(include_str!("sql/extension_schemas.sql"), &[&self.schema])
            .doing(|| "looking for extensions".to_owned())?;
        let mut schemas = vec![self.schema];
        schemas.extend(rows.iter().map(|row| row.get::<_, &str>(0)));
        others_code::check_shadows(transaction, &schemas, self.statements.iter().copied())?;
        let path: Vec<String> = schemas.into_iter().map(quote::postgres).collect();
        transaction
            .batch_execute(&format!("set local search_path = {}", path.join(", ")))
            .doing(|| "setting the search path".to_owned())
    }
}

/// As a prepared statement, of which the server takes only one at a time: whatever was
/// overlooked when the script was split is refused.
pub(crate) fn run(client: &mut impl GenericClient, sql: &str) -> Result<(), Error> {
    let doing = || "applying a statement".to_owned();
    let statement = client.prepare(sql).doing(doing)?;
    if !statement.params().is_empty() {
        let text = "it has parameters, which nobody fills in".to_owned();
        return Err(Error::new(Kind::State(text), doing()));
    }
    let executed = client.execute(&statement, &[]).doing(doing);
    let words = sql.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    executed.map_err(|error| error.in_definition(&words))?;
    Ok(())
}

/// The objects of a schema, such as `table user`, by kind and name.
fn existing_objects(client: &mut impl GenericClient, schema: &str) -> Result<Vec<String>, Error> {
    let rows = client
        .query(include_str!("sql/existing_objects.sql"), &[&schema])
        .doing(|| format!("listing the objects of schema `{schema}`"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// What the role of a connection may do with a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRights {
    /// The database's name.
    pub database: String,
    /// The role.
    pub role: String,
    /// Whether the schema is there.
    pub exists: bool,
    /// Whether the role may make things in it.
    pub may_create: bool,
}

impl Connection {
    /// The rights on a schema.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn schema_rights(&mut self, schema: &str) -> Result<SchemaRights, Error> {
        let row = self
            .client
            .query_one(include_str!("sql/schema_rights.sql"), &[&schema])
            .doing(|| format!("looking for the rights on schema `{schema}`"))?;
        Ok(SchemaRights {
            database: row.get(0),
            role: row.get(1),
            exists: row.get(2),
            may_create: row.get(3),
        })
    }
}

/// Whether an extension can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// In this database.
    Installed,
    /// The server has its files.
    Available,
    /// The server lacks its files.
    Missing,
}

impl Connection {
    /// Looks for an extension.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn extension(&mut self, name: &str) -> Result<Extension, Error> {
        let sql = "select exists (select from pg_catalog.pg_extension where extname = $1), \
                          exists (select from pg_catalog.pg_available_extensions where name = $1)";
        let row = self
            .client
            .query_one(sql, &[&name])
            .doing(|| format!("looking for the extension `{name}`"))?;
        Ok(match (row.get(0), row.get(1)) {
            (true, _) => Extension::Installed,
            (false, true) => Extension::Available,
            (false, false) => Extension::Missing,
        })
    }
}
