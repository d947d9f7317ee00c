//! Functions, operators and types that another role of the target puts where they would be taken
//! for PostgreSQL's own: none of them is ever run.

use testing::Databases;

use crate::apply::{APPLY, one, write};
use crate::support::{Role, Workplace};

/// What a baseline has functions and operators for.
const SOURCE: &str = "create table item (
      id bigint unsigned auto_increment primary key,
      name varchar(100) character set utf8mb4 collate utf8mb4_bin not null,
      email varchar(100) not null,
      token char(36) default (uuid()),
      body varbinary(40) not null,
      kind enum('a','b') not null default 'a',
      marks set('x','y') not null default 'x',
      length int not null,
      label varchar(210) generated always as (concat(name, '-', name)) stored,
      made datetime(6) default current_timestamp(6),
      changed datetime(6) default current_timestamp(6) on update current_timestamp(6),
      key item_name (name(10)), key item_body (body(4)),
      constraint c1 check (name <> 'x' and name not in ('y', 'z')),
      constraint c2 check (kind in ('a', 'b')),
      constraint c3 check (char_length(name) between 1 and 90),
      constraint c4 check (length + 1 > 0));
    insert into item (name, email, body, length) values ('Ann', 'ann@x', 'abcdef', 1),
      ('Bob', 'bob@x', 'ghijkl', 2);";
const LINES: &str = "schema_owner: converge
target_schema: shop
checks: questions
baseline: {on_update: trigger}
types: {item.email: citext, item.kind: enum, item.token: varchar}
";
/// The role whose rights a trap has used, and which one it was.
const CALLS: &str =
    "select coalesce(string_agg(what || ' as ' || who, ', ' order by what), '') from traps.calls";

/// A database in which another role may make things beside the extension `citext`.
struct Trapped {
    databases: Databases,
    /// Dropped behind the database.
    mallory: Role,
    workplace: Workplace,
}

impl Trapped {
    fn new() -> Self {
        let databases = Databases::create();
        let mallory = Role::new(&databases, "mallory", "login password 'p'");
        let name = mallory.name();
        databases.load(
            SOURCE,
            &format!(
                "create schema shop; create extension citext schema public;
                 grant create, usage on schema public to {name};
                 create schema traps authorization {name}"
            ),
        );
        let workplace = Workplace::new(&[("shop", &databases, LINES)]);
        std::fs::create_dir(workplace.path().join("questions")).unwrap();
        workplace.write(
            "questions/items.sql",
            "-- as many items\nselect count(*) from item;\n",
        );
        let trapped = Self {
            databases,
            mallory,
            workplace,
        };
        trapped.as_mallory(
            "create table traps.calls (what text, who text);
             grant usage on schema traps to public; grant insert, select on traps.calls to public;
             create function traps.note(text) returns void language sql as
               'insert into traps.calls values ($1, current_user)'",
        );
        trapped
    }

    fn as_mallory(&self, sql: &str) {
        let endpoint = target::Endpoint::parse(&self.mallory.url(&self.databases)).unwrap();
        let mut connection = target::Connection::open(&endpoint).unwrap();
        connection.batch_execute(sql).unwrap();
    }

    /// A function that notes its call; what is declared immutable may still call another one.
    fn trap(&self, signature: &str, returns: &str, value: &str) {
        let name = signature.split('(').next().unwrap();
        self.as_mallory(&format!(
            "create function {signature} returns {returns} immutable language plpgsql as \
             $$begin perform traps.note('{name}'); return {value}; end$$"
        ));
    }

    /// Everything that what is generated, or a session that works with it, might stumble over.
    fn set_traps(&self) {
        for (signature, returns, value) in [
            ("public.left(character varying, integer)", "text", "''"),
            ("public.lower(character varying)", "text", "''"),
            ("public.rtrim(character varying, text)", "text", "''"),
            ("public.char_length(character varying)", "integer", "5"),
            ("public.substr(bytea, bigint, bigint)", "bytea", "'\\x'"),
            ("public.now()", "timestamptz", "'epoch'"),
            ("public.gen_random_uuid()", "uuid", "null"),
            ("public.nextval(text)", "bigint", "7"),
            ("public.count(character varying)", "bigint", "7"),
            (
                "public.eq(character varying, character varying)",
                "boolean",
                "true",
            ),
            (
                "public.ne(character varying, character varying)",
                "boolean",
                "true",
            ),
            (
                "public.cat(character varying, character varying)",
                "text",
                "''",
            ),
            ("public.sum(integer, integer)", "integer", "1"),
            (
                "public.member(text[], character varying[])",
                "boolean",
                "true",
            ),
        ] {
            self.trap(signature, returns, value);
        }
        self.as_mallory(
            "set search_path = '';
             create operator public.= (function = public.eq, leftarg = varchar, rightarg = varchar);
             create operator public.<> (function = public.ne, leftarg = varchar, rightarg = varchar);
             create operator public.|| (function = public.cat, leftarg = varchar, rightarg = varchar);
             create operator public.+ (function = public.sum, leftarg = integer, rightarg = integer);
             create operator public.<@ (function = public.member, leftarg = text[],
                                        rightarg = varchar[]);
             create domain public.text as pg_catalog.int4 check (value < 0);
             create domain public.varchar as pg_catalog.int4 check (value < 0)",
        );
    }

