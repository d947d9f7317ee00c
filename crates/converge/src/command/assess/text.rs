//! What a text tells of its own past: encoded twice, bytes of a known format, a lone `\.`.
//!
//! Guesses, made to be rather silent than wrong; what PostgreSQL refuses is not looked for here.

use memchr::memmem;

/// What a text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Look {
    /// UTF-8 whose bytes were taken for single characters and encoded again.
    EncodedTwice,
    /// Bytes of this format, one character for each.
    Binary {
        format: &'static str,
        /// Whether each character is that of the byte's own number, as rules take it; others
        /// went through Windows-1252.
        exact: bool,
    },
}

/// Formats by their first bytes. Those that begin like a text must hold a control character
/// later on: `BZh` and `%PDF-` are also words.
const FORMATS: [(&str, &[u8]); 12] = [
    ("gzip", b"\x1f\x8b\x08"),
    ("png", b"\x89PNG\r\n\x1a\n"),
    ("jpeg", b"\xff\xd8\xff"),
    ("gif", b"GIF8"),
    ("pdf", b"%PDF-"),
    ("zip", b"PK\x03\x04"),
    ("bzip2", b"BZh"),
    ("xz", b"\xfd7zXZ\0"),
    ("zstd", b"\x28\xb5\x2f\xfd"),
    ("riff", b"RIFF"),
    ("ogg", b"OggS"),
    ("java", b"\xac\xed\0\x05"),
];
/// The bytes that are looked at for the head of a format; zlib's two decide with what follows.
const HEAD_BYTES: usize = 64;

/// Looks at a text; most are settled by their first characters.
pub(crate) fn look(value: &[u8]) -> Option<Look> {
    if value.len() < 4 {
        // The shortest that is encoded twice has four bytes.
        return None;
    }
    if let Some(format) = binary_format(value) {
        let exact = valid_part(value).chars().all(|c| u32::from(c) <= 0xff);
        return Some(Look::Binary { format, exact });
    }
    if value.is_ascii() {
        return None;
    }
    encoded_twice(value).then_some(Look::EncodedTwice)
}

/// Whether a line of the text is only `\.`, as it lies in a file: its first and last line share
/// theirs with a quote.
pub(crate) fn has_dot_line(value: &[u8], finder: &memmem::Finder<'_>) -> bool {
    finder.find_iter(value).any(|at| {
        let rest = &value[at + DOT_LINE.len()..];
        rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
    })
}

/// What [`has_dot_line`] looks for.
pub(crate) const DOT_LINE: &[u8] = b"\n\\.";

fn binary_format(value: &[u8]) -> Option<&'static str> {
    // Characters of two bytes, so that half of the head is there in any case.
    let head = &value[..value.len().min(2 * HEAD_BYTES)];
    let mut bytes = [0; HEAD_BYTES];
    let mut length = 0;
    for character in valid_part(head).chars().take(HEAD_BYTES) {
        bytes[length] = byte_of(character)?;
        length += 1;
    }
    let bytes = &bytes[..length];
    let named = FORMATS.iter().find(|(_, head)| bytes.starts_with(head));
    let format = match named {
        Some((name, _)) => name,
        None if is_zlib(bytes) => "zlib",
        None => return None,
    };
    bytes.iter().any(|byte| is_control(*byte)).then_some(format)
}

/// RFC 1950: deflate with a window, and a check in the second byte; the four that are written in
/// practice.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..])
        && bytes.iter().filter(|byte| is_control(**byte)).count() >= 2
}

/// Neither printed nor white space, as a character of latin1.
fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 14..=31 | 127..=159)
}

/// The text up to the first character that the cut at its end has torn.
fn valid_part(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// Whether the text's characters, taken for bytes, are UTF-8 of their own, and in a way that
/// does not come about by chance: two such characters, or one that begins like a letter of
/// Western Europe (`Ã` and a sign) or takes three bytes (`â€™`).
fn encoded_twice(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    let mut sequences = 0;
    let mut plain = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let Some(first) = byte_of(character) else {
            return false;
        };
        let more = match first {
            0..=0x7f => continue,
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => return false,
        };
        let mut sequence = [first, 0, 0, 0];
        for slot in &mut sequence[1..=more] {
            match characters.next().and_then(byte_of) {
                Some(byte) => *slot = byte,
                None => return false,
            }
        }
        // Overlong forms and surrogates are no UTF-8.
        let Ok(inner) = std::str::from_utf8(&sequence[..=more]) else {
            return false;
        };
        sequences += 1;
        plain |= more > 1 || first == 0xc3;
        if inner.chars().any(char::is_control) {
            return false;
        }
    }
    sequences > 1 || (sequences == 1 && plain)
}

