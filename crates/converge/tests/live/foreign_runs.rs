//! Run directories that another account can write, that lead elsewhere, or that are not what this
//! tool leaves: they are neither read nor written to; and the newest run is not a matter of the
//! clock.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};
use testing::Databases;

use crate::support::{Outcome, Workplace};

const SOURCE: &str = "create table t (id int primary key, note text); \
                      insert into t values (1, 'a'), (2, 'b')";
const TARGET: &str = "create table t (id integer primary key, note text)";
/// The account `nobody` of most systems; nothing is done in its name.
const OTHER_UID: u32 = 65534;
const MANIFEST: &str = "shop/transformed/migration_manifest.json";

/// Databases with a run that is exported and transformed.
fn transformed() -> (Databases, Workplace, PathBuf) {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    workplace.run(&["export"]).expect(0);
    workplace.run(&["transform"]).expect(0);
    let run = workplace.run_directory();
    (databases, workplace, run)
}

fn change(file: &Path, change: impl FnOnce(&mut Value)) {
    let mut document = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    change(&mut document);
    fs::write(file, document.to_string()).unwrap();
}

/// All names below a directory, with what the files hold.
fn content(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(content(&path)),
            false => all.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    all.sort();
    all
}

/// Each command that opens a run refuses the one that was named.
fn refused(workplace: &Workplace, run: &Path, why: &str) -> Vec<Outcome> {
    let run = run.to_str().unwrap();
    let commands = [
        "status",
        "export",
        "transform",
        "import",
        "verify",
        "migrate",
    ];
    let outcomes = commands.map(|command| {
        let outcome = workplace.run(&[command, "--run", run]).expect(3);
        assert!(outcome.stderr.contains(why), "{}", outcome.text());
        assert!(outcome.stderr.contains("\nhint: "), "{}", outcome.text());
        outcome
    });
    outcomes.into()
}

#[test]
fn a_run_whose_parts_are_links_is_refused_and_what_they_lead_to_stays() {
    let (_databases, workplace, run) = transformed();
    let elsewhere = workplace.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("mine.csv"), "keep me\n").unwrap();
    fs::write(elsewhere.join("lines"), "").unwrap();
    let before = content(&elsewhere);
    for (part, to) in [
        ("shop/transformed", ""),
        ("events.jsonl", "lines"),
        ("run.json", "lines"),
        ("shop/export/t.csv", "mine.csv"),
    ] {
        let (part, kept) = (run.join(part), workplace.path().join("kept"));
        fs::rename(&part, &kept).unwrap();
        symlink(elsewhere.join(to), &part).unwrap();
        refused(&workplace, &run, &format!("{} is a link", part.display()));
        fs::remove_file(&part).unwrap();
        fs::rename(&kept, &part).unwrap();
        assert_eq!(content(&elsewhere), before);
    }
    // The directory as a whole, too.
    let link = workplace.path().join("link");
    symlink(&run, &link).unwrap();
    refused(&workplace, &link, "link is a link");
    workplace.run(&["import"]).expect(0);
}

#[test]
fn pipes_are_refused_at_once() {
    let (_databases, workplace, run) = transformed();
    for part in [
        MANIFEST,
        "shop/export/migration_manifest.json",
        "shop/export/t.csv",
        "events.jsonl",
        "run.json",
    ] {
        let (part, kept) = (run.join(part), workplace.path().join("kept"));
        fs::rename(&part, &kept).unwrap();
        assert!(
            Command::new("mkfifo")
                .arg(&part)
                .status()
                .unwrap()
                .success()
        );
        refused(&workplace, &run, &format!("{} is a pipe", part.display()));
        // And where it is looked for.
        let status = workplace.run(&["status"]).expect(0);
        assert!(status.stdout.contains("no run here"), "{}", status.text());
        assert!(
            status.stderr.contains("note: passed over: "),
            "{}",
            status.text()
        );
        fs::remove_file(&part).unwrap();
        fs::rename(&kept, &part).unwrap();
    }
}

