//! Primary keys, unique keys and indexes.

use catalog::{Key, KeyKind, KeyPart, KeyTerm};

use super::{Tables, cells, number, rows};
use crate::connection::Connection;
use crate::error::Error;

/// Reads the keys of all tables.
pub(super) fn read(
    connection: &mut Connection,
    database: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    let dialect = connection.dialect;
    let mut parts = rows(connection, &dialect.keys(), database)?;
    parts.sort_by_key(|row| {
        let name = row[1].clone();
        let later = name.as_deref() != Some("PRIMARY");
        (row[0].clone(), later, name, number(row[2].as_deref()))
    });
    for mut row in cells(parts) {
        let (table, name) = (row.text(), row.text());
        let Some(table) = tables.get_mut(&table) else {
            continue;
        };
        let position = row.number();
        let unique = row.text() == "0";
        let (column, prefix, expression) = (row.next(), row.next(), row.next());
        let descending = row.text() == "D";
        let index_type = row.text();
        let kind = kind(&name, unique, &index_type);
        let term = match column {
            Some(name) => KeyTerm::Column {
                name,
                // Every spatial key has 32 bytes here, which nobody asked for.
                prefix_length: prefix
                    .and_then(|length| length.parse().ok())
                    .filter(|_| kind != KeyKind::Spatial),
            },
            None => KeyTerm::Expression {
                expression: dialect.expression(&expression.unwrap_or_default()),
            },
        };
        let mut part = KeyPart::from(term);
        part.descending = descending;
        if position > 1
            && let Some(key) = table.keys.last_mut()
        {
            key.parts.push(part);
            continue;
        }
        let mut key = Key::new(name, kind, vec![part]);
        key.method = unknown_method(&index_type);
        key.visible = row.text() == "YES";
        key.comment = row.something();
        table.keys.push(key);
    }
    Ok(())
}

/// What an index finds by, where it is neither order nor equality, words nor shapes: MariaDB's
/// `vector`, and what newer servers may have.
fn unknown_method(index_type: &str) -> Option<String> {
    const KNOWN: [&str; 5] = ["BTREE", "HASH", "RTREE", "FULLTEXT", "SPATIAL"];
    (!KNOWN.contains(&index_type)).then(|| index_type.to_ascii_lowercase())
}

fn kind(name: &str, unique: bool, index_type: &str) -> KeyKind {
    match (index_type, name, unique) {
        ("FULLTEXT", ..) => KeyKind::Fulltext,
        ("SPATIAL" | "RTREE", ..) => KeyKind::Spatial,
        (_, "PRIMARY", _) => KeyKind::Primary,
        (_, _, true) => KeyKind::Unique,
        (_, _, false) => KeyKind::Index,
    }
}
