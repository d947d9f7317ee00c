//! One generated cell, and how it is written in an `insert`.
//!
//! It knows nothing of columns.

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// SQL NULL.
    Null,
    /// Text, JSON, a date: whatever is quoted.
    Text(String),
    /// A number in its decimal spelling.
    Number(String),
    /// Bytes, for blobs.
    Bytes(Vec<u8>),
}

impl Value {
    /// Appends the value as a MySQL literal.
    pub(crate) fn write_literal(&self, sql: &mut String) {
        match self {
            Self::Null => sql.push_str("NULL"),
            Self::Number(digits) => sql.push_str(digits),
            Self::Text(text) => write_text(text, sql),
            Self::Bytes(bytes) => write_bytes(bytes, sql),
        }
    }

    /// The text of a text value.
    #[cfg(test)]
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// As `catalog::quote::mysql_literal`, but without a string of its own: this runs
/// over gigabytes.
fn write_text(text: &str, sql: &mut String) {
    sql.push('\'');
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '\\', '\0']) {
        sql.push_str(&rest[..at]);
        sql.push_str(match rest.as_bytes()[at] {
            b'\'' => "\\'",
            b'\\' => "\\\\",
            _ => "\\0",
        });
        rest = &rest[at + 1..];
    }
    sql.push_str(rest);
    sql.push('\'');
}

fn write_bytes(bytes: &[u8], sql: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    sql.push_str("x'");
    for byte in bytes {
        sql.push(char::from(DIGITS[usize::from(byte >> 4)]));
        sql.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    sql.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(value: Value) -> String {
        let mut sql = String::new();
        value.write_literal(&mut sql);
        sql
    }

    #[test]
    fn literals_end_where_they_should() {
        assert_eq!(literal(Value::Null), "NULL");
        assert_eq!(literal(Value::Text("NULL".to_owned())), "'NULL'");
        assert_eq!(
            literal(Value::Text("it's\\N\0\n".to_owned())),
            "'it\\'s\\\\N\\0\n'"
        );
        assert_eq!(literal(Value::Bytes(vec![0, 255, 0x5c])), "x'00ff5c'");
        assert_eq!(literal(Value::Bytes(Vec::new())), "x''");
    }
}