    /// Traps for the types that a baseline has made.
    fn set_traps_for_types(&self) {
        let name = self.mallory.name();
        let grant = format!("grant usage, create on schema shop to {name}");
        self.databases.postgres().batch_execute(&grant).unwrap();
        let kind = "shop.\"item_kind_enum\"";
        self.trap(&format!("shop.same({kind}, {kind})"), "boolean", "true");
        self.trap("shop.rows(shop.item, shop.item)", "boolean", "true");
        self.trap("shop.moments(timestamp, timestamp)", "boolean", "false");
        self.as_mallory(&format!(
            "create operator shop.= (function = shop.same, leftarg = {kind}, rightarg = {kind});
             create operator shop.*<> (function = shop.rows, leftarg = shop.item, rightarg = shop.item)"
        ));
    }

    fn calls(&self) -> String {
        one(&mut self.databases.postgres(), CALLS)
    }
}

/// The session of somebody who changes rows, with the usual path.
fn in_shop(databases: &Databases, sql: &str) {
    let mut session = databases.postgres();
    session
        .batch_execute("set search_path = shop, public")
        .unwrap();
    session.batch_execute(sql).unwrap();
}

#[test]
fn a_generated_baseline_calls_nothing_of_others() {
    let trapped = Trapped::new();
    trapped.set_traps();
    let (databases, workplace) = (&trapped.databases, &trapped.workplace);
    in_shop(
        databases,
        "select left('a'::varchar, 1), 'a'::varchar = 'a'::varchar, nextval('x')",
    );
    let calls = trapped.calls();
    assert_eq!(calls.matches(" as test_owner").count(), 3, "{calls}");
    databases
        .postgres()
        .batch_execute("delete from traps.calls")
        .unwrap();

    workplace
        .run(&["baseline", "generate", "--out", "sql"])
        .expect(0);
    workplace.run(&APPLY).expect(0);
    workplace.run(&["baseline", "check"]).expect(0);
    let from = ["baseline", "check", "--from", "sql", "--names"];
    workplace.run(&from).expect(0);
    trapped.set_traps_for_types();
    workplace.run(&["baseline", "check"]).expect(0);
    workplace.run(&["migrate"]).expect(0);
    workplace.run(&["verify"]).expect(0);
    let of_catalog = ["baseline", "check", "--catalog"];
    let run = workplace.run_directory().display().to_string();
    let checked = workplace.run(&[&of_catalog[..], &[run.as_str()]].concat());
    assert!([0, 3].contains(&checked.code), "{}", checked.text());
    in_shop(
        databases,
        "update item set length = 3 where id = 1;
         insert into item (name, email, body, length) values ('Cid', 'cid@x', 'x', 1)",
    );
    assert_eq!(trapped.calls(), "");
    let mut target = databases.postgres();
    let changed = "select (changed > made)::text || (select count(*) from shop.item \
                    where token is not null) from shop.item where id = 1";
    assert_eq!(one(&mut target, changed), "true3", "the trigger works");
    let borrowed = target.borrowed("shop").unwrap();
    assert_eq!(borrowed, [], "nothing that was made uses what is another's");
}

#[test]
fn statements_that_could_call_what_is_anothers_are_refused() {
    let trapped = Trapped::new();
    trapped.set_traps();
    let workplace = &trapped.workplace;
    let table = "create table item (name varchar(100) not null, email citext);\n";
    for (post_data, role_has) in [
        ("create index a on item (left(name, 10));", "left"),
        (
            "insert into item values (\"lower\"('A'::varchar));",
            "lower",
        ),
        ("alter table item add check (name = 'a');", "operator"),
        (
            "alter table item add check (name in ('a', 'b'));",
            "operator",
        ),
        ("do $$begin perform nextval('a'); end$$;", "nextval"),
        (
            "create index a on item (public.left(name, 10));",
            "index shop.a would use function public.\"left\"",
        ),
    ] {
        write(workplace, table, post_data);
        let refused = workplace.run(&APPLY).expect(3);
        for part in [role_has, trapped.mallory.name(), "nothing was changed"] {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.text());
        }
    }
    let empty = "select count(*)::text from pg_catalog.pg_class c \
                  where c.relnamespace = 'shop'::pg_catalog.regnamespace";
    assert_eq!(one(&mut trapped.databases.postgres(), empty), "0");
    write(
        workplace,
        table,
        "create index a on item (pg_catalog.left(name, 10));\n\
         alter table item add check (name operator(pg_catalog.<>) 'lower(');",
    );
    workplace.run(&APPLY).expect(0);
    assert_eq!(trapped.calls(), "");
}

