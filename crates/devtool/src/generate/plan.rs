//! The plan of each table: how many rows, and how each column's values are made.
//!
//! Everything is decided here, once a column, from the listings of both sides; no
//! row is made here.

use anyhow::{Context, Result, bail};
use catalog::{MysqlType, PostgresType};

use super::column::{ColumnPlan, Values};
use super::counts;
use super::dirt::{Dirt, DirtKinds, gets_empty_uuids};
use super::invariants;
use super::random::seed;
use super::reference::{Reference, Shape};
use super::text::TextPlan;
use crate::listing::{ListedColumn, ListedKey, Listing};
use crate::system::{Server, System};

/// One table to be filled.
#[derive(Clone, Debug)]
pub(crate) struct TablePlan {
    pub(crate) name: String,
    pub(crate) rows: u64,
    pub(crate) columns: Vec<ColumnPlan>,
    /// Whether one of the columns is AUTO_INCREMENT.
    pub(crate) has_auto_increment: bool,
}

/// What the plans of one system are made from.
struct Planner<'a> {
    system: System,
    scale: u64,
    dirt: &'a DirtKinds,
    source: Listing,
    target: Listing,
}

/// The plans of all tables of `system`, in the order of their names.
pub(crate) fn plan(system: System, scale: u64, dirt: &DirtKinds) -> Result<Vec<TablePlan>> {
    // The two source servers differ in spelling only; MySQL's says `json`.
    let source = Listing::read(system, Server::Mysql)?;
    let target = Listing::read(system, Server::Postgres)?;
    let planner = Planner {
        system,
        scale,
        dirt,
        source,
        target,
    };
    planner
        .source
        .table_names()
        .into_iter()
        .map(|table| planner.table(table))
        .collect()
}

