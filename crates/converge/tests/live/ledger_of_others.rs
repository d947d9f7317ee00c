//! A ledger that another role made or can change: nothing of it is read, and none of its code runs
//! as the role of the tool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use testing::Databases;

use crate::support::{Outcome, Role, Workplace};

const SOURCE: &str = "create table p (id int primary key);
     create table t (id int primary key, p int, constraint t_p foreign key (p) references p (id));
     insert into p values (1); insert into t values (1, 1), (2, null)";
const TARGET: &str = "create table p (id integer primary key);
     create table t (id integer primary key, p integer constraint t_p references p (id))";

fn shop(lines: &str) -> (Databases, Workplace) {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let workplace = Workplace::new(&[("shop", &databases, lines)]);
    (databases, workplace)
}

/// What the superuser sees.
fn ask(databases: &Databases, sql: &str) -> String {
    let rows = databases.postgres().query_text(sql).unwrap();
    let cells = rows.into_iter().flatten().flatten();
    cells.collect::<Vec<_>>().join(" ")
}

fn refused(workplace: &Workplace, command: &[&str], reason: &str) -> Outcome {
    let outcome = workplace.run(command).expect(3);
    assert!(
        outcome.text().contains(reason),
        "{reason}: {}",
        outcome.text()
    );
    outcome
}

#[test]
fn a_schema_that_another_role_made_is_not_trusted() {
    let (databases, workplace) = shop("");
    let attacker = Role::new(&databases, "attacker", "login password 'p'");
    let (name, role) = (databases.name(), attacker.name());
    let mut admin = databases.postgres();
    admin
        .batch_execute(&format!(
            "grant create on database {name} to {role}; create table caught (who text); \
             grant insert on caught to public"
        ))
        .unwrap();
    let endpoint = target::Endpoint::parse(&attacker.url(&databases)).unwrap();
    let mut evil = target::Connection::open(&endpoint).unwrap();
    evil.batch_execute(
        "create schema converge; grant all on schema converge to public;
         create table converge.run (run_id text primary key, database text, target_schema text,
           made_schema boolean, started timestamptz default now(), loaded timestamptz);
         create table converge.run_table (run_id text, table_name text, kept_rows_in text);
         create table converge.chunk (run_id text, table_name text, file text, blake3 text,
           rows bigint, loaded_by bigint);
         create function converge.caught() returns trigger language plpgsql as
           $$ begin insert into public.caught values (current_user); return new; end $$;
         create trigger caught before insert on converge.run
           for each row execute function converge.caught();
         grant all on all tables in schema converge to public;
         insert into converge.run values ('20260101-000000-000000', 'shop', 'public', false,
           now(), now())",
    )
    .unwrap();
    let reason = format!("the schema belongs to role {role}");
    for command in [
        &["doctor"][..],
        &["migrate"],
        &["rollback", "--yes"],
        &["finalize", "--yes"],
    ] {
        refused(&workplace, command, &reason);
    }
    assert!(
        workplace
            .run(&["status"])
            .expect(0)
            .text()
            .contains(&reason)
    );
    // Its privileges and trigger alone are reason enough.
    let owner =
        "alter schema converge owner to converge; grant create on schema converge to public";
    admin
        .batch_execute(&format!("reset role; {owner}"))
        .unwrap();
    refused(&workplace, &["doctor"], "has the privilege create on it");
    assert_eq!(
        ask(&databases, "select count(*) from public.caught"),
        "1",
        "the attacker's own"
    );
    admin
        .batch_execute("drop schema converge cascade; drop table public.caught")
        .unwrap();
    workplace.run(&["migrate"]).expect(0);
    admin
        .batch_execute(&format!("drop owned by {role}"))
        .unwrap();
}

