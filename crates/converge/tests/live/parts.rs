//! Comparisons that look at a part: samples of the rows, and one side against what a run wrote
//! down.

use std::fmt::Write;
use std::fs;

use serde_json::Value;
use testing::Databases;

use crate::support::{Outcome, Workplace};

const ROWS: usize = 500;

/// Of no key: one that became NULL would not be there.
const RULES: &str = "rules: [{column: \"*.*\", when: empty_uuid, then: \"null\"}, \
     {column: of_trimmed.k, when: any, then: trim}]";

/// Tables whose keys both servers spell alike, each with its columns on both sides.
const SAMPLED: [(&str, &str, &str); 6] = [
    ("of_integers", "k int unsigned zerofill", "k bigint"),
    ("of_texts", "k varchar(40)", "k varchar(40)"),
    (
        "of_latin1",
        "k varchar(40) character set latin1",
        "k varchar(40)",
    ),
    ("of_uuids", "k char(36)", "k uuid"),
    ("of_uuid_bytes", "k binary(16)", "k uuid"),
    ("of_bytes", "k varbinary(20)", "k bytea"),
];

/// The key of a row, as a literal of MySQL.
fn key(table: &str, number: usize) -> String {
    match table {
        "of_integers" => number.to_string(),
        "of_trimmed" => format!("' {number} '"),
        "of_texts" => format!("'Straße {number} € 🙂'"),
        "of_latin1" => format!("'Rue dérivée {number}'"),
        "of_uuids" => format!("'ABCDEF00-0000-4000-8000-{number:012X}'"),
        "of_uuid_bytes" => format!("x'ABCDEF0000004000{number:016X}'"),
        "of_bytes" => format!("x'FF00{number:08X}'"),
        _ => format!("timestampadd(second, {number}, '2024-02-29')"),
    }
}

/// The tables above, one whose key has two columns, one with a key that is not sampled and one
/// without any.
fn moved() -> (Databases, Workplace) {
    let (mut source, mut target) = (String::new(), String::new());
    let mut create = |table: &str, [left, right]: [&str; 2], key: &str| {
        // The keys of a small sample come from the other index.
        writeln!(
            source,
            "create table {table} ({left}, v varchar(9){key}, key (v));"
        )
        .unwrap();
        writeln!(target, "create table {table} ({right}, v varchar(9){key});").unwrap();
    };
    for (table, left, right) in SAMPLED {
        create(table, [left, right], ", primary key (k)");
    }
    create("of_trimmed", ["k varchar(40)"; 2], ", primary key (k)");
    let two = ["k int, l varchar(9)"; 2];
    create("of_two", two, ", primary key (l, k)");
    let moments = ["k datetime", "k timestamp(0)"];
    create("of_moments", moments, ", primary key (k)");
    create("of_none", moments, "");
    let mut fill = |table: &str, rows: Vec<String>| {
        writeln!(source, "insert into {table} values {};", rows.join(", ")).unwrap();
    };
    let others = ["of_trimmed", "of_moments", "of_none"];
    for table in SAMPLED.iter().map(|(table, ..)| *table).chain(others) {
        let row = |number| format!("({}, 'a')", key(table, number));
        fill(table, (0..ROWS).map(row).collect());
    }
    let row = |number| format!("({}, '{}', 'a')", number / 2, number % 2);
    fill("of_two", (0..ROWS).map(row).collect());
    let databases = Databases::create();
    databases.load(&source, &target);
    let workplace = Workplace::new(&[("town", &databases, RULES)]);
    workplace.run(&["migrate"]).expect(0);
    (databases, workplace)
}

