//! docs/rules.md: every condition, where it arises, its outcomes, and an example of each.
//!
//! The examples are converted as the page is written, so that it cannot say what is not so.

use std::fmt::Write;
use std::sync::Arc;

use catalog::{
    ColumnPattern, Condition, MysqlType, Outcome, PostgresType, Rule, RuleSet, SourceColumn,
    SourceTable, TargetColumn, TargetTable, ValueMap,
};
use dataset::Record;

use crate::plan::{PlanInput, TablePlan};
use crate::rejection::Rejection;

const HEAD: &str = "\
<!-- Written by `cargo xtask codegen` from crates/transform/src/document.rs; do not edit. -->
# Rules

What a value can be that the target would refuse or change, and what a rule can make of it.
Where no rule says so, such a value ends `transform` with exit code 4, and the message names database, table, column, key, record, kind and, where one could help, the rule.
Rules are declared for each database in the configuration, `rules:`; [configuration.md](configuration.md) has their order and [DataManagement.md](DataManagement.md#rules) how they are counted and where each changed row is listed.

The examples below are converted as this page is written.
A value `∅` is NULL, `\\0` the character U+0000.
";

const TAIL: &str = "\
## Rules for constraints

Rows that a key of the target would refuse are found once all tables of a database are converted: a foreign key is held against the rows that are there then, a unique key against the others of its table.
Such a rule names its constraint as the target calls it, `table.constraint`.
Without a rule, `assess` finds these rows before anything moves, and the import stops at them.

| when | then | what becomes of the row |
| --- | --- | --- |
| `orphan` | `null` | the columns of the foreign key that may be NULL become NULL, and what they held is kept in `rejected/` |
| `orphan` | `skip_to_file` | it is not loaded, and kept in `rejected/` |
| `duplicate` | `skip_to_file` | likewise; of rows with one key, the one with the lowest primary key stays |

What is left out may itself be referred to: the rows that do are found on the next level, and follow by the rules of their own foreign keys, until none is left.
Where a foreign key has no rule and would lose rows, `transform` ends with exit code 4 and names it.
Each level is counted for itself: `letters.letters_sender orphan -> skip_to_file, level 2`.

## What no rule covers

| kind | what it is | what to do |
| --- | --- | --- |
| `invalid_utf8` | text that is not UTF-8 | repair it on the source |
| `not_in_map` | a value that a rule's map file lacks | add it to the file |
| `not_latin1` | a character above U+00FF where a rule wants one byte for each character | take the rule away: this is no text that once was bytes |
| `malformed` | a field that is not spelled as its source type is | export again; if it stays, it is a fault of ours |
";

/// A condition as the page describes it.
struct Entry {
    condition: Condition,
    /// When a value meets it.
    arises: &'static str,
    /// Both types and a value of the source's that meets it.
    source: &'static str,
    target: &'static str,
    value: Option<&'static str>,
    examples: &'static [Example],
}

/// An outcome, and the place of its example where it is not the condition's.
struct Example {
    /// As the config spells it.
    outcome: &'static str,
    does: &'static str,
    place: Option<(&'static str, &'static str, &'static str)>,
}

const fn example(outcome: &'static str, does: &'static str) -> Example {
    Example {
        outcome,
        does,
        place: None,
    }
}

const fn example_at(
    outcome: &'static str,
    does: &'static str,
    place: (&'static str, &'static str, &'static str),
) -> Example {
    Example {
        outcome,
        does,
        place: Some(place),
    }
}

const UUID: &str = "0F8FAD5B-D9CB-469F-A165-70867728950E";

const ENTRIES: [Entry; 15] = [
    Entry {
        condition: Condition::Any,
        arises: "Every value but NULL, before all other conditions, which judge its result.",
        source: "varchar(50)",
        target: "character varying(50)",
        value: Some(" Ada@Example.org "),
        examples: &[
            example(
                "lower",
                "lower case, as Unicode has it, without regard to language",
            ),
            example("trim", "no blanks (U+0020) at both ends"),
            example_at(
                "latin1_to_bytes",
                "each character below U+0100 is the byte of that number; for bytes that were kept as text",
                ("longtext", "bytea", "x\u{9c}\u{ab}"),
            ),
            example_at(
                "latin1_to_bytes_base64",
                "the same bytes in base64, where the target is text",
                ("longtext", "text", "x\u{9c}\u{ab}"),
            ),
            example_at("map:<file.csv>", MAPS, ("varchar(20)", "uuid", "guidance")),
        ],
    },
    Entry {
        condition: Condition::EmptyUuid,
        arises: "The empty text, or no bytes at all, where the target is uuid.",
        source: "char(36)",
        target: "uuid",
        value: Some(""),
        examples: &[
            example("null", "NULL"),
            example("nil_uuid", "the uuid of zeros"),
            example("map:<file.csv>", MAPS),
        ],
    },
    Entry {
        condition: Condition::InvalidUuid,
        arises: "Text that is not a uuid of 36 characters with hyphens in either case, or not sixteen bytes, where the target is uuid.\nBraces, blanks and missing hyphens are refused: PostgreSQL would take some of them, and change them without a word.",
        source: "varchar(36)",
        target: "uuid",
        value: Some("guidance"),
        examples: &[
            example("null", "NULL"),
            example("nil_uuid", "the uuid of zeros"),
            example("map:<file.csv>", MAPS),
        ],
    },
    Entry {
        condition: Condition::ZeroDate,
        arises: "`0000-00-00`, with or without a time, which MySQL takes for a date.",
        source: "datetime",
        target: "timestamp without time zone",
        value: Some("0000-00-00 00:00:00"),
        examples: &[
            example("null", "NULL"),
            example("1970-01-01 00:00:00", "this date or timestamp"),
        ],
    },
    Entry {
        condition: Condition::InvalidDate,
        arises: "A date that does not exist, such as one with a day or a month of zero; a reading of the clock that `datetime_zone` skips or shows twice.",
        source: "date",
        target: "date",
        value: Some("2024-02-00"),
        examples: &[
            example("null", "NULL"),
            example("2024-02-01", "this date or timestamp"),
        ],
    },
    Entry {
        condition: Condition::TimeRange,
        arises: "A `time` below zero or of 24 hours and more, where the target is a time of day.",
        source: "time",
        target: "time without time zone",
        value: Some("25:00:00"),
        examples: &[example_at(
            "interval",
            "as it is, where the target is an interval, which takes it anyway: the rule counts such rows",
            ("time", "interval", "25:00:00"),
        )],
    },
    Entry {
        condition: Condition::NulByte,
        arises: "The character U+0000 in text, which no text of PostgreSQL can hold.",
        source: "varchar(20)",
        target: "text",
        value: Some("a\0b"),
        examples: &[
            example("strip", "left out"),
            example("replace:?", "exactly one other character in its place"),
        ],
    },
    Entry {
        condition: Condition::JsonNul,
        arises: "The escape `\\u0000` in JSON where the target is jsonb; json takes it.",
        source: "json",
        target: "jsonb",
        value: Some("{\"k\": \"a\\u0000b\"}"),
        examples: &[
            example("strip", "left out"),
            example("replace:?", "exactly one other character in its place"),
        ],
    },
    Entry {
        condition: Condition::NotBoolean,
        arises: "A number other than 0 and 1 where the target is boolean.",
        source: "tinyint",
        target: "boolean",
        value: Some("2"),
        examples: &[example("true", "true"), example("null", "NULL")],
    },
    Entry {
        condition: Condition::EnumUnknown,
        arises: "An enum's index 0 (which MySQL keeps for what it could not store, and which reads like the empty label), or a label or member that the target's type lacks, compared by bytes.",
        source: "enum('open','OPEN')",
        target: "state",
        value: Some("OPEN"),
        examples: &[example("null", "NULL"), example("map:<file.csv>", MAPS)],
    },
    Entry {
        condition: Condition::TooLong,
        arises: "More characters than the target holds, blanks at the end included, which PostgreSQL would cut off without a word; more bits than the target has.",
        source: "varchar(20)",
        target: "character varying(5)",
        value: Some("naïveté"),
        examples: &[example(
            "truncate",
            "cut to the target's length in characters",
        )],
    },
    Entry {
        condition: Condition::PrecisionLost,
        arises: "More digits than the target keeps, other than zeros: of a decimal, of a fraction of a second, of a double or a decimal that becomes a float; a time of day where the target is a date.\nPostgreSQL would round without a word.",
        source: "decimal(12,3)",
        target: "numeric(10,2)",
        value: Some("1.005"),
        examples: &[
            example("round", "rounded half away from zero"),
            example("truncate", "cut off"),
            example_at(
                "round",
                "the same for fractions of a second, with all that it carries",
                (
                    "datetime(6)",
                    "timestamp(3) without time zone",
                    "2024-12-31 23:59:59.999999",
                ),
            ),
            example_at(
                "truncate",
                "a time of day is cut off where the target is a date",
                ("datetime", "date", "2024-12-31 23:59:59"),
            ),
            example_at(
                "round",
                "the nearest number of four bytes",
                ("double", "real", "16777217"),
            ),
        ],
    },
    Entry {
        condition: Condition::OutOfRange,
        arises: "A number beyond the target's range or its digits before the point; a number in JSON beyond numeric, where the target is jsonb; a moment that is rounded into the year 10000.",
        source: "int",
        target: "smallint",
        value: Some("32768"),
        examples: &[example("null", "NULL")],
    },
    Entry {
        condition: Condition::InvalidJson,
        arises: "Text that is no JSON where the target is json or jsonb; half a surrogate pair where it is jsonb.",
        source: "text",
        target: "jsonb",
        value: Some("{a:1}"),
        examples: &[example("null", "NULL")],
    },
    Entry {
        condition: Condition::NullInNotNull,
        arises: "NULL where the target is NOT NULL, also a NULL that another rule made.",
        source: "varchar(20)",
        target: "character varying(20) not null",
        value: None,
        examples: &[
            example(
                "default",
                "the target column's default, which must be a plain literal",
            ),
            example("value:guest", "this value, in the target's spelling"),
        ],
    },
];

const MAPS: &str =
    "its partner in a CSV file with the header `from,to`; a value that the file lacks is an error";

/// The page.
pub fn rules_document() -> String {
    let mut page = HEAD.to_owned();
    for entry in &ENTRIES {
        write_entry(entry, &mut page).expect("text takes text");
    }
    page.push('\n');
    page.push_str(TAIL);
    page
}

fn write_entry(entry: &Entry, page: &mut String) -> std::fmt::Result {
    let condition = entry.condition;
    writeln!(page, "\n## {condition}\n\n{}", entry.arises)?;
    if condition != Condition::Any {
        let place = (entry.source, entry.target, entry.value);
        let rejection = convert(place, None).expect_err("the example meets the condition");
        writeln!(page, "Without a rule:\n\n```\nerror: {rejection}")?;
        if let Some(rule) = rejection.hint() {
            writeln!(page, "hint: add a rule to the configuration: {rule}")?;
        }
        page.push_str("```\n");
    }
    writeln!(
        page,
        "\n| then | what becomes of it | from | to | value | becomes |"
    )?;
    page.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for example in entry.examples {
        let place = match example.place {
            Some((source, target, value)) => (source, target, Some(value)),
            None => (entry.source, entry.target, entry.value),
        };
        let rule = rule(condition, example.outcome, place.2);
        let becomes = convert(place, Some(rule)).expect("the rule helps");
        let value = place.2.map(|value| value.as_bytes().to_vec());
        writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {} |",
            example.outcome,
            example.does,
            place.0,
            place.1,
            shown(value.as_deref()),
            shown(becomes.as_deref())
        )?;
    }
    Ok(())
}

/// A cell of the table.
fn shown(value: Option<&[u8]>) -> String {
    match value {
        None => "∅".to_owned(),
        Some(b"") => "the empty text".to_owned(),
        Some(bytes) => {
            let text = String::from_utf8_lossy(bytes).replace('\0', "\\0");
            let hidden = |c: char| match c.is_control() {
                true => c.escape_unicode().to_string(),
                false => c.to_string(),
            };
            format!("`{}`", text.chars().map(hidden).collect::<String>())
        }
    }
}

fn rule(condition: Condition, outcome_text: &str, value: Option<&str>) -> Rule {
    let outcome = match outcome_text.starts_with("map:") {
        true => {
            let to = match condition {
                Condition::EnumUnknown => "open".to_owned(),
                _ => UUID.to_lowercase(),
            };
            let from = value.unwrap_or_default().to_owned();
            Outcome::Map(Arc::new(ValueMap {
                file: "file.csv".to_owned(),
                pairs: [(from, to)].into(),
            }))
        }
        false => Outcome::parse(condition, outcome_text).expect("an outcome of the condition"),
    };
    Rule {
        columns: ColumnPattern::parse("t.c").expect("a pattern"),
        condition,
        outcome,
        outcome_text: outcome_text.to_owned(),
    }
}

/// Converts a value by the plan of a table with a single column beside its key.
fn convert(
    (source, target, value): (&str, &str, Option<&str>),
    rule: Option<Rule>,
) -> Result<Option<Vec<u8>>, Rejection> {
    let mut source_table = SourceTable::new("t");
    source_table.columns = vec![SourceColumn::new("c", MysqlType::parse(source))];
    let (target, nullable) = match target.strip_suffix(" not null") {
        Some(target) => (target, false),
        None => (target, true),
    };
    let data_type = match target {
        "state" => PostgresType::Enum {
            name: "state".to_owned(),
            labels: vec!["open".to_owned()],
        },
        other => PostgresType::parse(other),
    };
    let mut column = TargetColumn::new("c", data_type);
    column.nullable = nullable;
    column.default = (!nullable).then(|| "'member'::character varying".to_owned());
    let mut target_table = TargetTable::new("t");
    target_table.columns = vec![column];
    let rules = RuleSet::new(rule.into_iter().collect()).expect("one rule");
    let mut plan = TablePlan::new(&PlanInput {
        database: "db",
        source: &source_table,
        target: &target_table,
        rules: &rules,
        datetime_zone: None,
    })
    .expect("the example can be planned");
    let (mut input, mut output) = (Record::new(), Record::new());
    input.push(value.map(str::as_bytes));
    plan.convert(&input, &mut output, 1)?;
    Ok(output.get(0).map(<[u8]>::to_vec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_and_every_outcome_has_its_line() {
        let described: Vec<Condition> = ENTRIES.iter().map(|entry| entry.condition).collect();
        assert_eq!(described, Condition::ALL);
        let page = rules_document();
        for condition in Condition::ALL {
            let start = page.find(&format!("\n## {condition}\n")).unwrap();
            let section = page[start + 1..].split("\n## ").next().unwrap();
            for choice in Outcome::choices(condition).split(", ") {
                let word = match choice {
                    "a literal timestamp" => "-0",
                    other => other.split('<').next().unwrap(),
                };
                assert!(section.contains(word), "{condition}: {choice}");
            }
        }
    }

    #[test]
    fn each_example_meets_its_condition() {
        for entry in ENTRIES.iter().filter(|e| e.condition != Condition::Any) {
            let place = (entry.source, entry.target, entry.value);
            let rejection = convert(place, None).unwrap_err();
            assert_eq!(rejection.kind().name(), entry.condition.name());
        }
    }
}
