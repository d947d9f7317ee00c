//! The tables of the source that are wanted, with the type and the name of every column.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{PostgresType, SourceCatalog, SourceColumn, SourceTable};

use super::{PlanError, Wanted, not_translated, note};
use crate::expression::{self, Kind, KnownColumn};
use crate::names::quoted_where_needed;
use crate::note::{Note, NoteKind};
use crate::{
    ClosureColumn, ColumnContext, ColumnName, Mapping, NameKind, NameRequest, Need, enum_type_name,
    shortened, unique_names, unite,
};

/// Names of columns that every table of PostgreSQL has already.
///
/// Source: PostgreSQL manual, section 5.6 "System Columns".
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// What is made of the source's tables.
pub(super) struct Subject<'a> {
    pub(super) tables: Vec<SubjectTable<'a>>,
    pub(super) notes: Vec<Note>,
}

/// A table with its name in PostgreSQL.
pub(super) struct SubjectTable<'a> {
    pub(super) source: &'a SourceTable,
    pub(super) name: String,
    pub(super) columns: Vec<SubjectColumn<'a>>,
}

/// A column with its name and type in PostgreSQL.
pub(super) struct SubjectColumn<'a> {
    pub(super) source: &'a SourceColumn,
    pub(super) name: String,
    pub(super) mapping: Mapping,
    /// The expression of a generated column.
    pub(super) generated: Option<String>,
    /// The name of its sequence, where it is numbered.
    pub(super) sequence: Option<String>,
}

impl<'a> SubjectTable<'a> {
    /// A column by its name in the source.
    pub(super) fn column(&self, name: &str) -> Option<&SubjectColumn<'a>> {
        self.columns
            .iter()
            .find(|column| column.source.name == name)
    }

    /// A column as expressions need it.
    pub(super) fn known(&self, name: &str) -> Option<KnownColumn<'_>> {
        // MySQL's columns have no case.
        let same =
            |column: &&SubjectColumn<'_>| column.source.name.to_lowercase() == name.to_lowercase();
        let column = self.columns.iter().find(same)?;
        Some(KnownColumn {
            source: column.source,
            name: &column.name,
            postgres: &column.mapping.postgres,
        })
    }
}

impl<'a> Subject<'a> {
    pub(super) fn new(source: &'a SourceCatalog, wanted: &Wanted<'_>) -> Result<Self, PlanError> {
        let tables: Vec<&SourceTable> = source
            .tables
            .iter()
            .filter(|table| !wanted.exclude_tables.contains(&table.name))
            .collect();
        let enum_names = enum_names(&tables, wanted);
        let mut mappings = mappings(&tables, wanted, &enum_names)?;
        let names = names(&tables, &mappings);
        for mapping in mappings.values_mut() {
            rename_enum(mapping, &names.types);
        }
        let mut subject = Self {
            tables: Vec::new(),
            notes: Vec::new(),
        };
        for table in tables {
            let made = subject.table(table, &names, &mut mappings);
            subject.tables.push(made);
        }
        Ok(subject)
    }

