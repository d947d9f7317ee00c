//! What both schemas tell by themselves: tables and columns on one side, and what the target will
//! not do as the source did.
//!
//! Rows are only counted.

use catalog::{Check, ObjectKind, SourceTable, TargetCatalog, TargetColumn, quote};
use source::Reader;

use super::finding::Finding;
use super::kinds;
use super::source_rows::{count_where, number};
use super::table::Subject;
use crate::config::{Database, SchemaOwner};
use crate::pairing::{Catalogs, Sides};

/// Tables in which others keep books about a schema, or about nothing that has to be kept.
const BOOKKEEPING: [&str; 14] = [
    "__EFMigrationsHistory",
    "_prisma_migrations",
    "alembic_version",
    "databasechangelog",
    "databasechangeloglock",
    "django_migrations",
    "flyway_schema_history",
    "knex_migrations",
    "knex_migrations_lock",
    "migrations_typeorm",
    "query-result-cache",
    "schema_migration",
    "schema_migrations",
    "typeorm_metadata",
];

/// Everything about whole tables.
///
/// # Errors
/// Where a server refuses.
pub(crate) fn of_tables(
    database: &Database,
    catalogs: &Catalogs,
    sides: &Sides<'_>,
    reader: &mut Reader,
) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let new = |kind, table: &str| Finding::new(&database.name, kind).table(table);
    for table in &sides.source_only {
        let count = count_where(reader, database.source_name(), table, "true")?;
        findings.push(new(kinds::TABLE_ONLY_IN_SOURCE, &table.name).count(count));
    }
    for table in &sides.target_only {
        findings.push(new(kinds::TABLE_ONLY_IN_TARGET, &table.name));
    }
    for pair in &sides.pairs {
        let name = pair.source.name.as_str();
        if BOOKKEEPING.contains(&name) {
            let rows = reader.count_rows(database.source_name(), pair.source)?;
            findings.push(new(kinds::BOOKKEEPING_TABLE, name).rows(rows));
        }
    }
    for table in sides.pairs.iter().map(|pair| pair.source) {
        let overlaps = table
            .keys
            .iter()
            .filter(|key| key.without_overlaps.is_some());
        let overlaps = overlaps.map(|key| format!("key `{}` without overlaps", key.name));
        for part in table.other_parts.iter().cloned().chain(overlaps) {
            findings.push(new(kinds::SOURCE_PART, &table.name).object(&part));
        }
    }
    for other in &catalogs.source.others {
        let in_target = catalogs.target.others.iter();
        let bare = |name: &str| name.split('(').next().unwrap_or_default().to_owned();
        let is_there = in_target
            .filter(|there| there.kind == other.kind && there.table == other.table)
            .any(|there| bare(&there.name) == bare(&other.name));
        if !is_there {
            findings.push(not_converted(
                database,
                other.kind,
                other.table.as_deref(),
                &other.name,
            ));
        }
    }
    Ok(findings)
}

fn not_converted(
    database: &Database,
    kind: ObjectKind,
    table: Option<&str>,
    name: &str,
) -> Finding {
    let finding = Finding::new(&database.name, kinds::NOT_CONVERTED);
    let finding = match table {
        Some(table) => finding.table(table),
        None => finding,
    };
    finding.object(name).detail(kind.label())
}

/// The extensions without which the target's schema cannot be made; where it has tables, it was
/// made without.
///
/// # Errors
/// Where the server refuses.
pub(crate) fn of_extensions(
    database: &Database,
    target: &mut target::Connection,
    catalog: &TargetCatalog,
) -> anyhow::Result<Vec<Finding>> {
    let mut needed = Vec::new();
    if database.schema_owner == SchemaOwner::Typeorm && catalog.tables.is_empty() {
        needed.push("uuid-ossp");
    }
    let mut findings = Vec::new();
    for name in needed {
        let extension = target.extension(name)?;
        if extension != target::Extension::Installed {
            let detail = match extension {
                target::Extension::Missing => "the server lacks its files: postgresql-contrib",
                _ => "the server has its files",
            };
            let finding = Finding::new(&database.name, kinds::MISSING_EXTENSION);
            findings.push(finding.object(name).detail(detail));
        }
    }
    Ok(findings)
}

/// Completes what the plan of a table found about columns that cannot be moved: how many rows
/// have a value there.
///
/// # Errors
/// Where the server refuses.
pub(crate) fn count_misfits(
    reader: &mut Reader,
    database: &Database,
    table: &SourceTable,
    findings: Vec<Finding>,
) -> anyhow::Result<Vec<Finding>> {
    let name = database.source_name();
    let mut counted = Vec::new();
    for finding in findings {
        let column = finding.column.as_deref().unwrap_or_default();
        let finding = match table.column(column) {
            Some(column) => {
                let condition = format!("{} is not null", quote::mysql(&column.name));
                let count = count_where(reader, name, table, &condition)?;
                finding.count(count)
            }
            None => {
                let rows = reader.count_rows(name, table)?;
                finding.rows(rows)
            }
        };
        counted.push(finding);
    }
    Ok(counted)
}

