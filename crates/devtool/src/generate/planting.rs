//! Dirt that is planted into rows that are there, and the list of all that was planted.
//!
//! Every planting names its rows by number, so that the same load always has the same dirt.

use serde::Serialize;

use super::column::Values;
use super::dirt::{Dirt, DirtKinds, gets_empty_uuids, is_empty_uuid_row};
use super::plan::TablePlan;
use super::random::{row_id, seed};
use super::value::Value;
use super::violations::{Violation, violations};
use crate::system::System;

/// How many keys of a finding `assess` lists.
const KEYS_MAX: usize = 10;

/// Rows that are changed into dirt.
struct Planting {
    kind: Dirt,
    system: System,
    table: &'static str,
    place: Place,
    /// What `assess` calls it.
    finding: &'static str,
    rows: &'static [u64],
    /// The statement for a row; `{table}`, `{id}` and `{first}` (row 0) are put in.
    sql: &'static str,
}

/// A column, or a constraint of the target.
#[derive(Clone, Copy)]
enum Place {
    Column(&'static str),
    Constraint(&'static str),
}

use Place::{Column, Constraint};
use System::{Alkemio, Kratos};

// Columns that change by themselves are set to what they are, or two loads would differ.
const PLANTINGS: &[Planting] = &[
    Planting {
        kind: Dirt::InvalidUuid,
        system: Alkemio,
        table: "callout",
        place: Column("createdBy"),
        finding: "invalid_uuid",
        rows: &[6, 7],
        sql: "update {table} set createdBy = 'a name', updatedDate = updatedDate where id = {id}",
    },
    Planting {
        kind: Dirt::NullInNotNull,
        system: Kratos,
        table: "selfservice_login_flows",
        place: Column("request_url"),
        finding: "null_in_not_null",
        rows: &[0, 3, 4],
        sql: "update {table} set request_url = null where id = {id}",
    },
    Planting {
        kind: Dirt::ZeroDate,
        system: Alkemio,
        table: "calendar_event",
        place: Column("startDate"),
        finding: "zero_date",
        rows: &[1, 2],
        sql: "update {table} set startDate = '0000-00-00', updatedDate = updatedDate where id = {id}",
    },
    Planting {
        kind: Dirt::InvalidDate,
        system: Kratos,
        table: "sessions",
        place: Column("expires_at"),
        finding: "invalid_date",
        rows: &[9],
        sql: "update {table} set expires_at = '2024-02-00' where id = {id}",
    },
    Planting {
        kind: Dirt::NulByte,
        system: Alkemio,
        table: "reference",
        place: Column("uri"),
        finding: "nul_byte",
        rows: &[5],
        sql: "update {table} set uri = 'a\\0b', updatedDate = updatedDate where id = {id}",
    },
    Planting {
        kind: Dirt::JsonNul,
        system: Kratos,
        table: "identities",
        place: Column("metadata_admin"),
        finding: "json_nul",
        rows: &[8, 11],
        sql: "update {table} set metadata_admin = '{\"a\": \"\\\\u0000\"}' where id = {id}",
    },
    Planting {
        kind: Dirt::NotBoolean,
        system: Alkemio,
        table: "calendar_event",
        place: Column("wholeDay"),
        finding: "not_boolean",
        rows: &[3],
        sql: "update {table} set wholeDay = 2, updatedDate = updatedDate where id = {id}",
    },
    Planting {
        kind: Dirt::EnumUnknown,
        system: Alkemio,
        table: "profile",
        place: Column("type"),
        finding: "enum_unknown",
        rows: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        sql: "update {table} set type = 0, updatedDate = updatedDate where id = {id}",
    },
    Planting {
        kind: Dirt::Orphan,
        system: Kratos,
        table: "sessions",
        place: Constraint("sessions_identity_id_fkey"),
        finding: "orphan",
        rows: &[12, 13],
        sql: "update {table} set identity_id = 'ffffffff-0000-4000-8000-000000000000' where id = {id}",
    },
    Planting {
        kind: Dirt::Duplicate,
        system: Kratos,
        table: "session_devices",
        place: Constraint("unique_session_device"),
        finding: "duplicate",
        rows: &[1, 2],
        sql: "update {table} o join {table} f on f.id = {first} \
              set o.ip_address = '192.0.2.7', f.ip_address = '192.0.2.7', \
                  o.user_agent = 'dirt', f.user_agent = 'dirt', \
                  o.session_id = f.session_id, o.nid = f.nid where o.id = {id}",
    },
    Planting {
        kind: Dirt::EncodedTwice,
        system: Alkemio,
        table: "organization",
        place: Column("legalEntityName"),
        finding: "suspect_encoding",
        rows: &[4],
        sql: "update {table} set legalEntityName = 'ZÃ¼rich AG', updatedDate = updatedDate \
              where id = {id}",
    },
];

/// Something that was planted, as `assess` has to find it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Planted {
    database: &'static str,
    table: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraint: Option<String>,
    /// The check that is violated, by group and name; `assess` knows nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'static str>,
    kind: &'static str,
    rows: usize,
    /// The first of the rows' keys.
    keys: Vec<Key>,
}

/// A row's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Key {
    id: String,
}

