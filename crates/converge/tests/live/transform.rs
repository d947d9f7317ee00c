//! `transform`: its plans for a reviewer, files that do not depend on the number of workers, the
//! failure that is told, and the lists of what rules changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use catalog::ServerKind;
use dataset::{CsvReader, Manifest, Record};
use serde_json::Value;
use testing::{Databases, workspace_root};

use crate::support::{Workplace, settings};

fn snapshot(name: &str, text: &str) {
    let directory = workspace_root().join("crates/converge/tests/live/transform");
    settings(&directory).bind(|| insta::assert_snapshot!(name, text));
}

/// Every column of every table, and that both forms of the output say the same.
fn check_plan(name: &str, options: &str, columns: usize) {
    let databases = Databases::create();
    let family = match databases.mysql().server().kind {
        ServerKind::Mariadb => "mariadb",
        _ => "mysql",
    };
    let directory = workspace_root().join("fixtures").join(name);
    let read = |file: &str| fs::read_to_string(directory.join(file)).unwrap();
    databases.load(
        &read(&format!("source.{family}.sql")),
        &read("target.postgres.sql"),
    );
    let workplace = Workplace::new(&[(name, &databases, options)]);
    let human = workplace.run(&["transform", "--plan"]).expect(0);
    assert!(!workplace.path().join("runs").exists(), "it needs no run");
    snapshot(&format!("plan_{name}"), &human.stdout);
    let json = workplace.run(&["transform", "--plan", "--output", "json"]);
    let json: Value = serde_json::from_str(&json.expect(0).stdout).unwrap();
    let mut planned = 0;
    for table in json["databases"][0]["tables"].as_array().unwrap() {
        let table_name = table["name"].as_str().unwrap();
        for column in table["columns"].as_array().unwrap() {
            let start = format!("{table_name}.{} ", column["name"].as_str().unwrap());
            let mut lines = human.stdout.lines();
            let line = lines.find(|line| line.starts_with(&start)).unwrap();
            assert!(line.contains(column["conversion"].as_str().unwrap()));
            assert_eq!(line.contains(" not null "), column["nullable"] == false);
            planned += 1;
        }
    }
    assert_eq!(planned, columns);
}

#[test]
fn every_column_of_alkemio_has_a_plan() {
    let rules = "rules:\n  - {column: \"*.*\", when: empty_uuid, then: null}\n  \
        - {column: whiteboard.content, when: any, then: latin1_to_bytes_base64}";
    check_plan("alkemio", rules, 755);
}

#[test]
fn every_column_of_kratos_has_a_plan() {
    check_plan("kratos", "", 266);
}

#[test]
fn a_plan_names_rules_and_what_the_target_has_alone() {
    let databases = Databases::create();
    databases.load(
        "create table people (id int not null primary key, node char(36), kind enum('a', 'b'))",
        "create type kind as enum ('b', 'a'); \
         create table people (kind kind not null, id integer not null primary key, node uuid, \
           number serial, note text default 'x')",
    );
    let rules = "rules:\n  - {column: \"*.*\", when: empty_uuid, then: null}\n  \
        - {column: people.kind, when: null_in_not_null, then: \"value:a\"}";
    let workplace = Workplace::new(&[("small", &databases, rules)]);
    let human = workplace.run(&["transform", "--plan"]).expect(0);
    let json = workplace.run(&["transform", "--plan", "--output", "json"]);
    snapshot(
        "plan_small",
        &format!("{}{}", human.stdout, json.expect(0).stdout),
    );
    let both = workplace.run(&["transform", "--plan", "--run", "runs/x"]);
    assert_eq!(both.code, 2, "{}", both.text());
    databases
        .postgres()
        .batch_execute("alter table people alter node type integer using null")
        .unwrap();
    let refused = workplace.run(&["transform", "--plan"]).expect(3);
    snapshot("plan_refused", &refused.text());
}

/// Rows of `large`, of about 32 kB each: several files of a table.
const ROWS: u64 = 2_000;

/// Two large tables, of which each row's name is to be cut, and two small ones.
fn large_tables() -> Databases {
    let databases = Databases::create();
    let digits = "select 0 n union all select 1 union all select 2 union all select 3 union all \
        select 4 union all select 5 union all select 6 union all select 7 union all select 8 \
        union all select 9";
    let numbers = format!(
        "select a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 1 id from ({digits}) a, ({digits}) b, \
         ({digits}) c, ({digits}) d"
    );
    let table = |name: &str| {
        format!(
            "create table {name} (id int not null primary key, name varchar(9) not null, \
               text_ mediumtext not null); \
             insert into {name} select id, concat('name', id), \
               repeat(concat('row ', id, ', \"'), 3000) from ({numbers}) numbers where id <= {ROWS};"
        )
    };
    let on_target = |name: &str| {
        format!(
            "create table {name} (id integer not null primary key, \
               name character varying(7) not null, text_ text not null);"
        )
    };
    databases.load(
        &format!(
            "{} {} create table empty_ (id int not null primary key);",
            table("large"),
            table("more")
        ),
        &format!(
            "{} {} create table empty_ (id integer not null primary key);",
            on_target("large"),
            on_target("more")
        ),
    );
    databases
}

