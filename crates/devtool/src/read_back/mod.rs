//! Reads the listing of a live database, in the words of the catalogue files.
//!
//! It reads catalogues only, and judges nothing.

use anyhow::{Context, Result};
use catalog::ServerKind;

use crate::listing::{ListedColumn, ListedKey, Listing, NO_DEFAULT};
use crate::system::Server;

/// One row of a catalogue query.
type Row = Vec<Option<String>>;

/// The kind of server behind a source connection.
pub(crate) fn source_kind(connection: &source::Connection) -> Server {
    match connection.server().kind {
        ServerKind::Mariadb => Server::Mariadb,
        _ => Server::Mysql,
    }
}

/// The listing of the connection's current database.
pub(crate) fn source_listing(connection: &mut source::Connection) -> Result<Listing> {
    let checks = match source_kind(connection) {
        Server::Mariadb => include_str!("mariadb_checks.sql"),
        _ => include_str!("mysql_checks.sql"),
    };
    let columns = connection.query_text(include_str!("mysql_columns.sql"))?;
    let mut keys = connection.query_text(include_str!("mysql_keys.sql"))?;
    keys.extend(connection.query_text(checks)?);
    listing(columns, keys)
}

/// The listing of the schema `public` of the connection's database.
pub(crate) fn target_listing(connection: &mut target::Connection) -> Result<Listing> {
    // The names in types and defaults are shown without the schema then.
    connection.batch_execute("set search_path = public")?;
    let columns = connection.query_text(include_str!("postgres_columns.sql"))?;
    let keys = connection.query_text(include_str!("postgres_keys.sql"))?;
    listing(columns, keys)
}

fn listing(columns: Vec<Row>, keys: Vec<Row>) -> Result<Listing> {
    let columns: Option<Vec<ListedColumn>> = columns.into_iter().map(listed_column).collect();
    let keys: Option<Vec<ListedKey>> = keys.into_iter().map(listed_key).collect();
    Ok(Listing {
        columns: columns.context("the columns query does not yield nine columns")?,
        keys: keys.context("the keys query does not yield nine columns")?,
    })
}

fn listed_column(row: Row) -> Option<ListedColumn> {
    let [
        table,
        column,
        ordinal,
        data_type,
        nullable,
        default,
        extra,
        collation,
        comment,
    ]: [_; 9] = row.try_into().ok()?;
    Some(ListedColumn {
        table: table?,
        column: column?,
        ordinal: ordinal?,
        data_type: data_type?,
        nullable: nullable?,
        default: default.unwrap_or_else(|| NO_DEFAULT.to_owned()),
        extra: extra.unwrap_or_default(),
        collation: collation.unwrap_or_default(),
        comment: comment.unwrap_or_default(),
    })
}

fn listed_key(row: Row) -> Option<ListedKey> {
    let [
        table,
        constraint,
        kind,
        columns,
        ref_table,
        ref_columns,
        on_delete,
        on_update,
        note,
    ]: [_; 9] = row.try_into().ok()?;
    Some(ListedKey {
        table: table?,
        constraint: constraint?,
        kind: kind?,
        columns: columns.unwrap_or_default(),
        ref_table: ref_table.unwrap_or_default(),
        ref_columns: ref_columns.unwrap_or_default(),
        on_delete: on_delete.unwrap_or_default(),
        on_update: on_update.unwrap_or_default(),
        note: note.unwrap_or_default(),
    })
}
