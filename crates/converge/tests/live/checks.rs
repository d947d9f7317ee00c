//! Checks of meaning: both sides are asked, and what the move has not made is not held against it.

use serde_json::Value;
use testing::Databases;

use crate::support::{Outcome, Workplace};

const CHECKS: &str = "-- For people.

-- as many people in each house
select house, count(*) from people group by house;

-- everybody has a house that is there
-- none
select p.id from people p left join \"house\" h on h.id = p.house where h.id is null;

-- as many people of each name
select exact(name), count(*) from people group by exact(name);
";

fn moved() -> (Databases, Workplace) {
    let databases = Databases::create();
    databases.load(
        "create table house (id int primary key);
         create table people (id int primary key, name varchar(20), house int);
         insert into house values (1), (2);
         insert into people values (1, 'Ann', 1), (2, 'Bob', 1), (3, 'Cid', 2), (4, 'Dan', null);",
        "create table house (id integer primary key);
         create table people (id integer primary key, name varchar(20), house integer);",
    );
    let workplace = Workplace::new(&[("town", &databases, "checks: questions")]);
    std::fs::create_dir(workplace.path().join("questions")).unwrap();
    workplace.write("questions/people.sql", CHECKS);
    workplace.run(&["migrate"]).expect(0);
    (databases, workplace)
}

fn passed(verified: &Outcome) -> Vec<(String, bool)> {
    let document: Value = serde_json::from_str(&verified.stdout).unwrap();
    let checks = document["databases"][0]["checks"].as_array().unwrap();
    let check = |check: &Value| {
        assert_eq!(check["group"], "people");
        let name = check["name"].as_str().unwrap().to_owned();
        (name, check["passed"].as_bool().unwrap())
    };
    checks.iter().map(check).collect()
}

#[test]
fn questions_are_asked_of_both_sides() {
    let (databases, workplace) = moved();
    let verified = workplace.run(&["verify", "--output", "json"]).expect(0);
    let names = [
        "as many people in each house",
        "everybody has a house that is there",
        "as many people of each name",
    ];
    let all = |results: [bool; 3]| -> Vec<(String, bool)> {
        names.map(str::to_owned).into_iter().zip(results).collect()
    };
    assert_eq!(passed(&verified), all([true, true, true]));
    let note = "note: the rows of `town` violate 1 of 3 checks, and violated them in the source: people: everybody has a house that is there (1 row)\n";
    assert!(verified.stderr.contains(note), "{}", verified.text());
    let mut target = databases.postgres();
    for (sql, results) in [
        (
            "update people set house = 9 where id = 3",
            [false, false, true],
        ),
        (
            "update people set name = 'ann', house = 2 where id = 3",
            [true, true, false],
        ),
        ("update people set name = 'Cid'", [true, true, false]),
    ] {
        target.batch_execute(sql).unwrap();
        let verified = workplace.run(&["verify", "--output", "json"]).expect(5);
        assert_eq!(passed(&verified), all(results), "{sql}");
        assert!(verified.stderr.contains("FAILED: "), "{}", verified.text());
    }
    let human = workplace.run(&["verify"]).expect(5);
    let lines = "check      town people: as many people of each name\n";
    assert!(human.stdout.contains(lines), "{}", human.text());
    let sum = "checks: 2 passed, 1 failed\nverdict: different\n";
    assert!(human.stdout.ends_with(sum), "{}", human.text());
    // A quick look asks nothing.
    let quick = workplace.run(&["verify", "--tables", "house", "--output", "json"]);
    assert_eq!(passed(&quick.expect(0)), []);
}

#[test]
fn a_question_that_is_refused_or_answered_otherwise_fails_alone() {
    let (_databases, workplace) = moved();
    for (checks, why) in [
        // The rows are equal: what they mean to the two servers is not.
        (
            "-- a\nselect count(*) from people where name = 'ANN';",
            "another answer",
        ),
        ("-- a\nselect nothing from people;", "refused by the source"),
        ("-- a\nselect `id` from people;", "refused by the target"),
        (
            "-- a\nselect id from people where name = 'x' limit 0, 1;",
            "refused by the target",
        ),
        (
            "-- a\n-- none\nselect name || id from people where id = 1 or name = 'BOB';",
            "",
        ),
    ] {
        workplace.write(
            "questions/people.sql",
            &format!("{checks}\n\n-- b\nselect 1;\n"),
        );
        let code = if why.is_empty() { 0 } else { 5 };
        let verified = workplace.run(&["verify", "--output", "json"]).expect(code);
        let results = [("a".to_owned(), why.is_empty()), ("b".to_owned(), true)];
        assert_eq!(passed(&verified), results, "{checks}");
        assert!(
            verified.stderr.contains(why),
            "{checks}: {}",
            verified.text()
        );
        let document: Value = serde_json::from_str(&verified.stdout).unwrap();
        let verdict = if why.is_empty() { "equal" } else { "different" };
        assert_eq!(document["verdict"], verdict, "{checks}");
    }
}

