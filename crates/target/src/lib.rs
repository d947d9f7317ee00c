//! The PostgreSQL edge: connect, discover, apply, copy, constraints, sequences, ledger, scan.
//!
//! The only crate that speaks to the target; it converts no values.

mod applied_baseline;
mod apply;
mod aside;
mod batches;
mod binary;
mod connection;
mod connection_limits;
mod constraints;
mod copy;
mod dialect;
mod discover;
mod endpoint;
mod equality;
mod error;
mod error_text;
mod fingerprint;
mod grants;
mod heartbeat;
mod import;
mod keys;
mod ledger;
mod load;
mod lock_room;
mod off;
mod offenders;
mod one_clause;
mod others_code;
mod outside;
mod parity;
mod privileges;
mod reasons;
mod rollback;
mod row_key;
mod run_lock;
mod scan;
mod scratch;
mod script;
mod sequences;
mod surroundings;
mod tls;
mod wire;

pub use applied_baseline::AppliedBaseline;
pub use apply::{Baseline, Extension, SchemaRights, Standing};
pub use aside::{Aside, Kept};
pub use batches::Batches;
pub use connection::{Cancel, Connection};
pub use connection_limits::ConnectionLimit;
pub use constraints::{Blocker, blockers};
pub use copy::{CopyForm, Rows};
pub use discover::discover;
pub use endpoint::Endpoint;
pub use error::Error;
pub use fingerprint::{Fingerprint, fingerprint, rows_digest};
pub use grants::{RoleGrant, role_grants, role_grants_document};
pub use heartbeat::probe;
pub use import::{Import, ImportTable, Seal};
pub use ledger::{LedgerChunk, LedgerRun, LedgerTable};
pub use load::{Chunk, ChunkLoad, Loader};
pub use lock_room::LockRoom;
pub use off::Off;
pub use others_code::Borrowed;
pub use parity::ObjectFinding;
pub use privileges::{MissingPrivilege, Needs};
pub use reasons::{Reason, Reasons, TakenFrom};
pub use rollback::{
    LaterRows, LaterWrites, RolledBack, WriteRows, finalize, later_writes, roll_back,
};
pub use run_lock::Leftovers;
pub use scan::TargetRow;
pub use scratch::{SameValue, Scratch};
pub use script::{ScriptError, line_of, may_outlive_a_rollback, statements};
pub use surroundings::Surroundings;
