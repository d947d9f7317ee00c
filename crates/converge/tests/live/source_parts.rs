//! Parts of a source's schema that one family alone has: a baseline names them, and says what
//! takes their place.

use std::fs;

use catalog::ServerKind;

use crate::check::{OPTIONS, applied, check};
use crate::own_servers::OwnServers;
use crate::servers::ServerSetting;
use crate::support::Workplace;

fn head(workplace: &Workplace) -> String {
    let sql = fs::read_to_string(workplace.path().join("sql/shop/pre_data.sql")).unwrap();
    sql.lines()
        .take_while(|line| line.starts_with("--"))
        .collect::<Vec<_>>()
        .join("\n")
}

const PERIODS: &str = "\
    create table booking (room int, come date not null, `leave` date not null, \
      period for stay (come, `leave`), unique by_room (room, stay without overlaps)); \
    create table shift (person int, starts datetime not null, ends datetime not null, \
      period for work (starts, ends), primary key (person, work without overlaps)); \
    insert into booking values (1, '2024-01-01', '2024-01-03'), (1, '2024-01-03', '2024-01-04');";
const NO_PERIODS: &str = "create table place (id int primary key, \
      at point not null srid 4326, d json, key xs ((cast(d->'$.x' as unsigned array))));";

#[test]
fn what_the_source_alone_knows_is_named() {
    let databases = testing::Databases::create();
    let kind = databases.mysql().server().kind;
    drop(databases);
    if kind != ServerKind::Mariadb {
        let options = format!("{OPTIONS}\ntypes: {{place.at: bytea}}");
        let (_databases, workplace) = applied(NO_PERIODS, &options);
        let head = head(&workplace);
        assert!(
            head.contains("table `place`, column `at`: srid 4326"),
            "{head}"
        );
        assert!(head.contains("`xs` of `place`"), "{head}");
        let assessed = workplace.run(&["assess"]).expect(0);
        let named = "shop.place.column `at`: srid 4326";
        assert!(assessed.stdout.contains(named), "{}", assessed.text());
        return;
    }
    let (databases, workplace) = applied(PERIODS, OPTIONS);
    let head = head(&workplace);
    for named in [
        "table `booking`, period for `stay` (`come`, `leave`)",
        "table `shift`, period for `work` (`starts`, `ends`)",
        "`by_room` of `booking` (room, leave, come)",
        "`PRIMARY` of `shift` (person, ends, starts)",
    ] {
        assert!(head.contains(named), "{named}\n{head}");
    }
    let assessed = workplace.run(&["assess"]).expect(0);
    for named in [
        "shop.booking.period for `stay`",
        "key `by_room` without overlaps",
    ] {
        assert!(assessed.stdout.contains(named), "{}", assessed.text());
    }
    let mut target = databases.postgres();
    let keys = "select count(*)::text from pg_index where indrelid = 'booking'::regclass";
    assert_eq!(target.query_text(keys).unwrap(), [[Some("0".to_owned())]]);
    check(&workplace, &[]).expect(0);
    let proposals = head.split("are refused by `").skip(1);
    let proposals: Vec<&str> = proposals
        .filter_map(|text| text.split('`').next())
        .collect();
    assert_eq!(proposals.len(), 2, "{head}");
    for proposal in proposals {
        let proposal = proposal.replace("create extension", "create extension if not exists");
        target.batch_execute(&proposal).unwrap();
    }
    workplace.run(&["migrate"]).expect(0);
    let overlap = "insert into booking values (1, '2024-01-02', '2024-01-05')";
    let refused = target.batch_execute(overlap).unwrap_err();
    assert_eq!(refused.sqlstate(), Some("23P01"), "{refused}");
    // What the operator made of the proposal is recognised as the source's own.
    let found = workplace.run(&["baseline", "check"]).expect(5);
    let of_source = "in the source, not translated: exclusion constraint of";
    assert_eq!(
        found.stdout.matches(of_source).count(),
        2,
        "{}",
        found.text()
    );
    assert!(found.stdout.contains("2 differences"), "{}", found.text());
}

#[test]
fn a_key_that_the_server_made_and_hides_is_moved() {
    let databases = testing::Databases::create();
    let is_mysql = databases.mysql().server().kind == ServerKind::Mysql;
    let mut script = "create table t (a int); insert into t values (7), (7), (null);".to_owned();
    if is_mysql {
        script.insert_str(0, "set sql_generate_invisible_primary_key = on; ");
    }
    databases.load(&script, "");
    let hidden = "show_gipk_in_create_table_and_information_schema";
    let set = if is_mysql {
        format!("set global {hidden} = off")
    } else {
        "select 1".to_owned()
    };
    let undo = match is_mysql {
        true => "set global show_gipk_in_create_table_and_information_schema = default",
        false => "select 1",
    };
    let _set = ServerSetting::new(&databases, &set, undo);
    let workplace = Workplace::new(&[("shop", &databases, OPTIONS)]);
    for action in [["generate", "--out"], ["apply", "--from"]] {
        workplace
            .run(&["baseline", action[0], action[1], "sql"])
            .expect(0);
    }
    workplace.run(&["migrate"]).expect(0);
    let keys = "select coalesce(string_agg(attname, ',' order by attnum), '') from pg_index \
                join pg_attribute on attrelid = indrelid and attnum = any (indkey) \
                where indrelid = 't'::regclass";
    let keys = databases.postgres().query_text(keys).unwrap();
    let expected = if is_mysql { "my_row_id" } else { "" };
    assert_eq!(keys, [[Some(expected.to_owned())]]);
    let rows = "select count(*)::text from t";
    assert_eq!(
        databases.postgres().query_text(rows).unwrap(),
        [[Some("3".to_owned())]]
    );
}

#[test]
fn a_target_without_the_first_label_as_a_default_is_named() {
    let source = "create table t (id int primary key, g enum('M','F') not null);";
    let (databases, workplace) = applied(source, OPTIONS);
    let mut target = databases.postgres();
    target
        .batch_execute("insert into t (id) values (1)")
        .unwrap();
    databases
        .mysql()
        .execute("insert into t (id) values (1)")
        .unwrap();
    let of_source = databases.mysql().query_text("select g from t").unwrap();
    assert_eq!(
        target.query_text("select g::text from t").unwrap(),
        of_source
    );
    target
        .batch_execute("alter table t alter g drop default")
        .unwrap();
    let found = workplace.run(&["baseline", "check"]).expect(5);
    assert!(found.stdout.contains("default"), "{}", found.text());
    assert!(found.stdout.contains("t.g"), "{}", found.text());
}

#[test]
fn a_null_that_becomes_the_present_time_is_named() {
    let servers = OwnServers::up("timestamps");
    let off = "set global explicit_defaults_for_timestamp = off";
    servers.source().execute(off).unwrap();
    let mut source = servers.source();
    let table = "create table t (id int primary key, made timestamp not null default '2020-01-01', \
                 later timestamp null)";
    source.execute(table).unwrap();
    source
        .execute("insert into t values (1, null, null)")
        .unwrap();
    let place = (servers.source_url(), servers.target_url());
    let workplace = Workplace::at(&[("shop", place.0, place.1, OPTIONS)]);
    workplace
        .run(&["baseline", "generate", "--out", "sql"])
        .expect(0);
    let head = head(&workplace);
    let named = "table `t`, column `made`: a NULL that is written becomes the present time";
    assert!(head.contains(named) && !head.contains("`later`"), "{head}");
}
