//! Names that lead to a file or directory of the directory that is meant, and nowhere else.

use serde::{Deserialize, Deserializer, de};

/// Whether a text is the name of a file or directory: not empty, without `/` and NUL, and neither
/// `.` nor `..`.
pub fn is_plain_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

/// Takes a name from a file that is read back.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    match is_plain_name(&name) {
        true => Ok(name),
        false => Err(de::Error::custom(format!(
            "`{name}` is not the name of a file or directory"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_stays_where_it_is() {
        for name in ["a", "a.csv", "...", "..a", "-", " ", "a\nb", "\\"] {
            assert!(is_plain_name(name), "{name:?}");
        }
        for name in ["", ".", "..", "/", "../x", "/etc/x", "a/", "a/b", "a\0b"] {
            assert!(!is_plain_name(name), "{name:?}");
        }
    }
}