#[test]
fn a_run_that_a_group_can_write_is_refused_until_the_hint_is_pasted() {
    let (_databases, workplace, run) = transformed();
    fs::set_permissions(run.join("shop"), fs::Permissions::from_mode(0o770)).unwrap();
    let outcomes = refused(&workplace, &run, "other accounts can write to ");
    let hint = outcomes[0]
        .stderr
        .lines()
        .find(|line| line.starts_with("hint: "));
    let (_, command) = hint.unwrap().rsplit_once(": ").unwrap();
    let status = Command::new("sh").args(["-c", command]).status().unwrap();
    assert!(status.success(), "{command}");
    let run = run.to_str().unwrap();
    workplace.run(&["import", "--run", run]).expect(0);
}

#[test]
fn a_run_of_another_account_is_neither_opened_nor_the_newest() {
    let (_databases, workplace, run) = transformed();
    let foreign = run.with_file_name("29991231-235959-ffff");
    let copied = Command::new("cp").arg("-r").args([&run, &foreign]).status();
    assert!(copied.unwrap().success());
    change(&foreign.join("run.json"), |state| {
        state["run_id"] = json!("29991231-235959-ffff");
        state["created"] = json!("2999-12-31T23:59:59.000Z");
        state["sequence"] = json!(u64::MAX);
    });
    let newest = |workplace: &Workplace| {
        let outcome = workplace.run(&["status"]).expect(0);
        let first = outcome.stdout.lines().next().unwrap().to_owned();
        (first, outcome.stderr)
    };
    assert!(
        newest(&workplace)
            .0
            .starts_with("run 29991231-235959-ffff ")
    );
    let made_over = chown(&foreign, Some(OTHER_UID), None);
    // Only root can give a directory away; without that, one that others can write stands for it.
    let why = match made_over.is_ok() {
        true => "belongs to another account (uid 65534, ",
        false => {
            fs::set_permissions(&foreign, fs::Permissions::from_mode(0o777)).unwrap();
            "other accounts can write to "
        }
    };
    refused(&workplace, &foreign, why);
    let before = content(&foreign);
    let (first, said) = newest(&workplace);
    let own = run.file_name().unwrap().to_str().unwrap();
    assert!(first.starts_with(&format!("run {own} ")), "{first}");
    assert!(said.starts_with("note: passed over: "), "{said}");
    assert_eq!(said.matches("passed over").count(), 1, "{said}");
    assert!(said.contains(why), "{said}");
    // Nor does its number count, nor is anything of it loaded.
    let outcome = workplace.run(&["import"]).expect(0);
    assert!(outcome.stderr.contains("passed over"), "{}", outcome.text());
    assert_eq!(content(&foreign), before);
    workplace.run(&["export"]).expect(0);
    let (first, _) = newest(&workplace);
    assert!(
        first.starts_with(&format!("run {own} ")),
        "the target's: {first}"
    );
}

#[test]
fn names_that_lead_out_of_a_run_are_refused() {
    let (_databases, workplace, run) = transformed();
    let secret = workplace.path().join("x");
    fs::write(&secret, "id,note\n9,stolen\n").unwrap();
    for name in ["../../../../x", secret.to_str().unwrap(), "..", ""] {
        for (file, commands) in [
            (MANIFEST, &["import", "verify"][..]),
            ("shop/export/migration_manifest.json", &["transform"]),
        ] {
            let before = fs::read(run.join(file)).unwrap();
            change(&run.join(file), |manifest| {
                manifest["tables"][0]["files"][0]["name"] = json!(name);
            });
            for command in commands {
                let against: &[&str] = match *command {
                    "verify" => &["--against", "manifest-target"],
                    _ => &[],
                };
                let outcome = workplace.run(&[&[*command], against].concat()).expect(3);
                assert!(
                    outcome
                        .stderr
                        .contains("is not the name of a file or directory"),
                    "{}",
                    outcome.text()
                );
            }
            fs::write(run.join(file), before).unwrap();
        }
        workplace.run(&["transform"]).expect(0);
    }
    let before = fs::read(run.join("run.json")).unwrap();
    let in_run: [fn(&mut Value); 3] = [
        |state| state["run_id"] = json!("../x"),
        |state| state["stages"][0]["database"] = json!("/etc/x"),
        |state| {
            let database = state["databases"]["shop"].take();
            state["databases"] = json!({ "../shop": database });
        },
    ];
    for in_run in in_run {
        change(&run.join("run.json"), in_run);
        let run = run.to_str().unwrap();
        let outcome = workplace.run(&["import", "--run", run]).expect(2);
        assert!(
            outcome.stderr.contains("run.json is damaged"),
            "{}",
            outcome.text()
        );
        fs::write(workplace.path().join(run).join("run.json"), &before).unwrap();
    }
    // And an export that would go on.
    change(
        &run.join("shop/export/migration_manifest.json"),
        |manifest| {
            manifest["database"] = json!("..");
        },
    );
    let outcome = workplace.run(&["export", "--run", run.to_str().unwrap()]);
    let outcome = outcome.expect(3);
    assert!(outcome.stderr.contains("--restart"), "{}", outcome.text());
}

