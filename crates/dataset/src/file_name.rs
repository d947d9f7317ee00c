//! File names for tables: readable where possible, different for different tables always.
//!
//! The manifest maps them back; nothing is ever parsed out of a file name.

/// Longest stem before it is cut; leaves room for chunk numbers, suffixes and a hash
/// within the 255 bytes that common file systems allow.
const STEM_BYTES_MAX: usize = 100;

/// The file name of a table's only file.
pub fn table_file_name(table: &str) -> String {
    format!("{}.csv", file_stem(table))
}

/// The file name of one of a table's chunks, which count from 1; the only one has no number.
pub fn chunk_file_name(table: &str, number: usize, chunks: usize) -> String {
    match chunks {
        1 => table_file_name(table),
        _ => format!("{}.{number:04}.csv", file_stem(table)),
    }
}

/// A table's name as the stem of a file name.
///
/// `a-z 0-9 _ -` stay, every other byte is `%XX`, so that `A` and `a` differ on file systems
/// that fold case; a long stem is cut at 100 bytes and ends in a hash of the whole name.
pub fn file_stem(table: &str) -> String {
    let mut stem = String::with_capacity(table.len());
    for byte in table.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => stem.push(char::from(byte)),
            other => stem.push_str(&format!("%{other:02X}")),
        }
    }
    if stem.len() > STEM_BYTES_MAX {
        let hash = blake3::hash(table.as_bytes()).to_hex();
        stem.truncate(STEM_BYTES_MAX);
        stem.push('-');
        stem.push_str(&hash[..16]);
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_readable_and_different() {
        assert_eq!(
            table_file_name("query-result-cache"),
            "query-result-cache.csv"
        );
        assert_eq!(chunk_file_name("user", 1, 1), "user.csv");
        assert_eq!(chunk_file_name("user", 1, 2), "user.0001.csv");
        assert_eq!(chunk_file_name("user", 12_345, 20_000), "user.12345.csv");
        assert_eq!(file_stem("A"), "%41");
        assert_eq!(file_stem("../etc"), "%2E%2E%2Fetc");
        assert_eq!(file_stem("é"), "%C3%A9");
        let long = "x".repeat(64) + &"É".repeat(20);
        let longer = "x".repeat(64) + &"É".repeat(21);
        assert_ne!(file_stem(&long), file_stem(&longer));
        assert_eq!(file_stem(&long).len(), 117);
    }
}