fn document(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// A table of the report: its rows on both sides, missing, unexpected and different ones.
fn counts(document: &Value, table: &str) -> [usize; 5] {
    let tables = document["databases"][0]["tables"].as_array().unwrap();
    let table = tables.iter().find(|t| t["name"] == table).unwrap();
    [
        "source_rows",
        "target_rows",
        "missing",
        "unexpected",
        "different",
    ]
    .map(|name| usize::try_from(table[name].as_u64().unwrap()).unwrap())
}

#[test]
fn a_sample_has_the_same_rows_on_both_sides() {
    let (databases, workplace) = moved();
    let look = ["verify", "--sample", "30", "--output", "json"];
    let equal = workplace.run(&look).expect(0);
    let report = document(&equal);
    assert_eq!(report["verdict"], "partial");
    assert_eq!(report["sample_percent"], 30.0);
    let sampled: Vec<&str> = SAMPLED.iter().map(|(table, ..)| *table).collect();
    let sampled = [sampled, vec!["of_two"]].concat();
    let chosen = |table: &str| {
        let [source, target, missing, unexpected, different] = counts(&report, table);
        assert_eq!(source, target, "{table}");
        assert_eq!([missing, unexpected, different], [0; 3], "{table}");
        source
    };
    for table in &sampled {
        // Six standard deviations of a draw of 500.
        assert!((90..=210).contains(&chosen(table)), "{table}");
    }
    for table in ["of_trimmed", "of_moments", "of_none"] {
        assert_eq!(chosen(table), ROWS, "{table}");
        let line = format!("town.{table} is read whole");
        assert!(equal.stderr.contains(&line), "{}", equal.text());
    }
    let small = workplace.run(&["verify", "--sample", "2", "--output", "json"]);
    let small = document(&small.expect(0));
    for table in &sampled {
        let [source, target, ..] = counts(&small, table);
        assert_eq!(source, target, "{table}");
        assert!((1..=30).contains(&source), "{table}: {source}");
    }
    let mut target = databases.postgres();
    for table in &sampled {
        let rows = chosen(table);
        let change = format!("update {table} set v = 'b'");
        target.batch_execute(&change).unwrap();
        let report = document(&workplace.run(&look).expect(5));
        assert_eq!(counts(&report, table), [rows, rows, 0, 0, rows], "{table}");
        target
            .batch_execute(&format!("delete from {table}"))
            .unwrap();
        let report = document(&workplace.run(&look).expect(5));
        assert_eq!(counts(&report, table), [rows, 0, rows, 0, 0], "{table}");
    }
    let human = workplace.run(&["verify", "--sample", "0.5%"]);
    assert!(
        human
            .stdout
            .ends_with("verdict: different (about 0.5 % of the rows)\n")
    );
    for percent in ["0", "100", "NaN", "-1", "few"] {
        let refused = workplace.run(&["verify", &format!("--sample={percent}")]);
        let refused = refused.expect(2);
        assert!(refused.stderr.contains("above 0 and below 100"));
    }
}

/// A source with two tables, moved stage by stage, so that every file is there.
fn staged() -> (Databases, Workplace) {
    let databases = Databases::create();
    databases.load(
        "create table house (id int primary key, name varchar(20));
         create table `Odd \"name` (id int primary key, at datetime(6), doc json);
         insert into house values (1, ''), (2, null), (3, 'c');
         insert into `Odd \"name` values (1, '2024-02-29 12:00:00.000001', '{\"b\": 1, \"a\": 2}');",
        "create table house (id integer primary key, name varchar(20));
         create table \"Odd \"\"name\" (id integer primary key, at timestamp, doc jsonb);",
    );
    let workplace = Workplace::new(&[("town", &databases, "datetime_zone: UTC")]);
    (databases, workplace)
}

#[test]
fn the_manifests_tell_where_a_difference_came_in() {
    let (databases, workplace) = staged();
    let of_source = ["verify", "--against", "source-manifest"];
    let of_target = ["verify", "--against", "manifest-target"];
    let nothing = workplace.run(&of_source).expect(2);
    assert!(nothing.stderr.contains("export"), "{}", nothing.text());
    workplace.run(&["export"]).expect(0);
    let early = workplace.run(&of_target).expect(3);
    assert!(
        early
            .stderr
            .contains("`converge transform --config config.yml` first")
    );
    workplace.run(&["transform"]).expect(0);
    workplace.run(&["import"]).expect(0);

    let equal = workplace.run(&of_source).expect(0);
    let verdict = "verdict: partial (source against manifest)\n";
    assert!(equal.stdout.ends_with(verdict), "{}", equal.text());
    let equal = workplace.run(&of_target).expect(0);
    let verdict = "verdict: partial (files against target)\n";
    assert!(equal.stdout.ends_with(verdict), "{}", equal.text());

    // Somebody changed the target: the source is what was exported, the files are not what is
    // there.
    databases
        .postgres()
        .batch_execute(
            "update \"Odd \"\"name\" set at = at + interval '1 microsecond'; \
             update house set name = null where id = 1; insert into house values (4, 'd')",
        )
        .unwrap();
    workplace.run(&of_source).expect(0);
    let changed = workplace.run(&[&of_target[..], &["--show-values"]].concat());
    let changed = changed.expect(5);
    let error = "error: files and target differ: town\n";
    assert!(changed.stderr.contains(error), "{}", changed.text());
    assert_eq!(
        changed.stdout,
        "different  town.Odd \"name id 1: at
           at: '2024-02-29 12:00:00.000001' in the files, '2024-02-29 12:00:00.000002' in the target
           town.Odd \"name: 0 missing, 0 unexpected, 1 different
unexpected town.house id 4
different  town.house id 1: name
           name: '' in the files, NULL in the target
           town.house: 0 missing, 1 unexpected, 1 different
database  tables  rows  by rule  differing
town           2     4        0          3  DIFFERENT
verdict: different (files against target)
"
    );
    let one = [&of_target[..], &["--tables", "house", "--output", "json"]].concat();
    let report = document(&workplace.run(&one).expect(5));
    assert_eq!(report["compared"], "manifest-target");
    assert_eq!(counts(&report, "house"), [3, 4, 0, 1, 1]);
    assert_eq!(
        report["databases"][0]["tables"].as_array().unwrap().len(),
        1
    );

    // Somebody changed the source.
    databases.load(
        "update house set name = 'C' where id = 3; drop table `Odd \"name`",
        "",
    );
    let moved = workplace.run(&of_source).expect(5);
    assert_eq!(
        moved.stdout,
        "different  town.Odd \"name: 0 rows in the source, 1 row in the manifest
different  town.house: 3 rows in the source, 3 rows in the manifest
database  tables  rows  by rule  differing
town           2     3        0          0  DIFFERENT
verdict: source_moved (source against manifest)
"
    );
    assert!(moved.stderr.contains("town.Odd \"name, town.house"));
    let report = document(&workplace.run(&[&of_source[..], &["--output", "json"]].concat()));
    assert_eq!(report["verdict"], "source_moved");
    workplace
        .run(&[&of_source[..], &["--tables", "nowhere"]].concat())
        .expect(2);
    workplace
        .run(&[&of_source[..], &["--sample", "1"]].concat())
        .expect(2);

    // Nothing is proven by files that are not those of the manifest.
    let file = workplace.run_directory().join("town/transformed/house.csv");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace('c', "d")).unwrap();
    let damaged = workplace.run(&of_target).expect(3);
    assert!(
        damaged
            .stderr
            .contains("house.csv is not what its manifest says")
    );
    fs::remove_file(&file).unwrap();
    let gone = workplace.run(&of_target).expect(3);
    assert!(gone.stderr.contains("No such file"), "{}", gone.text());
}
