//! Primary keys, unique keys, indexes and exclusion constraints.

use catalog::{Key, KeyKind, KeyPart};

use super::constraints::deferrable;
use super::{Tables, rows, table_of};
use crate::connection::Connection;
use crate::error::Error;

/// Reads the keys of all tables.
pub(super) fn read(
    connection: &mut Connection,
    schema: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    for row in rows(connection, include_str!("../sql/keys.sql"), schema)? {
        let Some(table) = table_of(tables, &row) else {
            continue;
        };
        let part = part(&row);
        match table.keys.last_mut() {
            Some(key) if row.get::<_, i64>(2) > 1 => key.parts.push(part),
            _ => table.keys.push(key(&row, part)),
        }
    }
    Ok(())
}

fn part(row: &postgres::Row) -> KeyPart {
    let mut part = match row.get::<_, Option<String>>(4) {
        Some(name) => KeyPart::column(name),
        None => KeyPart::expression(row.get::<_, String>(5)),
    };
    part.descending = row.get(6);
    part.options = Some(row.get::<_, String>(7)).filter(|options| !options.is_empty());
    part
}

/// A key from the row of its first part.
fn key(row: &postgres::Row, first: KeyPart) -> Key {
    let kind = match row.get::<_, &str>(3) {
        "primary" => KeyKind::Primary,
        "unique" => KeyKind::Unique,
        "exclusion" => KeyKind::Exclusion,
        _ => KeyKind::Index,
    };
    let mut key = Key::new(row.get::<_, String>(1), kind, vec![first]);
    key.method = row.get(8);
    key.include = row.get::<_, Option<Vec<String>>>(9).unwrap_or_default();
    key.predicate = row.get(10);
    key.constraint = row.get(11);
    key.deferrable = deferrable(row.get(12), row.get(13));
    key.nulls_not_distinct = row.get(14);
    key.valid = row.get(15);
    key.comment = row.get(16);
    key
}