#[test]
fn what_hangs_on_a_ledger_of_ours_stops_a_rollback() {
    let (databases, workplace) = shop("");
    let stranger = Role::new(&databases, "stranger", "");
    let stranger = stranger.name();
    workplace.run(&["migrate"]).expect(0);
    let mut admin = databases.postgres();
    let mut tampered = |made: &str, unmade: &str, reason: &str| {
        admin.batch_execute(made).unwrap();
        refused(&workplace, &["rollback", "--yes"], reason);
        admin.batch_execute(unmade).unwrap();
    };
    tampered(
        "grant insert on converge.taken_off to public",
        "revoke insert on converge.taken_off from public",
        "everybody has the privilege insert on its table taken_off",
    );
    tampered(
        "grant update (definition) on converge.taken_off to public",
        "revoke update (definition) on converge.taken_off from public",
        "everybody has the privilege update on its table taken_off",
    );
    tampered(
        "create function public.f() returns trigger language plpgsql as $$ begin return old; end $$;
         create trigger tr after delete on converge.run for each row execute function public.f()",
        "drop trigger tr on converge.run",
        "its table run has the trigger tr",
    );
    tampered(
        "create rule r as on insert to converge.run do nothing",
        "drop rule r on converge.run",
        "its table run has the rule r",
    );
    tampered(
        "alter table converge.chunk enable row level security",
        "alter table converge.chunk disable row level security",
        "its table chunk has row level security",
    );
    tampered(
        "create table public.child () inherits (converge.run_table)",
        "drop table public.child",
        "its table run_table shares rows with another",
    );
    tampered(
        &format!("alter table converge.refreshed owner to {stranger}"),
        "alter table converge.refreshed owner to converge",
        &format!("its table refreshed belongs to role {stranger}"),
    );
    workplace.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(ask(&databases, "select count(*) from t"), "0");
}

#[test]
fn a_ledger_that_speaks_of_something_else_is_not_acted_upon() {
    let (databases, workplace) = shop("");
    workplace.run(&["migrate"]).expect(0);
    let mut admin = databases.postgres();
    admin
        .batch_execute(
            "create schema victim; create table victim.t (id int); insert into victim.t values (1)",
        )
        .unwrap();
    for (made, unmade) in [
        (
            "update converge.run set target_schema = 'victim'",
            "update converge.run set target_schema = 'public'",
        ),
        (
            "update converge.run set database = 'other'",
            "update converge.run set database = 'shop'",
        ),
    ] {
        admin.batch_execute(made).unwrap();
        for command in [
            &["rollback", "--yes", "--discard-later-writes"][..],
            &["finalize", "--yes"],
        ] {
            refused(&workplace, command, "the configuration has database `shop`");
        }
        admin.batch_execute(unmade).unwrap();
    }
    assert_eq!(ask(&databases, "select count(*) from victim.t"), "1");
    workplace.run(&["rollback", "--yes"]).expect(0);
}

#[test]
fn text_of_the_ledger_is_never_run_as_it_stands() {
    let (databases, workplace) = shop("");
    workplace.run(&["migrate"]).expect(0);
    let mut admin = databases.postgres();
    for (column, value) in [
        ("definition", "definition || ', add column evil int'"),
        ("definition", "definition || '; create table evil ()'"),
        ("table_name", "'public.p, public.t'"),
        ("table_name", "'public.t; drop table public.p'"),
    ] {
        let sql = format!(
            "create table public.saved as table converge.taken_off; \
             update converge.taken_off set state = 'off', {column} = {value} \
              where kind = 'foreign_key'"
        );
        admin.batch_execute(&sql).unwrap();
        let outcome = workplace.run(&["rollback", "--yes"]);
        assert!([1, 3].contains(&outcome.code), "{}", outcome.text());
        admin
            .batch_execute(
                "delete from converge.taken_off; \
                 insert into converge.taken_off table public.saved; drop table public.saved",
            )
            .unwrap();
    }
    let evil = "select count(*) from pg_attribute where attname = 'evil'";
    assert_eq!(ask(&databases, evil), "0");
    assert_eq!(
        ask(
            &databases,
            "select count(*) from pg_class where relname = 'evil'"
        ),
        "0"
    );
    workplace.run(&["rollback", "--yes"]).expect(0);
}

#[test]
fn rows_that_are_kept_are_nobody_elses() {
    let (databases, workplace) = shop("target_rows: {default: replace}");
    let mut admin = databases.postgres();
    admin
        .batch_execute(
            "insert into p values (7); \
             alter default privileges for role converge grant all on tables to public; \
             alter default privileges for role converge grant all on schemas to public",
        )
        .unwrap();
    workplace.run(&["migrate"]).expect(0);
    let granted = "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
          cross join aclexplode(c.relacl) a
          where n.nspname = 'converge' and a.grantee <> c.relowner";
    assert_eq!(ask(&databases, granted), "0");
    assert_eq!(ask(&databases, "select count(*) from converge.kept_1"), "1");
    workplace.run(&["rollback", "--yes"]).expect(0);
    assert_eq!(
        ask(&databases, "select string_agg(id::text, ' ') from p"),
        "7"
    );
    admin
        .batch_execute(
            "alter default privileges for role converge revoke all on tables from public; \
             alter default privileges for role converge revoke all on schemas from public",
        )
        .unwrap();
}

