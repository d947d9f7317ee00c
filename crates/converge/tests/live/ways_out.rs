//! What findings offer is done as it stands, and the next command accepts it.

use serde_json::Value;

use testing::Databases;

use crate::check::applied;
use crate::support::Workplace;

/// The findings of an assessment that ends with that code.
fn findings(workplace: &Workplace, code: i32) -> Vec<Value> {
    let found = workplace.run(&["assess", "--output", "json"]).expect(code);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    found["findings"].as_array().unwrap().clone()
}

#[test]
fn a_unique_index_on_a_beginning_is_judged_after_the_rules() {
    let source = "create table p (k varchar(50) collate utf8mb4_bin not null, \
                    v varchar(9), primary key (k(4))); \
                  insert into p values ('ABcdX', 'x'), ('abcdY', 'y'), ('other', 'z');";
    let options = "schema_owner: converge\n\
                   rules: [{column: p.k, when: any, then: lower}]";
    let (_databases, workplace) = applied(source, options);
    let found = findings(&workplace, 3);
    let duplicate = found.iter().find(|finding| finding["kind"] == "duplicate");
    let duplicate = duplicate.unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(duplicate["rows"], 1, "{duplicate}");
    assert_eq!(
        duplicate["rule"],
        Value::Null,
        "no rule is for such an index: {duplicate}"
    );
    workplace.run(&["migrate"]).expect(3);
}

#[test]
fn keys_under_a_nondeterministic_collation_are_left_to_the_target() {
    let databases = Databases::create();
    databases.load(
        "create table parent (code varchar(20) collate utf8mb4_general_ci primary key); \
         create table child (id int primary key, code varchar(20) collate utf8mb4_general_ci, \
            constraint of_parent foreign key (code) references parent (code)); \
         insert into parent values ('Abc'); insert into child values (1, 'aBC'), (2, 'Abc');",
        "create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
         create table parent (code text collate ci primary key); \
         create table child (id integer primary key, code text collate ci, \
            constraint of_parent foreign key (code) references parent (code));",
    );
    let workplace = Workplace::new(&[("one", &databases, "")]);
    let found = findings(&workplace, 0);
    let of_kind = |kind: &str| {
        let of_kind = found.iter().filter(|finding| finding["kind"] == kind);
        let names = of_kind.map(|finding| finding["constraint"].as_str().unwrap_or("-"));
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        of_kind("key_not_judged"),
        ["of_parent", "parent_pkey"],
        "{found:?}"
    );
    assert_eq!(of_kind("orphan"), Vec::<&str>::new(), "{found:?}");
    assert_eq!(of_kind("case_folding"), Vec::<&str>::new(), "{found:?}");
    workplace.run(&["migrate"]).expect(0);
}
