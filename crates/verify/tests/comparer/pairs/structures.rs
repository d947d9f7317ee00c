//! JSON, enums, sets and arrays.

use digest::SourceValue::Bytes;

use super::{differ, judge, same, text};
use crate::fixture::{jsonb, text_array};

#[test]
fn json_by_meaning() {
    let pair = |source: &'static str, target: &str, equal| {
        let value = Bytes(source.as_bytes());
        judge("UTC", "json => json", value, text(target), equal);
        judge(
            "UTC",
            "longtext => jsonb",
            value,
            Some(jsonb(target)),
            equal,
        );
    };
    pair(
        r#"{"b": 1.10, "a": [1, 2]}"#,
        r#"{"a":[1,2],"b":1.1}"#,
        true,
    );
    pair("100", "1e2", true);
    pair("[true]", "[1]", false);
    pair("[1, 2]", "[2, 1]", false);
    pair(r#"{"a": 1}"#, r#"{"A": 1}"#, false);
    pair("12345678901234567890123", "12345678901234567890124", false);
    same(
        "json => jsonb",
        Bytes(br#"{"a":1,"a":2}"#),
        Some(jsonb(r#"{"a":2}"#)),
    );
    differ(
        "json => json",
        Bytes(br#"{"a":1,"a":2}"#),
        text(r#"{"a":2}"#),
    );
    same(
        "json => json",
        Bytes(br#"{"a":1,"a":2}"#),
        text(r#"{"a":1,"a":2}"#),
    );
    same(
        "json => json",
        Bytes(br#"{"k":"\u0000"}"#),
        text(r#"{"k":"\u0000"}"#),
    );
    differ(
        "json => jsonb",
        Bytes(br#"{"k":"\u0000"}"#),
        Some(jsonb(r#"{"k":""}"#)),
    );
    differ("longtext => json", Bytes(b"{"), text("{"));
    differ("json => jsonb", Bytes(b"1"), text("1"));
}

#[test]
fn labels_and_members() {
    same("enum('a','b') => enum:a|b", Bytes(b"a"), text("a"));
    differ("enum('a','b') => enum:a|b", Bytes(b"a"), text("b"));
    differ("enum('A','b') => enum:a|b", Bytes(b"A"), text("a"));
    same("enum('','b') => enum:|b", Bytes(b""), text(""));
    differ("enum('','b') => enum:|b", Bytes(b"\0"), text(""));
    differ("enum('a') => text", Bytes(b"\0"), text(""));
    same("enum('it''s','x\\y') => text", Bytes(b"x\\y"), text("x\\y"));
    same("varchar(9) => enum:a|b", Bytes(b"a"), text("a"));
    same(
        "set('a','NULL') => text[]",
        Bytes(b"a,NULL"),
        Some(text_array(&[Some("a"), Some("NULL")])),
    );
    differ(
        "set('a','NULL') => text[]",
        Bytes(b"a,NULL"),
        Some(text_array(&[Some("a"), None])),
    );
    differ(
        "set('a','NULL') => text[]",
        Bytes(b"a,NULL"),
        Some(text_array(&[Some("NULL"), Some("a")])),
    );
    same(
        "set('a','NULL') => text[]",
        Bytes(b""),
        Some(text_array(&[])),
    );
    differ("set('','a') => text[]", Bytes(b""), Some(text_array(&[])));
    same(
        "set('a','b') => enum:a|b[]",
        Bytes(b"b"),
        Some(text_array(&[Some("b")])),
    );
    same("set('a','b') => text", Bytes(b"a,b"), text("a,b"));
}
