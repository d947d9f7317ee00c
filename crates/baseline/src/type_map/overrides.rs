//! What the configuration says against the type map: `types`, by type or by column.
//!
//! Decides what a key and a choice mean; the file itself is read elsewhere.

use std::collections::BTreeMap;
use std::fmt;

use catalog::{ColumnPattern, MysqlType};

use super::row::Row;
use super::{Origin, row_of, rows};

/// The checked `types` of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeOverrides {
    /// By type as the catalogue spells it, with its length: `char(36)`.
    exact: BTreeMap<String, &'static str>,
    /// By the type's name alone: `char`.
    general: BTreeMap<String, &'static str>,
    columns: BTreeMap<(String, String), &'static str>,
}

/// A key or a choice that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideError {
    /// The key at fault.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
    /// What was written in the place of one of `known`.
    pub written: String,
    /// What could stand there; empty where nothing could.
    pub known: Vec<&'static str>,
}

impl fmt::Display for OverrideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.key, self.message)
    }
}

impl std::error::Error for OverrideError {}

/// The types that a key may name without their lengths.
const NAMES: [&str; 47] = [
    "tinyint(1)",
    "tinyint",
    "tinyint unsigned",
    "smallint",
    "smallint unsigned",
    "mediumint",
    "mediumint unsigned",
    "int",
    "int unsigned",
    "bigint",
    "bigint unsigned",
    "decimal",
    "decimal unsigned",
    "float",
    "double",
    "bit",
    "char",
    "varchar",
    "tinytext",
    "text",
    "mediumtext",
    "longtext",
    "binary",
    "varbinary",
    "tinyblob",
    "blob",
    "mediumblob",
    "longblob",
    "date",
    "datetime",
    "timestamp",
    "time",
    "year",
    "enum",
    "set",
    "json",
    "uuid",
    "inet4",
    "inet6",
    "point",
    "geometry",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geomcollection",
];

/// Other names of types, and of choices, that both systems take for the same.
const SYNONYMS: [(&str, &str); 11] = [
    ("integer", "int"),
    ("integer unsigned", "int unsigned"),
    ("numeric", "decimal"),
    ("numeric unsigned", "decimal unsigned"),
    ("real", "double"),
    ("bool", "tinyint(1)"),
    ("boolean", "tinyint(1)"),
    ("geometrycollection", "geomcollection"),
    ("float unsigned", "float"),
    ("double unsigned", "double"),
    ("year(4)", "year"),
];
/// Types that an entry of another one covers where they have none of their own.
const COVERED_BY: [(&str, &str); 3] = [
    ("multipoint", "geometry"),
    ("multilinestring", "geometry"),
    ("multipolygon", "geometry"),
];
const CHOICE_SYNONYMS: [(&str, &str); 8] = [
    ("bool", "boolean"),
    ("int", "integer"),
    ("double", "double precision"),
    ("character", "char"),
    ("character varying", "varchar"),
    ("timestamp without time zone", "timestamp"),
    ("timestamp with time zone", "timestamptz"),
    ("decimal", "numeric"),
];

