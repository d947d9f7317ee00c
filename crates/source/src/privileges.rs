//! Privileges of a login, read from `show grants`: what it can be trusted to see.
//!
//! The statements that give a login what it needs are in `grants.rs`.

use std::collections::BTreeSet;

use crate::connection::Connection;
use crate::error::Error;

/// "The server is running with the --skip-grant-tables option": everybody may do everything.
const NO_PRIVILEGES_AT_ALL: u16 = 1290;

/// What the server lists for a login, with the roles that are active.
#[derive(Clone, Debug, Default)]
pub struct Privileges {
    grants: Vec<Grant>,
    /// The server checks no privileges.
    unrestricted: bool,
    /// The server compares names of databases and tables without case.
    folds_names: bool,
    /// `_` and `%` in a database's name stand for themselves.
    literal_names: bool,
}

/// A line of `show grants`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grant {
    /// A partial revoke: an exception to a global grant.
    revokes: bool,
    privileges: Vec<Privilege>,
    level: Level,
}

/// A privilege by its name in upper case, and the columns that it is for, where it names some.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Privilege {
    name: String,
    /// `None` where it is for all columns.
    columns: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Global,
    /// A name, or a pattern with `_` and `%`.
    Database(String),
    Table(String, String),
}

impl Connection {
    /// The privileges of this connection's login.
    ///
    /// Sources: MySQL Reference Manual, "SHOW GRANTS Statement", "Privilege Restriction Using
    /// Partial Revokes"; MariaDB documentation, "SHOW GRANTS".
    pub fn privileges(&mut self) -> Result<Privileges, Error> {
        let lines = match self.query_text("show grants") {
            Err(error) if error.code() == Some(NO_PRIVILEGES_AT_ALL) => {
                return Ok(Privileges {
                    unrestricted: true,
                    ..Privileges::default()
                });
            }
            lines => lines?,
        };
        let folding = self.query_text("select @@global.lower_case_table_names")?;
        let literal = self.dialect.partial_revokes();
        let literal = self.query_text(&format!("select {literal}"))?;
        let is_on = |rows: Vec<Vec<Option<String>>>| {
            let value = rows.into_iter().flatten().flatten().next();
            value.is_some_and(|value| value != "0")
        };
        Ok(Privileges {
            grants: lines
                .iter()
                .filter_map(|row| parse(row.first()?.as_deref()?))
                .collect(),
            unrestricted: false,
            folds_names: is_on(folding),
            literal_names: is_on(literal),
        })
    }
}

impl Privileges {
    /// Whether the login has a privilege on all databases.
    pub fn on_server(&self, privilege: &str) -> bool {
        self.unrestricted
            || self
                .grants
                .iter()
                .any(|grant| grant.level == Level::Global && grant.gives(privilege))
    }

    /// Whether the login has a privilege on a whole database, tables to come included.
    pub fn on_database(&self, privilege: &str, database: &str) -> bool {
        let of_the_database = |grant: &&Grant| match &grant.level {
            Level::Database(name) => self.names_database(name, database),
            _ => false,
        };
        let own: Vec<&Grant> = self.grants.iter().filter(of_the_database).collect();
        if self.on_server(privilege) {
            return !own
                .iter()
                .any(|grant| grant.revokes && grant.gives(privilege));
        }
        // Of several grants to one account the server takes the one with the most specific name;
        // which account a line is for (the login, a role) is not told apart here. So one for the
        // very name decides, and among patterns each of them must give it.
        let mut by_name = own.iter().filter(|grant| grant.is_on(database)).peekable();
        if by_name.peek().is_some() {
            return by_name.any(|grant| grant.gives(privilege));
        }
        !own.is_empty() && own.iter().all(|grant| grant.gives(privilege))
    }

    /// Whether the login has a privilege on a table, by itself or with its database.
    pub fn on_table(&self, privilege: &str, database: &str, table: &str) -> bool {
        self.on_database(privilege, database)
            || self
                .of_table(database, table)
                .any(|grant| grant.gives(privilege))
    }

    /// The columns of a table for which alone the login has a privilege.
    pub fn on_columns(&self, privilege: &str, database: &str, table: &str) -> BTreeSet<&str> {
        let privileges = self.of_table(database, table).flat_map(|g| &g.privileges);
        privileges
            .filter(|found| found.name == privilege)
            .flat_map(|found| found.columns.iter().flatten().map(String::as_str))
            .collect()
    }

    fn of_table(&self, database: &str, table: &str) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| match &grant.level {
            Level::Table(of, name) => self.same(of, database) && self.same(name, table),
            _ => false,
        })
    }

    fn same(&self, a: &str, b: &str) -> bool {
        a == b || self.folds_names && a.to_lowercase() == b.to_lowercase()
    }

    fn names_database(&self, pattern: &str, database: &str) -> bool {
        if self.literal_names {
            return self.same(pattern, database);
        }
        let fold = |text: &str| match self.folds_names {
            true => text.to_lowercase(),
            false => text.to_owned(),
        };
        let (pattern, database) = (fold(pattern), fold(database));
        let pattern: Vec<char> = pattern.chars().collect();
        let database: Vec<char> = database.chars().collect();
        is_like(&pattern, &database)
    }
}

