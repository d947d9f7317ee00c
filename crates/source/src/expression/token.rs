//! The words, texts and signs of an expression.
//!
//! Texts and words come out in one spelling; what they mean together is the parser's affair.

use catalog::quote;

/// A token in its one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword, a function or a type: lower case.
    Word(String),
    /// A text, number or quoted name.
    Operand(String),
    /// An operator, bracket or comma.
    Sign(String),
}

impl Token {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Operand(text) | Self::Sign(text) => text,
        }
    }

    /// Whether it is this word or sign.
    pub(super) fn is(&self, text: &str) -> bool {
        !matches!(self, Self::Operand(_)) && self.text() == text
    }

    pub(super) fn is_word(&self) -> bool {
        matches!(self, Self::Word(_))
    }
}

/// Signs of two and three characters, the longest first.
const SIGNS: [&str; 11] = [
    "->>", "<=>", "->", "<=", ">=", "<>", "!=", "<<", ">>", "&&", "||",
];

/// The tokens of a text; none where one of them has no end.
pub(super) fn tokens(sql: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '`' => quoted_length(rest, '`')?,
            '\'' | '"' => quoted_length(rest, first)?,
            _ if first.is_ascii_digit() => number_length(rest),
            _ if is_word(first) => word_length(rest),
            _ => SIGNS
                .iter()
                .find(|sign| rest.starts_with(**sign))
                .map_or(first.len_utf8(), |sign| sign.len()),
        };
        let (text, after) = rest.split_at(length);
        rest = after.trim_start();
        let token = match first {
            '`' => Token::Operand(text.to_owned()),
            '\'' | '"' => Token::Operand(quote::mysql_literal(&content(text))),
            _ if first.is_ascii_digit() => Token::Operand(text.to_owned()),
            _ if is_word(first) && after.starts_with('\'') => {
                let length = quoted_length(after, '\'')?;
                let (literal, after) = after.split_at(length);
                rest = after.trim_start();
                Token::Operand(introduced(text, literal))
            }
            _ if is_word(first) => Token::Word(synonym(&text.to_ascii_lowercase()).to_owned()),
            _ => Token::Sign(one_sign(text).to_owned()),
        };
        tokens.push(token);
    }
    Some(tokens)
}

/// A text behind the name of its character set, which says nothing where the text is in the
/// usual one; bits (`b'1'`) and bytes (`x'00'`) stay as they are.
fn introduced(word: &str, literal: &str) -> String {
    let charset = word.to_ascii_lowercase();
    let content = content(literal);
    let unicode = matches!(charset.as_str(), "_utf8mb4" | "_utf8mb3" | "_utf8");
    let ascii_superset = charset == "_latin1" || charset == "_ascii";
    if unicode || (ascii_superset && content.is_ascii()) {
        return quote::mysql_literal(&content);
    }
    format!("{word}{literal}")
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | '@')
}

fn word_length(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

/// Digits, a point, an exponent with its sign; bytes such as `0xFF`.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let hex = text.starts_with("0x");
    let mut end = 0;
    while end < bytes.len() {
        let exponent_sign = !hex && end > 0 && matches!(bytes[end - 1], b'e' | b'E');
        match bytes[end] {
            b'+' | b'-' if exponent_sign => {}
            b'.' => {}
            other if other.is_ascii_alphanumeric() => {}
            _ => break,
        }
        end += 1;
    }
    end
}

/// Up to the closing quote; quotes within are doubled or, but in names, behind a backslash.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && quote != '`' {
            characters.next()?;
        } else if character == quote {
            match characters.peek() {
                Some((_, next)) if *next == quote => drop(characters.next()),
                _ => return Some(at + character.len_utf8()),
            }
        }
    }
    None
}

/// What a text in quotes says (MySQL Reference Manual, "String Literals").
fn content(quoted: &str) -> String {
    let quote = quoted.chars().next().unwrap_or('\'');
    let inside = &quoted[1..quoted.len() - 1];
    let mut content = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match (character, characters.clone().next()) {
            ('\\', Some(escaped)) => {
                characters.next();
                // Both stay escaped: a pattern of `like` tells them from the bare sign.
                if matches!(escaped, '%' | '_') {
                    content.push('\\');
                }
                content.push(unescaped(escaped));
            }
            (first, Some(second)) if first == quote && second == quote => {
                characters.next();
                content.push(quote);
            }
            _ => content.push(character),
        }
    }
    content
}

/// The character behind a backslash and this one.
pub(crate) fn unescaped(escaped: char) -> char {
    match escaped {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        '0' => '\0',
        'Z' => '\u{1a}',
        other => other,
    }
}

/// The one name of what has several.
fn synonym(word: &str) -> &str {
    match word {
        "now" | "localtime" | "localtimestamp" => "current_timestamp",
        "current_date" => "curdate",
        "current_time" => "curtime",
        "ucase" => "upper",
        "lcase" => "lower",
        "octet_length" => "length",
        "character_length" => "char_length",
        "substring" | "mid" => "substr",
        "power" => "pow",
        "ceil" => "ceiling",
        "rlike" => "regexp",
        other => other,
    }
}

fn one_sign(sign: &str) -> &str {
    match sign {
        "!=" => "<>",
        "&&" => "and",
        "||" => "or",
        other => other,
    }
}
