//! Tables and columns that are called like types, functions and catalogs of PostgreSQL: nothing
//! of ours is looked up where they are.

use crate::check::applied;

/// Types of the server and of its catalog, and what our own statements call.
const NAMES: [&str; 21] = [
    "text",
    "_text",
    "int4",
    "int8",
    "bool",
    "bytea",
    "json",
    "jsonb",
    "name",
    "numeric",
    "oid",
    "record",
    "regclass",
    "regtype",
    "tid",
    "timestamptz",
    "unnest",
    "uuid",
    "xid8",
    "array_agg",
    "current_setting",
];

#[test]
fn tables_and_columns_may_be_called_like_types_and_functions() {
    let table = |name: &&str| {
        format!(
            "create table `{name}` (id int auto_increment primary key, `{name}` varchar(20) \
               default 'x', `count` int default 1, `current_user` text, flag tinyint(1) default 1, \
               marks set('a','b') default 'a', price decimal(8,2) default 1.5, doc json, \
               kind enum('k','l') not null default 'l', made timestamp default current_timestamp, \
               check (`count` > 0), unique key (`{name}`)); \
             insert into `{name}` (`{name}`, `current_user`, doc) values ('a', 'b', '{{}}'); "
        )
    };
    let source: String = NAMES.iter().map(table).collect();
    let (databases, workplace) = applied(&source, "schema_owner: converge");
    for command in [
        &["baseline", "check"][..],
        &["baseline", "check", "--from", "sql", "--names"],
        &["assess"],
        &["migrate"],
        &["verify"],
        &["status"],
        &["rollback"],
    ] {
        workplace.run(command).expect(0);
    }
    let left = "select count(*)::pg_catalog.text from public.text";
    let left = databases.postgres().query_text(left).unwrap();
    assert_eq!(left, [[Some("0".to_owned())]]);
}
