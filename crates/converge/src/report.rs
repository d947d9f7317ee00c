//! What a comparison found, as text for people: one line per finding, then what was compared.

use verify::{Compared, DatabaseReport, VerifyReport};

use crate::console::{counted, text_table, thousands};

/// The report as text: one line per finding, then what was compared.
pub(crate) fn human(report: &VerifyReport) -> String {
    let mut text = String::new();
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
                    .map(|(column, value)| format!("{column} {}", printable(value)))
                    .collect();
                let place = format!("{}.{}", database.name, table.name);
                text.push_str(&format!(
                    "{:<10} {place} {}",
                    sample.kind.name(),
                    key.join(", ")
                ));
                if !sample.columns.is_empty() {
                    text.push_str(&format!(": {}", sample.columns.join(", ")));
                }
                text.push('\n');
                for (column, [source, target]) in &sample.values {
                    text.push_str(&format!(
                        "           {column}: {} in the {left}, {} in the {right}\n",
                        shown(source.as_deref()),
                        shown(target.as_deref())
                    ));
                }
            }
            if table.left_out > 0 {
                text.push_str(&format!(
                    "left out   {}.{}: {} rows, in rejected/{}\n",
                    database.name,
                    table.name,
                    thousands(table.left_out),
                    dataset::chunk_file_name(&table.name, 1, 1)
                ));
            }
            if !table.equal && table.missing + table.unexpected + table.different == 0 {
                // Known by its digest alone.
                text.push_str(&format!(
                    "different  {}.{}: {} in the {left}, {} in the {right}\n",
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
                text.push_str(&format!(
                    "           {}.{}: {} missing, {} unexpected, {} different{why}\n",
                    database.name, table.name, table.missing, table.unexpected, table.different
                ));
            }
        }
        for finding in &database.catalog {
            text.push_str(&format!(
                "{:<10} {} {}: {}\n",
                finding.kind, database.name, finding.object, finding.detail
            ));
        }
        for check in database.checks.iter().filter(|check| !check.passed) {
            text.push_str(&format!(
                "check      {} {}: {}\n",
                database.name, check.group, check.name
            ));
        }
        rows.push(summary_row(database));
    }
    text.push_str(&text_table(
        &["database", "tables", "rows", "by rule", "differing", ""],
        &rows,
    ));
    let checks = report
        .databases
        .iter()
        .flat_map(|database| &database.checks);
    let (passed, failed): (Vec<_>, Vec<_>) = checks.partition(|check| check.passed);
    if !passed.is_empty() || !failed.is_empty() {
        text.push_str(&format!(
            "checks: {} passed, {} failed\n",
            passed.len(),
            failed.len()
        ));
    }
    text.push_str(&format!(
        "verdict: {}{}\n",
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
pub(crate) fn equivalences() -> String {
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
    value.map_or_else(
        || "NULL".to_owned(),
        |text| format!("'{}'", printable(text)),
    )
}

/// A key may hold what a terminal obeys.
fn printable(text: &str) -> String {
    let characters = text.chars().map(|character| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    });
    characters.collect()
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
