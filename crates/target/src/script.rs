//! Splits a script into its statements by PostgreSQL's own lexical rules (manual, section 4.1).
//!
//! For scripts that are applied in one transaction: what would end it is refused here. It reads
//! no grammar; whether a statement makes sense is the server's to say.

mod mentioned;

use std::fmt;

pub(crate) use mentioned::Mentioned;

/// Why a script cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// Line at which the reason begins, counted from 1.
    pub line: usize,
    why: String,
}

/// The statements of a script, from their first word to the last character before the
/// semicolon; pieces without any content, such as a comment at the end, are left out.
///
/// # Errors
/// Where a quote, a comment, a parenthesis or a body has no end, or a statement would end the
/// transaction that the script is applied in.
pub fn statements(sql: &str) -> Result<Vec<&str>, ScriptError> {
    let mut statements = Vec::new();
    let mut statement = Statement::default();
    let mut at = 0;
    while at < sql.len() {
        let token = token(sql, at)?;
        at = token.end;
        match token.kind {
            TokenKind::Blank => {}
            TokenKind::Mark(b';') if statement.is_closed() => {
                statements.extend(statement.finish(sql)?);
                statement = Statement::default();
            }
            _ => statement.add(sql, &token),
        }
    }
    statements.extend(statement.finish(sql)?);
    Ok(statements)
}

/// The line on which a statement of a script begins, counted from 1.
pub fn line_of(sql: &str, statement: &str) -> usize {
    let start = (statement.as_ptr() as usize).checked_sub(sql.as_ptr() as usize);
    let start = start.filter(|start| *start <= sql.len());
    line_at(sql, start.expect("a statement is a part of its script"))
}

/// Whether a statement changes settings of the session or the transaction.
pub(crate) fn is_setting(statement: &str) -> bool {
    let lowercase = statement.to_ascii_lowercase();
    let mut words = lowercase.split(|character: char| !character.is_ascii_alphabetic());
    match words.next() {
        Some("set" | "reset") => true,
        // As dumps have it.
        Some("select") => lowercase.contains("set_config("),
        _ => false,
    }
}

/// Whether a statement may do what no rollback undoes, such as `select setval(…)`, or goes through
/// code that may: it makes nothing by itself.
pub fn may_outlive_a_rollback(statement: &str) -> bool {
    let mut words = statement.split(|character: char| !character.is_ascii_alphabetic());
    let word = words.next().unwrap_or_default().to_ascii_lowercase();
    let runs = [
        "select", "with", "values", "table", "do", "call", "execute", "explain", "",
    ];
    runs.contains(&word.as_str()) && !is_setting(statement)
}

