//! What live tests share: databases of their own on real servers, and ways to load CSV.
//!
//! For tests only; `cargo xtask test` starts the servers and names them in the environment.

pub mod certificates;
mod databases;
pub mod hostile;
mod loaders;

pub use databases::{Databases, workspace_root};
pub use loaders::loads_as_it_stands;
