//! Reads an expression by the precedence of its operators and writes it down again.
//!
//! Source: MySQL Reference Manual, "Operator Precedence"; MariaDB documentation of that name.

use super::token::Token;

/// An expression that is written down.
struct Written {
    text: String,
    /// Whether it stands beside an operator without parentheses.
    atomic: bool,
    /// The opposite, where that has a spelling of its own (`not like`).
    opposite: Option<String>,
}

impl Written {
    fn atom(text: String) -> Self {
        Self {
            text,
            atomic: true,
            opposite: None,
        }
    }

    fn composed(text: String) -> Self {
        Self {
            text,
            atomic: false,
            opposite: None,
        }
    }

    /// As a part of something larger.
    fn part(&self) -> String {
        match self.atomic {
            true => self.text.clone(),
            false => format!("({})", self.text),
        }
    }
}

/// The expression in its one spelling; none where it is not understood to its end.
pub(super) fn parse(tokens: &[Token]) -> Option<String> {
    let mut parser = Parser { tokens, depth: 0 };
    let written = parser.expression(0)?;
    parser.tokens.is_empty().then_some(written.text)
}

struct Parser<'t> {
    tokens: &'t [Token],
    depth: u32,
}

/// Deeper ones stay as they are, so that no text can exhaust the stack.
const DEPTH_MAX: u32 = 100;

/// Levels of precedence; operators of a higher one bind their operands first.
const NOT: u8 = 4;
const COMPARISON: u8 = 6;
const BIT_OR: u8 = 7;
const UNARY: u8 = 13;

