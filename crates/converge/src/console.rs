//! What a person or a program sees: data on stdout, everything else on stderr.
//!
//! Knows how to print, not what.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use catalog::{is_hidden, visible};
use serde::Serialize;

use crate::text::Text;

/// How often a long stage shows that it is alive.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// Terminals, mails and reviews show so many characters of a line.
const LINE_CHARACTERS_MAX: usize = 80;

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutputFormat {
    /// Text for people.
    Human,
    /// One JSON document on stdout.
    Json,
}

/// Prints results and progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    format: OutputFormat,
}

impl Console {
    pub(crate) fn new(format: OutputFormat) -> Self {
        Self { format }
    }

    /// Prints a command's result: for people, or the document as JSON.
    pub(crate) fn result(self, human: &Text, document: &impl Serialize) -> io::Result<()> {
        let text = match self.format {
            OutputFormat::Human => human.printed(),
            OutputFormat::Json => printable_json(&serde_json::to_string_pretty(document)?),
        };
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// Prints a line about the work on stderr.
    pub(crate) fn line(self, text: &str) {
        line(text);
    }

    /// Prints lines about the work on stderr.
    pub(crate) fn text(self, text: &Text) {
        say(text);
    }
}

/// Prints a line about the work on stderr, where no [`Console`] is at hand.
pub(crate) fn line(text: &str) {
    say(&Text::from(text));
}

/// Prints lines on stderr: the only place that does.
pub(crate) fn say(text: &Text) {
    // A closed stderr must not end a migration.
    let _ = io::stderr().lock().write_all(text.printed().as_bytes());
}

/// JSON in which hidden characters of strings are escaped, also those that the format leaves.
fn printable_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        // Outside of strings there are only spaces and line breaks.
        match character != '\n' && is_hidden(character) {
            true => {
                let units = character.encode_utf16(&mut [0; 2]).to_vec();
                text.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
            false => text.push(character),
        }
    }
    text.push('\n');
    text
}

/// Tells now and then how far a long piece of work is.
#[derive(Debug)]
pub(crate) struct Pulse {
    console: Console,
    last: Instant,
}

impl Pulse {
    pub(crate) fn new(console: Console) -> Self {
        Self {
            console,
            last: Instant::now(),
        }
    }

    /// Prints what `text` says, if the last time is long enough ago.
    pub(crate) fn beat(&mut self, text: impl FnOnce() -> String) {
        if self.last.elapsed() >= PROGRESS_EVERY {
            self.last = Instant::now();
            self.console.line(&text());
        }
    }
}

/// A table of text: columns as wide as their cells, numbers to the right.
///
/// Where it would be wider than a line, cells are wrapped between words.
pub(crate) fn text_table(header: &[&str], rows: &[Vec<String>]) -> Text {
    indented_table(0, header, rows)
}

/// A line for each row, however wide: a list to search in.
pub(crate) fn wide_table(header: &[&str], rows: &[Vec<String>]) -> Text {
    table(header, rows, usize::MAX).into_iter().collect()
}

/// The same, with spaces before each line.
pub(crate) fn indented_table(indent: usize, header: &[&str], rows: &[Vec<String>]) -> Text {
    let lines = table(header, rows, LINE_CHARACTERS_MAX - indent).into_iter();
    let lines = lines.map(|line| format!("{:indent$}{line}", "").trim_end().to_owned());
    lines.collect()
}

fn table(header: &[&str], rows: &[Vec<String>], width_max: usize) -> Vec<String> {
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    // As wide as they are shown.
    let shown = |row: &Vec<String>| row.iter().map(|cell| visible(cell).into_owned()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
    let columns: Vec<Column> = (0..header.len())
        .map(|column| Column::new(&header[column], rows.iter().map(|row| row[column].as_str())))
        .collect();
    let columns = fitted(columns, width_max);
    let mut text = Vec::new();
    for row in std::iter::once(&header).chain(&rows) {
        let cells: Vec<Vec<String>> = row
            .iter()
            .zip(&columns)
            .map(|(cell, column)| wrapped(cell, column.width))
            .collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..lines {
            let cells: Vec<String> = cells
                .iter()
                .zip(&columns)
                .map(|(cell, column)| column.padded(cell.get(line).map_or("", String::as_str)))
                .collect();
            text.push(cells.join("  ").trim_end().to_owned());
        }
    }
    text
}

/// The layout of one column of a table.
struct Column {
    width: usize,
    /// The longest word, which is not broken.
    width_min: usize,
    is_numeric: bool,
}

impl Column {
    fn new<'c>(header: &'c str, cells: impl Iterator<Item = &'c str> + Clone) -> Self {
        let all = || cells.clone().chain([header]);
        let words = all().flat_map(|cell| cell.split(' '));
        Self {
            width: all().map(characters).max().unwrap_or(0),
            width_min: words.map(characters).max().unwrap_or(0),
            is_numeric: cells
                .clone()
                .all(|cell| cell.starts_with(|c: char| c.is_ascii_digit())),
        }
    }

    fn padded(&self, cell: &str) -> String {
        let width = self.width;
        if self.is_numeric {
            format!("{cell:>width$}")
        } else {
            format!("{cell:<width$}")
        }
    }
}

