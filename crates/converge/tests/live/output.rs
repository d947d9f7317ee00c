//! What commands print: lists once, with a word where the rest is, in lines that a terminal holds.

use serde_json::Value;
use testing::Databases;

use crate::support::Workplace;

/// Alkemio's names, a column that a rule changes, and notes of the assessment.
fn callouts() -> (Databases, Workplace) {
    let databases = Databases::create();
    databases.load(
        "create table callout_contribution (
           id char(36) primary key, createdBy char(36) not null, createdDate datetime(6) not null,
           calloutId char(36));
         create table callout (
           id char(36) primary key, publishedBy char(36), publishedDate datetime(6));
         insert into callout values
           ('00000000-0000-4000-8000-000000000001', '', '2024-01-02'),
           ('00000000-0000-4000-8000-000000000002', '', null);
         insert into callout_contribution values
           ('00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000009',
            '2024-01-02', '00000000-0000-4000-8000-000000000001');",
        "create table callout (
           id uuid primary key, \"publishedBy\" uuid,
           \"publishedDate\" timestamp without time zone);
         create table callout_contribution (
           id uuid primary key, \"createdBy\" uuid not null,
           \"createdDate\" timestamp without time zone not null,
           \"calloutId\" uuid
             constraint \"FK_7370de8eb79ed00b0d403f2299a\" references callout);",
    );
    let options = "rules: [{column: \"*.*\", when: empty_uuid, then: \"null\"}]";
    let workplace = Workplace::new(&[("alkemio", &databases, options)]);
    (databases, workplace)
}

#[test]
fn a_command_lists_what_rules_changed_once_and_says_where_findings_are() {
    let (_databases, workplace) = callouts();
    let rehearsed = workplace.run(&["rehearse"]).expect(0);
    // Assessed, moved, rolled back and moved again.
    for line in [
        "rule *.* empty_uuid -> null: 2 rows",
        "note: no index finds the rows of 1 foreign key of `alkemio`",
    ] {
        let count = rehearsed.stderr.matches(line).count();
        assert_eq!(count, 1, "{line}: {}", rehearsed.text());
    }
    let summary = rehearsed
        .stderr
        .lines()
        .position(|line| line.contains(" notes"));
    let where_they_are = rehearsed.stderr.lines().nth(summary.unwrap() + 1).unwrap();
    let place = where_they_are.trim().strip_prefix("listed in ").unwrap();
    assert!(place.ends_with("/*/findings.json"), "{place}");
    let file = workplace.path().join(place.replace('*', "alkemio"));
    let document: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(!document["findings"].as_array().unwrap().is_empty());
}

/// What begins a line that is no row of a table.
const SENTENCES: [&str; 5] = ["note", "why:", "fix:", "rule:", "next:"];

#[test]
fn lines_of_tables_fit_a_terminal() {
    let (_databases, workplace) = callouts();
    for arguments in [
        &["doctor"][..],
        &["assess"],
        &["rehearse"],
        &["verify"],
        &["verify", "--equivalences"],
        &["status"],
    ] {
        let ran = workplace.run(arguments).expect(0);
        for line in ran.stdout.lines() {
            // Sentences stand in one line each, so that a command in them can be copied.
            let is_sentence = SENTENCES.iter().any(|start| line.trim().starts_with(start));
            assert!(
                is_sentence || line.chars().count() <= 80,
                "{arguments:?}: {line}"
            );
        }
    }
}

#[test]
fn rows_without_a_key_are_counted_in_one_line() {
    let databases = Databases::create();
    databases.load(
        "create table page_views (path varchar(20));
         insert into page_views values ('a'), ('a'), ('b'), ('c'), ('d');",
        "create table page_views (path varchar(20));",
    );
    let workplace = Workplace::new(&[("webshop", &databases, "")]);
    workplace.run(&["migrate"]).expect(0);
    databases
        .postgres()
        .batch_execute("delete from page_views where path < 'd'")
        .unwrap();
    let verified = workplace.run(&["verify"]).expect(5);
    let line = "           webshop.page_views: 4 missing, 0 unexpected, 0 different; the table has no key\n";
    assert!(verified.stdout.starts_with(line), "{}", verified.text());
}
