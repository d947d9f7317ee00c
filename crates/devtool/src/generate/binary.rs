//! Blobs, and whiteboards that are bytes in disguise.
//!
//! Production compressed its whiteboards and kept each byte as the character of
//! the same number in a text column, so that bytes above 0x7F took two each.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::random::Random;
use super::text::word;
use super::value::Value;

/// Bytes for a blob column: every eighth row has all 256 values in order.
pub(super) fn blob(random: &mut Random, row: u64) -> Value {
    Value::Bytes(match row % 8 {
        0 => (0..=255).collect(),
        1 => Vec::new(),
        2 => vec![0; 3],
        _ => (0..random.below(96)).map(|_| random.next() as u8).collect(),
    })
}

/// The content of a whiteboard as its document, in ASCII: it has to pass the rule
/// for compressed ones, which takes characters for bytes.
pub(super) fn whiteboard_document(random: &mut Random) -> String {
    let elements: Vec<String> = (0..=random.below(4)).map(|_| element(random)).collect();
    let document = format!(
        "{{\"type\":\"excalidraw\",\"version\":2,\"elements\":[{}]}}",
        elements.join(",")
    );
    escaped(&document)
}

/// JSON with its other characters as `\uXXXX`; the words have none above U+FFFF.
fn escaped(json: &str) -> String {
    let escape = |c: char| match c {
        _ if c.is_ascii() => c.to_string(),
        _ => format!("\\u{:04x}", u32::from(c)),
    };
    json.chars().map(escape).collect()
}

fn element(random: &mut Random) -> String {
    format!(
        "{{\"id\":\"{:016x}\",\"x\":{},\"y\":{},\"text\":\"{} {}\"}}",
        random.next(),
        random.below(4_000),
        random.below(4_000),
        word(random),
        word(random)
    )
}

/// The content as production stored it: zlib bytes, each as one character.
pub(super) fn whiteboard_bytes_as_text(random: &mut Random, row: u64) -> Value {
    let compressed = compress(&whiteboard_document(random), row);
    Value::Text(compressed.into_iter().map(char::from).collect())
}

fn compress(document: &str, row: u64) -> Vec<u8> {
    // Uncompressed blocks state their length in two bytes, so that every fifth row
    // is sure to hold a NUL.
    let level = if row.is_multiple_of(5) {
        Compression::none()
    } else {
        Compression::default()
    };
    let mut encoder = ZlibEncoder::new(Vec::new(), level);
    encoder
        .write_all(document.as_bytes())
        .expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;

    #[test]
    fn whiteboards_are_zlib_bytes_as_characters_and_some_hold_a_nul() {
        let mut with_nul = 0;
        for row in 0..50 {
            let value = whiteboard_bytes_as_text(&mut Random::new(11, row), row);
            let text = value.as_text().unwrap();
            assert!(text.chars().any(|c| c > '\u{7f}'), "row {row}");
            with_nul += usize::from(text.contains('\0'));
            let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
            let mut document = String::new();
            ZlibDecoder::new(&bytes[..])
                .read_to_string(&mut document)
                .unwrap();
            assert!(document.is_ascii());
            assert_eq!(document, whiteboard_document(&mut Random::new(11, row)));
        }
        assert!(with_nul >= 10, "{with_nul}");
    }

    #[test]
    fn a_blob_holds_every_byte_value() {
        let Value::Bytes(bytes) = blob(&mut Random::new(1, 0), 0) else {
            panic!("not bytes")
        };
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
    }
}