impl TypeOverrides {
    /// Reads the entries of `types`: a type or `table.column`, and what it becomes.
    ///
    /// # Errors
    /// Where a key is neither, names what another has named, or its type has no such choice.
    pub fn parse<'e>(
        entries: impl IntoIterator<Item = (&'e str, &'e str)>,
    ) -> Result<Self, OverrideError> {
        let mut overrides = Self::default();
        for (key, choice) in entries {
            if overrides.add(key, choice)?.is_some() {
                return Err(error(key, "is named for the second time"));
            }
        }
        Ok(overrides)
    }

    /// The columns that are named, as (table, column): each should be in the catalogue.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.columns.keys();
        names.map(|(table, column)| (table.as_str(), column.as_str()))
    }

    /// What the configuration chose for a column: the column's own entry goes before one of its
    /// type with the length, and that before one of its type without.
    pub(super) fn choice(
        &self,
        table: &str,
        column: &str,
        data_type: &MysqlType,
    ) -> Option<(&'static str, Origin)> {
        let of_column = self.columns.get(&(table.to_owned(), column.to_owned()));
        if let Some(name) = of_column {
            return Some((name, Origin::ColumnOverride));
        }
        let spelled = data_type.to_string();
        let of_type = self.exact.get(&spelled);
        let name = general(&spelled);
        let of_type = of_type.or_else(|| self.general.get(&name));
        let of_type = of_type.or_else(|| self.general.get(synonym(&COVERED_BY, &name)?));
        of_type.map(|name| (*name, Origin::TypeOverride))
    }

    /// Returns what the key had already.
    fn add(&mut self, key: &str, choice: &str) -> Result<Option<&'static str>, OverrideError> {
        let key_text = key.trim();
        if is_column(key_text) {
            let (table, column) = column_key(key_text)?;
            let choice = known_choice(key, choice, rows())?;
            return Ok(self.columns.insert((table, column), choice));
        }
        let parsed = MysqlType::parse(key_text);
        if key_text.contains('(') && row_of(&parsed).is_some() {
            let choice = known_choice(key, choice, row_of(&parsed).into_iter())?;
            // `tinyint(1)` and `int(11)` are names without a length.
            let spelled = parsed.to_string();
            let map = match spelled.contains('(') && !NAMES.contains(&spelled.as_str()) {
                true => &mut self.exact,
                false => &mut self.general,
            };
            return Ok(map.insert(spelled, choice));
        }
        let name = name_key(key_text).ok_or_else(|| OverrideError {
            written: key_text.to_owned(),
            known: NAMES.to_vec(),
            ..error(key, "is neither a type of MySQL nor `table.column`")
        })?;
        let choice = known_choice(key, choice, rows_of_name(name))?;
        Ok(self.general.insert(name.to_owned(), choice))
    }
}

/// A type's name without its length: `decimal(10,2) unsigned` is `decimal unsigned`. `tinyint(1)`
/// is a type of its own.
fn general(spelled: &str) -> String {
    if spelled == "tinyint(1)" {
        return spelled.to_owned();
    }
    let Some((before, after)) = spelled.split_once('(') else {
        let lower = spelled.to_ascii_lowercase();
        return synonym(&SYNONYMS, &lower).unwrap_or(&lower).to_owned();
    };
    let sign = match after.rsplit_once(')') {
        Some((_, " unsigned")) => " unsigned",
        _ => "",
    };
    format!("{}{sign}", before.trim().to_ascii_lowercase())
}

/// Points within a label or a quoted name are no sign of a column.
fn is_column(key: &str) -> bool {
    let end = key.find(['(', '`']).unwrap_or(key.len());
    key[..end].contains('.') || key[end..].starts_with('`')
}

fn column_key(key: &str) -> Result<(String, String), OverrideError> {
    let pattern = ColumnPattern::parse(key);
    let names = pattern
        .ok()
        .and_then(|pattern| Some((pattern.table?, pattern.column?)));
    names.ok_or_else(|| error(key, "is not `table.column`; `*` stands for nothing here"))
}

fn name_key(key: &str) -> Option<&'static str> {
    let words: Vec<String> = key.split_whitespace().map(str::to_lowercase).collect();
    let name = words.join(" ");
    let name = synonym(&SYNONYMS, &name).unwrap_or(&name);
    NAMES.into_iter().find(|known| *known == name)
}

fn synonym(synonyms: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    let found = synonyms.iter().find(|(other, _)| *other == name);
    found.map(|(_, meant)| *meant)
}

/// The lines of the table that types of a name belong to.
fn rows_of_name(name: &str) -> impl Iterator<Item = &'static Row> {
    let name = name.to_owned();
    let bare = row_of(&MysqlType::parse(&name));
    let others = rows().filter(move |row| general(row.example) == name);
    bare.into_iter().chain(others)
}

fn known_choice(
    key: &str,
    written: &str,
    rows: impl Iterator<Item = &'static Row>,
) -> Result<&'static str, OverrideError> {
    let words: Vec<String> = written.split_whitespace().map(str::to_lowercase).collect();
    let name = words.join(" ");
    let name = synonym(&CHOICE_SYNONYMS, &name).unwrap_or(&name);
    let mut known: Vec<&'static str> = Vec::new();
    for choice in rows.flat_map(|row| row.choices) {
        if choice.name == name {
            return Ok(choice.name);
        }
        if !known.contains(&choice.name) {
            known.push(choice.name);
        }
    }
    let message = match known.is_empty() {
        true => "there is nothing to choose for this type".to_owned(),
        false => format!("cannot be `{written}`"),
    };
    Err(OverrideError {
        written: written.to_owned(),
        known,
        ..error(key, &message)
    })
}

