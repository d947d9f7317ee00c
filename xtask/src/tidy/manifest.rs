//! Rules for the manifests of the workspace's packages, and a reader of their dependencies.
//!
//! It reads the few forms of TOML that these manifests use; another form is a finding,
//! because it does not inherit its version.

use super::{Finding, Source};

/// A dependency as a manifest names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) only_for_tests: bool,
    inherited: bool,
}

/// Each manifest inherits the lints, and versions stand in the root manifest only.
pub(super) fn check(manifests: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in manifests {
        if !inherits_lints(&manifest.text) {
            let what = "no `[lints] workspace = true`, so the workspace's lints do not hold here";
            findings.push(Finding::new(&manifest.path, 1, what));
        }
        for dependency in dependencies(&manifest.text) {
            if !dependency.inherited {
                let what = format!(
                    "`{}` does not say `workspace = true`: versions stand in the root manifest only",
                    dependency.name
                );
                findings.push(Finding::new(&manifest.path, dependency.line, what));
            }
        }
    }
    findings
}

/// The name of the package that the manifest describes.
pub(super) fn package(text: &str) -> Option<String> {
    let mut section = "";
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        }
        if let Some((key, value)) = line.split_once('=')
            && section == "[package]"
            && key.trim() == "name"
        {
            return Some(value.trim().trim_matches('"').to_owned());
        }
    }
    None
}

/// All dependencies: of the package, of its build script, of its tests, of one platform.
pub(super) fn dependencies(text: &str) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    let mut section = String::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = header.to_owned();
            if let Some((kind, name)) = header.rsplit_once('.')
                && is_dependencies(kind)
            {
                found.push(dependency(name, index, kind, false));
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        if is_dependencies(&section) {
            let (name, rest) = key.split_once('.').unwrap_or((key, ""));
            let inherited =
                (rest == "workspace" && value == "true") || value.contains("workspace = true");
            found.push(dependency(name, index, &section, inherited));
        } else if let Some((kind, _)) = section.rsplit_once('.')
            && is_dependencies(kind)
            && (key, value) == ("workspace", "true")
            && let Some(last) = found.last_mut()
        {
            last.inherited = true;
        }
    }
    found
}

fn dependency(name: &str, index: usize, section: &str, inherited: bool) -> Dependency {
    Dependency {
        name: name.trim_matches('"').to_owned(),
        line: index + 1,
        only_for_tests: section.ends_with("dev-dependencies"),
        inherited,
    }
}

fn is_dependencies(section: &str) -> bool {
    let kind = section.rsplit('.').next().unwrap_or_default();
    ["dependencies", "dev-dependencies", "build-dependencies"].contains(&kind)
}

fn inherits_lints(text: &str) -> bool {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines
        .windows(2)
        .any(|pair| pair == ["[lints]", "workspace = true"])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn all_spellings_of_a_dependency_are_read() {
        let text = "[package]\nname = \"x\"\nversion.workspace = true\n\
            [dependencies]\na.workspace = true\nb = { workspace = true, features = [\"f\"] }\nc = \"1\"\n\
            [dev-dependencies]\nd.workspace = true\n\
            [target.'cfg(unix)'.dependencies]\ne.workspace = true\n\
            [build-dependencies.f]\nworkspace = true\n[dependencies.g]\npath = \"../g\"\n";
        let read: Vec<(String, bool, bool)> = dependencies(text)
            .into_iter()
            .map(|found| (found.name, found.only_for_tests, found.inherited))
            .collect();
        let expected = [
            ("a", false, true),
            ("b", false, true),
            ("c", false, false),
            ("d", true, true),
            ("e", false, true),
            ("f", false, true),
            ("g", false, false),
        ];
        assert_eq!(
            read,
            expected.map(|(name, tests, inherited)| (name.to_owned(), tests, inherited))
        );
        assert_eq!(package(text).as_deref(), Some("x"));
    }

    #[test]
    fn own_versions_and_missing_lints_are_found() {
        let manifest = Source {
            path: Path::new("Cargo.toml").into(),
            text: "[package]\n[dependencies]\ncsv = \"1\"\n[lints]\nrust = {}\n".into(),
        };
        let lines: Vec<usize> = check(&[manifest])
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [1, 3]);
    }
}
