//! Which crate may depend on which: the table, and the manifests held against it.
//!
//! The table is the architecture; docs/architecture.md shows the same one.

use super::{
    Finding, Source,
    manifest::{self, Dependency},
};

/// A row of the table: crates, and what each of them may depend on.
struct Row {
    crates: &'static [&'static str],
    may_use: &'static [&'static str],
    /// The second column as people read it.
    shown: &'static str,
}

const TABLE: [Row; 7] = [
    Row {
        crates: &["catalog", "digest"],
        may_use: &[],
        shown: "-",
    },
    Row {
        crates: &["baseline"],
        may_use: &["catalog"],
        shown: "catalog",
    },
    Row {
        crates: &["dataset"],
        may_use: &["catalog", "digest"],
        shown: "catalog, digest",
    },
    Row {
        crates: &["source", "transform", "target"],
        may_use: &["catalog", "dataset", "digest"],
        shown: "catalog, dataset, digest",
    },
    Row {
        crates: &["verify"],
        may_use: &["catalog", "digest"],
        shown: "catalog, digest",
    },
    Row {
        crates: &["converge", "devtool"],
        may_use: &LIBRARIES,
        shown: "all above",
    },
    Row {
        crates: &["testing"],
        may_use: &["catalog", "dataset", "source", "target"],
        shown: "catalog, dataset, source, target",
    },
];

const LIBRARIES: [&str; 8] = [
    "baseline",
    "catalog",
    "dataset",
    "digest",
    "source",
    "target",
    "transform",
    "verify",
];

const PROGRAMS: [&str; 3] = ["converge", "devtool", "xtask"];

/// All that xtask may use, so that a first `cargo xtask` is built in seconds.
const XTASK: [&str; 3] = ["anyhow", "clap", "xshell"];

/// A driver and the one crate that may use it.
const DRIVERS: [(&str, &str); 2] = [("mysql", "source"), ("postgres", "target")];

/// Holds the manifests against the table.
pub(super) fn check(manifests: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in manifests {
        let Some(package) = manifest::package(&manifest.text) else {
            findings.push(Finding::new(&manifest.path, 1, "no package name"));
            continue;
        };
        if package != "xtask" && row(&package).is_none() {
            let what = format!(
                "{package} is not in the table of edges: a new crate is an architecture change"
            );
            findings.push(Finding::new(&manifest.path, 1, what));
            continue;
        }
        for dependency in manifest::dependencies(&manifest.text) {
            if let Some(why) = refusal(&package, &dependency) {
                let what = format!("{package} depends on {}, {why}", dependency.name);
                findings.push(Finding::new(&manifest.path, dependency.line, what));
            }
        }
    }
    findings
}

/// Holds the documented table against the one here.
pub(super) fn check_documented(architecture: &Source) -> Vec<Finding> {
    let lines: Vec<&str> = architecture.text.lines().map(str::trim).collect();
    documented()
        .into_iter()
        .filter(|row| !lines.contains(&row.as_str()))
        .map(|row| {
            let what = format!("the table of edges lacks `{row}`, which is what tidy checks");
            Finding::new(&architecture.path, 1, what)
        })
        .collect()
}

/// The table as Markdown rows, without its head.
fn documented() -> Vec<String> {
    let mut rows: Vec<String> = TABLE
        .iter()
        .map(|row| format!("| {} | {} |", row.crates.join(", "), row.shown))
        .collect();
    rows.push("| xtask | none |".to_owned());
    rows
}

fn row(package: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.crates.contains(&package))
}

/// Why the dependency is not allowed, if it is not.
fn refusal(package: &str, dependency: &Dependency) -> Option<&'static str> {
    let name = dependency.name.as_str();
    if package == "xtask" {
        return (!XTASK.contains(&name)).then_some("but xtask stays small");
    }
    if let Some((_, owner)) = DRIVERS.iter().find(|(driver, _)| *driver == name) {
        return (package != *owner).then_some("which has one crate that talks to it");
    }
    let ours = PROGRAMS.contains(&name) || row(name).is_some();
    if !ours || name == package {
        return None;
    }
    if dependency.only_for_tests && name == "testing" {
        return None;
    }
    let allowed = row(package).is_some_and(|row| row.may_use.contains(&name));
    (!allowed).then_some("which the table of edges does not allow")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(package: &str, dependencies: &str) -> Vec<String> {
        let manifest = Source {
            path: "Cargo.toml".into(),
            text: format!("[package]\nname = \"{package}\"\n{dependencies}"),
        };
        check(&[manifest])
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    fn allowed(package: &str, dependency: &str) -> bool {
        found(
            package,
            &format!("[dependencies]\n{dependency}.workspace = true\n"),
        )
        .is_empty()
    }

    #[test]
    fn edges_outside_the_table_are_found() {
        assert!(allowed("dataset", "digest"));
        assert!(!allowed("dataset", "source"));
        assert!(!allowed("verify", "transform"));
        assert!(!allowed("converge", "devtool"));
        assert!(!allowed("xtask", "catalog"));
        assert!(!allowed("xtask", "serde"));
        assert!(allowed("xtask", "xshell"));
    }

    #[test]
    fn drivers_have_one_crate_each() {
        assert!(allowed("source", "mysql") && allowed("target", "postgres"));
        assert!(!allowed("target", "mysql"));
        assert!(!allowed("converge", "postgres"));
    }

    #[test]
    fn testing_is_for_tests_only() {
        assert!(!allowed("source", "testing"));
        assert!(found("source", "[dev-dependencies]\ntesting.workspace = true\n").is_empty());
        assert_eq!(
            found("source", "[dev-dependencies]\nverify.workspace = true\n").len(),
            1
        );
    }

    #[test]
    fn unknown_crates_are_found() {
        assert_eq!(found("newcomer", "").len(), 1);
    }

    #[test]
    fn every_row_must_be_documented() {
        let rows = documented();
        let mut source = Source {
            path: "docs/architecture.md".into(),
            text: rows.join("\n"),
        };
        assert!(check_documented(&source).is_empty());
        source.text = rows[1..].join("\n");
        assert_eq!(check_documented(&source).len(), 1);
    }
}
