//! Reads an expression by MySQL's precedence and writes it with parentheses of its own.

use catalog::{PostgresType, quote};

use super::token::Token;
use super::{Equality, Kind, KnownColumn, is_unsigned};

/// Deeper expressions are refused, so that none exhausts the stack.
const DEPTH_MAX: usize = 64;

/// A part of an expression, already in PostgreSQL's words.
#[derive(Clone)]
pub(super) struct Term {
    pub(super) sql: String,
    pub(super) kind: Kind,
    /// Whether it needs parentheses within another.
    open: bool,
    /// Which texts the source takes for equal.
    equality: Equality,
    unsigned: bool,
    /// The type of a bare column.
    column: Option<PostgresType>,
    /// The value of a literal.
    literal: Option<String>,
}

impl Term {
    fn new(sql: String, kind: Kind) -> Self {
        Self {
            sql,
            kind,
            open: false,
            equality: Equality::Exact,
            unsigned: false,
            column: None,
            literal: None,
        }
    }

    fn open(sql: String, kind: Kind) -> Self {
        Self {
            open: true,
            ..Self::new(sql, kind)
        }
    }

    fn within(&self) -> String {
        match self.open {
            true => format!("({})", self.sql),
            false => self.sql.clone(),
        }
    }

    /// As an operand of `+`: MySQL counts in eight bytes, whatever the columns have.
    fn wide(&self) -> String {
        match self.column {
            Some(PostgresType::Smallint | PostgresType::Integer) => format!("{}::bigint", self.sql),
            Some(PostgresType::Real) => format!("{}::double precision", self.sql),
            _ => self.within(),
        }
    }

    /// The cast that gives an array of literals the type in which `in` would compare them with
    /// this column; none where they have it by themselves.
    fn of_array(&self, members: &[Self]) -> String {
        let fraction = |member: &Self| member.literal.as_ref().is_some_and(|n| !is_integer(n));
        let element = match &self.column {
            Some(PostgresType::Bigint) if members.iter().any(fraction) => return String::new(),
            Some(PostgresType::Varchar { .. }) => "character varying".to_owned(),
            // `character` alone would be one character.
            Some(PostgresType::Char { .. }) => "bpchar".to_owned(),
            Some(PostgresType::Numeric { .. }) => "numeric".to_owned(),
            Some(
                of @ (PostgresType::Text
                | PostgresType::Bigint
                | PostgresType::Real
                | PostgresType::Double
                | PostgresType::Enum { .. }),
            ) => of.to_string(),
            _ => return String::new(),
        };
        format!("::{element}[]")
    }
}

fn is_integer(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Both sides of a comparison, as it is made here.
type Compared = Result<[String; 2], String>;

type Parsed = Result<Term, String>;

pub(super) struct Parser<'t, 'a, F: Fn(&str) -> Option<KnownColumn<'a>>> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    column: &'t F,
}

