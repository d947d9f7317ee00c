//! A key in the converted records of a table, as the target compares it.

use std::borrow::Cow;

use catalog::{Key, KeyPart, KeyTerm, PostgresType};
use dataset::Record;
use digest::digest_fields;
use transform::{ColumnPlan, TablePlan};

/// The parts of a key in the converted record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyColumns(Vec<(usize, Form)>);

/// How the target compares a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// By its bytes.
    Bytes,
    /// Without the blanks at the end.
    Padded,
    /// Without the zeros at the end.
    Number,
    /// Without case.
    Folded,
    /// By so many characters from the first on.
    Characters(usize),
    /// By so many bytes from the first on, of a value that is written as `\x` and hex.
    HexBytes(usize),
}

/// A converted key, where a row has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyOf {
    Digest(u128),
    /// All columns are NULL.
    Null,
    /// Some are.
    PartlyNull,
}

impl KeyColumns {
    /// The columns of that name; `None` where the plan lacks one, because that is generated or
    /// cannot be moved.
    pub(crate) fn find(plan: &TablePlan, names: &[&str]) -> Option<Self> {
        let column = |name: &&str| {
            let position = plan.columns().iter().position(|c| c.name() == *name)?;
            Some((position, Form::of(&plan.columns()[position])))
        };
        names.iter().map(column).collect::<Option<_>>().map(Self)
    }

    /// The parts of a key of the target: columns, and beginnings of columns as a generated
    /// baseline has them; `None` where there is anything else.
    pub(crate) fn of_key(plan: &TablePlan, key: &Key) -> Option<Self> {
        let part = |part: &KeyPart| {
            let Some(prefix) = Prefix::of(part) else {
                let found = Self::find(plan, &[part.plain_column()?])?;
                return found.0.into_iter().next();
            };
            let columns = plan.columns();
            let at = columns.iter().position(|c| c.name() == prefix.column)?;
            let form = match columns[at].target_type() {
                PostgresType::Bytea => Form::HexBytes(prefix.length),
                PostgresType::Text | PostgresType::Varchar { .. } => {
                    Form::Characters(prefix.length)
                }
                _ => return None,
            };
            Some((at, form))
        };
        key.parts.iter().map(part).collect::<Option<_>>().map(Self)
    }

    /// The same columns, compared as those that they refer to: so does a foreign key.
    pub(crate) fn compared_as(self, referenced: &Self) -> Self {
        let forms = referenced.0.iter().map(|(_, form)| *form);
        let positions = self.0.into_iter().map(|(position, _)| position);
        Self(positions.zip(forms).collect())
    }

    /// Positions in the converted record.
    pub(crate) fn positions(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|(position, _)| *position)
    }

    /// The digest of a converted record's key; a NULL is a value of its own where
    /// `null_is_a_value`.
    pub(crate) fn digest(&self, record: &Record, null_is_a_value: bool) -> KeyOf {
        let nulls = self.positions().filter(|at| record.get(*at).is_none());
        let nulls = nulls.count();
        if nulls > 0 && !null_is_a_value {
            return match nulls == self.0.len() {
                true => KeyOf::Null,
                false => KeyOf::PartlyNull,
            };
        }
        let fields = self.0.iter();
        let fields: Vec<Option<Cow<'_, [u8]>>> = fields
            .map(|(at, form)| record.get(*at).map(|value| form.of_value(value)))
            .collect();
        KeyOf::Digest(digest_fields(fields.iter().map(Option::as_deref)))
    }
}

/// The beginning of a column, as a part of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) column: String,
    pub(crate) length: usize,
}