impl Grant {
    /// Whether it is on the database of that very name, and on no pattern that includes it.
    fn is_on(&self, database: &str) -> bool {
        let spelled = |name: &String| name.replace("\\_", "_").replace("\\%", "%");
        matches!(&self.level, Level::Database(name) if spelled(name) == database)
    }

    fn gives(&self, privilege: &str) -> bool {
        self.privileges.iter().any(|found| {
            found.columns.is_none()
                && (found.name == privilege
                    || matches!(found.name.as_str(), "ALL" | "ALL PRIVILEGES"))
        })
    }
}

/// `like`, as it is used for the names of databases: `_` is one character, `%` any number, and
/// a backslash takes the next one as it is.
fn is_like(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['\\', literal, rest @ ..] => text.first() == Some(literal) && is_like(rest, &text[1..]),
        ['%', rest @ ..] => (0..=text.len()).any(|skipped| is_like(rest, &text[skipped..])),
        ['_', rest @ ..] => !text.is_empty() && is_like(rest, &text[1..]),
        [literal, rest @ ..] => text.first() == Some(literal) && is_like(rest, &text[1..]),
    }
}

/// Reads a line of `show grants`; none where it is about a role, a routine or a proxy.
fn parse(line: &str) -> Option<Grant> {
    let (revokes, rest) = match line.strip_prefix("GRANT ") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("REVOKE ")?),
    };
    let (privileges, rest) = split_outside_of_names(rest, " ON ")?;
    let level = parse_level(rest.strip_prefix("TABLE ").unwrap_or(rest))?;
    let mut list = Vec::new();
    let mut left = Some(privileges);
    while let Some(text) = left {
        let (one, rest) = match split_outside_of_names(text, ",") {
            Some((one, rest)) => (one, Some(rest)),
            None => (text, None),
        };
        list.push(parse_privilege(one.trim()));
        left = rest;
    }
    let is_table = matches!(level, Level::Table(..));
    if !is_table && list.iter().any(|privilege| privilege.columns.is_some()) {
        // Columns belong to a table: a name of theirs was taken for something else.
        return None;
    }
    Some(Grant {
        revokes,
        privileges: list,
        level,
    })
}

/// ``SELECT (`a`, `b`)`` or `SELECT`.
fn parse_privilege(text: &str) -> Privilege {
    let Some((name, mut left)) = text.split_once('(') else {
        return Privilege {
            name: text.trim().to_ascii_uppercase(),
            columns: None,
        };
    };
    let mut columns = Vec::new();
    loop {
        left = left.trim_start_matches([' ', ',']);
        if let Some((column, rest)) = parse_name(left) {
            columns.push(column);
            left = rest;
            continue;
        }
        // A server that puts no quotes around them.
        let end = left.find([',', ')']).unwrap_or(left.len());
        if end == 0 {
            break;
        }
        columns.push(left[..end].trim().to_owned());
        left = &left[end..];
    }
    Privilege {
        name: name.trim().to_ascii_uppercase(),
        columns: Some(columns),
    }
}

/// `*.*`, `` `database`.* `` or `` `database`.`table` ``.
fn parse_level(text: &str) -> Option<Level> {
    if text.starts_with("*.*") {
        return Some(Level::Global);
    }
    let (database, rest) = parse_name(text)?;
    let rest = rest.strip_prefix('.')?;
    if rest.starts_with('*') {
        return Some(Level::Database(database));
    }
    let (table, _) = parse_name(rest)?;
    Some(Level::Table(database, table))
}

/// A name in backquotes, and what stands behind it.
fn parse_name(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('`')?;
    let mut name = String::new();
    let mut characters = inside.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character != '`' {
            name.push(character);
        } else if characters.next_if(|(_, next)| *next == '`').is_some() {
            name.push('`');
        } else {
            return Some((name, &inside[at + 1..]));
        }
    }
    None
}