    /// A table by its name in the source.
    pub(super) fn find(&self, name: &str) -> Option<&SubjectTable<'a>> {
        self.tables.iter().find(|table| table.source.name == name)
    }

    fn table(
        &mut self,
        source: &'a SourceTable,
        names: &Taken<'a>,
        mappings: &mut BTreeMap<ColumnName<'a>, Mapping>,
    ) -> SubjectTable<'a> {
        let mut table = SubjectTable {
            source,
            name: names.tables[source.name.as_str()].clone(),
            columns: Vec::new(),
        };
        let long = "names end at 63 bytes, and a move pairs by name";
        if table.name != source.name {
            let what = format!("table `{}` is `{}`", source.name, table.name);
            self.notes.push(note(NoteKind::Renamed, long, what));
        }
        for column in &source.columns {
            let place = (source.name.as_str(), column.name.as_str());
            let mapping = mappings.remove(&place).expect("every column was mapped");
            let name = shortened(&column.name);
            if name != column.name {
                let what = format!("{}.{} is `{name}`", source.name, column.name);
                self.notes.push(note(NoteKind::Renamed, long, what));
            }
            table.columns.push(SubjectColumn {
                source: column,
                name,
                mapping,
                generated: None,
                sequence: names.sequences.get(&place).cloned(),
            });
        }
        self.generate(&mut table);
        table
    }

    /// Translates generated columns, and leaves those out that it cannot.
    fn generate(&mut self, table: &mut SubjectTable<'a>) {
        let mut left_out = BTreeSet::new();
        for index in 0..table.columns.len() {
            let column = &table.columns[index];
            let Some(generated) = &column.source.generated else {
                continue;
            };
            let kind = Kind::of(&column.mapping.postgres);
            let of_plain = |name: &str| {
                let known = table.known(name)?;
                // PostgreSQL computes them at once, so none may need another.
                known.source.generated.is_none().then_some(known)
            };
            let translated =
                expression::translated(&generated.expression, of_plain).and_then(|(sql, of)| {
                    match of == kind && kind != Kind::Other {
                        true => Ok(sql),
                        false => {
                            Err("it gives a value of another type than the column's".to_owned())
                        }
                    }
                });
            match translated {
                Ok(sql) => table.columns[index].generated = Some(sql),
                Err(reason) => {
                    left_out.insert(column.source.name.clone());
                    let what = format!(
                        "{}.{} as ({})",
                        table.source.name, column.source.name, generated.expression
                    );
                    let reason = format!("generated column, left out: {reason}");
                    self.notes.push(not_translated(reason, what));
                }
            }
        }
        let columns = &mut table.columns;
        columns.retain(|column| !left_out.contains(&column.source.name));
    }
}

/// A name for the enum type of each column that has one by itself.
fn enum_names<'a>(
    tables: &[&'a SourceTable],
    wanted: &Wanted<'_>,
) -> BTreeMap<ColumnName<'a>, String> {
    let mut columns = Vec::new();
    for table in tables {
        for column in &table.columns {
            let context = context(column, None);
            let mapping = wanted
                .map
                .map(&table.name, &column.name, &column.data_type, context);
            if mapping.is_ok_and(|mapping| has_enum(&mapping)) {
                columns.push((table.name.as_str(), column.name.as_str()));
            }
        }
    }
    let wanted: Vec<String> = columns
        .iter()
        .map(|(table, column)| enum_type_name(table, column))
        .collect();
    let requests: Vec<NameRequest<'_>> = columns
        .iter()
        .zip(&wanted)
        .map(|((table, _), wanted)| NameRequest {
            kind: NameKind::Type,
            table,
            wanted,
        })
        .collect();
    columns.into_iter().zip(unique_names(&requests)).collect()
}

fn has_enum(mapping: &Mapping) -> bool {
    let is_enum = |need: &Need| matches!(need, Need::EnumType { .. });
    mapping.needs.iter().any(is_enum)
}

fn context<'n>(column: &SourceColumn, enum_name: Option<&'n String>) -> ColumnContext<'n> {
    ColumnContext {
        auto_increment: column.auto_increment,
        enum_name: enum_name.map(String::as_str),
    }
}

/// What each column becomes, foreign keys considered.
fn mappings<'a>(
    tables: &[&'a SourceTable],
    wanted: &Wanted<'_>,
    enum_names: &BTreeMap<ColumnName<'a>, String>,
) -> Result<BTreeMap<ColumnName<'a>, Mapping>, PlanError> {
    let mut mappings = BTreeMap::new();
    let mut closure = Vec::new();
    let mut unsupported = Vec::new();
    for table in tables {
        for column in &table.columns {
            let place = (table.name.as_str(), column.name.as_str());
            if SYSTEM_COLUMNS.contains(&column.name.as_str()) {
                unsupported.push(crate::Unsupported {
                    column: format!("{}.{}", table.name, column.name),
                    reason: "every table of PostgreSQL has a column of that name".to_owned(),
                    choices: Vec::new(),
                });
                continue;
            }
            let context = context(column, enum_names.get(&place));
            let (table, column, data_type) = (place.0, place.1, &column.data_type);
            match wanted.map.map(table, column, data_type, context) {
                Ok(mapping) => {
                    closure.push(ClosureColumn {
                        name: place,
                        postgres: mapping.postgres.clone(),
                        origin: mapping.origin,
                        possible: wanted.map.possible(table, column, data_type, context),
                    });
                    mappings.insert(place, mapping);
                }
                Err(error) => unsupported.push(error),
            }
        }
    }
    let united = unite(&closure, &foreign_keys(tables));
    if !unsupported.is_empty() || united.is_err() {
        return Err(PlanError {
            unsupported,
            not_united: united.err().unwrap_or_default(),
        });
    }
    for (place, postgres) in united.unwrap_or_default() {
        let table = tables.iter().find(|table| table.name == place.0);
        let column = table.and_then(|table| table.column(place.1));
        if let (Some(column), Some(mapping)) = (column, mappings.get_mut(&place))
            && mapping.postgres != postgres
        {
            let context = context(column, enum_names.get(&place));
            *mapping = wanted
                .map
                .map_as(place.0, place.1, &column.data_type, context, &postgres);
        }
    }
    Ok(mappings)
}

