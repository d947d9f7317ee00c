//! The comparer is tested by changes that it must find, and by those that mean nothing.

use catalog::{
    Check, Deferrable, ForeignKey, Generated, Identity, Key, KeyKind, KeyPart, ObjectKind,
    OtherObject, PostgresType, Sequence, Server, ServerKind, TargetColumn,
};

use super::*;

fn catalog() -> TargetCatalog {
    let text = |name: &str| TargetColumn::new(name, PostgresType::Text);
    let mut table = TargetTable::new("user");
    let mut number = TargetColumn::new("number", PostgresType::Integer);
    number.nullable = false;
    number.identity = Some(Identity::ByDefault);
    number.sequence = Some(Sequence {
        name: "user_number_seq".to_owned(),
        data_type: "integer".to_owned(),
        start: 1,
        increment: 1,
        min: 1,
        max: i64::from(i32::MAX),
        cycle: false,
        owned: true,
    });
    table.columns = vec![text("id"), text("email"), number];
    let parts = vec![KeyPart::column("id")];
    let mut key = Key::new("user_pkey", KeyKind::Primary, parts);
    key.constraint = true;
    table.keys = vec![key];
    let (columns, referenced) = (vec!["email".to_owned()], vec!["id".to_owned()]);
    table.foreign_keys = vec![ForeignKey::new("fk", columns, "user", referenced)];
    table.checks = vec![Check::new("short", "(length(email) < 90)")];
    let server = Server {
        kind: ServerKind::Postgres,
        version: "17.5".to_owned(),
    };
    let mut catalog = TargetCatalog::new(server, "public");
    catalog.tables = vec![table];
    catalog
}

fn lines(live: &TargetCatalog, names: Names) -> Vec<String> {
    let differences = compare(&catalog(), live, names);
    differences.iter().map(ToString::to_string).collect()
}

type Change = fn(&mut TargetTable);

#[test]
fn every_field_that_can_differ_is_looked_at() {
    let changes: [Change; 31] = [
        |t| t.columns[1].nullable = false,
        |t| t.columns[1].data_type = PostgresType::Uuid,
        |t| t.columns[1].domain = Some("d".to_owned()),
        |t| t.columns[1].default = Some("''::text".to_owned()),
        |t| t.columns[1].collation = Some("\"C\"".to_owned()),
        |t| t.columns[1].generated = Some(Generated::stored("id")),
        |t| t.columns[2].identity = Some(Identity::Always),
        |t| t.columns[2].identity = None,
        |t| (t.columns[2].identity, t.columns[2].sequence) = (None, None),
        |t| t.columns[2].sequence.as_mut().unwrap().start = 7,
        |t| t.columns[2].sequence.as_mut().unwrap().increment = 2,
        |t| t.columns[2].sequence.as_mut().unwrap().max = 9,
        |t| t.columns[2].sequence.as_mut().unwrap().cycle = true,
        |t| t.keys[0].kind = KeyKind::Unique,
        |t| t.keys[0].parts.push(KeyPart::column("email")),
        |t| t.keys[0].parts[0].descending = true,
        |t| t.keys[0].parts[0].options = Some("text_pattern_ops".to_owned()),
        |t| t.keys[0].method = Some("hash".to_owned()),
        |t| t.keys[0].include = vec!["email".to_owned()],
        |t| t.keys[0].predicate = Some("(id <> ''::text)".to_owned()),
        |t| t.keys[0].deferrable = Some(Deferrable::InitiallyDeferred),
        |t| t.keys[0].nulls_not_distinct = true,
        |t| t.keys[0].valid = false,
        |t| t.foreign_keys[0].on_delete = "CASCADE".to_owned(),
        |t| t.foreign_keys[0].on_update = "SET NULL".to_owned(),
        |t| t.foreign_keys[0].deferrable = Some(Deferrable::InitiallyImmediate),
        |t| t.foreign_keys[0].validated = false,
        |t| t.foreign_keys[0].enforced = false,
        |t| t.checks[0].enforced = false,
        |t| t.checks[0].validated = false,
        |t| t.partitioning = Some("RANGE (id)".to_owned()),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut live = catalog();
        change(&mut live.tables[0]);
        let lines = lines(&live, Names::Ignored);
        assert_eq!(lines.len(), 1, "change {at}: {lines:?}");
    }
}

