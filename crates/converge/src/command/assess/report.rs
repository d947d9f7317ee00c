//! Findings as a text for people and as rules for the configuration.

use std::fmt::Write;

use super::finding::{Finding, RowKey};
use super::kinds::{ALL, Kind, Severity};
use crate::console::{counted, indented_table, thousands};

/// Keys that stand in the text; JSON has all samples.
const SHOWN_KEYS: usize = 3;
/// Places of one kind of note that stand in the text: a schema may have hundreds.
const SHOWN_NOTES: usize = 10;

/// Findings stand below the name of their kind.
const INDENT: usize = 2;

/// All findings, by severity and kind, and how many there are.
pub(crate) fn human(findings: &[Finding]) -> String {
    let mut text = String::new();
    let notes = |kind: &&&Kind| kind.severity == Severity::Note;
    let blocking = ALL.iter().filter(|kind| !notes(kind));
    for kind in blocking.chain(ALL.iter().filter(notes)) {
        let of_kind: Vec<&Finding> = findings.iter().filter(|f| f.kind == *kind).collect();
        if !of_kind.is_empty() {
            write_kind(kind, &of_kind, &mut text);
        }
    }
    text.push_str(&summary(findings));
    text.push('\n');
    text
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

fn write_kind(kind: &Kind, findings: &[&Finding], text: &mut String) {
    let word = match kind.severity {
        Severity::Blocker => "BLOCKER",
        Severity::RuleNeeded => "RULE NEEDED",
        Severity::Note => "note",
    };
    writeln!(text, "{word}  {}: {}", kind.name, kind.what).expect("text takes text");
    let places = match kind.severity {
        Severity::Note => findings.len().min(SHOWN_NOTES),
        _ => findings.len(),
    };
    let rows: Vec<Vec<String>> = findings[..places].iter().map(|f| row(f)).collect();
    let table = indented_table(INDENT, &["", "rows", "", "keys"], &rows);
    for line in table.lines().skip(1) {
        writeln!(text, "{line}").expect("text takes text");
    }
    if places < findings.len() {
        let more = thousands((findings.len() - places) as u64);
        writeln!(text, "  … and {more} more: --output json has them all").expect("text takes text");
    }
    writeln!(text, "  why: {}", kind.why).expect("text takes text");
    let shown = match kind.severity {
        Severity::Note => 1,
        _ => findings.len(),
    };
    for finding in &findings[..shown] {
        write_way_out(finding, findings.len() > 1, text);
    }
    text.push('\n');
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

fn write_way_out(finding: &Finding, several: bool, text: &mut String) {
    let place = match several {
        true => format!("{}: ", finding.place()),
        false => String::new(),
    };
    writeln!(text, "  fix: {place}{}", finding.hint).expect("text takes text");
    if let Some(rule) = &finding.rule {
        writeln!(text, "  rule: - {rule}").expect("text takes text");
    }
}

/// A fragment of a configuration with the rules that would have to be accepted, all of them
/// commented out.
pub(crate) fn rules(run_id: &str, findings: &[Finding]) -> String {
    let mut text = format!(
        "# Rules that `assess` of run {run_id} would need, to be copied into the\n\
         # configuration one by one: each of them changes or leaves out what is in these rows.\n"
    );
    let mut database = None;
    for finding in findings {
        let Some(rule) = &finding.rule else {
            continue;
        };
        if database.is_none() {
            text.push_str("# databases:\n");
        }
        if database != Some(&finding.database) {
            database = Some(&finding.database);
            writeln!(text, "#   {}:\n#     rules:", finding.database).expect("text takes text");
        }
        let keys = finding.sample_keys.iter().map(key_text);
        let keys = keys.collect::<Vec<String>>().join("; ");
        let rows = counted(finding.rows, "row");
        writeln!(text, "#       # {} ({rows}): {keys}", finding.kind.what)
            .expect("text takes text");
        writeln!(text, "#       - {rule}").expect("text takes text");
    }
    if database.is_none() {
        text.push_str("# None.\n");
    }
    text
}