/// The pairs of columns that foreign keys within the schema join.
fn foreign_keys<'a>(tables: &[&'a SourceTable]) -> Vec<(ColumnName<'a>, ColumnName<'a>)> {
    let mut pairs = Vec::new();
    for table in tables {
        for key in table
            .foreign_keys
            .iter()
            .filter(|k| k.referenced_schema.is_none())
        {
            for (from, to) in key.columns.iter().zip(&key.referenced_columns) {
                let to = (key.referenced_table.as_str(), to.as_str());
                pairs.push(((table.name.as_str(), from.as_str()), to));
            }
        }
    }
    pairs
}

/// Names that other things depend on: they are decided before those of keys and constraints.
struct Taken<'a> {
    tables: BTreeMap<&'a str, String>,
    /// By the names that the enum types had for a while.
    types: BTreeMap<String, String>,
    sequences: BTreeMap<ColumnName<'a>, String>,
}

fn names<'a>(
    tables: &[&'a SourceTable],
    mappings: &BTreeMap<ColumnName<'a>, Mapping>,
) -> Taken<'a> {
    let types = types(mappings);
    let mut sequences = Vec::new();
    for table in tables {
        for column in table.columns.iter().filter(|column| column.auto_increment) {
            let wanted = format!("{}_{}_seq", table.name, column.name);
            sequences.push(((table.name.as_str(), column.name.as_str()), wanted));
        }
    }
    let request = |kind, table, wanted| NameRequest {
        kind,
        table,
        wanted,
    };
    let requests: Vec<NameRequest<'_>> = tables
        .iter()
        .map(|table| request(NameKind::Table, table.name.as_str(), table.name.as_str()))
        .chain(
            types
                .iter()
                .map(|(name, table)| request(NameKind::Type, table, name)),
        )
        .chain(
            sequences
                .iter()
                .map(|((table, _), name)| request(NameKind::Sequence, table, name)),
        )
        .collect();
    let mut given = unique_names(&requests).into_iter();
    let mut next = || given.next().expect("every request has its name");
    let tables = tables.iter().map(|table| (table.name.as_str(), next()));
    let tables = tables.collect();
    Taken {
        tables,
        types: types
            .keys()
            .map(|name| (quoted_where_needed(name), quoted_where_needed(&next())))
            .collect(),
        sequences: sequences
            .iter()
            .map(|(place, _)| (*place, next()))
            .collect(),
    }
}

/// The enum types that columns have, each with the first of their tables.
fn types<'a>(mappings: &BTreeMap<ColumnName<'a>, Mapping>) -> BTreeMap<String, &'a str> {
    let mut types = BTreeMap::new();
    for ((table, _), mapping) in mappings {
        if let PostgresType::Enum { name, .. } = &mapping.postgres {
            types.entry(unquoted(name)).or_insert(*table);
        }
    }
    types
}

/// The name behind what `format_type()` shows.
pub(super) fn unquoted(name: &str) -> String {
    match name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(inside) => inside.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

fn rename_enum(mapping: &mut Mapping, types: &BTreeMap<String, String>) {
    if let PostgresType::Enum { name, .. } = &mut mapping.postgres
        && let Some(given) = types.get(name)
    {
        *name = given.clone();
    }
}