#[test]
fn names_count_only_where_they_are_asked_for() {
    let changes: [(Change, &str); 4] = [
        (
            |t| t.keys[0].name = "pk".to_owned(),
            "different: primary key of user (id): is pk, expected user_pkey",
        ),
        (
            |t| t.foreign_keys[0].name = "f".to_owned(),
            "different: foreign key of user (email) to user (id): is f, expected fk",
        ),
        (
            |t| t.checks[0].name = "c".to_owned(),
            "different: check of user ((length(email) < 90)): is c, expected short",
        ),
        (
            |t| t.columns[2].sequence.as_mut().unwrap().name = "s".to_owned(),
            "different: sequence of user.number: is s, expected user_number_seq",
        ),
    ];
    for (change, line) in changes {
        let mut live = catalog();
        change(&mut live.tables[0]);
        assert_eq!(lines(&live, Names::Ignored), Vec::<String>::new());
        assert_eq!(lines(&live, Names::Compared), [line]);
    }
}

#[test]
fn what_means_nothing_is_no_difference() {
    let changes: [Change; 5] = [
        |t| t.columns.swap(0, 1),
        |t| t.comment = Some("x".to_owned()),
        |t| t.columns[0].comment = Some("x".to_owned()),
        |t| t.keys[0].comment = Some("x".to_owned()),
        |t| t.auto_increment = Some(9),
    ];
    for change in changes {
        let mut live = catalog();
        live.server.version = "17.6".to_owned();
        change(&mut live.tables[0]);
        assert_eq!(lines(&live, Names::Compared), Vec::<String>::new());
    }
}

#[test]
fn a_key_that_is_there_twice_is_there_once_too_often() {
    let mut live = catalog();
    let mut twin = live.tables[0].keys[0].clone();
    twin.name = "twin".to_owned();
    twin.kind = KeyKind::Index;
    twin.constraint = false;
    live.tables[0].keys.extend([twin.clone(), twin]);
    live.tables[0].keys[2].name = "triplet".to_owned();
    assert_eq!(
        lines(&live, Names::Ignored),
        ["only in target: index of user (id)"; 2]
    );
}

#[test]
fn triggers_and_functions_of_the_baseline_must_be_there_and_others_may() {
    let other = |kind, name: &str, definition: &str| OtherObject {
        kind,
        table: (kind == ObjectKind::Trigger).then(|| "user".to_owned()),
        name: name.to_owned(),
        definition: Some(definition.to_owned()),
    };
    let mut expected = catalog();
    expected.others = vec![
        other(ObjectKind::Trigger, "t", "CREATE TRIGGER t"),
        other(ObjectKind::Function, "f()", "CREATE FUNCTION f()"),
    ];
    let mut live = catalog();
    live.others = vec![
        other(ObjectKind::Trigger, "t", "CREATE TRIGGER t ON something"),
        other(ObjectKind::Trigger, "theirs", "CREATE TRIGGER theirs"),
    ];
    let differences = compare(&expected, &live, Names::Ignored);
    let lines: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "missing in target: function f()",
            "different: trigger t of user: is another definition, expected as the baseline makes it"
        ]
    );
    assert_eq!(
        differences[1].mend,
        ["drop trigger \"t\" on \"user\"", "CREATE TRIGGER t"]
    );
    assert_eq!(compare(&live, &expected, Names::Ignored).len(), 2);
}

#[test]
fn a_statement_stands_on_one_line_unless_a_body_does_not() {
    let mut difference = Difference::missing_extension("a\"b");
    assert_eq!(
        difference.mend_line().unwrap(),
        "create extension if not exists \"a\"\"b\";"
    );
    difference.mend = vec![
        "create table \"a\" (\n    \"b\" text\n)".to_owned(),
        "comment on table \"a\" is 'x  y'".to_owned(),
    ];
    assert_eq!(
        difference.mend_line().unwrap(),
        "create table \"a\" (\"b\" text); comment on table \"a\" is 'x  y';"
    );
    difference.mend = vec!["comment on table \"a\r\" is 'x\ny'".to_owned()];
    assert_eq!(
        difference.mend_line().unwrap(),
        r#"comment on table U&"a\+00000D" is U&'x\+00000Ay';"#
    );
    difference.mend = vec!["create function f() as $$\nselect 1\n$$".to_owned()];
    assert_eq!(difference.mend_line(), None);
}
