//! Rules for constraints on the whole way: what they take away is counted, proven and kept.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use dataset::Manifest;
use serde_json::Value;
use testing::Databases;

use crate::support::Workplace;

const RULES: &str = "rules:
  - {constraint: letters.letters_sender, when: orphan, then: skip_to_file}
  - {constraint: letters.letters_reader, when: orphan, then: null}
  - {constraint: letters.one_number, when: duplicate, then: skip_to_file}";
const SOURCE: &str = "set foreign_key_checks = 0;
    create table people (id int primary key);
    create table letters (
      id int primary key, sender int not null, reader int, number int, text varchar(20),
      constraint letters_sender foreign key (sender) references people (id),
      constraint letters_reader foreign key (reader) references people (id));
    insert into people values (1), (2), (3);
    insert into letters values
      (1, 1, 2, 1, 'stays'), (2, 9, 1, 2, 'no sender'), (3, 1, 8, 3, 'no reader'),
      (4, 2, null, 4, 'stays'), (5, 2, 3, 4, 'a double'), (6, 9, 9, 6, 'neither');";
const TARGET: &str = "create table people (id integer primary key);
    create table letters (
      id integer primary key, sender integer not null, reader integer, number integer,
      text varchar(20),
      constraint one_number unique (number),
      constraint letters_sender foreign key (sender) references people (id),
      constraint letters_reader foreign key (reader) references people (id));";

/// Both databases moved under the rules.
fn moved() -> (Databases, Workplace) {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let workplace = Workplace::new(&[("mail", &databases, RULES)]);
    workplace.run(&["migrate"]).expect(0);
    (databases, workplace)
}

fn verify(workplace: &Workplace, code: i32) -> Value {
    let verified = workplace.run(&["verify", "--output", "json"]).expect(code);
    serde_json::from_str(&verified.stdout).unwrap()
}

fn table<'v>(verified: &'v Value, name: &str) -> &'v Value {
    let tables = verified["databases"][0]["tables"].as_array().unwrap();
    tables.iter().find(|table| table["name"] == name).unwrap()
}

fn rejected(workplace: &Workplace, file: &str) -> PathBuf {
    workplace.run_directory().join("mail/rejected").join(file)
}

#[test]
fn what_was_taken_away_is_counted_and_equal() {
    let (databases, workplace) = moved();
    let verified = verify(&workplace, 0);
    assert_eq!(verified["verdict"], "equal");
    let letters = table(&verified, "letters");
    assert_eq!(
        ["source_rows", "target_rows", "left_out"].map(|field| letters[field].as_u64().unwrap()),
        [6, 3, 3]
    );
    let counted = [
        ("letters.letters_sender orphan -> skip_to_file", 2),
        ("letters.letters_reader orphan -> null", 1),
        ("letters.one_number duplicate -> skip_to_file", 1),
    ];
    let counted = counted.map(|(rule, rows)| serde_json::json!({"rule": rule, "rows": rows}));
    assert_eq!(letters["rules"], Value::from(counted.to_vec()));
    let kept = databases
        .postgres()
        .query_text("select id, reader from letters order by id")
        .unwrap();
    let text = |value: &str| Some(value.to_owned());
    assert_eq!(
        kept,
        [[text("1"), text("2")], [text("3"), None], [text("4"), None]]
    );
    let manifest = workplace.run_directory().join("mail/transformed");
    let manifest = Manifest::read(&manifest).unwrap();
    let letters = manifest.table("letters").unwrap();
    assert_eq!((letters.row_count, letters.left_out), (3, 3));
}

#[test]
fn the_stage_counts_rows_by_rule_and_level() {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let workplace = Workplace::new(&[("mail", &databases, RULES)]);
    workplace.run(&["export"]).expect(0);
    let transformed = workplace.run(&["transform", "--output", "json"]).expect(0);
    let transformed: Value = serde_json::from_str(&transformed.stdout).unwrap();
    let stage = &transformed["databases"][0];
    assert_eq!(stage["rows"], 6, "three people and three letters");
    assert_eq!(
        stage["rules"],
        serde_json::json!({
            "letters.letters_sender orphan -> skip_to_file, level 1": 2,
            "letters.letters_reader orphan -> null, level 1": 1,
            "letters.one_number duplicate -> skip_to_file, level 2": 1,
        })
    );
}

