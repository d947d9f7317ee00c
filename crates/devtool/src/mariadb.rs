//! How a MariaDB server would report a schema of which only MySQL's listing is kept.
//!
//! It changes words only: which columns and keys exist stays as it is.
//!
//! What differs: integers show a display width; `json` is `longtext` in binary
//! collation with a check named for the column; a default is an expression, so
//! that strings are quoted and "nullable without default" is the word `NULL`;
//! functions are lower case; the default collation is another one; check
//! clauses lose the parentheses that MySQL adds.

use crate::listing::{ListedColumn, ListedKey, Listing, NO_DEFAULT};

/// The listing of the same schema on MariaDB 10.11.
pub(crate) fn derive(mysql: &Listing) -> Listing {
    let mut keys: Vec<ListedKey> = mysql.keys.iter().map(derive_key).collect();
    keys.extend(
        mysql
            .columns
            .iter()
            .filter(|c| c.data_type == "json")
            .map(json_check),
    );
    keys.sort_by(|a, b| a.table.cmp(&b.table));
    Listing {
        columns: mysql.columns.iter().map(derive_column).collect(),
        keys,
    }
}

fn derive_column(column: &ListedColumn) -> ListedColumn {
    ListedColumn {
        data_type: derive_type(&column.data_type),
        default: derive_default(column),
        extra: column
            .extra
            .replace("DEFAULT_GENERATED", "")
            .trim()
            .to_lowercase(),
        collation: match column.collation.as_str() {
            _ if column.data_type == "json" => "utf8mb4_bin".to_owned(),
            "utf8mb4_0900_ai_ci" => "utf8mb4_general_ci".to_owned(),
            other => other.to_owned(),
        },
        ..column.clone()
    }
}

fn derive_type(data_type: &str) -> String {
    match data_type {
        "int" => "int(11)",
        "bigint" => "bigint(20)",
        "tinyint" => "tinyint(4)",
        "json" => "longtext",
        other => other,
    }
    .to_owned()
}

fn derive_default(column: &ListedColumn) -> String {
    let default = column.default.as_str();
    match default {
        NO_DEFAULT if column.is_nullable() => "NULL".to_owned(),
        NO_DEFAULT => NO_DEFAULT.to_owned(),
        "CURRENT_TIMESTAMP" => "current_timestamp()".to_owned(),
        _ if column.extra.contains("DEFAULT_GENERATED") => default.to_lowercase(),
        _ if is_numeric(&column.data_type) => default.to_owned(),
        _ => catalog::quote::mysql_literal(default),
    }
}

/// Whether defaults of this type are written without quotes.
pub(crate) fn is_numeric(data_type: &str) -> bool {
    ["int", "bigint", "tinyint", "decimal"]
        .iter()
        .any(|name| data_type.starts_with(name))
}

fn derive_key(key: &ListedKey) -> ListedKey {
    if key.kind != "check" {
        return key.clone();
    }
    // MySQL puts each operand and the whole into parentheses, MariaDB none that
    // precedence makes superfluous; the two systems have disjunctions only.
    ListedKey {
        note: key.note.replace(['(', ')'], ""),
        ..key.clone()
    }
}

fn json_check(column: &ListedColumn) -> ListedKey {
    ListedKey {
        table: column.table.clone(),
        constraint: column.column.clone(),
        kind: "check".to_owned(),
        columns: String::new(),
        ref_table: String::new(),
        ref_columns: String::new(),
        on_delete: String::new(),
        on_update: String::new(),
        note: format!("json_valid({})", catalog::quote::mysql(&column.column)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::differences;
    use crate::system::{Server, System};

    /// Alkemio was read from both servers, so that the derivation can be held
    /// against the real thing.
    #[test]
    fn alkemio_derived_is_alkemio_as_mariadb_reported_it() {
        let derived = derive(&Listing::read(System::Alkemio, Server::Mysql).unwrap());
        let mut reported = Listing::read(System::Alkemio, Server::Mariadb).unwrap();
        // Two columns have the four letters NULL as their default there, which
        // MySQL's listing cannot tell from "no default".
        for column in &mut reported.columns {
            if column.default == "'NULL'" {
                assert_eq!(column.column, "licensingFrameworkId");
                column.default = "NULL".to_owned();
            }
        }
        assert_eq!(differences(&reported, &derived), Vec::<String>::new());
    }
}