impl Planted {
    fn new(
        system: System,
        table: &str,
        place: (Option<&str>, Option<&str>),
        kind: &'static str,
        rows: &[u64],
    ) -> Self {
        let table_seed = seed(table);
        let first = rows.iter().take(KEYS_MAX);
        Self {
            database: system.name(),
            table: table.to_owned(),
            column: place.0.map(str::to_owned),
            constraint: place.1.map(str::to_owned),
            check: None,
            kind,
            rows: rows.len(),
            keys: first
                .map(|row| Key {
                    id: row_id(table_seed, *row),
                })
                .collect(),
        }
    }
}

/// The statements that plant into a loaded system, for a session that is in its database; `quoted`
/// makes a table's name.
pub(crate) fn statements(
    system: System,
    dirt: &DirtKinds,
    quoted: impl Fn(&str) -> String,
) -> Vec<String> {
    let mut statements = Vec::new();
    for planting in plantings(system, dirt) {
        let table_seed = seed(planting.table);
        let id = |row| format!("'{}'", row_id(table_seed, row));
        let sql = planting.sql.replace("{table}", &quoted(planting.table));
        let sql = sql.replace("{first}", &id(0));
        let rows = planting.rows.iter();
        statements.extend(rows.map(|row| sql.replace("{id}", &id(*row))));
    }
    statements.extend(violations(system, dirt).map(Violation::statement));
    statements
}

/// All that a load plants into a system, with the rows that `tables` make.
pub(crate) fn planted(system: System, dirt: &DirtKinds, tables: &[TablePlan]) -> Vec<Planted> {
    let changed = plantings(system, dirt).map(|planting| {
        let place = match planting.place {
            Column(column) => (Some(column), None),
            Constraint(constraint) => (None, Some(constraint)),
        };
        Planted::new(
            system,
            planting.table,
            place,
            planting.finding,
            planting.rows,
        )
    });
    let mut planted: Vec<Planted> = changed.collect();
    planted.extend(violations(system, dirt).map(|violation| {
        let kind = Dirt::ViolatedCheck.name();
        let planted = Planted::new(system, violation.table, (None, None), kind, violation.rows);
        Planted {
            check: Some(violation.check),
            ..planted
        }
    }));
    for table in tables {
        for column in &table.columns {
            let mut add = |kind, is_such: &dyn Fn(u64) -> bool| {
                let rows: Vec<u64> = (0..table.rows).filter(|row| is_such(*row)).collect();
                let place = (Some(column.name.as_str()), None);
                planted.push(Planted::new(system, &table.name, place, kind, &rows));
            };
            if column.empty_uuids && gets_empty_uuids(&table.name, &column.name) {
                add("empty_uuid", &is_empty_uuid_row);
            }
            if column.values == Values::CompressedWhiteboard {
                let text = |row| match column.value(row) {
                    Value::Text(text) => text,
                    _ => String::new(),
                };
                add("suspect_encoding", &|row| !text(row).is_empty());
                add("nul_byte", &|row| text(row).contains('\0'));
            }
        }
    }
    planted
}

/// Whether the load has put an end to a foreign key of the target that the system's source has
/// under another name: then its orphans are meant.
pub(crate) fn has_orphans(system: System, dirt: &DirtKinds, table: &str) -> bool {
    plantings(system, dirt).any(|planting| planting.kind == Dirt::Orphan && planting.table == table)
}

fn plantings(system: System, dirt: &DirtKinds) -> impl Iterator<Item = &'static Planting> {
    PLANTINGS
        .iter()
        .filter(move |planting| planting.system == system && dirt.contains(planting.kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::plan;

    #[test]
    fn every_kind_is_planted_somewhere_and_rows_are_there() {
        let all = DirtKinds::parse("all").unwrap();
        for kind in Dirt::ALL {
            let by_change = PLANTINGS.iter().any(|planting| planting.kind == kind);
            let otherwise = [
                Dirt::EmptyUuid,
                Dirt::BinaryWhiteboard,
                Dirt::ViolatedCheck,
                Dirt::Others,
            ];
            assert_ne!(by_change, otherwise.contains(&kind), "{}", kind.name());
        }
        for system in System::ALL {
            let tables = plan(system, 1, &all).unwrap();
            for planting in plantings(system, &all) {
                let table = tables.iter().find(|table| table.name == planting.table);
                let rows = table.unwrap().rows;
                assert!(planting.rows.iter().all(|row| *row < rows));
                assert!(planting.rows.is_sorted(), "keys are listed in their order");
            }
            for violation in violations(system, &all) {
                let table = tables.iter().find(|table| table.name == violation.table);
                let rows = table.unwrap().rows;
                assert!(violation.rows.iter().all(|row| *row < rows));
            }
            let planted = planted(system, &all, &tables);
            assert!(planted.iter().all(|planted| planted.rows > 0));
            assert!(planted.len() >= 5);
        }
    }

    #[test]
    fn clean_fixtures_have_nothing_planted() {
        let none = DirtKinds::parse("none").unwrap();
        for system in System::ALL {
            let tables = plan(system, 1, &none).unwrap();
            assert_eq!(planted(system, &none, &tables), []);
            assert_eq!(
                statements(system, &none, str::to_owned),
                Vec::<String>::new()
            );
        }
    }
}
