//! `bench`: how fast the built `converge` is on the local servers, and how far from its floors.
//!
//! It measures and reports, judges nothing but growth, and changes none of the developer's
//! databases.

mod child;
mod converge;
mod family;
mod floor;
mod growth;
mod interrupt;
mod measure;
mod one_table;
mod peers;
mod place;
mod plan;
mod processor;
mod report;
mod run;
mod table;

pub(crate) use interrupt::Interrupted;
pub(crate) use plan::Stage;
pub(crate) use report::OutputFormat;
pub(crate) use run::run;