#[test]
fn a_row_that_did_not_have_to_leave_is_found() {
    let (databases, workplace) = moved();
    let mut target = databases.postgres();
    target
        .batch_execute("insert into people values (9)")
        .unwrap();
    let verified = verify(&workplace, 5);
    let catalog = verified["databases"][0]["catalog"].as_array().unwrap();
    assert_eq!(catalog.len(), 1, "{catalog:?}");
    assert_eq!(catalog[0]["kind"], "left_out");
    assert_eq!(catalog[0]["object"], "letters");
    let detail = catalog[0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("2 rows were left out"), "{detail}");
    // The person that the source has not is a difference of its own.
    assert_eq!(table(&verified, "people")["unexpected"], 1);
}

#[test]
fn a_reference_that_did_not_have_to_be_cleared_is_found() {
    let (databases, workplace) = moved();
    let mut target = databases.postgres();
    target
        .batch_execute("insert into people values (8)")
        .unwrap();
    let verified = verify(&workplace, 5);
    let catalog = verified["databases"][0]["catalog"].as_array().unwrap();
    assert_eq!(catalog.len(), 1, "{catalog:?}");
    let detail = catalog[0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("1 references were cleared"), "{detail}");
}

#[test]
fn what_is_neither_there_nor_kept_is_missed() {
    let (_databases, workplace) = moved();
    let path = rejected(&workplace, "letters.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let blocked = workplace.run(&["verify"]).expect(3);
    let expected = "letters.csv has 0 rows where 3 were left out";
    assert!(blocked.stderr.contains(expected), "{}", blocked.text());
    fs::write(&path, text).unwrap();
    fs::remove_file(rejected(&workplace, "letters.cleared.csv")).unwrap();
    let verified = verify(&workplace, 5);
    assert_eq!(verified["verdict"], "different");
    let letters = table(&verified, "letters");
    assert_eq!(letters["different"], 1);
    assert_eq!(
        letters["samples"][0]["columns"],
        Value::from(vec!["reader"])
    );
}

#[test]
fn the_run_that_the_target_holds_is_asked_for() {
    let (_databases, workplace) = moved();
    let run = workplace.run_directory();
    workplace
        .run(&["export", "--run", "runs/zz-later"])
        .expect(0);
    workplace.run(&["verify"]).expect(0);
    let blocked = workplace
        .run(&["verify", "--run", "runs/zz-later"])
        .expect(3);
    let name = run.file_name().unwrap().to_str().unwrap();
    let hint = format!("--run runs/{name}");
    assert!(blocked.stderr.contains(&hint), "{}", blocked.text());
    workplace
        .run(&["verify", "--run", run.to_str().unwrap()])
        .expect(0);
}

#[test]
fn rows_that_are_each_others_reason_had_none() {
    let databases = Databases::create();
    let source = "create table nodes (id int primary key, above int,
        constraint nodes_above foreign key (above) references nodes (id));
        insert into nodes values (1, null), (4, 1);";
    let target = "create table nodes (id integer primary key, above integer,
        constraint nodes_above foreign key (above) references nodes (id));";
    databases.load(source, target);
    let rule = "rules:\n  - {constraint: nodes.nodes_above, when: orphan, then: skip_to_file}";
    let workplace = Workplace::new(&[("mail", &databases, rule)]);
    workplace.run(&["migrate"]).expect(0);
    // As if a mistake of the stage before had left two rows out that refer to each other.
    let mut connection = databases.mysql();
    let circle = "set foreign_key_checks = 0; insert into nodes values (2, 3), (3, 2)";
    connection.execute_script(circle).unwrap();
    fs::write(rejected(&workplace, "nodes.csv"), "id,above\n2,3\n3,2\n").unwrap();
    let path = workplace.run_directory().join("mail/transformed");
    let mut manifest = Manifest::read(&path).unwrap();
    manifest.tables[0].left_out = 2;
    manifest.write(&path).unwrap();
    let verified = verify(&workplace, 5);
    assert_eq!(table(&verified, "nodes")["equal"], true);
    let detail = verified["databases"][0]["catalog"][0]["detail"].as_str();
    assert!(
        detail.unwrap().starts_with("2 rows were left out"),
        "{verified}"
    );
}

