//! What `show create table` shows and `information_schema` does not: characters of four bytes in
//! MariaDB's expressions, which arrive as `????`, and the actions of foreign keys, which MariaDB
//! hides from a login that may only read.
//!
//! The statement is not parsed as a whole: a part is looked for behind the name of what it belongs
//! to.

use std::collections::BTreeMap;

use catalog::quote;

use crate::connection::Connection;
use crate::error::{Error, Kind};

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
        match found(self.statement(table)?, anchor, expression) {
            Some(restored) => *expression = restored,
            None => expression.push_str(UNKNOWN),
        }
        Ok(())
    }

    /// What a foreign key does on delete and on update.
    ///
    /// # Errors
    /// Also where the statement does not have the key: its actions are never guessed.
    pub(super) fn actions(&mut self, table: &str, key: &str) -> Result<Actions, Error> {
        let actions = actions(self.statement(table)?, key);
        actions.ok_or_else(|| {
            let name = key.to_owned();
            let place = quote::mysql_qualified(self.database, table);
            Error::new(
                Kind::UnknownActions { name },
                format!("reading the foreign keys of {place}"),
            )
        })
    }

    fn statement(&mut self, table: &str) -> Result<&str, Error> {
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
        Ok(&self.statements[table])
    }
}

/// What a foreign key does on delete and on update, in the words of `information_schema`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Actions {
    pub(super) on_delete: String,
    pub(super) on_update: String,
}

/// The actions of a foreign key in the statement that makes its table, on a line of its own:
///
/// ```text
///   CONSTRAINT `key` FOREIGN KEY (`a`) REFERENCES `parent` (`id`) ON DELETE CASCADE
/// ```
fn actions(statement: &str, key: &str) -> Option<Actions> {
    let anchor = format!("\n  CONSTRAINT {} FOREIGN KEY (", quote::mysql(key));
    let (_, definition) = statement.split_once(&anchor)?;
    let mut in_name = false;
    let outside_of_names = definition.chars().filter(|character| {
        in_name ^= *character == '`';
        !in_name
    });
    let words: String = outside_of_names.take_while(|c| *c != '\n').collect();
    let action = |event: &str| {
        let Some((_, action)) = words.split_once(&format!(" ON {event} ")) else {
            return Some("NO ACTION".to_owned());
        };
        const ACTIONS: [&str; 5] = [
            "CASCADE",
            "SET NULL",
            "SET DEFAULT",
            "RESTRICT",
            "NO ACTION",
        ];
        let known = ACTIONS.into_iter().find(|known| action.starts_with(known));
        known.map(str::to_owned)
    };
    Some(Actions {
        on_delete: action("DELETE")?,
        on_update: action("UPDATE")?,
    })
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
    fn actions_are_read_past_any_names() {
        let statement = "CREATE TABLE `t` (\n  `a` int,\n  \
             CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `p` (`id`),\n  \
             CONSTRAINT `g` FOREIGN KEY (`a`, `\n``) ON DELETE SET NULL`) REFERENCES `db`.`p` (`id`, \
             `x`) ON DELETE CASCADE ON UPDATE SET NULL,\n  \
             CONSTRAINT `h``` FOREIGN KEY (`a`) REFERENCES `p` (`id`) ON UPDATE RESTRICT\n)";
        let of = |key: &str| {
            let actions = actions(statement, key)?;
            Some(format!("{}, {}", actions.on_delete, actions.on_update))
        };
        assert_eq!(of("f").as_deref(), Some("NO ACTION, NO ACTION"));
        assert_eq!(of("g").as_deref(), Some("CASCADE, SET NULL"));
        assert_eq!(of("h`").as_deref(), Some("NO ACTION, RESTRICT"));
        assert_eq!(of("i"), None);
        let unknown = statement.replace("CASCADE", "ARCHIVE");
        assert_eq!(super::actions(&unknown, "g"), None);
    }

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
