//! Defaults that are spelled in two ways and give one value: the server is asked for both.

use std::collections::BTreeMap;

use catalog::{PostgresType, TargetCatalog, TargetColumn};
use target::SameValue;

/// Takes the expected spelling of live defaults that give the expected value, such as
/// `CURRENT_TIMESTAMP(6)` for `now()`.
pub(super) fn unite(
    connection: &mut target::Connection,
    schema: &str,
    expected: &TargetCatalog,
    live: &mut TargetCatalog,
) -> anyhow::Result<()> {
    let mut known: BTreeMap<SameValue, bool> = BTreeMap::new();
    for table in &mut live.tables {
        let Some(wanted) = expected.table(&table.name) else {
            continue;
        };
        for column in &mut table.columns {
            let Some(wanted) = wanted.column(&column.name) else {
                continue;
            };
            for pair in questions(wanted, column) {
                let is_same = match known.get(&pair) {
                    Some(&is_same) => is_same,
                    None => connection.is_same_value(schema, &pair)?,
                };
                known.insert(pair, is_same);
                if is_same {
                    column.default.clone_from(&wanted.default);
                    break;
                }
            }
        }
    }
    Ok(())
}

/// What to ask of the defaults of a column, where they are two expressions: whether they are one
/// value of either type. Another type is a difference of its own.
fn questions(expected: &TargetColumn, live: &TargetColumn) -> Vec<SameValue> {
    let numbered = expected.sequence.is_some() || live.sequence.is_some();
    let (Some(wanted), Some(there)) = (&expected.default, &live.default) else {
        return Vec::new();
    };
    // What is computed otherwise may be today what the other one is always.
    let kind = Kind::of(wanted);
    if numbered || wanted == there || kind == Kind::Computed || kind != Kind::of(there) {
        return Vec::new();
    }
    let mut types = vec![to_the_last_digit(live), to_the_last_digit(expected)];
    types.dedup();
    let expressions = [
        at_full_precision(expected, wanted),
        at_full_precision(live, there),
    ];
    let pairs = types.into_iter().map(|data_type| SameValue {
        expressions: expressions.clone(),
        data_type,
    });
    pairs.collect()
}

/// The type with all digits of a moment: rounded, two clocks would be one.
fn to_the_last_digit(column: &TargetColumn) -> String {
    let fraction = 6;
    match &column.data_type {
        PostgresType::Timestamp { .. } => PostgresType::Timestamp { fraction },
        PostgresType::Timestamptz { .. } => PostgresType::Timestamptz { fraction },
        PostgresType::Time { .. } => PostgresType::Time { fraction },
        other => other.clone(),
    }
    .to_string()
}

/// The server's clock without a precision, where the column rounds to no more digits than that.
fn at_full_precision(column: &TargetColumn, default: &str) -> String {
    let digits = match column.data_type {
        PostgresType::Timestamp { fraction }
        | PostgresType::Timestamptz { fraction }
        | PostgresType::Time { fraction } => fraction,
        _ => return default.to_owned(),
    };
    (digits..=6).fold(default.to_owned(), |text, precision| {
        [
            "CURRENT_TIMESTAMP",
            "LOCALTIMESTAMP",
            "CURRENT_TIME",
            "LOCALTIME",
        ]
        .into_iter()
        .fold(text, |text, clock| {
            text.replace(&format!("{clock}({precision})"), clock)
        })
    })
}

/// What kind of expression a default is, as the server spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Literals, signs and casts.
    Constant,
    /// The moment at which the transaction began, in whatever zone.
    Moment,
    /// Anything else: what it gives now says nothing of what it gives then.
    Computed,
}

impl Kind {
    fn of(expression: &str) -> Self {
        const MOMENTS: [&str; 5] = [
            "now",
            "transaction_timestamp",
            "timezone",
            "CURRENT_TIMESTAMP",
            "LOCALTIMESTAMP",
        ];
        let mut kind = Self::Constant;
        // Every other piece is a literal.
        for piece in expression.split('\'').step_by(2) {
            let mut casts = piece.split("::");
            let first = casts.next().unwrap_or_default();
            let rests = casts.map(without_type);
            for text in std::iter::once(first).chain(rests) {
                for word in names(text) {
                    kind = match MOMENTS.contains(&word) {
                        true if kind != Self::Computed => Self::Moment,
                        _ => Self::Computed,
                    };
                }
            }
        }
        kind
    }
}

/// The functions of an expression without literals and casts, and the words that are functions
/// without parentheses, all of them upper case.
fn names(text: &str) -> Vec<&str> {
    const PLAIN: [&str; 7] = ["true", "false", "NULL", "AT", "TIME", "ZONE", "ARRAY"];
    let words = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '"')));
    let is_name = |word: &&str| {
        word.starts_with(|c: char| !c.is_ascii_digit()) && !PLAIN.contains(word) && *word != "B"
    };
    words.filter(is_name).collect()
}

/// What stands behind the name of a type and its numbers.
fn without_type(cast: &str) -> &str {
    let of_name = |c: char| c.is_ascii_lowercase() || "_. \"".contains(c);
    let rest = cast.trim_start_matches(of_name);
    match rest
        .strip_prefix('(')
        .and_then(|inside| inside.split_once(')'))
    {
        Some((numbers, rest)) if numbers.chars().all(|c| c.is_ascii_digit() || c == ',') => {
            rest.trim_start_matches(of_name)
        }
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_constants_and_the_moment_of_the_transaction_are_asked_for() {
        for (kind, expressions) in [
            (
                Kind::Constant,
                &[
                    "1.5",
                    "(-1)",
                    "true",
                    "'now()'::text",
                    "'it''s CURRENT_USER'::character varying",
                    "'x'::character varying(9)",
                    "'1'::numeric(8,2)",
                    "ARRAY[]::text[]",
                    "B'101'::\"bit\"",
                ][..],
            ),
            (
                Kind::Moment,
                &[
                    "now()",
                    "CURRENT_TIMESTAMP(6)",
                    "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC'::text)",
                    "timezone('UTC'::text, now())",
                    "(now())::timestamp(3) without time zone",
                ],
            ),
            (
                Kind::Computed,
                &[
                    "CURRENT_DATE",
                    "CURRENT_USER",
                    "clock_timestamp()",
                    "date_trunc('second'::text, now())",
                    "('x'::text || f(1))",
                    "\"My f\"()",
                ],
            ),
        ] {
            for expression in expressions {
                assert_eq!(Kind::of(expression), kind, "{expression}");
            }
        }
    }

    #[test]
    fn a_precision_means_nothing_where_the_column_has_no_more_digits() {
        let column = |fraction| TargetColumn::new("c", PostgresType::Timestamp { fraction });
        for (fraction, default, expected) in [
            (0, "CURRENT_TIMESTAMP(0)", "CURRENT_TIMESTAMP"),
            (0, "CURRENT_TIMESTAMP(3)", "CURRENT_TIMESTAMP"),
            (6, "CURRENT_TIMESTAMP(0)", "CURRENT_TIMESTAMP(0)"),
            (3, "LOCALTIMESTAMP(6)", "LOCALTIMESTAMP"),
        ] {
            assert_eq!(at_full_precision(&column(fraction), default), expected);
        }
    }
}
