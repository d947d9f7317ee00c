//! What is compared for one table: pairs of columns, the key, and the rules that hold.
//!
//! Made once from both catalogues; asks no server.

use std::sync::Arc;

use catalog::{
    ColumnRules, KeyForm, KeySample, MysqlType, Place, PostgresType, Rule, RuleSet, SampledColumn,
    SourceColumn, SourceTable, TargetColumn, TargetTable,
};

use crate::error::{Error, Kind};
use crate::row::RowEncoder;
use crate::source_projection::{SourceProjection, Zone};
use crate::sums::{Buckets, SideSums};
use crate::target_projection::TargetProjection;

/// The plan for one table; shared by all that read it.
#[derive(Debug)]
pub struct TablePlan {
    table: String,
    pub(crate) pairs: Vec<Pair>,
    /// Positions in `pairs`; empty where the rows have no key.
    pub(crate) key: Vec<usize>,
    pub(crate) rules: Vec<Arc<Rule>>,
    not_compared: Vec<String>,
}

/// One column on both sides.
#[derive(Debug)]
pub(crate) struct Pair {
    source: SourceColumn,
    target: TargetColumn,
    pub(crate) source_projection: SourceProjection,
    pub(crate) target_projection: TargetProjection,
}

impl TablePlan {
    /// Pairs the columns of both tables by name. Generated columns are left out, those of the
    /// target alone are listed by [`TablePlan::columns_not_compared`].
    ///
    /// `datetime_zone` is the zone of `datetime` values whose target is an instant, by its
    /// name in the IANA time zone database.
    ///
    /// # Errors
    /// Where a column is in the source only, a pair of types is not comparable, the zone is not
    /// known, or nothing is left to compare.
    pub fn new(
        database: &str,
        source: &SourceTable,
        target: &TargetTable,
        rules: &RuleSet,
        datetime_zone: &str,
    ) -> Result<Self, Error> {
        let place = Place {
            database: Some(database.to_owned()),
            table: Some(source.name.clone()),
            ..Place::default()
        };
        let zone = Zone::parse(datetime_zone).ok_or_else(|| {
            let kind = Kind::UnknownZone(datetime_zone.to_owned());
            Error::new(place.clone(), kind)
        })?;
        let mut table_rules = Vec::new();
        let mut pairs = Vec::new();
        for column in source.columns.iter().filter(|c| c.generated.is_none()) {
            let column_rules = rules.for_column(&source.name, &column.name);
            let pair = Pair::new(column, target, &zone, &column_rules, &mut table_rules);
            pairs.extend(pair.map_err(|kind| {
                let column = Some(column.name.clone());
                Error::new(
                    Place {
                        column,
                        ..place.clone()
                    },
                    kind,
                )
            })?);
        }
        if pairs.is_empty() {
            return Err(Error::new(place, Kind::NothingToCompare));
        }
        Ok(Self {
            table: source.name.clone(),
            key: key(source, target, &pairs),
            not_compared: not_compared(target, &pairs),
            pairs,
            rules: table_rules,
        })
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The columns to read from the source, in this order, in the binary protocol.
    ///
    /// Each is read as it is, except an enum ([`TablePlan::reads_enum_marker`]).
    pub fn source_columns(&self) -> impl Iterator<Item = &SourceColumn> {
        self.pairs.iter().map(|pair| &pair.source)
    }

    /// The columns to COPY out of the target in binary format, in this order: the same names as
    /// [`TablePlan::source_columns`].
    pub fn target_columns(&self) -> impl Iterator<Item = &TargetColumn> {
        self.pairs.iter().map(|pair| &pair.target)
    }

    /// Whether a source column is an enum, whose index 0 must be read as the single character
    /// U+0000 (`case when col + 0 = 0 then '\0' else col end`): both it and the label `''`
    /// read as the empty text otherwise.
    pub fn reads_enum_marker(column: &SourceColumn) -> bool {
        matches!(column.data_type, MysqlType::Enum { .. })
    }

    /// The names of the key's columns; empty where the rows are compared as a multiset.
    pub fn key_columns(&self) -> impl Iterator<Item = &str> {
        self.key.iter().map(|index| self.column_name(*index))
    }

    /// Columns of the target that nothing is compared with: those that the source lacks or
    /// generates, and those that the target generates.
    pub fn columns_not_compared(&self) -> &[String] {
        &self.not_compared
    }

    /// The sample that has about so many of a hundred rows, 0 to 100; `None` where the rows have
    /// no key, or one that both servers do not spell alike.
    pub fn key_sample(&self, percent: f64) -> Option<KeySample> {
        let columns = self.key.iter().map(|index| {
            let pair = &self.pairs[*index];
            let form = key_form(&pair.source.data_type, &pair.target.data_type)?;
            (!pair.source_projection.may_change_keys()).then(|| SampledColumn {
                name: pair.source.name.clone(),
                form,
            })
        });
        let columns: Vec<SampledColumn> = columns.collect::<Option<_>>()?;
        (!columns.is_empty()).then(|| KeySample {
            columns,
            // As many of all values of four bytes; the cast keeps within them.
            below: (percent / 100.0 * f64::from(u32::MAX)) as u32,
        })
    }

    /// Empty sums for one side or a part of it.
    pub fn side_sums(&self, buckets: Buckets) -> SideSums<'_> {
        SideSums::new(RowEncoder::new(self), buckets)
    }

