//! Local servers as containers, on a real engine, with images of `cargo xtask images build`.
//!
//! Not run with the other tests: `cargo xtask ci` runs it where an engine answers, and says so
//! where none does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;
mod images;
mod life;
mod refusals;
mod support;
