//! The server's words for an error, without the values of cells.

use std::error;

use postgres::error::DbError;

/// Without DETAIL, which repeats cell values; those that stand in the messages of data errors
/// (class 22), always in double quotes, are left out.
pub(crate) fn database_error_text(error: &DbError) -> String {
    let mut text = match error.code().code() {
        "P0001" => "a function of the target refused it".to_owned(),
        // Messages in another language put values into other quotes.
        code if code.starts_with("22") && !error.message().is_ascii() => {
            "the server refuses a value".to_owned()
        }
        code if code.starts_with("22") => without_quoted(error.message()),
        _ => error.message().to_owned(),
    };
    text.push_str(&format!(" (SQLSTATE {}", error.code().code()));
    if let Some(constraint) = error.constraint() {
        text.push_str(&format!(", constraint {constraint}"));
    }
    if let Some(column) = error.column() {
        text.push_str(&format!(", column {column}"));
    }
    // The context of a COPY names line and column, then, after a colon, the value.
    if let Some(place) = error.where_().filter(|text| text.starts_with("COPY "))
        && let Some(place) = place
            .lines()
            .next()
            .and_then(|line| line.split(": ").next())
    {
        text.push_str(&format!(", {place}"));
    }
    text + ")"
}

/// With the statement, the event trigger's own words and its function.
pub(crate) fn refused_definition(error: &DbError, sql: &str) -> String {
    let function = error.where_().and_then(|place| place.lines().next());
    let function = function.map_or(String::new(), |place| format!(", {place}"));
    format!(
        "an event trigger refused `{sql}`: {} (SQLSTATE {}{function})",
        error.message(),
        error.code().code()
    )
}

/// Replaces what stands in double quotes; a value may hold quotes, so all between the first
/// and the last goes.
fn without_quoted(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}\"…\"{}", &message[..first], &message[last + 1..])
        }
        _ => message.to_owned(),
    }
}

pub(crate) fn with_causes(error: &(dyn error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_out_of_messages() {
        for (message, shown) in [
            (
                "value \"99999\" is out of range for type smallint",
                "value \"…\" is out of range for type smallint",
            ),
            (
                "invalid input syntax for type uuid: \"a\"b\"",
                "invalid input syntax for type uuid: \"…\"",
            ),
            ("division by zero", "division by zero"),
        ] {
            assert_eq!(without_quoted(message), shown);
        }
    }
}
