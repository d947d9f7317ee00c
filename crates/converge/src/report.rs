//! What a comparison found, as text for people: one line per finding, then what was compared.

use verify::{Compared, DatabaseReport, VerifyReport};

use crate::console::{counted, text_table, thousands};
use crate::text::Text;

/// The report as text: one line per finding, then what was compared.
pub(crate) fn human(report: &VerifyReport) -> Text {
    let mut text = Text::new();
    let mut rows = Vec::new();
    let [left, right] = report.compared.sides();
    for database in &report.databases {
        for table in &database.tables {
            // Rows that no key tells apart are counted alone.
            let (keyed, keyless): (Vec<_>, Vec<_>) = table
                .samples
                .iter()
                .partition(|sample| !sample.key.is_empty());
            for sample in keyed {
                let key: Vec<String> = sample
                    .key
                    .iter()
                    .map(|(column, value)| format!("{column} {value}"))
                    .collect();
                let place = format!("{}.{}", database.name, table.name);
                let columns = match sample.columns.is_empty() {
                    true => String::new(),
                    false => format!(": {}", sample.columns.join(", ")),
                };
                text.line(format!(
                    "{:<10} {place} {}{columns}",
                    sample.kind.name(),
                    key.join(", ")
                ));
                for (column, [source, target]) in &sample.values {
                    text.line(format!(
                        "           {column}: {} in the {left}, {} in the {right}",
                        shown(source.as_deref()),
                        shown(target.as_deref())
                    ));
                }
            }
            if table.left_out > 0 {
                text.line(format!(
                    "left out   {}.{}: {} rows, in rejected/{}",
                    database.name,
                    table.name,
                    thousands(table.left_out),
                    dataset::chunk_file_name(&table.name, 1, 1)
                ));
            }
            if !table.equal && table.missing + table.unexpected + table.different == 0 {
                // Known by its digest alone.
                text.line(format!(
                    "different  {}.{}: {} in the {left}, {} in the {right}",
                    database.name,
                    table.name,
                    counted(table.source_rows, "row"),
                    counted(table.target_rows, "row")
                ));
            } else if !table.equal {
                let why = match keyless.is_empty() {
                    true => "",
                    false => "; the table has no key",
                };
                text.line(format!(
                    "           {}.{}: {} missing, {} unexpected, {} different{why}",
                    database.name, table.name, table.missing, table.unexpected, table.different
                ));
            }
        }
        for finding in &database.catalog {
            text.line(format!(
                "{:<10} {} {}: {}",
                finding.kind, database.name, finding.object, finding.detail
            ));
        }
        for check in database.checks.iter().filter(|check| !check.passed) {
            text.line(format!(
                "check      {} {}: {}",
                database.name, check.group, check.name
            ));
        }
        rows.push(summary_row(database));
    }
    text.append(text_table(
        &["database", "tables", "rows", "by rule", "differing", ""],
        &rows,
    ));
    let checks = report
        .databases
        .iter()
        .flat_map(|database| &database.checks);
    let (passed, failed): (Vec<_>, Vec<_>) = checks.partition(|check| check.passed);
    if !passed.is_empty() || !failed.is_empty() {
        text.line(format!(
            "checks: {} passed, {} failed",
            passed.len(),
            failed.len()
        ));
    }
    text.line(format!(
        "verdict: {}{}",
        report.verdict.name(),
        looked_at(report)
    ));
    text
}

/// What a verdict is about, where it is not all of both databases.
fn looked_at(report: &VerifyReport) -> String {
    let [left, right] = report.compared.sides();
    match report.sample_percent {
        Some(percent) => format!(" (about {percent} % of the rows)"),
        None if report.compared != Compared::SourceTarget => {
            format!(" ({left} against {right})")
        }
        None => String::new(),
    }
}

/// The table of equivalences as a document.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Equivalences {
    schema_version: u32,
    equivalences: &'static [verify::Equivalence],
}

impl Default for Equivalences {
    fn default() -> Self {
        Self {
            schema_version: 1,
            equivalences: verify::equivalences(),
        }
    }
}

/// The table of equivalences as text.
pub(crate) fn equivalences() -> Text {
    let rows: Vec<Vec<String>> = verify::equivalences()
        .iter()
        .map(|line| {
            [line.source, line.target, line.equal]
                .map(str::to_owned)
                .into()
        })
        .collect();
    text_table(&["source", "target", "equal"], &rows)
}

/// In quotes, so that blanks at its ends are seen, and NULL is told from the text.
fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |text| format!("'{text}'"))
}

fn summary_row(database: &DatabaseReport) -> Vec<String> {
    let tables = &database.tables;
    let rows: u64 = tables.iter().map(|table| table.source_rows).sum();
    let by_rule: u64 = tables
        .iter()
        .flat_map(|t| &t.rules)
        .map(|rule| rule.rows)
        .sum();
    let differing: u64 = tables
        .iter()
        .map(|t| t.missing + t.unexpected + t.different)
        .sum();
    vec![
        database.name.clone(),
        tables.len().to_string(),
        thousands(rows),
        thousands(by_rule),
        thousands(differing),
        if database.is_equal() {
            "equal"
        } else {
            "DIFFERENT"
        }
        .to_owned(),
    ]
}
