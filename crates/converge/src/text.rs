//! Lines for people, of which none can be more than a line: names, values and messages of servers
//! are shown, and not obeyed; and passwords of addresses are not shown.
//!
//! The only form in which anything reaches a terminal.

use std::fmt;

use catalog::visible;
use serde::{Serialize, Serializer};

use crate::secret::without_passwords;

/// Lines without hidden characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(Vec<String>);

impl Text {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a line, which stays one whatever is in it.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) {
        self.0
            .push(visible(&without_passwords(line.as_ref())).into_owned());
    }

    /// The same with the line.
    pub(crate) fn and(mut self, line: impl AsRef<str>) -> Self {
        self.line(line);
        self
    }

    /// Adds lines.
    pub(crate) fn append(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Puts words before the first line.
    pub(crate) fn behind(mut self, words: impl AsRef<str>) -> Self {
        match self.0.first_mut() {
            Some(first) => first.insert_str(0, &visible(words.as_ref())),
            None => self.line(words),
        }
        self
    }

    /// Its lines, without line breaks.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// As it is printed: each line with its end.
    pub(crate) fn printed(&self) -> String {
        self.0.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl<L: AsRef<str>> FromIterator<L> for Text {
    fn from_iter<I: IntoIterator<Item = L>>(lines: I) -> Self {
        let mut text = Self::new();
        lines.into_iter().for_each(|line| text.line(line));
        text
    }
}

impl From<&str> for Text {
    /// One line.
    fn from(line: &str) -> Self {
        Self::new().and(line)
    }
}

impl From<String> for Text {
    /// One line.
    fn from(line: String) -> Self {
        Self::from(line.as_str())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_line() {
        let forged = "t\nverdict: equal\r\u{1b}[2K\u{202e}";
        let shown = r"t\nverdict: equal\r\u{1b}[2K\u{202e}";
        let mut text = Text::from(forged).and("").and(forged).behind(forged);
        text.append([forged].into_iter().collect());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, [&shown.repeat(2), "", shown, shown]);
        assert_eq!(text.printed().lines().count(), 4);
        assert_eq!(text.to_string(), lines.join("\n"));
        assert_eq!(Text::from(text.to_string()).lines().count(), 1);
        assert_eq!(Text::new().behind("a").printed(), "a\n");
    }
}