    /// The same with JSON as it is spelled; `None` where there is none, or where the target does
    /// not keep the spelling.
    ///
    /// What is equal so is equal. What is not has to be compared by [`TablePlan::side_sums`].
    pub fn spelled_sums(&self, buckets: Buckets) -> Option<SideSums<'_>> {
        let mut pairs = self.pairs.iter();
        pairs
            .any(|pair| pair.source_projection.may_be_spelled())
            .then(|| SideSums::new(RowEncoder::spelled(self), buckets))
    }

    pub(crate) fn column_name(&self, index: usize) -> &str {
        &self.pairs[index].source.name
    }
}

impl Pair {
    /// `Ok(None)` where the target generates the column.
    fn new(
        source: &SourceColumn,
        target: &TargetTable,
        zone: &Zone,
        column_rules: &ColumnRules,
        table_rules: &mut Vec<Arc<Rule>>,
    ) -> Result<Option<Self>, Kind> {
        let target = target.column(&source.name).ok_or(Kind::OnlyInSource)?;
        if target.generated.is_some() {
            return Ok(None);
        }
        let projection = SourceProjection::new(source, target, zone, column_rules, table_rules);
        let (source_projection, form) = projection.ok_or_else(|| Kind::NotComparable {
            source: source.data_type.to_string(),
            target: target.data_type.to_string(),
        })?;
        Ok(Some(Self {
            source: source.clone(),
            target: target.clone(),
            target_projection: TargetProjection::new(form, source_projection.may_be_spelled()),
            source_projection,
        }))
    }
}

/// The target's primary key where all of its columns are compared, else the source's.
fn key(source: &SourceTable, target: &TargetTable, pairs: &[Pair]) -> Vec<usize> {
    let positions = |columns: Vec<&str>| -> Vec<usize> {
        let position = |name: &str| pairs.iter().position(|pair| pair.source.name == name);
        let positions: Option<Vec<usize>> = columns.into_iter().map(position).collect();
        positions.unwrap_or_default()
    };
    let key = positions(target.primary_key_columns());
    match key.is_empty() {
        true => positions(source.primary_key_columns()),
        false => key,
    }
}

/// The text that both servers can make of a value, and make alike.
fn key_form(source: &MysqlType, target: &PostgresType) -> Option<KeyForm> {
    Some(match (source, target) {
        (
            MysqlType::Integer { .. },
            PostgresType::Smallint | PostgresType::Integer | PostgresType::Bigint,
        ) => KeyForm::Integer,
        (
            MysqlType::Char { .. } | MysqlType::Varchar { .. } | MysqlType::Text(_),
            PostgresType::Varchar { .. } | PostgresType::Text,
        ) => KeyForm::Text,
        (MysqlType::Char { .. } | MysqlType::Varchar { .. }, PostgresType::Uuid) => KeyForm::Uuid,
        (MysqlType::Binary { length: 16 }, PostgresType::Uuid) => KeyForm::UuidBytes,
        (MysqlType::Binary { .. } | MysqlType::Varbinary { .. }, PostgresType::Bytea) => {
            KeyForm::Bytes
        }
        _ => return None,
    })
}

fn not_compared(target: &TargetTable, pairs: &[Pair]) -> Vec<String> {
    let compared = |name: &str| pairs.iter().any(|pair| pair.target.name == name);
    let names = target.columns.iter().map(|column| &column.name);
    names.filter(|name| !compared(name)).cloned().collect()
}
