//! Text as a terminal may get it: what would move the cursor, hide or reorder is written out.

use std::borrow::Cow;

/// The ranges of Unicode's category Cf (format characters), version 16; with the two separators of
/// lines and paragraphs, and all that is set aside between them.
const FORMAT: [(char, char); 21] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e007f}'),
    // Not of the category, and as little to be seen.
    ('\u{115f}', '\u{1160}'),
    ('\u{3164}', '\u{3164}'),
];

/// Whether a terminal or an editor acts on a character instead of showing it: line breaks, tabs
/// and other control characters, and characters that only change how others are shown.
pub fn is_hidden(character: char) -> bool {
    let of = |(first, last): &(char, char)| (*first..=*last).contains(&character);
    character.is_control() || (!character.is_ascii() && FORMAT.iter().any(of))
}

/// The text in one line, with hidden characters as `\n` or `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match is_hidden(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        for (text, shown) in [
            ("plain `a`, \"b\" and \\n", "plain `a`, \"b\" and \\n"),
            ("äöü 名前 😀 é", "äöü 名前 😀 é"),
            ("a\nverdict: equal", r"a\nverdict: equal"),
            ("\r\t\0", r"\r\t\u{0}"),
            ("\u{1b}]52;c;aGk=\u{7}", r"\u{1b}]52;c;aGk=\u{7}"),
            ("\u{7f}\u{85}\u{9b}31m", r"\u{7f}\u{85}\u{9b}31m"),
            ("a\u{202e}b\u{2066}", r"a\u{202e}b\u{2066}"),
            ("\u{feff}\u{e0041}\u{61c}", r"\u{feff}\u{e0041}\u{61c}"),
        ] {
            assert_eq!(visible(text), shown);
            assert_eq!(visible(shown), shown, "what is shown stays");
        }
    }

    #[test]
    fn every_character_of_each_class_is_hidden_and_no_other() {
        let classes = [
            0..=0x1f,
            0x7f..=0x9f,
            0xad..=0xad,
            0x600..=0x605,
            0x61c..=0x61c,
            0x200b..=0x200f,
            0x2028..=0x202e,
            0x2060..=0x206f,
            0xfeff..=0xfeff,
            0xfff9..=0xfffb,
            0xe0000..=0xe007f,
        ];
        for character in classes.into_iter().flatten().filter_map(char::from_u32) {
            assert!(is_hidden(character), "{character:?}");
            let shown = visible(character.encode_utf8(&mut [0; 4])).into_owned();
            assert!(shown.starts_with('\\') && shown.is_ascii(), "{shown}");
        }
        let hidden = (0..=u32::from(char::MAX)).filter_map(char::from_u32);
        // The standard library writes out all of these in its debug form, and more.
        for character in hidden.filter(|character| is_hidden(*character)) {
            let debug = format!("{:?}", character.to_string());
            let is_filler = matches!(character, '\u{115f}' | '\u{1160}' | '\u{3164}');
            assert!(debug.contains('\\') || is_filler, "{character:?}");
        }
        let ascii = (' '..='~').all(|character| !is_hidden(character));
        assert!(ascii && !"é名😀\u{a0}\u{300}".contains(is_hidden));
    }
}