fn error(key: &str, message: &str) -> OverrideError {
    OverrideError {
        key: key.to_owned(),
        message: message.to_owned(),
        written: String::new(),
        known: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(entries: &[(&str, &str)]) -> Result<TypeOverrides, OverrideError> {
        TypeOverrides::parse(entries.iter().copied())
    }

    #[test]
    fn a_column_goes_before_a_length_and_a_length_before_a_name() {
        let overrides = parse(&[
            ("char", "text"),
            ("CHAR(36)", "uuid"),
            ("event.kind", "varchar"),
            ("`a.b`.`c d`", "citext"),
            ("integer", "bigint"),
            ("decimal unsigned", "numeric"),
            ("bool", "smallint"),
            ("datetime", "timestamp with time zone"),
            ("enum('a.b')", "check"),
        ])
        .unwrap();
        let choice = |table, column, data_type| {
            let data_type = MysqlType::parse(data_type);
            overrides
                .choice(table, column, &data_type)
                .map(|(name, _)| name)
        };
        for (table, column, data_type, chosen) in [
            ("event", "kind", "char(36)", Some("varchar")),
            ("a.b", "c d", "char(36)", Some("citext")),
            ("event", "id", "char(36)", Some("uuid")),
            ("event", "id", "char(35)", Some("text")),
            ("event", "id", "int(11)", Some("bigint")),
            ("event", "id", "int unsigned", None),
            ("event", "id", "decimal(9,2) unsigned", Some("numeric")),
            ("event", "id", "decimal(9,2)", None),
            ("event", "id", "tinyint(1)", Some("smallint")),
            ("event", "id", "tinyint", None),
            ("event", "id", "datetime(3)", Some("timestamptz")),
            ("event", "id", "enum('a.b')", Some("check")),
            ("event", "id", "enum('a')", None),
        ] {
            assert_eq!(choice(table, column, data_type), chosen, "{data_type}");
        }
        let shapes = [("geometry", "geometry"), ("multipoint", "bytea")];
        let overrides_of_shapes = parse(&shapes).unwrap();
        for (data_type, chosen) in [
            ("geometry", "geometry"),
            ("multipoint", "bytea"),
            ("multipolygon", "geometry"),
        ] {
            let data_type = MysqlType::parse(data_type);
            let choice = overrides_of_shapes.choice("t", "c", &data_type);
            assert_eq!(choice.map(|(name, _)| name), Some(chosen), "{data_type}");
        }
        let columns: Vec<_> = overrides.columns().collect();
        assert_eq!(columns, [("a.b", "c d"), ("event", "kind")]);
    }

    #[test]
    fn mistakes_name_what_can_be_written() {
        for (key, choice, message, known) in [
            (
                "datetim",
                "timestamp",
                "is neither a type of MySQL nor `table.column`",
                "datetime",
            ),
            ("datetime", "date", "cannot be `date`", "timestamptz"),
            ("char(35)", "uuid", "cannot be `uuid`", "varchar"),
            ("set", "jsonb", "cannot be `jsonb`", "text[]"),
            ("a.b", "strange", "cannot be `strange`", "geometry"),
        ] {
            let error = parse(&[(key, choice)]).unwrap_err();
            assert_eq!(error.message, message, "{key}");
            assert!(error.known.contains(&known), "{key}: {:?}", error.known);
        }
        let error = parse(&[("vector(3)", "text")]).unwrap_err();
        assert_eq!(error.message, "there is nothing to choose for this type");
        let error = parse(&[("*.kind", "text")]).unwrap_err();
        assert!(error.message.contains("is not `table.column`"), "{error}");
        let error = parse(&[("int", "bigint"), ("int(11)", "integer")]).unwrap_err();
        assert_eq!(error.message, "is named for the second time");
    }

    #[test]
    fn every_name_is_a_type_with_something_to_choose() {
        for name in NAMES {
            assert!(rows_of_name(name).next().is_some(), "{name}");
        }
        for row in rows().filter(|row| !row.choices.is_empty()) {
            let name = general(row.example);
            assert!(NAMES.contains(&name.as_str()), "{name}");
        }
    }
}
