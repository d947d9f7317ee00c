//! The value behind a column default of the target, where it is a plain literal.
//!
//! Does not evaluate expressions: `now()` has no value before the row exists.

/// The value of a default such as `'x'::character varying`, `0`, `-1.5`, `false` or
/// `'{}'::jsonb`; `None` for everything that only the server could evaluate.
pub fn literal_default(default: &str) -> Option<String> {
    let text = default.trim();
    if let Some(quoted) = text.strip_prefix('\'') {
        return quoted_literal(quoted);
    }
    let plain = text
        .strip_prefix('(')
        .and_then(|t| t.strip_suffix(')'))
        .unwrap_or(text);
    match plain {
        "true" | "false" => Some(plain.to_owned()),
        _ if is_number(plain) => Some(plain.to_owned()),
        _ => None,
    }
}

/// Reads up to the closing quote and accepts nothing but casts after it.
fn quoted_literal(quoted: &str) -> Option<String> {
    let mut value = String::new();
    let mut rest = quoted;
    loop {
        let (before, after) = rest.split_once('\'')?;
        value.push_str(before);
        match after.strip_prefix('\'') {
            Some(continued) => {
                value.push('\'');
                rest = continued;
            }
            None => {
                let only_casts = after.is_empty() || after.starts_with("::");
                return (only_casts && !after.contains(['|', '+', '('])).then_some(value);
            }
        }
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut points = 0;
    !digits.is_empty()
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| {
            points += usize::from(c == '.');
            c.is_ascii_digit() || c == '.'
        })
        && points <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_have_a_value_and_expressions_have_none() {
        for (default, value) in [
            ("'it''s'::character varying", Some("it's")),
            ("''::text", Some("")),
            ("0", Some("0")),
            ("(-1)", Some("-1")),
            ("1.50", Some("1.50")),
            ("false", Some("false")),
            (
                "'2000-01-01 00:00:00'::timestamp without time zone",
                Some("2000-01-01 00:00:00"),
            ),
            ("now()", None),
            ("'a'::text || 'b'::text", None),
            ("nextval('s'::regclass)", None),
            ("CURRENT_TIMESTAMP", None),
        ] {
            assert_eq!(literal_default(default).as_deref(), value, "{default}");
        }
    }
}
