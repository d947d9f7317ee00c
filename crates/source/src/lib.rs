//! The MySQL and MariaDB edge: connect, discover, take a snapshot, read rows.
//!
//! The only crate that speaks to the source; it writes nothing there but what the
//! fixtures of this workspace are made of.

mod chunk;
mod connection;
mod connection_limits;
mod cut;
mod dialect;
mod discover;
mod driver;
mod endpoint;
mod error;
mod export;
mod expression;
mod fence;
mod grants;
mod heartbeat;
mod latin1;
mod lock;
mod privileges;
mod reader;
mod scan;
mod session;
mod snapshot;
mod waits;

pub use connection::{Cancel, Connection, cancel_questions};

pub use connection_limits::ConnectionLimit;
pub use discover::discover;
pub use endpoint::Endpoint;
pub use error::Error;
pub use export::key_columns;
pub use fence::Followed;
pub use grants::{GrantPurpose, LoginGrant, login_grants, login_grants_document};
pub use heartbeat::probe;
pub use lock::Waiting;
pub use privileges::Privileges;
pub use reader::Reader;
pub use scan::Rows;
pub use snapshot::{Snapshot, SnapshotRequest};
pub use waits::LockWait;