fn line_at(sql: &str, offset: usize) -> usize {
    let before = &sql.as_bytes()[..offset];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

impl ScriptError {
    fn new(sql: &str, offset: usize, why: impl Into<String>) -> Self {
        Self {
            line: line_at(sql, offset),
            why: why.into(),
        }
    }

    /// The reason, without the line.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for ScriptError {}

/// A part of a script that means something by itself.
struct Token {
    kind: TokenKind,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    /// White space or a comment.
    Blank,
    /// A keyword or a name without quotes.
    Word,
    /// A text or a name in quotes.
    Quoted,
    /// Any other character; of one with several bytes the first.
    Mark(u8),
}

/// A statement as far as it is read.
#[derive(Default)]
struct Statement {
    /// Where its first token begins and its last one ends.
    place: Option<(usize, usize)>,
    /// Its first words in lower case, as many as tell what it is.
    head: Vec<String>,
    /// Where the open parentheses are: a rule holds several statements in a pair of them.
    parentheses: Vec<usize>,
    /// Where the body of an SQL function and its `case`s that have no `end` yet begin.
    bodies: Vec<usize>,
    /// The token before, in lower case where it is a word.
    previous: String,
}

/// `create or replace function` is the longest beginning that has to be known.
const HEAD_WORDS: usize = 4;

impl Statement {
    fn is_closed(&self) -> bool {
        self.parentheses.is_empty() && self.bodies.is_empty()
    }

    fn add(&mut self, sql: &str, token: &Token) {
        let start = self.place.map_or(token.start, |(start, _)| start);
        self.place = Some((start, token.end));
        let text = sql[token.start..token.end].to_ascii_lowercase();
        match token.kind {
            TokenKind::Word => {
                self.add_word(&text, token.start);
                if self.head.len() < HEAD_WORDS {
                    self.head.push(text.clone());
                }
            }
            TokenKind::Mark(b'(') => self.parentheses.push(token.start),
            TokenKind::Mark(b')') => {
                self.parentheses.pop();
            }
            _ => {}
        }
        self.previous = text;
    }

    /// Keeps count of what ends with `end`, as psql does.
    fn add_word(&mut self, word: &str, start: usize) {
        // Behind these it is a name: `row.end`, `1 as end`.
        if !self.is_routine() || ["as", "."].contains(&self.previous.as_str()) {
            return;
        }
        match word {
            "atomic" if self.previous == "begin" && self.is_closed() => self.bodies.push(start),
            "case" if !self.bodies.is_empty() => self.bodies.push(start),
            "end" => {
                self.bodies.pop();
            }
            _ => {}
        }
    }

    fn is_routine(&self) -> bool {
        let head: Vec<&str> = self.head.iter().map(String::as_str).collect();
        let what = match head[..] {
            ["create", "or", "replace", what] | ["create", what, ..] => what,
            _ => return false,
        };
        ["function", "procedure"].contains(&what)
    }

    /// The statement as it stands in the script.
    fn finish(self, sql: &str) -> Result<Option<&str>, ScriptError> {
        let Some((start, end)) = self.place else {
            return Ok(None);
        };
        if let Some(why) = self.refusal(&sql[start..]) {
            return Err(ScriptError::new(sql, start, why));
        }
        for (open, what) in [
            (self.parentheses.first(), "a parenthesis is not closed"),
            (self.bodies.first(), "a body has no `end`"),
        ] {
            if let Some(open) = open {
                return Err(ScriptError::new(sql, *open, what));
            }
        }
        Ok(Some(&sql[start..end]))
    }

    /// Why the statement may not be in a baseline.
    fn refusal(&self, text: &str) -> Option<String> {
        if text.starts_with('\\') {
            return Some(
                "a command of psql, which the server does not know; a baseline is SQL alone"
                    .to_owned(),
            );
        }
        let head: Vec<&str> = self.head.iter().map(String::as_str).collect();
        let words = match head[..] {
            [
                word
                @ ("begin" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release"),
                ..,
            ] => word,
            ["start", "transaction", ..] => "start transaction",
            ["prepare", "transaction", ..] => "prepare transaction",
            ["set", "transaction", ..] | ["set", "local" | "session", "transaction", ..] => {
                "set transaction"
            }
            ["copy", ..] => {
                return Some("`copy` moves rows; a baseline makes a schema alone".to_owned());
            }
            _ => return None,
        };
        // A name in quotes at the beginning is a mistake of another kind.
        let is_first = text.as_bytes()[0].is_ascii_alphabetic();
        is_first.then(|| format!("`{words}`, but a baseline is applied in one transaction"))
    }
}

/// The token at a place that is not the end.
fn token(sql: &str, start: usize) -> Result<Token, ScriptError> {
    let bytes = sql.as_bytes();
    let next = bytes.get(start + 1).copied();
    let unended = |what: &str| ScriptError::new(sql, start, format!("{what} has no end"));
    let (kind, end) = match bytes[start] {
        byte if is_blank(byte) => (TokenKind::Blank, Some(start + 1)),
        b'-' if next == Some(b'-') => (TokenKind::Blank, Some(line_end(bytes, start))),
        b'/' if next == Some(b'*') => (TokenKind::Blank, comment_end(bytes, start)),
        b'\'' | b'"' => (TokenKind::Quoted, quote_end(bytes, start)),
        b'e' | b'E' if next == Some(b'\'') => (TokenKind::Quoted, escaped_end(bytes, start + 1)),
        b'$' => match dollar_tag(sql, start) {
            Some(tag) => (TokenKind::Quoted, dollar_end(sql, start, tag)),
            None => (TokenKind::Mark(b'$'), Some(start + 1)),
        },
        byte if begins_name(byte) => (TokenKind::Word, Some(name_end(bytes, start))),
        byte => (TokenKind::Mark(byte), Some(start + 1)),
    };
    let end = end.ok_or_else(|| match kind {
        TokenKind::Blank => unended("a comment"),
        _ if bytes[start] == b'"' => unended("a quoted name"),
        _ => unended("a quoted text"),
    })?;
    Ok(Token { kind, start, end })
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'\x0b'
}

fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

/// A dollar inside a name belongs to it: `a$b$c` is one.
fn name_end(bytes: &[u8], start: usize) -> usize {
    let belongs = |byte: &u8| begins_name(*byte) || byte.is_ascii_digit() || *byte == b'$';
    let length = bytes[start..].iter().take_while(|byte| belongs(byte));
    start + length.count()
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    let inside = |byte: &&u8| !b"\n\r".contains(byte);
    start + bytes[start..].iter().take_while(inside).count()
}

/// Behind a comment that may hold others.
fn comment_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0;
    let mut at = start;
    while at < bytes.len() {
        match bytes.get(at..at + 2)? {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return Some(at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    None
}

/// Behind a text or name in quotes; a doubled quote reads as the beginning of another one.
fn quote_end(bytes: &[u8], start: usize) -> Option<usize> {
    let length = bytes[start + 1..]
        .iter()
        .position(|byte| *byte == bytes[start])?;
    Some(start + 1 + length + 1)
}

/// Behind an `E'…'`, in which a backslash may stand before a quote. The parts of one that goes
/// on behind a line break are all read so.
fn escaped_end(bytes: &[u8], quote: usize) -> Option<usize> {
    let mut at = quote + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'\'' => match continued(bytes, at + 1) {
                Some(next) => at = next + 1,
                None => return Some(at + 1),
            },
            _ => at += 1,
        }
    }
}

/// The quote with which a text goes on: at once, or behind blanks and comments with a line break.
fn continued(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        match bytes.get(at)? {
            b'\'' => {
                let between = &bytes[start..at];
                let on = between.is_empty() || between.iter().any(|byte| b"\n\r".contains(byte));
                return on.then_some(at);
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => at = line_end(bytes, at),
            byte if is_blank(*byte) => at += 1,
            _ => return None,
        }
    }
}

/// The `$…$` that begins at a place, if it is one.
fn dollar_tag(sql: &str, start: usize) -> Option<&str> {
    let bytes = sql.as_bytes();
    let length = bytes[start + 1..].iter().position(|byte| *byte == b'$')?;
    let name = &bytes[start + 1..start + 1 + length];
    let belongs = |byte: &u8| begins_name(*byte) || byte.is_ascii_digit();
    let is_tag = name.iter().all(belongs) && name.first().is_none_or(|byte| begins_name(*byte));
    is_tag.then(|| &sql[start..start + length + 2])
}

fn dollar_end(sql: &str, start: usize, tag: &str) -> Option<usize> {
    let body = start + tag.len();
    let length = sql[body..].find(tag)?;
    Some(body + length + tag.len())
}

#[cfg(test)]
mod tests;
