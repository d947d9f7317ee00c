//! Reads the CSV dialect of [`crate::CsvWriter`] and says which fields were quoted.
//!
//! Strict on purpose: anything that this tool would not have written is damage, not a dialect.

use std::io::Read;

use crate::chunk_search::{append_until_quote, find_special};
use crate::error::{Error, Kind};
use crate::record::Record;

/// Room for many records at a time; large enough that the calls to the reader beneath do not count.
const READ_BYTES: usize = 256 * 1024;

/// A reader of records. Memory grows to the largest record, not further.
#[derive(Debug)]
pub struct CsvReader<R: Read> {
    inner: R,
    buffer: Vec<u8>,
    /// Unread bytes are `buffer[start..end]`.
    start: usize,
    end: usize,
    header: Vec<String>,
    records: u64,
    /// Where the line begins that was read last.
    line: usize,
    /// Where each of its fields ends, from its beginning.
    field_ends: Vec<usize>,
}

impl<R: Read> CsvReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// Where there is none, or where the reader beneath fails.
    pub fn new(inner: R) -> Result<Self, Error> {
        let mut reader = Self {
            inner,
            buffer: vec![0; READ_BYTES],
            start: 0,
            end: 0,
            header: Vec::new(),
            records: 0,
            line: 0,
            field_ends: Vec::new(),
        };
        let mut names = Record::new();
        if !reader.next_line(&mut names)? {
            return Err(reader.malformed("there is no header"));
        }
        for name in names.iter() {
            let name = String::from_utf8(name.unwrap_or_default().to_vec())
                .map_err(|_| reader.malformed("the header is not UTF-8"))?;
            reader.header.push(name);
        }
        Ok(reader)
    }

    /// The column names.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Number of the record that was read last; the first after the header is 1.
    pub fn record_number(&self) -> u64 {
        self.records
    }

    /// Reads the next record; `false` at the end of the file.
    ///
    /// # Errors
    /// Where the file is not in the dialect, is cut off, or cannot be read.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, Error> {
        self.records += 1;
        if !self.next_line(record)? {
            self.records -= 1;
            return Ok(false);
        }
        if record.len() != self.header.len() {
            return Err(Error::new(Kind::FieldCount {
                record: self.records,
                expected: self.header.len(),
                found: record.len(),
            }));
        }
        Ok(true)
    }

    /// A field of the record that was read last as it stands in the file, with its quotes.
    ///
    /// # Panics
    /// Where there is no such field.
    pub fn field_in_file(&self, index: usize) -> &[u8] {
        let end = self.field_ends[index];
        // Behind each field is a comma or the line's end.
        let start = index
            .checked_sub(1)
            .map_or(0, |before| self.field_ends[before] + 1);
        &self.buffer[self.line..][start..end]
    }

    fn next_line(&mut self, record: &mut Record) -> Result<bool, Error> {
        loop {
            record.clear();
            self.field_ends.clear();
            let unread = &self.buffer[self.start..self.end];
            match parse_line(unread, record, &mut self.field_ends) {
                Parsed::Line(length) => {
                    self.line = self.start;
                    self.start += length;
                    return Ok(true);
                }
                Parsed::Malformed(why) => return Err(self.malformed(why)),
                Parsed::Incomplete => {
                    let unread = self.end - self.start;
                    if self.fill()? == 0 {
                        if unread == 0 {
                            return Ok(false);
                        }
                        return Err(self.malformed("the file ends within it"));
                    }
                }
            }
        }
    }

    /// Moves the unread bytes to the front, doubles the buffer where they fill it, reads on.
    fn fill(&mut self) -> Result<usize, Error> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let mut filled = 0;
        // A record that needs more is parsed anew, so it is worth to read as much as there is room.
        while self.end < self.buffer.len() {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(bytes) => {
                    self.end += bytes;
                    filled += bytes;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(filled)
    }

    fn malformed(&self, why: &'static str) -> Error {
        Error::new(Kind::Malformed {
            record: self.records,
            why,
        })
    }
}