/// The level of a binary operator, and its one name.
fn binary(token: &Token) -> Option<(u8, &str)> {
    if matches!(token, Token::Operand(_)) {
        return None;
    }
    let operator = token.text();
    let level = match operator {
        "or" => 1,
        "xor" => 2,
        "and" => 3,
        "=" | "<=>" | ">=" | ">" | "<=" | "<" | "<>" => COMPARISON,
        "|" => BIT_OR,
        "&" => 8,
        "<<" | ">>" => 9,
        "+" | "-" => 10,
        "*" | "/" | "div" | "%" => 11,
        "mod" => return Some((11, "%")),
        "^" => 12,
        _ => return None,
    };
    Some((level, operator))
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.first()
    }

    fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// Takes this word or sign, where it is next.
    fn take(&mut self, text: &str) -> bool {
        let there = self.peek().is_some_and(|token| token.is(text));
        if there {
            self.next();
        }
        there
    }

    fn expect(&mut self, text: &str) -> Option<()> {
        self.take(text).then_some(())
    }

    /// An expression whose operators are all of this level or a higher one.
    fn expression(&mut self, level_min: u8) -> Option<Written> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut left = self.prefixed()?;
        while let Some(token) = self.peek() {
            if let Some((level, operator)) = binary(token) {
                if level < level_min {
                    break;
                }
                left = self.operation(left, level, operator)?;
            } else if COMPARISON >= level_min {
                match self.predicate(left)? {
                    Ok(written) => left = written,
                    Err(unchanged) => {
                        left = unchanged;
                        break;
                    }
                }
            } else {
                break;
            }
        }
        self.depth -= 1;
        Some(left)
    }

    /// `left operator right`; chains of `and` and `or` stand on one level.
    fn operation(&mut self, left: Written, level: u8, operator: &str) -> Option<Written> {
        let mut parts = vec![left.part()];
        while self
            .peek()
            .and_then(binary)
            .is_some_and(|(_, next)| next == operator)
        {
            self.next();
            parts.push(self.expression(level + 1)?.part());
            if !matches!(operator, "and" | "or") {
                break;
            }
        }
        Some(Written::composed(parts.join(&format!(" {operator} "))))
    }

    /// What may follow an operand in words: `is null`, `like`, `in`, `between`, `regexp`.
    fn predicate(&mut self, left: Written) -> Option<Result<Written, Written>> {
        let part = left.part();
        let words = |positive: &str, negative: &str, rest: &str| {
            let [positive, negative] =
                [positive, negative].map(|word| format!("{part} {word} {rest}"));
            (positive, negative)
        };
        let negated = match (self.peek(), self.tokens.get(1)) {
            (Some(not), Some(next)) if not.is("not") && is_predicate(next) => {
                self.next();
                true
            }
            _ => false,
        };
        let (positive, negative) = if self.take("is") {
            let not = self.take("not");
            let (positive, negative) = words("is", "is not", self.next()?.text());
            match not {
                true => (negative, positive),
                false => (positive, negative),
            }
        } else if self.take("like") {
            let mut pattern = self.expression(BIT_OR)?.part();
            if self.take("escape") {
                pattern = format!("{pattern} escape {}", self.expression(BIT_OR)?.part());
            }
            words("like", "not like", &pattern)
        } else if self.take("regexp") {
            words("regexp", "not regexp", &self.expression(BIT_OR)?.part())
        } else if self.take("in") {
            self.expect("(")?;
            words("in", "not in", &format!("({})", joined(&self.list()?)))
        } else if self.take("between") {
            let low = self.expression(BIT_OR)?.part();
            self.expect("and")?;
            let high = self.expression(BIT_OR)?.part();
            words("between", "not between", &format!("{low} and {high}"))
        } else {
            return Some(Err(left));
        };
        let (text, opposite) = match negated {
            true => (negative, positive),
            false => (positive, negative),
        };
        Some(Ok(Written {
            text,
            atomic: false,
            opposite: Some(opposite),
        }))
    }

    /// An operand with what stands before it and its collation.
    fn prefixed(&mut self) -> Option<Written> {
        if self.take("not") {
            return self.expression(NOT).map(|operand| not(&operand));
        }
        if self.take("!") {
            return self.expression(UNARY).map(|operand| not(&operand));
        }
        for sign in ["-", "~"] {
            if self.take(sign) {
                let operand = self.expression(UNARY)?;
                return Some(Written::atom(format!("{sign}{}", operand.part())));
            }
        }
        let mut operand = self.operand()?;
        while self.take("collate") {
            let text = format!("{} collate {}", operand.part(), self.next()?.text());
            operand = Written::composed(text);
        }
        Some(operand)
    }

    fn operand(&mut self) -> Option<Written> {
        match self.next()? {
            Token::Operand(text) => {
                let mut name = text.clone();
                while self.take(".") {
                    name = format!("{name}.{}", self.next()?.text());
                }
                Some(Written::atom(name))
            }
            Token::Sign(sign) if sign == "(" => {
                let inside = self.expression(0)?;
                if self.take(")") {
                    return Some(inside);
                }
                self.expect(",")?;
                let rest = joined(&self.list()?);
                Some(Written::atom(format!("({}, {rest})", inside.text)))
            }
            Token::Sign(_) => None,
            Token::Word(word) if word == "case" => self.case(),
            Token::Word(word) if word == "interval" => {
                let amount = self.expression(BIT_OR)?.part();
                let unit = self.next()?;
                let text = format!("interval {amount} {}", unit.text());
                unit.is_word().then(|| Written::atom(text))
            }
            Token::Word(word) if self.take("(") => self.call(word),
            Token::Word(word) => Some(Written::atom(word.clone())),
        }
    }

    /// A function's arguments, behind the bracket.
    fn call(&mut self, name: &str) -> Option<Written> {
        if self.take(")") {
            return Some(Written::atom(format!("{name}()")));
        }
        let first = self.expression(0)?;
        for word in ["as", "using"] {
            if self.take(word) {
                let end = self.closing()?;
                let (inside, rest) = self.tokens.split_at(end);
                self.tokens = &rest[1..];
                let text = super::spelled(inside);
                return Some(Written::atom(format!(
                    "{name}({} {word} {text})",
                    first.text
                )));
            }
        }
        if self.take(")") {
            return Some(Written::atom(format!("{name}({})", first.text)));
        }
        self.expect(",")?;
        let rest = self.list()?;
        // MySQL has a function for the operator; with flags it is one of its own.
        if let ("regexp_like", [pattern]) = (name, rest.as_slice()) {
            let (left, pattern) = (first.part(), pattern.part());
            return Some(Written {
                text: format!("{left} regexp {pattern}"),
                atomic: false,
                opposite: Some(format!("{left} not regexp {pattern}")),
            });
        }
        let rest = joined(&rest);
        Some(Written::atom(format!("{name}({}, {rest})", first.text)))
    }

    /// Expressions up to the closing bracket, which is taken.
    fn list(&mut self) -> Option<Vec<Written>> {
        let mut parts = vec![self.expression(0)?];
        while self.take(",") {
            parts.push(self.expression(0)?);
        }
        self.expect(")")?;
        Some(parts)
    }

    /// How many tokens there are before the bracket that closes this one.
    fn closing(&self) -> Option<usize> {
        let mut open = 0_u32;
        for (at, token) in self.tokens.iter().enumerate() {
            if token.is("(") {
                open += 1;
            } else if token.is(")") {
                if open == 0 {
                    return Some(at);
                }
                open -= 1;
            }
        }
        None
    }

    fn case(&mut self) -> Option<Written> {
        let mut text = String::from("case");
        if !self.peek()?.is("when") {
            text = format!("{text} {}", self.expression(0)?.part());
        }
        while self.take("when") {
            let condition = self.expression(0)?.text;
            self.expect("then")?;
            let value = self.expression(0)?.text;
            text = format!("{text} when {condition} then {value}");
        }
        if self.take("else") {
            text = format!("{text} else {}", self.expression(0)?.text);
        }
        self.expect("end")?;
        Some(Written::atom(format!("{text} end")))
    }
}

fn joined(list: &[Written]) -> String {
    let texts: Vec<&str> = list.iter().map(|item| item.text.as_str()).collect();
    texts.join(", ")
}

fn is_predicate(token: &Token) -> bool {
    ["like", "regexp", "in", "between"]
        .iter()
        .any(|word| token.is(word))
}

fn not(operand: &Written) -> Written {
    match &operand.opposite {
        Some(opposite) => Written {
            text: opposite.clone(),
            atomic: false,
            opposite: Some(operand.text.clone()),
        },
        None => Written::composed(format!("not {}", operand.part())),
    }
}
