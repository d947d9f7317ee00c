//! A catalogue without the name of its schema, so that two schemas of one server can be compared.
//!
//! Works on what a server wrote, whose spelling is known: names, literals, `::` casts.

use catalog::{Column, Key, KeyTerm, PostgresType, TargetCatalog, quote};

/// The catalogue as it would be shown with these schemas in the search path.
pub fn without_schema(mut catalog: TargetCatalog, schemas: &[&str]) -> TargetCatalog {
    let prefixes: Vec<String> = schemas
        .iter()
        .flat_map(|schema| spellings(schema))
        .collect();
    let strip = |text: &mut String| *text = stripped(text, &prefixes);
    for table in &mut catalog.tables {
        for column in &mut table.columns {
            strip_column(column, &strip);
        }
        for key in &mut table.keys {
            strip_key(key, &strip);
        }
        for key in &mut table.foreign_keys {
            let own = |schema: &mut String| schemas.contains(&schema.as_str());
            key.referenced_schema.take_if(own);
        }
        for check in &mut table.checks {
            strip(&mut check.expression);
        }
        table.partitioning.iter_mut().for_each(&strip);
    }
    for other in &mut catalog.others {
        strip(&mut other.name);
        if let Some(definition) = &mut other.definition {
            strip_definition(definition, &strip);
        }
    }
    catalog
}

/// The body of a function is its author's: what it says of schemas is what it does.
fn strip_definition(definition: &mut String, strip: &impl Fn(&mut String)) {
    let body = definition.find("\nAS ").unwrap_or(definition.len());
    let body = definition.split_off(body);
    strip(definition);
    definition.push_str(&body);
}

fn strip_column(column: &mut Column<PostgresType>, strip: &impl Fn(&mut String)) {
    strip_type(&mut column.data_type, strip);
    for text in [
        &mut column.domain,
        &mut column.default,
        &mut column.collation,
    ] {
        text.iter_mut().for_each(strip);
    }
    if let Some(generated) = &mut column.generated {
        strip(&mut generated.expression);
    }
    if let Some(sequence) = &mut column.sequence {
        strip(&mut sequence.name);
    }
}

fn strip_type(data_type: &mut PostgresType, strip: &impl Fn(&mut String)) {
    match data_type {
        PostgresType::Enum { name, .. } | PostgresType::Other(name) => strip(name),
        PostgresType::Array(element) => strip_type(element, strip),
        _ => {}
    }
}

fn strip_key(key: &mut Key, strip: &impl Fn(&mut String)) {
    for part in &mut key.parts {
        if let KeyTerm::Expression { expression } = &mut part.term {
            strip(expression);
        }
        part.options.iter_mut().for_each(strip);
    }
    key.predicate.iter_mut().for_each(strip);
}

/// The ways in which a server may begin a name of a schema.
fn spellings(schema: &str) -> Vec<String> {
    let letter = |c: char| c.is_ascii_lowercase() || c == '_';
    let other = |c: char| letter(c) || c.is_ascii_digit() || c == '$';
    let plain = schema.starts_with(letter) && schema.chars().all(other);
    let mut spellings = vec![format!("{}.", quote::postgres(schema))];
    spellings.extend(plain.then(|| format!("{schema}.")));
    spellings
}

/// Takes the prefixes off the names of an expression; literals stay as they are, unless they
/// are names themselves (`'public.page_id_seq'::regclass`).
fn stripped(text: &str, prefixes: &[String]) -> String {
    let without = |name: &'_ str| {
        let found = prefixes
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix.as_str()));
        found.map(str::len)
    };
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_name = false;
    while let Some(c) = rest.chars().next() {
        if !in_name && let Some(left) = without(rest) {
            rest = &rest[rest.len() - left..];
            continue;
        }
        let length = match c {
            '\'' | '"' => quoted_length(rest, c),
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        let named = token
            .strip_prefix('\'')
            .filter(|_| after.starts_with("::regclass"));
        match named.and_then(without) {
            Some(left) => {
                bare.push(c);
                bare.push_str(&token[token.len() - left..]);
            }
            None => bare.push_str(token),
        }
        in_name = c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '"');
        rest = after;
    }
    bare
}

/// How far a quoted text goes; a quote within it is doubled.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(at) = text[from..].find(quote) {
        from += at + 1;
        if !text[from..].starts_with(quote) {
            return from;
        }
        from += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_schema_and_texts_keep_theirs() {
        let prefixes = [spellings("public"), spellings("My \"own\"")].concat();
        for (text, expected) in [
            ("public.mood", "mood"),
            ("'public.mood'::public.mood", "'public.mood'::mood"),
            (
                "nextval('public.\"a.b_seq\"'::regclass)",
                "nextval('\"a.b_seq\"'::regclass)",
            ),
            ("'it''s public.x'::text", "'it''s public.x'::text"),
            ("republic.x + other.public.x", "republic.x + other.public.x"),
            ("\"My \"\"own\"\"\".f(\"a public.b\")", "f(\"a public.b\")"),
            ("'äpublic.x' || public.ä('ö')", "'äpublic.x' || ä('ö')"),
            ("'", "'"),
            ("", ""),
        ] {
            assert_eq!(stripped(text, &prefixes), expected);
        }
    }
}