impl<'t, 'a, F: Fn(&str) -> Option<KnownColumn<'a>>> Parser<'t, 'a, F> {
    pub(super) fn new(tokens: &'t [Token], column: &'t F) -> Self {
        Self {
            tokens,
            at: 0,
            depth: 0,
            column,
        }
    }

    pub(super) fn whole(&mut self) -> Parsed {
        let term = self.any_of()?;
        match self.tokens.get(self.at) {
            None => Ok(term),
            Some(_) => Err("it has an operator that is not translated".to_owned()),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|t| t.is(word));
        self.at += usize::from(found);
        found
    }

    fn must(&mut self, word: &str) -> Result<(), String> {
        match self.take(word) {
            true => Ok(()),
            false => Err("it is not understood".to_owned()),
        }
    }

    fn any_of(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("it is too deep".to_owned());
        }
        let mut terms = vec![self.all_of()?];
        while self.take("or") {
            terms.push(self.all_of()?);
        }
        self.depth -= 1;
        joined(terms, " or ")
    }

    fn all_of(&mut self) -> Parsed {
        let mut terms = vec![self.negated()?];
        while self.take("and") {
            terms.push(self.negated()?);
        }
        joined(terms, " and ")
    }

    fn negated(&mut self) -> Parsed {
        let mut odd = false;
        while self.take("not") {
            odd = !odd;
        }
        let term = self.comparison()?;
        match odd {
            false => Ok(term),
            true => {
                let term = condition(term)?;
                Ok(Term::open(format!("not {}", within(&term)), Kind::Boolean))
            }
        }
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        if self.take("is") {
            let not = if self.take("not") { "not " } else { "" };
            self.must("null")?;
            let sql = format!("{} is {not}null", left.within());
            return Ok(Term::open(sql, Kind::Boolean));
        }
        let not = if self.take("not") { "not " } else { "" };
        if self.take("in") {
            return self.member(&left, not);
        }
        if self.take("between") {
            let low = self.sum()?;
            self.must("and")?;
            let high = self.sum()?;
            let (above, below, word) = match not {
                "" => (">=", "<=", " and "),
                _ => ("<", ">", " or "),
            };
            let bounds = vec![
                comparison(&left, &low, above)?,
                comparison(&left, &high, below)?,
            ];
            return joined(bounds, word);
        }
        if !not.is_empty() {
            return Err("it is not understood".to_owned());
        }
        for (sign, ours) in [
            ("=", "="),
            ("<>", "<>"),
            ("!=", "<>"),
            ("<=", "<="),
            (">=", ">="),
            ("<", "<"),
            (">", ">"),
        ] {
            if self.take(sign) {
                let right = self.sum()?;
                return comparison(&left, &right, ours);
            }
        }
        Ok(left)
    }

    fn member(&mut self, left: &Term, not: &str) -> Parsed {
        self.must("(")?;
        let mut members = vec![self.sum()?];
        while self.take(",") {
            members.push(self.sum()?);
        }
        self.must(")")?;
        let mut left = left.clone();
        // What holds for one member holds for the one side that all are compared with.
        let equalities = members.iter().map(|member| member.equality);
        left.equality = equalities.fold(left.equality, Equality::max);
        let (sign, quantifier, word) = match not {
            "" => ("=", "any", " or "),
            _ => ("<>", "all", " and "),
        };
        if members.len() == 1 || members.iter().any(|member| member.literal.is_none()) {
            let each = members.iter();
            let each = each.map(|member| comparison(&left, member, sign));
            return joined(each.collect::<Result<_, _>>()?, word);
        }
        let (mut side, mut list) = (left.within(), Vec::new());
        for member in &members {
            let [left, member] = compared(&left, member, sign)?;
            side = left;
            list.push(member);
        }
        let cast = match side == left.sql {
            true => left.of_array(&members),
            false => String::new(),
        };
        let operator = operator(sign);
        let list = list.join(", ");
        let sql = format!("{side} {operator} {quantifier} (array[{list}]{cast})");
        Ok(Term::open(sql, Kind::Boolean))
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let sign = match () {
                () if self.take("+") => "+",
                () if self.take("-") => "-",
                () => return Ok(left),
            };
            let right = self.product()?;
            left = computed(&left, &right, sign)?;
        }
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.unary()?;
        while self.take("*") {
            let right = self.unary()?;
            left = computed(&left, &right, "*")?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        if !self.take("-") {
            return self.primary();
        }
        match self.tokens.get(self.at) {
            Some(Token::Number(number)) => {
                self.at += 1;
                let mut term = Term::new(format!("-{number}"), Kind::Number);
                term.literal = Some(format!("-{number}"));
                Ok(term)
            }
            _ => Err("it negates what is no number".to_owned()),
        }
    }

    fn primary(&mut self) -> Parsed {
        let token = self.tokens.get(self.at).ok_or("it is not complete")?;
        self.at += 1;
        match token {
            Token::Number(number) => {
                let mut term = Term::new(number.clone(), Kind::Number);
                term.literal = Some(number.clone());
                Ok(term)
            }
            Token::Text(text) if !text.contains('\0') => {
                let mut term = Term::new(quote::postgres_literal(text), Kind::Text);
                term.literal = Some(text.clone());
                Ok(term)
            }
            Token::Column(name) => self.column_term(name),
            Token::Sign(sign) if sign == "(" => {
                let term = self.any_of()?;
                self.must(")")?;
                Ok(term)
            }
            Token::Word(word) if self.take("(") => self.call(word),
            _ => Err("it has a word that is not translated".to_owned()),
        }
    }

    fn column_term(&self, name: &str) -> Parsed {
        let column = (self.column)(name)
            .ok_or_else(|| format!("it speaks of `{name}`, which is not there"))?;
        let mut term = Term::new(quote::postgres(column.name), Kind::of(column.postgres));
        if term.kind == Kind::Text {
            term.equality = Equality::of(column.source, column.postgres);
        }
        term.unsigned = is_unsigned(&column.source.data_type);
        term.column = Some(column.postgres.clone());
        Ok(term)
    }

    fn call(&mut self, name: &str) -> Parsed {
        let mut arguments = vec![self.any_of()?];
        while self.take(",") {
            arguments.push(self.any_of()?);
        }
        self.must(")")?;
        let all = |kind| arguments.iter().all(|a: &Term| a.kind == kind);
        let equalities = arguments.iter().map(|argument| argument.equality);
        let equality = equalities.max().unwrap_or(Equality::Exact);
        match (name, arguments.len()) {
            ("char_length" | "character_length", 1) if all(Kind::Text) => {
                let sql = format!("pg_catalog.char_length({})", arguments[0].sql);
                Ok(Term::new(sql, Kind::Number))
            }
            ("concat", 2..) if all(Kind::Text) => {
                let parts: Vec<String> = arguments.iter().map(Term::within).collect();
                let mut term = Term::new(
                    format!("({})", parts.join(&format!(" {} ", operator("||")))),
                    Kind::Text,
                );
                term.equality = equality;
                Ok(term)
            }
            _ => Err(format!("the function `{name}` is not translated")),
        }
    }
}

