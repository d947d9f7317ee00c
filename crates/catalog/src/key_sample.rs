//! A part of a table's rows that is chosen by their keys, so that two servers which know nothing
//! of each other choose the same.

/// Which rows are chosen: those whose key has a SHA-256 that is below a limit.
///
/// What is hashed is the text of the key's columns, joined by line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySample {
    /// The key's columns.
    pub columns: Vec<SampledColumn>,
    /// The limit: the first four bytes of the digest.
    pub below: u32,
}

/// A column of a sampled key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledColumn {
    /// Its name, which is the same on both sides.
    pub name: String,
    /// What its text is.
    pub form: KeyForm,
}

/// A text that values of a key have on both sides alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// An integer's digits, without those that only fill up.
    Integer,
    /// The text itself, as UTF-8.
    Text,
    /// A UUID that the source has as text: its letters are small.
    Uuid,
    /// Bytes, as hex digits with small letters.
    Bytes,
    /// A UUID that the source has as sixteen bytes: hex digits without hyphens.
    UuidBytes,
}

impl KeySample {
    /// The limit as eight hex digits.
    pub fn below_hex(&self) -> String {
        format!("{:08x}", self.below)
    }
}
