//! The life of local servers, on real ones: up, found again, protected, down, removed.
//!
//! Each test has a state directory of its own and takes its servers away. All of them lie below
//! a folder of mode 0700, as a clone in root's home does, which no server's account can enter.

mod building;
mod data_commands;
mod leftovers;
mod life;
mod passwords;
mod refusals;
mod review;
mod support;