#[test]
fn without_the_right_to_make_temporary_tables_nothing_is_moved() {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let name = databases.name();
    let mut target = databases.postgres();
    let script = format!(
        "create role \"{name}_mover\" login password 'x'; \
         revoke temporary on database \"{name}\" from public; \
         grant create on database \"{name}\" to \"{name}_mover\"; \
         alter table people owner to \"{name}_mover\"; \
         alter table letters owner to \"{name}_mover\"; \
         grant usage, create on schema public to \"{name}_mover\""
    );
    target.batch_execute(&script).unwrap();
    let mut url = databases.postgres_url();
    let at = url.rfind('@').unwrap();
    url.replace_range(..at, &format!("postgres://{name}_mover:x"));
    let workplace = Workplace::at(&[("mail", databases.mysql_url(), url, RULES)]);
    let blocked = workplace.run(&["migrate"]).expect(3);
    let expected = format!("grant temporary on database {name} to {name}_mover;");
    assert!(blocked.stderr.contains(&expected), "{}", blocked.text());
    let clean = format!(
        "reassign owned by \"{name}_mover\" to current_user; drop owned by \"{name}_mover\"; drop role \"{name}_mover\""
    );
    target.batch_execute(&clean).unwrap();
}

#[test]
fn a_kept_row_that_was_changed_is_different() {
    let (_databases, workplace) = moved();
    let path = rejected(&workplace, "letters.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("a double", "a Double")).unwrap();
    let verified = verify(&workplace, 5);
    let letters = table(&verified, "letters");
    assert_eq!(letters["different"], 1);
    assert_eq!(letters["samples"][0]["columns"], Value::from(vec!["text"]));
}

#[test]
fn a_row_that_is_there_and_kept_is_unexpected() {
    let (databases, workplace) = moved();
    let mut target = databases.postgres();
    let insert = "insert into letters values (5, 2, 3, 7, 'a double')";
    target.batch_execute(insert).unwrap();
    let letters = verify(&workplace, 5);
    let letters = table(&letters, "letters");
    assert_eq!(letters["equal"], false);
    assert_eq!(letters["left_out"], 3);
}

#[test]
fn what_a_rule_is_declared_for_does_not_block() {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let without = Workplace::new(&[("mail", &databases, "")]);
    let assessed = without.run(&["assess", "--output", "json"]).expect(3);
    let assessed: Value = serde_json::from_str(&assessed.stdout).unwrap();
    let findings = assessed["findings"].as_array().unwrap();
    let mut suggested: Vec<&str> = findings.iter().filter_map(|f| f["rule"].as_str()).collect();
    suggested.sort_unstable();
    assert_eq!(
        suggested,
        [
            "{constraint: letters.letters_reader, when: orphan, then: \"null\"}",
            "{constraint: letters.letters_sender, when: orphan, then: skip_to_file}",
            "{constraint: letters.one_number, when: duplicate, then: skip_to_file}",
        ]
    );
    let lines: Vec<String> = suggested
        .iter()
        .map(|rule| format!("\n  - {rule}"))
        .collect();
    let rules = format!("rules:{}", lines.concat());
    let with = Workplace::new(&[("mail", &databases, &rules)]);
    let assessed = with.run(&["assess", "--output", "json"]).expect(0);
    let assessed: Value = serde_json::from_str(&assessed.stdout).unwrap();
    let findings = assessed["findings"].as_array().unwrap();
    let ruled = ["orphan", "duplicate"].map(Value::from);
    let ruled = findings.iter().filter(|f| ruled.contains(&f["kind"]));
    let rows: Vec<u64> = ruled.map(|f| f["rows"].as_u64().unwrap()).collect();
    assert_eq!(rows, [2, 2, 1], "{findings:?}");
}

#[test]
fn only_the_files_of_rows_that_leave_are_written_anew() {
    let databases = Databases::create();
    // Three chunks of about 16 MiB.
    let source = "set foreign_key_checks = 0;
        create table people (id int primary key);
        create table letters (
          id int primary key, sender int not null, body longtext not null,
          constraint letters_sender foreign key (sender) references people (id));
        insert into people values (1);
        insert into letters with recursive n (id) as
          (select 1 union all select id + 1 from n where id < 45)
          select id, if(id in (2, 44), 9, 1), repeat('x', 1000000) from n;";
    let target = "create table people (id integer primary key);
        create table letters (
          id integer primary key, sender integer not null, body text not null,
          constraint letters_sender foreign key (sender) references people (id));";
    databases.load(source, target);
    let rule = "rules:\n  - {constraint: letters.letters_sender, when: orphan, then: skip_to_file}";
    let workplace = Workplace::new(&[("mail", &databases, rule)]);
    workplace.run(&["migrate", "--keep-export"]).expect(0);
    let run = workplace.run_directory().join("mail");
    let read = |stage: &str| Manifest::read(&run.join(stage)).unwrap();
    let (exported, transformed) = (read("export"), read("transformed"));
    let files = |manifest: &Manifest| manifest.table("letters").unwrap().files.clone();
    let (before, after) = (files(&exported), files(&transformed));
    assert_eq!((before.len(), after.len()), (3, 3));
    let lost = before.iter().zip(&after).map(|(b, a)| b.rows - a.rows);
    assert_eq!(lost.collect::<Vec<_>>(), [1, 0, 1]);
    assert_eq!(before[1].blake3, after[1].blake3);
    let list = fs::read_to_string(run.join("rejected/letters.constraints.csv")).unwrap();
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    assert!(lines[1].starts_with("letters.0001.csv,2,2,"), "{list}");
    assert!(lines[2].starts_with("letters.0003.csv,"), "{list}");
    workplace.run(&["rollback"]).expect(0);
    let left = databases
        .postgres()
        .query_text("select count(*) from letters");
    assert_eq!(left.unwrap(), [[Some("0".to_owned())]]);
}

#[test]
fn many_rows_that_are_left_out_are_accounted_for_in_time() {
    let databases = Databases::create();
    let source = "create table t (id int primary key, code varchar(20), above int);
        insert into t with recursive n (id) as
          (select 1 union all select id + 1 from n where id < 200)
          select a.id * 1000 + b.id, concat('c', (a.id * 1000 + b.id) div 2), 1
            from n a, n b;";
    let target = "create table t (id integer primary key, code varchar(20), above integer,
          constraint one_code unique (code));";
    databases.load(source, target);
    let rule = "rules:\n  - {constraint: t.one_code, when: duplicate, then: skip_to_file}";
    let workplace = Workplace::new(&[("mail", &databases, rule)]);
    workplace.run(&["migrate", "--no-verify"]).expect(0);
    let begun = Instant::now();
    let verified = verify(&workplace, 0);
    // One by one, twenty thousand rows would be compared with twenty thousand: for minutes.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let left_out = table(&verified, "t")["left_out"].as_u64().unwrap();
    assert!(left_out > 15_000, "{left_out}");
}

#[test]
fn what_only_the_target_can_compare_has_no_rule() {
    let databases = Databases::create();
    let source = "create table t (id int primary key, code varchar(20));";
    let target = "create collation any_case \
            (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        create table t (id integer primary key, code varchar(20) collate any_case,
          constraint one_code unique (code));";
    databases.load(source, target);
    let rule = "rules:\n  - {constraint: t.one_code, when: duplicate, then: skip_to_file}";
    let workplace = Workplace::new(&[("mail", &databases, rule)]);
    let refused = workplace.run(&["assess"]).expect(2);
    let expected = "its column `code` has a collation, by which only the target can compare";
    assert!(refused.stderr.contains(expected), "{}", refused.text());
}
