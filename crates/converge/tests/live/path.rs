//! The whole path as an operator walks it: two databases on real servers, from `doctor` to
//! `finalize`, with the mistakes that are made on the way.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testing::{Databases, workspace_root};

use crate::support::{Outcome, Workplace, interrupt, settings};

/// Two databases with their sources filled and their targets still empty.
struct Move {
    shop: Databases,
    auth: Databases,
    workplace: Workplace,
}

impl Move {
    fn new() -> Self {
        let (shop, auth) = (Databases::create(), Databases::create());
        let read = |name: &str| fs::read_to_string(folder().join(name)).unwrap();
        shop.load(&read("shop.source.sql"), "");
        auth.load(&read("auth.source.sql"), "");
        let workplace = Workplace::new(&[
            (
                "shop",
                &shop,
                "schema_owner: converge\nexclude_tables: [left_over]",
            ),
            (
                "auth",
                &auth,
                "schema_owner: converge\ntarget_rows: {default: refuse, network: replace}",
            ),
        ]);
        Self {
            shop,
            auth,
            workplace,
        }
    }

    /// The same with the targets' schemas made.
    fn with_baseline() -> Self {
        let prepared = Self::new();
        prepared
            .run(&["baseline", "apply", "--from", &baseline()])
            .expect(0);
        prepared
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.workplace.run(arguments)
    }
}

fn folder() -> std::path::PathBuf {
    workspace_root().join("fixtures/path")
}

fn baseline() -> String {
    folder().join("baseline").display().to_string()
}

fn snapshot(name: &str, outcome: &Outcome) {
    settings(&folder().join("expected")).bind(|| {
        insta::assert_snapshot!(name, outcome.text());
    });
}

#[test]
fn stage_by_stage_from_doctor_to_finalize() {
    let moved = Move::new();
    snapshot(
        "doctor_before_the_baseline",
        &moved.run(&["doctor"]).expect(3),
    );
    snapshot(
        "baseline_apply",
        &moved
            .run(&["baseline", "apply", "--from", &baseline()])
            .expect(0),
    );
    let again = moved.run(&["baseline", "apply", "--from", &baseline()]);
    snapshot("baseline_apply_again", &again.expect(0));
    snapshot("doctor", &moved.run(&["doctor"]).expect(0));
    let before = fingerprints(&moved);

    moved.run(&["import"]).expect(2);
    moved.run(&["export"]).expect(0);
    moved.run(&["import"]).expect(3);
    moved.run(&["transform"]).expect(0);
    snapshot(
        "status_before_the_import",
        &moved.run(&["status"]).expect(0),
    );
    snapshot("import", &moved.run(&["import"]).expect(0));
    snapshot("verify", &moved.run(&["verify"]).expect(0));
    snapshot("status_after_verify", &moved.run(&["status"]).expect(0));
    check_files(&moved.workplace.run_directory());
    check_target(&moved);

    moved.run(&["import"]).expect(0);
    snapshot("rollback", &moved.run(&["rollback"]).expect(0));
    assert_eq!(fingerprints(&moved), before, "the targets are as they were");
    snapshot("rollback_again", &moved.run(&["rollback"]).expect(0));
    moved.run(&["import"]).expect(0);
    snapshot(
        "finalize_without_a_comparison",
        &moved.run(&["finalize", "--yes"]).expect(3),
    );
    moved.run(&["verify"]).expect(0);
    snapshot("finalize_unconfirmed", &moved.run(&["finalize"]).expect(2));
    snapshot("finalize", &moved.run(&["finalize", "--yes"]).expect(0));
    let left = moved.shop.postgres().query_text(
        "select c.relname::text from pg_catalog.pg_class c \
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
          where n.nspname = 'converge' and c.relkind = 'r'",
    );
    assert_eq!(
        left.unwrap(),
        [[Some("baseline".to_owned())]],
        "nothing of the run stays, only what the schema is"
    );
}

