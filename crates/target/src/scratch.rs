//! What the server makes of SQL that nobody wants to keep: schemas and values, in transactions
//! that are rolled back.

use postgres::GenericClient;

use catalog::{TargetCatalog, quote};

use crate::apply::run;
use crate::connection::Connection;
use crate::discover::discover;
use crate::error::{Doing, Error};
use crate::others_code::{check_borrowed, check_shadows};
use crate::outside::Outside;

/// How long a scratch schema waits for others; it needs nothing of theirs but a moment.
const LOCK_TIMEOUT_MS: u32 = 5000;

/// Zones in which two moments have to be the same to be one: one without an offset, one with an
/// odd one.
const ZONES: [&str; 2] = ["UTC", "Asia/Kathmandu"];

/// A schema that was there for the length of a transaction.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// What the server made of the statements; its schema's name is that of the scratch.
    pub catalog: TargetCatalog,
    /// Extensions that the statements made, by name.
    pub extensions: Vec<String>,
}

/// Two expressions that may be spellings of one value of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SameValue {
    /// Two expressions of SQL.
    pub expressions: [String; 2],
    /// The type, as SQL.
    pub data_type: String,
}

impl Connection {
    /// Lets the server make a schema, reads it, and rolls everything back. Names that the
    /// statements do not qualify are looked up in the scratch, in `beside`, and where extensions
    /// are. `proceed` is asked before each statement with its
    /// number, and before the end with the number behind the last.
    ///
    /// # Errors
    /// Where the server refuses a statement, the role may not make a schema, a statement could call
    /// code of another role, or makes or changes something that is not in the scratch; and those
    /// of `proceed`.
    pub fn scratch<E: From<Error>>(
        &mut self,
        beside: Option<&str>,
        statements: &[&str],
        proceed: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<Scratch, E> {
        self.client
            .batch_execute(&format!(
                "begin; set local lock_timeout = {LOCK_TIMEOUT_MS}"
            ))
            .doing(|| "beginning a transaction".to_owned())?;
        let made = self.make(beside, statements, proceed);
        // Without it the connection is of no use, and the server rolls back when it goes.
        let rolled_back = self.client.batch_execute("rollback");
        let made = made?;
        rolled_back.doing(|| "rolling the scratch schema back".to_owned())?;
        Ok(made)
    }

    fn make<E: From<Error>>(
        &mut self,
        beside: Option<&str>,
        statements: &[&str],
        mut proceed: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<Scratch, E> {
        let before = extensions(&mut self.client)?;
        let schema: String = self
            .client
            .query_one(
                "select 'converge_scratch_' || pg_catalog.pg_backend_pid()",
                &[],
            )
            .doing(|| "naming the scratch schema".to_owned())?
            .get(0);
        let mut path = vec![schema.as_str()];
        path.extend(beside);
        // Named, it would be searched behind the scratch, where a table called `text` is a type, too.
        let places = before.iter().map(|(_, place)| place.as_str());
        path.extend(places.filter(|place| *place != "pg_catalog"));
        check_shadows(&mut self.client, &path, statements.iter().copied())?;
        let path: Vec<String> = path.into_iter().map(quote::postgres).collect();
        let create = format!(
            "create schema {schema}; set local search_path = {}",
            path.join(", ")
        );
        self.client
            .batch_execute(&create)
            .doing(|| "making a scratch schema".to_owned())?;
        let outside = Outside::look(&mut self.client, vec![&schema])?;
        for (index, statement) in statements.iter().enumerate() {
            proceed(index)?;
            run(&mut self.client, statement)?;
        }
        proceed(statements.len())?;
        if beside.is_none() {
            outside.check(&mut self.client)?;
        }
        self.client
            .batch_execute("set local search_path = ''")
            .doing(|| "reading the scratch schema".to_owned())?;
        check_borrowed(&mut self.client, &schema)?;
        let catalog = discover(self, &schema)?;
        let after = extensions(&mut self.client)?;
        let new = after.into_iter().filter(|found| !before.contains(found));
        Ok(Scratch {
            catalog,
            extensions: new.map(|(name, _)| name).collect(),
        })
    }

    /// The extensions of the database, by name.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn extensions(&mut self) -> Result<Vec<String>, Error> {
        let found = extensions(&mut self.client)?;
        Ok(found.into_iter().map(|(name, _)| name).collect())
    }

    /// Whether two expressions give one value, whatever the session's zone is; what cannot be
    /// evaluated without writing, or at all, gives none.
    ///
    /// # Errors
    /// Where the server is not reached.
    pub fn is_same_value(&mut self, schema: &str, pair: &SameValue) -> Result<bool, Error> {
        for zone in ZONES {
            let is_same = self.compare_in_zone(schema, pair, zone);
            let ended = self.client.batch_execute("rollback");
            match is_same {
                Ok(false) => return Ok(false),
                Err(error) if error.sqlstate().is_none() || error.is_about_the_session() => {
                    return Err(error);
                }
                Err(_) => return Ok(false),
                Ok(true) => ended.doing(|| "comparing defaults".to_owned())?,
            }
        }
        Ok(true)
    }

    fn compare_in_zone(
        &mut self,
        schema: &str,
        pair: &SameValue,
        zone: &str,
    ) -> Result<bool, Error> {
        let doing = || "comparing defaults".to_owned();
        let begin = format!(
            "begin read only; set local search_path = {}; set local timezone = {}",
            quote::postgres(schema),
            quote::postgres_literal(zone)
        );
        self.client.batch_execute(&begin).doing(doing)?;
        let texts = pair.expressions.iter().map(String::as_str);
        self.check_shadows(&[schema], texts.chain([pair.data_type.as_str()]))?;
        // The text of `json` keeps what has no meaning.
        let meaning = match pair.data_type.as_str() {
            "json" => "::jsonb",
            _ => "",
        };
        let [left, right] = &pair.expressions;
        let data_type = &pair.data_type;
        let sql = format!(
            "select (({left})::{data_type}){meaning}::text \
               is not distinct from (({right})::{data_type}){meaning}::text"
        );
        let row = self.client.query_one(&sql, &[]).doing(doing)?;
        Ok(row.get(0))
    }
}

/// Extensions with the schemas that they are in.
fn extensions(client: &mut impl GenericClient) -> Result<Vec<(String, String)>, Error> {
    let rows = client
        .query(include_str!("sql/extensions.sql"), &[])
        .doing(|| "looking for extensions".to_owned())?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
