//! Indexes that are built once a large table is filled: all come back as they were, and what
//! would not stays where it is.

use std::collections::BTreeMap;

use target::fingerprint;
use testing::Databases;

use crate::support::Workplace;

/// About 6 MB of text, beyond what is indexed row by row.
const SOURCE: &str = "create table note (
      id int primary key, number int not null, code varchar(20) not null, shelf int,
      text varchar(200));
    insert into note with recursive n (id) as
      (select 0 union all select id + 1 from n where id < 199)
      select a.id * 200 + b.id, a.id * 200 + b.id, concat('c', a.id * 200 + b.id),
             b.id, repeat('x', 150) from n a, n b;
    create table seen (id int primary key, note int not null, index (note),
      constraint seen_note foreign key (note) references note (id));
    insert into seen values (1, 7);";
const TARGET: &str = "create table note (
      id integer not null, number integer not null, code varchar(20) not null, shelf integer,
      text varchar(200),
      constraint note_pkey primary key (id),
      constraint note_number unique (number) deferrable initially deferred,
      constraint \"note \"\"code\"\"\" unique (code) include (shelf),
      constraint note_filled unique (code, number) with (fillfactor = 70),
      constraint note_excluded exclude (id with =, code with =));
    create index note_shelf on note (shelf desc nulls last) where shelf > 3;
    create index note_lower on note (lower(code) text_pattern_ops) with (fillfactor = 60);
    create index note_targeted on note ((shelf + 1));
    alter index note_targeted alter column 1 set statistics 500;
    create index note_clustered on note (text);
    cluster note using note_clustered;
    create unique index note_identity on note (code, id);
    alter table note replica identity using index note_identity;
    comment on constraint note_number on note is 'it''s a number';
    comment on index note_shelf is 'only high shelves';
    create table seen (id integer primary key, note integer not null,
      constraint seen_note foreign key (note) references note (id));
    create table elsewhere (note integer, constraint elsewhere_note
      foreign key (note) references note (id) on delete set null);
    create view by_code as select n.code, n.number, count(*) from note n group by n.code, n.id;";

fn moved(databases: &Databases) -> Workplace {
    let options = "exclude_tables: [elsewhere]";
    Workplace::new(&[("notes", databases, options)])
}

/// The OIDs of the indexes of a table.
fn oids(databases: &Databases) -> BTreeMap<String, String> {
    let sql = "select c.relname, c.oid from pg_index i join pg_class c on c.oid = i.indexrelid \
                where i.indrelid = 'public.note'::regclass";
    let rows = databases.postgres().query_text(sql).unwrap();
    let pair = |row: Vec<Option<String>>| {
        let mut row = row.into_iter().flatten();
        (row.next().unwrap(), row.next().unwrap())
    };
    rows.into_iter().map(pair).collect()
}

#[test]
fn every_index_comes_back_as_it_was() {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let before = fingerprint(&mut databases.postgres(), "public").unwrap();
    let oids_before = oids(&databases);
    let workplace = moved(&databases);
    workplace.run(&["export"]).expect(0);
    workplace.run(&["transform"]).expect(0);
    workplace.run(&["import"]).expect(0);
    workplace.run(&["verify"]).expect(0);
    let after = fingerprint(&mut databases.postgres(), "public").unwrap();
    assert_eq!(
        before.differences(&after),
        ["rows of note", "rows of seen"],
        "nothing but rows"
    );
    let oids_after = oids(&databases);
    let rebuilt = oids_before
        .iter()
        .filter(|(name, oid)| oids_after[*name] != **oid);
    let rebuilt: Vec<&str> = rebuilt.map(|(name, _)| name.as_str()).collect();
    // What a view depends on, what is clustered or identifies rows, and what a definition does
    // not say of itself, stay.
    assert_eq!(
        rebuilt,
        [
            "note \"code\"",
            "note_excluded",
            "note_lower",
            "note_number",
            "note_shelf"
        ]
    );
    workplace.run(&["rollback"]).expect(0);
    let back = fingerprint(&mut databases.postgres(), "public").unwrap();
    assert_eq!(before.differences(&back), [""; 0]);
}

#[test]
fn a_double_is_found_when_the_index_is_built_and_nothing_is_changed() {
    let databases = Databases::create();
    databases.load(SOURCE, TARGET);
    let mut source = databases.mysql();
    source
        .execute_script("update note set number = 8 where id = 7")
        .unwrap();
    let before = fingerprint(&mut databases.postgres(), "public").unwrap();
    let workplace = moved(&databases);
    workplace.run(&["export"]).expect(0);
    workplace.run(&["transform"]).expect(0);
    let refused = workplace.run(&["import"]).expect(4);
    let expected = "building index `note_number` of public.note: 1 row violates it: id 8\n";
    assert!(refused.stderr.contains(expected), "{}", refused.text());
    let after = fingerprint(&mut databases.postgres(), "public").unwrap();
    assert_eq!(before.differences(&after), [""; 0]);
}

#[test]
fn all_orphans_are_counted_and_the_first_twenty_named() {
    let databases = Databases::create();
    let source = "set foreign_key_checks = 0;
        create table person (a int, b varchar(5), primary key (a, b));
        create table letter (id int primary key, a int, b varchar(5),
          constraint letter_person foreign key (a, b) references person (a, b));
        insert into person values (1, 'x');
        insert into letter with recursive n (id) as
          (select 1 union all select id + 1 from n where id < 30)
          select id, if(id < 6, 1, 2), if(id = 5, null, 'x') from n;";
    let target = "create table person (a integer, b varchar(5), primary key (a, b));
        create table letter (id integer primary key, a integer, b varchar(5),
          constraint letter_person foreign key (a, b) references person (a, b));";
    databases.load(source, target);
    let workplace = Workplace::new(&[("mail", &databases, "")]);
    workplace.run(&["export"]).expect(0);
    workplace.run(&["transform"]).expect(0);
    let refused = workplace.run(&["import"]).expect(4);
    let named: Vec<String> = (6..=25).map(|id| format!("id {id}")).collect();
    let expected = format!("25 rows violate it: {}; …", named.join("; "));
    assert!(refused.stderr.contains(&expected), "{}", refused.text());
    let left = databases
        .postgres()
        .query_text("select count(*) from letter");
    assert_eq!(left.unwrap(), [[Some("0".to_owned())]]);
}

#[test]
fn a_column_that_changes_its_type_before_the_lock_stops_the_load() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key)",
        "create table t (id integer primary key)",
    );
    let mut connection = databases.postgres();
    let known = connection.definitions("public").unwrap();
    let catalog = target::discover(&mut connection, "public").unwrap();
    let alter = "alter table t alter id type real";
    databases.postgres().batch_execute(alter).unwrap();
    let tables = [target::ImportTable {
        table: catalog.table("t").unwrap(),
        replace: false,
        index_later: false,
    }];
    let begun = target::Import::begin(
        &mut connection,
        "ledger",
        ("run", "shop"),
        (&catalog, &known),
        &tables,
    );
    let error = begun.map(|_| ()).unwrap_err();
    assert!(error.is_precondition());
    let expected = "the schema was changed meanwhile: column ";
    assert!(error.to_string().contains(expected), "{error}");
    assert!(error.to_string().ends_with("t.id"), "{error}");
}
