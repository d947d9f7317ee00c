//! `transform --plan`: how each column of each table is converted, for a reviewer.
//!
//! Reads the catalogues of both live servers and the rules; moves nothing and needs no run.

use serde::Serialize;

use transform::{ColumnPlan, TablePlan};

use crate::command::transform::plans;
use crate::config::Database;
use crate::console::{counted, wide_table};
use crate::lost::{Side, Task, Work};
use crate::pairing::{Catalogs, TablePair};
use crate::run::Session;
use crate::text::Text;

const TASK: Task = Task {
    name: "transform --plan",
    sides: &[Side::Source, Side::Target],
    leaves: "nothing was changed",
    is_kept: false,
};
/// Labels of an enum beyond this make a line too long to be read; JSON has them all.
const TYPE_CHARACTERS_MAX: usize = 40;

/// What `transform --plan --output json` prints.
#[derive(Debug, Serialize)]
struct Document {
    schema_version: u32,
    databases: Vec<DatabaseDocument>,
}

#[derive(Debug, Serialize)]
struct DatabaseDocument {
    name: String,
    tables: Vec<TableDocument>,
}

#[derive(Debug, Serialize)]
struct TableDocument {
    name: String,
    /// In the target's order.
    columns: Vec<ColumnDocument>,
    /// Columns that the target alone has: its default or NULL.
    left_out: Vec<LeftOut>,
}

#[derive(Debug, Serialize)]
struct ColumnDocument {
    name: String,
    source_type: String,
    target_type: String,
    /// Whether the target takes NULL.
    nullable: bool,
    conversion: String,
    rules: Vec<RuleDocument>,
}

#[derive(Debug, Serialize)]
struct RuleDocument {
    when: &'static str,
    then: String,
}

#[derive(Debug, Serialize)]
struct LeftOut {
    name: String,
    target_type: String,
    default: Option<String>,
}

/// Prints the plans of all databases.
///
/// # Errors
/// Where a table cannot be planned, as the stage itself would say it.
pub(super) fn print(session: &Session) -> anyhow::Result<()> {
    let mut databases = Vec::new();
    for database in &session.config.databases {
        session.interrupt.check()?;
        let work = Work::outside(&TASK, &session.call, database);
        databases.push(work.watched(database, || plan_database(database))?);
    }
    let document = Document {
        schema_version: 1,
        databases,
    };
    session.console.result(&human(&document), &document)?;
    Ok(())
}

fn plan_database(database: &Database) -> anyhow::Result<DatabaseDocument> {
    let mut source = source::Connection::open(&database.source)?;
    let mut target = target::Connection::open(&database.target)?;
    let catalogs = Catalogs::discover(database, &mut source, &mut target)?;
    let pairs = catalogs.pairs(database)?;
    let plans = plans(database, &pairs)?;
    crate::constraint_rules::resolve(database, &pairs)?;
    let tables = plans.iter().zip(&pairs);
    Ok(DatabaseDocument {
        name: database.name.clone(),
        tables: tables.map(|(plan, pair)| table(plan, *pair)).collect(),
    })
}

fn table(plan: &TablePlan, pair: TablePair<'_>) -> TableDocument {
    let left_out = plan.left_out().iter().filter_map(|name| {
        let column = pair.target.column(name)?;
        Some(LeftOut {
            name: name.clone(),
            target_type: column.data_type.to_string(),
            default: column.default.clone(),
        })
    });
    TableDocument {
        name: pair.source.name.clone(),
        columns: plan.columns().iter().map(column).collect(),
        left_out: left_out.collect(),
    }
}

fn column(plan: &ColumnPlan) -> ColumnDocument {
    let rules = plan.rules().map(|rule| RuleDocument {
        when: rule.condition.name(),
        then: rule.outcome_text.clone(),
    });
    ColumnDocument {
        name: plan.name().to_owned(),
        source_type: plan.source_type().to_string(),
        target_type: plan.target_type().to_string(),
        nullable: plan.is_nullable(),
        conversion: plan.conversion(),
        rules: rules.collect(),
    }
}

/// A table of text for each database, and what there is in all.
fn human(document: &Document) -> Text {
    let mut text = Text::new();
    for database in &document.databases {
        let mut rows = Vec::new();
        for table in &database.tables {
            rows.extend(table.columns.iter().map(|column| column.row(&table.name)));
            rows.extend(table.left_out.iter().map(|column| column.row(&table.name)));
        }
        let columns: usize = database.tables.iter().map(|t| t.columns.len()).sum();
        let header = ["column", "source", "target", "", "conversion", "rules"];
        text.append(wide_table(&header, &rows));
        let tables = counted(database.tables.len() as u64, "table");
        let columns = counted(columns as u64, "column");
        text.line(format!("{}: {tables}, {columns}", database.name));
    }
    text
}

impl ColumnDocument {
    fn row(&self, table: &str) -> Vec<String> {
        let rules = self.rules.iter();
        let rules: Vec<String> = rules.map(|r| format!("{} -> {}", r.when, r.then)).collect();
        vec![
            format!("{table}.{}", self.name),
            shortened(&self.source_type),
            shortened(&self.target_type),
            if self.nullable { "" } else { "not null" }.to_owned(),
            self.conversion.clone(),
            rules.join("; "),
        ]
    }
}

impl LeftOut {
    fn row(&self, table: &str) -> Vec<String> {
        let filled = match &self.default {
            Some(default) => format!("target only: {default}"),
            None => "target only: numbered, or NULL".to_owned(),
        };
        vec![
            format!("{table}.{}", self.name),
            "-".to_owned(),
            shortened(&self.target_type),
            String::new(),
            filled,
            String::new(),
        ]
    }
}

fn shortened(data_type: &str) -> String {
    match data_type.char_indices().nth(TYPE_CHARACTERS_MAX) {
        None => data_type.to_owned(),
        Some((end, _)) => format!("{}…", &data_type[..end]),
    }
}
