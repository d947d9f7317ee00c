//! The configuration of rehearsals on fixtures: it says what `alkemio.yml` says, and holds no address.
//!
//! It reads lines, not YAML.

use std::{iter, path::Path};

use super::{Finding, Source};
use crate::rehearse::CONFIG;

/// What a rehearsal on fixtures stands for.
const MODEL: &str = "alkemio.yml";

/// Compares the two files, where either is there.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let text = |path: &str| {
        let source = sources
            .iter()
            .find(|source| source.path == Path::new(path))?;
        Some(source.text.as_str())
    };
    // Each names files as they lie beside it.
    let model = text(MODEL).map(|model| model.replace(": fixtures/", ": "));
    let (model, config) = (model.as_deref(), text(CONFIG));
    if model.is_none() && config.is_none() {
        return Vec::new();
    }
    let config = config.unwrap_or_default();
    let mut findings = literal_addresses(config);
    findings.extend(first_difference(model.unwrap_or_default(), config));
    findings
}

/// Addresses that are more than one variable without a default.
fn literal_addresses(config: &str) -> Vec<Finding> {
    let addresses = settings(config).filter(|(_, line)| is_address(line));
    let literal = addresses.filter(|(_, line)| !is_variable(line));
    literal
        .map(|(number, _)| {
            let what = "an address that is not one `${NAME}` without a default: a rehearsal could reach servers that it did not start";
            Finding::new(Path::new(CONFIG), number, what)
        })
        .collect()
}

/// The first line that says something else than the model's.
fn first_difference(model: &str, config: &str) -> Option<Finding> {
    let compared = |text| {
        let lines = settings(text).filter(|(_, line)| !is_address(line));
        lines.map(Some).chain(iter::repeat(None))
    };
    let length = model.lines().count().max(config.lines().count());
    let mut pairs = compared(model).zip(compared(config)).take(length);
    let (in_model, in_config) =
        pairs.find(|(one, other)| one.map(|(_, line)| line) != other.map(|(_, line)| line))?;
    let place = in_model.map_or_else(
        || "its end".to_owned(),
        |(number, _)| format!("line {number}"),
    );
    let line = in_config.map_or_else(|| config.lines().count().max(1), |(number, _)| number);
    let what = format!(
        "not what {MODEL} says at {place}: the two differ in comments and addresses only, so that a rehearsal shows what the move will do"
    );
    Some(Finding::new(Path::new(CONFIG), line, what))
}

/// Lines that are neither blank nor comments, with their numbers.
fn settings(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().map(str::trim_end).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.trim_start().starts_with('#'))
        .map(|(index, line)| (index + 1, line))
}

fn is_address(line: &str) -> bool {
    ["source:", "target:"]
        .iter()
        .any(|key| line.trim_start().starts_with(key))
}

fn is_variable(line: &str) -> bool {
    let value = line.split_once(": ").map_or("", |(_, value)| value.trim());
    let name = value
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or_default();
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{db::state::URL_VARIABLES, workspace};

    const ALKEMIO: &str = "\
# One.
version: 1
databases:
  a:
    source: ${A_URL:-mysql://root@127.0.0.1/a}
    target: postgres://db.example/a

    # Why.
    rules: []
";

    const REHEARSE: &str = "\
version: 1
databases:
  a:
    source: ${A_URL}
    target: ${B_URL}
    rules: []
";

    fn lines(model: &str, config: &str) -> Vec<usize> {
        let source = |path: &str, text: &str| Source {
            path: path.into(),
            text: text.into(),
        };
        let sources = [source(MODEL, model), source(CONFIG, config)];
        check(&sources).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn comments_blank_lines_and_addresses_may_differ() {
        assert_eq!(lines(ALKEMIO, REHEARSE), Vec::<usize>::new());
        assert_eq!(check(&[]), []);
    }

    #[test]
    fn another_setting_is_found() {
        let other = |from: &str, to: &str| lines(ALKEMIO, &REHEARSE.replace(from, to));
        assert_eq!(other("rules: []", "rules: [x]"), [6]);
        assert_eq!(other("version: 1", "version: 2"), [1]);
        assert_eq!(other("    rules: []\n", ""), [5]);
        assert_eq!(other("rules: []", "rules: []\n    types: {}"), [7]);
        assert_eq!(other("    rules", "  rules"), [6]);
        assert_eq!(lines(ALKEMIO, ""), [1]);
        assert_eq!(lines("", REHEARSE), [1]);
    }

    #[test]
    fn an_address_is_one_variable_without_a_default() {
        for address in [
            "mysql://production/a",
            "${A_URL:-mysql://production/a}",
            "${A_URL}${B_URL}",
            "mysql://${HOST}/a",
            "${}",
            "",
        ] {
            let config = REHEARSE.replace("${A_URL}", address);
            assert_eq!(lines(ALKEMIO, &config), [4], "{address}");
        }
    }

    #[test]
    fn the_committed_file_uses_the_variables_that_a_rehearsal_sets() {
        let text = std::fs::read_to_string(workspace::root().join(CONFIG)).unwrap();
        let addresses: Vec<&str> = settings(&text)
            .filter(|(_, line)| is_address(line))
            .map(|(_, line)| line.trim())
            .collect();
        assert_eq!(addresses.len(), URL_VARIABLES.len());
        for name in URL_VARIABLES {
            let end = format!(": ${{{name}}}");
            assert!(addresses.iter().any(|line| line.ends_with(&end)), "{name}");
        }
    }
}