#[test]
fn a_schema_of_that_name_that_is_something_else_is_told_in_words() {
    let (databases, workplace) = shop("");
    databases
        .postgres()
        .batch_execute(
            "create schema converge; create table converge.run (id int); \
             alter schema converge owner to converge; alter table converge.run owner to converge",
        )
        .unwrap();
    let outcome = refused(
        &workplace,
        &["migrate"],
        "its run is not the table of that name",
    );
    assert!(
        outcome.text().contains("ledger_schema"),
        "{}",
        outcome.text()
    );
}

#[test]
fn a_schema_that_is_renamed_between_two_questions_is_not_trusted() {
    let (databases, workplace) = shop("");
    let attacker = Role::new(&databases, "attacker", "login password 'p'");
    let (name, role) = (databases.name(), attacker.name());
    let mut admin = databases.postgres();
    admin
        .batch_execute(&format!("grant create on database {name} to {role}"))
        .unwrap();
    let endpoint = target::Endpoint::parse(&attacker.url(&databases)).unwrap();
    let mut evil = target::Connection::open(&endpoint).unwrap();
    // Reading the time as text calls the cast.
    evil.batch_execute(
        "create schema fake; create schema mal; grant usage on schema fake, mal to public;
         create table mal.caught (who text); grant insert on mal.caught to public;
         create type mal.ty as (a int);
         create function mal.as_text(mal.ty) returns text language plpgsql as
           $$ begin insert into mal.caught values (current_user); return 'x'; end $$;
         create cast (mal.ty as text) with function mal.as_text(mal.ty);
         create table fake.run (run_id text, database text, target_schema text,
           made_schema boolean, started timestamptz default now(), loaded mal.ty);
         insert into fake.run values ('20260101-000000-0000', 'shop', 'public', false, now(),
           row(1)::mal.ty);
         grant select on fake.run to public",
    )
    .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let flipping = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                for sql in [
                    "alter schema fake rename to converge",
                    "alter schema converge rename to fake",
                ] {
                    evil.batch_execute(sql).unwrap();
                    thread::sleep(Duration::from_millis(1));
                }
            }
        })
    };
    for _ in 0..15 {
        for command in [&["status"][..], &["rollback", "--yes"]] {
            let text = workplace.run(command).text();
            assert!(!text.contains("20260101-000000-0000"), "{text}");
        }
    }
    stop.store(true, Ordering::Relaxed);
    flipping.join().unwrap();
    assert_eq!(ask(&databases, "select count(*) from mal.caught"), "0");
    admin
        .batch_execute(&format!("drop owned by {role} cascade"))
        .unwrap();
}

#[test]
fn no_grant_is_proposed_for_a_table_that_another_role_put_beside_the_others() {
    let (databases, workplace) = shop("");
    let attacker = Role::new(&databases, "attacker", "login password 'p'");
    let role = attacker.name();
    let owner = Role::new(&databases, "owner", "");
    let owner = owner.name();
    let mut admin = databases.postgres();
    admin
        .batch_execute(&format!(
            "alter table p owner to {owner}; alter table t owner to {owner};
             grant {owner} to converge; create table junk (id int); alter table junk owner to {role}"
        ))
        .unwrap();
    let text = refused(&workplace, &["migrate"], "lacks privileges").text();
    assert!(!text.contains(&format!("grant {role} ")), "{text}");
    assert!(
        text.contains("grant that role only if you trust it"),
        "{text}"
    );
    admin
        .batch_execute(&format!(
            "drop table junk; alter table p owner to test_owner; alter table t owner to test_owner; \
             drop owned by {owner}"
        ))
        .unwrap();
}

#[test]
fn a_name_that_another_role_took_meanwhile_stops_a_rollback_in_words() {
    let (databases, workplace) = shop("");
    workplace.run(&["migrate"]).expect(0);
    let mut admin = databases.postgres();
    // As if the load had been interrupted while an index was off.
    admin
        .batch_execute(
            "create index t_i on t (p); \
             insert into converge.taken_off \
               select run_id, 99, 'index', 'public.t', 't_i', \
                      'CREATE INDEX t_i ON public.t USING btree (p)', null, 'public.t_i', null, \
                      false, null, null, null, null, 'off' from converge.run; \
             drop index t_i; create table t_i (id int)",
        )
        .unwrap();
    let outcome = workplace.run(&["rollback", "--yes"]).expect(3);
    for part in ["\"t_i\" already exists", "dropped or renamed"] {
        assert!(outcome.text().contains(part), "{part}: {}", outcome.text());
    }
    admin.batch_execute("drop table t_i").unwrap();
    workplace.run(&["rollback", "--yes"]).expect(0);
}
