//! Makes findings of what was counted in the rows of a table.
//!
//! Says what to do: a rule of the configuration where one helps, SQL where none does.

use catalog::{ForeignKey, PostgresType, quote};

use super::finding::{Count, Finding};
use super::keys::Reference;
use super::kinds;
use super::remedy;
use super::survey::{Found, Tally};
use super::table::Subject;
use super::text::Look;
use crate::config::{Database, Violation};

/// The findings of a table; `duplicates` are those of its unique keys, with keys of rows.
pub(crate) fn findings(
    database: &Database,
    subject: &Subject,
    tally: &Tally,
    duplicates: Vec<Count>,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tally
        .found
        .iter()
        .map(|(found, count)| finding(database, subject, *found).count(count.clone()))
        .collect();
    for (column, rows) in subject.counted.iter().zip(&tally.present) {
        let plan = &subject.plan.columns()[*column];
        let finding = Finding::new(&database.name, kinds::ZONE_LESS)
            .table(&subject.source.name)
            .column(plan.name())
            .detail(format!("{} to {}", plan.source_type(), plan.target_type()));
        findings.push(finding.rows(*rows));
    }
    for (unique, count) in subject.uniques.iter().zip(duplicates) {
        if count.rows > 0 {
            let columns = unique.columns.positions();
            let columns: Vec<&str> = columns.map(|at| subject.column_name(at)).collect();
            let is_ruled = has_rule(database, subject, &unique.constraint, Violation::Duplicate);
            let kind = match is_ruled {
                true => kinds::DUPLICATE_RULED,
                false => kinds::DUPLICATE,
            };
            let finding = Finding::new(&database.name, kind)
                .table(&subject.source.name)
                .constraint(&unique.constraint)
                .detail(columns.join(", "));
            if is_ruled {
                findings.push(finding.count(count));
                continue;
            }
            if !unique.is_plain {
                // No rule is for an index on an expression.
                findings.push(finding.hint(kinds::DUPLICATE.fix).count(count));
                continue;
            }
            let finding = finding.hint(rule_hint(kinds::DUPLICATE.fix));
            let rule = constraint_rule(subject, &unique.constraint, "duplicate", "skip_to_file");
            findings.push(finding.rule(Some(rule)).count(count));
        }
    }
    findings
}

fn finding(database: &Database, subject: &Subject, found: Found) -> Finding {
    let column = |kind, index: usize| {
        Finding::new(&database.name, kind)
            .table(&subject.source.name)
            .column(subject.column_name(index))
    };
    match found {
        Found::Refused(index, kind) => {
            let rule = subject.plan.suggested_rule(index, kind);
            let kind = kinds::refused(kind);
            let finding = Finding::new(&database.name, kind)
                .hint(remedy::on_source(subject, index, kind))
                .table(&subject.source.name)
                .column(subject.column_name(index));
            let hint = match &rule {
                Some(_) => rule_hint(&finding.hint),
                None => finding.hint.clone(),
            };
            let hint = match remedy::lossless_type(database, subject, index, kind) {
                Some(lossless) => format!("{lossless}; or {hint}"),
                None => hint,
            };
            let plan = &subject.plan.columns()[index];
            finding
                .detail(format!("{} to {}", plan.source_type(), plan.target_type()))
                .hint(hint)
                .rule(rule)
        }
        Found::TooLarge(index) => column(kinds::TOO_LARGE, index),
        Found::Look(index, Look::EncodedTwice) => {
            let kind = kinds::ENCODED_TWICE;
            Finding::new(&database.name, kind)
                .hint(remedy::on_source(subject, index, kind))
                .table(&subject.source.name)
                .column(subject.column_name(index))
        }
        Found::Look(index, Look::Binary { format, exact }) => binary(
            subject,
            index,
            column(kinds::BINARY_AS_TEXT, index),
            format,
            exact,
        ),
        Found::DotLine(index) => column(kinds::DOT_LINE, index),
        Found::WideKey(index) => {
            let key = &subject.wide_keys[index];
            let hint = remedy::wide_key(database, subject, key);
            Finding::new(&database.name, kinds::INDEX_ROW_TOO_LARGE)
                .table(&subject.source.name)
                .constraint(&key.name)
                .detail(key.columns.join(", "))
                .hint(hint)
        }
        Found::Orphan(index) => orphan(database, subject, &subject.references[index]),
    }
}

/// Bytes that are kept as text.
fn binary(subject: &Subject, index: usize, finding: Finding, format: &str, exact: bool) -> Finding {
    if exact {
        let hint = rule_hint(&finding.hint);
        let rule = bytes_rule(subject, index);
        return finding.detail(format).hint(hint).rule(rule);
    }
    let column = quote::mysql(subject.column_name(index));
    finding
        .detail(format!("{format}, read as Windows-1252"))
        .hint(format!(
            "no rule brings them back: on the source their bytes are convert({column} using latin1)"
        ))
}

