//! What a person or a program sees: data on stdout, everything else on stderr.
//!
//! Knows how to print, not what.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::Serialize;

/// How often a long stage shows that it is alive.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

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

    /// Prints a command's result: `human` as it stands, or the document as JSON.
    pub(crate) fn result(self, human: &str, document: &impl Serialize) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match self.format {
            OutputFormat::Human => stdout.write_all(human.as_bytes())?,
            OutputFormat::Json => {
                serde_json::to_writer_pretty(&mut stdout, document)?;
                stdout.write_all(b"\n")?;
            }
        }
        stdout.flush()
    }

    /// Prints a line about the work on stderr.
    pub(crate) fn line(self, text: &str) {
        // A closed stderr must not end a migration.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
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
pub(crate) fn text_table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells
            .chain([header[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let numeric = |column: usize| {
        rows.iter()
            .all(|row| row[column].starts_with(|c: char| c.is_ascii_digit()))
    };
    let layout: Vec<(usize, bool)> = (0..header.len())
        .map(|column| (width(column), numeric(column)))
        .collect();
    let mut text = String::new();
    let header_row: Vec<String> = header.iter().map(ToString::to_string).collect();
    for row in std::iter::once(&header_row).chain(rows) {
        let cells: Vec<String> = row
            .iter()
            .zip(&layout)
            .map(|(cell, &(width, numeric))| {
                if numeric {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
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
            text_table(&["table", "rows"], &rows),
            "table   rows\nuser      10\na      1,000\n"
        );
    }
}
