//! Undoes what happens to UTF-8 whose bytes were taken for characters.
//!
//! Each byte is the character of its number then (ISO 8859-1).

/// The text whose bytes were taken for characters; none where the text cannot have come from
/// that, because its characters are no bytes or the bytes are not UTF-8.
pub(crate) fn undo(text: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::undo;

    #[test]
    fn damage_is_undone_and_what_is_whole_stays() {
        for (damaged, whole) in [
            ("plain", Some("plain")),
            ("Ã¼", Some("ü")),
            ("â\u{82}¬", Some("€")),
            ("ð\u{9f}\u{98}\u{80}", Some("😀")),
            ("ü", None),
            ("€", None),
            ("日本", None),
        ] {
            assert_eq!(undo(damaged).as_deref(), whole, "{damaged}");
        }
    }
}
