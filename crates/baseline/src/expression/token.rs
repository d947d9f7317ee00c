//! The words of an expression.

/// A word of MySQL's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name in backquotes, without them.
    Column(String),
    /// A text, without its quotes.
    Text(String),
    /// A number as it is written.
    Number(String),
    /// A bare word in lower case.
    Word(String),
    /// Anything else, of one or two characters.
    Sign(String),
}

impl Token {
    /// Whether it is this word or sign.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) | Self::Sign(text) if text == word)
    }
}

/// The tokens; `None` where a quote is not closed. Character sets before texts are left out.
pub(super) fn tokens(sql: &str) -> Option<Vec<Token>> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '`' => {
                let (name, after) = quoted(&rest[1..], '`')?;
                (Token::Column(name), after)
            }
            '\'' => {
                if matches!(tokens.last(), Some(Token::Word(word)) if word.starts_with('_')) {
                    tokens.pop();
                }
                let (text, after) = quoted(&rest[1..], '\'')?;
                (Token::Text(text), after)
            }
            c if c.is_ascii_digit() => {
                let end = end(rest, |c| c.is_ascii_digit() || c == '.');
                (Token::Number(rest[..end].to_owned()), &rest[end..])
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = end(rest, |c| c.is_alphanumeric() || c == '_');
                (Token::Word(rest[..end].to_lowercase()), &rest[end..])
            }
            _ => {
                let two = ["<>", "!=", "<=", ">=", "||", "&&", "<<", ">>", ":="];
                let pair = two.into_iter().find(|pair| rest.starts_with(pair));
                let length = pair.map_or(first.len_utf8(), str::len);
                (Token::Sign(rest[..length].to_owned()), &rest[length..])
            }
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

fn end(text: &str, within: impl Fn(char) -> bool) -> usize {
    text.find(|c| !within(c)).unwrap_or(text.len())
}

/// What stands before the closing quote, and what is behind it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            let after = &text[at + 1..];
            if !after.starts_with(quote) {
                return Some((value, after));
            }
            characters.next();
            value.push(quote);
        } else if character == '\\' && quote == '\'' {
            value.push(match characters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                // Neither is a text of PostgreSQL's, or it means something else in `like`.
                '0' | 'b' | 'Z' | '%' | '_' => return None,
                other => other,
            });
        } else {
            value.push(character);
        }
    }
    None
}
