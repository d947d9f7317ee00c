//! Whether a definition that was kept as text is one definition, and of the kind that it passes
//! for.
//!
//! Not a parser: the server reads it. What it must not do is end, and go on as something else.

/// A foreign key, behind its constraint's name.
pub(crate) fn is_foreign_key(definition: &str) -> bool {
    definition.starts_with("FOREIGN KEY (") && is_one(definition)
}

/// A primary key, unique or exclusion constraint, behind its name.
pub(crate) fn is_key(definition: &str) -> bool {
    let kinds = ["PRIMARY KEY ", "UNIQUE ", "EXCLUDE "];
    kinds.iter().any(|kind| definition.starts_with(kind)) && is_one(definition)
}

/// The statement that makes an index; `index` and `table` are quoted and qualified.
///
/// The server leaves the schema of the index out, which is that of the table.
pub(crate) fn is_index(definition: &str, index: &str, table: &str) -> bool {
    let name = unqualified(index);
    ["CREATE INDEX", "CREATE UNIQUE INDEX"]
        .iter()
        .any(|create| {
            definition
                .strip_prefix(&format!("{create} {name} ON {table} USING "))
                .is_some_and(is_one)
        })
}

/// The last part of a qualified name; a dot in double quotes is no end.
fn unqualified(name: &str) -> &str {
    let mut quoted = false;
    let dot = name.char_indices().filter(|(_, character)| {
        quoted ^= *character == '"';
        *character == '.' && !quoted
    });
    dot.last().map_or(name, |(at, _)| &name[at + 1..])
}

/// Whether a text has no comma and no semicolon outside of parentheses, quotes and comments, and
/// closes all that it opens.
///
/// Source: PostgreSQL manual, section "Lexical Structure". Dollar quotes do not occur in what the
/// server spells, so a `$` ends the reading, as does a comment.
fn is_one(definition: &str) -> bool {
    let mut depth = 0_u32;
    let mut characters = definition.chars().peekable();
    let mut previous = ' ';
    while let Some(character) = characters.next() {
        match character {
            '\'' | '"' => {
                // A literal of the escape form has backslashes before its quotes.
                let escapes = character == '\'' && matches!(previous, 'E' | 'e');
                if !skip_quoted(&mut characters, character, escapes) {
                    return false;
                }
            }
            '(' | '[' => depth += 1,
            ')' | ']' => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            ',' if depth == 0 => return false,
            ';' | '$' => return false,
            '-' if characters.peek() == Some(&'-') => return false,
            '/' if characters.peek() == Some(&'*') => return false,
            _ => {}
        }
        previous = character;
    }
    depth == 0
}

/// Goes behind the end of what is quoted; a doubled quote ends it and begins it again.
fn skip_quoted(characters: &mut impl Iterator<Item = char>, quote: char, escapes: bool) -> bool {
    while let Some(character) = characters.next() {
        if character == quote {
            return true;
        }
        if escapes && character == '\\' {
            characters.next();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_spells_is_one_definition() {
        for definition in [
            r#"FOREIGN KEY (a, "b,;c") REFERENCES public."it's"(x, y) ON DELETE SET NULL (a) DEFERRABLE"#,
            "FOREIGN KEY (a) REFERENCES t(a) MATCH FULL ON UPDATE CASCADE",
        ] {
            assert!(is_foreign_key(definition), "{definition}");
        }
        for definition in [
            "PRIMARY KEY (a, b)",
            "UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b) WITH (fillfactor='70')",
            "EXCLUDE USING gist (a WITH =, b WITH &&) WHERE ((c <> 'x;y,(z'::text))",
        ] {
            assert!(is_key(definition), "{definition}");
        }
        for (definition, index, table) in [
            (
                "CREATE UNIQUE INDEX i ON public.t USING btree (lower((n)::text), (a -> 'b'::text))",
                "public.i",
                "public.t",
            ),
            (
                r#"CREATE INDEX "i.;" ON s."t.u" USING btree (replace(a, E'\\''', ','::text)) WHERE (a[1] > 0)"#,
                r#"s."i.;""#,
                r#"s."t.u""#,
            ),
        ] {
            assert!(is_index(definition, index, table), "{definition}");
        }
    }

    #[test]
    fn what_goes_on_as_something_else_is_not() {
        for definition in [
            "FOREIGN KEY (a) REFERENCES t(a), add column x int default evil()",
            "FOREIGN KEY (a) REFERENCES t(a); select evil()",
            "FOREIGN KEY (a) REFERENCES t(a) -- ",
            "FOREIGN KEY (a) REFERENCES t(a) /* */, drop column b",
            "FOREIGN KEY (a) REFERENCES t('a)",
            "FOREIGN KEY (a)) REFERENCES t(a)",
            "FOREIGN KEY (a) REFERENCES t(a) $$,$$, drop column b",
            r"FOREIGN KEY (a) REFERENCES t(a) E'\', drop column b",
            "CHECK (evil())",
        ] {
            assert!(
                !is_foreign_key(definition) && !is_key(definition),
                "{definition}"
            );
        }
        let index = "CREATE INDEX i ON public.t USING btree (a)";
        assert!(!is_index(index, "public.j", "public.t"));
        assert!(!is_index(index, "public.i", "public.u"));
        assert!(!is_index("DROP INDEX i", "public.i", "public.t"));
    }
}
