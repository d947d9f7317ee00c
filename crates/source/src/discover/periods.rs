//! Periods of application time, and keys that refuse overlapping ones.
//!
//! `information_schema` shows such a key as one on plain columns. `show create table` has each
//! part of a table on a line of its own; only the lines of periods are looked at.

use catalog::{SourceTable, quote};

use super::Tables;
use crate::connection::Connection;
use crate::error::Error;

/// Names the periods of all tables, and the keys that are bound to one.
pub(super) fn read(
    connection: &mut Connection,
    database: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    if !connection.dialect.has_periods() {
        return Ok(());
    }
    for (name, table) in tables {
        let place = quote::mysql_qualified(database, name);
        let rows = match connection.query_text(&format!("show create table {place}")) {
            Ok(rows) => rows,
            Err(error) if error.is_lost_connection() => return Err(error),
            // A table that is damaged, or that this login may read a part of, may well be
            // excluded: it is named, and stops what reads it.
            Err(_) => {
                let part = "a definition that the server does not show";
                table.other_parts.push(part.to_owned());
                continue;
            }
        };
        let statement = rows.into_iter().flatten().flatten().nth(1);
        put(&statement.unwrap_or_default(), table);
    }
    Ok(())
}

fn put(statement: &str, table: &mut SourceTable) {
    // The only one that a table may have, as the server quotes it.
    let mut period = None;
    for line in statement.lines() {
        let line = line.trim().trim_end_matches(',');
        if let Some(rest) = line.strip_prefix("PERIOD FOR `") {
            table.other_parts.push(format!("period for `{rest}"));
            period = rest.rsplit_once("` (`").map(|(name, _)| name);
        }
        let Some(period) = period else { continue };
        // Behind it may stand a comment or the kind of the index.
        if !line.contains(&format!(",`{period}` WITHOUT OVERLAPS)")) {
            continue;
        }
        let named = |name: &str| match name {
            "PRIMARY" => line.starts_with("PRIMARY KEY ("),
            name => line.starts_with(&format!("UNIQUE KEY {} (", quote::mysql(name))),
        };
        if let Some(key) = table.keys.iter_mut().find(|key| named(&key.name)) {
            key.without_overlaps = Some(period.replace("``", "`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use catalog::{Key, KeyKind, KeyPart};

    use super::*;

    #[test]
    fn a_key_knows_its_period() {
        let mut table = SourceTable::new("t");
        let key = |name: &str, kind| Key::new(name, kind, vec![KeyPart::column("a")]);
        table.keys = vec![
            key("PRIMARY", KeyKind::Primary),
            key("it`s, k", KeyKind::Unique),
            key("plain", KeyKind::Unique),
        ];
        let statement = "CREATE TABLE `t` (\n  `a` int(11) NOT NULL COMMENT 'PERIOD FOR `x`',\n  \
                         PERIOD FOR `my,``p` (`s`, `e`),\n  \
                         PRIMARY KEY (`a`,`my,``p` WITHOUT OVERLAPS),\n  \
                         UNIQUE KEY `it``s, k` (`a`,`b`,`my,``p` WITHOUT OVERLAPS) USING BTREE COMMENT 'x',\n  \
                         UNIQUE KEY `plain` (`a`)\n) ENGINE=InnoDB";
        put(statement, &mut table);
        assert_eq!(table.other_parts, ["period for `my,``p` (`s`, `e`)"]);
        let periods: Vec<_> = table
            .keys
            .iter()
            .map(|k| k.without_overlaps.as_deref())
            .collect();
        assert_eq!(periods, [Some("my,`p"), Some("my,`p"), None]);
    }
}
