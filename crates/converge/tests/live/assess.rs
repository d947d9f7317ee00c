//! `assess` against what was planted: `fixtures/dirt/planted.json` says what has to be found.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testing::{Databases, workspace_root};

use crate::support::{Workplace, settings};

fn folder() -> PathBuf {
    workspace_root().join("fixtures/dirt")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

/// The planted databases, and a configuration with these rules.
fn planted(rules: &str) -> (Databases, Workplace) {
    let databases = Databases::create();
    databases.load(&read("source.sql"), &read("target.sql"));
    let workplace = Workplace::new(&[("dirt", &databases, rules)]);
    workplace.write("who.csv", &read("who.csv"));
    (databases, workplace)
}

fn findings(stdout: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(stdout).unwrap();
    assert_eq!(document["schema_version"], 1);
    document["findings"].as_array().unwrap().clone()
}

/// A finding as planted.json has it, one a line: what it is, where, how many rows, which keys.
fn line(finding: &Value, keys: &str) -> String {
    let text = |name: &str| finding[name].as_str().unwrap_or("-").to_owned();
    let place = ["table", "column", "constraint", "object"].map(text);
    format!(
        "{} {} blocking {} rows {} keys {}",
        text("kind"),
        place.join(" "),
        finding["blocking"],
        finding["rows"],
        finding[keys]
    )
}

fn lines(findings: &[Value], keys: &str) -> Vec<String> {
    let mut lines: Vec<String> = findings.iter().map(|f| line(f, keys)).collect();
    lines.sort();
    lines
}

#[test]
fn all_that_is_planted_is_found_and_nothing_else() {
    let (databases, workplace) = planted(&read("rules.yml"));
    let mut source = databases.mysql();
    source.execute_script(&read("large.sql")).unwrap();
    let expected: Vec<Value> = serde_json::from_str(&read("planted.json")).unwrap();
    let found = workplace.run(&["assess", "--output", "json"]).expect(3);
    let found = findings(&found.stdout);
    assert_eq!(
        lines(&found, "sample_keys").join("\n"),
        lines(&expected, "keys").join("\n")
    );
    for finding in &found {
        assert_eq!(finding["database"], "dirt");
        assert!(!finding["why"].as_str().unwrap().is_empty());
        let hint = finding["hint"].as_str().unwrap();
        assert!(!hint.is_empty() && !hint.contains("{table}"), "{hint}");
        assert!(
            !hint.contains("{column}") && !hint.contains("{object}"),
            "{hint}"
        );
    }
    let alone = workplace.run(&["assess", "--output", "json", "--jobs", "1"]);
    assert_eq!(findings(&alone.expect(3).stdout), found, "with one reader");
    let file = workplace.run_directory().join("dirt/findings.json");
    let file: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(file["findings"], Value::Array(found));
}

#[test]
fn findings_are_a_text_for_people_and_rules_for_the_configuration() {
    let (_databases, workplace) = planted(&read("rules.yml"));
    let assessed = workplace.run(&["assess", "--write-rules", "rules.yml"]);
    let assessed = assessed.expect(3);
    let rules = fs::read_to_string(workplace.path().join("rules.yml")).unwrap();
    let again = workplace.run(&["assess", "--write-rules", "config.yml"]);
    settings(&folder().join("expected")).bind(|| {
        insta::assert_snapshot!("assess", assessed.text());
        insta::assert_snapshot!("rules", rules);
        insta::assert_snapshot!("a_file_is_not_overwritten", again.expect(2).text());
    });
    for text in [assessed.text(), rules] {
        for value in ["a name", "too long", "ghi", "0f8fad5b"] {
            assert!(!text.contains(value), "no cell values: {value}");
        }
    }
}

#[test]
fn what_a_rule_takes_care_of_is_no_finding() {
    let (_databases, workplace) = planted(&read("rules.yml"));
    let before = workplace.run(&["assess", "--output", "json"]).expect(3);
    let before = findings(&before.stdout);
    let rule_of = |finding: &Value| {
        let rule = finding["rule"].as_str()?;
        // What an operator has to fill in, and rules for constraints.
        let ready = !rule.contains('<') && rule.starts_with("{column:");
        ready.then(|| rule.to_owned())
    };
    let mut rules: Vec<String> = before.iter().filter_map(rule_of).collect();
    rules.sort();
    rules.dedup();
    assert!(rules.len() >= 9, "{rules:?}");
    let declared: Vec<String> = rules.iter().map(|rule| format!("  - {rule}\n")).collect();
    let (_databases, workplace) = planted(&(read("rules.yml") + &declared.concat()));
    let after = workplace.run(&["assess", "--output", "json"]).expect(3);
    let left: Vec<Value> = before
        .into_iter()
        .filter(|finding| rule_of(finding).is_none())
        .collect();
    assert_eq!(
        lines(&findings(&after.stdout), "sample_keys").join("\n"),
        lines(&left, "sample_keys").join("\n")
    );
    let document: Value = serde_json::from_str(&after.stdout).unwrap();
    let counted = &document["databases"][0]["rules"];
    assert_eq!(counted["uuids.ref empty_uuid -> null"], 2, "{counted}");
}

#[test]
fn a_schema_that_is_not_made_lacks_its_extension_and_its_tables() {
    let databases = Databases::create();
    databases.load(
        "create table t (id char(36) primary key); insert into t values ('x')",
        "",
    );
    let workplace = Workplace::new(&[("app", &databases, "schema_owner: typeorm")]);
    let found = workplace.run(&["assess", "--output", "json"]).expect(3);
    assert_eq!(
        lines(&findings(&found.stdout), "sample_keys"),
        [
            "missing_extension - - - uuid-ossp blocking true rows 0 keys []",
            "table_only_in_source t - - - blocking true rows 1 keys [{\"id\":\"x\"}]",
        ]
    );
}

#[test]
fn the_target_refuses_what_was_found_and_takes_what_was_not() {
    let (databases, _workplace) = planted("");
    let mut target = databases.postgres();
    let long = databases
        .mysql()
        .query_text("select long_text from wide where id = 2")
        .unwrap();
    let long = long[0][0].clone().unwrap();
    assert!(long.len() > 2704);
    let insert = |text: &str| format!("insert into wide values (1, '{text}')");
    let refused = target.batch_execute(&insert(&long)).unwrap_err();
    assert!(refused.to_string().contains("index row size"), "{refused}");
    target.batch_execute(&insert(&long[..2692])).unwrap();
}

#[test]
fn a_migration_stops_before_it_touches_the_target() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key, flag tinyint not null); \
         insert into t values (1, 1), (2, 2)",
        "create table t (id integer primary key, flag boolean not null)",
    );
    let workplace = Workplace::new(&[("app", &databases, "")]);
    let before = target::fingerprint(&mut databases.postgres(), "public").unwrap();
    let stopped = workplace.run(&["migrate"]).expect(3);
    settings(&folder().join("expected")).bind(|| {
        insta::assert_snapshot!("migrate_stops", stopped.text());
    });
    assert!(!Path::new(&workplace.run_directory().join("app/export")).exists());
    let skipped = workplace.run(&["migrate", "--skip-assess"]).expect(4);
    assert!(skipped.stderr.contains("not_boolean"), "{}", skipped.text());
    databases
        .mysql()
        .execute("update t set flag = 0 where id = 2")
        .unwrap();
    let rehearsed = workplace.run(&["rehearse"]).expect(0);
    assert!(
        rehearsed.stderr.contains("assess     app"),
        "{}",
        rehearsed.text()
    );
    assert_eq!(
        target::fingerprint(&mut databases.postgres(), "public")
            .unwrap()
            .differences(&before)
            .len(),
        1,
        "the rehearsal left its rows"
    );
    workplace.run(&["rollback"]).expect(0);
    let skipped = workplace.run(&["migrate", "--skip-assess", "--output", "json"]);
    let document: Value = serde_json::from_str(&skipped.expect(0).stdout).unwrap();
    assert_eq!(document["assess"], Value::Null);
    workplace.run(&["rollback"]).expect(0);
    let assessed = workplace.run(&["migrate", "--output", "json"]).expect(0);
    let document: Value = serde_json::from_str(&assessed.stdout).unwrap();
    assert_eq!(document["assess"]["blocking"], 0);
}
