//! Checks of meaning: questions about rows that source and target have to answer alike.
//!
//! A directory with a file for each group, each with one question after the other, so that
//! whoever knows the data can add to them without knowing this program.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::exit::Failure;
use crate::plain_file;

/// The line that says that there must be no answer.
const NONE: &str = "-- none";

/// What a `select` does besides reading; a read-only transaction lets it.
const LOCKS_OR_WRITES: [&str; 4] = [" for share", " for update", " lock in share mode", " into "];

/// What stands before a text that has to be compared byte by byte.
const EXACT: &str = "exact(";

/// A question in SQL that both servers understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SemanticCheck {
    /// The file's name without its ending.
    pub(crate) group: String,
    pub(crate) name: String,
    /// Whether a row of the answer is a violation, in whichever database.
    pub(crate) none: bool,
    pub(crate) for_source: String,
    pub(crate) for_target: String,
}

impl SemanticCheck {
    /// Those of a directory, by file name and in the order of each file.
    pub(crate) fn read(directory: &Path) -> Result<Vec<Self>, Failure> {
        let unreadable = |path: &Path, why: &dyn fmt::Display| {
            Failure::usage(format!("{}: {why}", path.display()))
                .hint("`checks` of the configuration names a directory beside it")
        };
        let entries = fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
        let mut files = Vec::new();
        for entry in entries {
            let file = entry.map_err(|error| unreadable(directory, &error))?.path();
            if file.extension().is_some_and(|ending| ending == "sql") {
                files.push(file);
            }
        }
        files.sort();
        let mut checks = Vec::new();
        for file in files {
            let text = plain_file::read_text(&file).map_err(|error| unreadable(&file, &error))?;
            let group = file.file_stem().unwrap_or_default().to_string_lossy();
            checks.extend(of_file(&group, &text).map_err(|why| unreadable(&file, &why))?);
        }
        match checks.is_empty() {
            true => Err(unreadable(directory, &"holds no check")),
            false => Ok(checks),
        }
    }
}

/// The checks of a file: blocks between empty lines, each with its name in a comment before it.
/// A block of comments alone speaks to people.
fn of_file(group: &str, text: &str) -> Result<Vec<SemanticCheck>, String> {
    let text = text.replace("\r\n", "\n");
    let blocks = text.split("\n\n").map(str::trim);
    let mut checks: Vec<SemanticCheck> = Vec::new();
    for block in blocks.filter(|block| block.lines().any(|line| !line.starts_with("--"))) {
        let (head, sql): (Vec<&str>, Vec<&str>) =
            block.lines().partition(|line| line.starts_with("--"));
        let mut names = head.iter().filter(|line| **line != NONE);
        let (Some(name), None) = (names.next(), names.next()) else {
            return Err(format!("a check has no name, or several: `{}`", sql[0]));
        };
        let name = name.trim_start_matches('-').trim();
        let sql = sql.join("\n");
        let sql = sql.trim_end().trim_end_matches(';').to_owned();
        let first = sql.split_ascii_whitespace().next().unwrap_or_default();
        // What writes would end the transaction that has to read one moment.
        if !["select", "with"].contains(&first.to_ascii_lowercase().as_str()) || sql.contains(';') {
            return Err(format!("`{name}` is not one query (`select` or `with`)"));
        }
        let words: Vec<&str> = sql.split_ascii_whitespace().collect();
        let words = format!(" {} ", words.join(" ").to_ascii_lowercase());
        if let Some(what) = LOCKS_OR_WRITES.iter().find(|what| words.contains(**what)) {
            return Err(format!(
                "`{name}` has `{}`, and has to read alone",
                what.trim()
            ));
        }
        if checks.iter().any(|other| other.name == name) {
            return Err(format!("`{name}` is there twice"));
        }
        checks.push(SemanticCheck {
            group: group.to_owned(),
            name: name.to_owned(),
            none: head.contains(&NONE),
            for_source: exact_for_source(&sql)
                .ok_or_else(|| format!("`exact(` of `{name}` does not hold one column"))?,
            for_target: sql.replace(EXACT, "("),
        });
    }
    Ok(checks)
}

/// Texts of the source have a character set and a collation of their own, mostly without case.
fn exact_for_source(sql: &str) -> Option<String> {
    let mut parts = sql.split(EXACT);
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (column, rest) = part.split_once(')')?;
        if column.contains('(') {
            return None;
        }
        text += &format!("cast(convert({column} using utf8mb4) as binary){rest}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_block_by_block() {
        let text = "-- For people.\n\n-- all are there\nselect count(*)\nfrom t;\n\n\
             -- nobody is alone\n-- none\nwith x as (select 1) select * from x\n";
        let check = |name: &str, none, sql: &str| SemanticCheck {
            group: "g".to_owned(),
            name: name.to_owned(),
            none,
            for_source: sql.to_owned(),
            for_target: sql.to_owned(),
        };
        let expected = [
            check("all are there", false, "select count(*)\nfrom t"),
            check(
                "nobody is alone",
                true,
                "with x as (select 1) select * from x",
            ),
        ];
        assert_eq!(of_file("g", text).unwrap(), expected);
    }

    #[test]
    fn texts_are_compared_byte_by_byte_where_that_is_said() {
        let text = "-- a\nselect exact(\"type\"), count(distinct exact(name)) from t \
             group by exact(\"type\")";
        let check = of_file("g", text).unwrap().remove(0);
        assert_eq!(
            check.for_source,
            "select cast(convert(\"type\" using utf8mb4) as binary), \
             count(distinct cast(convert(name using utf8mb4) as binary)) from t \
             group by cast(convert(\"type\" using utf8mb4) as binary)"
        );
        assert_eq!(
            check.for_target,
            "select (\"type\"), count(distinct (name)) from t group by (\"type\")"
        );
        assert!(of_file("g", "-- a\nselect exact(lower(name)) from t").is_err());
    }

    #[test]
    fn what_is_not_one_query_with_one_name_is_refused() {
        for (text, why) in [
            ("select 1;", "has no name"),
            ("-- a\n-- b\nselect 1;", "or several"),
            ("-- a\nselect 1 from t\nfor\tshare;", "has `for share`"),
            ("-- a\nselect 1 into outfile 'x';", "has `into`"),
            ("-- a\ndelete from t;", "not one query"),
            ("-- a\nselect 1; drop table t;", "not one query"),
            ("-- a\nselect 1;\n\n-- a\nselect 2;", "twice"),
        ] {
            let error = of_file("g", text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