impl Planner<'_> {
    fn table(&self, table: &str) -> Result<TablePlan> {
        let columns: Result<Vec<ColumnPlan>> = self
            .source
            .columns_of(table)
            .map(|column| {
                self.column(column)
                    .with_context(|| format!("cannot plan `{table}.{}`", column.column))
            })
            .collect();
        let columns = columns?;
        Ok(TablePlan {
            name: table.to_owned(),
            rows: self.rows(table)?,
            has_auto_increment: columns.iter().any(|c| c.values == Values::AutoIncrement),
            columns,
        })
    }

    fn rows(&self, table: &str) -> Result<u64> {
        counts::rows(self.system, table, self.scale)
            .with_context(|| format!("table `{table}` has no row count: see generate/counts.rs"))
    }

    fn column(&self, column: &ListedColumn) -> Result<ColumnPlan> {
        let twin = self
            .target
            .columns_of(&column.table)
            .find(|c| c.column == column.column)
            .context("the target has no such column")?;
        Ok(ColumnPlan {
            name: column.column.clone(),
            seed: seed(&format!("{}.{}", column.table, column.column)),
            // The stricter side decides: a NULL must be welcome on both.
            nullable: column.is_nullable()
                && twin.is_nullable()
                && !invariants::is_required(&column.table, &column.column),
            empty_uuids: self.dirt.contains(Dirt::EmptyUuid)
                && gets_empty_uuids(&column.table, &column.column),
            values: self.values(column, twin)?,
        })
    }

    fn values(&self, column: &ListedColumn, twin: &ListedColumn) -> Result<Values> {
        if let Some(values) = self.special_values(column) {
            return Ok(values);
        }
        if let Some(values) = self.values_of_spaces(column)? {
            return Ok(values);
        }
        if let Some(reference) = self.reference(column)? {
            return Ok(Values::Reference(reference));
        }
        let target = PostgresType::parse(&twin.data_type);
        Ok(match (MysqlType::parse(&column.data_type), target) {
            _ if column.extra == "auto_increment" => Values::AutoIncrement,
            (_, PostgresType::Uuid) if self.is_primary_key(column) => Values::RowId {
                table_seed: seed(&column.table),
            },
            (_, PostgresType::Uuid) => Values::AnyUuid,
            (MysqlType::Json, target) => Values::Json {
                is_jsonb: target == PostgresType::Jsonb,
            },
            (_, PostgresType::Boolean) => Values::Boolean,
            (MysqlType::Integer { .. }, PostgresType::Integer) => Values::Int,
            (MysqlType::Integer { .. }, PostgresType::Bigint) => Values::Bigint,
            (
                MysqlType::Decimal {
                    precision, scale, ..
                },
                _,
            ) => Values::Decimal { precision, scale },
            (MysqlType::Datetime { fraction }, _) => Values::Datetime { fraction },
            (MysqlType::Timestamp { .. }, _) => Values::Timestamp,
            (MysqlType::Blob(_), PostgresType::Bytea) => Values::Blob,
            (MysqlType::Enum { labels }, _) => Values::Label(labels),
            (MysqlType::Char { length: 44 }, _) => Values::EventId,
            (MysqlType::Char { length }, target) => self.text(column, Some(length), &target, 1),
            (MysqlType::Varchar { length }, target) => self.text(column, Some(length), &target, 4),
            (MysqlType::Text(_), target) => self.text(column, None, &target, 14),
            (source, target) => bail!("no values are known for {source} to {target}"),
        })
    }

    /// Columns whose values mean something that their types do not say.
    fn special_values(&self, column: &ListedColumn) -> Option<Values> {
        Some(match (column.table.as_str(), column.column.as_str()) {
            ("authorization_policy", "credentialRules") => Values::CredentialRules,
            ("authorization_policy", "privilegeRules") => Values::PrivilegeRules,
            ("whiteboard", "content") if self.dirt.contains(Dirt::BinaryWhiteboard) => {
                Values::CompressedWhiteboard
            }
            ("whiteboard", "content") => Values::PlainWhiteboard,
            ("nvp", "value") => Values::DotLine,
            ("callout_contribution", "type") => invariants::contribution_type(),
            ("identity_credential_types", "name") => Values::CredentialTypeName,
            ("identity_credential_identifiers", "identifier") => Values::CasePair,
            // A check constraint on both sides.
            ("identity_recovery_tokens", "token_type") => Values::OneOrTwo,
            _ => return None,
        })
    }

    fn reference(&self, column: &ListedColumn) -> Result<Option<Reference>> {
        let Some(key) = self
            .source
            .foreign_keys()
            .find(|key| key.table == column.table && key.columns == column.column)
        else {
            return Ok(None);
        };
        let agreed = invariants::shape(&column.table, &column.column);
        let shape = if let Some(shape) = agreed {
            shape
        } else if key.ref_table == column.table {
            Shape::OwnTable
        } else if self.is_unique_alone(column) {
            Shape::OneToOne
        } else if self.is_primary_key(column) || self.is_in_cycle(key) {
            Shape::InTurn { rows_each: 1 }
        } else {
            Shape::Any
        };
        let parent_rows = self.rows(&key.ref_table)?;
        Ok(Some(Reference {
            parent_seed: seed(&key.ref_table),
            parent_rows,
            shape,
        }))
    }

    /// Columns of a space that have to agree with the tree of the spaces.
    fn values_of_spaces(&self, column: &ListedColumn) -> Result<Option<Values>> {
        let make = match (column.table.as_str(), column.column.as_str()) {
            ("space", "level") => Values::TreeLevel,
            ("space", "levelZeroSpaceID") => Values::TreeTop,
            _ => return Ok(None),
        };
        Ok(Some(make(Reference {
            parent_seed: seed("space"),
            parent_rows: self.rows("space")?,
            shape: Shape::Tree,
        })))
    }

    /// Whether the parent table refers back, so that rows in turn become each other's parents.
    fn is_in_cycle(&self, key: &ListedKey) -> bool {
        self.source
            .foreign_keys()
            .any(|back| back.table == key.ref_table && back.ref_table == key.table)
    }

    fn text(
        &self,
        column: &ListedColumn,
        length: Option<u32>,
        target: &PostgresType,
        words_max: u64,
    ) -> Values {
        let target_length = match target {
            PostgresType::Varchar { length } => *length,
            PostgresType::Char { length } => Some(*length),
            _ => None,
        };
        let shortest = length.into_iter().chain(target_length).min();
        Values::Text(TextPlan {
            characters_max: shortest.map(|length| length as usize),
            unique: self.is_unique(column),
            words_max,
        })
    }

    fn is_primary_key(&self, column: &ListedColumn) -> bool {
        self.has_key(column, |key| key.kind == "primary")
    }

    /// Part of a unique key. A text that is unique by itself makes every key unique
    /// that it is part of.
    fn is_unique(&self, column: &ListedColumn) -> bool {
        self.has_key(column, |key| key.kind == "unique")
    }

    fn is_unique_alone(&self, column: &ListedColumn) -> bool {
        self.has_key(column, |key| {
            key.kind == "unique" && key.columns == column.column
        })
    }

    /// Whether either side has such a key over the column: some unique keys exist in
    /// the target only.
    fn has_key(&self, column: &ListedColumn, is_such: impl Fn(&ListedKey) -> bool) -> bool {
        [&self.source, &self.target].into_iter().any(|listing| {
            listing
                .keys_of(&column.table)
                .filter(|key| is_such(key))
                .any(|key| key.column_names().contains(&column.column.as_str()))
        })
    }
}
