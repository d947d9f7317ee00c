//! Where something happened: database, table, column, key and record.
//!
//! Carried as a value and formatted last; holds key values, never other cells.

use std::fmt;

/// A place in the data, from the outside in; what is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Name of the database in the config.
    pub database: Option<String>,
    /// Table.
    pub table: Option<String>,
    /// Column.
    pub column: Option<String>,
    /// The row's key, column and value, in key order.
    pub key: Vec<(String, String)>,
    /// Number of the record in its file, the first after the header is 1.
    pub record: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = [&self.database, &self.table, &self.column]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        write!(f, "`{}`", names.join("."))?;
        if !self.key.is_empty() {
            let parts: Vec<String> = self.key.iter().map(|(c, v)| format!("{c} {v}")).collect();
            write!(f, ", row {}", parts.join(", "))?;
        }
        if let Some(record) = self.record {
            write!(f, ", record {record}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_from_the_outside_in() {
        let place = Place {
            database: Some("alkemio".to_owned()),
            table: Some("user".to_owned()),
            column: Some("email".to_owned()),
            key: vec![("id".to_owned(), "7".to_owned())],
            record: Some(12),
        };
        assert_eq!(
            place.to_string(),
            "`alkemio.user.email`, row id 7, record 12"
        );
    }
}
