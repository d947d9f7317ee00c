//! `baseline apply`: makes the target's schema, or checks that its owner has made it.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use catalog::quote;
use target::ApplyOutcome;

use crate::args::CommonArgs;
use crate::config::{Database, SchemaOwner};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task, Work};
use crate::run::Session;

const TASK: Task = Task {
    name: "baseline apply",
    sides: &[Side::Target],
    leaves: "a baseline is applied as a whole or not at all",
    is_kept: true,
};

/// What `baseline apply --output json` prints.
#[derive(Debug, Serialize)]
struct Document {
    schema_version: u32,
    databases: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    /// `applied`, or `present` where the schema's owner has made it.
    outcome: &'static str,
    detail: String,
}

pub(super) fn run(
    common: &CommonArgs,
    from: Option<&Path>,
    interrupt: Interrupt,
) -> anyhow::Result<()> {
    let session = Session::open(common, interrupt)?;
    let mut databases: Vec<Entry> = Vec::new();
    for database in &session.config.databases {
        session.interrupt.check()?;
        let apply = || apply(database, from);
        let done = databases.iter().map(|entry| &entry.name);
        let work = Work::outside(&TASK, &session.call, database).after(done);
        databases.push(work.watched(database, apply)?);
    }
    let lines = databases
        .iter()
        .map(|entry| format!("{}: {} ({})\n", entry.name, entry.outcome, entry.detail));
    let human: String = lines.collect();
    let document = Document {
        schema_version: 1,
        databases,
    };
    session.console.result(&human, &document)?;
    Ok(())
}

fn apply(database: &Database, from: Option<&Path>) -> anyhow::Result<Entry> {
    let mut connection = target::Connection::open(&database.target)?;
    let (outcome, detail) = match database.schema_owner {
        SchemaOwner::Converge => ("applied", apply_scripts(database, &mut connection, from)?),
        _ => ("present", check_owner(database, &mut connection)?),
    };
    Ok(Entry {
        name: database.name.clone(),
        outcome,
        detail,
    })
}

/// Runs a committed baseline in one transaction.
fn apply_scripts(
    database: &Database,
    connection: &mut target::Connection,
    from: Option<&Path>,
) -> anyhow::Result<String> {
    let from = from.ok_or_else(|| {
        Failure::usage(format!("database `{}` needs a baseline", database.name))
            .hint("name the directory with <database>/pre_data.sql and post_data.sql: --from DIR")
    })?;
    let read = |name: &str| {
        let path = from.join(&database.name).join(name);
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    };
    let (pre_data, post_data) = (read("pre_data.sql")?, read("post_data.sql")?);
    match target::apply_scripts(
        connection,
        &database.target_schema,
        &[&pre_data, &post_data],
    )? {
        ApplyOutcome::Applied => Ok(format!("schema {}", database.target_schema)),
        ApplyOutcome::NotEmpty(objects) => Err(Failure::blocked(format!(
            "schema `{}` of target `{}` is not empty: {}",
            database.target_schema,
            database.name,
            objects.join(", ")
        ))
        .hint("apply the baseline to an empty schema; nothing was changed")
        .into()),
    }
}

/// For schemas that others make: says how far their migrations have come.
pub(crate) fn check_owner(
    database: &Database,
    connection: &mut target::Connection,
) -> anyhow::Result<String> {
    let (table, column, command) = match database.schema_owner {
        SchemaOwner::Typeorm => (
            "migrations_typeorm",
            "name",
            "the TypeORM migrations of its service",
        ),
        SchemaOwner::Kratos => ("schema_migration", "version", "kratos migrate sql -e --yes"),
        SchemaOwner::External => {
            return any_tables(database, connection, "let its owner make it first");
        }
        SchemaOwner::Converge => {
            return any_tables(
                database,
                connection,
                "run `cargo xtask baseline apply --from DIR`",
            );
        }
    };
    let missing = |why: &str| {
        Failure::blocked(format!(
            "the schema of target `{}` is not made: {why}",
            database.name
        ))
        .hint(format!("run {command} against it first"))
    };
    let catalog = target::discover(connection, &database.target_schema)?;
    if catalog.table(table).is_none() {
        return Err(missing(&format!("there is no table `{table}`")).into());
    }
    let rows = connection.query_text(&format!(
        "select max({})::text from {}",
        quote::postgres(column),
        quote::postgres_qualified(&database.target_schema, table)
    ))?;
    match rows.into_iter().flatten().flatten().next() {
        Some(head) => Ok(format!("{table} is at {head}")),
        None => Err(missing(&format!("table `{table}` is empty")).into()),
    }
}

fn any_tables(
    database: &Database,
    connection: &mut target::Connection,
    hint: &str,
) -> anyhow::Result<String> {
    let tables = target::discover(connection, &database.target_schema)?
        .tables
        .len();
    if tables == 0 {
        return Err(Failure::blocked(format!(
            "schema `{}` of target `{}` has no table",
            database.target_schema, database.name
        ))
        .hint(hint)
        .into());
    }
    Ok(format!("{tables} tables"))
}
