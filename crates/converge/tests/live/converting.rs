//! `migrate`, which converts rows as it reads them: its files are those of the stages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dataset::{Manifest, TableEntry};
use testing::Databases;

use crate::support::Workplace;

const RULES: &str = "rules:
  - {column: letters.text, when: too_long, then: truncate}
  - {constraint: letters.letters_sender, when: orphan, then: skip_to_file}
  - {constraint: letters.letters_reader, when: orphan, then: null}";

/// A table of several chunks, whose columns stand in another order in the target, one whose rows
/// rules change and leave out, and one without rows.
fn filled() -> (Databases, Workplace) {
    let databases = Databases::create();
    databases.load(
        "create table bare (a int primary key);
         create table big (id int auto_increment primary key, body longtext, at datetime(3), u char(36));
         insert into big (body, at, u) with recursive n (seq) as
           (select 1 union all select seq + 1 from n where seq < 900)
           select repeat(char(65 + seq % 26), 3000), '2024-02-29 12:00:00.120',
                  'ABCDEF00-0000-4000-8000-00000000000A' from n;
         insert into big (body, at, u) select body, null, u from big;
         insert into big (body, at, u) select body, at, u from big;
         insert into big (body, at, u) select body, at, u from big;
         insert into big (body, at, u) select concat('\"', body), at, u from big;
         set foreign_key_checks = 0;
         create table people (id int primary key);
         create table letters (
           id int primary key, sender int not null, reader int, text varchar(20),
           constraint letters_sender foreign key (sender) references people (id),
           constraint letters_reader foreign key (reader) references people (id));
         insert into people values (1), (2), (3);
         insert into letters values
           (1, 1, 2, 'stays'), (2, 9, 1, 'no sender'), (3, 1, 8, 'no reader, and is cut'),
           (4, 2, null, 'stays, and is cut'), (6, 9, 9, 'neither');",
        "create table bare (a integer primary key);
         create table big (u uuid, id serial primary key, body text, at timestamp(3), more text);
         create table people (id integer primary key);
         create table letters (
           id integer primary key, sender integer not null, reader integer, text varchar(8),
           constraint letters_sender foreign key (sender) references people (id),
           constraint letters_reader foreign key (reader) references people (id));",
    );
    let workplace = Workplace::new(&[("mail", &databases, RULES)]);
    (databases, workplace)
}

/// The CSV files of a directory.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let files = names.filter(|name| name.ends_with(".csv")).map(|name| {
        let content = fs::read(directory.join(&name)).unwrap();
        (name, content)
    });
    files.collect()
}

fn tables(directory: &Path) -> Vec<TableEntry> {
    Manifest::read(directory).unwrap().tables
}

#[test]
fn migrate_writes_what_the_stages_write() {
    let (_databases, workplace) = filled();
    let of =
        |run: &str, stage: &str| -> PathBuf { workplace.path().join(run).join("mail").join(stage) };
    workplace.run(&["export", "--run", "staged"]).expect(0);
    let staged = workplace.run(&["transform", "--run", "staged"]).expect(0);
    let mut exported = tables(&of("staged", "export")).into_iter();
    assert!(exported.any(|table| table.files.len() > 1));
    assert!(files(&of("staged", "rejected")).len() > 2);
    for (run, options) in [("at_once", &[][..]), ("kept", &["--keep-export"])] {
        let migrate = [&["migrate", "--run", run], options].concat();
        let moved = workplace.run(&migrate).expect(0);
        for line in staged.stderr.lines().filter(|line| line.contains("rule ")) {
            assert!(moved.stderr.contains(line), "{line}: {}", moved.text());
        }
        for stage in ["transformed", "rejected"] {
            assert!(
                files(&of(run, stage)) == files(&of("staged", stage)),
                "{run}: {stage}"
            );
        }
        assert_eq!(
            tables(&of(run, "transformed")),
            tables(&of("staged", "transformed"))
        );
        let mut exported = tables(&of("staged", "export"));
        if options.is_empty() {
            assert_eq!(files(&of(run, "export")).len(), 0);
            exported.iter_mut().for_each(|table| table.files.clear());
        } else {
            assert!(files(&of(run, "export")) == files(&of("staged", "export")));
        }
        assert_eq!(tables(&of(run, "export")), exported);
        let names = fs::read_dir(of(run, "export")).unwrap().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let left: Vec<String> = names.filter(|name| !name.ends_with(".csv")).collect();
        assert_eq!(left, [dataset::MANIFEST_FILE]);
        workplace
            .run(&["verify", "--run", run, "--against", "source-manifest"])
            .expect(0);
        workplace
            .run(&["verify", "--run", run, "--against", "manifest-target"])
            .expect(0);
        workplace.run(&["rollback"]).expect(0);
    }
    let gone = workplace.run(&["transform", "--run", "at_once"]).expect(3);
    assert!(
        gone.stderr.contains("`migrate` did not keep the files of"),
        "{}",
        gone.text()
    );
    workplace.run(&["transform", "--run", "kept"]).expect(0);
    assert!(files(&of("kept", "transformed")) == files(&of("staged", "transformed")));
}

#[test]
fn a_value_that_cannot_be_converted_ends_a_migration_before_the_target_is_touched() {
    let (databases, _) = filled();
    let workplace = Workplace::new(&[("mail", &databases, "")]);
    let refused = workplace
        .run(&["migrate", "--skip-assess", "--run", "one"])
        .expect(4);
    let place = "mail.letters.text";
    assert!(refused.stderr.contains(place), "{}", refused.text());
    assert!(!refused.stderr.contains("no sender"), "a value");
    let ledger = "select count(*)::text from pg_namespace where nspname = 'converge'";
    let ledger = databases.postgres().query_text(ledger).unwrap();
    assert_eq!(ledger, [[Some("0".to_owned())]]);
    let status = workplace.run(&["status", "--run", "one"]).expect(0);
    let next = "next: converge migrate --run";
    assert!(status.stdout.contains(next), "{}", status.text());
}
