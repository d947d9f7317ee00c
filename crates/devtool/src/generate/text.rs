//! Text: ordinary words, the values that other tools lose, and cells filled to the brim.
//!
//! No value holds a NUL, which PostgreSQL's text cannot; whiteboards do, see `binary`.

use super::random::Random;
use super::value::Value;

/// Values on which exports, CSV dialects and COPY have failed elsewhere.
pub(super) const HARD_TEXTS: &[&str] = &[
    "",
    " ",
    "NULL",
    "null",
    "\\N",
    "\\\\N",
    "\\.",
    "\"NULL\"",
    "''",
    "' '",
    "\"",
    "\"\"",
    ",",
    ",,\"",
    "a,b;c|d",
    "two\nlines",
    "two\r\nlines",
    "lone\rreturn",
    "\n",
    "ends with a break\n",
    "tab\there",
    "\t",
    "it's \"quoted\"",
    "back\\slash \\n \\t \\x41",
    "ends with a backslash\\",
    "trailing blanks   ",
    "   leading blanks",
    "line\u{2028}separator\u{2029}paragraph",
    "\u{85}next line, no-break\u{a0}space",
    "😀 and 👩‍👩‍👧‍👦",
    "cafe\u{301} is café",
    "Z\u{351}\u{36b}a\u{343}l\u{33c}go",
    "İstanbul ß ﬁ ſ Ω",
    "日本語 中文 한국어 العربية עברית",
    "\u{feff}byte order mark",
    "\u{1}\u{7}\u{1a}\u{1b}\u{7f}control",
    "\u{fffd}\u{e000}\u{10ffff}",
    "'; drop table x; --",
    "${NAME} %s {0} $1 \\1 &amp; <b>",
    "{\"a\":\"NULL\"}",
    "{}",
    "[1,2]",
    "0",
    "-0.0",
    "true",
    "1e400",
    "# Heading\n\n- one\n- two\n\n```\ncode\n```\n",
];

/// A text in which one line is only `\.`: some versions of psql take that line for
/// the end of the data, so that it is planted where a test can leave it out.
const DOT_LINE: &str = "before\n\\.\nafter";

const WORDS: &[&str] = &[
    "space",
    "member",
    "challenge",
    "Überblick",
    "община",
    "energie",
    "transition",
    "water",
    "community",
    "façade",
    "naïve",
    "jazyk",
    "innovation",
    "flow",
    "Straße",
    "coöperatie",
    "data",
    "health",
    "garden",
    "mobility",
    "school",
    "climate",
    "ñandú",
    "circular",
    "open",
    "shared",
];

/// How the texts of one column are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextPlan {
    /// The length in characters that both sides allow.
    pub(crate) characters_max: Option<usize>,
    /// Whether no two rows may have the same text, in any collation.
    pub(crate) unique: bool,
    /// Words in an ordinary value: few for names, more for descriptions.
    pub(crate) words_max: u64,
}

impl TextPlan {
    /// The text of one row.
    pub(crate) fn value(&self, random: &mut Random, row: u64) -> Value {
        let text = match self.characters_max {
            Some(length) if row % 64 == 7 => return Value::Text(self.filled(length, row)),
            _ if random.one_in(4) => hard_text(random, row, self.characters_max).to_owned(),
            _ => words(random, self.words_max),
        };
        let room = self.characters_max.unwrap_or(usize::MAX);
        Value::Text(match self.unique {
            true => numbered(&text, row, room),
            false => text.chars().take(room).collect(),
        })
    }

    /// Exactly `length` characters of one to four bytes each.
    fn filled(&self, length: usize, row: u64) -> String {
        let pattern: String = "😀é文a".chars().cycle().take(length).collect();
        if self.unique {
            numbered(&pattern, row, length)
        } else {
            pattern
        }
    }
}

/// The text with the row number behind it. The number makes it unique under every
/// collation: digits are equal to nothing but themselves, and the tilde ends the
/// text before them.
fn numbered(text: &str, row: u64, room: usize) -> String {
    let number = format!("~{row}");
    let kept = room.saturating_sub(number.len());
    text.chars().take(kept).chain(number.chars()).collect()
}

/// The hard texts in turn, so that no value is left out; one that does not fit is
/// replaced by the first that does.
fn hard_text(random: &mut Random, row: u64, characters_max: Option<usize>) -> &'static str {
    let start = (row + random.below(8)) as usize;
    let room = characters_max.unwrap_or(usize::MAX);
    (0..HARD_TEXTS.len())
        .map(|step| HARD_TEXTS[(start + step) % HARD_TEXTS.len()])
        .find(|text| text.chars().count() <= room)
        .expect("the empty text always fits")
}

/// One to `words_max` words, a sentence to a line.
fn words(random: &mut Random, words_max: u64) -> String {
    let mut text = String::new();
    for number in 0..=random.below(words_max) {
        if number > 0 {
            text.push(if number % 9 == 0 { '\n' } else { ' ' });
        }
        text.push_str(random.choose(WORDS));
    }
    text
}

/// A word, for JSON documents.
pub(super) fn word(random: &mut Random) -> &'static str {
    random.choose(WORDS)
}

/// A few words, or in every seventh row the text with the line that is only `\.`.
pub(super) fn with_dot_line(random: &mut Random, row: u64) -> Value {
    Value::Text(if row % 7 == 3 {
        DOT_LINE.to_owned()
    } else {
        words(random, 6)
    })
}

/// The address of an account. Two rows at a time differ in nothing but case, which
/// the source's binary collation on this column tells apart.
pub(super) fn case_pair(row: u64) -> Value {
    let local_part = if row.is_multiple_of(2) {
        "person"
    } else {
        "Person"
    };
    Value::Text(format!("{local_part}.{}@example.org", row / 2))
}

/// 43 characters behind a dollar sign, as Matrix names its events.
pub(super) fn event_id(random: &mut Random) -> Value {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::from("$");
    text.extend((0..43).map(|_| char::from(DIGITS[random.below(64) as usize])));
    Value::Text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(plan: &TextPlan, rows: u64) -> Vec<String> {
        let text = |row| {
            plan.value(&mut Random::new(1, row), row)
                .as_text()
                .unwrap()
                .to_owned()
        };
        (0..rows).map(text).collect()
    }

    #[test]
    fn no_text_is_longer_than_its_column_and_some_fill_it() {
        for length in [4, 7, 16, 36, 128, 512, 8192] {
            for unique in [false, true] {
                let plan = TextPlan {
                    characters_max: Some(length),
                    unique,
                    words_max: 30,
                };
                if unique && length < 8 {
                    continue;
                }
                let lengths: Vec<usize> = texts(&plan, 500)
                    .iter()
                    .map(|text| text.chars().count())
                    .collect();
                assert_eq!(lengths.iter().max(), Some(&length), "unique {unique}");
            }
        }
    }

    #[test]
    fn every_hard_text_occurs_and_none_holds_a_nul() {
        let plan = TextPlan {
            characters_max: None,
            unique: false,
            words_max: 5,
        };
        let all = texts(&plan, 2_000);
        for hard in HARD_TEXTS {
            assert!(all.iter().any(|text| text == hard), "{hard:?}");
            assert!(!hard.contains('\0'));
        }
    }

    #[test]
    fn unique_texts_differ_even_without_case_and_accents() {
        let plan = TextPlan {
            characters_max: Some(36),
            unique: true,
            words_max: 4,
        };
        let mut numbers: Vec<String> = texts(&plan, 20_000)
            .iter()
            .map(|text| text.rsplit('~').next().unwrap().to_owned())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 20_000);
    }
}
