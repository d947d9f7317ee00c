//! A target whose table of locks is too small for a load or its rollback.

use crate::own_servers::OwnServers;
use crate::support::Workplace;

/// 10 for each of some 220 sessions.
const LOCKS: &str = "alter system set max_locks_per_transaction = 10";

fn foreign_keys(count: std::ops::Range<usize>) -> String {
    let key = |n| {
        format!(
            "alter table public.child add constraint f{n} foreign key (p) references public.parent;\n"
        )
    };
    count.map(key).collect()
}

#[test]
fn a_load_with_more_foreign_keys_than_locks_is_refused_with_the_setting_that_it_needs() {
    let servers = OwnServers::up("locks");
    let source = "create table parent (id int primary key); \
                  create table child (id int primary key, p int); \
                  insert into parent values (1); insert into child values (1, 1)";
    servers.source().execute_script(source).unwrap();
    let mut target = servers.target();
    let tables = "create table public.parent (id integer primary key); \
                  create table public.child (id integer primary key, p integer)";
    target.batch_execute(tables).unwrap();
    target.batch_execute(&foreign_keys(0..400)).unwrap();
    servers.target_as_superuser().batch_execute(LOCKS).unwrap();
    drop(target);
    servers.kill_target();
    servers.start();
    let (source, url) = (servers.source_url(), servers.target_url());
    let workplace = Workplace::at(&[("shop", source, url, "")]);
    // What the estimate lets pass must go there and back.
    workplace.run(&["doctor"]).expect(0);
    workplace.run(&["migrate"]).expect(0);
    workplace.run(&["rollback"]).expect(0);
    let more = foreign_keys(400..700);
    servers.target().batch_execute(&more).unwrap();
    let before = target::fingerprint(&mut servers.target(), "public").unwrap();
    for command in ["doctor", "migrate"] {
        let outcome = workplace.run(&[command]).expect(3);
        let text = outcome.text();
        assert!(text.contains("2 tables and 700 foreign keys"), "{text}");
        assert!(
            text.contains("alter system set max_locks_per_transaction = "),
            "{text}"
        );
    }
    let after = target::fingerprint(&mut servers.target(), "public").unwrap();
    assert_eq!(before.differences(&after), Vec::<String>::new());
    let doctor = workplace.run(&["doctor"]).expect(3).text();
    let setting = doctor
        .split('`')
        .find(|text| text.starts_with("alter system"))
        .unwrap();
    servers
        .target_as_superuser()
        .batch_execute(setting)
        .unwrap();
    servers.kill_target();
    servers.start();
    workplace.run(&["migrate"]).expect(0);
    workplace.run(&["rollback"]).expect(0);
    let after = target::fingerprint(&mut servers.target(), "public").unwrap();
    assert_eq!(before.differences(&after), Vec::<String>::new());
}
