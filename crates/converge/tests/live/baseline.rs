//! Baselines that are generated from real sources, applied to real targets, and read back.
//!
//! Every folder below `fixtures/baseline` is a law: its source becomes the SQL beside it, or the
//! refusal, and PostgreSQL has of that SQL what was planned.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use baseline::{Baseline, BaselineOptions, OnUpdate, TypeMap, TypeOverrides, Wanted, plan, sql};
use catalog::{
    ForeignKey, Key, KeyTerm, PostgresType, ServerKind, TargetCatalog, TargetColumn, TargetTable,
};
use testing::{Databases, workspace_root};

use crate::support::{Workplace, settings};

/// Each case mostly waits for servers.
const WORKERS: usize = 4;
/// A table by which a folder is only for one of the families, whose SQL the other does not take.
const MYSQL_ALONE: &str = "source.mysql.sql";

#[test]
fn every_case_becomes_the_sql_beside_it() {
    let entries = fs::read_dir(workspace_root().join("fixtures/baseline")).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let queue = Mutex::new(cases);
    let (broken, applied) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = next(&queue) {
                    match catch_unwind(AssertUnwindSafe(|| check(&case))) {
                        Ok(Seen::Applied) => _ = applied.fetch_add(1, Ordering::Relaxed),
                        Ok(Seen::Refused | Seen::OfAnotherFamily) => {}
                        Err(_) => broken.lock().unwrap().push(case),
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(
        broken.is_empty(),
        "these do not keep their law: {broken:#?}"
    );
    let applied = applied.into_inner();
    assert!(applied >= 60, "only {applied} cases were applied");
}

/// What became of a case.
enum Seen {
    /// It was applied to PostgreSQL and read back.
    Applied,
    /// There is no baseline of it.
    Refused,
    /// The server does not take its source.
    OfAnotherFamily,
}

fn next(queue: &Mutex<Vec<PathBuf>>) -> Option<PathBuf> {
    queue.lock().unwrap().pop()
}

fn check(case: &Path) -> Seen {
    let databases = Databases::create();
    let alone = case.join(MYSQL_ALONE);
    let source = if alone.exists() {
        if databases.mysql().server().kind != ServerKind::Mysql {
            return Seen::OfAnotherFamily;
        }
        alone
    } else {
        case.join("source.sql")
    };
    databases.load(&fs::read_to_string(source).unwrap(), "");
    let options = fs::read_to_string(case.join("options.yml")).unwrap_or_default();
    let workplace = Workplace::new(&[(
        "case",
        &databases,
        &format!("{options}schema_owner: converge\n"),
    )]);
    let generated = workplace.run(&["baseline", "generate", "--out", "sql"]);
    if generated.code != 0 {
        assert_eq!(generated.code, 3, "{}", generated.text());
        settings(&case.join("expected"))
            .bind(|| insta::assert_snapshot!("refusal", generated.text()));
        return Seen::Refused;
    }
    let read =
        |name: &str| fs::read_to_string(workplace.path().join("sql/case").join(name)).unwrap();
    settings(&case.join("expected")).bind(|| {
        insta::assert_snapshot!("pre_data", read("pre_data.sql"));
        insta::assert_snapshot!("post_data", read("post_data.sql"));
    });
    apply_and_read_back(
        &workplace,
        "case",
        &databases,
        &planned(&databases, &options),
    );
    Seen::Applied
}

/// The plan behind the files, made once more in this process.
fn planned(databases: &Databases, options: &str) -> Baseline {
    let line = |key: &str| {
        let line = options.lines().find_map(|line| line.strip_prefix(key));
        line.map(|rest| rest.trim_matches([' ', '{', '}', '[', ']']).to_owned())
    };
    let types = line("types:").unwrap_or_default();
    let types = types.split(", ").filter_map(|pair| pair.split_once(": "));
    let map = TypeMap::new(&TypeOverrides::parse(types).unwrap());
    let excluded: BTreeSet<String> = line("exclude_tables:").into_iter().collect();
    let wanted = Wanted {
        map: &map,
        options: BaselineOptions {
            on_update: match options.contains("on_update: trigger") {
                true => OnUpdate::Trigger,
                false => OnUpdate::Ignore,
            },
            index_foreign_keys: options.contains("index_foreign_keys: true"),
        },
        schema: "public",
        datetime_zone: Some("UTC").filter(|_| options.contains("datetime_zone")),
        exclude_tables: &excluded,
    };
    let catalog = source::discover(&mut databases.mysql(), databases.name()).unwrap();
    plan(&catalog, &wanted).unwrap()
}

/// Applies what was generated, looks whether it is what was planned, and applies it once more.
fn apply_and_read_back(workplace: &Workplace, name: &str, databases: &Databases, plan: &Baseline) {
    let file = |file: &str| {
        let path = workplace.path().join("sql").join(name).join(file);
        fs::read_to_string(path).unwrap()
    };
    assert_eq!(file("pre_data.sql"), sql::pre_data(plan));
    assert_eq!(file("post_data.sql"), sql::post_data(plan));
    let apply = ["baseline", "apply", "--from", "sql", "--database", name];
    workplace.run(&apply).expect(0);
    let live = target::discover(&mut databases.postgres(), "public").unwrap();
    let (planned, live) = (comparable(&plan.catalog), comparable(&live));
    assert_eq!(planned, live);
    let check = ["baseline", "check", "--names", "--database", name];
    workplace.run(&check).expect(0);
    workplace
        .run(&[&check[..], &["--from", "sql"]].concat())
        .expect(0);
    workplace.run(&apply).expect(0);
}

/// What a server shows as it was written: all but the spelling of defaults and expressions.
fn comparable(catalog: &TargetCatalog) -> Vec<String> {
    let mut lines = Vec::new();
    for table in &catalog.tables {
        let name = &table.name;
        lines.push(format!("table {name}: {:?}", table.comment));
        lines.extend(
            table
                .columns
                .iter()
                .map(|c| format!("{name}: {}", column(c))),
        );
        lines.extend(table.keys.iter().map(|k| format!("{name}: {}", key(k))));
        lines.extend(table.foreign_keys.iter().map(|k| foreign_key(table, k)));
        let checks = table.checks.iter();
        lines.extend(checks.map(|check| format!("{name}: check {}", check.name)));
    }
    lines
}

fn column(column: &TargetColumn) -> String {
    let bare = |name: &str| name.trim_start_matches("public.").to_owned();
    let data_type = match &column.data_type {
        PostgresType::Enum { name, labels } => format!("{} {labels:?}", bare(name)),
        other => bare(&other.to_string()),
    };
    let sequence = column.sequence.as_ref().map(|sequence| {
        let name = bare(&sequence.name).replace('"', "");
        (
            name,
            &sequence.data_type,
            sequence.start,
            sequence.max,
            sequence.owned,
        )
    });
    let generated = column.generated.as_ref().map(|generated| generated.stored);
    format!(
        "{} {data_type} nullable {} default {} generated {generated:?} identity {:?} {sequence:?} {:?}",
        column.name,
        column.nullable,
        column.default.is_some(),
        column.identity,
        column.comment
    )
}

fn key(key: &Key) -> String {
    let parts: Vec<String> = key
        .parts
        .iter()
        .map(|part| match &part.term {
            KeyTerm::Column { name, .. } => format!("{name} {}", part.descending),
            KeyTerm::Expression { .. } => format!("expression {}", part.descending),
        })
        .collect();
    format!(
        "key {} {:?} {parts:?} {:?} constraint {} {:?}",
        key.name, key.kind, key.method, key.constraint, key.comment
    )
}

fn foreign_key(table: &TargetTable, key: &ForeignKey) -> String {
    format!("{}: {key:?}", table.name)
}

/// The real schemas, from the source's own script to an empty target and back.
fn system(name: &str, options: &str) {
    let databases = Databases::create();
    let family = match databases.mysql().server().kind {
        ServerKind::Mysql => "mysql",
        _ => "mariadb",
    };
    let script = workspace_root().join(format!("fixtures/{name}/source.{family}.sql"));
    databases.load(&fs::read_to_string(script).unwrap(), "");
    let lines = format!("{options}schema_owner: converge\n");
    let workplace = Workplace::new(&[(name, &databases, &lines)]);
    workplace
        .run(&["baseline", "generate", "--out", "sql"])
        .expect(0);
    apply_and_read_back(&workplace, name, &databases, &planned(&databases, options));
}

#[test]
fn alkemio_is_what_was_planned() {
    system("alkemio", "types: {char(36): uuid}\n");
    system("alkemio", "baseline: {index_foreign_keys: true}\n");
}

#[test]
fn kratos_is_what_was_planned() {
    system("kratos", "");
}

#[test]
fn a_committed_baseline_is_compared_and_a_migration_keeps_its_name() {
    let databases = Databases::create();
    databases.load(
        "create table page (id int not null primary key, a int null);",
        "",
    );
    let workplace = Workplace::new(&[("shop", &databases, "schema_owner: typeorm\n")]);
    let generate = [
        "baseline", "generate", "--out", "sql", "--format", "typeorm",
    ];
    let check = [&generate[..], &["--check"]].concat();
    let missing = workplace.run(&check).expect(5);
    assert!(
        missing.stderr.contains("sql/shop/pre_data.sql"),
        "{}",
        missing.text()
    );
    assert!(
        !workplace.path().join("sql").exists(),
        "a check writes nothing"
    );
    let list = || {
        let entries = fs::read_dir(workplace.path().join("sql/shop")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    workplace.run(&generate).expect(0);
    let names = list();
    assert_eq!(names.len(), 3, "{names:?}");
    workplace.run(&check).expect(0);
    workplace.run(&generate).expect(0);
    assert_eq!(
        list(),
        names,
        "one migration, however often it is generated"
    );
    databases
        .mysql()
        .execute("alter table page add b int null")
        .unwrap();
    let stale = workplace.run(&check).expect(5);
    settings(&workspace_root().join("fixtures/path/expected")).bind(|| {
        let text = stale
            .text()
            .replace(names[0].to_str().unwrap(), "[timestamp]-baseline.ts");
        insta::assert_snapshot!("baseline_generate_check", text);
    });
    workplace.run(&generate).expect(0);
    workplace.run(&check).expect(0);
}

#[test]
fn a_baseline_needs_no_target_and_belongs_to_a_run_by_default() {
    let databases = Databases::create();
    databases.load("create table page (id int not null primary key);", "");
    let nowhere = "postgres://nobody@127.0.0.1:1/nothing".to_owned();
    let workplace = Workplace::at(&[("shop", databases.mysql_url(), nowhere, "")]);
    let generated = workplace.run(&["baseline", "generate"]).expect(0);
    settings(&workspace_root().join("fixtures/path/expected")).bind(|| {
        insta::assert_snapshot!("baseline_generate", generated.text());
    });
    let directory = workplace.run_directory().join("shop/baseline");
    let pre_data = fs::read_to_string(directory.join("pre_data.sql")).unwrap();
    assert!(pre_data.contains("create table \"page\" ("), "{pre_data}");
    let json = workplace.run(&["baseline", "generate", "--out", "sql", "--output", "json"]);
    let document: serde_json::Value = serde_json::from_str(&json.expect(0).stdout).unwrap();
    assert_eq!(document["databases"][0]["tables"], 1);
}

/// A schema with a bit of everything, and rows in it.
const EVERYTHING: &str = "
create table kind (
  id bigint unsigned not null auto_increment primary key,
  name varchar(40) character set utf8mb4 collate utf8mb4_bin not null comment 'it''s a name',
  mood enum('sad','it''s fine') not null default 'it''s fine',
  unique key uq_name (name)
) comment = 'kinds';
create table thing (
  id int unsigned not null auto_increment primary key,
  kind_id bigint unsigned null,
  other_id int unsigned null,
  flag tinyint(1) not null default 1,
  one bit(1) null,
  mask bit(9) null,
  tags set('a','b''c') null,
  price decimal(8,2) not null,
  amount int not null,
  total decimal(20,2) as (price * amount) stored,
  mirrored varchar(40) as (reverse(path)) virtual,
  body json null,
  photo blob null,
  made datetime(6) not null default current_timestamp(6) on update current_timestamp(6),
  path text not null,
  key idx_name (path(10), amount desc),
  key uq_name (amount),
  constraint positive check (amount > 0),
  constraint fk_kind foreign key (kind_id) references kind (id) on delete cascade,
  constraint fk_other foreign key (other_id) references thing (id) on delete set null
);
insert into kind (name) values ('one'), ('One');
insert into thing (kind_id, flag, one, mask, tags, price, amount, body, photo, path) values
  (1, 1, b'1', b'101', 'a,b''c', 1.50, 3, '{\"a\": 1}', 'bytes', 'p'),
  (null, 0, null, null, '', -2, 1, null, null, '');
update thing set other_id = 1 where id = 2;
";

#[test]
fn rows_move_into_what_was_generated() {
    let databases = Databases::create();
    databases.load(EVERYTHING, "");
    let options = "baseline: {on_update: trigger, index_foreign_keys: true}\n";
    let lines = format!("{options}schema_owner: converge\n");
    let workplace = Workplace::new(&[("shop", &databases, &lines)]);
    let generate = ["baseline", "generate", "--out", "sql"];
    workplace.run(&generate).expect(0);
    let planned = planned(&databases, options);
    apply_and_read_back(&workplace, "shop", &databases, &planned);
    let moved = workplace.run(&["migrate"]).expect(0);
    assert!(moved.stdout.contains("verdict: equal"), "{}", moved.text());
    workplace.run(&["finalize", "--yes"]).expect(0);
    let mut target = databases.postgres();
    let next = "insert into kind (name) values ('two') returning id::text || ' ' || mood";
    let rows = target.query_text(next).unwrap();
    assert_eq!(rows, [[Some("3 it's fine".to_owned())]]);
}

#[test]
fn the_trigger_does_what_on_update_did() {
    let source = "create table page (
        id int not null primary key, title varchar(9) null, body json null, {computed}
        changed datetime not null on update current_timestamp);";
    for computed in ["", "twice bigint as (id * 2) stored,"] {
        trigger_does_what_on_update_did(&source.replace("{computed}", computed));
    }
}

fn trigger_does_what_on_update_did(source: &str) {
    let databases = Databases::create();
    databases.load(source, "");
    let options = "baseline: {on_update: trigger}\ntypes: {json: json}\nschema_owner: converge\n";
    let workplace = Workplace::new(&[("shop", &databases, options)]);
    for action in [["generate", "--out", "sql"], ["apply", "--from", "sql"]] {
        workplace
            .run(&[&["baseline"], &action[..]].concat())
            .expect(0);
    }
    let insert = "insert into page (id, title, body, changed) values (1, 'a', '{}', '2000-01-01')";
    databases.mysql().execute(insert).unwrap();
    let mut target = databases.postgres();
    target.batch_execute(insert).unwrap();
    for (update, year) in [
        ("update page set title = 'a'", "2000"),
        (
            "update page set title = 'b', changed = '1999-01-01'",
            "1999",
        ),
    ] {
        databases.mysql().execute(update).unwrap();
        target.batch_execute(update).unwrap();
        let of_target = target
            .query_text("select to_char(changed, 'YYYY') from page")
            .unwrap();
        let of_source = databases
            .mysql()
            .query_text("select year(changed) from page")
            .unwrap();
        assert_eq!(of_target, of_source, "{update}");
        assert_eq!(of_target, [[Some(year.to_owned())]], "{update}");
    }
    let update = "update page set title = 'c'";
    databases.mysql().execute(update).unwrap();
    target.batch_execute(update).unwrap();
    let recent = "case when changed between current_timestamp - interval '1' day
                    and current_timestamp + interval '1' day then 'yes' end";
    let recent = format!("select {recent} from page");
    let yes = [[Some("yes".to_owned())]];
    assert_eq!(databases.mysql().query_text(&recent).unwrap(), yes);
    assert_eq!(target.query_text(&recent).unwrap(), yes);
}

#[test]
fn what_is_translated_computes_and_refuses_as_the_source_does() {
    let databases = Databases::create();
    let source = "create table page (
        id int not null primary key, f1 float null, f2 float null, d double as (f1 + f2) stored,
        code varchar(9) character set utf8mb4 collate utf8mb4_bin null,
        constraint codes check (code in ('a', 'b 😀')));";
    databases.load(source, "");
    let workplace = Workplace::new(&[("shop", &databases, "schema_owner: converge\n")]);
    for action in [["generate", "--out", "sql"], ["apply", "--from", "sql"]] {
        let words = [&["baseline"], &action[..]].concat();
        workplace.run(&words).expect(0);
    }
    let (mut mysql, mut target) = (databases.mysql(), databases.postgres());
    for (insert, is_taken) in [
        (
            "insert into page (id, f1, f2, code) values (1, 16777216, 1, 'a  ')",
            true,
        ),
        (
            "insert into page (id, f1, f2, code) values (2, 0.1, 0.2, 'b 😀')",
            true,
        ),
        ("insert into page (id, code) values (3, 'b 😁')", false),
        ("insert into page (id, code) values (3, ' a')", false),
        ("insert into page (id, code) values (3, 'A')", false),
    ] {
        assert_eq!(mysql.execute(insert).is_ok(), is_taken, "{insert}");
        assert_eq!(target.batch_execute(insert).is_ok(), is_taken, "{insert}");
    }
    let sums = "select case when d = 16777217 then 'yes' else 'no' end from page order by id";
    let expected = [[Some("yes".to_owned())], [Some("no".to_owned())]];
    assert_eq!(mysql.query_text(sums).unwrap(), expected);
    assert_eq!(target.query_text(sums).unwrap(), expected);
}