/// An operator of PostgreSQL's own, whatever the types: where it is named alone, one that somebody
/// made for just these types would be taken instead.
fn operator(sign: &str) -> String {
    format!("operator(pg_catalog.{sign})")
}

fn comparison(left: &Term, right: &Term, sign: &str) -> Parsed {
    let sides = match left.literal {
        Some(_) => compared(right, left, sign).map(|[right, left]| [left, right]),
        None => compared(left, right, sign),
    };
    let [left, right] = sides?;
    let sql = format!("{left} {} {right}", operator(sign));
    Ok(Term::open(sql, Kind::Boolean))
}

fn within(term: &Term) -> String {
    term.within()
}

/// A number is no condition in PostgreSQL.
fn condition(term: Term) -> Parsed {
    match term.kind {
        Kind::Boolean => Ok(term),
        _ => Err("it takes a value for a condition".to_owned()),
    }
}

fn joined(mut terms: Vec<Term>, word: &str) -> Parsed {
    if terms.len() == 1 {
        return Ok(terms.remove(0));
    }
    let mut parts = Vec::new();
    for term in terms {
        parts.push(condition(term)?.within());
    }
    Ok(Term::open(parts.join(word), Kind::Boolean))
}

fn computed(left: &Term, right: &Term, sign: &str) -> Parsed {
    if left.kind != Kind::Number || right.kind != Kind::Number {
        return Err("it counts with what is no number".to_owned());
    }
    if sign == "-" && (left.unsigned || right.unsigned) {
        return Err("a difference of unsigned numbers is never negative in the source".to_owned());
    }
    let sql = format!("{} {} {}", left.wide(), operator(sign), right.wide());
    let mut term = Term::open(sql, Kind::Number);
    term.unsigned = left.unsigned || right.unsigned;
    Ok(term)
}

/// The two sides as they are compared here; the right one may be a literal.
fn compared(left: &Term, right: &Term, sign: &str) -> Compared {
    let as_they_are = Ok([left.within(), right.within()]);
    let equality = matches!(sign, "=" | "<>");
    if let (Some(PostgresType::Boolean), Some(value)) = (&left.column, &right.literal) {
        return match (equality, value.as_str()) {
            (true, "0") => Ok([left.within(), "false".to_owned()]),
            (true, "1") => Ok([left.within(), "true".to_owned()]),
            _ => Err("it takes a boolean for a number".to_owned()),
        };
    }
    if let (Some(PostgresType::Enum { labels, .. }), Some(value)) = (&left.column, &right.literal) {
        return match equality && right.kind == Kind::Text && labels.contains(value) {
            true => as_they_are,
            false => Err("it compares a label with something else".to_owned()),
        };
    }
    match (left.kind, right.kind) {
        (Kind::Number, Kind::Number) => as_they_are,
        (Kind::Text, Kind::Text) if !equality => {
            Err("texts have another order in PostgreSQL".to_owned())
        }
        (Kind::Text, Kind::Text) => match left.equality.max(right.equality) {
            Equality::Exact => as_they_are,
            Equality::Padded => Ok([trimmed(left), trimmed(right)]),
            Equality::Cased => Err("the source compares its texts as a language does".to_owned()),
            Equality::Folded => Err("the source compares its texts without case".to_owned()),
        },
        (Kind::Other, Kind::Other) if left.column.is_some() && left.column == right.column => {
            match left.column {
                Some(PostgresType::Other(_)) => Err("it compares values of a type whose \
                                                     operators are not known"
                    .to_owned()),
                _ => as_they_are,
            }
        }
        _ => Err("it compares values of different types".to_owned()),
    }
}

/// A text without the blanks at its end, which mean nothing to the source.
fn trimmed(term: &Term) -> String {
    match &term.literal {
        Some(text) => quote::postgres_literal(text.trim_end_matches(' ')),
        None => format!("pg_catalog.rtrim({}, ' ')", term.sql),
    }
}
