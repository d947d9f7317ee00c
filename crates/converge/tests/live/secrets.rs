//! Passwords are not repeated, and an operator hears of files that others can read.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use testing::Databases;

use crate::support::{Outcome, Workplace};

const CONFIG: &str = "version: 1\nenvironment: scratch\ndatabases:\n  shop:\n";
const LITERAL: &str =
    "    source: mysql://u:s3cret@127.0.0.1:1/d\n    target: postgres://u@127.0.0.1:1/d\n";

/// A command that reads the configuration, and has nothing to do.
fn begun(workplace: &Workplace, variables: &[(&str, &str)]) -> String {
    let mut command = workplace.command(&["transform"]);
    command.envs(variables.iter().copied());
    let outcome = Outcome::of(&command.output().unwrap()).expect(2);
    assert!(!outcome.text().contains("s3cret"), "{}", outcome.text());
    outcome.stderr
}

#[test]
fn files_with_passwords_that_others_can_read_are_named_once() {
    let workplace = Workplace::at(&[]);
    let set_mode = |name: &str, mode: u32| {
        fs::set_permissions(workplace.path().join(name), Permissions::from_mode(mode)).unwrap();
    };
    workplace.write("config.yml", &format!("{CONFIG}{LITERAL}"));
    assert!(!begun(&workplace, &[]).contains("note: "));
    for mode in [0o640, 0o604, 0o644] {
        set_mode("config.yml", mode);
        let said = begun(&workplace, &[]);
        let note = "note: other accounts can read passwords in config.yml; take that away: \
                    chmod go-r config.yml\n";
        assert!(said.starts_with(note), "{said}");
        assert_eq!(said.matches("note: ").count(), 1, "{said}");
    }
    // A file without passwords may be read by all; those of its passwords may not.
    let outside = "    source: mysql://u:${PW}@127.0.0.1:1/d\n    source_password_file: source.pw\n    \
                   target: ${URL:-postgres://u:unused@127.0.0.1:1/d}\n    target_password_file: target.pw\n";
    workplace.write("config.yml", &format!("{CONFIG}{outside}"));
    for file in ["source.pw", "target.pw", "pw"] {
        workplace.write(file, "s3cret\n");
    }
    workplace.write("url", "postgres://u:s3cret@127.0.0.1:1/d\n");
    set_mode("config.yml", 0o644);
    let variables = [("PW_FILE", "pw"), ("URL_FILE", "url")];
    assert!(!begun(&workplace, &variables).contains("note: "));
    for file in ["source.pw", "target.pw", "pw", "url"] {
        set_mode(file, 0o644);
        let said = begun(&workplace, &variables);
        let note = format!("passwords in {file}; take that away: chmod go-r {file}\n");
        assert!(said.contains(&note), "{said}");
        set_mode(file, 0o600);
    }
    set_mode("source.pw", 0o444);
    set_mode("pw", 0o444);
    let said = begun(&workplace, &variables);
    let note = "passwords in pw, source.pw; take that away: chmod go-r pw source.pw\n";
    assert!(said.contains(note), "{said}");
    // A default is a password of the file where nothing stands for it.
    let said = begun(&workplace, &[("PW", "s3cret")]);
    assert!(
        said.contains("passwords in config.yml, source.pw;"),
        "{said}"
    );
}

#[test]
fn what_was_typed_with_a_password_is_told_without_it() {
    let databases = Databases::create();
    databases.load("create table t (id int primary key)", "select 1");
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    for typed in [
        &[
            "baseline",
            "check",
            "--scratch",
            "postgres://u:s3cret@127.0.0.1:1/d",
        ][..],
        &[
            "baseline",
            "check",
            "--scratch=postgres://u:s3c ret@nowhere.invalid/d",
        ],
        &[
            "baseline",
            "check",
            "--scratch",
            "postgres://u:${s3cret@h}@h/d",
        ],
        &[
            "baseline",
            "check",
            "--scratch",
            "postgres://u:${NONE_s:-s3cret@h/d",
        ],
        &["status", "--database", "postgres://u:s3cret@h/d"],
        &["status", "--run", "postgres://u:s3cret@h/d"],
        &["export", "--run", "postgres://u:s3cret@h/d"],
    ] {
        let outcome = Outcome::of(&workplace.command(typed).output().unwrap());
        assert_ne!(outcome.code, 0, "{}", outcome.text());
        for secret in ["s3cret", "s3c", "ret@"] {
            assert!(!outcome.text().contains(secret), "{}", outcome.text());
        }
    }
}
