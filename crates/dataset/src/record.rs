//! One record: fields of bytes, each of which may be NULL.
//!
//! Made to be reused; does not know which column a field belongs to.

/// A record whose buffers are kept from one use to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    bytes: Vec<u8>,
    /// Where each field ends in `bytes`.
    ends: Vec<usize>,
    nulls: Vec<bool>,
}

impl Record {
    /// A record without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes all fields away and keeps the buffers.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.nulls.clear();
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all fields together.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// A field; `None` is NULL.
    ///
    /// # Panics
    /// Where there is no such field.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        if self.nulls[index] {
            return None;
        }
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..self.ends[index]])
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut start = 0;
        self.ends.iter().zip(&self.nulls).map(move |(end, null)| {
            let field = &self.bytes[start..*end];
            start = *end;
            (!null).then_some(field)
        })
    }

    /// Becomes the same as another record, in the buffers that are there.
    pub fn copy_from(&mut self, other: &Self) {
        self.bytes.clone_from(&other.bytes);
        self.ends.clone_from(&other.ends);
        self.nulls.clone_from(&other.nulls);
    }

    /// Adds a field.
    pub fn push(&mut self, field: Option<&[u8]>) {
        match field {
            Some(bytes) => self.push_bytes(bytes),
            None => self.push_null(),
        }
    }

    /// Adds NULL.
    pub fn push_null(&mut self) {
        self.ends.push(self.bytes.len());
        self.nulls.push(true);
    }

    /// Adds a field that is not NULL.
    pub fn push_bytes(&mut self, field: &[u8]) {
        self.bytes.extend_from_slice(field);
        self.ends.push(self.bytes.len());
        self.nulls.push(false);
    }

    /// Adds what `write` appends to the buffer as one field.
    ///
    /// `write` may only append. On its error nothing is added.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn push_with<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.bytes.len();
        match write(&mut self.bytes) {
            Ok(()) => {
                debug_assert!(self.bytes.len() >= start, "a field's writer only appends");
                self.ends.push(self.bytes.len());
                self.nulls.push(false);
                Ok(())
            }
            Err(error) => {
                self.bytes.truncate(start);
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_are_told_apart() {
        let mut record = Record::new();
        record.push(Some(b""));
        record.push(None);
        record.push_bytes(b"abc");
        assert_eq!(
            record.iter().collect::<Vec<_>>(),
            [Some(&b""[..]), None, Some(&b"abc"[..])]
        );
        let mut copy = Record::new();
        copy.push_bytes(b"what was there before");
        copy.copy_from(&record);
        assert_eq!(copy, record);
        record.clear();
        assert!(record.is_empty());
    }

    #[test]
    fn a_failed_field_leaves_nothing_behind() {
        let mut record = Record::new();
        record.push_bytes(b"a");
        let failed = record.push_with(|buffer| {
            buffer.extend_from_slice(b"half");
            Err("no")
        });
        assert_eq!(failed, Err("no"));
        record.push_bytes(b"b");
        assert_eq!(
            record.iter().collect::<Vec<_>>(),
            [Some(&b"a"[..]), Some(&b"b"[..])]
        );
    }
}
