//! Synthetic rows for both systems: the same scale always gives the same bytes.
//!
//! It makes SQL text and talks to no server. No value comes from a real system.

mod binary;
mod column;
mod counts;
mod dirt;
mod insert;
mod invariants;
mod json;
mod number;
mod plan;
mod planting;
mod random;
mod reference;
mod text;
mod time;
mod value;
mod violations;

pub(crate) use counts::CREDENTIAL_TYPES;
pub(crate) use dirt::{Dirt, DirtKinds};
pub(crate) use insert::Inserts;
pub(crate) use number::next_auto_increment;
pub(crate) use plan::{TablePlan, plan};
pub(crate) use planting::{Planted, has_orphans, planted, statements as planting_statements};
pub(crate) use random::{row_id, seed};

#[cfg(test)]
mod tests;
