//! Rules for single files: their names, their heads, their length, and what must not stand in them.
//!
//! It reads lines, not syntax.

use std::path::{Path, PathBuf};

use super::{Finding, Source};

/// A file of Rust has at most this many lines: about what one sitting reads.
const LINES_MAX: usize = 600;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = [
    "utils", "util", "common", "helpers", "helper", "types", "misc",
];

/// Where entrypoints of images lie: inside an image there is nothing but a shell.
const IMAGES: &str = "xtask/src/images";

/// The one script: what CI calls.
const CI: &str = ".ci/run";

/// Files that must not be there at all, by name.
pub(super) fn check_names(paths: &[PathBuf]) -> Vec<Finding> {
    let refusals = paths
        .iter()
        .filter_map(|path| refused_name(path).map(|what| (path, what)));
    refusals
        .map(|(path, what)| Finding::new(path, 1, what))
        .collect()
}

/// Rules for the text of Rust files.
pub(super) fn check_rust(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let mut add =
            |line: usize, what: &str| findings.push(Finding::new(&source.path, line, what));
        if !has_head(&source.text) {
            add(
                1,
                "no `//!` with a sentence at the head, which says what the file is for",
            );
        }
        if source.text.lines().count() > LINES_MAX {
            add(
                LINES_MAX + 1,
                "more than 600 lines, which nobody reads at once",
            );
        }
        for (index, line) in source.text.lines().enumerate() {
            if let Some(what) = refused_line(line.trim_start()) {
                add(index + 1, what);
            }
        }
    }
    findings
}

fn refused_name(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    if name.ends_with(".snap.new") || name.ends_with(".pending-snap") {
        return Some("a snapshot that nobody accepted or rejected");
    }
    let script = ["sh", "bash", "zsh", "mk"].contains(&extension)
        || [
            "Makefile",
            "makefile",
            "GNUmakefile",
            "justfile",
            "Justfile",
            ".justfile",
        ]
        .contains(&name);
    let allowed = path == Path::new(CI) || path.parent() == Some(Path::new(IMAGES));
    if script && !allowed {
        return Some("a script, where the place for jobs is xtask");
    }
    let mut parts = path
        .components()
        .filter_map(|part| part.as_os_str().to_str());
    let stem = |part: &str| part.strip_suffix(".rs").unwrap_or(part).to_owned();
    let empty = extension == "rs" && parts.any(|part| EMPTY_NAMES.contains(&stem(part).as_str()));
    empty.then_some("a name that says nothing: name the module for a thing of the domain")
}

fn refused_line(line: &str) -> Option<&'static str> {
    if line.starts_with("#[ignore") || (line.starts_with("#[cfg_attr(") && line.contains("ignore"))
    {
        return Some("an ignored test, which proves nothing");
    }
    let allows = ["#[allow(", "#![allow("]
        .iter()
        .any(|start| line.starts_with(start));
    if allows || (line.starts_with("#[cfg_attr(") && line.contains("allow(")) {
        return Some(
            "`allow`, where `expect` with a reason would notice when it is no longer needed",
        );
    }
    let declared = line.strip_prefix("pub ").unwrap_or(line);
    let declared = declared.strip_prefix("pub(crate) ").unwrap_or(declared);
    let module = declared
        .strip_prefix("mod ")?
        .split([' ', ';', '{'])
        .next()?;
    EMPTY_NAMES
        .contains(&module)
        .then_some("a module name that says nothing")
}

/// Whether the first line is module documentation and a sentence ends in it.
fn has_head(text: &str) -> bool {
    let head: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .collect();
    let words = head.iter().flat_map(|line| line.split_whitespace()).count();
    let first = head.first().is_some_and(|line| !line.trim().is_empty());
    first
        && words >= 3
        && head
            .iter()
            .any(|line| line.contains('.') || line.trim_end().ends_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(text: &str) -> Vec<usize> {
        let source = Source {
            path: "src/x.rs".into(),
            text: text.into(),
        };
        check_rust(&[source])
            .iter()
            .map(|finding| finding.line)
            .collect()
    }

    const HEAD: &str = "//! Reads the catalogue.\n";

    #[test]
    fn a_file_needs_a_head() {
        assert_eq!(rust(HEAD), Vec::<usize>::new());
        assert_eq!(rust("use std::fs;\n"), [1]);
        assert_eq!(rust("//!\n//! Late.\n"), [1]);
        assert_eq!(rust("//! Reads\n"), [1]);
    }

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(
            rust(&(HEAD.to_owned() + &"//\n".repeat(599))),
            Vec::<usize>::new()
        );
        assert_eq!(rust(&(HEAD.to_owned() + &"//\n".repeat(600))), [601]);
    }

    #[test]
    fn refused_attributes_and_modules_are_found() {
        for line in [
            "#[ignore]",
            "    #[ignore = \"slow\"]",
            "#[cfg_attr(unix, ignore)]",
            "#[allow(dead_code)]",
            "#![allow(unused)]",
            "mod utils;",
            "pub(crate) mod helpers {",
        ] {
            assert_eq!(rust(&format!("{HEAD}{line}\n")), [2], "{line}");
        }
        let fine =
            "#[expect(dead_code, reason = \"x\")]\nmod mysql_type;\n// #[ignore] is refused.\n";
        assert_eq!(rust(&format!("{HEAD}{fine}")), Vec::<usize>::new());
    }

    #[test]
    fn refused_names_are_found() {
        let refused = |path: &str| !check_names(&[path.into()]).is_empty();
        for path in [
            "src/utils.rs",
            "src/common/mod.rs",
            "types.rs",
            "tests/snapshots/a.snap.new",
            "src/.x.rs.pending-snap",
            "run.sh",
            "xtask/src/run.sh",
            "crates/x/Makefile",
            "justfile",
        ] {
            assert!(refused(path), "{path}");
        }
        for path in [
            ".ci/run",
            "xtask/src/images/mysql_entrypoint.sh",
            "src/mysql_type.rs",
            "fixtures/types/source.sql",
            "a.snap",
        ] {
            assert!(!refused(path), "{path}");
        }
    }
}
