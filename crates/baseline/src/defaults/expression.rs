//! Reads the SQL of a default: literals, and calls of functions with such arguments.
//!
//! Knows how both families spell them, not what they mean. Operators, columns and everything else
//! are not read.

/// What a default says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Null,
    Boolean(bool),
    /// Digits with a sign, a point or an exponent.
    Number(String),
    Text(String),
    /// `0x6162` or `x'6162'`.
    Bytes(Vec<u8>),
    /// `b'101'`, the digits.
    Bits(String),
    /// A text with characters that the server does not show as they are.
    Damaged,
    /// A function by its lower-case name.
    Call {
        name: String,
        arguments: Vec<Expression>,
    },
}

/// No server's default nests deeper; the parser calls itself.
const DEPTH_MAX: u32 = 32;

/// Functions that are called without brackets.
const WORDS: [&str; 8] = [
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "utc_timestamp",
    "utc_date",
    "utc_time",
];

/// The expression, or `None` where there is something that is not read here.
pub(super) fn parse(sql: &str) -> Option<Expression> {
    let mut parser = Parser { rest: sql };
    let expression = parser.expression(0)?;
    parser.skip_blanks();
    parser.rest.is_empty().then_some(expression)
}

struct Parser<'s> {
    rest: &'s str,
}

impl Parser<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes a character where it is next.
    fn take(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.to_owned()
    }

    fn expression(&mut self, depth: u32) -> Option<Expression> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip_blanks();
        match self.peek()? {
            '(' => {
                self.take('(');
                let inner = self.expression(depth + 1)?;
                self.take(')').then_some(inner)
            }
            '\'' | '"' => self.string().map(Expression::Text),
            '-' | '+' | '.' | '0'..='9' => self.number(),
            _ => self.word(depth),
        }
    }

    /// A string in either quotes, with its escapes.
    ///
    /// Source: MySQL Reference Manual, "String Literals".
    fn string(&mut self) -> Option<String> {
        let mut characters = self.rest.chars();
        let quote = characters.next()?;
        let mut text = String::new();
        loop {
            match characters.next()? {
                c if c == quote => {
                    if !characters.as_str().starts_with(quote) {
                        break;
                    }
                    characters.next();
                    text.push(quote);
                }
                '\\' => match characters.next()? {
                    '0' => text.push('\0'),
                    'b' => text.push('\u{8}'),
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'Z' => text.push('\u{1a}'),
                    wildcard @ ('%' | '_') => text.extend(['\\', wildcard]),
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }

    fn number(&mut self) -> Option<Expression> {
        let mut sign = String::new();
        while let Some(c @ ('-' | '+')) = self.peek() {
            if !sign.is_empty() {
                return None;
            }
            self.take(c);
            sign.push(c);
            self.skip_blanks();
        }
        let digits = self.take_while(|c| c.is_ascii_alphanumeric() || c == '.');
        if let Some(hex) = digits.strip_prefix("0x") {
            return sign.is_empty().then(|| bytes(hex))?.map(Expression::Bytes);
        }
        if let Some(bits) = digits.strip_prefix("0b") {
            return sign.is_empty().then(|| as_bits(bits))?;
        }
        let mut number = digits;
        // An exponent's sign is no part of the run of letters and digits.
        if number.ends_with(['e', 'E']) {
            number.push(self.peek().filter(|c| matches!(c, '-' | '+'))?);
            self.rest = &self.rest[1..];
            number.push_str(&self.take_while(|c| c.is_ascii_digit()));
        }
        let legal = number.parse::<f64>().is_ok()
            && number.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        let minus = if sign == "-" { "-" } else { "" };
        legal.then(|| Expression::Number(format!("{minus}{}", number.to_ascii_lowercase())))
    }

    fn word(&mut self, depth: u32) -> Option<Expression> {
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let word = word.to_ascii_lowercase();
        if let Some(set) = word.strip_prefix('_') {
            return self.introduced(set);
        }
        match (word.as_str(), self.peek()) {
            ("b", Some('\'')) => return as_bits(&self.string()?),
            ("x", Some('\'')) => return bytes(&self.string()?).map(Expression::Bytes),
            ("n", Some('\'')) => return self.string().map(Expression::Text),
            ("null", _) => return Some(Expression::Null),
            ("true", _) => return Some(Expression::Boolean(true)),
            ("false", _) => return Some(Expression::Boolean(false)),
            ("", _) => return None,
            _ => {}
        }
        if !self.take('(') {
            let call = WORDS.contains(&word.as_str());
            return call.then(|| Expression::Call {
                name: word,
                arguments: Vec::new(),
            });
        }
        if word == "cast" {
            return self.cast(depth);
        }
        let mut arguments = Vec::new();
        while !self.take(')') {
            if !arguments.is_empty() && !self.take(',') {
                return None;
            }
            arguments.push(self.expression(depth + 1)?);
        }
        Some(Expression::Call {
            name: word,
            arguments,
        })
    }

    /// `_utf8mb4'x'`: text in the character set that is named, which is only read where it says
    /// the same in UTF-8.
    fn introduced(&mut self, set: &str) -> Option<Expression> {
        let value = self.expression(DEPTH_MAX)?;
        match (set, &value) {
            // MySQL shows the bytes of such a text as if they were latin1 (9.7), MariaDB never
            // writes a character set before a text of its own.
            ("utf8mb4" | "utf8mb3" | "utf8", Expression::Text(text)) if !text.is_ascii() => {
                Some(Expression::Damaged)
            }
            ("utf8mb4" | "utf8mb3" | "utf8", _) => Some(value),
            ("binary", Expression::Text(text)) => {
                Some(Expression::Bytes(text.clone().into_bytes()))
            }
            ("binary", Expression::Bytes(_)) => Some(value),
            (_, Expression::Text(text)) if text.is_ascii() => Some(value),
            _ => None,
        }
    }

    /// `cast(… as json)` and `cast(… as char)` of a text: the text.
    fn cast(&mut self, depth: u32) -> Option<Expression> {
        let value = self.expression(depth + 1)?;
        self.skip_blanks();
        let rest = self.take_while(|c| c != ')').to_ascii_lowercase();
        let words: Vec<&str> = rest.split_whitespace().collect();
        let kept = matches!(value, Expression::Text(_))
            && matches!(words.as_slice(), ["as", "json" | "char", ..]);
        (self.take(')') && kept).then_some(value)
    }
}

fn as_bits(digits: &str) -> Option<Expression> {
    let legal = digits.len() <= 64 && digits.chars().all(|c| matches!(c, '0' | '1'));
    legal.then(|| Expression::Bits(digits.to_owned()))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() {
        return None;
    }
    // `0x1` is `0x01`.
    let even = if hex.len() % 2 == 1 {
        format!("0{hex}")
    } else {
        hex.to_owned()
    };
    (0..even.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&even[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literals_of_both_families() {
        use Expression::{Bits, Boolean, Bytes, Null, Number, Text};
        let text = |text: &str| Some(Text(text.to_owned()));
        for (sql, expected) in [
            ("NULL", Some(Null)),
            ("((true))", Some(Boolean(true))),
            ("-1.50", Some(Number("-1.50".to_owned()))),
            ("- 5", Some(Number("-5".to_owned()))),
            ("1E-3", Some(Number("1e-3".to_owned()))),
            ("1e+20", Some(Number("1e+20".to_owned()))),
            (r"'it''s'", text("it's")),
            (r"'a\'b\\c\nd\0\%'", text("a'b\\c\nd\0\\%")),
            (r#""a""b'""#, text("a\"b'")),
            ("'ü'", text("ü")),
            ("_utf8mb4'u'", text("u")),
            ("_utf8mb4'Ã¼'", Some(Expression::Damaged)),
            ("_latin1 'u'", text("u")),
            ("_latin1'ü'", None),
            ("_binary'ab'", Some(Bytes(b"ab".to_vec()))),
            ("cast(_utf8mb4'[]' as json)", text("[]")),
            ("cast('a' as char charset utf8mb4)", text("a")),
            ("cast('abcd' as char(3))", None),
            ("cast(1 as signed)", None),
            ("0x1", Some(Bytes(vec![1]))),
            ("X'6162'", Some(Bytes(b"ab".to_vec()))),
            ("b'0101'", Some(Bits("0101".to_owned()))),
            ("0b1", Some(Bits("1".to_owned()))),
            ("'a' 'b'", None),
            ("'a", None),
            ("1 + 1", None),
            ("`a`", None),
            ("a", None),
            ("", None),
            ("0xg", None),
            ("--1", None),
            ("inf", None),
            ("1einf", None),
        ] {
            assert_eq!(parse(sql), expected, "{sql}");
        }
    }

    #[test]
    fn calls_with_and_without_brackets() {
        for sql in [
            "CURRENT_TIMESTAMP",
            "current_timestamp()",
            "(current_timestamp( ))",
        ] {
            let call = Expression::Call {
                name: "current_timestamp".to_owned(),
                arguments: Vec::new(),
            };
            assert_eq!(parse(sql), Some(call), "{sql}");
        }
        let Some(Expression::Call { name, arguments }) = parse("replace(uuid(),_utf8mb4'-','')")
        else {
            panic!("a call");
        };
        assert_eq!((name.as_str(), arguments.len()), ("replace", 3));
        assert_eq!(parse("f(1,)"), None);
        assert_eq!(parse("f(1"), None);
        assert_eq!(parse(&"(".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(sql in "\\PC{0,40}|[-+()'\"\\\\a-cxe0-9_., ]{0,40}") {
            let _ = parse(&sql);
        }

        #[test]
        fn what_is_quoted_for_mysql_reads_back(text in "\\PC{0,20}|['\\\\\"\\x00nrt%_]{0,9}") {
            let quoted = catalog::quote::mysql_literal(&text);
            prop_assert_eq!(parse(&quoted), Some(Expression::Text(text)));
        }
    }
}
