//! Checks and foreign keys.

use std::collections::BTreeMap;

use catalog::{Check, ForeignKey, MysqlType, SourceTable};

use super::shown::{Actions, Shown};
use super::{Tables, cells, number, rows};
use crate::connection::Connection;
use crate::dialect::Dialect;
use crate::error::Error;

/// A check as its server reports it.
pub(super) struct FoundCheck {
    pub(super) table: String,
    name: String,
    clause: String,
    enforced: bool,
    at_column: bool,
    /// The column that the check makes one of JSON, where the server has no type for that.
    pub(super) json_column: Option<String>,
}

/// Reads the checks of all tables, also those that stand for JSON.
pub(super) fn read_checks(
    connection: &mut Connection,
    database: &str,
) -> Result<Vec<FoundCheck>, Error> {
    let Some(sql) = connection.dialect.checks() else {
        return Ok(Vec::new());
    };
    let has_json_as_text = connection.dialect.has_json_as_text();
    let rows = rows(connection, sql, database)?;
    let mut checks = Vec::new();
    // Where the clauses come by rows of their own, these have no table.
    let mut clauses = BTreeMap::new();
    for mut row in cells(rows) {
        let (table, name, clause) = (row.next(), row.text(), row.next());
        let Some(table) = table else {
            clauses.insert(name, clause.unwrap_or_default());
            continue;
        };
        checks.push(FoundCheck {
            table,
            name,
            clause: clause.unwrap_or_default(),
            enforced: row.text() == "YES",
            at_column: row.text() == "Column",
            json_column: None,
        });
    }
    let mut shown = Shown::new(connection, database);
    for check in &mut checks {
        if let Some(clause) = clauses.remove(&check.name) {
            check.clause = clause;
        }
        let (table, name) = (&check.table, &check.name);
        match check.at_column {
            true => shown.restore_at_column(table, name, &mut check.clause)?,
            false => shown.restore_check(table, name, &mut check.clause)?,
        }
        if has_json_as_text && check.at_column {
            // A column's check has its name, and may well speak of another one.
            check.json_column = valid_json(&check.clause).filter(|column| *column == check.name);
        }
    }
    Ok(checks)
}

/// The column of ``json_valid(`column`)``.
fn valid_json(clause: &str) -> Option<String> {
    let column = clause.strip_prefix("json_valid(`")?.strip_suffix("`)")?;
    Some(column.replace("``", "`"))
}

impl FoundCheck {
    /// Whether it is what the column's type says: such a check at a shorter text is one.
    fn is_of_the_type(&self, tables: &Tables) -> bool {
        let column = || {
            let name = self.json_column.as_ref()?;
            tables.get(&self.table)?.column(name)
        };
        column().is_some_and(|column| column.data_type == MysqlType::Json)
    }
}

/// Gives the checks to their tables; those without a name get MySQL's, `table_chk_1`.
pub(super) fn put_checks(dialect: Dialect, mut found: Vec<FoundCheck>, tables: &mut Tables) {
    found.retain(|check| !check.is_of_the_type(tables));
    let position = |check: &FoundCheck| {
        let table = tables.get(&check.table)?;
        let columns = &table.columns;
        columns
            .iter()
            .position(|c| check.at_column && c.name == check.name)
    };
    found.sort_by_cached_key(|check| {
        let number = dialect.unnamed_check(&check.name, check.at_column);
        (check.table.clone(), number, position(check))
    });
    let mut unnamed: BTreeMap<String, u32> = BTreeMap::new();
    for check in found {
        let name = match dialect.unnamed_check(&check.name, check.at_column) {
            None => check.name,
            Some(_) => {
                let number = unnamed.entry(check.table.clone()).or_default();
                *number += 1;
                format!("{}_chk_{number}", check.table)
            }
        };
        if let Some(table) = tables.get_mut(&check.table) {
            let mut new = Check::new(name, dialect.expression(&check.clause));
            new.enforced = check.enforced;
            table.checks.push(new);
        }
    }
    for table in tables.values_mut() {
        table.checks.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// Reads the foreign keys of all tables.
pub(super) fn read_foreign_keys(
    connection: &mut Connection,
    database: &str,
    tables: &mut Tables,
) -> Result<(), Error> {
    let sql = include_str!("../sql/foreign_keys.sql");
    let mut parts = rows(connection, sql, database)?;
    parts.sort_by_key(|row| (row[0].clone(), row[1].clone(), number(row[2].as_deref())));
    let mut actions = BTreeMap::new();
    for mut row in cells(parts) {
        let (table_name, name, position) = (row.text(), row.text(), row.number());
        let Some(table) = tables.get_mut(&table_name) else {
            continue;
        };
        let column = row.text();
        let (schema, referenced_table, referenced) = (row.next(), row.text(), row.text());
        if position == 0 {
            let of_the_key = Actions {
                on_delete: row.text(),
                on_update: row.text(),
            };
            actions.insert((table_name, name), of_the_key);
            continue;
        }
        let known = table
            .foreign_keys
            .last()
            .is_some_and(|key| key.name == name);
        if !known {
            table
                .foreign_keys
                .push(ForeignKey::new(name, Vec::new(), "", Vec::new()));
        }
        let key = table.foreign_keys.last_mut().expect("it was put there");
        key.referenced_schema = schema;
        key.referenced_table = referenced_table;
        key.columns.push(column);
        key.referenced_columns.push(referenced);
    }
    let mut shown = Shown::new(connection, database);
    for table in tables.values_mut() {
        for key in &mut table.foreign_keys {
            let place = (table.name.clone(), key.name.clone());
            let found = match actions.remove(&place) {
                Some(found) => found,
                None => shown.actions(&table.name, &key.name)?,
            };
            key.on_delete = Dialect::action(&found.on_delete).to_owned();
            key.on_update = Dialect::action(&found.on_update).to_owned();
        }
    }
    spell_as_declared(tables);
    Ok(())
}

/// Columns have no case in MySQL, which reports those of a foreign key as its statement had them.
fn spell_as_declared(tables: &mut Tables) {
    let columns = |table: &SourceTable| -> Vec<String> {
        table.columns.iter().map(|c| c.name.clone()).collect()
    };
    let declared: BTreeMap<String, Vec<String>> = tables
        .iter()
        .map(|(name, table)| (name.clone(), columns(table)))
        .collect();
    let spell = |table: &str, names: &mut Vec<String>| {
        let columns = declared.get(table).map_or(&[][..], Vec::as_slice);
        for name in names {
            let same = |column: &&String| column.to_lowercase() == name.to_lowercase();
            if let Some(column) = columns.iter().find(same) {
                name.clone_from(column);
            }
        }
    };
    for (name, table) in tables.iter_mut() {
        for key in &mut table.foreign_keys {
            spell(name, &mut key.columns);
            if key.referenced_schema.is_none() {
                spell(&key.referenced_table, &mut key.referenced_columns);
            }
        }
    }
}
