//! Labels into an enum type or text.
//!
//! Labels are compared byte by byte: another case is another label.

use catalog::Condition;

use crate::rejection::Problem;
use crate::text::{self, Text};

/// How the export spells index 0, which MySQL reads back as the empty text.
pub(crate) const INDEX_ZERO: &[u8] = b"\0";

/// The labels of the target's enum type.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    sorted: Vec<Vec<u8>>,
}

impl Labels {
    pub(crate) fn new(labels: &[String]) -> Self {
        let mut sorted: Vec<Vec<u8>> = labels.iter().map(|l| l.clone().into_bytes()).collect();
        sorted.sort();
        Self { sorted }
    }

    pub(crate) fn check(&self, value: &[u8]) -> Result<(), Problem> {
        if self
            .sorted
            .binary_search_by(|label| label.as_slice().cmp(value))
            .is_ok()
        {
            return Ok(());
        }
        refuse_index_zero(value)?;
        text::checked(value)?;
        Err(Problem::new(
            Condition::EnumUnknown,
            "is not a label of the target's enum",
        ))
    }

    pub(crate) fn convert(&self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        self.check(value)?;
        out.extend_from_slice(value);
        Ok(())
    }
}

/// A label as text.
pub(crate) fn to_text(target: Text, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    refuse_index_zero(value)?;
    target.convert(value, out)
}

fn refuse_index_zero(value: &[u8]) -> Result<(), Problem> {
    if value == INDEX_ZERO {
        return Err(Problem::new(
            Condition::EnumUnknown,
            "is the enum's index 0, which is no label",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;

    #[test]
    fn labels_are_exact() {
        let labels = ["a,b", "c (d)", "it's", "x\\y", ""].map(str::to_owned);
        let known = Labels::new(&labels);
        for label in &labels {
            let mut out = Vec::new();
            known.convert(label.as_bytes(), &mut out).unwrap();
            assert_eq!(out, label.as_bytes());
        }
        for stray in ["A,B", " a,b", "nothing", "\0"] {
            let problem = known.check(stray.as_bytes()).unwrap_err();
            assert_eq!(
                problem.kind,
                Kind::Condition(Condition::EnumUnknown),
                "{stray:?}"
            );
        }
    }

    #[test]
    fn index_zero_is_not_the_empty_label() {
        let text = Text { limit: None };
        let mut out = Vec::new();
        assert_eq!(to_text(text, b"", &mut out), Ok(()));
        let problem = to_text(text, INDEX_ZERO, &mut out).unwrap_err();
        assert_eq!(problem.kind, Kind::Condition(Condition::EnumUnknown));
        assert_eq!(out, b"");
    }
}
