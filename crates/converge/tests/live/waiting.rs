//! Tables that other sessions have locked: nothing waits for them without a bound or a word, and
//! the first signal ends the wait.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use testing::Databases;

use crate::own_servers::OwnServers;
use crate::support::{Outcome, Workplace, interrupt, signal};

/// Three tries for each of two locks, the wait for a table, and what a busy machine adds.
const BOUND: Duration = Duration::from_secs(60);

fn locked() -> (Databases, source::Connection) {
    let databases = Databases::create();
    databases.load(
        "create table d (id int primary key, s varchar(9) default '😀?'); create table e (id int primary key)",
        "create table d (id integer primary key, s varchar(9)); \
         create table e (id integer primary key)",
    );
    let mut holder = databases.mysql();
    holder.execute("lock tables d write").unwrap();
    (databases, holder)
}

#[test]
fn a_locked_table_is_named_with_the_session_that_may_hold_it() {
    let (databases, mut holder) = locked();
    let id = holder.query_text("select connection_id()").unwrap();
    let id = id[0][0].clone().unwrap();
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    let commands: [&[&str]; 3] = [
        &["doctor"],
        &["export", "--lock-wait", "1"],
        &["migrate", "--lock-wait", "1"],
    ];
    for command in commands {
        let start = Instant::now();
        let outcome = workplace.run(command).expect(3);
        assert!(start.elapsed() < BOUND, "{:?} {command:?}", start.elapsed());
        let text = outcome.text();
        assert!(
            text.contains("a lock of another session holds it up"),
            "{text}"
        );
        assert!(text.contains("tables in use or locked: d"), "{text}");
        assert!(
            text.contains(&format!("process {id} of user root")),
            "{text}"
        );
    }
    holder.execute("unlock tables").unwrap();
    workplace.run(&["doctor"]).expect(0);
}

#[test]
fn the_first_signal_ends_a_wait() {
    let (databases, _holder) = locked();
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    for name in ["INT", "TERM"] {
        let mut command = workplace.command(&["doctor"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = child.spawn().unwrap();
        thread::sleep(Duration::from_secs(3));
        let sent = Instant::now();
        match name {
            "INT" => interrupt(child.id()),
            name => assert!(signal(name, child.id())),
        }
        let outcome = Outcome::of(&child.wait_with_output().unwrap()).expect(6);
        assert!(
            sent.elapsed() < Duration::from_secs(4),
            "{}",
            outcome.text()
        );
        assert!(outcome.stderr.contains("interrupted"), "{}", outcome.text());
    }
}

#[test]
fn settings_of_the_server_neither_cut_nor_refuse_what_is_read() {
    let servers = OwnServers::up("settings");
    let mut source = servers.source();
    source
        .execute_script(
            "create table d (id int primary key, s varchar(99), f double);
             create table e (id int primary key, d_id int, constraint `to d` foreign key (d_id)
                 references d (id) on delete set null);
             insert into d with recursive n (i) as (select 1 union all select i + 1 from n
                 where i < 900) select i, concat('row \"', i), i / 7 from n;
             insert into e select id, id from d;",
        )
        .unwrap();
    for setting in [
        "sql_big_selects = 0",
        "max_join_size = 10",
        "sql_select_limit = 3",
        "autocommit = 0",
        "completion_type = 'RELEASE'",
        "sql_quote_show_create = 0",
        "time_zone = '-08:00'",
        "sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES'",
        "max_error_count = 0",
    ] {
        source.execute(&format!("set global {setting}")).unwrap();
    }
    servers
        .target()
        .batch_execute(
            "create table public.d (id integer primary key, s varchar(99), f float8); \
             create table public.e (id integer primary key, d_id integer)",
        )
        .unwrap();
    let workplace = Workplace::at(&[("shop", servers.source_url(), servers.target_url(), "")]);
    let outcome = workplace.run(&["migrate"]).expect(0);
    assert!(
        outcome.stdout.contains("verdict: equal"),
        "{}",
        outcome.text()
    );
    let generate = ["baseline", "generate", "--out", "baseline"];
    workplace.run(&generate).expect(0);
    let file = workplace.path().join("baseline/shop/post_data.sql");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("on delete set null"), "{text}");
}
