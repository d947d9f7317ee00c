//! Code of other roles: what PostgreSQL would choose in place of its own, and what a schema uses.
//!
//! A function or an operator whose arguments fit better is chosen from any schema of the search
//! path, and then runs with the rights of this role.

use postgres::GenericClient;

use crate::connection::Connection;
use crate::error::{Doing, Error, Kind};
use crate::script;

/// Something of a schema that uses a function, an operator or a type of another role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borrowed {
    /// What uses it, such as `index a`.
    pub object: String,
    /// What it uses, such as `function public.left(character varying,integer)`.
    pub uses: String,
    /// Whose that is.
    pub role: String,
}

impl Connection {
    /// What the objects of a schema use of other roles, the first hundred; superusers and the
    /// owners of the object and of the database are nobody else.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn borrowed(&mut self, schema: &str) -> Result<Vec<Borrowed>, Error> {
        borrowed(&mut self.client, schema)
    }

    /// Fails where one of these texts could call a function or an operator of another role, or
    /// take its type for that of an extension, with these schemas in the search path.
    ///
    /// # Errors
    /// Where that is so, and where the server refuses.
    pub fn check_shadows<'t>(
        &mut self,
        schemas: &[&str],
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<(), Error> {
        check_shadows(&mut self.client, schemas, texts)
    }
}

fn borrowed(client: &mut impl GenericClient, schema: &str) -> Result<Vec<Borrowed>, Error> {
    let rows = client
        .query(include_str!("sql/borrowed.sql"), &[&schema])
        .doing(|| format!("looking at what the objects of schema `{schema}` use"))?;
    let borrowed = rows.iter().map(|row| Borrowed {
        object: row.get(0),
        uses: row.get(1),
        role: row.get(2),
    });
    Ok(borrowed.collect())
}

/// Fails where objects of a schema use what belongs to other roles.
pub(crate) fn check_borrowed(client: &mut impl GenericClient, schema: &str) -> Result<(), Error> {
    let borrowed = borrowed(client, schema)?;
    let Some(first) = borrowed.first() else {
        return Ok(());
    };
    let Borrowed { object, uses, role } = first;
    let more = match borrowed.len() {
        1 => String::new(),
        many => format!(" (and {} more such)", many - 1),
    };
    let text = format!(
        "{object} would use {uses}, which belongs to role {role}{more}: qualify PostgreSQL's own \
         with `pg_catalog.`, or let that role drop it"
    );
    Err(Error::new(
        Kind::OthersCode(text),
        "looking for code of others",
    ))
}

/// See [`Connection::check_shadows`].
pub(crate) fn check_shadows<'t>(
    client: &mut impl GenericClient,
    schemas: &[&str],
    texts: impl IntoIterator<Item = &'t str>,
) -> Result<(), Error> {
    let doing = "looking for functions and operators of others";
    let rows = client
        .query(include_str!("sql/shadows.sql"), &[&schemas])
        .doing(|| doing.to_owned())?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut mentioned = script::Mentioned::default();
    texts.into_iter().for_each(|text| mentioned.add(text));
    let of_name = |row: &&postgres::Row| match row.get(0) {
        "operator" => mentioned.has_operator(row.get(1)),
        _ => mentioned.has_name(row.get(1)),
    };
    let Some(first) = rows.iter().find(of_name) else {
        return Ok(());
    };
    let text = format!(
        "{} might be taken for PostgreSQL's or an extension's own of that name: qualify that with \
         its schema, or let the role drop it",
        first.get::<_, &str>(2)
    );
    Err(Error::new(Kind::OthersCode(text), doing))
}