#[test]
fn a_check_names_what_uses_the_code_of_another_role() {
    let trapped = Trapped::new();
    let (databases, workplace) = (&trapped.databases, &trapped.workplace);
    workplace
        .run(&["baseline", "generate", "--out", "sql"])
        .expect(0);
    workplace.run(&APPLY).expect(0);
    trapped.set_traps();
    in_shop(
        databases,
        "drop index item_name; create index item_name on item (left(name, 10));
         alter table item alter column token set default lower('A'::varchar)",
    );
    let found = workplace.run(&["baseline", "check"]).expect(5);
    let role = trapped.mallory.name();
    for part in [
        &format!(
            "index shop.item_name uses function public.\"left\"(character varying,integer), \
             which belongs to role {role}"
        ),
        "default value for column token of table shop.item uses function public.lower",
    ] {
        assert!(found.stdout.contains(part), "{part}: {}", found.text());
    }
    assert!(!found.stdout.contains("c1"), "{}", found.text());
}

#[test]
fn questions_do_not_run_what_another_role_has_put_into_the_schema() {
    let trapped = Trapped::new();
    let workplace = &trapped.workplace;
    workplace
        .run(&["baseline", "generate", "--out", "sql"])
        .expect(0);
    workplace.run(&APPLY).expect(0);
    workplace.run(&["migrate"]).expect(0);
    let role = trapped.mallory.name();
    let grant = format!("grant usage, create on schema shop to {role}");
    let mut owner = trapped.databases.postgres();
    owner.batch_execute(&grant).unwrap();
    trapped.trap("shop.lower(character varying)", "text", "''");
    workplace.run(&["verify"]).expect(0);
    workplace.write(
        "questions/items.sql",
        "-- names\nselect lower(name) from item order by 1;\n",
    );
    let refused = workplace.run(&["verify"]).expect(3);
    for part in ["function shop.lower(character varying)", role] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.text());
    }
    assert_eq!(trapped.calls(), "");
}

#[test]
fn why_rows_were_left_out_is_asked_with_operators_of_nobody_else() {
    let trapped = Trapped::new();
    let databases = &trapped.databases;
    databases.load(
        "create table code (id int primary key, mail varchar(20) character set utf8mb4 collate \
           utf8mb4_bin, name varchar(20) character set utf8mb4 collate utf8mb4_bin);
         insert into code values (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'x')",
        "create table code (id integer primary key, mail varchar(20),
           name varchar(20), constraint one_name unique (name))",
    );
    trapped.set_traps();
    let rule = "include_tables: [code]\nrules:\n  - {constraint: code.one_name, when: duplicate, \
                then: skip_to_file}\n";
    let workplace = Workplace::new(&[("shop", databases, rule)]);
    workplace.run(&["migrate"]).expect(0);
    workplace.run(&["verify"]).expect(0);
    assert_eq!(trapped.calls(), "");
    // With a column of the extension's type, its operators are needed, and none of another role.
    let mut owner = databases.postgres();
    owner
        .batch_execute("alter table code alter column mail type public.citext")
        .unwrap();
    let refused = workplace.run(&["verify"]).expect(3);
    for part in ["operator public.=", trapped.mallory.name()] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.text());
    }
    assert_eq!(trapped.calls(), "");
}

#[test]
fn an_extension_of_another_role_is_not_taken_for_postgresqls_own() {
    let databases = Databases::create();
    let mallory = Role::new(&databases, "mallory", "login password 'p'");
    let (database, name) = (databases.name(), mallory.name());
    databases.load(
        "create table item (id int primary key)",
        &format!(
            "create schema shop; create schema theirs authorization {name};
             grant usage on schema theirs to public; grant create on database {database} to {name}"
        ),
    );
    let endpoint = target::Endpoint::parse(&mallory.url(&databases)).unwrap();
    let mut session = target::Connection::open(&endpoint).unwrap();
    // It is trusted, so that whoever may create in the database may create it, and drop it again.
    session
        .batch_execute("create extension citext schema theirs")
        .unwrap();
    let lines = "schema_owner: converge\ntarget_schema: shop\n";
    let workplace = Workplace::new(&[("shop", &databases, lines)]);
    write(
        &workplace,
        "create extension if not exists citext;\n\
         create table item (id int primary key, email citext);\n",
        "",
    );
    let refused = workplace.run(&APPLY).expect(3).text();
    assert!(refused.contains(name), "{refused}");
    assert!(refused.contains("nothing was changed"), "{refused}");
    databases
        .postgres()
        .batch_execute(&format!("drop owned by {name} cascade"))
        .unwrap();
}
