//! What the target's schema should be, and where a live one is not.
//!
//! Compares catalogues; talks to no server.

mod compare;

pub use compare::differences;
