//! Names and messages of servers that a terminal would obey: they are shown as one line, and what
//! has such names is moved like anything else.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use catalog::{is_hidden, quote};
use serde_json::Value;
use testing::Databases;

use crate::support::{Outcome, Workplace};

/// A line of its own, the clipboard, the line before, the other direction, a control of one byte.
const NAMES: [&str; 5] = [
    "a\nverdict: equal",
    "b\u{1b}]52;c;aGk=\u{7}\u{1b}[2K",
    "c\rverdict: equal",
    "d\u{202e}\u{2066}lauqe",
    "e\u{9b}31m\u{85}verdict: equal\u{7f}",
];
/// For what hangs on a table.
const PART: &str = "x\nverdict: equal\u{1b}[A\u{202e}";

/// What is printed is lines of ours: without anything that is obeyed, and with no other verdict
/// than that of the command.
fn shown(outcome: Outcome, code: i32, verdicts: usize) -> Outcome {
    let outcome = outcome.expect(code);
    for stream in [&outcome.stdout, &outcome.stderr] {
        let hidden = stream.chars().find(|c| *c != '\n' && is_hidden(*c));
        assert_eq!(hidden, None, "{stream:?}");
    }
    let lines = || outcome.stdout.lines().chain(outcome.stderr.lines());
    let equal = lines().filter(|line| line.starts_with("verdict: equal"));
    assert_eq!(equal.count(), verdicts, "{}", outcome.text());
    outcome
}

fn json(workplace: &Workplace, command: &[&str], code: i32) -> Value {
    let outcome = workplace.run(&[command, &["--output", "json"]].concat());
    let outcome = shown(outcome, code, 0);
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// A source of tables with such names, columns, keys and comments.
fn source(name: &str) -> String {
    let mut sql = String::new();
    let part = quote::mysql(PART);
    for (index, table) in NAMES.iter().enumerate() {
        let table = quote::mysql(table);
        sql += &format!(
            "create table {table} (id int auto_increment primary key, {part} varchar(40), \
                                   parent int, unique key {part} ({part}), \
                                   constraint {name} foreign key (parent) references {table} (id)) \
             comment = {comment}; \
             insert into {table} values (1, {value}, null), (2, 'plain', 1); ",
            name = quote::mysql(&format!("{PART}{index}{name}")),
            comment = quote::mysql_literal(PART),
            value = quote::mysql_literal(PART),
        );
    }
    sql
}

#[test]
fn a_move_of_hostile_names_prints_lines_of_its_own_alone() {
    let databases = Databases::create();
    databases
        .mysql()
        .execute_script(&source(databases.name()))
        .unwrap();
    let workplace = Workplace::new(&[("shop", &databases, "schema_owner: converge")]);
    let run = |command: &[&str], code: i32, verdicts: usize| {
        shown(workplace.run(command), code, verdicts)
    };
    // There is no schema yet: each table is named.
    run(&["doctor"], 3, 0);
    run(&["assess"], 3, 0);
    run(&["baseline", "generate", "--out", "made"], 0, 0);
    run(&["baseline", "generate", "--out", "made", "--check"], 0, 0);
    run(&["baseline", "apply", "--from", "made"], 0, 0);
    run(&["baseline", "check", "--from", "made"], 0, 1);
    // What else stands in a target, and is named.
    let (part, table) = (quote::postgres(PART), quote::postgres(NAMES[0]));
    let more = format!(
        "create sequence {}; create materialized view {} as select * from {table}; \
         create view {} as select 1 as {part}; alter table {table} add {} text",
        quote::postgres(&format!("s{PART}")),
        quote::postgres(&format!("m{PART}")),
        quote::postgres(&format!("v{PART}")),
        quote::postgres(&format!("only\n{PART}")),
    );
    databases.postgres().batch_execute(&more).unwrap();
    run(&["doctor"], 0, 0);
    run(&["assess"], 0, 0);
    json(&workplace, &["assess"], 0);
    let checked = run(&["baseline", "check", "--from", "made"], 5, 0);
    // What mends a difference can be pasted.
    let mend = checked
        .stdout
        .lines()
        .find_map(|line| line.split_once("mend"));
    let (_, mend) = mend.expect("a statement").1.split_once(": ").unwrap();
    assert!(mend.contains("U&\""), "{mend}");
    databases.postgres().batch_execute(mend).unwrap();
    run(&["transform", "--plan"], 0, 0);
    run(&["migrate"], 0, 1);
    run(&["verify"], 0, 1);
    run(&["status"], 0, 0);
    json(&workplace, &["status"], 0);
    let rows = |table: &str| {
        let sql = format!(
            "select string_agg({}, '|' order by id) from {}",
            quote::postgres(PART),
            quote::postgres(table)
        );
        databases.postgres().query_text(&sql).unwrap()[0][0].clone()
    };
    for table in NAMES {
        assert_eq!(rows(table).unwrap(), format!("{PART}|plain"), "{table:?}");
    }
    // Differences are told by key and name, with the values where they are asked for.
    let change = format!(
        "update {table} set {part} = {} where id = 2; delete from {} where id = 2",
        quote::postgres_literal(&format!("{PART}!")),
        quote::postgres(NAMES[1])
    );
    databases.postgres().batch_execute(&change).unwrap();
    let found = run(&["verify", "--show-values"], 5, 0).stdout;
    assert!(
        found.contains(r"different  shop.a\nverdict: equal"),
        "{found}"
    );
    assert!(found.contains(r"missing    shop.b\u{1b}]52;c;"), "{found}");
    json(&workplace, &["verify"], 5);
    run(&["rollback"], 3, 0);
    run(&["rollback", "--discard-later-writes"], 0, 0);
    assert_eq!(rows(NAMES[0]), None);
}

#[test]
fn what_a_server_says_is_one_line() {
    let databases = Databases::create();
    let table = format!(
        "create table t (id integer primary key, constraint {} check (id > 1))",
        quote::postgres(PART)
    );
    databases.load(
        "create table t (id int primary key); insert into t values (1)",
        &table,
    );
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    let outcome = shown(workplace.run(&["migrate"]), 4, 0);
    assert!(
        outcome.stderr.contains(r"x\nverdict: equal"),
        "{}",
        outcome.text()
    );
    // Kept in the run, and told again.
    let outcome = shown(workplace.run(&["status"]), 0, 0);
    assert!(
        outcome.stdout.contains(r"x\nverdict: equal"),
        "{}",
        outcome.text()
    );
}

/// Whoever answers in the place of a server, before anything is known of it.
#[test]
fn what_is_said_before_a_login_is_one_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let fields = format!("SFATAL\0C28000\0M{PART}\0\0");
            let length = u32::try_from(fields.len() + 4).unwrap();
            let answer = [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(&answer);
        }
    });
    let databases = Databases::create();
    let target = format!("postgres://u:p@127.0.0.1:{port}/d?sslmode=disable");
    let workplace = Workplace::at(&[("shop", databases.mysql_url(), target, "")]);
    for (command, code) in [("doctor", 3), ("migrate", 3), ("rollback", 3)] {
        let outcome = shown(workplace.run(&[command]), code, 0);
        assert!(
            outcome.text().contains(r"x\nverdict: equal"),
            "{}",
            outcome.text()
        );
    }
}
