//! Findings as a text for people and as rules for the configuration.

use super::finding::{Finding, RowKey};
use super::kinds::{ALL, Kind, Severity};
use crate::console::{counted, indented_table, thousands};
use crate::text::Text;

/// Keys that stand in the text; JSON has all samples.
const SHOWN_KEYS: usize = 3;
/// Places of one kind of note that stand in the text: a schema may have hundreds.
const SHOWN_NOTES: usize = 10;

/// Findings stand below the name of their kind.
const INDENT: usize = 2;

/// All findings, by severity and kind, and how many there are.
pub(crate) fn human(findings: &[Finding]) -> Text {
    let mut text = Text::new();
    let notes = |kind: &&&Kind| kind.severity == Severity::Note;
    let blocking = ALL.iter().filter(|kind| !notes(kind));
    for kind in blocking.chain(ALL.iter().filter(notes)) {
        let of_kind: Vec<&Finding> = findings.iter().filter(|f| f.kind == *kind).collect();
        if !of_kind.is_empty() {
            write_kind(kind, &of_kind, &mut text);
        }
    }
    text.and(summary(findings))
}

/// Such as `9 findings: 1 blocker, 2 need a rule, 6 notes`.
pub(crate) fn summary(findings: &[Finding]) -> String {
    let number = |severity| {
        let of = findings.iter().filter(|f| f.severity() == severity);
        of.count() as u64
    };
    let needed = number(Severity::RuleNeeded);
    format!(
        "{}: {}, {} {} a rule, {}",
        counted(findings.len() as u64, "finding"),
        counted(number(Severity::Blocker), "blocker"),
        thousands(needed),
        if needed == 1 { "needs" } else { "need" },
        counted(number(Severity::Note), "note")
    )
}

fn write_kind(kind: &Kind, findings: &[&Finding], text: &mut Text) {
    let word = match kind.severity {
        Severity::Blocker => "BLOCKER",
        Severity::RuleNeeded => "RULE NEEDED",
        Severity::Note => "note",
    };
    text.line(format!("{word}  {}: {}", kind.name, kind.what));
    let places = match kind.severity {
        Severity::Note => findings.len().min(SHOWN_NOTES),
        _ => findings.len(),
    };
    let rows: Vec<Vec<String>> = findings[..places].iter().map(|f| row(f)).collect();
    let table = indented_table(INDENT, &["", "rows", "", "keys"], &rows);
    table.lines().skip(1).for_each(|line| text.line(line));
    if places < findings.len() {
        let more = thousands((findings.len() - places) as u64);
        text.line(format!("  … and {more} more: --output json has them all"));
    }
    text.line(format!("  why: {}", kind.why));
    let shown = match kind.severity {
        Severity::Note => 1,
        _ => findings.len(),
    };
    for finding in &findings[..shown] {
        write_way_out(finding, findings.len() > 1, text);
    }
    text.line("");
}

fn row(finding: &Finding) -> Vec<String> {
    let shown = finding.sample_keys.iter().take(SHOWN_KEYS);
    let mut keys: Vec<String> = shown.map(key_text).collect();
    if finding.rows > keys.len() as u64 && !keys.is_empty() {
        keys.push("…".to_owned());
    }
    vec![
        finding.place(),
        thousands(finding.rows),
        finding.detail.clone().unwrap_or_default(),
        keys.join("; "),
    ]
}

fn key_text(key: &RowKey) -> String {
    let parts = key
        .0
        .iter()
        .map(|(column, value)| format!("{column} {value}"));
    parts.collect::<Vec<String>>().join(", ")
}

fn write_way_out(finding: &Finding, several: bool, text: &mut Text) {
    let place = match several {
        true => format!("{}: ", finding.place()),
        false => String::new(),
    };
    text.line(format!("  fix: {place}{}", finding.hint));
    if let Some(rule) = &finding.rule {
        text.line(format!("  rule: - {rule}"));
    }
}

/// A fragment of a configuration with the rules that would have to be accepted, all of them
/// commented out.
pub(crate) fn rules(run_id: &str, findings: &[Finding]) -> Text {
    let mut text = Text::from(format!(
        "# Rules that `assess` of run {run_id} would need, to be copied into the"
    ))
    .and("# configuration one by one: each of them changes or leaves out what is in these rows.");
    let mut database = None;
    for finding in findings {
        let Some(rule) = &finding.rule else {
            continue;
        };
        if database.is_none() {
            text.line("# databases:");
        }
        if database != Some(&finding.database) {
            database = Some(&finding.database);
            text.line(format!("#   {}:", finding.database));
            text.line("#     rules:");
        }
        let keys = finding.sample_keys.iter().map(key_text);
        let keys = keys.collect::<Vec<String>>().join("; ");
        let rows = counted(finding.rows, "row");
        text.line(format!("#       # {} ({rows}): {keys}", finding.kind.what));
        text.line(format!("#       - {rule}"));
    }
    if database.is_none() {
        text.line("# None.");
    }
    text
}
