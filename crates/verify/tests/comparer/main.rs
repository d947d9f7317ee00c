//! Tests of the comparer itself: what it must find, and what it must not report.
//!
//! Values of both sides are spelled by hand, without any conversion of this workspace; live
//! servers come with the binary's tests.

mod fixture;

mod mutations;
mod pairs;
mod plans;
mod properties;
mod rule_chains;
mod rules;
