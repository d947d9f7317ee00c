//! Every folder below `fixtures/cases` is a law: its source goes the whole way, and what goes into
//! the conversion, what comes out of it and what rules changed or left out, or the refusal, is compared with
//! the snapshots beside it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use dataset::Manifest;
use testing::{Databases, loads_as_it_stands, workspace_root};

use crate::support::{Outcome, Workplace, settings};

/// What rules did, by the ends of the files' names and what a snapshot of them is called.
const LISTS: [(&str, &str); 4] = [
    ("changed.csv", "changed"),
    ("constraints.csv", "constraints"),
    ("csv", "left-out"),
    ("cleared.csv", "cleared"),
];
/// Each case mostly waits for servers.
const WORKERS: usize = 2;
/// The cases are spread over so many tests, none of which takes minutes.
const SHARES: usize = 4;

#[test]
fn every_case_keeps_its_law_1() {
    check_share(0);
}

#[test]
fn every_case_keeps_its_law_2() {
    check_share(1);
}

#[test]
fn every_case_keeps_its_law_3() {
    check_share(2);
}

#[test]
fn every_case_keeps_its_law_4() {
    check_share(3);
}

fn check_share(share: usize) {
    let mut cases: Vec<PathBuf> = fs::read_dir(workspace_root().join("fixtures/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 130, "the cases are where they should be");
    let cases = cases.into_iter().enumerate();
    let own = cases.filter(|(index, _)| index % SHARES == share);
    let queue = Mutex::new(own.map(|(_, case)| case).collect());
    let broken = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = next(&queue) {
                    if catch_unwind(AssertUnwindSafe(|| check(&case))).is_err() {
                        broken.lock().unwrap().push(case);
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(
        broken.is_empty(),
        "these cases do not keep their law: {broken:#?}"
    );
}

fn next(queue: &Mutex<Vec<PathBuf>>) -> Option<PathBuf> {
    queue.lock().unwrap().pop()
}

fn check(case: &Path) {
    let databases = Databases::create();
    let read = |name: &str| fs::read_to_string(case.join(name)).unwrap();
    databases.load(&read("source.sql"), &read("target.sql"));
    let workplace = Workplace::new(&[("case", &databases, &options(case))]);
    copy_maps(case, workplace.path());
    let exported = workplace.run(&["export"]);
    if exported.code != 0 {
        return refuse(case, "export", &exported);
    }
    let transformed = workplace.run(&["transform"]);
    if transformed.code != 0 {
        return refuse(case, "transform", &transformed);
    }
    let run = workplace.run_directory().join("case");
    let directory = run.join("transformed");
    let manifest = Manifest::read(&directory).unwrap();
    settings(&case.join("expected")).bind(|| compare(&manifest, &run));
    workplace.run(&["import"]).expect(0);
    let verified = workplace.run(&["verify"]).expect(0);
    assert!(
        verified.stdout.contains("verdict: equal"),
        "{}",
        verified.text()
    );
    for table in &manifest.tables {
        loads_as_it_stands(&databases.postgres_url(), table, &directory);
    }
    workplace.run(&["rollback"]).expect(0);
}

/// What a reviewer sees of each table: the files before and after, and the list of changes.
fn compare(manifest: &Manifest, run: &Path) {
    let read = |directory: &str, file: &str| fs::read(run.join(directory).join(file));
    for table in &manifest.tables {
        let stem = dataset::file_stem(&table.name);
        let file = format!("{stem}.csv");
        let before = read("export", &file).unwrap();
        insta::assert_binary_snapshot!(&format!("{stem}-before.csv"), before);
        let after = read("transformed", &file).unwrap();
        insta::assert_binary_snapshot!(&format!("{stem}-after.csv"), after);
        for (ending, name) in LISTS {
            if let Ok(list) = read("rejected", &format!("{stem}.{ending}")) {
                insta::assert_binary_snapshot!(&format!("{stem}-{name}.csv"), list);
            }
        }
    }
}

/// The folder's rules and other keys of its database.
fn options(case: &Path) -> String {
    let mut lines = String::new();
    if let Ok(rules) = fs::read_to_string(case.join("rules.yml")) {
        lines.push_str("rules:\n");
        for line in rules.lines() {
            lines.push_str(&format!("  {line}\n"));
        }
    }
    lines.push_str(&fs::read_to_string(case.join("options.yml")).unwrap_or_default());
    lines
}

fn copy_maps(case: &Path, to: &Path) {
    for entry in fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// A refusal is a snapshot of its own; it is never an accident.
fn refuse(case: &Path, stage: &str, outcome: &Outcome) {
    let meant = [2, 3, 4].contains(&outcome.code);
    assert!(meant, "{}: {}", case.display(), outcome.text());
    let mut settings = settings(&case.join("expected"));
    settings.add_filter(r"(?m)^(export|snapshot) .*\n", "");
    settings.bind(|| {
        insta::assert_snapshot!("refusal", format!("stage: {stage}\n{}", outcome.text()));
    });
}

/// A test of the test: a snapshot that differs only in `\r\n` against `\n`, or in a line break
/// at the end, must not pass.
#[test]
fn a_carriage_return_more_fails_the_comparison() {
    let directory = tempfile::tempdir().unwrap();
    let compare = |bytes: &[u8]| {
        let mut settings = settings(directory.path());
        settings.set_omit_expression(true);
        settings.bind(|| {
            catch_unwind(AssertUnwindSafe(|| {
                insta::assert_binary_snapshot!("breaks.csv", bytes.to_vec());
            }))
            .is_ok()
        })
    };
    let snapshot = "---\nsource: crates/converge/tests/live/cases.rs\nextension: csv\nsnapshot_kind: binary\n---\n";
    fs::write(directory.path().join("breaks.snap"), snapshot).unwrap();
    fs::write(directory.path().join("breaks.snap.csv"), b"a\n\"1\n2\"\n").unwrap();
    assert!(compare(b"a\n\"1\n2\"\n"), "the same bytes pass");
    assert!(
        !compare(b"a\n\"1\r\n2\"\n"),
        "a carriage return within a field is seen"
    );
    assert!(!compare(b"a\r\n\"1\n2\"\r\n"), "other line ends are seen");
    assert!(
        !compare(b"a\n\"1\n2\"\n\n"),
        "a blank line at the end is seen"
    );
}