/// Everything about the columns and foreign keys of a table but what its rows tell; `rows` is
/// how many the table has, `triggers` whether the target has one on it.
pub(crate) fn of_columns(
    database: &Database,
    subject: &Subject,
    target: &TargetCatalog,
    rows: u64,
) -> Vec<Finding> {
    let table = subject.source.name.as_str();
    let new = |kind| Finding::new(&database.name, kind).table(table).rows(rows);
    let mut findings = Vec::new();
    for column in subject.plan.left_out() {
        let default = subject.target.column(column).map(default_of);
        let finding = new(kinds::COLUMN_ONLY_IN_TARGET).column(column);
        findings.push(finding.detail(default.unwrap_or_default()));
    }
    let has_trigger = target
        .others
        .iter()
        .any(|other| other.kind == ObjectKind::Trigger && other.table.as_deref() == Some(table));
    for column in &subject.source.columns {
        if let Some(on_update) = column.on_update.as_ref().filter(|_| !has_trigger) {
            let finding = new(kinds::ON_UPDATE).column(&column.name);
            findings.push(finding.detail(format!("on update {on_update}")));
        }
    }
    for column in &subject.target.columns {
        let numbered = subject
            .source
            .column(&column.name)
            .is_some_and(|c| c.auto_increment);
        let next = subject.source.auto_increment.filter(|_| numbered);
        let (Some(sequence), Some(next)) = (&column.sequence, next) else {
            continue;
        };
        // At one more than the last it is exhausted, as the source's column is.
        if i128::from(next) > i128::from(sequence.max) + 1 {
            let detail = format!("{next} is next; {} ends at {}", sequence.name, sequence.max);
            let finding = new(kinds::SEQUENCE_EXHAUSTED).column(&column.name);
            findings.push(finding.detail(detail));
        }
    }
    for check in checks_not_judged(database, subject) {
        let finding = new(kinds::CHECK_NOT_JUDGED).constraint(&check.name);
        findings.push(finding.detail(&check.expression));
    }
    for key in subject.target.foreign_keys_without_index() {
        let names: Vec<String> = key.columns.iter().map(|c| quote::postgres(c)).collect();
        let sql = format!(
            "in the target: create index on {} ({})",
            quote::postgres_qualified(&database.target_schema, table),
            names.join(", ")
        );
        let finding = new(kinds::FOREIGN_KEY_WITHOUT_INDEX).constraint(&key.name);
        findings.push(
            finding
                .detail(key.columns.join(", "))
                .hint(quote::postgres_shown(&sql)),
        );
    }
    findings
}

/// Checks of the target that the source does not have: what they say of its rows shows in the load.
/// Those of a baseline hold for all rows that its source takes.
fn checks_not_judged<'s>(
    database: &Database,
    subject: &'s Subject,
) -> impl Iterator<Item = &'s Check> {
    let is_own = database.schema_owner == SchemaOwner::Converge;
    let checks = subject.target.checks.iter();
    checks.filter(move |check| {
        let in_source = subject.source.checks.iter();
        let mut enforced = in_source.filter(|there| there.enforced);
        check.enforced && !is_own && !enforced.any(|there| there.name == check.name)
    })
}

fn default_of(column: &TargetColumn) -> String {
    match &column.default {
        Some(default) => format!("default {default}"),
        None if column.auto_increment => "numbered by the target".to_owned(),
        None => "NULL".to_owned(),
    }
}

/// Rows that the target's tables already hold, where they may not be replaced.
///
/// # Errors
/// Where the server refuses.
pub(crate) fn of_target_rows(
    database: &Database,
    target: &mut target::Connection,
    sides: &Sides<'_>,
) -> anyhow::Result<Vec<Finding>> {
    let closed = sides.pairs.iter().map(|pair| pair.target);
    let closed = closed.filter(|table| !database.target_rows.replace(&table.name));
    let tables: Vec<_> = closed.collect();
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let mut findings = Vec::new();
    for name in target.occupied_tables(&database.target_schema, &names)? {
        let place = quote::postgres_qualified(&database.target_schema, &name);
        let rows = target.query_text(&format!("select count(*)::text from {place}"))?;
        let finding = Finding::new(&database.name, kinds::TARGET_NOT_EMPTY).table(&name);
        findings.push(finding.rows(number(rows)));
    }
    Ok(findings)
}
