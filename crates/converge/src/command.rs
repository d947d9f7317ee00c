//! One file per command; each reads from the top down.

pub(crate) mod assess;
pub(crate) mod baseline;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod finalize;
pub(crate) mod import;
pub(crate) mod migrate;
pub(crate) mod rehearse;
pub(crate) mod rollback;
pub(crate) mod status;
pub(crate) mod transform;
pub(crate) mod verify;
