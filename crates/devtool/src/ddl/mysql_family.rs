//! Source DDL for MySQL and MariaDB.
//!
//! What the two report differently (defaults, `json`) is undone here; see `mariadb`.

use anyhow::Result;
use catalog::quote::{mysql as quoted, mysql_literal};

use super::referential_actions;
use crate::listing::{ListedColumn, ListedKey, Listing, NO_DEFAULT};
use crate::mariadb::is_numeric;
use crate::system::Server;

/// One `create table` a table with its keys and checks, then one `alter table` a foreign key.
pub(super) fn statements(listing: &Listing, server: Server) -> Result<Vec<String>> {
    let mut statements: Vec<String> = listing
        .table_names()
        .into_iter()
        .map(|table| create_table(listing, table, server))
        .collect();
    statements.extend(
        listing
            .foreign_keys()
            .map(|key| add_foreign_key(key, server)),
    );
    Ok(statements)
}

fn create_table(listing: &Listing, table: &str, server: Server) -> String {
    let mut lines: Vec<String> = Vec::new();
    for column in listing.columns_of(table) {
        let is_json = listing.keys_of(table).any(|key| is_json_check(key, column));
        lines.push(column_line(column, is_json, server));
    }
    let keys = listing
        .keys_of(table)
        .filter(|key| !checks_json(listing, key));
    lines.extend(keys.filter_map(key_line));
    format!(
        "create table {} (\n  {}\n) engine = InnoDB default charset = utf8mb4 collate = {}",
        quoted(table),
        lines.join(",\n  "),
        default_collation(server)
    )
}

fn column_line(column: &ListedColumn, is_json: bool, server: Server) -> String {
    let data_type = if is_json { "json" } else { &column.data_type };
    let mut line = format!("{} {data_type}", quoted(&column.column));
    let has_own_collation =
        !is_json && !column.collation.is_empty() && column.collation != default_collation(server);
    if has_own_collation {
        line.push_str(&format!(" collate {}", column.collation));
    }
    line.push_str(if column.is_nullable() {
        " null"
    } else {
        " not null"
    });
    if let Some(default) = default_expression(column, server) {
        line.push_str(&format!(" default {default}"));
    }
    let extra = column.extra.replace("DEFAULT_GENERATED", "");
    if !extra.trim().is_empty() {
        line.push_str(&format!(" {}", extra.trim()));
    }
    if !column.comment.is_empty() {
        line.push_str(&format!(" comment {}", mysql_literal(&column.comment)));
    }
    line
}

/// MariaDB reports an expression, MySQL the bare text of a literal.
fn default_expression(column: &ListedColumn, server: Server) -> Option<String> {
    let default = column.default.as_str();
    match server {
        _ if default == NO_DEFAULT => None,
        Server::Mariadb if default == "NULL" => None,
        Server::Mariadb => Some(default.to_owned()),
        _ if column.extra.contains("DEFAULT_GENERATED") => Some(default.to_owned()),
        _ if is_numeric(&column.data_type) => Some(default.to_owned()),
        _ => Some(mysql_literal(default)),
    }
}

fn key_line(key: &ListedKey) -> Option<String> {
    let columns = key_columns(key);
    let name = quoted(&key.constraint);
    match key.kind.as_str() {
        "primary" => Some(format!("primary key ({columns})")),
        "unique" => Some(format!("unique key {name} ({columns})")),
        "index" => Some(format!("key {name} ({columns})")),
        "check" => Some(format!("constraint {name} check ({})", key.note)),
        _ => None,
    }
}

fn key_columns(key: &ListedKey) -> String {
    let quoted_column = |name: &str| match name.strip_suffix(" DESC") {
        Some(descending) => format!("{} desc", quoted(descending)),
        None => quoted(name),
    };
    let columns: Vec<String> = key.column_names().into_iter().map(quoted_column).collect();
    columns.join(", ")
}

fn add_foreign_key(key: &ListedKey, server: Server) -> String {
    format!(
        "alter table {} add constraint {} foreign key ({}) references {} ({}){}",
        quoted(&key.table),
        quoted(&key.constraint),
        quoted(&key.columns),
        quoted(&key.ref_table),
        quoted(&key.ref_columns),
        referential_actions(key, server)
    )
}

/// Whether this is the check that MariaDB makes for a `json` column.
fn is_json_check(key: &ListedKey, column: &ListedColumn) -> bool {
    key.kind == "check"
        && key.constraint == column.column
        && key.note == format!("json_valid({})", quoted(&column.column))
}

fn checks_json(listing: &Listing, key: &ListedKey) -> bool {
    listing
        .columns_of(&key.table)
        .any(|column| is_json_check(key, column))
}

fn default_collation(server: Server) -> &'static str {
    match server {
        Server::Mariadb => "utf8mb4_general_ci",
        _ => "utf8mb4_0900_ai_ci",
    }
}
