//! CSV of the transformed files as PostgreSQL's binary COPY data (PostgreSQL manual, "COPY",
//! "Binary Format").
//!
//! Reads the one spelling of each type that `transform` writes, and refuses every other one: the
//! server's own parser is not what decides here what a text means.

mod array;
mod field;
mod numeric;
mod stream;
mod temporal;

pub(crate) use field::Encoder;
pub(crate) use stream::{Encoded, Failed, Tuples, encode};

/// Why a field has no binary form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;
