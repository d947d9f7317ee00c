//! Characters of four bytes in expressions, which MariaDB's `information_schema` has as `????`.
//!
//! `show create table` has the same text with its characters. It is not parsed: an expression is
//! looked for in it behind the name of what it belongs to.

use std::collections::BTreeMap;

use catalog::quote;

use crate::connection::Connection;
use crate::error::Error;

/// What stands for such a character: one for each of its bytes.
const LOST: &str = "????";
/// Makes an expression whose characters are not known one that nobody takes for the true one.
pub(super) const UNKNOWN: &str = " /* with characters that the server does not show */";

/// The statements that make tables, each asked for once.
pub(super) struct Shown<'c> {
    connection: &'c mut Connection,
    database: &'c str,
    statements: BTreeMap<String, String>,
}

impl<'c> Shown<'c> {
    pub(super) fn new(connection: &'c mut Connection, database: &'c str) -> Self {
        Self {
            connection,
            database,
            statements: BTreeMap::new(),
        }
    }

    /// Puts the characters back that an expression of a column has lost.
    pub(super) fn restore_at_column(
        &mut self,
        table: &str,
        column: &str,
        expression: &mut String,
    ) -> Result<(), Error> {
        let anchor = format!("\n  {} ", quote::mysql(column));
        self.restore(table, &anchor, expression)
    }

    /// Puts the characters back that a check of a table has lost.
    pub(super) fn restore_check(
        &mut self,
        table: &str,
        name: &str,
        expression: &mut String,
    ) -> Result<(), Error> {
        let anchor = format!("\n  CONSTRAINT {} CHECK (", quote::mysql(name));
        self.restore(table, &anchor, expression)
    }

    fn restore(&mut self, table: &str, anchor: &str, expression: &mut String) -> Result<(), Error> {
        if !self.connection.dialect.loses_characters_of_expressions() || !expression.contains(LOST)
        {
            return Ok(());
        }
        if !self.statements.contains_key(table) {
            let place = quote::mysql_qualified(self.database, table);
            let rows = self
                .connection
                .query_text(&format!("show create table {place}"))?;
            let statement = rows
                .into_iter()
                .next()
                .and_then(|row| row.into_iter().nth(1)?);
            self.statements
                .insert(table.to_owned(), statement.unwrap_or_default());
        }
        let statement = &self.statements[table];
        match found(statement, anchor, expression) {
            Some(restored) => *expression = restored,
            None => expression.push_str(UNKNOWN),
        }
        Ok(())
    }
}

/// The first text behind the anchor that shows as the expression does.
fn found(statement: &str, anchor: &str, expression: &str) -> Option<String> {
    let (_, behind) = statement.split_once(anchor)?;
    let mut starts = behind.char_indices();
    starts.find_map(|(at, _)| {
        let length = shows_as(&behind[at..], expression)?;
        Some(behind[at..at + length].to_owned())
    })
}

/// How long the beginning of a text is that shows as the expression does.
fn shows_as(text: &str, expression: &str) -> Option<usize> {
    let mut text_left = text;
    let mut left = expression;
    while let Some(wanted) = left.chars().next() {
        let next = text_left.chars().next()?;
        let shown = match next.len_utf8() {
            4 => LOST,
            length if next == wanted => &left[..length],
            _ => return None,
        };
        left = left.strip_prefix(shown)?;
        text_left = &text_left[next.len_utf8()..];
    }
    Some(text.len() - text_left.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_found_behind_its_name() {
        let statement = "create table `t` (\n  `a` text CHECK (`a` <> '????'),\n  \
                         `b` text DEFAULT concat('x😀?ü') CHECK (`b` <> '😀' and `b` <> '😁'),\n  \
                         CONSTRAINT `c` CHECK (`b` <> '😂'),\n  CONSTRAINT `d` CHECK (`b` <> '😃')\n)";
        for (anchor, expression, exact) in [
            ("\n  `a` ", "`a` <> '????'", Some("`a` <> '????'")),
            (
                "\n  `b` ",
                "`b` <> '????' and `b` <> '????'",
                Some("`b` <> '😀' and `b` <> '😁'"),
            ),
            ("\n  `b` ", "concat('x?????ü')", Some("concat('x😀?ü')")),
            (
                "\n  CONSTRAINT `d` CHECK (",
                "`b` <> '????'",
                Some("`b` <> '😃'"),
            ),
            ("\n  `b` ", "`b` = '????'", None),
            ("\n  `e` ", "`b` <> '????'", None),
        ] {
            let restored = found(statement, anchor, expression);
            assert_eq!(restored.as_deref(), exact, "{expression}");
        }
    }
}