fn rule_hint(otherwise: &str) -> String {
    format!("add the rule to the configuration; or: {otherwise}")
}

/// What the bytes are to become: themselves, or text that every column takes.
fn bytes_rule(subject: &Subject, index: usize) -> Option<String> {
    let plan = &subject.plan.columns()[index];
    let outcome = match plan.target_type() {
        PostgresType::Bytea => "latin1_to_bytes",
        PostgresType::Text | PostgresType::Varchar { .. } => "latin1_to_bytes_base64",
        _ => return None,
    };
    let column = catalog::ColumnPattern {
        table: Some(subject.source.name.clone()),
        column: Some(plan.name().to_owned()),
    };
    let column = transform::yaml_scalar(&column.to_string());
    Some(format!("{{column: {column}, when: any, then: {outcome}}}"))
}

/// Whether the configuration says what becomes of the rows.
fn has_rule(
    database: &Database,
    subject: &Subject,
    constraint: &str,
    violation: Violation,
) -> bool {
    let mut rules = database.constraint_rules.iter();
    let table = &subject.source.name;
    rules.any(|rule| rule.is_for(table, constraint) && rule.violation == violation)
}

/// A rule for a constraint.
fn constraint_rule(subject: &Subject, constraint: &str, condition: &str, outcome: &str) -> String {
    // The constraint is named as a column would be.
    let name = catalog::ColumnPattern {
        table: Some(subject.source.name.clone()),
        column: Some(constraint.to_owned()),
    };
    let name = transform::yaml_scalar(&name.to_string());
    format!("{{constraint: {name}, when: {condition}, then: {outcome}}}")
}

fn orphan(database: &Database, subject: &Subject, reference: &Reference) -> Finding {
    let is_ruled = has_rule(database, subject, &reference.constraint, Violation::Orphan);
    let kind = match reference.is_checked {
        _ if is_ruled => kinds::ORPHAN_RULED,
        true => kinds::ORPHAN,
        false => kinds::ORPHAN_UNCHECKED,
    };
    let plans = reference.columns.positions();
    let plans: Vec<_> = plans.map(|at| &subject.plan.columns()[at]).collect();
    let names: Vec<&str> = plans.iter().map(|plan| plan.name()).collect();
    let nullable = plans.iter().all(|plan| plan.is_nullable());
    let outcome = if nullable { "\"null\"" } else { "skip_to_file" };
    let finding = Finding::new(&database.name, kind)
        .table(&subject.source.name)
        .constraint(&reference.constraint)
        .detail(format!("{} to {}", names.join(", "), reference.parent));
    if is_ruled || !reference.is_checked {
        return finding;
    }
    let keys = subject.target.foreign_keys.iter();
    let key = keys.clone().find(|key| key.name == reference.constraint);
    // The source may be stricter than the target.
    let column = |name: &&str| subject.source.column(name).is_some_and(|c| c.nullable);
    let clears = nullable && names.iter().all(column);
    let sql = key.map(|key| orphan_sql(database, subject, key, clears));
    let hint = match sql {
        Some(sql) => rule_hint(&sql),
        None => rule_hint(kinds::ORPHAN.fix),
    };
    let rule = constraint_rule(subject, &reference.constraint, "orphan", outcome);
    finding.hint(hint).rule(Some(rule))
}

/// What takes the orphans away on the source.
fn orphan_sql(database: &Database, subject: &Subject, key: &ForeignKey, nullable: bool) -> String {
    let schema = database.source_name();
    let (child, parent) = (
        quote::mysql_qualified(schema, &subject.source.name),
        quote::mysql_qualified(schema, &key.referenced_table),
    );
    let pairs = key.columns.iter().zip(&key.referenced_columns);
    let pairs: Vec<(String, String)> = pairs
        .map(|(column, of)| (quote::mysql(column), quote::mysql(of)))
        .collect();
    let joined: Vec<String> = pairs
        .iter()
        .map(|(column, of)| {
            format!("p.{of} = c.{column} and cast(p.{of} as binary) = cast(c.{column} as binary)")
        })
        .collect();
    let present = pairs
        .iter()
        .map(|(column, _)| format!("c.{column} is not null"));
    let present: Vec<String> = present.collect();
    let cleared: Vec<String> = pairs.iter().map(|(c, _)| format!("c.{c} = null")).collect();
    let missing = pairs
        .first()
        .map_or_else(String::new, |(_, of)| format!("p.{of} is null"));
    let (begin, set) = match nullable {
        true => {
            let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
            let kept = remedy::kept(subject, &columns, "c.");
            ("update", format!(" set {}{kept}", cleared.join(", ")))
        }
        false => ("delete c from", String::new()),
    };
    format!(
        "{begin} {child} c left join {parent} p on {}{set} where {} and {missing}",
        joined.join(" and "),
        present.join(" and ")
    )
}