fn fingerprints(moved: &Move) -> [target::Fingerprint; 2] {
    [&moved.shop, &moved.auth]
        .map(|databases| target::fingerprint(&mut databases.postgres(), "public").unwrap())
}

/// Everything that the contract says of the run directory.
fn check_files(run: &Path) {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(run), 0o700);
    let names = [
        "run.json",
        "events.jsonl",
        "shop/catalog.source.json",
        "shop/catalog.target.json",
        "shop/export/migration_manifest.json",
        "shop/export/item.csv",
        "shop/transformed/migration_manifest.json",
        "shop/transformed/item.csv",
        "auth/findings.json",
    ];
    for name in names {
        assert_eq!(mode(&run.join(name)), 0o600, "{name}");
    }
    let events = fs::read_to_string(run.join("events.jsonl")).unwrap();
    let table_lines = events
        .lines()
        .filter(|line| line.contains("\"table\":\"auth.account\""));
    assert!(table_lines.count() >= 3, "each stage speaks of each table");
    for text in [events, fs::read_to_string(run.join("run.json")).unwrap()] {
        assert!(
            !text.contains("secret-hash") && !text.contains("ada@"),
            "no cell values: {text}"
        );
    }
    settings(&folder().join("expected")).bind(|| {
        for name in ["item.csv", "category.csv", "audit.csv"] {
            let bytes = fs::read(run.join("shop/transformed").join(name)).unwrap();
            insta::assert_binary_snapshot!(&format!("transformed_{name}"), bytes);
        }
        let manifest = fs::read_to_string(run.join("shop/transformed/migration_manifest.json"));
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r#""(created|file|gtid)": "[^"]+""#, "\"$1\": \"[…]\"");
        settings.add_filter(r#""version": "[^"]+""#, "\"version\": \"[…]\"");
        settings.add_filter(r#""kind": "(mysql|mariadb)""#, "\"kind\": \"[…]\"");
        settings.add_filter(r#""position": \d+"#, "\"position\": 0");
        settings.add_filter(
            r#"(?s)"coordinates": (null|\{.*?\})"#,
            "\"coordinates\": […]",
        );
        settings.bind(|| insta::assert_snapshot!("manifest", manifest.unwrap()));
    });
}

/// What the transaction must have left as it was, and what it must have set.
fn check_target(moved: &Move) {
    let mut shop = moved.shop.postgres();
    let one = |connection: &mut target::Connection, sql: &str| {
        connection.query_text(sql).unwrap()[0][0].clone().unwrap()
    };
    let next = "select nextval(pg_get_serial_sequence('item', 'id'))::text";
    assert_eq!(one(&mut shop, next), "1000", "the next id is MySQL's");
    shop.batch_execute("select setval(pg_get_serial_sequence('item', 'id'), 1000, false)")
        .unwrap();
    let state = "select tgenabled::text from pg_trigger where tgname = 'no_items'";
    assert_eq!(
        one(&mut shop, state),
        "A",
        "the trigger fires always, as before"
    );
    let valid = "select bool_and(convalidated)::text from pg_constraint where contype = 'f'";
    assert_eq!(
        one(&mut shop, valid),
        "true",
        "every foreign key was checked"
    );
    let comment = "select obj_description(oid, 'pg_constraint') from pg_constraint \
                   where conname = 'fk_item_category'";
    assert_eq!(one(&mut shop, comment), "an item's place");
    let mut auth = moved.auth.postgres();
    assert_eq!(
        one(&mut auth, "select string_agg(name, ',') from network"),
        "ours"
    );
}

#[test]
fn one_changed_character_is_named_with_table_key_and_column() {
    let moved = Move::with_baseline();
    moved.run(&["migrate"]).expect(0);
    let mut shop = moved.shop.postgres();
    shop.batch_execute("update item set title = 'line\nbreak' where id = 1")
        .unwrap();
    let verified = moved.run(&["verify"]).expect(5);
    snapshot("verify_names_one_character", &verified);
    assert!(
        verified.stdout.contains("shop.item id 1: title"),
        "{}",
        verified.text()
    );
    let json = moved.run(&["verify", "--output", "json"]).expect(5).stdout;
    settings(&folder().join("expected")).bind(|| insta::assert_snapshot!("verify_json", json));

    snapshot(
        "rollback_with_later_writes",
        &moved.run(&["rollback"]).expect(3),
    );
    let export = ["rollback", "--export-later-writes", "later"];
    moved.run(&export).expect(0);
    let later = moved.workplace.path().join("later/shop.item.csv");
    let later = std::fs::read_to_string(later).unwrap();
    settings(&folder().join("expected")).bind(|| insta::assert_snapshot!("later_writes", later));
    let rows = moved
        .shop
        .postgres()
        .query_text("select count(*)::text from item")
        .unwrap();
    assert_eq!(rows, [[Some("0".to_owned())]]);
}

#[test]
fn rows_that_are_missing_or_too_many_and_sequences_are_found() {
    let moved = Move::with_baseline();
    moved.run(&["migrate"]).expect(0);
    let mut shop = moved.shop.postgres();
    shop.batch_execute(
        "delete from audit where ctid in (select ctid from audit where note = 'twice' limit 1); \
         insert into audit (noted_at, note) values ('2024-01-02', ''); \
         select setval(pg_get_serial_sequence('item', 'id'), 5)",
    )
    .unwrap();
    snapshot(
        "verify_counts_rows_without_a_key",
        &moved.run(&["verify"]).expect(5),
    );
}

#[test]
fn a_source_that_was_written_to_is_said_to_have_moved() {
    let moved = Move::with_baseline();
    moved.run(&["migrate"]).expect(0);
    moved
        .auth
        .mysql()
        .execute("update account set email = 'x@y.z' where id = 1")
        .unwrap();
    let outcome = moved.run(&["verify"]).expect(5);
    assert!(
        outcome.stdout.contains("verdict: source_moved"),
        "{}",
        outcome.text()
    );
    snapshot("verify_source_moved", &outcome);
}

#[test]
fn a_new_row_of_the_source_moves_its_counter_too_and_hides_no_damage_elsewhere() {
    let moved = Move::with_baseline();
    moved.run(&["migrate"]).expect(0);
    let columns = "category_id, title, body, price, visible, settings, photo, changed";
    let new_row = format!("insert into item ({columns}) select {columns} from item limit 1");
    moved.shop.mysql().execute(&new_row).unwrap();
    let outcome = moved.run(&["verify"]).expect(5);
    assert!(outcome.stdout.contains("sequence"), "{}", outcome.text());
    assert!(
        outcome.stdout.contains("verdict: source_moved"),
        "{}",
        outcome.text()
    );

    let damage = "update audit set noted_at = noted_at + interval '1 hour'";
    moved.shop.postgres().batch_execute(damage).unwrap();
    let outcome = moved.run(&["verify"]).expect(5);
    assert!(
        outcome.stdout.contains("verdict: different"),
        "{}",
        outcome.text()
    );
}

#[test]
fn what_a_foreign_key_refuses_leaves_nothing_behind() {
    let moved = Move::with_baseline();
    moved
        .auth
        .mysql()
        .execute_script(
            "set foreign_key_checks = 0; \
             insert into account values (9, '00000000-0000-0000-0000-00000000dead', 'o@example.org', 'h')",
        )
        .unwrap();
    let before = fingerprints(&moved);
    let assessed = moved.run(&["migrate", "--database", "auth"]).expect(3);
    snapshot("migrate_stopped_by_its_assessment", &assessed);
    assert!(!assessed.text().contains("o@example.org"), "no cell values");
    let unseen = ["migrate", "--database", "auth", "--skip-assess"];
    let outcome = moved.run(&unseen).expect(4);
    snapshot("migrate_stopped_by_a_foreign_key", &outcome);
    assert!(!outcome.text().contains("o@example.org"), "no cell values");
    assert_eq!(fingerprints(&moved), before);
    snapshot("status_after_a_failure", &moved.run(&["status"]).expect(0));
}

#[test]
fn a_damaged_file_is_a_blocker() {
    let moved = Move::with_baseline();
    moved.run(&["export"]).expect(0);
    let exported = moved.workplace.run_directory().join("shop/export/item.csv");
    let content = fs::read_to_string(&exported).unwrap();
    fs::write(&exported, content.replace("9.99", "9.98")).unwrap();
    snapshot(
        "transform_sees_a_damaged_file",
        &moved.run(&["transform"]).expect(3),
    );
    fs::write(&exported, &content).unwrap();
    moved.run(&["transform"]).expect(0);
    let before = fingerprints(&moved);
    let transformed = moved
        .workplace
        .run_directory()
        .join("shop/transformed/item.csv");
    let content = fs::read_to_string(&transformed).unwrap();
    for damaged in [
        content.replace("9.99", "9.98"),
        content[..content.len() - 20].to_owned(),
    ] {
        fs::write(&transformed, damaged).unwrap();
        let outcome = moved.run(&["import"]).expect(3);
        assert!(
            outcome.stderr.contains("is not what its manifest says"),
            "{}",
            outcome.text()
        );
        assert_eq!(fingerprints(&moved), before);
    }
}

#[test]
fn mistakes_on_the_command_line_and_in_the_configuration_end_with_two() {
    let moved = Move::with_baseline();
    snapshot(
        "unknown_database",
        &moved.run(&["export", "--database", "shap"]).expect(2),
    );
    assert_eq!(moved.run(&["exprot"]).code, 2);
    assert_eq!(moved.run(&["export", "--jobs", "0"]).code, 2);
    let config = fs::read_to_string(moved.workplace.path().join("config.yml")).unwrap();
    moved.workplace.write(
        "config.yml",
        &config.replace("exclude_tables", "exclude_table"),
    );
    snapshot("unknown_key", &moved.run(&["export"]).expect(2));
    moved
        .workplace
        .write("config.yml", &config.replace(", network: replace", ""));
    snapshot("doctor_finds_rows", &moved.run(&["doctor"]).expect(3));
    moved
        .workplace
        .write("config.yml", &config.replace(":documented@", ":wr%23ng@"));
    let outcome = moved.run(&["export"]);
    assert_eq!(outcome.code, 3, "{}", outcome.text());
    assert!(!outcome.text().contains("wr#ng") && !outcome.text().contains("wr%23ng"));
    moved
        .workplace
        .write("config.yml", &config.replace("scratch", "production"));
    snapshot(
        "rehearse_in_production",
        &moved.run(&["rehearse"]).expect(2),
    );
}

#[test]
fn a_rehearsal_goes_there_and_back_and_there_again() {
    let moved = Move::with_baseline();
    snapshot("rehearse", &moved.run(&["rehearse"]).expect(0));
    snapshot(
        "rehearse_on_a_loaded_target",
        &moved.run(&["rehearse"]).expect(3),
    );
    // By which `cargo xtask rehearse` says that its servers keep running.
    let mut command = moved.workplace.command(&["rehearse"]);
    command.env("CONVERGE_REHEARSE_AFTERWORD", "note: they run");
    let outcome = Outcome::of(&command.output().unwrap()).expect(3);
    assert!(
        outcome.stderr.contains("\nnote: they run\nerror: "),
        "{}",
        outcome.text()
    );
}

#[test]
fn an_interrupt_while_the_target_is_locked_changes_nothing() {
    let moved = Move::with_baseline();
    moved.run(&["export"]).expect(0);
    moved.run(&["transform"]).expect(0);
    let before = fingerprints(&moved);
    let mut other = moved.shop.postgres();
    other
        .batch_execute("begin; lock table item in row exclusive mode")
        .unwrap();
    let import = moved
        .workplace
        .command(&["import"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until_it_waits(&mut moved.shop.postgres());
    interrupt(import.id());
    let outcome = Outcome::of(&import.wait_with_output().unwrap());
    other.batch_execute("rollback").unwrap();
    snapshot("import_interrupted", &outcome.expect(6));
    assert_eq!(fingerprints(&moved), before);
    snapshot(
        "status_after_an_interrupt",
        &moved.run(&["status"]).expect(0),
    );
    moved.run(&["import"]).expect(0);
}

/// Returns once a session of this tool waits for a lock.
fn wait_until_it_waits(connection: &mut target::Connection) {
    let waiting = "select count(*)::text from pg_catalog.pg_locks l \
                     join pg_catalog.pg_stat_activity a on a.pid = l.pid \
                    where not l.granted and a.application_name like 'converge/%' \
                      and a.datname = pg_catalog.current_database()";
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let rows = connection.query_text(waiting).unwrap();
        if rows[0][0].as_deref() != Some("0") {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "the import never came to the lock"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn two_imports_at_once_name_each_other() {
    let moved = Move::with_baseline();
    moved.run(&["export"]).expect(0);
    moved.run(&["transform"]).expect(0);
    let mut other = moved.shop.postgres();
    other
        .batch_execute(
            "set application_name = 'converge/other/0'; begin; \
             select pg_advisory_xact_lock(x'636f6e7665726765'::bit(64)::bigint)",
        )
        .unwrap();
    let outcome = moved.run(&["import"]).expect(3);
    assert!(
        outcome.stderr.contains("converge/other/0"),
        "{}",
        outcome.text()
    );
    snapshot("import_finds_another_run", &outcome);
}

/// MySQL 9.7 ends with a fault of its own where it closes its tables between the two halves of a
/// question that takes labels from both halves of a union.
#[test]
fn rows_are_compared_while_the_server_closes_its_tables() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key, at timestamp(6) null); \
         insert into t values (1, null), (2, '2024-02-29 12:00:00.000001')",
        "",
    );
    let catalog = source::discover(&mut databases.mysql(), databases.name()).unwrap();
    let table = catalog.table("t").unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut closing = databases.mysql();
            while !done.load(Ordering::Relaxed) {
                closing.execute("flush local tables").unwrap();
            }
        });
        let mut snapshot = source::Snapshot::take(databases.mysql(), 1).unwrap();
        for _ in 0..60 {
            let mut seen = 0;
            let read = snapshot.reader().scan_table::<source::Error>(
                databases.name(),
                table,
                &["id", "at"],
                source::Rows::Range(&dataset::KeyRange::whole()),
                |_| {
                    seen += 1;
                    Ok(())
                },
            );
            // The thread ends whatever was found.
            done.store(read.is_err(), Ordering::Relaxed);
            assert_eq!((read.unwrap(), seen), (2, 2));
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_schema_is_read_while_the_server_closes_its_tables() {
    let databases = Databases::create();
    let read = |name: &str| fs::read_to_string(folder().join(name)).unwrap();
    databases.load(&read("shop.source.sql"), "");
    let expected = source::discover(&mut databases.mysql(), databases.name()).unwrap();
    assert!(expected.tables.iter().any(|t| !t.foreign_keys.is_empty()));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut closing = databases.mysql();
            while !done.load(Ordering::Relaxed) {
                closing.execute("flush local tables").unwrap();
            }
        });
        let mut reading = databases.mysql();
        for _ in 0..60 {
            let found = source::discover(&mut reading, databases.name());
            // The thread ends whatever was found.
            let same = found.as_ref().is_ok_and(|found| *found == expected);
            done.store(!same, Ordering::Relaxed);
            assert_eq!(found.unwrap(), expected);
        }
        done.store(true, Ordering::Relaxed);
    });
}
