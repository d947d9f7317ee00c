//! The crate from outside: plans of tables, rules on values, and the laws of all conversions.
//!
//! Talks to no server: what a server makes of the result is tried in `converge`.

#[cfg(test)]
mod plan;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod setup;
