//! Tests of the configuration: what is accepted, and what a mistake is answered with.

use baseline::OnUpdate;

use super::*;

const MINIMAL: &str = "
version: 1
environment: scratch
databases:
  one:
    source: mysql://u:secret@h/d
    target: postgres://u:secret@h/d
";

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("")).map_err(|problem| {
        let failure = problem.into_failure(Path::new("f.yml"));
        match failure.next_step() {
            Some(hint) => format!("{failure} (hint: {hint})"),
            None => failure.to_string(),
        }
    })
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let config = parse(MINIMAL).unwrap();
    let database = &config.databases[0];
    assert_eq!(config.environment, Environment::Scratch);
    assert_eq!(database.target_schema, "public");
    assert_eq!(database.schema_owner, SchemaOwner::External);
    assert_eq!(database.ledger, "converge");
    assert!(!database.target_rows.replace("any"));
}

#[test]
fn rules_and_row_policies_are_read() {
    let text = format!(
        "{MINIMAL}    target_rows: {{default: refuse, networks: replace}}
    types: {{\"tinyint(1)\": smallint, \"char(36)\": uuid, datetime: timestamptz, event.kind: text, settings.flags: \"text[]\"}}
    baseline: {{on_update: trigger, index_foreign_keys: true}}
    rules:
      - {{column: \"*.*\", when: empty_uuid, then: null}}
      - {{column: t.c, when: not_boolean, then: true}}
      - {{column: t.id, when: empty_uuid, then: error}}
      - {{constraint: t.fk, when: orphan, then: error}}
"
    );
    let config = parse(&text).unwrap();
    let database = &config.databases[0];
    assert!(database.target_rows.replace("networks"));
    let columns: Vec<_> = database.types.columns().collect();
    assert_eq!(columns, [("event", "kind"), ("settings", "flags")]);
    assert_eq!(database.baseline.on_update, OnUpdate::Trigger);
    assert!(database.baseline.index_foreign_keys);
    let rules: Vec<String> = database.rules.iter().map(ToString::to_string).collect();
    assert_eq!(rules, ["*.* empty_uuid -> null", "t.c not_boolean -> true"]);
    let empty_uuid = |column: &str| {
        let rules = database.rules.for_column("t", column);
        rules.get(catalog::Condition::EmptyUuid).is_some()
    };
    assert!(empty_uuid("other") && !empty_uuid("id"));
    assert!(database.constraint_rules.is_empty());
}

#[test]
fn mistakes_are_named_with_what_was_meant() {
    let with = |line: &str| parse(&format!("{MINIMAL}    {line}\n")).unwrap_err();
    for (message, expected) in [
        (
            with("exclude_table: [a]"),
            "f.yml: `databases.one.exclude_table`: is not a known key (hint: did you mean `exclude_tables`?)",
        ),
        (
            with("schema_owner: me"),
            "f.yml: `databases.one.schema_owner`: `me` is none of: external, typeorm, kratos, converge",
        ),
        (
            with("rules: [{column: a, when: any, then: lower}]"),
            "f.yml: `databases.one.rules[0].column`: `a` is not `table.column` (either may be `*`)",
        ),
        (
            with("rules: [{column: a.b, when: too_long, then: null}]"),
            "f.yml: `databases.one.rules[0].then`: condition `too_long` has no outcome `null`; it has: truncate",
        ),
        (
            with(
                "rules: [{column: a.b, when: any, then: lower}, {column: a.b, when: any, then: trim}]",
            ),
            "f.yml: `databases.one.rules`: rules `a.b any -> lower` and `a.b any -> trim` hold for the same columns",
        ),
        (
            with("rules: [{constraint: a.*, when: orphan, then: null}]"),
            "f.yml: `databases.one.rules[0].constraint`: `a.*` is not `table.constraint`, each by its name",
        ),
        (
            with("rules: [{constraint: a.b, when: orphaned, then: null}]"),
            "f.yml: `databases.one.rules[0].when`: `orphaned` is none of: orphan, duplicate (hint: did you mean `orphan`?)",
        ),
        (
            with("rules: [{constraint: a.b, when: duplicate, then: null}]"),
            "f.yml: `databases.one.rules[0].then`: condition `duplicate` has no outcome `null`; it has: skip_to_file",
        ),
        (
            with(
                "rules: [{constraint: a.b, when: orphan, then: null}, {constraint: a.b, when: orphan, then: skip_to_file}]",
            ),
            "f.yml: `databases.one.rules[1]`: rules `a.b orphan -> null` and `a.b orphan -> skip_to_file` hold for the same rows",
        ),
        (
            with("types: {datetme: timestamptz}"),
            "f.yml: `databases.one.types.datetme`: is neither a type of MySQL nor `table.column` (hint: did you mean `datetime`?)",
        ),
        (
            with("types: {datetime: timestampz}"),
            "f.yml: `databases.one.types.datetime`: cannot be `timestampz` (hint: did you mean `timestamptz`?)",
        ),
        (
            with("types: {\"tinyint(1)\": json}"),
            "f.yml: `databases.one.types.tinyint(1)`: cannot be `json` (hint: it can be: boolean, smallint, integer)",
        ),
        (
            with("types: {event.kind: 1}"),
            "f.yml: `databases.one.types.event.kind`: cannot be `1` (hint: docs/type-mapping.md has the types and what can be chosen)",
        ),
        (
            with("types: {money: text}"),
            "f.yml: `databases.one.types.money`: is neither a type of MySQL nor `table.column` (hint: docs/type-mapping.md has the types and what can be chosen)",
        ),
        (
            with("baseline: {index_foreign_keys: maybe}"),
            "f.yml: `databases.one.baseline.index_foreign_keys`: `maybe` is none of: true, false",
        ),
        (
            with("baseline: {on_updates: trigger}"),
            "f.yml: `databases.one.baseline.on_updates`: is not a known key (hint: did you mean `on_update`?)",
        ),
        (
            parse("version: 2").unwrap_err(),
            "f.yml: `version`: `2` is none of: 1",
        ),
        (
            parse(&MINIMAL.replace("scratch", "prodction")).unwrap_err(),
            "f.yml: `environment`: `prodction` is none of: scratch, staging, production (hint: did you mean `production`?)",
        ),
        (
            with("target_rows: truncate"),
            "f.yml: `databases.one.target_rows`: `truncate` is no mapping of tables to refuse or replace (hint: write `{default: refuse}` or `{default: replace}`)",
        ),
        (
            with("target_rows: {default: truncate}"),
            "f.yml: `databases.one.target_rows.default`: `truncate` is none of: refuse, replace",
        ),
        (
            with("baseline: {on_update: triger}"),
            "f.yml: `databases.one.baseline.on_update`: `triger` is none of: ignore, trigger (hint: did you mean `trigger`?)",
        ),
        (
            with("rules: [{column: a.b, when: to_long, then: truncate}]"),
            "f.yml: `databases.one.rules[0].when`: `to_long` is none of: any, empty_uuid, invalid_uuid, zero_date, invalid_date, time_range, nul_byte, json_nul, not_boolean, enum_unknown, too_long, precision_lost, out_of_range, invalid_json, null_in_not_null (hint: did you mean `too_long`?)",
        ),
        (
            with(
                "rules: [{column: '*.*', when: empty_uuid, then: error}, {column: '*.*', when: empty_uuid, then: null}]",
            ),
            "f.yml: `databases.one.rules`: rules `*.* empty_uuid -> null` and `*.* empty_uuid -> error` hold for the same columns",
        ),
        (
            parse("version: 1\nenviroment: scratch").unwrap_err(),
            "f.yml: `environment`: is missing (hint: there is `enviroment`; did you mean `environment`?)",
        ),
        (
            parse(&MINIMAL.replace("secret@h/d\n", "secret@h\n")).unwrap_err(),
            "f.yml: `databases.one.source`: the URL names no database",
        ),
    ] {
        assert_eq!(message, expected);
    }
}

#[test]
fn a_key_twice_is_refused_and_nothing_of_the_file_is_shown() {
    let text = format!("{MINIMAL}    source: mysql://u:secret@h/e\n");
    let message = parse(&text).unwrap_err();
    assert!(message.contains("uplicate"), "{message}");
    assert!(!message.contains("secret"), "{message}");
    let broken = MINIMAL.replace("source: ", "source: \"");
    let message = parse(&broken).unwrap_err();
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn two_databases_do_not_share_a_target() {
    let second = "  two:\n    source: mysql://u@h/e\n    target: postgres://v@h/d\n";
    let message = parse(&format!("{MINIMAL}{second}")).unwrap_err();
    assert!(
        message.contains("has the same target as `one`"),
        "{message}"
    );
    let apart = "    target_schema: two\n    ledger_schema: converge_two\n";
    assert!(parse(&format!("{MINIMAL}{second}{apart}")).is_ok());
}

#[test]
fn a_rule_that_is_proposed_for_any_name_is_read_back() {
    for name in [
        "a\nb",
        "a\u{1b}\u{85}",
        "\u{202e}.`\u{e0041}",
        "\u{feff}",
        "\\\"'#",
    ] {
        let pattern = catalog::ColumnPattern {
            table: Some(name.to_owned()),
            column: Some("c".to_owned()),
        };
        let scalar = transform::yaml_scalar(&pattern.to_string());
        assert!(!scalar.contains(catalog::is_hidden), "{scalar:?}");
        let rule = format!("rules: [{{column: {scalar}, when: empty_uuid, then: \"null\"}}]");
        let config = parse(&format!("{MINIMAL}    {rule}\n")).unwrap();
        let rules = config.databases[0].rules.for_column(name, "c");
        assert!(
            rules.get(catalog::Condition::EmptyUuid).is_some(),
            "{scalar}"
        );
    }
}

#[test]
fn what_yaml_takes_for_something_else_is_not_repeated() {
    for scalar in [
        "*s3cret",
        "!s3cret x",
        "&s3cret",
        "@s3cret",
        "`s3cret",
        "%s3cret",
        "\"s3cret\\q\"",
        "\"s3cret",
        "{s3cret",
        "[s3cret",
        "'s3cret' x",
        "s3cret: x",
        "|s3cret",
    ] {
        let text = MINIMAL.replace("mysql://u:secret@h/d", scalar);
        match parse(&text) {
            Err(message) => assert!(!message.contains("s3cret"), "{scalar}: {message}"),
            Ok(_) => panic!("{scalar} is no address"),
        }
    }
}

#[test]
fn a_small_file_does_not_become_a_large_one() {
    let mut text =
        "version: 1\nenvironment: scratch\nl0: &l0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let one = format!("*l{}", level - 1);
        let nine = vec![one; 9].join(", ");
        text.push_str(&format!("l{level}: &l{level} [{nine}]\n"));
    }
    let since = std::time::Instant::now();
    assert!(Config::parse(&text, Path::new("")).is_err());
    assert!(since.elapsed().as_secs() < 5);
}
