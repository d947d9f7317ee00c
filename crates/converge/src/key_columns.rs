//! A key in the converted records of a table, as the target compares it.

use std::borrow::Cow;

use catalog::PostgresType;
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
        ] {
            let of = |text: &str| form.of_value(text.as_bytes()).into_owned();
            assert_eq!(of(value), of(other), "{value}");
        }
        assert_eq!(Form::Number.of_value(b"500").as_ref(), b"500");
        assert_eq!(Form::Bytes.of_value(b"abc ").as_ref(), b"abc ");
    }
}