/// The files of a stage by name.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap())
    });
    let mut files: BTreeMap<String, Vec<u8>> = entries.collect();
    files.retain(|name, _| name != dataset::MANIFEST_FILE);
    files
}

const CUT: &str = "rules:\n  - {column: \"*.name\", when: too_long, then: truncate}";

#[test]
fn files_do_not_depend_on_the_number_of_workers() {
    let databases = large_tables();
    let workplace = Workplace::new(&[("db", &databases, CUT)]);
    workplace.run(&["export"]).expect(0);
    let run = workplace.run_directory().join("db");
    let exported = Manifest::read(&run.join("export")).unwrap();
    let transform = |jobs: &str| {
        let arguments = ["transform", "--output", "json", "--jobs", jobs];
        let json = workplace.run(&arguments).expect(0).stdout;
        let mut manifest = Manifest::read(&run.join("transformed")).unwrap();
        manifest.created = String::new();
        let files = [
            files(&run.join("transformed")),
            files(&run.join("rejected")),
        ];
        (
            serde_json::from_str::<Value>(&json).unwrap(),
            manifest,
            files,
        )
    };
    let (json, manifest, [transformed, rejected]) = transform("1");
    for jobs in ["2", "7"] {
        let (_, other_manifest, others) = transform(jobs);
        assert_eq!(manifest, other_manifest, "{jobs} workers");
        assert!(others == [transformed.clone(), rejected.clone()], "{jobs}");
    }
    for (table, before) in manifest.tables.iter().zip(&exported.tables) {
        let named = |file: &dataset::FileEntry| (file.name.clone(), file.rows);
        let names: Vec<(String, u64)> = table.files.iter().map(named).collect();
        let before: Vec<(String, u64)> = before.files.iter().map(named).collect();
        assert_eq!(names, before, "a file becomes a file");
    }
    let large = manifest.table("large").unwrap();
    assert!(large.files.len() >= 3, "{}", large.files.len());
    assert_eq!(large.row_count, ROWS);
    check_changes(&json, &manifest, &rejected);
}

/// Every row that a rule changed has its line, and nothing else.
fn check_changes(json: &Value, manifest: &Manifest, rejected: &BTreeMap<String, Vec<u8>>) {
    let rule = "*.name too_long -> truncate";
    let mut lines = 0;
    for table in ["large", "more"] {
        let mut ids = Vec::new();
        for file in &manifest.table(table).unwrap().files {
            let name = file.name.replace(".csv", ".changed.csv");
            let Some(bytes) = rejected.get(&name) else {
                continue;
            };
            let mut reader = CsvReader::new(&bytes[..]).unwrap();
            assert_eq!(reader.header(), ["record", "key.id", "columns", "rule"]);
            let mut record = Record::new();
            while reader.read(&mut record).unwrap() {
                let field = |index| std::str::from_utf8(record.get(index).unwrap()).unwrap();
                assert_eq!((field(2), field(3)), ("name", rule));
                ids.push(field(1).parse::<u64>().unwrap());
            }
        }
        // `name1000` is the first of more than seven characters.
        assert_eq!(ids, (1_000..=ROWS).collect::<Vec<u64>>());
        lines += ids.len() as u64;
    }
    assert_eq!(json["databases"][0]["rules"][rule], lines);
}

#[test]
fn the_first_value_that_is_refused_is_told_whoever_finds_it() {
    let databases = large_tables();
    let workplace = Workplace::new(&[("db", &databases, "")]);
    // The first file of the second table, and the last file of the first.
    databases
        .mysql()
        .execute_script(&format!(
            "update large set name = left(name, 7); update more set name = left(name, 7); \
             update more set name = 'too long' where id = 1; \
             update large set name = 'too long' where id in ({}, {ROWS})",
            ROWS - 1
        ))
        .unwrap();
    workplace.run(&["export"]).expect(0);
    for jobs in ["1", "2", "7", "7", "7"] {
        let refused = workplace.run(&["transform", "--jobs", jobs]).expect(4);
        let first = format!("cannot convert `db.large.name`, row id {}", ROWS - 1);
        assert!(refused.stderr.contains(&first), "{}", refused.text());
        let rule = "{column: large.name, when: too_long, then: truncate}";
        assert!(refused.stderr.contains(rule), "{}", refused.text());
        let run = workplace.run_directory().join("db");
        assert!(
            !run.join("transformed")
                .join(dataset::MANIFEST_FILE)
                .exists()
        );
        let partial = |name: &String| name.ends_with(".partial");
        assert!(!files(&run.join("transformed")).keys().any(partial));
    }
}