enum Parsed {
    /// The line took that many bytes, the line break included.
    Line(usize),
    Incomplete,
    Malformed(&'static str),
}

/// Also writes down where the fields end.
fn parse_line(bytes: &[u8], record: &mut Record, ends: &mut Vec<usize>) -> Parsed {
    let mut at = 0;
    loop {
        let field_end = match bytes.get(at) {
            None => return Parsed::Incomplete,
            Some(b'"') => match parse_quoted(&bytes[at + 1..], record) {
                Ok(Some(length)) => at + 1 + length,
                Ok(None) => return Parsed::Incomplete,
                Err(why) => return Parsed::Malformed(why),
            },
            Some(_) => {
                let Some(length) = find_special(&bytes[at..]) else {
                    return Parsed::Incomplete;
                };
                if matches!(bytes[at + length], b'"' | b'\r') {
                    return Parsed::Malformed("a quote or carriage return stands outside quotes");
                }
                let field = &bytes[at..at + length];
                record.push((!field.is_empty()).then_some(field));
                at + length
            }
        };
        ends.push(field_end);
        match bytes.get(field_end) {
            None => return Parsed::Incomplete,
            Some(b',') => at = field_end + 1,
            Some(b'\n') => return Parsed::Line(field_end + 1),
            Some(_) => return Parsed::Malformed("text follows a closing quote"),
        }
    }
}

/// Reads after an opening quote. Returns the length up to and with the closing quote;
/// `None` where the closing quote, or the byte after it, is not there yet.
fn parse_quoted(bytes: &[u8], record: &mut Record) -> Result<Option<usize>, &'static str> {
    let mut at = 0;
    let complete = record.push_with(|field| {
        loop {
            let Some(quote) = append_until_quote(&bytes[at..], field) else {
                return Err(());
            };
            at += quote + 1;
            match bytes.get(at) {
                None => return Err(()),
                Some(b'"') => {
                    field.push(b'"');
                    at += 1;
                }
                Some(_) => return Ok(()),
            }
        }
    });
    Ok(complete.is_ok().then_some(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::CsvWriter;

    fn write(rows: &[Vec<Option<Vec<u8>>>], columns: usize) -> Vec<u8> {
        let names: Vec<String> = (0..columns).map(|index| format!("c{index}")).collect();
        let mut writer = CsvWriter::new(Vec::new(), names.iter().map(String::as_str)).unwrap();
        let mut record = Record::new();
        for row in rows {
            record.clear();
            row.iter().for_each(|field| record.push(field.as_deref()));
            writer.write(&record).unwrap();
        }
        writer.into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Vec<Vec<Option<Vec<u8>>>>, Error> {
        let mut reader = CsvReader::new(bytes)?;
        let mut record = Record::new();
        let mut rows = Vec::new();
        while reader.read(&mut record)? {
            rows.push(
                record
                    .iter()
                    .map(|field| field.map(<[u8]>::to_vec))
                    .collect(),
            );
        }
        Ok(rows)
    }

    #[test]
    fn null_empty_and_the_end_marker_have_their_own_spelling() {
        let rows = [
            None,
            Some(&b""[..]),
            Some(b"NULL"),
            Some(b"\\."),
            Some(b"\\N"),
            Some(b" "),
        ]
        .map(|field| vec![field.map(<[u8]>::to_vec)]);
        let bytes = write(&rows, 1);
        assert_eq!(bytes, b"c0\n\n\"\"\nNULL\n\"\\.\"\n\\N\n \n");
        assert_eq!(read(&bytes).unwrap(), rows);
    }

    #[test]
    fn damage_is_named_with_its_record() {
        for (bytes, why) in [
            (
                &b"a,b\n1,2\n3"[..],
                "record 2 is not in the CSV dialect of this tool: the file ends within it",
            ),
            (
                b"a,b\n1,2\n3\n",
                "record 2 has 1 fields where the header has 2",
            ),
            (
                b"a\n\"x\"y\n",
                "record 1 is not in the CSV dialect of this tool: text follows a closing quote",
            ),
            (
                b"a\nx\"y\n",
                "record 1 is not in the CSV dialect of this tool: a quote or carriage return stands outside quotes",
            ),
            (
                b"a\r\nb\r\n",
                "record 0 is not in the CSV dialect of this tool: a quote or carriage return stands outside quotes",
            ),
            (
                b"a\n\"x",
                "record 1 is not in the CSV dialect of this tool: the file ends within it",
            ),
            (
                b"",
                "record 0 is not in the CSV dialect of this tool: there is no header",
            ),
        ] {
            assert_eq!(read(bytes).unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn a_record_larger_than_the_buffer_is_read_whole() {
        let large = vec![b'"'; READ_BYTES * 3];
        let rows = vec![
            vec![Some(large), None],
            vec![Some(b"x".to_vec()), Some(Vec::new())],
        ];
        assert_eq!(read(&write(&rows, 2)).unwrap(), rows);
    }

    fn any_field() -> impl Strategy<Value = Option<Vec<u8>>> {
        let tricky = proptest::sample::select(&b"\",\n\r\\.Na \x00\xff"[..]);
        prop_oneof![
            Just(None),
            proptest::collection::vec(tricky, 0..6).prop_map(Some),
            proptest::collection::vec(any::<u8>(), 0..12).prop_map(Some),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            rows in (1usize..5).prop_flat_map(|columns| {
                proptest::collection::vec(proptest::collection::vec(any_field(), columns), 0..8)
            })
        ) {
            let columns = rows.first().map_or(1, Vec::len);
            prop_assert_eq!(read(&write(&rows, columns)).unwrap(), rows);
        }

        /// The `csv` crate sees the same fields, but for the difference of NULL and `""`
        /// and for the empty lines that it passes over (a NULL in a table of one column).
        #[test]
        fn the_csv_crate_reads_the_same_fields(
            rows in (2usize..5).prop_flat_map(|columns| {
                proptest::collection::vec(proptest::collection::vec(any_field(), columns), 0..8)
            })
        ) {
            let columns = rows.first().map_or(2, Vec::len);
            let bytes = write(&rows, columns);
            let mut other = csv::ReaderBuilder::new().from_reader(&bytes[..]);
            let theirs: Vec<Vec<Vec<u8>>> = other
                .byte_records()
                .map(|r| r.unwrap().iter().map(<[u8]>::to_vec).collect())
                .collect();
            let ours: Vec<Vec<Vec<u8>>> = rows
                .iter()
                .map(|row| row.iter().map(|f| f.clone().unwrap_or_default()).collect())
                .collect();
            prop_assert_eq!(theirs, ours);
        }

        #[test]
        fn a_field_in_the_file_is_as_it_was_written(
            fields in proptest::collection::vec(any_field(), 1..5),
            before in 0usize..3,
        ) {
            let mut rows = vec![vec![Some(b"a,b".to_vec()); fields.len()]; before];
            rows.push(fields.clone());
            let bytes = write(&rows, fields.len());
            let mut reader = CsvReader::new(&bytes[..]).unwrap();
            let mut record = Record::new();
            for _ in &rows {
                prop_assert!(reader.read(&mut record).unwrap());
            }
            for (index, field) in fields.into_iter().enumerate() {
                let alone = write(&[vec![field]], 1);
                let expected = &alone[b"c0\n".len()..alone.len() - 1];
                prop_assert_eq!(reader.field_in_file(index), expected);
            }
        }

        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&bytes);
        }
    }
}