/// What stands before and behind a separator that is in no backquotes or brackets.
fn split_outside_of_names<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    let mut in_name = false;
    let mut depth = 0usize;
    for (at, character) in text.char_indices() {
        match character {
            '`' => in_name = !in_name,
            '(' if !in_name => depth += 1,
            ')' if !in_name => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !in_name && depth == 0 && text[at..].starts_with(separator) {
            return Some((&text[..at], &text[at + separator.len()..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Privileges {
        Privileges {
            grants: lines.iter().filter_map(|line| parse(line)).collect(),
            ..Privileges::default()
        }
    }

    #[test]
    fn a_privilege_on_a_database_is_none_on_one_of_its_tables_and_the_other_way_round() {
        let privileges = of(&[
            "GRANT USAGE ON *.* TO `u`@`%`",
            "GRANT SELECT, LOCK TABLES ON `shop`.* TO `u`@`%`",
            "GRANT SELECT, INSERT (`id`) ON `crm`.`a ON b` TO `u`@`%`",
            "GRANT SELECT (`id`, `it``s, (x`), INSERT ON `crm`.`c` TO `u`@`%` WITH GRANT OPTION",
            "GRANT EXECUTE ON PROCEDURE `crm`.`p` TO `u`@`%`",
            "GRANT PROXY ON ``@`%` TO `u`@`%`",
            "GRANT `r1` TO `u`@`%`",
        ]);
        assert!(privileges.on_database("SELECT", "shop"));
        assert!(privileges.on_database("LOCK TABLES", "shop"));
        assert!(!privileges.on_database("TRIGGER", "shop"));
        assert!(!privileges.on_database("SELECT", "crm") && !privileges.on_server("SELECT"));
        assert!(privileges.on_table("SELECT", "shop", "any"));
        assert!(privileges.on_table("SELECT", "crm", "a ON b"));
        assert!(!privileges.on_table("SELECT", "crm", "c"));
        assert!(privileges.on_table("INSERT", "crm", "c"));
        let columns = privileges.on_columns("SELECT", "crm", "c");
        assert_eq!(columns.into_iter().collect::<Vec<_>>(), ["id", "it`s, (x"]);
        assert!(!privileges.on_database("EXECUTE", "crm"));
    }

    #[test]
    fn columns_without_quotes_are_columns_all_the_same() {
        let privileges = of(&[
            "GRANT SELECT (id, name), INSERT ON `crm`.`c` TO `u`@`%`",
            "GRANT SELECT (x) ON *.* TO y) ON `crm`.`d` TO `u`@`%`",
        ]);
        assert!(!privileges.on_table("SELECT", "crm", "c") && !privileges.on_server("SELECT"));
        assert!(privileges.on_table("INSERT", "crm", "c"));
        let columns = privileges.on_columns("SELECT", "crm", "c");
        assert_eq!(columns.into_iter().collect::<Vec<_>>(), ["id", "name"]);
    }

    #[test]
    fn a_grant_on_the_very_name_goes_before_those_on_patterns() {
        let privileges = of(&[
            "GRANT SELECT ON `shop%`.* TO `u`@`%`",
            "GRANT EXECUTE ON `shop1`.* TO `u`@`%`",
            "GRANT LOCK TABLES ON `shop\\_2`.* TO `u`@`%`",
            "GRANT SELECT ON `shop\\_2`.* TO `role`",
            "GRANT EXECUTE ON `%3`.* TO `u`@`%`",
        ]);
        for (database, is_seen) in [
            ("shop", true),
            ("shop1", false),
            ("shop_2", true),
            ("shop3", false),
        ] {
            let found = privileges.on_database("SELECT", database);
            assert_eq!(found, is_seen, "{database}");
        }
    }

    #[test]
    fn names_of_databases_are_patterns_where_the_server_takes_them_for_such() {
        let mut privileges = of(&[
            "GRANT SELECT ON `shop\\_1`.* TO `u`@`%`",
            "GRANT SELECT ON `a_c%`.* TO `u`@`%`",
        ]);
        for (database, is_seen) in [
            ("shop_1", true),
            ("shopx1", false),
            ("abc", true),
            ("abcdef", true),
            ("ac", false),
            ("ABC", false),
        ] {
            let found = privileges.on_database("SELECT", database);
            assert_eq!(found, is_seen, "{database}");
        }
        privileges.folds_names = true;
        assert!(privileges.on_database("SELECT", "ABC"));
        privileges.literal_names = true;
        assert!(!privileges.on_database("SELECT", "abc"));
        assert!(privileges.on_database("SELECT", "a_c%"));
    }

    #[test]
    fn a_partial_revoke_is_an_exception_to_a_global_grant() {
        let privileges = of(&[
            "GRANT SELECT, RELOAD ON *.* TO `u`@`%`",
            "GRANT BACKUP_ADMIN,SHOW_ROUTINE ON *.* TO `u`@`%`",
            "REVOKE SELECT ON `crm`.* FROM `u`@`%`",
        ]);
        assert!(privileges.on_server("SHOW_ROUTINE") && privileges.on_database("SELECT", "shop"));
        assert!(!privileges.on_database("SELECT", "crm"));
        let all = of(&["GRANT ALL PRIVILEGES ON *.* TO `root`@`%` IDENTIFIED BY PASSWORD '*X'"]);
        assert!(all.on_database("TRIGGER", "shop"));
    }
}