/// The byte that a character stands for in latin1, or in MySQL's latin1, which is Windows-1252.
fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    if let Ok(byte) = u8::try_from(code) {
        return Some(byte);
    }
    /// The characters of Windows-1252 from 0x80 on; blanks where it has none.
    const WINDOWS: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";
    let at = WINDOWS.chars().position(|known| known == character)?;
    Some(0x80 + u8::try_from(at).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a client with the wrong character set sends it.
    fn twice(text: &str) -> String {
        text.bytes().map(char::from).collect()
    }

    #[test]
    fn texts_that_are_encoded_twice_are_told_from_others() {
        for text in ["Zürich", "é", "naïve café", "it’s", "🎉", "Привет", "ąę"] {
            assert_eq!(
                look(twice(text).as_bytes()),
                Some(Look::EncodedTwice),
                "{text}"
            );
        }
        assert_eq!(look("â€™".as_bytes()), Some(Look::EncodedTwice));
        assert_eq!(look("fÃ¼r".as_bytes()), Some(Look::EncodedTwice));
        for text in [
            "Zürich",
            "é",
            "naïve café",
            "it’s",
            "🎉",
            "Привет",
            "ąę",
            "SÃO PAULO",
            "«CAFÉ»",
            "CAFÉ»",
            "ROUÉ\u{a0}!",
            "Âge",
            "Ä",
            "10 µm ± 2 °C",
            "Größe²",
            "MASS®",
            "ﬁ",
            "",
            "日本語",
            "Å",
            "©®",
            "é³",
        ] {
            assert_eq!(look(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn bytes_that_are_kept_as_text_are_told_by_their_head() {
        let latin1 = |bytes: &[u8]| -> String { bytes.iter().map(|b| char::from(*b)).collect() };
        for (format, bytes) in [
            ("zlib", &b"\x78\x9c\xab\x56\x4a\x04\x00\x01"[..]),
            ("zlib", b"\x78\xda\x03\x00\x00\x00\x00\x01"),
            ("gzip", b"\x1f\x8b\x08\x00abc"),
            ("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            ("pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x01"),
            ("zip", b"PK\x03\x04\x14\0"),
        ] {
            let text = latin1(bytes);
            let exact = true;
            let found = Some(Look::Binary { format, exact });
            assert_eq!(look(text.as_bytes()), found);
        }
        let (format, exact) = ("zlib", false);
        let windows = "xœ«VJ\u{4}\u{1}";
        assert_eq!(
            look(windows.as_bytes()),
            Some(Look::Binary { format, exact })
        );
        for text in [
            "x^2 + y^2",
            "BZh is a word",
            "%PDF-1.7 is a format",
            "RIFF raff",
            "GIF89a",
            "xÚ",
            "x\u{1}",
            "PK and others",
        ] {
            assert_eq!(look(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_lone_dot_is_a_line_of_its_own() {
        let finder = memmem::Finder::new(DOT_LINE);
        for (text, found) in [
            ("a\n\\.\nb", true),
            ("a\n\\.\r\nb", true),
            ("a\n\\.", false),
            ("\\.\nb", false),
            ("a\n\\.x\n\\.\n", true),
            ("a\\.\nb", false),
        ] {
            assert_eq!(has_dot_line(text.as_bytes(), &finder), found, "{text:?}");
        }
    }

    #[test]
    fn the_table_of_windows_1252_has_its_gaps() {
        for (character, byte) in [
            ('€', 0x80),
            ('‚', 0x82),
            ('Œ', 0x8c),
            ('Ž', 0x8e),
            ('‘', 0x91),
            ('œ', 0x9c),
            ('ž', 0x9e),
            ('Ÿ', 0x9f),
        ] {
            assert_eq!(byte_of(character), Some(byte), "{character}");
        }
        assert_eq!(byte_of('Ā'), None);
    }
}