/// Takes from the widest columns first until the table fits, or no word can be wrapped any more.
fn fitted(mut columns: Vec<Column>, width_max: usize) -> Vec<Column> {
    let gaps = 2 * columns.len().saturating_sub(1);
    loop {
        let width: usize = columns.iter().map(|column| column.width).sum();
        let widest = columns
            .iter_mut()
            .filter(|column| column.width > column.width_min)
            .max_by_key(|column| column.width);
        match widest {
            Some(column) if width + gaps > width_max => column.width -= 1,
            _ => return columns,
        }
    }
}

/// The lines of a cell.
fn wrapped(cell: &str, width: usize) -> Vec<String> {
    if characters(cell) <= width {
        return vec![cell.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in cell.split(' ') {
        match lines.last_mut() {
            Some(line) if characters(line) + 1 + characters(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

/// A number with its thousands set apart.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun, which gets an `s` where the number asks for one.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", thousands(number))
}

/// The first names of a list, and how many more there are.
pub(crate) fn first_of(names: &[String], shown_max: usize) -> String {
    let shown = &names[..names.len().min(shown_max)];
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Bytes in the unit that leaves one to three digits before the point (powers of 1000).
pub(crate) fn bytes_text(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            let digits = usize::from(unit != "B");
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(bytes_text(999), "999 B");
        assert_eq!(bytes_text(51_234_000), "51.2 MB");
    }

    #[test]
    fn tables_are_aligned() {
        let rows = vec![
            vec!["user".to_owned(), "10".to_owned()],
            vec!["a".to_owned(), "1,000".to_owned()],
        ];
        assert_eq!(
            text_table(&["table", "rows"], &rows).printed(),
            "table   rows\nuser      10\na      1,000\n"
        );
    }

    #[test]
    fn a_cell_stays_in_its_row() {
        let rows = vec![vec!["a\nverdict: equal\u{1b}".to_owned(), "1".to_owned()]];
        assert_eq!(
            text_table(&["table", "rows"], &rows).printed(),
            "table                    rows\na\\nverdict: equal\\u{1b}     1\n"
        );
    }

    #[test]
    fn json_means_the_same_and_shows_no_hidden_character() {
        let names = [
            "\u{7f}\u{9b}31m",
            "\u{202e}",
            "\u{e0041}",
            "\u{1b}\n",
            "é😀",
        ];
        let json = printable_json(&serde_json::to_string_pretty(&names).unwrap());
        assert!(!json.chars().any(|c| c != '\n' && is_hidden(c)), "{json}");
        assert!(json.contains("é😀") && json.ends_with("]\n"), "{json}");
        let read: Vec<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(read, names);
    }

    #[test]
    fn a_table_that_is_too_wide_is_wrapped_between_words() {
        let long = "timestamp without time zone, at most six digits, as the server spells it";
        let rows = vec![
            vec!["created_at".to_owned(), long.to_owned(), "12".to_owned()],
            vec!["id".to_owned(), "uuid".to_owned(), "3".to_owned()],
        ];
        let header = ["column", "type", "rows"];
        assert_eq!(
            text_table(&header, &rows).printed(),
            "column      type                                                            rows\n\
             created_at  timestamp without time zone, at most six digits, as the server    12\n\
             \u{20}           spells it\n\
             id          uuid                                                               3\n"
        );
        // A word is never broken.
        let name = "x".repeat(100);
        let table = indented_table(2, &["", ""], &[vec!["a".to_owned(), name.clone()]]);
        assert_eq!(table.printed(), format!("\n  a  {name}\n"));
    }
}