#[test]
fn what_is_no_question_is_refused_before_anything_is_done() {
    let (_databases, workplace) = moved();
    for (checks, why) in [
        ("-- a\ndrop table people;", "`a` is not one query"),
        (
            "-- a\nselect id from people for share;",
            "has to read alone",
        ),
        ("-- only a comment", "holds no check"),
    ] {
        workplace.write("questions/people.sql", checks);
        let refused = workplace.run(&["verify"]).expect(2);
        assert!(refused.stderr.contains(why), "{checks}: {}", refused.text());
        assert!(!refused.stderr.contains("verify  "), "{}", refused.text());
    }
    // Who goes back needs no question.
    workplace.run(&["status"]).expect(0);
    workplace.run(&["rollback"]).expect(0);
}

#[test]
fn some_tables_alone_are_a_partial_look() {
    let (databases, workplace) = moved();
    let mut target = databases.postgres();
    target
        .batch_execute("update people set name = 'Eve' where id = 1")
        .unwrap();
    let house = workplace
        .run(&["verify", "--tables", "town.house"])
        .expect(0);
    assert!(
        house.stdout.ends_with("verdict: partial\n"),
        "{}",
        house.text()
    );
    workplace
        .run(&["verify", "--tables", "house,people"])
        .expect(5);
    let shown = workplace
        .run(&["verify", "--tables", "people", "--show-values"])
        .expect(5);
    let lines = "different  town.people id 1: name\n           name: 'Ann' in the source, 'Eve' in the \
                 target\n";
    assert!(shown.stdout.contains(lines), "{}", shown.text());
    workplace.run(&["verify", "--show-values"]).expect(5);
    let kept = workplace.run_directory().join("town/findings.json");
    let kept = std::fs::read_to_string(kept).unwrap();
    assert!(kept.contains("\"name\"") && !kept.contains("Eve"), "{kept}");
    // What a whole comparison found is not taken back by a look at something else.
    workplace.run(&["verify", "--tables", "house"]).expect(0);
    let status = workplace.run(&["status"]).expect(0);
    assert!(
        status.stdout.contains("verify found differences"),
        "{}",
        status.text()
    );
    let unknown = workplace
        .run(&["verify", "--tables", "house,nowhere"])
        .expect(2);
    assert!(unknown.stderr.contains("`nowhere`"), "{}", unknown.text());
    let table = workplace.run(&["verify", "--equivalences"]).expect(0);
    assert!(table.stdout.contains("text") && table.stdout.contains("letters in either case"));
}

#[test]
fn all_violations_of_the_source_are_in_the_document_and_in_the_run() {
    let (_databases, workplace) = moved();
    let violated = |number: u64| {
        format!("-- v{number}\n-- none\nselect id from people where id <= {number};\n\n")
    };
    workplace.write(
        "questions/people.sql",
        &(0..=4).map(violated).collect::<String>(),
    );
    let verified = workplace.run(&["verify", "--output", "json"]).expect(0);
    let violations = |checks: &Value| -> Vec<u64> {
        let checks = checks.as_array().unwrap().iter();
        checks
            .map(|check| check["violations"].as_u64().unwrap_or(0))
            .collect()
    };
    let document: Value = serde_json::from_str(&verified.stdout).unwrap();
    assert_eq!(
        violations(&document["databases"][0]["checks"]),
        [0, 1, 2, 3, 4]
    );
    let (_, file) = verified.stderr.split_once(" and 1 more; ").unwrap();
    let (file, _) = file.split_once(" has all `violations`\n").unwrap();
    let text = std::fs::read(workplace.path().join(file)).unwrap();
    let kept: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(violations(&kept["checks"]), [0, 1, 2, 3, 4]);
}
