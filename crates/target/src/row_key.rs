//! The key of a row that the server refused, read out of the server's own words.
//!
//! The server shows the row in the detail of an error, cut and without quotes; so only keys are read
//! before which no value can hold a comma.

use catalog::TargetTable;

/// Where the values of a table's primary key stand among its columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowKey(Vec<(usize, String)>);

/// Types whose values hold no comma, in any spelling of a session of ours.
const PLAIN: [&str; 9] = [
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "boolean",
    "uuid",
    "date",
    "timestamp",
    "oid",
];

impl RowKey {
    /// Empty where the key cannot be told.
    pub(crate) fn of(table: &TargetTable) -> Self {
        let key = table.primary_key_columns();
        let place = |name: &&str| table.columns.iter().position(|column| column.name == *name);
        let places: Option<Vec<usize>> = key.iter().map(place).collect();
        let places = places.unwrap_or_default();
        let last = places.iter().max().map_or(0, |last| last + 1);
        let is_plain = table.columns[..last].iter().all(|column| {
            let spelled = column.data_type.to_string();
            PLAIN.iter().any(|plain| spelled.starts_with(plain)) && !spelled.ends_with("[]")
        });
        if !is_plain {
            return Self::default();
        }
        Self(
            places
                .into_iter()
                .zip(key.iter().map(|name| (*name).to_owned()))
                .collect(),
        )
    }

    /// The key in a detail such as `Failing row contains (5, red, ...).`
    pub(crate) fn find(&self, detail: &str) -> Option<String> {
        let (_, row) = detail.split_once('(')?;
        let values: Vec<&str> = row.trim_end_matches(['.', ')']).split(", ").collect();
        let named = self
            .0
            .iter()
            .map(|(place, name)| Some(format!("{name} {}", values.get(*place)?)));
        let named: Option<Vec<String>> = named.collect();
        named
            .filter(|named| !named.is_empty())
            .map(|named| named.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_by_its_place() {
        let key = RowKey(vec![(0, "a".to_owned()), (2, "c".to_owned())]);
        let detail = "Failing row contains (5, null, -7, red, blue (or green), ...).";
        assert_eq!(key.find(detail).as_deref(), Some("a 5, c -7"));
        assert_eq!(key.find("Failing row contains (5)."), None);
        assert_eq!(RowKey::default().find(detail), None);
    }
}
