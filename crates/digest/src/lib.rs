//! Canonical forms of values and the 128-bit digests that rows and tables are compared by.
//!
//! Knows no server, no file and no rule; `docs/verification.md` describes the form for people.

mod canonical;
mod decimal;
mod describe;
mod json;
mod key_set;
mod source_value;
mod table_digest;

pub use canonical::{CANONICAL_VERSION, Canonical, digest_encoded};
pub use decimal::Decimal;
pub use describe::{describe, is_null};
pub use json::{
    DuplicateKeys, JsonCanonicalizer, JsonError, JsonFacts, JsonOptions, NulCharacters,
};
pub use key_set::{KeyPasses, KeySet, Presence};
pub use source_value::SourceValue;
pub use table_digest::{ParseDigestError, TableDigest, digest_fields};
