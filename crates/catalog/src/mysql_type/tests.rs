//! Tests of the parser of types: both families, labels with anything in them, and that no text
//! stops it.

use proptest::prelude::*;

use super::*;

#[test]
fn both_families_spell_one_type() {
    for (mysql, mariadb) in [
        ("int", "int(11)"),
        ("bigint unsigned", "bigint(20) unsigned"),
        ("tinyint", "tinyint(4)"),
        ("tinyint(1)", "tinyint(1)"),
        ("year", "year(4)"),
    ] {
        assert_eq!(
            MysqlType::parse(mysql),
            MysqlType::parse(mariadb),
            "{mysql}"
        );
        assert_eq!(MysqlType::parse(mysql).to_string(), mysql);
    }
}

#[test]
fn labels_keep_commas_brackets_quotes_and_backslashes() {
    let labels = ["a,b", "c (d)", "it's", r"x\y", r"\'", r"\n", ""]
        .map(String::from)
        .to_vec();
    let text = r"enum('a,b','c (d)','it''s','x\\y','\\''','\\n','')";
    let parsed = MysqlType::parse(text);
    assert_eq!(parsed, MysqlType::Enum { labels });
    assert_eq!(parsed.to_string(), text);
}

#[test]
fn labels_keep_line_breaks_and_other_controls() {
    let members = ["a\nb", "c\rd", "\0", "e\tf", "\u{1a}"]
        .map(String::from)
        .to_vec();
    let text = "set('a\\nb','c\\rd','\\0','e\tf','\u{1a}')";
    let parsed = MysqlType::parse(text);
    assert_eq!(parsed, MysqlType::Set { members });
    assert_eq!(parsed.to_string(), text);
}

#[test]
fn what_is_not_known_is_kept() {
    for text in [
        "vector(3)",
        "inet6",
        "enum('a",
        r"enum('a\",
        r"enum('a\b')",
        "varchar",
        "decimal(999,1)",
        "",
    ] {
        assert_eq!(MysqlType::parse(text), MysqlType::Other(text.to_owned()));
    }
    assert!(MysqlType::parse("point").is_binary());
}

/// The words, numbers and marks of types in any order that might be one.
const LIKE_A_TYPE: &str = "(?i:(tiny|small|medium|big|long|var|date)?(int|integer|decimal|float|double|bit|char|text|binary|blob|date|time|timestamp|year|enum|set|json|uuid|point|vector))[( ]{0,2}(-?[0-9]{0,12}|'[ab,'\\\\n0ü]{0,6}'?)(,([0-9]{0,4}|'[ab]{0,3}'))?[) ]{0,2}( unsigned| zerofill|/\\*|\n|ü)?";

proptest! {
    /// Any text at all, and texts that begin as types do and go wrong somewhere. What comes out is
    /// spelled so that it reads back as itself: catalogues are kept as these spellings.
    #[test]
    fn parsing_never_panics(text in prop_oneof![any::<String>(), LIKE_A_TYPE]) {
        let parsed = MysqlType::parse(&text);
        prop_assert_eq!(MysqlType::parse(&parsed.to_string()), parsed);
    }

    #[test]
    fn labels_read_back(
        labels in prop::collection::vec("[\\\\',\n\r\t\u{0}0nrb]{0,6}|.{0,6}", 1..4)
    ) {
        let parsed = MysqlType::Enum { labels };
        prop_assert_eq!(MysqlType::parse(&parsed.to_string()), parsed);
    }

    #[test]
    fn a_spelling_reads_back(
        text in "(tinyint|smallint|mediumint|int|bigint)( unsigned)?|decimal\\([1-9],[0-9]\\)|(var)?(char|binary)\\([1-9][0-9]{0,3}\\)|(datetime|time|timestamp)(\\([1-6]\\))?|enum\\('[a-z,() ]{0,5}'\\)"
    ) {
        let parsed = MysqlType::parse(&text);
        prop_assert_eq!(parsed.to_string(), text.clone());
        prop_assert_eq!(MysqlType::parse(&parsed.to_string()), parsed);
    }
}
