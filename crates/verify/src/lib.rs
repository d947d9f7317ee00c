//! Compares the rows of both databases and says where they differ, down to key and column.
//!
//! Reads no server: whoever does feeds it rows. Never uses `transform`, so that a mistake in a
//! conversion cannot hide itself. `docs/verification.md` says what is proven.

mod equivalence;
mod error;
mod plan;
mod report;
mod sums;

mod drill_down;
mod form;
mod row;
mod source_projection;
mod target_projection;

pub use drill_down::{DetailSide, DrillDown, DrillLimits, Findings};
pub use equivalence::{Equivalence, equivalences};
pub use error::Error;
pub use plan::TablePlan;
pub use report::{
    CatalogFinding, Check, Compared, DatabaseReport, RuleCount, Sample, SampleKind, TableReport,
    Verdict, VerifyReport,
};
pub use sums::{Buckets, Difference, SideSums, compare};
