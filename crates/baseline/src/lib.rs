//! What the target's schema should be, and where a live one is not.
//!
//! Maps types and defaults, compares catalogues; talks to no server.

mod closure;
mod compare;
mod defaults;
mod expression;
mod left_out;
mod names;
mod note;
mod options;
mod plan;
pub mod sql;
mod type_map;

pub use closure::{ClosureColumn, ColumnName, NotUnited, unite};
pub use compare::{
    Difference, DifferenceKind, DifferenceSide, Names, compare, compare_beside, without_schema,
};
pub use defaults::{NotTranslated, PostgresDefault, translate};
pub use left_out::{LeftOut, LeftOutKind};
pub use names::{NameKind, NameRequest, enum_type_name, shortened, unique_names};
pub use note::{Note, NoteKind};
pub use options::{BaselineOptions, OnUpdate};
pub use plan::{Baseline, PlanError, UpdateTrigger, Wanted, plan};
pub use type_map::{
    ColumnContext, Mapping, Need, Origin, OverrideError, TypeMap, TypeOverrides, Unsupported,
    document as type_mapping_document,
};
