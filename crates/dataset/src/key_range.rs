//! A part of a table by its key: the rows of one chunk.
//!
//! Half-open, so that ranges side by side share no row and leave none out. Values are as the
//! source's edge spells them; nothing else reads them.

use serde::{Deserialize, Serialize};

/// Rows behind one key, up to and with another; the whole table where neither is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRange {
    /// The key that the rows come after; `None` begins with the first row.
    pub after: Option<Vec<String>>,
    /// The key of the last row; `None` ends with the last row of the table.
    pub up_to: Option<Vec<String>>,
}

impl KeyRange {
    /// All rows.
    pub fn whole() -> Self {
        Self::default()
    }
}
