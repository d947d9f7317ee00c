//! Whether the target's schema is made, by whomever it belongs to.
//!
//! It only looks; `doctor` and `migrate` ask the same.

use catalog::quote;
use target::{AppliedBaseline, Extension};

use crate::call::next_with;
use crate::config::{Database, SchemaOwner};
use crate::console::{counted, thousands};
use crate::exit::Failure;
use crate::text::Text;

/// Where an owner keeps his books.
struct Bookkeeping {
    table: &'static str,
    /// The column that names a migration.
    name: &'static str,
    /// The order in which migrations are applied.
    order: &'static str,
}

const TYPEORM: Bookkeeping = Bookkeeping {
    table: "migrations_typeorm",
    name: "name",
    // Names are classes', and end with the time at which they were written.
    order: "\"timestamp\", id",
};

const KRATOS: Bookkeeping = Bookkeeping {
    table: "schema_migration",
    name: "version",
    order: "version collate \"C\"",
};

/// The table in which the schema's owner keeps the list of migrations.
pub(crate) fn bookkeeping_table(database: &Database) -> Option<&'static str> {
    match database.schema_owner {
        SchemaOwner::Typeorm => Some(TYPEORM.table),
        SchemaOwner::Kratos => Some(KRATOS.table),
        SchemaOwner::External | SchemaOwner::Converge => None,
    }
}

/// Says how far the owner of the target's schema has come, or fails where it is not made.
pub(crate) fn check_owner(
    database: &Database,
    connection: &mut target::Connection,
) -> anyhow::Result<String> {
    match database.schema_owner {
        SchemaOwner::External => any_tables(database, connection, "let its owner make it first"),
        SchemaOwner::Typeorm => migrations(database, connection, &TYPEORM, typeorm_command()),
        SchemaOwner::Kratos => migrations(database, connection, &KRATOS, kratos_command(database)),
        SchemaOwner::Converge => {
            check_whole(database, connection)?;
            any_tables(
                database,
                connection,
                &format!(
                    "run `{}`, which takes what `{}` wrote, or the files of --from DIR",
                    next_with("baseline", &["apply"]),
                    next_with("baseline", &["generate"])
                ),
            )
        }
    }
}

fn migrations(
    database: &Database,
    connection: &mut target::Connection,
    books: &Bookkeeping,
    command: Text,
) -> anyhow::Result<String> {
    let table = books.table;
    let catalog = target::discover(connection, &database.target_schema)?;
    let why = if catalog.table(table).is_none() {
        format!("there is no table `{table}`")
    } else {
        let sql = format!(
            "select {}::text, count(*) over ()::text from {} order by {} limit 1",
            quote::postgres(books.name),
            quote::postgres_qualified(&database.target_schema, table),
            descending(books.order)
        );
        match connection.query_text(&sql)?.as_slice() {
            [] => format!("table `{table}` is empty"),
            rows => return Ok(head(table, &rows[0])),
        }
    };
    let message = format!(
        "the schema of target `{}` is not made: {why}",
        database.name
    );
    let extension = connection.extension(EXTENSION)?;
    let hint = with_extension(&database.target.to_string(), extension, command);
    Err(Failure::blocked(message).hint(hint).into())
}

fn descending(order: &str) -> String {
    let columns = order.split(", ").map(|column| format!("{column} desc"));
    columns.collect::<Vec<String>>().join(", ")
}

fn head(table: &str, row: &[Option<String>]) -> String {
    let text = |index: usize| row[index].as_deref().unwrap_or_default();
    let migrations = counted(text(1).parse().unwrap_or_default(), "migration");
    format!("{table} is at {} ({migrations})", text(0))
}

/// What gives ids where the application gives none; without it the first statement of Alkemio's
/// migrations fails.
const EXTENSION: &str = "uuid-ossp";

/// What has to be done before migrations can run, and the migrations.
fn with_extension(target: &str, extension: Extension, migrations: Text) -> Text {
    let name = quote::postgres(EXTENSION);
    let first = match extension {
        Extension::Installed => return migrations,
        Extension::Available => {
            format!("in {target}, as a role with `create` on the database, run:")
        }
        Extension::Missing => format!(
            "install the package postgresql-contrib, which brings the extension {name}, on the \
             server, and in {target} run:"
        ),
    };
    let mut text = Text::from(first).and(format!("  create extension if not exists {name};"));
    text.append(migrations.behind("then "));
    text
}

fn typeorm_command() -> Text {
    Text::from(
        "run the migrations of the service against it, with the service's own command or with \
         TypeORM's:",
    )
    .and("  npx typeorm migration:run -d <data source>")
}

fn kratos_command(database: &Database) -> Text {
    let target = database.target.to_string().replace('\'', r"'\''");
    Text::from("run the migrations of Kratos against it, with the password in the address:")
        .and(format!("  DSN='{target}' kratos migrate sql -e --yes"))
        .and("or, with the same DSN in the environment, in a container:")
        .and("  docker run --rm -e DSN oryd/kratos:<version> migrate sql -e --yes")
}

/// Fails where a baseline was interrupted between its transactions.
fn check_whole(database: &Database, connection: &mut target::Connection) -> anyhow::Result<()> {
    let (ledger, schema) = (&database.ledger, &database.target_schema);
    match AppliedBaseline::read(connection, ledger, schema)? {
        Some(part) if part.applied.is_none() => Err(Failure::blocked(format!(
            "the baseline of target `{}` is applied in part: {}",
            database.name,
            progress(&part)
        ))
        .hint(format!(
            "`{}` with the same files goes on from there",
            next_with("baseline", &["apply"])
        ))
        .into()),
        _ => Ok(()),
    }
}

/// How far a baseline is.
pub(super) fn progress(part: &AppliedBaseline) -> String {
    let (done, all) = (part.done as u64, part.statements as u64);
    format!(
        "{} of {} statements, begun {}",
        thousands(done),
        thousands(all),
        part.started
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_comes_before_the_migrations() {
        let with = |extension| {
            let text = with_extension("postgres://u@h:5432/d", extension, Text::from("run"));
            text.to_string()
        };
        assert_eq!(with(Extension::Installed), "run");
        for (extension, begins) in [
            (Extension::Available, "in postgres://u@h:5432/d, as a role"),
            (Extension::Missing, "install the package postgresql-contrib"),
        ] {
            let text = with(extension);
            assert!(text.starts_with(begins), "{text}");
            let ends = "\n  create extension if not exists \"uuid-ossp\";\nthen run";
            assert!(text.ends_with(ends), "{text}");
        }
    }
}