#[test]
fn wrong_and_huge_counts_are_errors() {
    let (databases, workplace, run) = transformed();
    type Wrong = fn(&mut Value);
    fn rows(document: &mut Value, rows: u64) {
        document["tables"][0]["row_count"] = json!(rows);
        document["tables"][0]["files"][0]["rows"] = json!(rows);
    }
    let exported = "shop/export/migration_manifest.json";
    let changes: [(&str, &str, &str, Wrong); 6] = [
        ("import", MANIFEST, "larger than can be", |m| {
            m["tables"][0]["files"][0]["bytes"] = json!(u64::MAX)
        }),
        ("import", MANIFEST, "larger than can be", |m| {
            rows(m, u64::MAX)
        }),
        ("transform", exported, "larger than can be", |m| {
            m["tables"][0]["files"][0]["bytes"] = json!(u64::MAX)
        }),
        ("import", MANIFEST, "not those of its files", |m| {
            m["tables"][0]["row_count"] = json!(3)
        }),
        (
            "transform",
            exported,
            "is not what its manifest says",
            |m| rows(m, 3),
        ),
        ("import", MANIFEST, "the server took 2 rows of 3", |m| {
            rows(m, 3)
        }),
    ];
    for (command, file, why, wrong) in changes {
        let before = fs::read(run.join(file)).unwrap();
        change(&run.join(file), wrong);
        let outcome = workplace.run(&[command]);
        let text = outcome.text();
        assert!(outcome.stderr.contains(why), "{text}");
        assert!(
            !text.contains("panicked") && !text.contains("fault of"),
            "{text}"
        );
        assert!([3, 4].contains(&outcome.code), "{text}");
        fs::write(run.join(file), before).unwrap();
        if command == "transform" {
            workplace.run(&["transform"]).expect(0);
        }
    }
    let loaded = databases
        .postgres()
        .query_text("select count(*)::text from t");
    assert_eq!(loaded.unwrap()[0][0].as_deref(), Some("0"));
}

#[test]
fn the_newest_run_is_the_one_that_was_begun_last_whatever_the_clock_said() {
    let (_databases, workplace, first) = transformed();
    // A clock that was ahead then.
    change(&first.join("run.json"), |state| {
        assert_eq!(state["sequence"], json!(1));
        state["created"] = json!("2999-12-31T23:59:59.000Z");
    });
    workplace.run(&["export"]).expect(0);
    let status = workplace.run(&["status"]).expect(0);
    let first = first.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(!status.stdout.contains(&first), "{}", status.text());
    // Two at once both go on, each in a directory of its own.
    let begin = || {
        let mut command = workplace.command(&["export"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Outcome::of(&command.output().unwrap()).expect(0).stdout
    };
    let [one, other] = thread::scope(|scope| {
        [scope.spawn(begin), scope.spawn(begin)].map(|at_once| at_once.join().unwrap())
    });
    assert_ne!(one.lines().next(), other.lines().next());
    let status = workplace.run(&["status"]).expect(0);
    let run = status.stdout.split(' ').nth(1).unwrap();
    assert!(
        one.contains(run) || other.contains(run),
        "{}",
        status.text()
    );
    // One of old has no number.
    let latest = workplace.path().join("runs").join(run).join("run.json");
    change(&latest, |state| {
        state.as_object_mut().unwrap().remove("sequence");
    });
    let status = workplace.run(&["status"]).expect(0);
    assert!(!status.stdout.contains(run), "{}", status.text());
}
