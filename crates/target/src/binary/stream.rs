//! Whole files: records of a CSV to pieces of COPY data.

use std::io::Read;
use std::mem;

use dataset::{CsvReader, Record};

use super::Encoder;

/// The signature, no flags, no extension (PostgreSQL manual, "COPY", "File Header").
const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// A number of fields that no tuple has.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// Few large messages instead of many small ones.
const PIECE_BYTES: usize = 256 * 1024;
/// A NULL has no length.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// A piece of COPY data and how many records have been encoded with its end.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: u64,
}

/// Why a file could not be encoded.
#[derive(Debug)]
pub(crate) enum Failed<E> {
    /// It is not in the dialect, or cannot be read.
    Read(dataset::Error),
    /// Its columns are not those that are loaded.
    Columns,
    /// A field is not in the spelling of its type.
    Field { record: u64, column: usize },
    /// Nobody takes the pieces any more.
    Send(E),
}

/// Makes tuples of records, piece by piece.
#[derive(Debug)]
pub(crate) struct Tuples<'e> {
    encoders: &'e [Encoder],
    /// How many fields each has, as it begins.
    fields: [u8; 2],
    piece: Encoded,
}

impl<'e> Tuples<'e> {
    /// Begins with the file's header; `None` where no table has as many columns.
    pub(crate) fn begin(encoders: &'e [Encoder]) -> Option<Self> {
        let fields = i16::try_from(encoders.len()).ok()?.to_be_bytes();
        let piece = Encoded {
            bytes: HEADER.to_vec(),
            records: 0,
        };
        Some(Self {
            encoders,
            fields,
            piece,
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Where a field is not in the spelling of its type.
    pub(crate) fn add<E>(&mut self, record: &Record) -> Result<(), Failed<E>> {
        self.piece.records += 1;
        self.piece.bytes.extend(self.fields);
        for (column, (field, encoder)) in record.iter().zip(self.encoders).enumerate() {
            encode_field(field, encoder, &mut self.piece.bytes).map_err(|()| Failed::Field {
                record: self.piece.records,
                column,
            })?;
        }
        Ok(())
    }

    /// Whether the piece is large enough to be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.piece.bytes.len() >= PIECE_BYTES
    }

    /// Takes the piece away.
    pub(crate) fn take(&mut self) -> Encoded {
        let bytes = mem::take(&mut self.piece.bytes);
        Encoded {
            bytes,
            records: self.piece.records,
        }
    }

    /// Goes on in the buffer of a piece that was sent.
    pub(crate) fn reuse(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.piece.bytes = bytes;
    }

    /// Adds the end of the file.
    pub(crate) fn end(&mut self) {
        self.piece.bytes.extend(TRAILER);
    }
}

/// Encodes all records of a CSV with its header. `send` takes a piece and gives back one to be
/// filled, which may be any that was sent before.
pub(crate) fn encode<E>(
    csv: impl Read,
    columns: &[&str],
    encoders: &[Encoder],
    mut send: impl FnMut(Encoded) -> Result<Encoded, E>,
) -> Result<(), Failed<E>> {
    let mut reader = CsvReader::new(csv).map_err(Failed::Read)?;
    if !reader.header().iter().eq(columns) {
        return Err(Failed::Columns);
    }
    let mut tuples = Tuples::begin(encoders).ok_or(Failed::Columns)?;
    let mut record = Record::new();
    while reader.read(&mut record).map_err(Failed::Read)? {
        tuples.add(&record)?;
        if tuples.is_full() {
            let empty = send(tuples.take()).map_err(Failed::Send)?;
            tuples.reuse(empty.bytes);
        }
    }
    tuples.end();
    send(tuples.take()).map_err(Failed::Send)?;
    Ok(())
}

fn encode_field(field: Option<&[u8]>, encoder: &Encoder, out: &mut Vec<u8>) -> Result<(), ()> {
    let Some(text) = field else {
        out.extend(NULL);
        return Ok(());
    };
    let start = out.len();
    out.extend([0; 4]);
    encoder.encode(text, out).map_err(|_| ())?;
    let length = i32::try_from(out.len() - start - 4).map_err(|_| ())?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(csv: &str, encoders: &[Encoder]) -> Vec<u8> {
        let mut all = Vec::new();
        let done = encode(csv.as_bytes(), &["a", "b"], encoders, |piece| {
            all.extend(&piece.bytes);
            Ok::<_, ()>(Encoded::default())
        });
        done.unwrap();
        all
    }

    #[test]
    fn a_file_is_a_header_its_tuples_and_a_trailer() {
        let encoders = [Encoder::Smallint, Encoder::Text];
        let bytes = encoded("a,b\n1,\n,\"\"\n", &encoders);
        let tuples = [
            0, 2, 0, 0, 0, 2, 0, 1, 255, 255, 255, 255, //
            0, 2, 255, 255, 255, 255, 0, 0, 0, 0,
        ];
        assert_eq!(bytes, [&HEADER[..], &tuples, &TRAILER].concat());
        assert_eq!(
            encoded("a,b\n", &encoders),
            [&HEADER[..], &TRAILER].concat()
        );
    }

    #[test]
    fn pieces_are_large_and_count_records() {
        let encoders = [Encoder::Smallint, Encoder::Text];
        let line = format!("1,{}\n", "x".repeat(100_000));
        let csv = format!("a,b\n{}", line.repeat(7));
        let mut seen = Vec::new();
        let done = encode(csv.as_bytes(), &["a", "b"], &encoders, |piece| {
            seen.push((piece.records, piece.bytes.len() >= PIECE_BYTES));
            Ok::<_, ()>(piece)
        });
        done.unwrap();
        assert_eq!(seen, [(3, true), (6, true), (7, false)]);
    }

    #[test]
    fn a_field_in_another_spelling_is_named() {
        let encoders = [Encoder::Smallint, Encoder::Boolean];
        let done = encode(
            &b"a,b\n1,t\n2,maybe\n"[..],
            &["a", "b"],
            &encoders,
            Ok::<_, ()>,
        );
        let Err(Failed::Field { record, column }) = done else {
            panic!("it is no boolean");
        };
        assert_eq!((record, column), (2, 1));
        let done = encode(&b"b,a\n"[..], &["a", "b"], &encoders, Ok::<_, ()>);
        assert!(matches!(done, Err(Failed::Columns)));
    }
}
