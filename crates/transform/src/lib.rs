//! Converts records of an export into records that the target takes, by a plan made once
//! per column.
//!
//! Pure: reads no file, asks no server, and never changes a value unless a rule says so.

mod document;
mod error;
mod plan;
mod records;
mod rejection;

mod column;
mod conversion;
mod literal;
mod pair;
mod repair;

mod array;
mod binary;
mod bit;
mod boolean;
mod decimal;
mod enumeration;
mod float;
mod integer;
mod json;
mod latin1;
mod number;
mod temporal;
mod text;
mod time;
mod timestamp;
mod uuid;
mod zone;

pub use column::ColumnPlan;
pub use document::rules_document;
pub use error::{Error, Misfit};
pub use plan::{PlanInput, TablePlan, yaml_scalar};
pub use records::{Buffers, Failed, convert_records};
pub use rejection::{Kind, Rejection};