impl Prefix {
    /// Of `"left"(column, n)` and `substr(column, 1, n)` as a server spells them.
    pub(crate) fn of(part: &KeyPart) -> Option<Self> {
        let KeyTerm::Expression { expression } = &part.term else {
            return None;
        };
        let inside = expression.strip_suffix(')')?;
        let (argument, length) = match inside.strip_prefix("\"left\"(") {
            Some(arguments) => arguments.rsplit_once(", ")?,
            None => {
                let (rest, length) = inside.strip_prefix("substr(")?.rsplit_once(", ")?;
                (rest.strip_suffix(", 1")?, length)
            }
        };
        let argument = argument.strip_suffix("::text").unwrap_or(argument);
        let bare = argument
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        Some(Self {
            column: unquoted(bare.unwrap_or(argument))?,
            length: length.parse().ok()?,
        })
    }
}

/// The name of a column that is all of an expression.
fn unquoted(expression: &str) -> Option<String> {
    let inside = expression
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inside {
        Some(inside) => {
            let pairs = inside.replace("\"\"", "");
            (!pairs.contains('"')).then(|| inside.replace("\"\"", "\""))
        }
        None => {
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
            expression.chars().all(plain).then(|| expression.to_owned())
        }
    }
}

impl Form {
    fn of(column: &ColumnPlan) -> Self {
        match column.target_type() {
            PostgresType::Char { .. } => Self::Padded,
            PostgresType::Numeric { .. } => Self::Number,
            folded if folded.is_citext() => Self::Folded,
            _ => Self::Bytes,
        }
    }

    fn of_value(self, value: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes => Cow::Borrowed(value),
            Self::Padded => {
                let blanks = value.iter().rev().take_while(|byte| **byte == b' ').count();
                Cow::Borrowed(&value[..value.len() - blanks])
            }
            Self::Number if !value.contains(&b'.') => Cow::Borrowed(value),
            Self::Number => {
                let zeros = value.iter().rev().take_while(|byte| **byte == b'0').count();
                let value = &value[..value.len() - zeros];
                Cow::Borrowed(value.strip_suffix(b".").unwrap_or(value))
            }
            Self::Characters(length) => {
                let text = str::from_utf8(value).unwrap_or_default();
                let end = text
                    .char_indices()
                    .nth(length)
                    .map_or(value.len(), |(at, _)| at);
                Cow::Borrowed(&value[..end])
            }
            Self::HexBytes(length) => Cow::Borrowed(&value[..value.len().min(2 + 2 * length)]),
            Self::Folded => {
                let text = String::from_utf8_lossy(value);
                Cow::Owned(text.to_lowercase().into_bytes())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_as_the_target_does() {
        for (form, value, other) in [
            (Form::Padded, "abc  ", "abc"),
            (Form::Number, "5.00", "5"),
            (Form::Number, "0.50", "0.5"),
            (Form::Number, "500", "500"),
            (Form::Folded, "ÄB", "äb"),
            (Form::Characters(2), "äöü", "äö"),
            (Form::Characters(5), "äö", "äö"),
            (Form::HexBytes(1), "\\x0aff", "\\x0a"),
        ] {
            let of = |text: &str| form.of_value(text.as_bytes()).into_owned();
            assert_eq!(of(value), of(other), "{value}");
        }
        assert_eq!(Form::Number.of_value(b"500").as_ref(), b"500");
        assert_eq!(Form::Bytes.of_value(b"abc ").as_ref(), b"abc ");
    }

    #[test]
    fn beginnings_of_columns_are_read_as_the_server_spells_them() {
        for (expression, found) in [
            ("\"left\"(name, 10)", Some(("name", 10))),
            ("\"left\"((name)::text, 9)", Some(("name", 9))),
            ("\"left\"((\"My \"\"x\"::text, 9)", None),
            ("\"left\"((\"My \"\"x\")::text, 9)", Some(("My \"x", 9))),
            ("substr(b, 1, 4)", Some(("b", 4))),
            ("substr(b, 2, 4)", None),
            ("\"left\"(lower(name), 4)", None),
            ("lower(name)", None),
        ] {
            let prefix = Prefix::of(&KeyPart::expression(expression));
            let prefix = prefix.map(|prefix| (prefix.column, prefix.length));
            assert_eq!(
                prefix,
                found.map(|(name, n)| (name.to_owned(), n)),
                "{expression}"
            );
        }
    }
}
