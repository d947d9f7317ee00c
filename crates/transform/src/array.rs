//! Sets into one-dimensional arrays, quoted as PostgreSQL prints them.
//!
//! The order of the members is the source's, which is that of their declaration.

use crate::enumeration::Labels;
use crate::rejection::Problem;
use crate::text::Text;

/// From `set(…)`.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    pub(crate) element: Element,
    /// Whether one of the members is the empty text, which reads like the empty set.
    pub(crate) empty_member: bool,
}

/// The element type of the target's array.
#[derive(Clone, Debug)]
pub(crate) enum Element {
    Text(Text),
    Enum(Labels),
}

impl Members {
    pub(crate) fn convert(&self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        out.push(b'{');
        if value.is_empty() && self.empty_member {
            return Err(Problem::malformed(
                "is the empty set or the set of the empty member: both read the same",
            ));
        }
        if !value.is_empty() {
            for (index, member) in value.split(|byte| *byte == b',').enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                match &self.element {
                    Element::Text(text) => text.check(member)?,
                    Element::Enum(labels) => labels.check(member)?,
                }
                write_member(member, out);
            }
        }
        out.push(b'}');
        Ok(())
    }
}

/// Quotes where PostgreSQL's `array_out` does.
fn write_member(member: &[u8], out: &mut Vec<u8>) {
    let special = |byte: &u8| {
        matches!(
            byte,
            b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t'..=b'\r'
        )
    };
    let quoted =
        member.is_empty() || member.eq_ignore_ascii_case(b"null") || member.iter().any(special);
    if !quoted {
        out.extend_from_slice(member);
        return;
    }
    out.push(b'"');
    for byte in member {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Kind;
    use catalog::Condition;

    fn convert(members: &Members, value: &str) -> Result<String, Kind> {
        let mut out = Vec::new();
        members
            .convert(value.as_bytes(), &mut out)
            .map(|()| String::from_utf8(out).unwrap())
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn members_are_quoted_where_they_must_be() {
        let members = Members {
            element: Element::Text(Text { limit: Some(5) }),
            empty_member: false,
        };
        for (set, array) in [
            ("", "{}"),
            ("a,b", "{a,b}"),
            ("NULL,null", "{\"NULL\",\"null\"}"),
            ("a b", "{\"a b\"}"),
            ("\"\\{}", "{\"\\\"\\\\{}\"}"),
            ("a,", "{a,\"\"}"),
        ] {
            assert_eq!(convert(&members, set).as_deref(), Ok(array), "{set}");
        }
        let long = Err(Kind::Condition(Condition::TooLong));
        assert_eq!(convert(&members, "a,abcdef"), long);
    }

    #[test]
    fn an_empty_member_is_told_from_the_empty_set() {
        let members = Members {
            element: Element::Text(Text { limit: None }),
            empty_member: true,
        };
        assert_eq!(convert(&members, ",a").as_deref(), Ok("{\"\",a}"));
        assert_eq!(convert(&members, ""), Err(Kind::Malformed));
    }

    #[test]
    fn members_must_be_labels_of_the_targets_enum() {
        let members = Members {
            element: Element::Enum(Labels::new(&["a".to_owned()])),
            empty_member: false,
        };
        assert_eq!(convert(&members, "a").as_deref(), Ok("{a}"));
        let unknown = Err(Kind::Condition(Condition::EnumUnknown));
        assert_eq!(convert(&members, "a,b"), unknown);
    }
}
