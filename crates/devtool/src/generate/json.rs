//! JSON documents: the large ones of authorization policies, and small ones with
//! everything that two JSON implementations may disagree about.
//!
//! Texts are written as they are, not through a serialiser, since spacing, key
//! order and spelling of numbers are part of what is tested.

use std::fmt::Write;

use super::random::{Random, random_uuid};
use super::text::word;
use super::value::Value;

/// Documents that `jsonb` takes as well.
const HARD_DOCUMENTS: &[&str] = &[
    "{}",
    "[]",
    "null",
    "true",
    "\"\"",
    "\"NULL\"",
    "{\"a\":\"NULL\",\"b\":null,\"c\":\"\"}",
    "{\"number\":1.10,\"exponent\":1e2,\"small\":1.5E-7,\"zero\":0.0}",
    "{\"beyond64\":123456789012345678901234567890,\"max\":18446744073709551615,\"min\":-9223372036854775808}",
    "{\"text\":\"line\\nbreak, tab\\t, quote\\\", back\\\\slash, \\u00e9, \\ud83d\\ude00\"}",
    "{\"emoji\":\"😀👩‍👩‍👧‍👦\",\"cafe\u{301}\":\"e\u{301}\",\"separator\":\"\u{2028}\"}",
    "{\n  \"spaced\" : [ 1 ,\t2 ],\n  \"b\" : { } ,\n  \"a\" : \"x\"\n}",
    "{\"\":\"empty key\",\" \":\"blank key\",\"a.b\":1,\"$\":2,\"A\":3,\"a\":4}",
    "[[[[[[[[[[[[[[[[[[[[{\"deep\":[]}]]]]]]]]]]]]]]]]]]]]",
    "[1,\"1\",1.0,true,null,[],{}]",
    "{\"html\":\"<script>alert('x')</script> & \\/ /\"}",
];

/// Documents that only `json` keeps: `jsonb` refuses the NUL and drops the first
/// of two equal keys.
const JSON_ONLY_DOCUMENTS: &[&str] = &["{\"nul\":\"a\\u0000b\"}", "{\"twice\":1,\"twice\":2}"];

const PRIVILEGES: &[&str] = &[
    "create",
    "read",
    "update",
    "delete",
    "grant",
    "contribute",
    "authorization-reset",
    "create-callout",
    "create-post",
    "update-content",
    "move-post",
    "access-virtual-contributor",
];

const CREDENTIALS: &[&str] = &[
    "global-admin",
    "global-support",
    "space-admin",
    "space-member",
    "space-lead",
    "organization-owner",
    "organization-admin",
    "user-self-management",
    "account-admin",
];

/// The least size of the credential rules of a policy; with those below and the
/// privilege rules a row has 2 to 4 KB.
const RULES_BYTES_MIN: usize = 2_100;

/// The sizes spread over so much above the least one.
const RULES_BYTES_SPREAD: u64 = 1_300;

/// A small document; `is_jsonb` says whether the target is stricter than `json`.
pub(super) fn document(random: &mut Random, row: u64, is_jsonb: bool) -> Value {
    if !random.one_in(4) {
        return Value::Text(settings(random));
    }
    let count = HARD_DOCUMENTS.len()
        + if is_jsonb {
            0
        } else {
            JSON_ONLY_DOCUMENTS.len()
        };
    let index = (row + random.below(4)) as usize % count;
    let text = HARD_DOCUMENTS.iter().chain(JSON_ONLY_DOCUMENTS).nth(index);
    Value::Text((*text.expect("the index is below the count")).to_owned())
}

fn settings(random: &mut Random) -> String {
    format!(
        "{{\"mode\":\"{}\",\"visible\":{},\"order\":{},\"tags\":[\"{}\"]}}",
        word(random),
        random.one_in(2),
        random.below(100),
        word(random)
    )
}

/// The `credentialRules` of an authorization policy: nine tenths of all bytes.
pub(super) fn credential_rules(random: &mut Random) -> Value {
    let size = RULES_BYTES_MIN + random.below(RULES_BYTES_SPREAD) as usize;
    let mut text = String::with_capacity(size + 400);
    text.push('[');
    while text.len() < size {
        if text.len() > 1 {
            text.push(',');
        }
        credential_rule(random, &mut text);
    }
    text.push(']');
    Value::Text(text)
}

fn credential_rule(random: &mut Random, text: &mut String) {
    let (name, kind) = (word(random), random.choose(CREDENTIALS));
    write!(
        text,
        "{{\"name\":\"{name}-{kind}\",\"cascade\":{},\"criterias\":[{{\"type\":\"{kind}\",\"resourceID\":\"{}\"}}],\"grantedPrivileges\":",
        random.one_in(2),
        random_uuid(random)
    )
    .expect("writing to a string");
    privileges(random, text);
    text.push('}');
}

/// The `privilegeRules` of an authorization policy.
pub(super) fn privilege_rules(random: &mut Random) -> Value {
    let mut text = String::from("[");
    for number in 0..random.below(4) {
        if number > 0 {
            text.push(',');
        }
        let source = random.choose(PRIVILEGES);
        write!(
            text,
            "{{\"sourcePrivilege\":\"{source}\",\"grantedPrivileges\":"
        )
        .expect("writing to a string");
        privileges(random, &mut text);
        text.push('}');
    }
    text.push(']');
    Value::Text(text)
}

fn privileges(random: &mut Random, text: &mut String) {
    text.push('[');
    for number in 0..=random.below(4) {
        if number > 0 {
            text.push(',');
        }
        write!(text, "\"{}\"", random.choose(PRIVILEGES)).expect("writing to a string");
    }
    text.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_json() {
        for is_jsonb in [false, true] {
            for row in 0..2_000 {
                let value = document(&mut Random::new(7, row), row, is_jsonb);
                let text = value.as_text().unwrap();
                let parsed = serde_json::from_str::<serde::de::IgnoredAny>(text);
                assert!(parsed.is_ok(), "{text}");
                assert!(!is_jsonb || !text.contains("\\u0000"), "{text}");
            }
        }
    }

    #[test]
    fn a_policy_has_2_to_4_kilobytes_of_json() {
        for row in 0..5_000 {
            let rules = credential_rules(&mut Random::new(8, row));
            let privileges = privilege_rules(&mut Random::new(9, row));
            let sizes = [rules.as_text().unwrap(), privileges.as_text().unwrap()].map(str::len);
            let size: usize = sizes.iter().sum();
            assert!((2_048..=4_096).contains(&size), "{sizes:?}");
        }
    }
}
