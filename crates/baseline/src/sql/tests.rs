//! Names and texts that try to get out of their quotes, and the two forms beside each other.

use std::collections::BTreeSet;

use catalog::{
    Check, ForeignKey, Generated, IntegerSize, Key, KeyKind, KeyPart, MysqlType, Server,
    ServerKind, SourceCatalog, SourceColumn, SourceTable,
};

use super::*;
use crate::plan::{Wanted, plan};
use crate::{BaselineOptions, OnUpdate, TypeMap};

/// All that has ended a quote somewhere.
const EVIL: &str = "a'b\"c`d\\e\nf\r*/g;--h$$i${j}'); drop table x; --";

fn int() -> MysqlType {
    MysqlType::Integer {
        size: IntegerSize::Int,
        unsigned: false,
        boolean_hint: false,
    }
}

/// A schema in which everything has an evil name, text or default.
fn source() -> SourceCatalog {
    let server = Server {
        kind: ServerKind::Mariadb,
        version: "10.11.6".to_owned(),
    };
    let mut id = SourceColumn::new("id", int());
    id.auto_increment = true;
    id.nullable = false;
    let labels = vec![EVIL.to_owned(), "b".to_owned()];
    let mut mood = SourceColumn::new(EVIL, MysqlType::Enum { labels });
    mood.comment = Some(EVIL.to_owned());
    let mut text = SourceColumn::new("text", MysqlType::Varchar { length: 90 });
    text.default = Some(quote::mysql_literal(EVIL));
    let mut changed = SourceColumn::new("changed", MysqlType::Datetime { fraction: 6 });
    changed.on_update = Some("current_timestamp(6)".to_owned());
    let mut strange = SourceColumn::new("strange", int());
    strange.generated = Some(Generated::stored(format!("evil('{EVIL}')")));
    let mut table = SourceTable::new(EVIL);
    table.comment = Some(EVIL.to_owned());
    table.columns = vec![id, mood, text, changed, strange];
    let mut key = Key::new(EVIL, KeyKind::Index, vec![KeyPart::prefix("text", 5)]);
    key.comment = Some(EVIL.to_owned());
    let parts = vec![KeyPart::column("id")];
    table.keys = vec![Key::new("PRIMARY", KeyKind::Primary, parts), key];
    let columns = || vec!["id".to_owned()];
    table.foreign_keys = vec![ForeignKey::new(EVIL, columns(), EVIL, columns())];
    table.checks = vec![Check::new(
        EVIL,
        format!("`text` is null or `{EVIL}` is null"),
    )];
    let mut catalog = SourceCatalog::new(server, "s");
    catalog.tables = vec![table];
    catalog
}

fn baseline() -> Baseline {
    let options = BaselineOptions {
        on_update: OnUpdate::Trigger,
        index_foreign_keys: true,
    };
    let wanted = Wanted {
        map: &TypeMap::default(),
        options,
        schema: "public",
        datetime_zone: None,
        exclude_tables: &BTreeSet::new(),
    };
    plan(&source(), &wanted).unwrap()
}

/// What is left of a script behind its comments, quoted names and literals, as PostgreSQL reads
/// them.
fn outside_of_quotes(sql: &str) -> String {
    let mut left = String::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = &rest[rest.find(['\n', '\r']).unwrap_or(rest.len())..];
            continue;
        }
        rest = &rest[first.len_utf8()..];
        if first != '\'' && first != '"' {
            left.push(first);
            continue;
        }
        let escapes = first == '\'' && left.ends_with('E');
        loop {
            let end = rest.find([first, '\\']).expect("the quote is closed");
            let escaped = rest[end..].starts_with('\\');
            rest = &rest[end + 1..];
            if escaped && escapes {
                let next = rest.chars().next().expect("something is escaped");
                rest = &rest[next.len_utf8()..];
            } else if !escaped && !rest.starts_with(first) {
                break;
            } else if !escaped {
                rest = &rest[1..];
            }
        }
        left.push('?');
    }
    left
}

#[test]
fn nothing_gets_out_of_its_quotes() {
    let baseline = baseline();
    for sql in [pre_data(&baseline), post_data(&baseline)] {
        let left = outside_of_quotes(&sql);
        for word in ["drop", "$$", "*/", "`", "--", "\\", "${"] {
            assert!(!left.contains(word), "{word} in {left}\nof {sql}");
        }
        assert!(left.lines().all(|line| !line.contains("; ")), "{left}");
    }
}

#[test]
fn the_same_schema_gives_the_same_bytes() {
    let (one, other) = (baseline(), baseline());
    assert_eq!(pre_data(&one), pre_data(&other));
    assert_eq!(post_data(&one), post_data(&other));
}

/// The statements of a migration's method, as JavaScript would pass them on.
fn statements(class: &str, method: &str) -> Vec<String> {
    let begin = format!("public async {method}(queryRunner: QueryRunner): Promise<void> {{\n");
    let (_, body) = class.split_once(&begin).unwrap();
    let mut statements = Vec::new();
    let mut rest = body;
    while let Some(after) = rest.strip_prefix("    await queryRunner.query(`") {
        let mut statement = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (at, '`') => break at,
                (_, '\\') => statement.push(match characters.next().unwrap().1 {
                    'r' => '\r',
                    other => other,
                }),
                (_, '$') => {
                    assert!(!characters.as_str().starts_with('{'), "{statement}");
                    statement.push('$');
                }
                (_, other) => statement.push(other),
            }
        };
        statements.push(statement);
        rest = after[end..].strip_prefix("`);\n").unwrap();
    }
    assert!(rest.starts_with("  }\n"), "{rest}");
    statements
}

#[test]
fn a_migration_has_the_statements_of_the_scripts() {
    let baseline = baseline();
    let class = typeorm::migration(&baseline, 1_700_000_000_000);
    let up = statements(&class, "up");
    let mut sql = String::new();
    for statement in &up {
        sql.push_str(&format!("\n{statement};\n"));
    }
    let without_head = |script: String| {
        let (_, statements) = script.split_once("\n\n").unwrap();
        format!("\n{statements}")
    };
    let scripts = without_head(pre_data(&baseline)) + &without_head(post_data(&baseline));
    assert_eq!(sql, scripts);
    let down = statements(&class, "down");
    let words: Vec<String> = down
        .iter()
        .map(|statement| outside_of_quotes(statement))
        .collect();
    assert_eq!(
        words,
        [
            "alter table ? drop constraint ?",
            "drop table ?",
            "drop function ?()",
            "drop type ?"
        ]
    );
    assert!(class.contains("export class Baseline1700000000000 implements"));
}
