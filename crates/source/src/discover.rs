//! Reads a schema from `information_schema`, one query per kind of thing.
//!
//! The result is the same whichever of the two server families it came from, as far as the
//! server tells; it never parses DDL. What cannot be had: characters of four bytes within
//! expressions of MariaDB, whose `information_schema` has three at most, and arrive as `?`.

mod columns;
mod constraints;
mod exact;
mod keys;
mod others;
mod periods;
mod shown;
mod timestamps;

use std::collections::BTreeMap;

use catalog::{SourceCatalog, SourceTable, quote};

use crate::connection::{Connection, Question, row_to_text};
use crate::driver;
use crate::error::{Error, Kind};
use crate::export::OF_EXPRESSIONS;

/// Tables by name.
type Tables = BTreeMap<String, SourceTable>;

/// Reads the schema of a database.
///
/// # Errors
/// Where the server refuses.
pub fn discover(connection: &mut Connection, database: &str) -> Result<SourceCatalog, Error> {
    let mut tables = read_tables(connection, database)?;
    let checks = constraints::read_checks(connection, database)?;
    let computed = columns::read(connection, database, &checks, &mut tables)?;
    exact::read_labels(connection, database, &mut tables)?;
    exact::read_defaults(connection, database, &computed, &mut tables)?;
    keys::read(connection, database, &mut tables)?;
    periods::read(connection, database, &mut tables)?;
    timestamps::read(connection, &mut tables)?;
    constraints::read_foreign_keys(connection, database, &mut tables)?;
    constraints::put_checks(connection.dialect, checks, &mut tables);
    others::read_partitions(connection, database, &mut tables)?;
    let mut catalog = SourceCatalog::new(connection.server().clone(), database);
    catalog.tables = tables.into_values().collect();
    catalog.others = others::read(connection, database)?;
    catalog.hidden = others::hidden(&connection.privileges()?, database);
    Ok(catalog)
}

impl Connection {
    /// Names of a database's tables, as far as the login sees them.
    pub fn table_names(&mut self, database: &str) -> Result<Vec<String>, Error> {
        Ok(read_tables(self, database)?.into_keys().collect())
    }
}

/// A row of text, read from its first column to its last.
struct Cells(std::vec::IntoIter<Option<String>>);

impl Cells {
    fn next(&mut self) -> Option<String> {
        self.0.next().flatten()
    }

    /// The next cell, and no text for NULL.
    fn text(&mut self) -> String {
        self.next().unwrap_or_default()
    }

    /// The next cell, where it says something.
    fn something(&mut self) -> Option<String> {
        self.next().filter(|text| !text.is_empty())
    }

    fn number(&mut self) -> u32 {
        number(self.next().as_deref())
    }
}

fn number(text: Option<&str>) -> u32 {
    text.and_then(|text| text.parse().ok()).unwrap_or(u32::MAX)
}

/// Rows of text for a query whose only parameter, however often it stands there, is the
/// database's name and whose first column is a database's name, which is taken off.
///
/// MariaDB's `information_schema` compares names without case, so the rows of a database `Shop`
/// would come with those of `shop`.
fn rows(
    connection: &mut Connection,
    sql: &str,
    database: &str,
) -> Result<Vec<Vec<Option<String>>>, Error> {
    // Not a prepared statement: where the server closes its tables again and again, MySQL refuses
    // to prepare one anew after a few tries.
    let sql = sql.replace('?', &quote::mysql_literal(database));
    let _question = Question::asked(connection);
    let doing = || format!("reading the schema of `{database}`");
    let rows = driver::rows(&mut connection.conn, &sql, doing)?;
    check_warnings(connection, database)?;
    let mut rows: Vec<Vec<Option<String>>> = rows.into_iter().map(row_to_text).collect();
    let exact = |row: &Vec<Option<String>>| row[0].as_deref() == Some(database);
    // Where the server folds names, the configuration may spell one in another way.
    if rows.iter().any(exact) {
        rows.retain(exact);
    }
    rows.iter_mut().for_each(|row| drop(row.remove(0)));
    Ok(rows)
}

/// Fails where the server left something out and said so by a warning only, as MariaDB does with
/// a table that it cannot open. Views that no longer work are no matter, nor is what the server
/// thinks of its own old words.
fn check_warnings(connection: &mut Connection, database: &str) -> Result<(), Error> {
    // A view that refers to what is gone, or whose definer is; a table that is gone, of which a
    // view speaks; a function with a native one's name; deprecated syntax and variables.
    const HARMLESS: [&str; 7] = ["1356", "1449", "1146", "1585", "1287", "1681", "3719"];
    if connection.conn.warnings() == 0 {
        return Ok(());
    }
    let rows = connection.query_text("show warnings")?;
    // A server with `max_error_count = 0` counts its warnings and keeps none.
    let unknown = rows.is_empty().then(|| "unknown".to_owned());
    // Level, code, message.
    let warnings = rows
        .into_iter()
        .filter(|row| row[0].as_deref() != Some("Note"));
    let warnings: Vec<(String, String)> = warnings
        .filter_map(|row| {
            let mut cells = row.into_iter().skip(1).map(Option::unwrap_or_default);
            Some((cells.next()?, cells.next()?))
        })
        .collect();
    // A table that is opened computes the constants of its expressions.
    let harmless = |code: &str| HARMLESS.contains(&code) || OF_EXPRESSIONS.contains(&code);
    let others = warnings.into_iter().filter(|(code, _)| !harmless(code));
    // Of a schema, they name tables and no values.
    let others = others.map(|(code, message)| format!("{code}: {message}"));
    let mut codes: Vec<String> = others.chain(unknown).collect();
    codes.sort();
    codes.dedup();
    match codes.is_empty() {
        true => Ok(()),
        false => Err(Error::new(
            Kind::Warnings(codes),
            format!("reading the schema of `{database}`"),
        )),
    }
}

fn cells(rows: Vec<Vec<Option<String>>>) -> impl Iterator<Item = Cells> {
    rows.into_iter().map(|row| Cells(row.into_iter()))
}

fn read_tables(connection: &mut Connection, database: &str) -> Result<Tables, Error> {
    let rows = rows(connection, include_str!("sql/tables.sql"), database)?;
    let tables = cells(rows).map(|mut row| {
        let mut table = SourceTable::new(row.text());
        table.engine = engine(row.next(), row.next());
        table.collation = row.next().map(|name| one_charset(&name));
        // A collation's name begins with its character set's.
        let charset = table.collation.as_deref().and_then(|c| c.split('_').next());
        table.charset = charset.map(str::to_owned);
        table.auto_increment = row.next().and_then(|next| next.parse().ok());
        table.comment = row.something();
        (table.name.clone(), table)
    });
    Ok(tables.collect())
}

/// MariaDB's system-versioned tables hold rows of the past, which a plain select does not show
/// and which a setting can even make it prefer; they are told apart by their engine's name.
fn engine(engine: Option<String>, table_type: Option<String>) -> Option<String> {
    match table_type.as_deref() {
        Some("SYSTEM VERSIONED") => Some("system versioned".to_owned()),
        _ => engine,
    }
}

/// A character set's or collation's name: what was `utf8` is `utf8mb3` in newer servers.
fn one_charset(name: &str) -> String {
    match name.strip_prefix("utf8") {
        Some(rest) if rest.is_empty() || rest.starts_with('_') => format!("utf8mb3{rest}"),
        _ => name.to_owned(),
    }
}
