//! The built binary against real servers: the cases, the whole path, and the way in through
//! `cargo xtask`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ahead;
mod apply;
mod assess;
mod bad_weather;
mod baseline;
mod cases;
mod catalogs;
mod check;
mod check_corners;
mod checks;
mod chunks;
mod constraints;
mod converting;
mod corners;
mod defaults;
mod finalize;
mod foreign_runs;
mod hostile_names;
mod import;
mod index_later;
mod killed_at_any_moment;
mod large_baseline;
mod lost;
mod mutations;
mod names_like_types;
mod numbering;
mod numbers;
mod odd_rows;
mod output;
mod own_servers;
mod parts;
mod pass_through;
mod path;
mod pooler;
mod privileges;
mod random_mutations;
mod replica;
mod resume;
mod retries;
mod secrets;
mod servers;
mod shipped;
mod snapshots;
mod source_parts;
mod support;
mod target_limits;
mod target_login;
mod target_obstacles;
mod target_privileges;
mod transform;
mod waiting;
mod ways_out;
